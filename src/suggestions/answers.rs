//! Answers 答复: in words, spoken, or both; a clip is as private as the voice that it answers.
use std::collections::BTreeSet;

use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Suggestion, assists,
    commands::{MAX_TEXT, accept, checked, join_public_thread, moved, record},
    extensions,
    queries::{self, SuggestionSummary},
    readings, referrals,
    rows::{answer, suggestion},
    rules::{self, AnswerOutcome, Step, SuggestionState},
    words,
};
use crate::{
    actor::Actor,
    error::{Checks, Code, Result},
    events::Kind,
    ids::{MediaId, SuggestionId},
    media::{self, Media, Subject},
    people,
    store::Tx,
};

/// Voices that get the same words beside the one that is answered.
const ALSO: usize = 20;

/// An answer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerSuggestion {
    /// Up to 2,000 characters; may be empty when there is a clip, unless a guest is answered, who cannot hear it.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub text: String,
    /// An own unattached voice clip that says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_media_id: Option<MediaId>,
    /// What it says of what was wanted; that it is not taken up, or is for somebody outside, is explained in words.
    #[serde(default)]
    pub outcome: AnswerOutcome,
    /// Up to 20 more voices about the same that get the same words, and are accepted by that; the clip says this one alone.
    /// Public ones, and those that one has opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub also: Vec<SuggestionId>,
}

/// A clip that says an answer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpeakAnswer {
    /// An own unattached voice clip.
    pub media_id: MediaId,
}

/// Answers an accepted voice, and others with the same words: all of them, or none. Records `suggestion.answered` for each, and
/// before it `suggestion.accepted` for those of the others that nobody had taken.
///
/// # Errors
/// As [`super::commands::accept`], `wrong_state` unless accepted; `invalid_fields`; `media_not_usable`; `not_found` for another
/// that is not public and was not opened.
pub async fn answer(
    tx: &Tx,
    actor: &Actor,
    (id, input): (SuggestionId, AnswerSuggestion),
) -> Result<SuggestionSummary> {
    let said = input.text.trim().replace("\r\n", "\n");
    let others: BTreeSet<SuggestionId> = input.also.into_iter().filter(|other| *other != id).collect();
    let mut checks = Checks::default();
    let is_heard = input.clip_media_id.is_some() && input.outcome == AnswerOutcome::Answered && others.is_empty();
    checks.text("text", &said, usize::from(!is_heard)..=MAX_TEXT);
    checks.require(others.len() <= ALSO, "also", "too_many_choices");
    checks.done()?;
    let (row, kept) = give(tx, actor, (id, &said, input.outcome)).await?;
    if let Some(clip) = input.clip_media_id {
        attach(tx, actor, (&row, kept, "clip_media_id"), clip).await?;
    }
    for other in others {
        let row = queries::row(tx, other).await?.ok_or(Code::NotFound)?;
        readings::require_read(tx, actor.person, &row).await?;
        if row.state == SuggestionState::Submitted {
            accept(tx, actor, other).await?;
        }
        give(tx, actor, (other, &said, input.outcome)).await?;
    }
    queries::summary(tx, row).await
}

/// One voice is answered with these words; the answer's id.
async fn give(
    tx: &Tx,
    actor: &Actor,
    (id, said, outcome): (SuggestionId, &str, AnswerOutcome),
) -> Result<(Suggestion, Uuid)> {
    let row = checked(tx, actor, id, Step::Answer).await?;
    let seat = rules::handling_seat(actor, &row).ok_or(Code::NotAllowed)?;
    if said.is_empty() {
        must_hear(tx, &row).await?;
    }
    let answered = suggestion::ActiveModel {
        state: Set(SuggestionState::Answered),
        answered_at: Set(Some(tx.now())),
        warn_at: Set(None),
        supervise_at: Set(None),
        ..Default::default()
    };
    let row = moved(tx, &row, answered).await?;
    let row = referrals::end_offer(tx, Some(actor), row).await?;
    let row = extensions::end_open(tx, row).await?;
    assists::end_open(tx, Some(actor), &row).await?;
    let kept = answer::ActiveModel {
        id: Set(Uuid::now_v7()),
        suggestion_id: Set(id),
        body_id: Set(seat.body_id),
        person_id: Set(actor.person),
        text: Set(words::seal(tx, &row, "answer", said).await?),
        created_at: Set(tx.now()),
        outcome: Set(outcome),
        ..Default::default()
    };
    let kept = kept.insert(tx).await?;
    record(tx, Kind::SuggestionAnswered, &row, Some(actor), json!({ "answer": kept.id })).await?;
    join_public_thread(tx, &row, actor.person).await?;
    Ok((row, kept.id))
}

/// Whoever is on no roster reads the answer by a code, without a log-in by which a clip could be heard.
async fn must_hear(tx: &Tx, row: &Suggestion) -> Result<()> {
    let author = people::person(tx, row.author_id).await?;
    let mut checks = Checks::default();
    checks.require(author.is_some_and(|author| author.left_on.is_none()), "text", "required");
    checks.done()
}

/// The newest answer to a voice.
pub(super) async fn newest(db: &impl ConnectionTrait, id: SuggestionId) -> Result<Option<answer::Model>> {
    let answers = answer::Entity::find()
        .filter(answer::Column::SuggestionId.eq(id))
        .order_by_desc(answer::Column::CreatedAt)
        .order_by_desc(answer::Column::Id);
    Ok(answers.one(db).await?)
}

/// Lets a clip say the newest answer, in place of the one before, which is destroyed. Records `suggestion.answer_spoken`.
///
/// # Errors
/// As [`answer`], `wrong_state` unless answered; `erased` when its author had it erased.
pub async fn speak_answer(
    tx: &Tx,
    actor: &Actor,
    (id, input): (SuggestionId, SpeakAnswer),
) -> Result<SuggestionSummary> {
    let row = checked(tx, actor, id, Step::Speak).await?;
    let mut newest = vec![self::newest(tx, id).await?.ok_or(Code::WrongState)?];
    let answer = newest.iter().map(|row| row.id).next().ok_or(Code::WrongState)?;
    // what its author had erased gets no voice either
    words::seal(tx, &row, "answer", "").await?;
    let of_answer = media::queries::attached(tx, media::ANSWER, vec![answer.to_string()]).await?;
    let before: Vec<MediaId> = of_answer.into_values().flatten().map(|clip| clip.id).collect();
    words::open_answers(tx, tx.keys(), &row, &mut newest).await?;
    // what was only spoken is the answer itself: as little to be exchanged as written words
    if !before.is_empty() && newest.iter().all(|row| row.text.is_empty()) {
        return Err(Code::WrongState.into());
    }
    attach(tx, actor, (&row, answer, "media_id"), input.media_id).await?;
    media::commands::discard(tx, media::ANSWER, &before).await?;
    record(tx, Kind::AnswerSpoken, &row, Some(actor), json!({ "answer": answer })).await?;
    queries::summary(tx, row).await
}

async fn attach(tx: &Tx, actor: &Actor, (of, answer, field): (&Suggestion, Uuid, &str), clip: MediaId) -> Result<()> {
    let to = Subject { kind: media::ANSWER, id: &answer.to_string(), area: &of.area_code };
    let attached = media::attach(tx, actor.person, &[clip], to).await?;
    let mut checks = Checks::default();
    checks.require(attached.iter().all(Media::is_voice), field, "no_clip");
    checks.done()
}

/// The voice whose answer a clip says.
pub(super) async fn of_clip(db: &impl ConnectionTrait, subject_id: &str) -> Result<Option<Suggestion>> {
    let Ok(id) = subject_id.parse::<Uuid>() else { return Ok(None) };
    match answer::Entity::find_by_id(id).one(db).await? {
        Some(answer) => queries::row(db, answer.suggestion_id).await,
        None => Ok(None),
    }
}

/// Answers to these voices: what their clips are attached to.
///
/// # Errors
/// When the database cannot be read.
pub async fn answers_to(db: &impl ConnectionTrait, voices: &[SuggestionId]) -> Result<Vec<Uuid>> {
    let mut found = Vec::new();
    for some in voices.chunks(500) {
        let ids = answer::Entity::find()
            .select_only()
            .column(answer::Column::Id)
            .filter(answer::Column::SuggestionId.is_in(some.iter().copied()));
        found.extend(ids.into_tuple::<Uuid>().all(db).await?);
    }
    Ok(found)
}
