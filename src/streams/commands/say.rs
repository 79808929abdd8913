//! What people say.
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    super::{
        queries,
        rows::{entry, stream},
        rules::{AUTHOR, Access, SAID, Side, StreamKind, guest_seat},
        sealing,
    },
    addressed,
    append::{NewEntry, append},
    belonging, cursor, office,
};
use crate::{
    actor::{Actor, HeldSeat},
    error::{Checks, Code, Result},
    ids::{MediaId, PersonId, StreamId},
    media::{self, Media, Subject},
    store::Tx,
    suspensions, text,
};

const MAX_TEXT: usize = 2000;
const MAX_PHOTOS: usize = 9;
const MAX_MENTIONS: usize = 20;
/// What media of messages are attached to, in their rows; the id is that of the stream.
pub const MEDIA_KIND: &str = "stream";

/// A message from a person.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    /// Made by the client once per message: sending again is the same message.
    pub client_id: Uuid,
    /// Up to 2,000 characters; at least one unless there are photos or a clip.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub text: String,
    /// In a matter's discussion: an argument for, against, information, or another way of doing it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// The `seq` this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<i64>,
    /// Uploaded before: up to nine photos, or one voice clip of a minute.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 9)]
    pub media: Vec<MediaId>,
    /// Whom it addresses, up to twenty; they belong to the conversation. Where others speak under masked names, by the `sender.id`
    /// of what they said lately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub mentions: Vec<PersonId>,
    /// Addresses everybody; for who leads the conversation, once an hour.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mention_all: bool,
}

impl SendMessage {
    /// Words and nothing else.
    #[must_use]
    pub fn words(client_id: Uuid, text: String) -> Self {
        Self {
            client_id,
            text,
            side: None,
            reply_to: None,
            media: Vec::new(),
            mentions: Vec::new(),
            mention_all: false,
        }
    }

    /// Nothing hangs on it but the conversation itself: no files, nobody addressed.
    pub(super) fn is_plain(&self) -> bool {
        self.media.is_empty() && self.mentions.is_empty() && !self.mention_all
    }
}

/// What the sender is told, after the commit.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, PartialEq, Eq)]
pub struct Sent {
    /// Its place in the stream.
    pub seq: i64,
    /// Its number among the messages.
    pub no: i64,
    /// It was there already.
    pub dup: bool,
}

/// Where something is said, and by whom.
pub(super) struct Place<'a> {
    pub(super) stream: stream::Model,
    pub(super) actor: &'a Actor,
    pub(super) role: Option<String>,
    /// The first thing that the actor does here, and is told of on every phone.
    pub(super) is_first: bool,
}

impl Place<'_> {
    async fn come(&self, tx: &Tx) -> Result<()> {
        if self.is_first { belonging::came(tx, self.stream.id, self.actor.person).await } else { Ok(()) }
    }
}

/// Sends a message. The same `client_id` again gives the first answer, with `dup`.
///
/// # Errors
/// `not_found` when the stream is not the actor's to read; `not_allowed` when it is not to write, or everybody is
/// addressed by who does not lead it; `too_many_requests` when everybody was within the hour; `invalid_fields`;
/// `media_not_usable`; `idempotency_mismatch` for a `client_id` used elsewhere.
pub async fn send(tx: &Tx, actor: &Actor, (stream_id, message): (StreamId, SendMessage)) -> Result<Sent> {
    let place = place(tx, actor, stream_id, (Access::Write, true)).await?;
    check(&place.stream, &message)?;
    sealing::require_open(tx, &place.stream).await?;
    if let Some(known) = sent_before(tx, (actor, stream_id), message.client_id).await? {
        return Ok(known);
    }
    let people = addressed::people(tx, &place, &message).await?;
    let area = place.stream.area_code.as_deref().unwrap_or(&actor.area).to_owned();
    let to = Subject { kind: MEDIA_KIND, id: &stream_id.to_string(), area: &area };
    let attached = media::attach(tx, actor.person, &message.media, to).await?;
    check_media(&message, &attached)?;
    let (seq, no) = append(tx, stream_id, entry_of(&place, &message, &attached)).await?;
    cursor::own(tx, (actor.person, stream_id), (seq, no)).await?;
    place.come(tx).await?;
    addressed::note(tx, (stream_id, seq), (&people, message.mention_all)).await?;
    tell_office(tx, &place).await?;
    Ok(Sent { seq, no, dup: false })
}

/// A message as it is kept.
pub(super) fn entry_of(place: &Place<'_>, message: &SendMessage, attached: &[Media]) -> NewEntry {
    NewEntry {
        preview: Some(preview(message, attached)),
        sender: Some(place.actor.person),
        body_id: seat(place).map(|seat| seat.body_id),
        client_id: message.client_id,
        reply_to: message.reply_to,
        ..NewEntry::quiet("message", body(message, attached))
    }
}

/// Notes that what stands at this place concerns these people: they see that they are addressed.
///
/// # Errors
/// When the database refuses.
pub async fn concern(tx: &Tx, (stream, seq): (StreamId, i64), people: &[PersonId]) -> Result<()> {
    cursor::mention(tx, stream, people, seq).await
}

/// Would this message be taken now? `false` when it is there already.
///
/// # Errors
/// As [`send`], but for its media.
pub async fn check_send(tx: &Tx, actor: &Actor, (id, message): (StreamId, &SendMessage)) -> Result<bool> {
    let place = place(tx, actor, id, (Access::Write, true)).await?;
    check(&place.stream, message)?;
    sealing::require_open(tx, &place.stream).await?;
    if sent_before(tx, (actor, id), message.client_id).await?.is_some() {
        return Ok(false);
    }
    addressed::people(tx, &place, message).await?;
    Ok(true)
}

/// Something other than a message that a person puts into a conversation.
pub struct Posting {
    /// Stable name of the kind of entry.
    pub kind: &'static str,
    /// Made by the client once.
    pub client_id: Uuid,
    /// First words for the list; `None`: it is no news.
    pub preview: Option<String>,
    /// What it says.
    pub body: Value,
    /// What it changes.
    pub target_seq: Option<i64>,
    /// It says something: not for who was silenced. Taking the own words away is open to everybody.
    pub is_speech: bool,
}

impl Posting {
    /// What changes something without being news.
    #[must_use]
    pub fn quiet(kind: &'static str, body: Value) -> Self {
        Self { kind, client_id: Uuid::now_v7(), preview: None, body, target_seq: None, is_speech: true }
    }
}

/// Puts something into a conversation of one of these kinds in which the actor has this access. The same `client_id` again
/// gives the first answer, with `dup`.
///
/// # Errors
/// `not_found` when the stream is not the actor's to read or of another kind; `not_allowed`; `speaking_suspended`;
/// `idempotency_mismatch` for a `client_id` used elsewhere.
pub async fn post(
    tx: &Tx,
    actor: &Actor,
    (id, kinds, needed): (StreamId, &[StreamKind], Access),
    posting: Posting,
) -> Result<Sent> {
    let place = place(tx, actor, id, (needed, posting.is_speech)).await?;
    if !kinds.iter().any(|kind| kind.as_str() == place.stream.kind) {
        return Err(Code::NotFound.into());
    }
    if let Some(known) = sent_before(tx, (actor, id), posting.client_id).await? {
        return Ok(known);
    }
    let entry = NewEntry {
        preview: posting.preview,
        sender: Some(actor.person),
        body_id: seat(&place).map(|seat| seat.body_id),
        client_id: posting.client_id,
        target_seq: posting.target_seq,
        ..NewEntry::quiet(posting.kind, posting.body)
    };
    let (seq, no) = append(tx, id, entry).await?;
    if needed == Access::Write {
        cursor::own(tx, (actor.person, id), (seq, no)).await?;
        place.come(tx).await?;
    }
    Ok(Sent { seq, no, dup: false })
}

async fn place<'a>(tx: &Tx, actor: &'a Actor, id: StreamId, (needed, is_speech): (Access, bool)) -> Result<Place<'a>> {
    let place = queries::place(tx, actor, id).await?;
    if needed == Access::Write && place.access != Access::Write {
        return Err(Code::NotAllowed.into());
    }
    if is_speech && needs_speech(&place.stream) {
        suspensions::require_speech(tx, actor.person).await?;
    }
    let (role, is_first) = (place.role().map(str::to_owned), place.is_first());
    Ok(Place { stream: place.stream, actor, role, is_first })
}

/// Whoever was silenced does not speak here.
pub(super) fn needs_speech(stream: &stream::Model) -> bool {
    [StreamKind::Discussion, StreamKind::Group].iter().any(|kind| kind.as_str() == stream.kind)
}

pub(super) fn check(stream: &stream::Model, message: &SendMessage) -> Result<()> {
    let mut checks = Checks::default();
    checks.text("text", &message.text, 0..=MAX_TEXT);
    let says_something = !message.text.trim().is_empty() || !message.media.is_empty();
    checks.require(says_something, "text", "required");
    let may_argue = stream.kind == StreamKind::Discussion.as_str();
    checks.require(message.side.is_none() || may_argue, "side", "unknown");
    checks.require(message.reply_to.is_none_or(|seq| (1..=stream.last_seq).contains(&seq)), "reply_to", "out_of_range");
    checks.require(message.media.len() <= MAX_PHOTOS, "media", "too_many_media");
    checks.require(message.mentions.len() <= MAX_MENTIONS, "mentions", "out_of_range");
    checks.done()
}

fn check_media(message: &SendMessage, attached: &[Media]) -> Result<()> {
    let clips = attached.iter().filter(|one| one.is_voice()).count();
    let mut checks = Checks::default();
    checks.require(clips == 0 || (attached.len() == 1 && message.text.trim().is_empty()), "media", "too_many_media");
    checks.done().and_then(|()| media::check_said(attached))
}

/// The first answer to the same `client_id`.
async fn sent_before(tx: &Tx, (actor, id): (&Actor, StreamId), client_id: Uuid) -> Result<Option<Sent>> {
    let same = entry::Entity::find()
        .filter(entry::Column::SenderId.eq(actor.person))
        .filter(entry::Column::ClientId.eq(client_id));
    match same.one(tx).await? {
        None => Ok(None),
        Some(known) => answered_before(&known, id).map(Some),
    }
}

/// What was answered to the same `client_id` before.
fn answered_before(known: &entry::Model, id: StreamId) -> Result<Sent> {
    if known.stream_id != id {
        return Err(Code::IdempotencyMismatch.into());
    }
    Ok(Sent { seq: known.seq, no: known.no, dup: true })
}

/// The seat for which it is said. An author who also holds a seat speaks as the author in the own thread.
fn seat<'a>(place: &Place<'a>) -> Option<&'a HeldSeat> {
    let (stream, area) = (&place.stream, place.stream.area_code.as_deref().unwrap_or_default());
    if place.role.as_deref() == Some(AUTHOR) {
        return None;
    }
    let fits =
        |seat: &&HeldSeat| Some(seat.body_id) == stream.body_id || (stream.body_id.is_none() && seat.covers(area));
    guest_seat(place.actor, place.role.as_deref()).or_else(|| place.actor.seats.iter().find(fits))
}

fn body(message: &SendMessage, attached: &[Media]) -> Value {
    let mut body = json!({ "text": message.text.trim() });
    let Some(fields) = body.as_object_mut() else { return body };
    if let Some(side) = message.side {
        fields.insert("side".to_owned(), json!(side));
    }
    if !attached.is_empty() {
        // in the order in which they were handed in
        let views: Vec<_> = message.media.iter().filter_map(|id| attached.iter().find(|one| one.id == *id)).collect();
        fields.insert("media".to_owned(), views.into_iter().map(|one| json!(one.view())).collect());
    }
    if !message.mentions.is_empty() {
        fields.insert("mentions".to_owned(), json!(message.mentions));
    }
    if message.mention_all {
        fields.insert("mention_all".to_owned(), json!(true));
    }
    body
}

fn preview(message: &SendMessage, attached: &[Media]) -> String {
    match attached.first() {
        Some(one) if one.is_voice() => text::say("preview-voice"),
        Some(_) if message.text.trim().is_empty() => text::say("preview-photo"),
        _ => message.text.trim().to_owned(),
    }
}

/// What is said in a conversation of an office raises that office's own stream: who serves thousands of conversations
/// follows one. What a resident says is news there; that a colleague has answered only changes what is shown.
async fn tell_office(tx: &Tx, place: &Place<'_>) -> Result<()> {
    let stream = &place.stream;
    let link = match StreamKind::parse(&stream.kind) {
        Some(StreamKind::Contact) => format!("/streams/{}", stream.id),
        // whoever has not opened the voice today opens it there
        Some(StreamKind::Thread) => format!("/desk/suggestions/{}", stream.subject_id),
        _ => return Ok(()),
    };
    let Some(body) = stream.body_id else { return Ok(()) };
    let office = office(tx, body).await?;
    let is_resident = place.role.as_deref() == Some(AUTHOR);
    let words = if is_resident { "stream-spoke" } else { "stream-answered" };
    let title = text::say_with(words, &[("title", stream.title.clone().into())]);
    let body = json!({
        "stream_id": stream.id, "title": title, "state": SAID, "is_answer": !is_resident, "link": link,
    });
    let entry = NewEntry { preview: is_resident.then_some(title), ..NewEntry::quiet("bump", body) };
    append(tx, office, entry).await?;
    Ok(())
}
