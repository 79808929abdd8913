//! What is told of a roll: that it hangs, what was changed, that somebody objected, what was decided about it.
use chrono::Datelike;
use sea_orm::EntityTrait;

use crate::{
    clock,
    error::{Error, Result},
    events::{Event, Kind},
    ids::{PersonId, RollObjectionId, VoteId},
    store::Tx,
    streams::commands::{Card, mailbox, office, post_card},
    text,
    votes::{
        queries::{
            self,
            roll_list::{LAPSED, UPHELD},
        },
        rows::{roll_entry, roll_objection, vote},
        rules::roll::lapses_at,
    },
};

/// A card for the village, the office or who objected.
pub(super) async fn tell(tx: &Tx, event: &Event) -> Result<()> {
    match event.kind {
        Kind::RollPosted => posted(tx, event).await,
        Kind::RollAmended => amended(tx, event).await,
        Kind::RollObjected => objected(tx, event).await,
        Kind::RollObjectionDecided => decided(tx, event).await,
        Kind::RollObjectionPassedOn => passed_on(tx, event).await,
        _ => Ok(()),
    }
}

async fn posted(tx: &Tx, event: &Event) -> Result<()> {
    let vote = queries::row(tx, event.subject_id()?).await?;
    // it opens at 24:00 of the day on which people read that it still hangs
    let last = clock::last_day(vote.opens_at);
    let blanks = [
        ("question", vote.question.as_str().into()),
        ("electors", vote.roll_frozen.to_string().into()),
        ("month", last.month().into()),
        ("day", last.day().into()),
    ];
    let card = Card::worded(("roll_posted", "card-roll-posted"), &blanks, format!("/votes/{}/roll", vote.id));
    super::tell_all(tx, &vote, card).await
}

async fn amended(tx: &Tx, event: &Event) -> Result<()> {
    let vote = queries::row(tx, event.subject_id()?).await?;
    let (Some(op), Some(number)) = (event.get::<String>("op"), event.data["number"].as_i64()) else { return Ok(()) };
    let blanks = [
        ("question", vote.question.as_str().into()),
        ("number", number.to_string().into()),
        ("op", text::word("roll-op", &op).into()),
    ];
    let card = Card::worded(("roll_amended", "card-roll-amended"), &blanks, format!("/votes/{}/roll", vote.id));
    let number = i32::try_from(number).map_err(Error::broken)?;
    let there = roll_entry::Entity::find_by_id((vote.id, number)).one(tx).await?.map(|entry| entry.person_id);
    // whoever is struck has to hear of it, not only read it, though another has that place by now
    if let Some(person) = event.get::<PersonId>("person").or(there) {
        let mailbox = mailbox(tx, person).await?;
        post_card(tx, mailbox, card.clone()).await?;
    }
    super::tell_all(tx, &vote, card).await
}

/// The objection of an event, with its vote.
async fn objection(tx: &Tx, event: &Event) -> Result<Option<(vote::Model, roll_objection::Model)>> {
    let Some(vote) = event.get::<VoteId>("vote") else { return Ok(None) };
    let row = roll_objection::Entity::find_by_id(event.subject_id::<RollObjectionId>()?).one(tx).await?;
    let vote = queries::row(tx, vote).await?;
    Ok(row.map(|row| (vote, row)))
}

async fn objected(tx: &Tx, event: &Event) -> Result<()> {
    let Some((vote, row)) = objection(tx, event).await? else { return Ok(()) };
    let Some(body) = super::run_by(tx, &vote).await? else { return Ok(()) };
    let due = clock::last_day(row.due_at);
    let blanks = [
        ("question", vote.question.as_str().into()),
        ("kind", text::word("roll-fault", &row.kind).into()),
        ("month", due.month().into()),
        ("day", due.day().into()),
    ];
    let card = Card::worded(("roll_objected", "card-roll-objected"), &blanks, format!("/desk/votes/{}/roll", vote.id));
    let stream = office(tx, body).await?;
    post_card(tx, stream, card).await?;
    Ok(())
}

async fn decided(tx: &Tx, event: &Event) -> Result<()> {
    let Some((vote, row)) = objection(tx, event).await? else { return Ok(()) };
    let key = match row.state.as_str() {
        UPHELD => "card-roll-upheld",
        LAPSED => "card-roll-lapsed",
        _ => "card-roll-rejected",
    };
    let blanks =
        [("question", vote.question.as_str().into()), ("reason", row.decision.as_deref().unwrap_or_default().into())];
    let card = Card::worded(("roll_objection_decided", key), &blanks, format!("/votes/{}/roll", vote.id));
    let own = mailbox(tx, row.raised_by).await?;
    post_card(tx, own, card).await?;
    Ok(())
}

/// The office above and the supervision committee may decide now, and have some days for it.
async fn passed_on(tx: &Tx, event: &Event) -> Result<()> {
    let Some((vote, row)) = objection(tx, event).await? else { return Ok(()) };
    let last = clock::last_day(lapses_at(tx.calendar(), row.due_at));
    let blanks =
        [("question", vote.question.as_str().into()), ("month", last.month().into()), ("day", last.day().into())];
    let card = Card::worded(
        ("roll_objection_passed_on", "card-roll-passed-on"),
        &blanks,
        format!("/desk/votes/{}/roll", vote.id),
    );
    super::tell_stand_ins(tx, &vote.area_code, card).await
}
