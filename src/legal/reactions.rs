//! What follows from contracts: the legal officers hear of one that waits, the body of what was said of it, and both of a late one.
use sea_orm::EntityTrait;
use uuid::Uuid;

use super::{officers, rows::contract};
use crate::{
    clock,
    error::Result,
    events::{Event, Kind, Reaction},
    ids::ContractReviewId,
    store::Tx,
    streams::commands::{Card, Reader, office, post_card, post_to_each},
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "legal.tell", run: |tx, event| Box::pin(tell_officers(tx, event)) },
    Reaction { name: "legal.tell_body", run: |tx, event| Box::pin(tell_body(tx, event)) },
];

async fn tell_officers(tx: &Tx, event: &Event) -> Result<()> {
    let said = match event.kind {
        Kind::ContractReviewAsked => ("contract_review_asked", "legal-card-asked"),
        Kind::ContractOverdue => ("contract_overdue", "legal-card-own-overdue"),
        _ => return Ok(()),
    };
    let Some(row) = row(tx, event).await? else { return Ok(()) };
    let officers = officers::of_area(tx, &row.area_code, tx.now()).await?;
    let readers = officers.into_iter().map(|(_, seat, _)| Reader::Person(seat.person_id)).collect();
    post_to_each(tx, readers, (Uuid::now_v7(), card(said, &row))).await
}

async fn tell_body(tx: &Tx, event: &Event) -> Result<()> {
    let said = match event.kind {
        Kind::ContractOverdue => ("contract_overdue", "legal-card-overdue"),
        Kind::ContractReviewed => ("contract_reviewed", "legal-card-reviewed"),
        _ => return Ok(()),
    };
    let Some(row) = row(tx, event).await? else { return Ok(()) };
    post_card(tx, office(tx, row.body_id).await?, card(said, &row)).await?;
    Ok(())
}

async fn row(tx: &Tx, event: &Event) -> Result<Option<contract::Model>> {
    let id = event.subject_id::<ContractReviewId>()?;
    Ok(contract::Entity::find_by_id(id).one(tx).await?)
}

fn card(said: (&'static str, &str), row: &contract::Model) -> Card {
    let last_day = clock::last_day(row.due_at).to_string();
    let blanks = [("title", row.title.as_str().into()), ("day", last_day.as_str().into())];
    Card::worded(said, &blanks, format!("/desk/legal/contracts/{}", row.id))
}
