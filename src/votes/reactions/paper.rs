//! What is told of paper: to each elector that a sheet was handed out or given back, to the village that it is being counted, to
//! who counted that somebody else does.
use sea_orm::EntityTrait;

use crate::{
    error::{Error, Result},
    events::{Event, Kind},
    ids::PersonId,
    store::Tx,
    streams::commands::{Card, mailbox, post_card},
    text,
    votes::{
        queries::{self, members::grown_ups},
        rows::{paper_replacement, vote},
    },
};

/// A card for the elector, for the village, or for who counted.
pub(super) async fn tell(tx: &Tx, event: &Event) -> Result<()> {
    match event.kind {
        Kind::SheetIssued | Kind::SheetEnded => sheet(tx, event).await,
        Kind::PaperWaits => waits(tx, event).await,
        Kind::CounterReplaced => replaced(tx, event).await,
        _ => Ok(()),
    }
}

/// Whoever did not come to the desk finds out that somebody did in their name.
async fn sheet(tx: &Tx, event: &Event) -> Result<()> {
    let Some(person) = event.get::<PersonId>("person") else { return Ok(()) };
    let vote = queries::row(tx, event.subject_id()?).await?;
    let key = if event.kind == Kind::SheetIssued { "card-sheet-issued" } else { "card-sheet-ended" };
    let code = if event.kind == Kind::SheetIssued { "sheet_issued" } else { "sheet_ended" };
    for person in concerned(tx, event, (&vote, person)).await? {
        let own = mailbox(tx, person).await?;
        post_card(tx, own, card(event, &vote, (code, key))).await?;
    }
    Ok(())
}

/// The elector; of a household all who were its grown-ups on the day of the roll, for the sheet is that of them all.
async fn concerned(tx: &Tx, event: &Event, (vote, person): (&vote::Model, PersonId)) -> Result<Vec<PersonId>> {
    let number = event.data["number"].as_i64().and_then(|number| i32::try_from(number).ok());
    let number = number.filter(|_| queries::is_of_households(&vote.preset));
    let Some(number) = number else { return Ok(vec![person]) };
    let members = grown_ups(tx, (vote.id, number)).await?;
    Ok(members.into_iter().filter(|one| *one != person).chain([person]).collect())
}

async fn waits(tx: &Tx, event: &Event) -> Result<()> {
    let vote = queries::row(tx, event.subject_id()?).await?;
    let card = card(event, &vote, ("paper_waits", "card-paper-waits"));
    super::tell_all(tx, &vote, card).await
}

/// Whoever counted otherwise, or did not come back, reads that this count is set aside, and why.
async fn replaced(tx: &Tx, event: &Event) -> Result<()> {
    let counter = event.get::<PersonId>("counter");
    let Some((counter, number)) = counter.zip(event.data["box"].as_i64()) else { return Ok(()) };
    let vote = queries::row(tx, event.subject_id()?).await?;
    let key = (vote.id, i32::try_from(number).map_err(Error::broken)?, counter);
    let Some(row) = paper_replacement::Entity::find_by_id(key).one(tx).await? else { return Ok(()) };
    let blanks = [
        ("question", vote.question.as_str().into()),
        ("box", number.to_string().into()),
        ("reason", row.reason.as_str().into()),
    ];
    let card = Card::worded(("counter_replaced", "card-counter-replaced"), &blanks, format!("/votes/{}", vote.id));
    let own = mailbox(tx, counter).await?;
    post_card(tx, own, card).await?;
    Ok(())
}

fn card(event: &Event, vote: &vote::Model, (code, key): (&'static str, &str)) -> Card {
    let serial = event.data["serial"].as_i64().unwrap_or_default();
    let outcome = event.get::<String>("outcome").unwrap_or_else(|| "issued".to_owned());
    let blanks = [
        ("question", vote.question.as_str().into()),
        ("serial", serial.to_string().into()),
        ("outcome", text::word("paper-sheet", &outcome).into()),
    ];
    Card::worded((code, key), &blanks, format!("/votes/{}", vote.id))
}
