//! Whoever confirms for another is seen: the person is told of it, and of its being taken back.
use sea_orm::EntityTrait;

use super::rows::notice;
use crate::{
    error::Result,
    events::{Event, Kind, Reaction},
    ids::{NoticeId, PersonId},
    people,
    store::Tx,
    streams::commands::{Card, mailbox, post_card},
    text,
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] =
    &[Reaction { name: "notices.tell_confirmed", run: |tx, event| Box::pin(tell(tx, event)) }];

async fn tell(tx: &Tx, event: &Event) -> Result<()> {
    let (code, key) = match event.kind {
        Kind::NoticeConfirmedFor => ("notice_confirmed_for", "confirmed-for"),
        Kind::NoticeConfirmationUndone => ("notice_confirmation_undone", "undone"),
        _ => return Ok(()),
    };
    let Some(notice) = notice::Entity::find_by_id(event.subject_id::<NoticeId>()?).one(tx).await? else {
        return Ok(());
    };
    let Some(person) = event.get::<PersonId>("person") else { return Ok(()) };
    // what nobody is asked to confirm was told at the door, and that is what is said of it
    let key = if notice.must_read { format!("notices-card-{key}") } else { format!("notices-card-door-{key}") };
    let by = event.actor.unwrap_or(person);
    let mut people = vec![person];
    // who takes back what another wrote down says so to that other, too
    people.extend(event.get::<PersonId>("by").filter(|maker| *maker != by));
    let name = people::name(tx, by).await?;
    let via = event.data["via"].as_str().unwrap_or_default();
    let blanks = [
        ("title", notice.title.as_str().into()),
        ("name", name.as_str().into()),
        ("via", text::word("notices-via", via).into()),
    ];
    for one in people.into_iter().filter(|one| *one != by || event.kind == Kind::NoticeConfirmedFor) {
        let card = Card::worded((code, &key), &blanks, format!("/notices/{}", notice.id));
        post_card(tx, mailbox(tx, one).await?, card).await?;
    }
    Ok(())
}
