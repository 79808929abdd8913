//! Objections to a roll that the office let lie: passed on to who stands in for it, and at the end told as never decided.
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde_json::json;

use crate::{
    app::App,
    error::Result,
    events::{self, Happening, Kind},
    store::Tx,
    votes::{
        queries::{
            self,
            roll_list::{LAPSED, OPEN, PROPOSED},
        },
        rows::{roll_objection, vote},
    },
};

const DUE_AT_ONCE: u64 = 100;

/// What the office did not decide in its days is passed on to those who stand in for it, once. Recorded:
/// `vote.roll_objection_passed_on`.
///
/// # Errors
/// When the database fails.
pub(super) async fn pass_on(app: &App) -> Result<()> {
    let late = || {
        roll_objection::Entity::find()
            .filter(roll_objection::Column::State.is_in([OPEN, PROPOSED]))
            .filter(roll_objection::Column::IsPassedOn.eq(false))
            .filter(roll_objection::Column::DueAt.lte(app.now()))
    };
    if late().one(app.store.read()).await?.is_none() {
        return Ok(());
    }
    let late = late().order_by_asc(roll_objection::Column::DueAt).limit(DUE_AT_ONCE);
    let pass = app.store.write(move |tx| {
        Box::pin(async move {
            for row in late.all(tx).await? {
                one(tx, row).await?;
            }
            Ok(())
        })
    });
    pass.await
}

async fn one(tx: &Tx, row: roll_objection::Model) -> Result<()> {
    roll_objection::Entity::update_many()
        .col_expr(roll_objection::Column::IsPassedOn, Expr::value(true))
        .filter(roll_objection::Column::Id.eq(row.id))
        .exec(tx)
        .await?;
    let vote = queries::row(tx, row.vote_id).await?;
    // of a vote that is over nothing waits for it
    if queries::runs(&vote.state) {
        let happening = Happening::new(Kind::RollObjectionPassedOn, row.id).at(&vote.area_code);
        events::record(tx, happening.with(json!({ "vote": vote.id }))).await?;
    }
    Ok(())
}

/// At the end what nobody decided has lapsed, and its author is told. Recorded: `vote.roll_objection_decided`.
///
/// # Errors
/// When the database refuses.
pub(super) async fn lapse(tx: &Tx, vote: &vote::Model) -> Result<()> {
    let lapsed = roll_objection::Entity::update_many()
        .col_expr(roll_objection::Column::State, Expr::value(LAPSED))
        .filter(roll_objection::Column::VoteId.eq(vote.id))
        .filter(roll_objection::Column::State.is_in([OPEN, PROPOSED]))
        .exec_with_returning(tx)
        .await?;
    for row in lapsed {
        let data = json!({ "vote": vote.id, "kind": row.kind, "outcome": LAPSED });
        let happening = Happening::new(Kind::RollObjectionDecided, row.id).at(&vote.area_code);
        events::record(tx, happening.with(data)).await?;
    }
    Ok(())
}
