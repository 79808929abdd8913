//! 先看后公开: whether photos and clips of public voices are looked at before everybody sees them, as a village or an office above
//! it says.
//!
//! # Why
//! Words can be compared with a list, a picture cannot; and where nobody has time to look, what is held helps nobody. So it is
//! for those who would look to switch it on. Words are shown at once all the same; a voice that was only spoken is held whole,
//! like one with words of the list: its clocks go on, its author reads why, and objects.
use chrono::{DateTime, FixedOffset};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::rows::media_review;
use crate::{
    actor::Actor,
    areas, clock,
    error::Result,
    events::{self, Happening, Kind},
    rights::{self, Right},
    store::Tx,
};

/// Whether they are looked at first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetMediaReview {
    /// Are they? Otherwise what is said for an area above still holds.
    pub is_on: bool,
}

/// Whether photos and clips of public voices are looked at before everybody sees them.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MediaReviewView {
    /// Are they?
    pub is_on: bool,
    /// Code of the highest area for which that was said: nobody below it switches it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area_code: Option<String>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_at: Option<DateTime<FixedOffset>>,
}

/// What holds in an area.
///
/// # Errors
/// `not_found` for an unknown area.
pub async fn read(db: &impl ConnectionTrait, area: &str) -> Result<MediaReviewView> {
    areas::get(db, area).await?;
    let highest = highest(db, area).await?;
    Ok(MediaReviewView {
        is_on: highest.is_some(),
        set_at: highest.as_ref().map(|row| clock::local(row.set_at)),
        area_code: highest.map(|row| row.area_code),
    })
}

/// Are they looked at first in this area?
pub(super) async fn is_on(db: &impl ConnectionTrait, area: &str) -> Result<bool> {
    Ok(highest(db, area).await?.is_some())
}

async fn highest(db: &impl ConnectionTrait, area: &str) -> Result<Option<media_review::Model>> {
    let said = media_review::Entity::find().filter(media_review::Column::AreaCode.is_in(areas::ancestors(area)));
    Ok(said.all(db).await?.into_iter().min_by_key(|row| row.area_code.len()))
}

/// Says whether they are looked at first in an area and below it; what was left before stays as it is. Records
/// `suggestion.media_review_changed`.
///
/// # Errors
/// `not_allowed` for who does not look at what is held there; `not_found`.
pub async fn set(tx: &Tx, actor: &Actor, (area, input): (String, SetMediaReview)) -> Result<MediaReviewView> {
    rights::require(actor, Right::Moderate, &area)?;
    areas::get(tx, &area).await?;
    let is_said = media_review::Entity::find_by_id(area.clone()).one(tx).await?.is_some();
    if is_said == input.is_on {
        return read(tx, &area).await;
    }
    if input.is_on {
        let row = media_review::ActiveModel {
            area_code: Set(area.clone()),
            set_by: Set(actor.person),
            set_at: Set(tx.now()),
        };
        row.insert(tx).await?;
    } else {
        media_review::Entity::delete_by_id(area.clone()).exec(tx).await?;
    }
    let data = json!({ "on": input.is_on });
    let happening = Happening::new(Kind::SuggestionMediaReviewChanged, &area).at(&area).by(actor.person).with(data);
    events::record(tx, happening).await?;
    read(tx, &area).await
}
