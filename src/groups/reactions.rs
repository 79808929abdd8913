//! What follows from founding a body and taking a seat: a forum for those who have one.
use super::rules;
use crate::{
    bodies,
    error::Result,
    events::{Event, Kind, Reaction},
    ids::BodyId,
    store::Tx,
    streams,
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] =
    &[Reaction { name: "groups.open_forum", run: |tx, event| Box::pin(open_forum(tx, event)) }];

/// At the first seat: a body nobody sits in has nothing to say, and one that is older than its forum gets it then.
async fn open_forum(tx: &Tx, event: &Event) -> Result<()> {
    if event.kind != Kind::SeatTaken {
        return Ok(());
    }
    let Some(id) = event.data["body"].as_str().and_then(|id| id.parse::<BodyId>().ok()) else { return Ok(()) };
    let body = bodies::queries::get(tx, id).await?;
    if rules::has_forum(body.kind) {
        streams::commands::forum(tx, (id, &body.name), body.areas.into_iter().next()).await?;
    }
    Ok(())
}
