//! What is told of that from which rolls are drawn: of a collective's register to the village that it changed, and to whom it is
//! about why; of a roster that it changed phones, to those who stand in for the office.
use uuid::Uuid;

use crate::{
    areas,
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
        Kind::RosterImported => return phones(tx, event).await,
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

/// Whoever brings a roster in gives people the phones by which they vote: others hear of how many.
async fn phones(tx: &Tx, event: &Event) -> Result<()> {
    let changed = event.data["phones"].as_u64().filter(|changed| *changed > 0);
    let Some((area, changed)) = event.area.as_deref().zip(changed) else { return Ok(()) };
    let name = areas::names(tx, vec![area.to_owned()]).await?.remove(area).unwrap_or_default();
    let blanks = [("area", name.into()), ("n", changed.to_string().into())];
    let card = Card::worded(("phones_changed", "card-phones-changed"), &blanks, "/votes".to_owned());
    super::tell_stand_ins(tx, area, card).await
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
