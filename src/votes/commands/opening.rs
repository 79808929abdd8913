//! Opening: what a vote says of itself (the manifest) and its frozen roll go on the public board before the first ballot.
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::{
    board::{self, HeadView, lsb1, sealing},
    error::Result,
    store::Tx,
    votes::{
        commands::Choice,
        queries,
        rows::{roll_entry, vote},
    },
};

/// What may be chosen, in the order of the ballot.
const OPTIONS: [Choice; 3] = [Choice::For, Choice::Against, Choice::Abstain];

/// Begins the board of a vote whose roll is frozen; `tally` names the keys to which a secret ballot is sealed.
///
/// # Errors
/// When the database refuses.
pub(in crate::votes) async fn open_board(
    tx: &Tx,
    vote: &vote::Model,
    tally: Option<&[(sealing::Trustee, String)]>,
) -> Result<HeadView> {
    let rule = queries::rule_of(vote)?;
    let mut manifest = json!({
        "area": vote.area_code, "binding": vote.is_binding, "closes": lsb1::moment(vote.closes_at), "law": rule.law,
        "opens": lsb1::moment(vote.opens_at), "options": OPTIONS.map(Choice::as_str), "preset": vote.preset,
        "question": vote.question, "revote": vote.allows_revote, "rule": rule, "secrecy": vote.secrecy,
    });
    if vote.options.is_some() {
        let options = queries::options_of(vote.options.as_deref())?;
        let (keys, texts): (Vec<_>, Vec<_>) = options.into_iter().map(|option| (option.key, option.text)).unzip();
        manifest["kind"] = json!("choice");
        manifest["options"] = json!(keys);
        manifest["option_texts"] = json!(texts);
        manifest["max_choices"] = json!(vote.max_choices);
        manifest["seats"] = json!(vote.seats);
        manifest["parent"] = json!(vote.parent_vote_id);
    }
    if let Some(keys) = tally {
        manifest["tally"] = sealing::tally(keys);
    }
    let electors = roll_leaves(tx, vote).await?;
    board::commands::open(tx, vote.id, manifest, &electors).await
}

/// The roll as leaves: number, keyed tag as it was when the roll was frozen, unit and weight, in order of the numbers.
///
/// # Errors
/// When the database cannot be read.
pub(in crate::votes) async fn roll_leaves(
    db: &impl sea_orm::ConnectionTrait,
    vote: &vote::Model,
) -> Result<Vec<Value>> {
    let unit = json!(queries::rule_of(vote)?.unit);
    let unit = unit.as_str().unwrap_or_default();
    let entries = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(vote.id))
        .order_by_asc(roll_entry::Column::Number)
        .all(db)
        .await?;
    let leaf = |entry: &roll_entry::Model| {
        let number = u64::from(entry.number.unsigned_abs());
        lsb1::elector_entry(number, entry.tag.as_deref().unwrap_or_default(), unit, 1)
    };
    Ok(entries.iter().map(leaf).collect())
}
