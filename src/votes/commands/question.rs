//! What a vote asks: a motion, or a choice of k among n for s places; after a tie, again among the tied.
use sea_orm::ConnectionTrait;

use super::{About, OpenVote};
use crate::{
    error::{Checks, Code, Error, Result},
    ids::VoteId,
    votes::{
        queries::{self, OptionView},
        rules::{
            Preset,
            election::{MAX_CHOICES, MAX_OPTIONS},
        },
    },
};

/// The kept form of a question.
pub(super) struct Asked {
    /// As JSON; `None`: a motion.
    pub(super) options: Option<String>,
    /// k.
    pub(super) max_choices: i32,
    /// s.
    pub(super) seats: i32,
    /// Of a vote after a tie inside a body: that of the one before.
    pub(super) rule: Option<Preset>,
}

/// In which more candidates stand than there are places (组织法, article 18); who is left stands in the round after it.
const CONTESTED: &str = "committee_election_round1";

/// Reads what is asked.
///
/// # Errors
/// `invalid_fields`; `not_found` for another vote that is not there; `wrong_state` when it left no tie, or its tie is voted on
/// or was decided already.
pub(super) async fn asked(db: &impl ConnectionTrait, input: &OpenVote, about: &About) -> Result<Asked> {
    let (options, seats, rule) = match input.parent_vote_id {
        Some(parent) => tied(db, (input, about), parent).await?,
        None => (input.options.iter().map(|text| text.trim().to_owned()).collect(), input.seats.unwrap_or(1), None),
    };
    let most = input.max_choices.unwrap_or(seats);
    let is_choice = !options.is_empty();
    let (n, inside) =
        (options.len(), |number: i32, most: usize| usize::try_from(number).is_ok_and(|n| (1..=most).contains(&n)));
    let mut checks = Checks::default();
    if is_choice {
        checks.require((2..=MAX_OPTIONS).contains(&n), "options", "out_of_range");
        for (at, text) in options.iter().enumerate() {
            checks.text(&format!("options[{at}]"), text, 1..=60);
            checks.require(
                !options.iter().take(at).any(|before| before == text),
                &format!("options[{at}]"),
                "duplicate",
            );
        }
        // nobody is recalled by a choice among several
        checks.require(!queries::is_recall(&input.preset), "options", "only_a_motion");
        checks.require(inside(seats, n), "seats", "out_of_range");
        let is_contested = input.preset != CONTESTED || input.parent_vote_id.is_some() || inside(seats, n - 1);
        checks.require(is_contested, "options", "too_few_candidates");
        checks.require(inside(most, n.min(MAX_CHOICES)), "max_choices", "out_of_range");
        // as many names on a ballot as there are places, or fewer (浙江选举办法 27); so, too, for representatives
        let is_election = queries::is_committee_election(&input.preset) || queries::is_selection(&input.preset);
        checks.require(!is_election || most <= seats, "max_choices", "too_many_choices");
    } else {
        checks.require(input.seats.is_none() && input.max_choices.is_none(), "options", "required");
    }
    checks.done()?;
    if !is_choice {
        return Ok(Asked { options: None, max_choices: 1, seats: 1, rule });
    }
    let keyed = (1..).zip(options).map(|(key, text): (usize, String)| OptionView { key: key.to_string(), text });
    let options = serde_json::to_string(&keyed.collect::<Vec<_>>()).map_err(Error::broken)?;
    Ok(Asked { options: Some(options), max_choices: most, seats, rule })
}

/// Those whom the vote before left tied, the places that it left open, and inside a body its rule; of a result that stands.
async fn tied(
    db: &impl ConnectionTrait,
    (input, about): (&OpenVote, &About),
    parent: VoteId,
) -> Result<(Vec<String>, i32, Option<Preset>)> {
    let before = queries::row(db, parent).await?;
    let is_of_another = before.matter_id.is_none() && (before.body_id, &before.area_code) != (about.body, &about.area);
    if before.matter_id != about.matter || is_of_another {
        return Err(Code::NotFound.into());
    }
    if matches!(before.settlement.as_deref(), Some(queries::PROVISIONAL | queries::OVERTURNED)) {
        return Err(Code::WrongState.into());
    }
    if queries::is_tie_followed(db, (parent, before.is_binding)).await? {
        return Err(Code::WrongState.into());
    }
    let result = queries::result_of(db, parent).await?;
    let choice = result.choice.filter(|choice| choice.options.iter().any(|one| one.is_tied)).ok_or(Code::WrongState)?;
    let mut checks = Checks::default();
    checks.require(input.options.is_empty() && input.seats.is_none(), "options", "only_the_tied");
    checks.require(input.by_charter.is_none(), "by_charter", "only_the_tied");
    checks.require(before.preset == input.preset, "preset", "only_the_tied");
    checks.require(before.group_number == input.group_number, "group_number", "only_the_tied");
    checks.done()?;
    let tied = choice.options.into_iter().filter(|one| one.is_tied).map(|one| one.text);
    let rule = if queries::is_inside(&before.preset) { Some(queries::rule_of(&before)?) } else { None };
    Ok((tied.collect(), i32::try_from(choice.seats_open).map_err(Error::broken)?, rule))
}
