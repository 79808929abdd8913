//! The ballots of a vote that is over, by number: of an open one with the choice, of a secret one who took part.
use chrono::DateTime;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{
        commands::{Choice, Secrecy},
        office,
        rows::{envelope, roll_entry},
    },
    ANNULLED, COUNTING_PAPER, ONLINE, OptionView, TOOK_PART, marks, options_of, results, row, runs,
};
use crate::{
    actor::Actor,
    error::{Code, Result},
    ids::{PersonId, VoteId},
    page::{Cursor, Page, PageQuery},
    people, text,
};

/// A ballot as everybody may see it after closing.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BallotView {
    /// The elector's number on the roll.
    pub number: i32,
    /// The name, masked.
    pub name: String,
    /// The choice about a motion; absent when the elector did not take part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
    /// Keys of the options chosen; absent of a motion, and when the elector did not take part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<String>>,
    /// The same in Chinese.
    pub choice_name: String,
    /// Digest of the ballot, as on its receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ballot_hash: Option<String>,
    /// Who cast it for the elector, masked; absent: the elector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cast_by: Option<String>,
}

/// The ballots of a closed vote by number, for those who may see what is shown to its area.
///
/// # Errors
/// `not_found`; `wrong_state` while it is open; `invalid_cursor`.
pub async fn ballots(
    db: &impl ConnectionTrait,
    actor: &Actor,
    id: VoteId,
    page: &PageQuery,
) -> Result<Page<BallotView>> {
    let vote = row(db, id).await?;
    office::require_sees(db, actor, &vote).await?;
    // how it stands without the paper is no result
    if runs(&vote.state) || vote.state == COUNTING_PAPER {
        return Err(Code::WrongState.into());
    }
    let is_named = vote.state != ANNULLED || !results::is_annulled(&vote)?;
    let is_secret = vote.secrecy == Secrecy::Secret.as_str();
    let limit = page.limit()?;
    // a place on this list is a number: it is carried where other lists carry a time
    let after = page.after()?.map_or(0, |cursor| cursor.at.timestamp_millis());
    let entries = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(id))
        .filter(roll_entry::Column::Number.gt(after))
        .order_by_asc(roll_entry::Column::Number)
        .limit(limit + 1)
        .all(db)
        .await?;
    let cast = envelope::Entity::find()
        .filter(envelope::Column::VoteId.eq(id))
        .filter(envelope::Column::ElectorNumber.is_in(entries.iter().map(|entry| entry.number)))
        .all(db)
        .await?;
    // of a vote annulled by hand nobody's choice is told
    let cast = if is_named { cast } else { Vec::new() };
    let people = entries.iter().flat_map(|entry| entry.cast_by.into_iter().chain([entry.person_id])).collect();
    let names = people::names(db, people).await?;
    let options = options_of(vote.options.as_deref())?;
    let place = |entry: &roll_entry::Model| Cursor {
        at: DateTime::from_timestamp_millis(i64::from(entry.number)).unwrap_or_default(),
        id: id.0,
    };
    let show = |entry: roll_entry::Model| {
        let own = cast.iter().find(|row| row.elector_number == entry.number);
        let name = |person: PersonId| people::mask_name(names.get(&person).map(String::as_str).unwrap_or_default());
        let mut shown = ballot(&entry, (name(entry.person_id), entry.cast_by.map(name)), own, &options);
        // by which of them a few came would tell of the few
        if is_secret && TOOK_PART.contains(&entry.channel.as_str()) {
            shown.choice_name = text::word("vote-channel", ONLINE);
        }
        shown
    };
    Ok(Page::cut(entries, limit, place, show))
}

/// Where that list goes on so that this number stands first.
#[must_use]
pub fn ballots_from(id: VoteId, number: i32) -> String {
    let at = DateTime::from_timestamp_millis(i64::from(number) - 1).unwrap_or_default();
    Cursor { at, id: id.0 }.to_string()
}

fn ballot(
    entry: &roll_entry::Model,
    (name, cast_by): (String, Option<String>),
    own: Option<&envelope::Model>,
    options: &[OptionView],
) -> BallotView {
    let kept = own.and_then(|row| row.choice.as_deref());
    let choice = kept.filter(|_| options.is_empty()).and_then(Choice::parse);
    let choices = kept.filter(|_| !options.is_empty()).map(marks);
    let said = |key: &str| options.iter().find(|one| one.key == key).map_or_else(String::new, |one| one.text.clone());
    let choice_name = match (choice, &choices) {
        (Some(choice), _) => text::word("choice", choice.as_str()),
        (None, Some(keys)) if keys.is_empty() => text::say("choice-abstain"),
        (None, Some(keys)) => keys.iter().map(|key| said(key)).collect::<Vec<_>>().join("、"),
        (None, None) => text::word("vote-channel", &entry.channel),
    };
    BallotView {
        number: entry.number,
        name,
        choice,
        choices,
        choice_name,
        ballot_hash: own.map(|row| row.ballot_hash.clone()),
        cast_by,
    }
}
