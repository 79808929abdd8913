//! What follows from notices and objections: the village, the office and the objector are told.
use chrono::Datelike;
use sea_orm::EntityTrait;

use super::rows::{notice, objection};
use crate::{
    clock,
    error::Result,
    events::{Event, Kind, Reaction},
    ids::{NoticeId, ObjectionId},
    people,
    quiet::Class,
    store::Tx,
    streams::commands::{Card, channel, edit_card, mailbox, office, post_card, post_card_of},
    text,
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "notices.tell_village", run: |tx, event| Box::pin(tell_village(tx, event)) },
    Reaction { name: "notices.tell_office", run: |tx, event| Box::pin(tell_office(tx, event)) },
    Reaction { name: "notices.tell_objector", run: |tx, event| Box::pin(tell_objector(tx, event)) },
];

async fn tell_village(tx: &Tx, event: &Event) -> Result<()> {
    let (code, key) = match event.kind {
        Kind::NoticePublished => ("notice_published", "notices-card-published"),
        Kind::NoticeRevised => ("notice_revised", "notices-card-revised"),
        Kind::NoticeWithdrawn => ("notice_withdrawn", "notices-card-withdrawn"),
        Kind::NoticeConcluded => ("notice_concluded", "notices-card-concluded"),
        _ => return Ok(()),
    };
    let Some(notice) = notice::Entity::find_by_id(event.subject_id::<NoticeId>()?).one(tx).await? else {
        return Ok(());
    };
    let village = channel(tx, &notice.area_code).await?;
    let shown = (notice.id.0, card((code, key), &notice, ""));
    // what hangs there is shown as it is now; that a notice has ended well is told by a card of its own
    match event.kind {
        Kind::NoticePublished => post_card_of(tx, village, shown).await?,
        Kind::NoticeRevised | Kind::NoticeWithdrawn => edit_card(tx, village, shown).await?,
        _ => post_card(tx, village, shown.1).await?,
    };
    Ok(())
}

async fn tell_office(tx: &Tx, event: &Event) -> Result<()> {
    let (code, key, notice, name) = match event.kind {
        Kind::NoticeHeldUp => {
            ("notice_held_up", "notices-card-held-up", event.subject_id::<NoticeId>()?, String::new())
        }
        Kind::ObjectionRaised | Kind::ObjectionWithdrawn => {
            let Some(raised) = objection(tx, event).await? else { return Ok(()) };
            let name = people::name(tx, raised.person_id).await?;
            let (code, key) = match event.kind {
                Kind::ObjectionRaised => ("objection_raised", "notices-card-objection"),
                _ => ("objection_taken_back", "notices-card-taken-back"),
            };
            (code, key, raised.notice_id, name)
        }
        _ => return Ok(()),
    };
    let Some(notice) = notice::Entity::find_by_id(notice).one(tx).await? else { return Ok(()) };
    let body = office(tx, notice.body_id).await?;
    let shown = Card {
        link: format!("/desk/notices/{}", notice.id),
        ..card((code, key), &notice, &people::rules::mask_name(&name))
    };
    post_card(tx, body, shown).await?;
    Ok(())
}

async fn tell_objector(tx: &Tx, event: &Event) -> Result<()> {
    let (code, key) = match event.kind {
        Kind::ObjectionAnswered => ("objection_answered", "notices-card-answered"),
        Kind::ObjectionRaised => ("objection_written", "notices-card-written"),
        Kind::ObjectionWithdrawn => ("objection_withdrawn", "notices-card-withdrawn-for"),
        _ => return Ok(()),
    };
    let Some(raised) = objection(tx, event).await? else { return Ok(()) };
    // who raised it knows, and who withdrew it
    if event.kind != Kind::ObjectionAnswered && event.actor == Some(raised.person_id) {
        return Ok(());
    }
    let Some(notice) = notice::Entity::find_by_id(raised.notice_id).one(tx).await? else { return Ok(()) };
    let own = mailbox(tx, raised.person_id).await?;
    post_card(tx, own, card((code, key), &notice, "")).await?;
    Ok(())
}

async fn objection(tx: &Tx, event: &Event) -> Result<Option<objection::Model>> {
    Ok(objection::Entity::find_by_id(event.subject_id::<ObjectionId>()?).one(tx).await?)
}

fn card((code, key): (&'static str, &str), notice: &notice::Model, name: &str) -> Card {
    let last_day = clock::last_day(notice.period_to);
    let blanks = [
        ("number", notice.number.as_str().into()),
        ("title", notice.title.as_str().into()),
        ("month", last_day.month().into()),
        ("day", last_day.day().into()),
        ("reason", notice.end_reason.as_deref().unwrap_or_default().into()),
        ("name", name.into()),
    ];
    let card = Card::worded((code, key), &blanks, format!("/notices/{}", notice.id));
    if Class::parse(&notice.class) == Class::Emergency && notice.state == super::queries::PUBLISHED {
        return Card { title: text::say_with("notices-emergency", &[("title", card.title.into())]), ..card };
    }
    card
}
