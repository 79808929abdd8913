//! What follows from contracts: the legal officers hear of one that waits, the body of what was said of it.
use sea_orm::EntityTrait;

use super::{officers, rows::contract};
use crate::{
    clock,
    error::Result,
    events::{Event, Kind, Reaction},
    ids::ContractReviewId,
    store::Tx,
    streams::commands::{Card, mailbox, office, post_card},
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[Reaction { name: "legal.tell", run: |tx, event| Box::pin(tell(tx, event)) }];

async fn tell(tx: &Tx, event: &Event) -> Result<()> {
    let (code, key) = match event.kind {
        Kind::ContractReviewAsked => ("contract_review_asked", "legal-card-asked"),
        Kind::ContractReviewed => ("contract_reviewed", "legal-card-reviewed"),
        _ => return Ok(()),
    };
    let id = event.subject_id::<ContractReviewId>()?;
    let Some(row) = contract::Entity::find_by_id(id).one(tx).await? else { return Ok(()) };
    if event.kind == Kind::ContractReviewed {
        let body = office(tx, row.body_id).await?;
        post_card(tx, body, card(code, key, &row)).await?;
        return Ok(());
    }
    for (_, seat, _) in officers::of_area(tx, &row.area_code, tx.now()).await? {
        let own = mailbox(tx, seat.person_id).await?;
        post_card(tx, own, card(code, key, &row)).await?;
    }
    Ok(())
}

fn card(code: &'static str, key: &str, row: &contract::Model) -> Card {
    let last_day = clock::last_day(row.due_at).to_string();
    let blanks = [("title", row.title.as_str().into()), ("day", last_day.as_str().into())];
    Card::worded((code, key), &blanks, format!("/desk/legal/contracts/{}", row.id))
}
