//! 恢复: a vote that came out of a backup while it ran rests until somebody annuls it, or has compared its board with what was
//! published last; so does the board of a result that may still be challenged.
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    actor::Actor,
    board::{self, lsb1},
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::VoteId,
    store::Tx,
    votes::{
        office,
        queries::{self, VoteView},
        rows::vote,
    },
};

/// What was published last.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmRestored {
    /// The fingerprint of the board that was published last, as it stands on paper or in the channel: 32 hex digits, with or
    /// without what stands between them.
    #[schema(min_length = 32, max_length = 64)]
    pub fingerprint: String,
}

/// A backup was loaded: what was cast, handed out and counted since it was made is gone, though people hold receipts. Each vote that
/// is not over rests, and nothing is signed on its board, nor on that of a result that may still be challenged. Says how many rest.
///
/// # Errors
/// When the database refuses.
pub async fn rest(tx: &Tx) -> Result<u64> {
    let under_way = [queries::WAITING_KEYS, queries::POSTED, queries::OPEN, queries::COUNTING_PAPER, queries::COUNTING];
    let resting = vote::Entity::update_many()
        .col_expr(vote::Column::RestoredAt, Expr::value(tx.now()))
        .filter(vote::Column::State.is_in(under_way))
        .exec(tx)
        .await?;
    let grows = Condition::any()
        .add(vote::Column::RestoredAt.is_not_null())
        .add(vote::Column::Settlement.eq(queries::PROVISIONAL));
    let boards: Vec<VoteId> =
        vote::Entity::find().select_only().column(vote::Column::Id).filter(grows).into_tuple().all(tx).await?;
    board::halts::halt(tx, &boards).await?;
    Ok(resting.rows_affected)
}

/// Lets a vote that rests go on, or the board of a result that may still be challenged, because the board is the one that was
/// published last. Recorded: `vote.restored_confirmed`.
///
/// # Errors
/// `not_found`; `not_allowed` for who may not overturn its result: who runs it may like what is lost to stay so; `wrong_state` when
/// its board is not halted, or has no more to say: its time to cast went by meanwhile, so that it is annulled, or the
/// days of its result did; `invalid_fields` for another fingerprint.
pub async fn confirm_restored(tx: &Tx, actor: &Actor, (id, input): (VoteId, ConfirmRestored)) -> Result<VoteView> {
    let vote = queries::row(tx, id).await?;
    if office::is_voted_on(&vote, actor.person) || !office::may_overturn(actor, &vote) {
        return Err(Code::NotAllowed.into());
    }
    if !queries::waits_for_comparison(tx, id, tx.now()).await? {
        return Err(Code::WrongState.into());
    }
    let head = board::queries::newest(tx, id).await?;
    let mut checks = Checks::default();
    let is_last = lsb1::published(&input.fingerprint) == lsb1::published(&head.fingerprint);
    checks.require(is_last, "fingerprint", "fingerprint_differs");
    checks.done()?;
    vote::Entity::update_many()
        .col_expr(vote::Column::RestoredAt, Expr::value(None::<DateTime<Utc>>))
        .filter(vote::Column::Id.eq(id))
        .exec(tx)
        .await?;
    board::halts::go_on(tx, id).await?;
    let happening = Happening::new(Kind::VoteConfirmed, id).at(&vote.area_code).by(actor.person);
    events::record(tx, happening.with(json!({ "entries": head.n, "fingerprint": head.fingerprint }))).await?;
    queries::vote(tx, id).await
}
