//! Writes to streams: opening, joining, showing cards. What people say is in `say`, what they take back in `recall`, how
//! far they have read in `cursor`; a `seq` is born in `append` alone.
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, Set,
    sea_query::{Expr, OnConflict},
};
use serde_json::json;

use super::{
    grams, queries,
    rows::{membership, stream},
    rules::{AUTHOR, GIVEN_TODAY, HANDLER_TODAY, StreamKind},
};
use crate::{
    actor::Actor,
    bodies,
    broker::Bell,
    clock,
    error::{Code, Result},
    ids::{BodyId, DataKeyId, PersonId, StreamId},
    people, seals,
    store::Tx,
    text,
};

mod append;
mod cursor;
mod recall;
mod say;

use append::{NewEntry, append};
pub use cursor::{Mute, SetOptions, read, set_options};
pub use recall::{PinMessage, RecallMessage, pin, recall, remove_reported};
pub use say::{MEDIA_KIND, Posting, SendMessage, Sent, Side, post, send};

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

/// What the system shows: a line that leads somewhere.
pub struct Card {
    /// Stable name of the kind of card.
    pub code: &'static str,
    /// Head line, in Chinese.
    pub title: String,
    /// One or two sentences, in Chinese.
    pub text: String,
    /// Path of the page it leads to.
    pub link: String,
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
    let title = text::say("stream-office");
    open(tx, NewStream { kind: StreamKind::Office, subject, title, area: None, body: Some(body) }).await
}

/// Where the members of a body talk to each other.
///
/// # Errors
/// When the database refuses.
pub async fn forum(tx: &Tx, (body, name): (BodyId, &str), area: Option<String>) -> Result<StreamId> {
    let title = text::say_with("stream-forum", &[("body", name.into())]);
    open(tx, NewStream { kind: StreamKind::Forum, subject: body.to_string(), title, area, body: Some(body) }).await
}

/// The conversation of a resident with the office of the own village, sealed by a key of the resident's own.
///
/// # Errors
/// `no_body_responsible` where there is no village committee.
pub async fn open_contact(tx: &Tx, actor: &Actor) -> Result<StreamId> {
    let (person, area) = (actor.person, &actor.area);
    let body = bodies::queries::of_kind(tx, "village_committee", area).await?.ok_or(Code::NoBodyResponsible)?;
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

/// Makes the person belong to the stream, with nothing read; once more changes only the role.
///
/// # Errors
/// When the database refuses.
pub async fn join(tx: &Tx, stream: StreamId, person: PersonId, role: &str) -> Result<()> {
    join_at(tx, stream, (person, role), (0, 0)).await
}

/// The same, with everything read that was said before: a newcomer is not greeted by hundreds of red dots.
///
/// # Errors
/// `not_found` when there is no such stream.
pub async fn join_now(tx: &Tx, stream: StreamId, person: PersonId, role: &str) -> Result<()> {
    let row = stream::Entity::find_by_id(stream).one(tx).await?.ok_or(Code::NotFound)?;
    join_at(tx, stream, (person, role), (row.last_seq, row.last_no)).await
}

/// The person no longer belongs to the stream.
///
/// # Errors
/// When the database refuses.
pub async fn part(tx: &Tx, stream: StreamId, person: PersonId) -> Result<()> {
    membership::Entity::update_many()
        .col_expr(membership::Column::LeftAt, Expr::value(tx.now()))
        .filter(membership::Column::PersonId.eq(person))
        .filter(membership::Column::StreamId.eq(stream))
        .exec(tx)
        .await?;
    tx.ring(Bell::Membership { person, stream });
    Ok(())
}

/// Shows in the stream that somebody came, left or was named its leader; counts for nobody as unread.
///
/// # Errors
/// When the database refuses.
pub async fn post_member(tx: &Tx, stream: StreamId, by: PersonId, (person, change): (PersonId, &str)) -> Result<()> {
    let body = json!({ "person_id": person, "change": change });
    append(tx, stream, NewEntry { sender: Some(by), ..NewEntry::quiet("member", body) }).await?;
    Ok(())
}

async fn join_at(
    tx: &Tx,
    stream: StreamId,
    (person, role): (PersonId, &str),
    (read_seq, read_no): (i64, i64),
) -> Result<()> {
    let row = membership::ActiveModel {
        person_id: Set(person),
        stream_id: Set(stream),
        role: Set(role.to_owned()),
        read_seq: Set(read_seq),
        read_no: Set(read_no),
        joined_at: Set(tx.now()),
        left_at: Set(None),
        ..cursor::fresh()
    };
    let again = OnConflict::columns([membership::Column::PersonId, membership::Column::StreamId])
        .update_columns([membership::Column::Role, membership::Column::LeftAt, membership::Column::JoinedAt])
        .to_owned();
    membership::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    tx.ring(Bell::Membership { person, stream });
    Ok(())
}

/// Shows a card to all who read the stream.
///
/// # Errors
/// When the database refuses.
pub async fn post_card(tx: &Tx, stream: StreamId, card: Card) -> Result<i64> {
    let body = json!({ "card": card.code, "title": card.title, "text": card.text, "link": card.link });
    Ok(append(tx, stream, NewEntry::shown("card", card.title, body)).await?.0)
}

/// Takes in words to be found. Whoever opened a private thread belongs to it for that day only: the next reading is an
/// opening again, and recorded.
///
/// # Errors
/// When the database refuses.
pub async fn due(tx: &Tx) -> Result<u64> {
    grams::due(tx).await?;
    let today = clock::start_of_day(clock::local_date(tx.now()));
    let ended = membership::Entity::update_many()
        .col_expr(membership::Column::Role, Expr::value("former"))
        .filter(membership::Column::Role.is_in([HANDLER_TODAY, GIVEN_TODAY]))
        .filter(membership::Column::JoinedAt.lt(today))
        .exec_with_returning(tx)
        .await?;
    for row in &ended {
        tx.ring(Bell::Membership { person: row.person_id, stream: row.stream_id });
    }
    Ok(ended.len() as u64)
}
