//! How voices go from body to body, as it is shown: the steps of one, the offers to one's own bodies, and who could take it.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Suggestion, asked,
    promises::Urgency,
    queries::{self, Shown, SuggestionSummary},
    referrals::{ReferralState, is_next, past_accused, targets, times},
    routing,
    rows::{referral, suggestion},
    rules::{Category, SuggestionKind, Visibility},
    words,
};
use crate::{
    actor::Actor,
    bodies::{self, queries::Body},
    clock,
    error::Result,
    ids::{BodyId, ReferralId},
    keys::Keys,
    media::MediaView,
};

/// One step of a voice from body to body, for its author and those who handle it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReferralView {
    /// Its id.
    pub id: ReferralId,
    /// The body that was responsible.
    pub from_body_name: String,
    /// The body that was asked.
    pub to_body_name: String,
    /// Why.
    pub reason: String,
    /// What came of it.
    pub state: ReferralState,
    /// Why it was not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Who should have it, as the one that did not take it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_body_name: Option<String>,
    /// When it was asked.
    pub offered_at: DateTime<FixedOffset>,
    /// When it was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<FixedOffset>>,
}

/// A voice that another body wants to pass on to one's own: what it is about, and not whose it is. Its words only where
/// everybody in the village may read them: whoever is asked does not handle it yet, and may say no.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReferralOffer {
    /// Its id.
    pub id: ReferralId,
    /// The voice's number.
    pub number: String,
    /// What is wanted.
    pub kind: SuggestionKind,
    /// What it is about.
    pub category: Category,
    /// How it presses.
    pub urgency: Urgency,
    /// Who sees it besides the author.
    pub visibility: Visibility,
    /// Code of the village.
    pub area_code: String,
    /// The words; only of what is public and not hidden.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// Where; as `text`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub place: Option<String>,
    /// Photos and clip; as `text`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub media: Vec<MediaView>,
    /// The body responsible.
    pub from_body_id: BodyId,
    /// Its name.
    pub from_body_name: String,
    /// The own body that is asked.
    pub to_body_name: String,
    /// Why it is to be passed on.
    pub reason: String,
    /// To be answered before this moment, whoever does it.
    pub answer_due_at: DateTime<FixedOffset>,
    /// When it was asked.
    pub offered_at: DateTime<FixedOffset>,
}

/// Bodies to which the voice can be passed on, and those that can be asked for their part; those of the village first.
///
/// # Errors
/// When the database cannot be read.
pub async fn choices(
    db: &impl ConnectionTrait,
    row: &SuggestionSummary,
    now: DateTime<Utc>,
) -> Result<(Vec<Body>, Vec<Body>)> {
    let Some(voice) = queries::row(db, row.id).await? else { return Ok((Vec::new(), Vec::new())) };
    let mut others = targets(db, &voice, now).await?;
    others.retain(|body| body.id != voice.body_id);
    let asked = times(db, row.id).await?;
    Ok((others.iter().filter(|body| is_next(&voice, body, asked)).cloned().collect(), others))
}

/// Bodies that may be named by who does not take an offer, for each offer. What can be given what is left in one place is
/// looked up once.
///
/// # Errors
/// When the database cannot be read.
pub async fn instead(
    db: &impl ConnectionTrait,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<HashMap<ReferralId, Vec<Body>>> {
    let mut near: HashMap<(String, Visibility), Vec<Body>> = HashMap::new();
    let mut named = HashMap::new();
    for (offer, voice) in waiting(db, actor).await? {
        let place = (voice.area_code.clone(), voice.visibility);
        let found = match near.get(&place) {
            Some(found) => found.clone(),
            None => routing::targets(db, &voice.area_code, (voice.visibility, now)).await?,
        };
        near.entry(place).or_insert_with(|| found.clone());
        let mut found = past_accused(db, &voice, (found, now)).await?;
        found.retain(|body| body.id != offer.to_body_id);
        named.insert(offer.id, found);
    }
    Ok(named)
}

/// How a voice went from body to body, oldest first.
pub(super) async fn of_voice(db: &impl ConnectionTrait, keys: &Keys, of: &Suggestion) -> Result<Vec<ReferralView>> {
    let rows = referral::Entity::find()
        .filter(referral::Column::SuggestionId.eq(of.id))
        .order_by_asc(referral::Column::OfferedAt)
        .order_by_asc(referral::Column::Id)
        .all(db)
        .await?;
    let named = rows.iter().flat_map(|row| [Some(row.from_body_id), Some(row.to_body_id), row.next_body_id]);
    let names = bodies::queries::names(db, named.flatten().collect()).await?;
    let name = |id: BodyId| names.get(&id).cloned().unwrap_or_default();
    let opened = words::keys_of(db, keys, &[of]).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        let answer = row.answer.as_deref().map(|kept| words::said(&opened, of, ("refusal", kept)));
        views.push(ReferralView {
            id: row.id,
            from_body_name: name(row.from_body_id),
            to_body_name: name(row.to_body_id),
            reason: words::said(&opened, of, ("referral", &row.reason))?,
            state: row.state,
            answer: answer.transpose()?,
            next_body_name: row.next_body_id.map(name),
            offered_at: clock::local(row.offered_at),
            decided_at: row.decided_at.map(clock::local),
        });
    }
    Ok(views)
}

/// Offers to a body for which the actor speaks, with the voice, the most urgent first, 100 at most. Never of the actor's own,
/// nor of one that is about the actor.
pub(super) async fn waiting(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<(referral::Model, Suggestion)>> {
    let voices = asked::voices(db, actor, suggestion::Column::OfferedTo).await?;
    let open = referral::Entity::find()
        .filter(referral::Column::SuggestionId.is_in(voices.iter().map(|voice| voice.id)))
        .filter(referral::Column::State.eq(ReferralState::Offered))
        .all(db)
        .await?;
    Ok(asked::beside(voices, &open, |row| row.suggestion_id))
}

/// Voices that others want to pass on to a body for which the actor speaks, the most urgent first, 100 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn offers(db: &impl ConnectionTrait, keys: &Keys, actor: &Actor) -> Result<Vec<ReferralOffer>> {
    let asked = waiting(db, actor).await?;
    let named = asked.iter().flat_map(|(row, _)| [row.from_body_id, row.to_body_id]);
    let names = bodies::queries::names(db, named.collect()).await?;
    let voices: Vec<&Suggestion> = asked.iter().map(|(_, voice)| voice).collect();
    let opened = words::keys_of(db, keys, &voices).await?;
    let shown = asked.iter().map(|(_, voice)| voice.clone()).collect();
    let shown = queries::summaries(db, shown, Shown::PublicOnly).await?;
    let mut offers = Vec::with_capacity(asked.len());
    for ((row, voice), shown) in asked.iter().zip(shown) {
        offers.push(ReferralOffer {
            id: row.id,
            kind: voice.kind,
            category: voice.category,
            urgency: voice.urgency,
            visibility: voice.visibility,
            text: shown.text,
            place: shown.place,
            media: shown.media,
            area_code: voice.area_code.clone(),
            from_body_id: row.from_body_id,
            from_body_name: names.get(&row.from_body_id).cloned().unwrap_or_default(),
            to_body_name: names.get(&row.to_body_id).cloned().unwrap_or_default(),
            reason: words::said(&opened, voice, ("referral", &row.reason))?,
            answer_due_at: clock::local(voice.answer_due_at),
            offered_at: clock::local(row.offered_at),
            number: voice.number.clone(),
        });
    }
    Ok(offers)
}
