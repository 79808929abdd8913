//! What is told of a collective's register, from which its rolls are drawn: to the village that it changed, to whom it is about why.
use uuid::Uuid;

use crate::{
    bodies::{self, Body, register},
    error::Result,
    events::{Event, Kind},
    ids::BodyId,
    store::Tx,
    streams::commands::{Card, Reader, channel, post_card, post_to_each},
    text,
};

/// A card in the village's channel, and one for each whom it is about. Why is for the members to read: of one who left it would tell
/// the whole village what happened at home.
pub(super) async fn tell(tx: &Tx, event: &Event) -> Result<()> {
    let key = match event.kind {
        Kind::MemberEntered => "card-register-entered",
        Kind::MemberStruck => "card-register-struck",
        _ => return Ok(()),
    };
    // of a list that is nobody else's the log does not say which change it was
    let first = event.data["first"].as_i64().and_then(|first| i32::try_from(first).ok());
    let changed = event.data["changed"].as_u64().and_then(|changed| usize::try_from(changed).ok());
    let Some((first, changed)) = first.zip(changed) else { return Ok(()) };
    let body = bodies::get(tx, event.subject_id::<BodyId>()?).await?;
    let about = register::changed(tx, body.id, (first, changed)).await?;
    let reason = about.first().map(|(_, reason)| reason.clone()).unwrap_or_default();
    let (own, told) = (card(key, "text", &body, (changed, &reason)), card(key, "told", &body, (changed, &reason)));
    let people = about.into_iter().map(|(person, _)| Reader::Person(person)).collect();
    post_to_each(tx, people, (Uuid::now_v7(), own)).await?;
    for area in &body.areas {
        let village = channel(tx, area).await?;
        post_card(tx, village, told.clone()).await?;
    }
    Ok(())
}

fn card(key: &str, end: &str, body: &Body, (changed, reason): (usize, &str)) -> Card {
    let blanks = [("body", body.name.as_str().into()), ("n", changed.to_string().into()), ("reason", reason.into())];
    Card {
        code: "register_changed",
        title: text::say_with(&format!("{key}-title"), &blanks),
        text: text::say_with(&format!("{key}-{end}"), &blanks),
        link: format!("/collectives/{}", body.id),
    }
}
