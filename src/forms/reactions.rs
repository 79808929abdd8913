//! What follows from forms: residents are told that they are asked, and whose paper was typed in.
use sea_orm::EntityTrait;

use super::{queries, rows::form, rules::Purpose};
use crate::{
    error::Result,
    events::{Event, Kind, Reaction},
    ids::{FormId, PersonId},
    store::Tx,
    streams::commands::{Card, channel, mailbox, post_card},
    text,
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "forms.tell_village", run: |tx, event| Box::pin(tell_village(tx, event)) },
    Reaction { name: "forms.tell_written_for", run: |tx, event| Box::pin(tell_written_for(tx, event)) },
];

/// Whose paper was typed in, and who was visited, sees that it was: nobody answers for another unseen.
async fn tell_written_for(tx: &Tx, event: &Event) -> Result<()> {
    let (Kind::AnswerTyped, Some(person)) = (event.kind, event.get::<PersonId>("person")) else { return Ok(()) };
    let Some(form) = form::Entity::find_by_id(event.subject_id::<FormId>()?).one(tx).await? else { return Ok(()) };
    let title = [("title", form.title.as_str().into())];
    let card = if form.purpose == Purpose::Visit.as_str() {
        Card {
            code: "visit_written",
            title: text::say_with("forms-card-visited", &title),
            text: text::say("forms-card-visited-text"),
            // a sheet of visits is for those who visit; what stands in it of oneself is among the own data
            link: "/privacy/mine".to_owned(),
        }
    } else {
        Card {
            code: "answer_typed",
            title: text::say_with("forms-card-typed", &title),
            text: text::say("forms-card-typed-text"),
            link: format!("/forms/{}", form.id),
        }
    };
    let own = mailbox(tx, person).await?;
    post_card(tx, own, card).await?;
    Ok(())
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
        text: text::say(&format!("forms-card-{}", form.purpose)),
        link: format!("/forms/{}", form.id),
    };
    let village = channel(tx, &form.area_code).await?;
    post_card(tx, village, card).await?;
    Ok(())
}
