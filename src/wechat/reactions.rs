//! What follows: whoever signs out everywhere lets the own accounts go.
use super::commands;
use crate::{
    error::Result,
    events::{Event, Kind, Reaction},
    store::Tx,
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[Reaction { name: "wechat.let_go", run: |tx, event| Box::pin(let_go(tx, event)) }];

/// Whoever has the phone of somebody who signed out everywhere has its WeChat, and would be in again by it.
async fn let_go(tx: &Tx, event: &Event) -> Result<()> {
    let (Kind::SessionEnded, Some(person)) = (event.kind, event.actor) else { return Ok(()) };
    if event.data["why"] != "logout_everywhere" {
        return Ok(());
    }
    commands::let_go(tx, person, event.at).await
}
