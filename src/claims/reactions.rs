//! What follows from claims: the office has something to decide, the person hears of it, whatever the office says. And that
//! somebody set up another way in.
use sea_orm::EntityTrait;

use super::rows::claim;
use crate::{
    bodies,
    error::Result,
    events::{Event, Kind, Reaction},
    ids::ClaimId,
    store::Tx,
    streams::commands::{Card, mailbox, office, post_card},
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "claims.tell_office", run: |tx, event| Box::pin(tell_office(tx, event)) },
    Reaction { name: "claims.tell_person", run: |tx, event| Box::pin(tell_person(tx, event)) },
];

async fn tell_office(tx: &Tx, event: &Event) -> Result<()> {
    if event.kind != Kind::ClaimAsked {
        return Ok(());
    }
    let Some(row) = claim::Entity::find_by_id(event.subject_id::<ClaimId>()?).one(tx).await? else { return Ok(()) };
    let Some(body) = bodies::committee(tx, &row.area_code).await? else { return Ok(()) };
    let stream = office(tx, body).await?;
    let card = Card::worded(("claim_asked", "claim-asked"), &[], "/desk/requests".to_owned());
    post_card(tx, stream, card).await?;
    Ok(())
}

/// Somebody else's attempt concerns the person as much as the own.
async fn tell_person(tx: &Tx, event: &Event) -> Result<()> {
    let named = match event.kind {
        Kind::ClaimApproved => ("claim_approved", "claim-approved"),
        Kind::ClaimRefused => ("claim_refused", "claim-refused"),
        Kind::DeskPasswordSet => {
            let own = mailbox(tx, event.subject_id()?).await?;
            let card = Card::worded(("desk_password_set", "desk-password-set"), &[], "/privacy/mine".to_owned());
            post_card(tx, own, card).await?;
            return Ok(());
        }
        _ => return Ok(()),
    };
    let Some(row) = claim::Entity::find_by_id(event.subject_id::<ClaimId>()?).one(tx).await? else { return Ok(()) };
    let own = mailbox(tx, row.person_id).await?;
    post_card(tx, own, Card::worded(named, &[], "/privacy".to_owned())).await?;
    Ok(())
}
