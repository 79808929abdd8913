//! Concluding: what the law makes of an ending, kept, put on the board and told; a result that may be challenged is provisional.
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};

use super::{Secrecy, Tally, overdue, settle};
use crate::{
    board::{self, lsb1},
    error::{Error, Result},
    events::{self, Happening, Kind},
    ids::{PersonId, VoteId},
    keys::sha256_hex,
    store::Tx,
    votes::{
        queries::{self, Annulled, StoredResult, turnout::turnout},
        rows::{envelope, roll_entry, vote},
        rules::{Count, roll::days_after},
    },
};

/// How a vote ends.
pub(in crate::votes) enum Ending {
    /// Counted; with what was on the sealed ballots, sorted by content.
    Counted(Tally, Option<Value>),
    /// Nobody made the keys in time: nothing was asked.
    NeverBegan,
    /// By hand, with a reason; nothing is counted.
    Annulled(Annulled, PersonId),
}

/// What the law makes of an ending, kept, put on the board and told. What was not counted decides nothing. Recorded:
/// `vote.closed`.
pub(in crate::votes) async fn conclude(tx: &Tx, vote: &vote::Model, ending: Ending) -> Result<()> {
    let is_binding = vote.is_binding;
    let nothing = Count { on_roll: u64::from(vote.on_roll.unsigned_abs()), ..Count::default() };
    let (result, plaintexts, by) = match ending {
        Ending::Counted(tally, plaintexts) => {
            let judged = tally.judged(&queries::rule_of(vote)?);
            if let Err(inconsistent) = &judged {
                // the unique keys rule it out; should it happen all the same, the vote decides nothing and says so
                tracing::error!(vote = %vote.id, %inconsistent, "a vote could not be counted");
            }
            let (outcome, choice) = judged.ok().map_or((None, None), |(outcome, choice)| (Some(outcome), choice));
            (StoredResult { count: tally.count, outcome, annulled: None, choice }, plaintexts, None)
        }
        Ending::NeverBegan => (StoredResult::nothing(nothing, None), None, None),
        Ending::Annulled(why, by) => (StoredResult::nothing(nothing, Some(why)), None, Some(by)),
    };
    let state = if result.outcome.is_some() { queries::CLOSED } else { queries::ANNULLED };
    let kept = serde_json::to_string(&result).map_err(Error::broken)?;
    let days = vote.challenge_days.unsigned_abs();
    let is_provisional = result.outcome.is_some() && days > 0;
    // the days run from the moment that is signed
    let now = tx.now();
    let until = is_provisional.then(|| days_after(now, days));
    let mut happening = Happening::new(Kind::VoteClosed, vote.id).at(&vote.area_code).with(json!({
        "matter": vote.matter_id, "outcome": result.code(), "reason": result.outcome.as_ref().map(|outcome| outcome.reason),
        "binding": is_binding, "result_digest": sha256_hex(kept.as_bytes()), "provisional": is_provisional,
    }));
    if let Some(by) = by {
        happening = happening.by(by);
    }
    let mut change = vote::Entity::update_many()
        .col_expr(vote::Column::State, Expr::value(state))
        .col_expr(vote::Column::Result, Expr::value(kept))
        .col_expr(vote::Column::Settlement, Expr::value(is_provisional.then_some(queries::PROVISIONAL)))
        .col_expr(vote::Column::ChallengeUntil, Expr::value(until))
        .filter(vote::Column::Id.eq(vote.id));
    if vote.has_board && vote.secrecy == Secrecy::Secret.as_str() {
        // when each ballot came leaves the files, too
        change = change.col_expr(vote::Column::LinksLeft, Expr::value(true));
    }
    change.exec(tx).await?;
    set_apart(tx, vote.id).await?;
    overdue::lapse(tx, vote).await?;
    if vote.has_board {
        publish(tx, vote, (&result, is_binding, (now, until)), plaintexts.as_ref()).await?;
    }
    events::record(tx, happening).await?;
    if result.outcome.is_some() && !is_provisional { settle::stands(tx, vote.id).await } else { Ok(()) }
}

/// What is over is not written anew with each secret vote that closes. The roll of a secret one lies there already.
async fn set_apart(tx: &Tx, vote: VoteId) -> Result<()> {
    roll_entry::Entity::update_many()
        .col_expr(roll_entry::Column::IsOver, Expr::value(true))
        .filter(roll_entry::Column::VoteId.eq(vote))
        .filter(roll_entry::Column::IsOver.eq(false))
        .exec(tx)
        .await?;
    envelope::Entity::update_many()
        .col_expr(envelope::Column::IsOver, Expr::value(true))
        .filter(envelope::Column::VoteId.eq(vote))
        .filter(envelope::Column::IsOver.eq(false))
        .exec(tx)
        .await?;
    Ok(())
}

/// When a result was made, and until when it may be challenged.
type Moments = (DateTime<Utc>, Option<DateTime<Utc>>);

/// The result with every number, or why there is none, bound to the manifest and to where the board ended.
async fn publish(
    tx: &Tx,
    vote: &vote::Model,
    (result, is_binding, (now, until)): (&StoredResult, bool, Moments),
    plaintexts: Option<&Value>,
) -> Result<()> {
    let manifest = board::queries::manifest(tx, vote.id).await?;
    let end = board::queries::newest(tx, vote.id).await?;
    let mut told = json!({
        "binding": is_binding, "manifest": manifest.hash, "poll": vote.id, "root": end.root, "t": lsb1::moment(now),
    });
    if let Some(until) = until {
        // whoever holds it sees that it may not be the last word
        told["challenge_until"] = json!(lsb1::moment(until));
    }
    if let Some(annulled) = &result.annulled {
        told["annulled"] = json!(annulled);
    } else {
        told["count"] = json!(result.count);
        told["outcome"] = json!(result.outcome);
        if let Some(choice) = &result.choice {
            told["choice"] = json!(choice);
        }
        if result.outcome.is_some() {
            let channels = turnout(tx, vote.id).await?.channels;
            told["turnout"] = channels.into_iter().map(|one| (one.channel, json!(one.present))).collect();
        }
        told["plaintexts"] = json!(plaintexts.map(|list| sha256_hex(lsb1::jcs(list).as_bytes())));
    }
    board::commands::publish(tx, vote.id, &told, plaintexts).await?;
    Ok(())
}
