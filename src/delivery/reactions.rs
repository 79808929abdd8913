//! What follows from events: webhooks are to be told of notices.
use super::commands;
use crate::{
    error::Result,
    events::{Event, Kind, Reaction},
    store::Tx,
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[Reaction { name: "delivery.plan", run: |tx, event| Box::pin(plan(tx, event)) }];

async fn plan(tx: &Tx, event: &Event) -> Result<()> {
    match event.kind {
        Kind::NoticePublished | Kind::NoticeRevised => commands::plan(tx, event).await,
        _ => Ok(()),
    }
}
