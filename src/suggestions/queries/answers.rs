//! Reads of answers: their words, their clips, and the voice to which a clip belongs.
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use chrono::{DateTime, FixedOffset};

use crate::{
    bodies, clock,
    error::Result,
    keys::Keys,
    media::{self, MediaView},
    people,
    suggestions::{AnswerOutcome, Suggestion, rows::answer, words},
};

/// An answer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SuggestionAnswerView {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: Uuid,
    /// The body that answers.
    pub body_name: String,
    /// Who wrote it, in that seat.
    pub person_name: String,
    /// What it says of what was wanted.
    pub outcome: AnswerOutcome,
    /// The words; may be empty when it was spoken.
    pub text: String,
    /// The clip that says it, for whoever may read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<MediaView>,
    /// When.
    pub created_at: DateTime<FixedOffset>,
    /// What the author thinks of this answer, 1 to 5.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rating: Option<i32>,
    /// What the author said with that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rating_text: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rated_at: Option<DateTime<FixedOffset>>,
}

pub(in crate::suggestions) async fn answers(
    db: &impl ConnectionTrait,
    keys: &Keys,
    of: &Suggestion,
) -> Result<Vec<SuggestionAnswerView>> {
    let mut rows = answer::Entity::find()
        .filter(answer::Column::SuggestionId.eq(of.id))
        .order_by_asc(answer::Column::CreatedAt)
        .order_by_asc(answer::Column::Id)
        .all(db)
        .await?;
    words::open_answers(db, keys, of, &mut rows).await?;
    let names = people::queries::names(db, rows.iter().map(|row| row.person_id).collect()).await?;
    let bodies = bodies::queries::names(db, rows.iter().map(|row| row.body_id).collect()).await?;
    let mut clips =
        media::queries::attached(db, media::ANSWER, rows.iter().map(|row| row.id.to_string()).collect()).await?;
    let show = |row: answer::Model| SuggestionAnswerView {
        id: row.id,
        body_name: bodies.get(&row.body_id).cloned().unwrap_or_default(),
        person_name: names.get(&row.person_id).cloned().unwrap_or_default(),
        outcome: row.outcome,
        text: row.text,
        clip: clips.remove(&row.id.to_string()).and_then(|mut clips| clips.pop()),
        created_at: clock::local(row.created_at),
        rating: row.rating,
        rating_text: row.rating_text,
        rated_at: row.rated_at.map(clock::local),
    };
    Ok(rows.into_iter().map(show).collect())
}
