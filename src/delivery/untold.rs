//! What is not told any more is ended for many at once: a claim that comes upon one of them ends others with it.
use std::collections::BTreeSet;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};

use super::{
    claim::Verdict,
    found,
    queries::{CANCELLED, QUEUED},
    rows::delivery,
    rules::ladder::Channel,
};
use crate::{error::Result, ids::DeliveryId, store::Tx};

/// It was taken back, or is over.
pub(super) const WITHDRAWN: &str = "withdrawn";
/// So many rows are ended in one unit of work.
const PIECE: u64 = 1000;

/// Ends what is due of the events of which these verdicts say that they are not told any more. What was claimed is ended by
/// its own verdict.
pub(super) async fn end(
    tx: &Tx,
    (channel, rows): (Channel, &[delivery::Model]),
    verdicts: &[(usize, Verdict)],
) -> Result<()> {
    let is_gone =
        |(place, verdict): &(usize, Verdict)| (*verdict == Verdict::Not(WITHDRAWN)).then(|| rows[*place].event_number);
    let events: BTreeSet<i64> = verdicts.iter().filter_map(is_gone).collect();
    if events.is_empty() {
        return Ok(());
    }
    let piece = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .filter(delivery::Column::EventNumber.is_in(events))
        .filter(delivery::Column::Channel.eq(channel.as_str()))
        .filter(delivery::Column::State.eq(QUEUED))
        .filter(delivery::Column::DueAt.lte(tx.now()))
        .limit(PIECE)
        .into_tuple::<DeliveryId>()
        .all(tx)
        .await?;
    if piece.is_empty() {
        return Ok(());
    }
    let ended = found::queued(piece)
        .col_expr(delivery::Column::State, Expr::value(CANCELLED))
        .col_expr(delivery::Column::DueAt, Expr::value(tx.now()))
        .col_expr(delivery::Column::Reason, Expr::value(WITHDRAWN))
        .exec(tx)
        .await?;
    metrics::counter!("sends_skipped_total", "reason" => WITHDRAWN).increment(ended.rows_affected);
    Ok(())
}
