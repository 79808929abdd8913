//! Writes to streams: opening them. Who belongs to them is in `belonging` and `guests`, what the system shows in `cards`, to many in `rounds`,
//! what people say in `say` and `many`, what they take back in `recall` and `list_rows`, how far they have read in `cursor`; a `seq`
//! is born in `append` alone.
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};

use super::{
    queries,
    rows::stream,
    rules::{AUTHOR, StreamKind},
};
use crate::{
    actor::Actor,
    bodies,
    error::{Code, Result},
    ids::{BodyId, DataKeyId, PersonId, StreamId},
    people, seals,
    store::Tx,
    text,
};

mod addressed;
mod append;
mod belonging;
mod cards;
mod cursor;
mod guests;
mod list_rows;
mod many;
mod recall;
mod rounds;
mod say;

pub use super::grams::{due as words_due, is_waiting as is_word_waiting};
pub use belonging::{end_of_day, give, join, join_now, leave_group, part, post_member, subscribed};
pub use cards::{Card, edit_card, post_card, post_card_of};
pub use cursor::{Mute, SetOptions, begin_in_body, due as cursors_due, read, receive, set_options};
pub use guests::{let_in, show_out};
pub use list_rows::{ROW, blank_rows};
pub use many::speak;
pub(super) use recall::SPOKEN;
pub(super) use recall::post_erased;
pub use recall::{PinMessage, RecallMessage, pin, recall, remove_reported};
pub use rounds::{Reader, due as cards_due, post_to_each};
pub use say::{MEDIA_KIND, Posting, SendMessage, Sent, check_send, concern, post, send};

/// A stream to be opened.
pub struct NewStream {
    /// What it is for.
    pub kind: StreamKind,
    /// Id of what it is about; one stream for each kind and subject.
    pub subject: String,
    /// Shown at its head.
    pub title: String,
    /// Whose residents see it, for channels and discussions.
    pub area: Option<String>,
    /// Whose seats see it, for offices and threads.
    pub body: Option<BodyId>,
}

/// Opens the stream, or finds it.
///
/// # Errors
/// When the database refuses.
pub async fn open(tx: &Tx, new: NewStream) -> Result<StreamId> {
    if let Some(known) = queries::find(tx, new.kind, &new.subject).await? {
        return Ok(known);
    }
    let now = tx.now();
    let id = StreamId::new();
    let row = stream::ActiveModel {
        id: Set(id),
        kind: Set(new.kind.as_str().to_owned()),
        subject_id: Set(new.subject),
        area_code: Set(new.area),
        body_id: Set(new.body),
        title: Set(new.title),
        epoch: Set(now.timestamp()),
        last_seq: Set(0),
        last_no: Set(0),
        last_at: Set(now),
        last_preview: Set(String::new()),
        created_at: Set(now),
        key_id: Set(None),
        last_all_seq: Set(0),
        changed_at: Set(now),
    };
    stream::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(id)
}

/// From now on, what is said in this new stream is sealed by this key.
///
/// # Errors
/// `wrong_state` when something was said already.
pub async fn seal(tx: &Tx, stream: StreamId, key: DataKeyId) -> Result<()> {
    let sealed = stream::Entity::update_many()
        .col_expr(stream::Column::KeyId, Expr::value(key))
        .filter(stream::Column::Id.eq(stream))
        .filter(stream::Column::KeyId.is_null())
        .filter(stream::Column::LastSeq.eq(0))
        .exec(tx)
        .await?;
    if sealed.rows_affected == 1 { Ok(()) } else { Err(Code::WrongState.into()) }
}

/// The person's own stream.
///
/// # Errors
/// When the database refuses.
pub async fn mailbox(tx: &Tx, person: PersonId) -> Result<StreamId> {
    let subject = person.to_string();
    if let Some(known) = queries::find(tx, StreamKind::Mailbox, &subject).await? {
        return Ok(known);
    }
    let title = text::say("stream-mailbox");
    let id = open(tx, NewStream { kind: StreamKind::Mailbox, subject, title, area: None, body: None }).await?;
    join(tx, id, person, "owner").await?;
    if let Some(person) = people::queries::person(tx, person).await? {
        cursor::begin(tx, &person).await?;
    }
    Ok(id)
}

/// The channel of an area.
///
/// # Errors
/// When the database refuses.
pub async fn channel(tx: &Tx, area: &str) -> Result<StreamId> {
    if let Some(known) = queries::find(tx, StreamKind::Channel, area).await? {
        return Ok(known);
    }
    let name = crate::areas::get(tx, area).await?.name;
    let title = text::say_with("stream-channel", &[("area", name.into())]);
    open(
        tx,
        NewStream {
            kind: StreamKind::Channel,
            subject: area.to_owned(),
            title,
            area: Some(area.to_owned()),
            body: None,
        },
    )
    .await
}

/// The work stream of a body.
///
/// # Errors
/// When the database refuses.
pub async fn office(tx: &Tx, body: BodyId) -> Result<StreamId> {
    let subject = body.to_string();
    if let Some(known) = queries::find(tx, StreamKind::Office, &subject).await? {
        return Ok(known);
    }
    let title = text::say("stream-office");
    let id = open(tx, NewStream { kind: StreamKind::Office, subject, title, area: None, body: Some(body) }).await?;
    belonging::tell_seats(tx, id, body).await?;
    Ok(id)
}

/// Where the members of a body talk to each other.
///
/// # Errors
/// When the database refuses.
pub async fn forum(tx: &Tx, (body, name): (BodyId, &str), area: Option<String>) -> Result<StreamId> {
    let subject = body.to_string();
    if let Some(known) = queries::find(tx, StreamKind::Forum, &subject).await? {
        return Ok(known);
    }
    let title = text::say_with("stream-forum", &[("body", name.into())]);
    let id = open(tx, NewStream { kind: StreamKind::Forum, subject, title, area, body: Some(body) }).await?;
    belonging::tell_seats(tx, id, body).await?;
    Ok(id)
}

/// The conversation of a resident with the office of the own village, sealed by a key of the resident's own.
///
/// # Errors
/// `no_body_responsible` where there is no village committee.
pub async fn open_contact(tx: &Tx, actor: &Actor) -> Result<StreamId> {
    let (person, area) = (actor.person, &actor.area);
    let body = bodies::committee(tx, area).await?.ok_or(Code::NoBodyResponsible)?;
    let subject = format!("{body}/{person}");
    if let Some(known) = queries::find(tx, StreamKind::Contact, &subject).await? {
        return Ok(known);
    }
    let body_name = bodies::queries::get(tx, body).await?.name;
    let title = text::say_with(
        "stream-contact",
        &[("body", body_name.into()), ("name", people::mask_name(&actor.name).into())],
    );
    let area = Some(area.clone());
    let id = open(tx, NewStream { kind: StreamKind::Contact, subject, title, area, body: Some(body) }).await?;
    join(tx, id, person, AUTHOR).await?;
    let (_, key) = seals::commands::make(tx, person).await?;
    seal(tx, id, key).await?;
    Ok(id)
}
