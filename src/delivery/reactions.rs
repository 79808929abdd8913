//! What follows from events: webhooks are to be told of notices, matters, meetings and votes, people of what concerns them and of
//! what was written down at their doors.
use super::{announce, commands, marks, preferences};
use crate::{
    error::Result,
    events::{Event, Kind, Reaction},
    store::Tx,
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "delivery.plan", run: |tx, event| Box::pin(plan(tx, event)) },
    Reaction { name: "delivery.follow_behind", run: |tx, event| Box::pin(preferences::follow_behind(tx, event)) },
    Reaction { name: "delivery.follow_on", run: |tx, event| Box::pin(preferences::follow_on(tx, event)) },
    Reaction { name: "delivery.announce", run: |tx, event| Box::pin(announce::follow(tx, event)) },
    Reaction { name: "delivery.tell_marked", run: |tx, event| Box::pin(marks::tell_marked(tx, event)) },
];

async fn plan(tx: &Tx, event: &Event) -> Result<()> {
    match event.kind {
        Kind::NoticePublished
        | Kind::NoticeRevised
        | Kind::NoticeWithdrawn
        | Kind::NoticeConcluded
        | Kind::StageEntered
        | Kind::MatterEnded
        | Kind::MatterClosed
        | Kind::MatterHalted
        | Kind::MatterHaltEnded
        | Kind::MeetingCalled
        | Kind::MeetingHeld
        | Kind::MeetingCancelled
        | Kind::VoteOpened
        | Kind::VoteClosed
        | Kind::VoteSettled
        | Kind::WebhookTested => commands::plan(tx, event).await,
        _ => Ok(()),
    }
}
