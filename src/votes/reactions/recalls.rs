//! Whom the electors voted out of the village committee leaves the seat, once the result stands.
use crate::{
    bodies::{self, By},
    clock,
    error::Result,
    store::Tx,
    votes::{queries, rows::vote},
};

/// Of a recall that was carried. Who came back by an election since then stays.
pub(super) async fn unseat(tx: &Tx, vote: &vote::Model) -> Result<()> {
    let Some(member) = vote.recalled_id else { return Ok(()) };
    if super::kept(vote)?.code() != "passed" {
        return Ok(());
    }
    let day = clock::local_date(vote.closes_at);
    for seat in queries::committee(tx, &vote.area_code, tx.now()).await? {
        if seat.person_id == member && seat.starts_on <= day {
            bodies::end_seat(tx, By::Electors, seat.id).await?;
        }
    }
    Ok(())
}
