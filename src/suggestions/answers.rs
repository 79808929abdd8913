//! Answers 答复: in words, spoken, or both; a clip is as private as the voice that it answers.
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Suggestion, assists,
    commands::{MAX_TEXT, checked, join_public_thread, moved, record},
    extensions,
    queries::{self, SuggestionSummary},
    referrals,
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
}

/// A clip that says an answer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpeakAnswer {
    /// An own unattached voice clip.
    pub media_id: MediaId,
}

/// Answers an accepted voice. Records `suggestion.answered`.
///
/// # Errors
/// As [`super::commands::accept`], `wrong_state` unless accepted; `invalid_fields`; `media_not_usable`.
pub async fn answer(
    tx: &Tx,
    actor: &Actor,
    (id, input): (SuggestionId, AnswerSuggestion),
) -> Result<SuggestionSummary> {
    let said = input.text.trim().replace("\r\n", "\n");
    let mut checks = Checks::default();
    let in_words = input.clip_media_id.is_none() || input.outcome != AnswerOutcome::Answered;
    checks.text("text", &said, usize::from(in_words)..=MAX_TEXT);
    checks.done()?;
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
        text: Set(words::seal(tx, &row, "answer", &said).await?),
        created_at: Set(tx.now()),
        outcome: Set(input.outcome),
        ..Default::default()
    };
    let kept = kept.insert(tx).await?;
    if let Some(clip) = input.clip_media_id {
        attach(tx, actor, (&row, kept.id, "clip_media_id"), clip).await?;
    }
    record(tx, Kind::SuggestionAnswered, &row, Some(actor), json!({ "answer": kept.id })).await?;
    join_public_thread(tx, &row, actor.person).await?;
    queries::summary(tx, row).await
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
