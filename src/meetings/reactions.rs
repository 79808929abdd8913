//! What follows from meetings: those who are called are told, and what was resolved is made known.
use chrono::Datelike;
use sea_orm::EntityTrait;

use super::{queries, rows::meeting, rules::Audience};
use crate::{
    clock,
    error::Result,
    events::{Event, Kind, Reaction},
    ids::MeetingId,
    store::Tx,
    streams::commands::{Card, channel, office, post_card},
    text,
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] =
    &[Reaction { name: "meetings.tell_called", run: |tx, event| Box::pin(tell_called(tx, event)) }];

/// A card for the body that called; one in the village's channel too, when the village or its representatives are called.
async fn tell_called(tx: &Tx, event: &Event) -> Result<()> {
    let (code, key) = match event.kind {
        Kind::MeetingCalled => ("meeting_called", "meetings-card-called"),
        Kind::MeetingHeld => ("meeting_held", "meetings-card-held"),
        Kind::MeetingCancelled => ("meeting_cancelled", "meetings-card-cancelled"),
        _ => return Ok(()),
    };
    let Some(meeting) = meeting::Entity::find_by_id(event.subject_id::<MeetingId>()?).one(tx).await? else {
        return Ok(());
    };
    let body = office(tx, meeting.body_id).await?;
    post_card(tx, body, card((code, key), &meeting, "/desk/meetings")).await?;
    if queries::audience(&meeting)? != Audience::Members {
        let village = channel(tx, &meeting.area_code).await?;
        post_card(tx, village, card((code, key), &meeting, "/meetings")).await?;
    }
    Ok(())
}

fn card((code, key): (&'static str, &str), meeting: &meeting::Model, pages: &str) -> Card {
    let starts_at = clock::local(meeting.starts_at);
    let time = starts_at.format("%H:%M").to_string();
    let blanks = [
        ("title", meeting.title.as_str().into()),
        ("place", meeting.place.as_str().into()),
        ("month", starts_at.month().into()),
        ("day", starts_at.day().into()),
        ("time", time.as_str().into()),
        ("reason", meeting.cancel_reason.as_deref().unwrap_or_default().into()),
    ];
    Card {
        code,
        title: text::say_with(&format!("{key}-title"), &blanks),
        text: text::say_with(&format!("{key}-text"), &blanks),
        link: format!("{pages}/{}", meeting.id),
    }
}
