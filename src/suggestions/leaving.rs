//! A voice is left: by its author, or taken down by a clerk for somebody who tells it.
use chrono::{DateTime, Utc};
use sea_orm::{ActiveEnum, ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Suggestion, about,
    commands::{MAX_TEXT, SUBJECT_KIND},
    hidings, media_review, pressing,
    promises::{self, Urgency},
    routing,
    rows::suggestion,
    rules::{self, Category, HidingState, ReplyWish, SuggestionKind, SuggestionState, Visibility},
    words,
};
use crate::{
    actor::Actor,
    clock,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, DataKeyId, MediaId, PersonId, StreamId, SuggestionId},
    media::{self, Media, Subject},
    store::Tx,
    streams::{self, StreamKind, commands::NewStream},
    suspensions, text,
    wordlist::WordList,
};

const MAX_PLACE: usize = 100;
const MAX_PHOTOS: usize = 9;
const MAX_CLIPS: usize = 1;
/// Why a voice waits whose photos or clip nobody has looked at: the key of the sentence. Its words do not, if it has any.
const HELD_MEDIA: &str = "hiding-held-media";
/// Of a million numbers a day and village hardly one is taken.
const DRAWS: usize = 16;

/// A voice to be left.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitSuggestion {
    /// What is wanted.
    pub kind: SuggestionKind,
    /// Who sees it besides the author.
    pub visibility: Visibility,
    /// Up to 2,000 characters; may be empty when there is a voice clip.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub text: String,
    /// Where, in words; up to 100 characters.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub place: String,
    /// What it is about.
    #[serde(default)]
    pub category: Category,
    /// Whom it is about, of those who sit over the village: it is kept from them and their bodies, and the office above
    /// handles it. Not together with `public`.
    #[serde(default)]
    pub about_person_id: Option<PersonId>,
    /// Urgent: accepted within 2 hours and answered within 24, on holidays too.
    #[serde(default)]
    pub urgency: Urgency,
    /// How one wants to be answered; who answers a public voice learns the name of who wants to be called or met.
    // a field that came later is left out when it says nothing: a repetition across an upgrade is the same request
    #[serde(default, skip_serializing_if = "ReplyWish::is_here")]
    pub reply_wish: ReplyWish,
    /// Own unattached media: up to 9 photos and 1 voice clip of a minute.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub media: Vec<MediaId>,
    /// Are there words of the list in what everybody is to read? Found by [`SubmitSuggestion::against`], not said by the sender.
    #[serde(skip)]
    pub is_flagged: bool,
}

impl SubmitSuggestion {
    /// The same, compared with the list of words that are looked at before they are shown.
    #[must_use]
    pub fn against(self, words: &WordList) -> Self {
        let is_found = words.find(&self.text).or_else(|| words.find(&self.place)).is_some();
        Self { is_flagged: is_found && self.visibility == Visibility::Public, ..self }
    }
}

/// A voice that was left. What its author sees of it is read after the commit: the one writer has other things to do. Its fields
/// are among those that were kept for repetitions while the whole voice was, and keep their names.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Left {
    /// Its id.
    pub id: SuggestionId,
    /// By which people name it.
    pub number: String,
}

/// Leaves a voice in the author's village. Records `suggestion.submitted`.
///
/// # Errors
/// `invalid_fields`, also when everybody is to read an accusation; `media_not_usable`; `no_body_responsible` when the village
/// has nobody to take it.
pub async fn submit(tx: &Tx, actor: &Actor, input: SubmitSuggestion) -> Result<Left> {
    leave(tx, actor, (input, None)).await
}

/// Who takes a voice down for somebody, for which body (代录).
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// The clerk.
    pub by: PersonId,
    /// The office.
    pub body: BodyId,
}

/// The same for somebody who told it to a clerk: it is the voice of who told it, and shows who took it down. The caller
/// has seen to the clerk's right. Records `suggestion.submitted`, by the clerk.
///
/// # Errors
/// As [`submit`].
pub async fn take_down(tx: &Tx, author: &Actor, (taken, input): (Taken, SubmitSuggestion)) -> Result<Left> {
    leave(tx, author, (input, Some(taken))).await
}

async fn leave(tx: &Tx, actor: &Actor, (input, taken): (SubmitSuggestion, Option<Taken>)) -> Result<Left> {
    let id = SuggestionId::new();
    let to = Subject { kind: SUBJECT_KIND, id: &id.to_string(), area: &actor.area };
    let (words, place) = (input.text.trim().replace("\r\n", "\n"), input.place.trim().to_owned());
    check_words(&words, &place, input.media.len())?;
    if input.visibility == Visibility::Public {
        suspensions::require_speech(tx, actor.person).await?;
    }
    let attached = media::attach(tx, actor.person, &input.media, to).await?;
    check_media(&words, &attached)?;
    let now = tx.now();
    let held = held(tx, (actor.area.as_str(), input.visibility), (input.is_flagged, !attached.is_empty())).await?;
    let number = free_number(tx, &actor.area, now).await?;
    let Answering { body_id, about_bodies, is_given } = answering(tx, actor, &input).await?;
    let title = thread_title(input.kind, input.visibility, &words, &number);
    let sealed = words::seal_new(tx, actor.person, input.visibility, (&words, &place)).await?;
    let stream_id = open_thread(tx, actor, (id, title, body_id), sealed.key_id).await?;
    let promise = promises::promise(input.kind, input.category, input.urgency);
    let accept_due_at = promise.accept.until(tx);
    let row = suggestion::ActiveModel {
        id: Set(id),
        key_id: Set(sealed.key_id),
        number: Set(number),
        area_code: Set(actor.area.clone()),
        author_id: Set(actor.person),
        kind: Set(input.kind),
        visibility: Set(input.visibility),
        text: Set(sealed.text),
        place: Set(sealed.place),
        state: Set(SuggestionState::Submitted),
        body_id: Set(body_id),
        stream_id: Set(stream_id),
        accept_due_at: Set(accept_due_at),
        warn_at: Set(promise.accept.reminder(tx, (accept_due_at, rules::WARN_ACCEPT_WORKING_DAYS))),
        level: Set(0),
        unsolved: Set(0),
        cosigns: Set(0),
        handed: Set(i32::from(is_given)),
        about_person_id: Set(input.about_person_id),
        about_bodies: Set(about_bodies),
        category: Set(input.category),
        urgency: Set(input.urgency),
        reply_wish: Set(input.reply_wish),
        taken_by: Set(taken.map(|taken| taken.by)),
        taken_body_id: Set(taken.map(|taken| taken.body)),
        answer_due_at: Set(promise.answer.until(tx)),
        calendar_version: Set(tx.calendar().version().to_owned()),
        hiding: Set(held.map(|_| HidingState::Hidden)),
        hides_only_media: Set(held == Some(HELD_MEDIA) && !words.is_empty()),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let row = row.insert(tx).await?;
    record(tx, &row, taken).await?;
    if let Some(why) = held {
        hidings::hold(tx, &row, why).await?;
    }
    Ok(Left { id: row.id, number: row.number })
}

async fn record(tx: &Tx, row: &Suggestion, taken: Option<Taken>) -> Result<()> {
    let data = json!({ "body": row.body_id, "taken_down": taken.is_some() });
    let happening = Happening::new(Kind::SuggestionSubmitted, row.id).at(&row.area_code).with(data);
    events::record(tx, happening.by(taken.map_or(row.author_id, |taken| taken.by))).await?;
    pressing::press(tx, row).await
}

/// Why everybody sees a public voice, or its photos and its clip, only when somebody has looked, if so: the key of the sentence.
async fn held(
    tx: &Tx,
    (area, visibility): (&str, Visibility),
    (has_words, has_media): (bool, bool),
) -> Result<Option<&'static str>> {
    if has_words {
        return Ok(Some("hiding-held"));
    }
    let is_shown = has_media && visibility == Visibility::Public;
    Ok((is_shown && media_review::is_on(tx, area).await?).then_some(HELD_MEDIA))
}

/// The thread about it, in which its author is; sealed, where not everybody may read it.
async fn open_thread(
    tx: &Tx,
    author: &Actor,
    (id, title, body): (SuggestionId, String, BodyId),
    key: Option<DataKeyId>,
) -> Result<StreamId> {
    let area = Some(author.area.clone());
    let new = NewStream { kind: StreamKind::Thread, subject: id.to_string(), title, area, body: Some(body) };
    let stream = streams::commands::open(tx, new).await?;
    streams::commands::join(tx, stream, author.person, "author").await?;
    if let Some(key) = key {
        streams::commands::seal(tx, stream, key).await?;
    }
    Ok(stream)
}

/// Who answers a new voice.
struct Answering {
    body_id: BodyId,
    /// The bodies that it is kept from, because it is about somebody of theirs.
    about_bodies: String,
    /// Not to the usual body: theirs to whom it was given, whatever their rights are otherwise.
    is_given: bool,
}

async fn answering(tx: &Tx, actor: &Actor, input: &SubmitSuggestion) -> Result<Answering> {
    let mut checks = Checks::default();
    let is_open = input.about_person_id.is_some() && input.visibility == Visibility::Public;
    checks.require(!is_open, "visibility", "about_is_private");
    checks.done()?;
    let (named, usual) = routing::responsible(tx, &actor.area, (input.category, input.visibility)).await?;
    let accused = about::accused(tx, actor, input.about_person_id).await?;
    let body_id = about::past(tx, &actor.area, (named, &accused)).await?;
    // the last office there is handles it without the one whom it is about
    let kept_from = accused.iter().filter(|body| **body != body_id);
    let about_bodies = kept_from.map(ToString::to_string).collect::<Vec<_>>().join(" ");
    Ok(Answering { body_id, about_bodies, is_given: Some(body_id) != usual })
}

fn check_words(words: &str, place: &str, media: usize) -> Result<()> {
    let mut checks = Checks::default();
    checks.text("text", words, 0..=MAX_TEXT);
    checks.text("place", place, 0..=MAX_PLACE);
    checks.require(media <= MAX_PHOTOS + MAX_CLIPS, "media", "too_many_media");
    checks.done()
}

fn check_media(words: &str, attached: &[Media]) -> Result<()> {
    let clips = attached.iter().filter(|one| one.is_voice()).count();
    let mut checks = Checks::default();
    checks.require(!words.is_empty() || clips > 0, "text", "required");
    checks.require(clips <= MAX_CLIPS && attached.len() - clips <= MAX_PHOTOS, "media", "too_many_media");
    checks.done()?;
    media::check_said(attached)
}

/// A number that is free: drawn, because numbers in a row would tell by their gaps that somebody spoke to the town alone.
/// Units of work that write follow one another, and the unique key would refuse a number given twice.
async fn free_number(tx: &Tx, area: &str, now: DateTime<Utc>) -> Result<String> {
    let prefix = rules::number_prefix(area, clock::local_date(now));
    for _ in 0..DRAWS {
        let number = format!("{prefix}{}", tx.keys().fresh_code()?);
        if suggestion::Entity::find().filter(suggestion::Column::Number.eq(&number)).count(tx).await? == 0 {
            return Ok(number);
        }
    }
    Err(Code::Busy.after_secs(5))
}

/// The words of a voice that is not public do not get into a title that others may see in a list.
fn thread_title(kind: SuggestionKind, visibility: Visibility, words: &str, number: &str) -> String {
    match (visibility, rules::first_words(words)) {
        (Visibility::Public, first) if !first.is_empty() => first,
        (Visibility::Public, _) => text::say("suggestion-spoken"),
        (Visibility::Handlers | Visibility::Town, _) => {
            let kind = text::word("suggestion-kind", &kind.to_value());
            text::say_with("suggestion-thread", &[("kind", kind.into()), ("number", number.to_owned().into())])
        }
    }
}
