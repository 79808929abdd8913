//! The fingerprint of a board, every evening while its vote is open: in everybody's hands, so that nobody is shown another.
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use serde_json::json;

use super::telling::last_evening;
use crate::{
    app::App,
    board,
    error::{Error, Result},
    events::{self, Happening, Kind},
    ids::VoteId,
    store::Tx,
    votes::{queries, rows::vote},
};

/// Those whose evening has come. One of which it cannot be told holds up no other.
pub(super) async fn due(app: &App) -> Result<()> {
    let waiting = vote::Entity::find()
        .select_only()
        .column(vote::Column::Id)
        .filter(waits(last_evening(app.now())))
        .filter(vote::Column::ClosesAt.gt(app.now()));
    for id in waiting.into_tuple::<VoteId>().all(app.store.read()).await? {
        let shown = app.store.write(move |tx| Box::pin(show(tx, id))).await;
        shown.unwrap_or_else(|error: Error| tracing::error!(vote = %id, %error, "the fingerprint of the day"));
    }
    Ok(())
}

/// Open since before the evening, and not shown since.
fn waits(evening: DateTime<Utc>) -> Condition {
    let is_new = Condition::any().add(vote::Column::ShownUntil.is_null()).add(vote::Column::ShownUntil.lt(evening));
    Condition::all()
        .add(queries::taking())
        .add(vote::Column::HasBoard.eq(true))
        .add(vote::Column::OpensAt.lt(evening))
        .add(is_new)
}

/// Once for every evening, whoever comes first. Recorded: `vote.board_shown`.
async fn show(tx: &Tx, id: VoteId) -> Result<()> {
    let evening = last_evening(tx.now());
    let first = vote::Entity::update_many()
        .col_expr(vote::Column::ShownUntil, Expr::value(evening))
        .filter(vote::Column::Id.eq(id))
        .filter(waits(evening))
        .exec(tx)
        .await?;
    if first.rows_affected == 0 {
        return Ok(());
    }
    let vote = queries::row(tx, id).await?;
    let head = board::queries::newest(tx, id).await?;
    let happening = Happening::new(Kind::BoardShown, id).at(&vote.area_code);
    events::record(tx, happening.with(json!({ "entries": head.n, "fingerprint": head.fingerprint }))).await?;
    Ok(())
}
