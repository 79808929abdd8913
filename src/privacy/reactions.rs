//! What follows: the person hears what was asked and decided, the office what it must decide.
use super::corrections;
use crate::{
    bodies,
    error::Result,
    events::{Event, Kind, Reaction},
    ids::PersonId,
    store::Tx,
    streams::commands::{Card, mailbox, office, post_card},
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "privacy.tell_person", run: |tx, event| Box::pin(tell_person(tx, event)) },
    Reaction { name: "privacy.tell_office", run: |tx, event| Box::pin(tell_office(tx, event)) },
];

async fn tell_person(tx: &Tx, event: &Event) -> Result<()> {
    let (person, named) = match event.kind {
        Kind::ClosingAsked => (Some(event.subject_id::<PersonId>()?), ("closing_asked", "closing-asked")),
        Kind::ClosingEnded => (Some(event.subject_id::<PersonId>()?), ("closing_ended", "closing-ended")),
        Kind::CorrectionDecided => {
            (corrections::owner(tx, event.subject_id()?).await?, ("correction_decided", "correction-decided"))
        }
        _ => return Ok(()),
    };
    let Some(person) = person else { return Ok(()) };
    let own = mailbox(tx, person).await?;
    post_card(tx, own, Card::worded(named, &[], "/privacy/mine".to_owned())).await?;
    Ok(())
}

async fn tell_office(tx: &Tx, event: &Event) -> Result<()> {
    let (Kind::CorrectionAsked, Some(area)) = (event.kind, event.area.as_deref()) else { return Ok(()) };
    let Some(body) = bodies::committee(tx, area).await? else { return Ok(()) };
    let stream = office(tx, body).await?;
    let card = Card::worded(("correction_asked", "correction-asked"), &[], "/desk/requests".to_owned());
    post_card(tx, stream, card).await?;
    Ok(())
}
