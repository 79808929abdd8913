//! Closing: by the clock or by the last ballot; first the state, then the count, then what the law makes of it.
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::Expr,
};
use serde_json::json;

use crate::{
    app::App,
    error::{Error, Result},
    events::{self, Happening, Kind},
    ids::VoteId,
    keys::sha256_hex,
    meetings,
    store::Tx,
    votes::{
        commands::Choice,
        queries::{self, StoredResult},
        rows::{envelope, roll_entry, vote},
        rules::{self, Count},
    },
};

const DUE_AT_ONCE: u64 = 100;

/// Closes and counts the votes whose time is over or whose last elector has cast, each in a unit of work of its own.
/// Recorded: `vote.closed`.
///
/// # Errors
/// When the database fails.
pub async fn due(app: &App) -> Result<u64> {
    let somebody_waits = roll_entry::Entity::find()
        .select_only()
        .column(roll_entry::Column::Number)
        .filter(Expr::col((roll_entry::Entity, roll_entry::Column::VoteId)).equals((vote::Entity, vote::Column::Id)))
        .filter(roll_entry::Column::Channel.eq(queries::NOT_CAST))
        .into_query();
    let is_over = Condition::any().add(vote::Column::ClosesAt.lte(app.now())).add(Expr::exists(somebody_waits).not());
    let ready: Vec<VoteId> = vote::Entity::find()
        .select_only()
        .column(vote::Column::Id)
        .filter(vote::Column::State.eq(queries::OPEN))
        .filter(is_over)
        .order_by_asc(vote::Column::ClosesAt)
        .limit(DUE_AT_ONCE)
        .into_tuple()
        .all(app.store.read())
        .await?;
    let mut closed = 0;
    for id in ready {
        closed += u64::from(app.store.write(move |tx| Box::pin(close(tx, id))).await?);
    }
    Ok(closed)
}

/// `false` when somebody else closed it first.
async fn close(tx: &Tx, id: VoteId) -> Result<bool> {
    let open = queries::row(tx, id).await?;
    if let Some(meeting) = open.meeting_id.filter(|_| open.closes_at > tx.now()) {
        // everybody has cast, but the meeting that decides has not begun
        if meetings::queries::meeting(tx, meeting).await?.starts_at > tx.now() {
            return Ok(false);
        }
    }
    let closed = vote::Entity::update_many()
        .col_expr(vote::Column::State, Expr::value(queries::CLOSED))
        .col_expr(vote::Column::ClosedAt, Expr::value(tx.now()))
        .filter(vote::Column::Id.eq(id))
        .filter(vote::Column::State.eq(queries::OPEN))
        .exec_with_returning(tx)
        .await?;
    let Some(vote) = closed.into_iter().next() else { return Ok(false) };
    let is_binding = vote.is_binding && has_meeting(tx, &vote).await?;
    let count = count(tx, &vote).await?;
    let (state, outcome) = match rules::decide(&queries::rule_of(&vote)?, &count) {
        Ok(outcome) => (queries::CLOSED, Some(outcome)),
        Err(inconsistent) => {
            // the unique keys rule it out; should it happen all the same, the vote decides nothing and says so
            tracing::error!(vote = %vote.id, %inconsistent, "a vote could not be counted");
            (queries::ANNULLED, None)
        }
    };
    let result = StoredResult { count, outcome };
    let kept = serde_json::to_string(&result).map_err(Error::broken)?;
    let happening = Happening::new(Kind::VoteClosed, id).at(&vote.area_code).with(json!({
        "matter": vote.matter_id, "outcome": result.code(), "reason": result.outcome.as_ref().map(|outcome| outcome.reason),
        "binding": is_binding, "result_digest": sha256_hex(kept.as_bytes()),
    }));
    vote::Entity::update_many()
        .col_expr(vote::Column::State, Expr::value(state))
        .col_expr(vote::Column::IsBinding, Expr::value(is_binding))
        .col_expr(vote::Column::Result, Expr::value(kept))
        .filter(vote::Column::Id.eq(id))
        .exec(tx)
        .await?;
    events::record(tx, happening).await?;
    Ok(true)
}

/// A vote whose meeting was called off has only asked.
async fn has_meeting(tx: &Tx, vote: &vote::Model) -> Result<bool> {
    let Some(id) = vote.meeting_id else { return Ok(false) };
    Ok(meetings::queries::meeting(tx, id).await?.cancel_reason.is_none())
}

/// Every number of the count, from one look at the envelopes.
async fn count(tx: &Tx, vote: &vote::Model) -> Result<Count> {
    let rows: Vec<(Option<String>, i64)> = envelope::Entity::find()
        .select_only()
        .column(envelope::Column::Choice)
        .column_as(envelope::Column::CastId.count(), "ballots")
        .filter(envelope::Column::VoteId.eq(vote.id))
        .group_by(envelope::Column::Choice)
        .into_tuple()
        .all(tx)
        .await?;
    let mut count = Count { on_roll: u64::from(vote.on_roll.unsigned_abs()), ..Count::default() };
    for (choice, ballots) in rows {
        let ballots = ballots.unsigned_abs();
        count.present += ballots;
        match choice.as_deref().and_then(Choice::parse) {
            Some(Choice::For) => count.yes += ballots,
            Some(Choice::Against) => count.no += ballots,
            Some(Choice::Abstain) => count.abstain += ballots,
            None => count.invalid += ballots,
        }
    }
    Ok(count)
}
