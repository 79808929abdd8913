//! What follows from held messages: the office is told that something waits, the author what became of it.
use sea_orm::EntityTrait;

use super::{rows::held, rules};
use crate::{
    bodies::{self, BodyKind},
    error::Result,
    events::{Event, Kind, Reaction},
    ids::HeldId,
    store::Tx,
    streams::{
        self,
        commands::{Card, mailbox, office, post_card},
    },
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "moderation.tell_office", run: |tx, event| Box::pin(tell_office(tx, event)) },
    Reaction { name: "moderation.tell_author", run: |tx, event| Box::pin(tell_author(tx, event)) },
];

/// An appeal goes to the town, where others sit than who refused.
async fn tell_office(tx: &Tx, event: &Event) -> Result<()> {
    let (code, key, kind) = match event.kind {
        Kind::MessageHeld => ("message_held", "held-card-waiting", BodyKind::VillageCommittee),
        Kind::MessageAppealed => ("message_appealed", "held-card-appealed", BodyKind::TownOffice),
        _ => return Ok(()),
    };
    let Some(row) = held::Entity::find_by_id(event.subject_id::<HeldId>()?).one(tx).await? else { return Ok(()) };
    let Some(body) = bodies::queries::of_kind(tx, kind, &row.area_code).await? else { return Ok(()) };
    let title = streams::queries::title(tx, row.stream_id).await?;
    let card = Card::worded((code, key), &[("title", title.into())], format!("/desk/held?area={}", row.area_code));
    post_card(tx, office(tx, body).await?, card).await?;
    Ok(())
}

async fn tell_author(tx: &Tx, event: &Event) -> Result<()> {
    if !matches!(event.kind, Kind::MessageApproved | Kind::MessageRefused | Kind::MessageAppealDecided) {
        return Ok(());
    }
    let Some(row) = held::Entity::find_by_id(event.subject_id::<HeldId>()?).one(tx).await? else { return Ok(()) };
    let is_shown = row.state == rules::APPROVED;
    let title = streams::queries::title(tx, row.stream_id).await?;
    let reason = row.appeal_reason.or(row.decision_reason).unwrap_or_default();
    let (code, key, link) = if is_shown {
        ("message_approved", "held-card-approved", format!("/streams/{}", row.stream_id))
    } else {
        ("message_refused", "held-card-refused", "/held".to_owned())
    };
    let card = Card::worded((code, key), &[("title", title.into()), ("reason", reason.into())], link);
    post_card(tx, mailbox(tx, row.author_id).await?, card).await?;
    Ok(())
}
