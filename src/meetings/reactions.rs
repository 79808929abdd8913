//! What follows from meetings: those who are called are told, and what was resolved is made known.
use chrono::Datelike;
use sea_orm::EntityTrait;
use uuid::Uuid;

use super::{
    queries,
    rows::{change, meeting},
    rules::{Audience, Business},
};
use crate::{
    bodies::{self, BodyKind},
    clock,
    error::Result,
    events::{Event, Kind, Reaction},
    ids::{BodyId, MeetingId},
    store::Tx,
    streams::commands::{Card, Reader, channel, mailbox, office, post_card, post_card_of, post_to_each},
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "meetings.tell_called", run: |tx, event| Box::pin(tell_called(tx, event)) },
    Reaction { name: "meetings.tell_members", run: |tx, event| Box::pin(tell_members(tx, event)) },
    Reaction { name: "meetings.pass_on_advice", run: |tx, event| Box::pin(pass_on_advice(tx, event)) },
];

/// Who belongs to the body without a seat is in none of its streams, and is told in the own mailbox; so is who came to it
/// after the meeting was called, and who was signed in by somebody else. The card in a mailbox is found by the meeting: who has
/// read it need not be told from outside.
async fn tell_members(tx: &Tx, event: &Event) -> Result<()> {
    let (code, key) = match event.kind {
        Kind::MeetingListChanged => return tell_entered(tx, event).await,
        Kind::MeetingHeld => return tell_signed_for(tx, event).await,
        Kind::MeetingCalled => ("meeting_called", "meetings-card-called"),
        Kind::MeetingCancelled => ("meeting_cancelled", "meetings-card-cancelled"),
        _ => return Ok(()),
    };
    let Some(meeting) = meeting::Entity::find_by_id(event.subject_id::<MeetingId>()?).one(tx).await? else {
        return Ok(());
    };
    if queries::audience(&meeting)? != Audience::Members || is_of_collective(tx, &meeting).await? {
        return Ok(());
    }
    let members = bodies::members::ids(tx, meeting.body_id).await?.into_iter();
    post_to_each(tx, members.map(Reader::Person).collect(), of(&meeting, (code, key))).await
}

/// A card in a mailbox, by which it is found whether it was read.
fn of(meeting: &meeting::Model, (code, key): (&'static str, &str)) -> (Uuid, Card) {
    (meeting.id.0, card((code, key), meeting, "/meetings"))
}

/// A card about this in the channel of each village whose collective it is, and for each member who lives elsewhere by now.
///
/// # Errors
/// `not_found`.
pub async fn tell_collective(tx: &Tx, id: BodyId, (subject, card): (Uuid, Card)) -> Result<()> {
    let body = bodies::get(tx, id).await?;
    for area in &body.areas {
        let village = channel(tx, area).await?;
        post_card(tx, village, card.clone()).await?;
    }
    let outside = bodies::register::outside(tx, &body).await?.into_iter();
    post_to_each(tx, outside.map(Reader::Person).collect(), (subject, card)).await
}

/// Its members are nearly the whole village: they read it where the village does.
async fn is_of_collective(tx: &Tx, meeting: &meeting::Model) -> Result<bool> {
    Ok(bodies::get(tx, meeting.body_id).await?.kind == BodyKind::Collective)
}

/// The event does not say whom: the list does.
async fn tell_entered(tx: &Tx, event: &Event) -> Result<()> {
    let id = event.subject_id::<MeetingId>()?;
    let number = event.data["number"].as_i64().and_then(|number| i32::try_from(number).ok()).unwrap_or_default();
    let Some(entered) = change::Entity::find_by_id((id, number)).one(tx).await?.filter(|one| one.is_entered) else {
        return Ok(());
    };
    let Some(meeting) = meeting::Entity::find_by_id(id).one(tx).await? else { return Ok(()) };
    let own = mailbox(tx, entered.person_id).await?;
    post_card_of(tx, own, of(&meeting, ("meeting_called", "meetings-card-called"))).await?;
    Ok(())
}

/// Nobody fills a room with names unseen.
async fn tell_signed_for(tx: &Tx, event: &Event) -> Result<()> {
    let id = event.subject_id::<MeetingId>()?;
    let Some(meeting) = meeting::Entity::find_by_id(id).one(tx).await? else { return Ok(()) };
    let signed_for = queries::signed_for(tx, id).await?.into_iter();
    let card = card(("meeting_signed_for", "meetings-card-signed-for"), &meeting, "/meetings");
    post_to_each(tx, signed_for.map(Reader::Person).collect(), (Uuid::now_v7(), card)).await
}

/// 政务建议: what a council advises is put before the town's office.
async fn pass_on_advice(tx: &Tx, event: &Event) -> Result<()> {
    if event.kind != Kind::MeetingHeld {
        return Ok(());
    }
    let meeting = meeting::Entity::find_by_id(event.subject_id::<MeetingId>()?).one(tx).await?;
    let is_advice = |one: &meeting::Model| one.business.as_deref() == Some(Business::GovernmentAdvice.as_str());
    let Some(meeting) = meeting.filter(|one| is_advice(one) && one.resolution.is_some()) else { return Ok(()) };
    let Some(town) = bodies::of_kind(tx, BodyKind::TownOffice, &meeting.area_code).await? else { return Ok(()) };
    let town = office(tx, town).await?;
    post_card(tx, town, card(("government_advice", "meetings-card-advice"), &meeting, "/meetings")).await?;
    Ok(())
}

/// A card for the body that called; one in the village's channel too, when the village or its representatives are called; for
/// each of a group, when that is called.
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
    if let Some(group) = meeting.group_number {
        let called = queries::lists::of_group(tx, &meeting, group).await?.into_iter();
        post_to_each(tx, called.map(Reader::Person).collect(), of(&meeting, (code, key))).await?;
    } else if is_of_collective(tx, &meeting).await? {
        tell_collective(tx, meeting.body_id, of(&meeting, (code, key))).await?;
    } else if queries::audience(&meeting)? != Audience::Members {
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
    Card::worded((code, key), &blanks, format!("{pages}/{}", meeting.id))
}
