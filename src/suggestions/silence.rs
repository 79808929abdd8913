//! What follows from a suspension: the person hears of it, why, until when, and where to appeal.
use chrono::Datelike;

use crate::{
    error::Result,
    events::{Event, Kind},
    store::Tx,
    streams::commands::{Card, mailbox, post_card},
    suspensions, text,
};

/// A card in the person's own stream.
pub(super) async fn tell(tx: &Tx, event: &Event) -> Result<()> {
    let (code, lead) = match event.kind {
        Kind::SpeakingSuspended => ("speaking_suspended", "speaking-suspended"),
        Kind::SpeakingRestored => ("speaking_restored", "speaking-restored"),
        _ => return Ok(()),
    };
    let suspension = suspensions::suspension(tx, event.subject_id()?).await?;
    let reason = suspension.lift_reason.unwrap_or(suspension.reason);
    let appeal = match &suspension.appeal_to {
        Some(office) => text::say_with("speaking-appeal", &[("office", office.clone().into())]),
        None => text::say("speaking-appeal-here"),
    };
    let blanks = [
        ("body", suspension.body_name.into()),
        ("reason", reason.into()),
        ("month", suspension.ends_at.month().into()),
        ("day", suspension.ends_at.day().into()),
        ("appeal", appeal.into()),
    ];
    let card = Card::worded((code, lead), &blanks, "/speak".to_owned());
    let stream = mailbox(tx, suspension.person_id).await?;
    post_card(tx, stream, card).await?;
    Ok(())
}
