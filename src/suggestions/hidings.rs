//! 不公开: a public voice that only its author and those who handle it see, for now, with a reason; and what the office above says
//! when its author objects.
//!
//! # Why
//! Words that insult somebody, or tell where a child lives, cannot wait for a court; and whoever is criticised must not silence who
//! speaks. So nothing is taken away: the voice keeps its number and its clocks, its author reads the reason, and objects once to
//! an office that did not hide it. Words of the list hold a voice in the same way until somebody of the body responsible has
//! looked. Photos and clip may be hidden alone, by a body or, where it is said so (see `media_review`), until somebody has
//! looked: everybody reads the words meanwhile, for a photo that is not fit to be seen takes nothing away from what they say.
//! That an office left the photos hidden says nothing of the words: all of it is hidden for another reason, to which its author
//! objects anew, and when it is shown again the photos stay as the office left them.
use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Suggestion, asked,
    commands::{SUBJECT_KIND, checked, moved, record},
    escalation,
    queries::{self, SuggestionSummary},
    rows::{hiding, suggestion},
    rules::{self, HidingState, Step, SuggestionKind},
};
use crate::{
    actor::Actor,
    bodies, clock,
    error::{Checks, Code, Result},
    events::Kind,
    ids::{BodyId, PersonId, SuggestionId},
    media::{self, MediaView},
    store::Tx,
    text,
};

mod kept;

pub(super) use self::kept::settled;
use self::kept::{beneath, ended, open};

const WORDS: std::ops::RangeInclusive<usize> = 2..=500;

/// Whether a public voice is hidden, and why.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HideSuggestion {
    /// Is it hidden? Otherwise everybody in the village sees it again.
    pub is_on: bool,
    /// Its photos and its clip alone, while everybody reads its words?
    #[serde(default)]
    pub is_media_only: bool,
    /// Read by its author; 2 to 500 characters, needed to hide it.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub reason: String,
}

/// Why its author holds that for wrong.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppealHiding {
    /// 2 to 500 characters.
    #[schema(min_length = 2, max_length = 500)]
    pub text: String,
}

/// What the office says that was asked.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideHiding {
    /// Does everybody in the village see it again?
    pub restore: bool,
    /// Read by its author; 2 to 500 characters.
    #[schema(min_length = 2, max_length = 500)]
    pub reason: String,
}

/// Why a voice is hidden, for its author and those who handle it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HidingView {
    /// The body that hid it, or has not looked at it yet.
    pub body_name: String,
    /// Why.
    pub reason: String,
    /// How far it has come.
    pub state: HidingState,
    /// Since when.
    pub hidden_at: DateTime<FixedOffset>,
    /// What its author said to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appeal: Option<String>,
    /// The office that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub office_name: Option<String>,
    /// What it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// That an author objects, for the office that decides. The words were for everybody; whose they are is not told.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HidingAppeal {
    /// The voice.
    pub suggestion_id: SuggestionId,
    /// Its number.
    pub number: String,
    /// What is wanted.
    pub kind: SuggestionKind,
    /// Code of the village.
    pub area_code: String,
    /// The words; may be empty when it was spoken.
    pub text: String,
    /// Are its photos and its clip hidden alone?
    #[serde(default)]
    pub is_media_only: bool,
    /// Its photos and its clip: who decides sees and hears them while it is asked.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub media: Vec<MediaView>,
    /// The body that hid it.
    pub body_name: String,
    /// Why.
    pub reason: String,
    /// What its author says to it.
    pub appeal: String,
    /// When it was hidden.
    pub hidden_at: DateTime<FixedOffset>,
}

/// Hides a public voice, or its photos and its clip alone, from everybody but its author and those who handle it, or shows it
/// again. Records `suggestion.hidden` or `suggestion.shown`.
///
/// # Errors
/// `not_found`; `not_allowed` for others than the body responsible; `wrong_state` for what is not public, or hidden already,
/// or not hidden, or has no photo and no clip that could be hidden alone, and for what is shown again after an office said its
/// word; `invalid_fields` without a reason. Of what stays hidden after an objection, photos and clip alone, all of it may be.
pub async fn hide(tx: &Tx, actor: &Actor, (id, input): (SuggestionId, HideSuggestion)) -> Result<SuggestionSummary> {
    let row = checked(tx, actor, id, if input.is_on { Step::Hide } else { Step::Show }).await?;
    if !input.is_on {
        let row = show(tx, actor, (row, None)).await?;
        return queries::summary(tx, row).await;
    }
    // whoever was told to show it does not hide it again the next minute: nothing of it has changed
    let is_more = !input.is_media_only || (row.hiding != Some(HidingState::Upheld) && has_media(tx, id).await?);
    if settled(tx, id).await?.is_some() || !is_more {
        return Err(Code::WrongState.into());
    }
    let mut checks = Checks::default();
    checks.text("reason", input.reason.trim(), WORDS);
    checks.done()?;
    let seat = rules::handling_seat(actor, &row).ok_or(Code::NotAllowed)?;
    // that nobody had looked is over; who looked says why. What ends and what begins have one time, by which they are found
    let now = tx.now();
    end(tx, actor, (id, None), now).await?;
    let hidden = suggestion::ActiveModel {
        hiding: Set(Some(HidingState::Hidden)),
        hides_only_media: Set(input.is_media_only),
        ..Default::default()
    };
    let row = moved(tx, &row, hidden).await?;
    write_down(tx, &row, (seat.body_id, Some(actor.person)), (input.reason.trim(), now)).await?;
    let data = json!({ "body": seat.body_id, "media": row.hides_only_media });
    record(tx, Kind::SuggestionHidden, &row, Some(actor), data).await?;
    queries::summary(tx, row).await
}

async fn has_media(db: &impl ConnectionTrait, id: SuggestionId) -> Result<bool> {
    Ok(!media::queries::attached(db, SUBJECT_KIND, vec![id.to_string()]).await?.is_empty())
}

/// A new voice, or its photos and its clip, are looked at before everybody sees them; `why`: the key of the sentence. Records
/// `suggestion.hidden`.
pub(super) async fn hold(tx: &Tx, row: &Suggestion, why: &str) -> Result<()> {
    write_down(tx, row, (row.body_id, None), (&text::say(why), tx.now())).await?;
    let data = json!({ "body": row.body_id, "held": true, "media": row.hides_only_media });
    record(tx, Kind::SuggestionHidden, row, None, data).await
}

async fn write_down(
    tx: &Tx,
    row: &Suggestion,
    (body, by): (BodyId, Option<PersonId>),
    (reason, at): (&str, DateTime<Utc>),
) -> Result<()> {
    let kept = hiding::ActiveModel {
        id: Set(Uuid::now_v7()),
        suggestion_id: Set(row.id),
        body_id: Set(body),
        reason: Set(reason.to_owned()),
        hidden_by: Set(by),
        hidden_at: Set(at),
        ..Default::default()
    };
    kept.insert(tx).await?;
    Ok(())
}

/// Do its photos and its clip wait still for somebody who looks?
pub(super) async fn is_media_unseen(db: &impl ConnectionTrait, of: &Suggestion) -> Result<bool> {
    Ok(rules::is_media_hidden(of) && open(db, of.id).await?.is_some_and(|row| row.hidden_by.is_none()))
}

/// Was it answered while it was hidden last? Who stands behind it has not heard of that.
pub(super) async fn was_answered_unseen(db: &impl ConnectionTrait, of: &Suggestion) -> Result<bool> {
    let times = ended(db, of.id).await?.zip(of.answered_at);
    Ok(times.is_some_and(|(hidden, answered_at)| answered_at >= hidden.hidden_at))
}

/// Does the actor speak for the office that is asked whether it stays hidden?
pub(super) fn decides(actor: &Actor, voice: &Suggestion) -> bool {
    voice.hiding_office.is_some_and(|office| rules::speaking_seat(actor, voice, office).is_ok())
}

/// Everybody in the village sees it again, its photos and its clip only if no office left them hidden before; `said`: what an
/// office said that was asked.
async fn show(tx: &Tx, actor: &Actor, (row, said): (Suggestion, Option<&str>)) -> Result<Suggestion> {
    let data = json!({ "decided": said.is_some(), "media": row.hides_only_media });
    let beneath = beneath(tx, row.id).await?;
    let shown = suggestion::ActiveModel {
        hiding: Set(beneath.as_ref().map(|_| HidingState::Upheld)),
        hiding_office: Set(None),
        hides_only_media: Set(beneath.is_some()),
        ..Default::default()
    };
    let row = moved(tx, &row, shown).await?;
    end(tx, actor, (row.id, said), tx.now()).await?;
    if let Some(stays) = beneath {
        let again = hiding::ActiveModel { id: Set(stays.id), ended_at: Set(None), ..Default::default() };
        again.update(tx).await?;
    }
    record(tx, Kind::SuggestionShown, &row, Some(actor), data).await?;
    Ok(row)
}

/// The one that has not ended does, if there is one.
async fn end(tx: &Tx, actor: &Actor, (id, said): (SuggestionId, Option<&str>), at: DateTime<Utc>) -> Result<()> {
    let Some(open) = open(tx, id).await? else { return Ok(()) };
    let mut ended = hiding::ActiveModel { id: Set(open.id), ended_at: Set(Some(at)), ..Default::default() };
    // what an office said of it before stays
    if said.is_some() || open.answer.is_none() {
        ended.answer = Set(said.map(str::to_owned));
        ended.decided_by = Set(Some(actor.person));
    }
    ended.update(tx).await?;
    Ok(())
}

/// Its author objects, once, to the office above whoever hid it; where there is none, to another person of the same. Records
/// `suggestion.hiding_appealed`.
///
/// # Errors
/// `not_found`; `not_allowed` for others than the author; `wrong_state` when it is not hidden, or the author objected before;
/// `invalid_fields`.
pub async fn appeal(tx: &Tx, actor: &Actor, (id, input): (SuggestionId, AppealHiding)) -> Result<SuggestionSummary> {
    let row = checked(tx, actor, id, Step::Appeal).await?;
    let mut checks = Checks::default();
    checks.text("text", input.text.trim(), WORDS);
    checks.done()?;
    let open = open(tx, id).await?.ok_or(Code::WrongState)?;
    // who has it by now may be below whoever hid it
    let above = escalation::above(tx, (open.body_id, &row.area_code), (&[], tx.now())).await?;
    let office = above.unwrap_or(open.body_id);
    let asked = suggestion::ActiveModel {
        hiding: Set(Some(HidingState::Appealed)),
        hiding_office: Set(Some(office)),
        ..Default::default()
    };
    let row = moved(tx, &row, asked).await?;
    let appealed = hiding::ActiveModel {
        id: Set(open.id),
        appeal: Set(Some(input.text.trim().to_owned())),
        appealed_at: Set(Some(tx.now())),
        office_id: Set(Some(office)),
        ..Default::default()
    };
    appealed.update(tx).await?;
    record(tx, Kind::SuggestionHidingAppealed, &row, Some(actor), json!({ "office": office })).await?;
    queries::summary(tx, row).await
}

/// Lets everybody see it again, or not; nobody decides who hid it. Records `suggestion.shown` or `suggestion.hiding_upheld`.
///
/// # Errors
/// `not_found` when nobody was asked, and for who does not sit in the office that was; `not_allowed` for who does not speak for
/// it, and for who hid the voice; `invalid_fields`.
pub async fn decide(tx: &Tx, actor: &Actor, (id, input): (SuggestionId, DecideHiding)) -> Result<()> {
    let row = queries::row(tx, id).await?.ok_or(Code::NotFound)?;
    let office = row.hiding_office.ok_or(Code::NotFound)?;
    rules::speaking_seat(actor, &row, office)?;
    let open = open(tx, id).await?.ok_or(Code::NotFound)?;
    if open.hidden_by == Some(actor.person) {
        return Err(Code::NotAllowed.into());
    }
    let mut checks = Checks::default();
    checks.text("reason", input.reason.trim(), WORDS);
    checks.done()?;
    if input.restore {
        return show(tx, actor, (row, Some(input.reason.trim()))).await.map(drop);
    }
    let upheld = suggestion::ActiveModel {
        hiding: Set(Some(HidingState::Upheld)),
        hiding_office: Set(None),
        ..Default::default()
    };
    let row = moved(tx, &row, upheld).await?;
    let decided = hiding::ActiveModel {
        id: Set(open.id),
        office_id: Set(Some(office)),
        answer: Set(Some(input.reason.trim().to_owned())),
        decided_by: Set(Some(actor.person)),
        ..Default::default()
    };
    decided.update(tx).await?;
    let data = json!({ "office": office, "media": row.hides_only_media });
    record(tx, Kind::SuggestionHidingUpheld, &row, Some(actor), data).await
}

/// Why a voice is hidden, while it is.
pub(super) async fn of_voice(db: &impl ConnectionTrait, of: &Suggestion) -> Result<Option<HidingView>> {
    let Some(state) = of.hiding else { return Ok(None) };
    let Some(row) = open(db, of.id).await? else { return Ok(None) };
    // the one that is asked now, after another has said nothing
    let asked = of.hiding_office.or(row.office_id);
    let named = [Some(row.body_id), asked].into_iter().flatten().collect();
    let names = bodies::queries::names(db, named).await?;
    let name = |id: BodyId| names.get(&id).cloned().unwrap_or_default();
    Ok(Some(HidingView {
        body_name: name(row.body_id),
        reason: row.reason,
        state,
        hidden_at: clock::local(row.hidden_at),
        appeal: row.appeal,
        office_name: asked.map(name),
        answer: row.answer,
    }))
}

/// Objections that wait for an office for which the actor speaks, with the voice, 100 at most. Never about the actor's own voice,
/// nor about one that the actor hid.
pub(super) async fn waiting(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<(hiding::Model, Suggestion)>> {
    let voices = asked::voices(db, actor, suggestion::Column::HidingOffice).await?;
    let mut open = hiding::Entity::find()
        .filter(hiding::Column::SuggestionId.is_in(voices.iter().map(|voice| voice.id)))
        .filter(hiding::Column::EndedAt.is_null())
        .all(db)
        .await?;
    open.retain(|row| row.hidden_by != Some(actor.person));
    Ok(asked::beside(voices, &open, |row| row.suggestion_id))
}

/// Objections that wait for an office for which the actor speaks, 100 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn appeals(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<HidingAppeal>> {
    let asked = waiting(db, actor).await?;
    let names = bodies::queries::names(db, asked.iter().map(|(row, _)| row.body_id).collect()).await?;
    let voices = asked.iter().map(|(_, voice)| voice.id.to_string()).collect();
    let mut media = media::queries::attached(db, SUBJECT_KIND, voices).await?;
    let show = |(row, voice): (hiding::Model, Suggestion)| HidingAppeal {
        media: media.remove(&voice.id.to_string()).unwrap_or_default(),
        suggestion_id: voice.id,
        number: voice.number,
        kind: voice.kind,
        area_code: voice.area_code,
        text: voice.text,
        is_media_only: voice.hides_only_media,
        body_name: names.get(&row.body_id).cloned().unwrap_or_default(),
        reason: row.reason,
        appeal: row.appeal.unwrap_or_default(),
        hidden_at: clock::local(row.hidden_at),
    };
    Ok(asked.into_iter().map(show).collect())
}
