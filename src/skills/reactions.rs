//! What follows from needs: who can meet one and wants to hear of it is told, the body that it was taken, the other how it ended.
use uuid::Uuid;

use super::{
    entries, needs,
    rows::need,
    rules::{self, NeedState},
};
use crate::{
    error::Result,
    events::{Event, Kind, Reaction},
    ids::{NeedId, PersonId},
    store::Tx,
    streams::commands::{Card, Reader, mailbox, office, post_card, post_to_each},
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "skills.tell_who_can", run: |tx, event| Box::pin(tell_who_can(tx, event)) },
    Reaction { name: "skills.tell_sides", run: |tx, event| Box::pin(tell_sides(tx, event)) },
];

async fn tell_who_can(tx: &Tx, event: &Event) -> Result<()> {
    if event.kind != Kind::NeedPosted {
        return Ok(());
    }
    // whoever was quick has taken it already, or it is wanted no more
    let row = needs::told(tx, event.subject_id::<NeedId>()?).await?.filter(|row| row.state == NeedState::Open);
    let Some(row) = row else { return Ok(()) };
    let readers = entries::to_be_told(tx, (&row.area_code, &rules::tags_of(&row.tags))).await?;
    let readers = readers.into_iter().map(Reader::Person).collect();
    post_to_each(tx, readers, (Uuid::now_v7(), card(("need_posted", "skills-card-posted"), &row))).await
}

async fn tell_sides(tx: &Tx, event: &Event) -> Result<()> {
    let said = match event.kind {
        Kind::NeedTaken => ("need_taken", "skills-card-taken"),
        Kind::NeedEnded => ("need_ended", "skills-card-ended"),
        _ => return Ok(()),
    };
    let Some(row) = needs::told(tx, event.subject_id::<NeedId>()?).await? else { return Ok(()) };
    post_card(tx, office(tx, row.body_id).await?, card(said, &row)).await?;
    let taker = event.get::<PersonId>("person").filter(|taker| event.actor != Some(*taker));
    if let Some(taker) = taker {
        post_card(tx, mailbox(tx, taker).await?, card(said, &row)).await?;
    }
    Ok(())
}

fn card(said: (&'static str, &str), row: &need::Model) -> Card {
    let last_day = row.until_on.to_string();
    let blanks = [("title", row.title.as_str().into()), ("day", last_day.as_str().into())];
    Card::worded(said, &blanks, format!("/needs/{}", row.id))
}
