//! What is told after the count: that a result was challenged, what was answered, the resolution.
use chrono::Datelike;
use sea_orm::EntityTrait;

use crate::{
    clock,
    error::Result,
    events::{Event, Kind},
    ids::{ChallengeId, VoteId},
    store::Tx,
    streams::commands::{Card, mailbox, office, post_card},
    text,
    votes::{
        queries::{self, challenges::LAPSED},
        rows::challenge,
        rules::roll::lapses_at,
    },
};

/// A card for the village, the office or who challenged.
pub(super) async fn tell(tx: &Tx, event: &Event) -> Result<()> {
    match event.kind {
        Kind::VoteSettled => settled(tx, event).await,
        Kind::VoteChallenged | Kind::ChallengeAnswered => challenged(tx, event).await,
        Kind::ChallengePassedOn => passed_on(tx, event).await,
        _ => Ok(()),
    }
}

async fn settled(tx: &Tx, event: &Event) -> Result<()> {
    let vote = queries::row(tx, event.subject_id()?).await?;
    let is_overturned = vote.settlement.as_deref() == Some(queries::OVERTURNED);
    let key = if is_overturned { "card-vote-overturned" } else { "card-vote-resolution" };
    let card = Card {
        code: "vote_settled",
        title: text::say_with(key, &[("question", vote.question.as_str().into())]),
        text: vote.resolution.clone().unwrap_or_default(),
        link: format!("/votes/{}/resolution", vote.id),
    };
    super::tell_all(tx, &vote, card).await
}

async fn challenged(tx: &Tx, event: &Event) -> Result<()> {
    let Some(vote) = event.get::<VoteId>("vote") else { return Ok(()) };
    let vote = queries::row(tx, vote).await?;
    let row = challenge::Entity::find_by_id(event.subject_id::<ChallengeId>()?).one(tx).await?;
    let Some(row) = row else { return Ok(()) };
    let is_new = event.kind == Kind::VoteChallenged;
    let key = match row.state.as_str() {
        _ if is_new => "card-vote-challenged",
        LAPSED => "card-challenge-lapsed",
        _ => "card-challenge-answered",
    };
    let due = clock::last_day(row.due_at);
    let blanks = [
        ("question", vote.question.as_str().into()),
        ("answer", row.answer.as_deref().unwrap_or_default().into()),
        ("month", due.month().into()),
        ("day", due.day().into()),
    ];
    let (code, page) = if is_new { ("vote_challenged", "/desk/votes") } else { ("challenge_answered", "/votes") };
    let card = Card::worded((code, key), &blanks, format!("{page}/{}", vote.id));
    let stream = if is_new {
        // they alone say that it is right
        super::tell_stand_ins(tx, &vote.area_code, card.clone()).await?;
        let Some(body) = super::run_by(tx, &vote).await? else { return Ok(()) };
        office(tx, body).await?
    } else {
        mailbox(tx, row.raised_by).await?
    };
    post_card(tx, stream, card).await?;
    Ok(())
}

/// The office above and the supervision committee may answer now, and have some days for it.
async fn passed_on(tx: &Tx, event: &Event) -> Result<()> {
    let Some(vote) = event.get::<VoteId>("vote") else { return Ok(()) };
    let vote = queries::row(tx, vote).await?;
    let Some(row) = challenge::Entity::find_by_id(event.subject_id::<ChallengeId>()?).one(tx).await? else {
        return Ok(());
    };
    let last = clock::last_day(lapses_at(tx.calendar(), row.due_at));
    let blanks =
        [("question", vote.question.as_str().into()), ("month", last.month().into()), ("day", last.day().into())];
    let card =
        Card::worded(("challenge_passed_on", "card-challenge-passed-on"), &blanks, format!("/desk/votes/{}", vote.id));
    super::tell_stand_ins(tx, &vote.area_code, card).await
}
