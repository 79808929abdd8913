//! What follows from forms: residents are told that they are asked, and whose paper was typed in.
use sea_orm::EntityTrait;

use super::{
    queries,
    rows::form,
    rules::{Purpose, Question, Replies, Reply},
};
use crate::{
    error::Result,
    events::{Event, Kind, Reaction},
    ids::{FormId, PersonId},
    store::Tx,
    streams::commands::{Card, channel, mailbox, post_card},
    text,
};

/// Characters of what was written down about a visit that its card holds.
const SAID_CHARS: usize = 600;

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "forms.tell_village", run: |tx, event| Box::pin(tell_village(tx, event)) },
    Reaction { name: "forms.tell_written_for", run: |tx, event| Box::pin(tell_written_for(tx, event)) },
];

/// Whose paper was typed in, and who was visited, sees that it was: nobody answers for another unseen.
async fn tell_written_for(tx: &Tx, event: &Event) -> Result<()> {
    let (Kind::AnswerTyped, Some(person)) = (event.kind, event.get::<PersonId>("person")) else { return Ok(()) };
    let Some(form) = form::Entity::find_by_id(event.subject_id::<FormId>()?).one(tx).await? else { return Ok(()) };
    let card = if form.purpose == Purpose::Visit.as_str() {
        // a sheet of visits is for those who visit; what stands in it of oneself is told here, and is among the own data
        let said = match queries::my_answer(tx, form.id, person).await? {
            Some(own) => in_words(&queries::questions(&form)?, &own.answers),
            None => String::new(),
        };
        let blanks = [("title", form.title.as_str().into()), ("said", said.into())];
        Card::worded(("visit_written", "forms-card-visited"), &blanks, "/privacy/mine".to_owned())
    } else {
        let blanks = [("title", form.title.as_str().into())];
        Card::worded(("answer_typed", "forms-card-typed"), &blanks, format!("/forms/{}", form.id))
    };
    let own = mailbox(tx, person).await?;
    post_card(tx, own, card).await?;
    Ok(())
}

/// Each question and what was written down, as far as a card holds it.
fn in_words(questions: &[Question], replies: &Replies) -> String {
    let line = |question: &Question| {
        let said = match replies.get(&question.id)? {
            Reply::Number(step) => step.to_string(),
            Reply::Text(words) => words.trim().to_owned(),
        };
        Some(text::say_with("forms-said", &[("question", question.title.as_str().into()), ("answer", said.into())]))
    };
    let all = questions.iter().filter_map(line).collect::<Vec<_>>().join("；");
    let cut: String = all.chars().take(SAID_CHARS).collect();
    if cut == all { all } else { format!("{cut}……") }
}

/// A card in the area's channel; a visit is not announced, because somebody comes to the door.
async fn tell_village(tx: &Tx, event: &Event) -> Result<()> {
    if event.kind != Kind::FormOpened {
        return Ok(());
    }
    let Some(form) = form::Entity::find_by_id(event.subject_id::<FormId>()?).one(tx).await? else { return Ok(()) };
    if form.purpose == Purpose::Visit.as_str() || form.state != queries::OPEN {
        return Ok(());
    }
    let card = Card {
        code: "form_opened",
        title: text::say_with("forms-card-opened", &[("title", form.title.into())]),
        text: text::word("forms-card", &form.purpose),
        link: format!("/forms/{}", form.id),
    };
    let village = channel(tx, &form.area_code).await?;
    post_card(tx, village, card).await?;
    Ok(())
}
