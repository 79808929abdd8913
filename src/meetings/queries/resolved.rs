//! What meetings resolved, as everybody may see it.
use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    error::Result,
    ids::{MeetingId, TaskId},
    meetings::rows::resolution,
};

/// One thing that was put to those who were there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResolutionView {
    /// From 1.
    pub number: i32,
    /// What it says.
    pub text: String,
    /// Hands for it, where they were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub votes_for: Option<i32>,
    /// Against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub votes_against: Option<i32>,
    /// Neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abstentions: Option<i32>,
    /// Was it carried? Not where nobody counted; minutes of before that rule say so themselves.
    pub is_carried: bool,
    /// The task that it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
}

/// Those of these meetings, in order.
pub(super) async fn of(
    db: &impl ConnectionTrait,
    meetings: Vec<MeetingId>,
) -> Result<HashMap<MeetingId, Vec<ResolutionView>>> {
    let rows = resolution::Entity::find()
        .filter(resolution::Column::MeetingId.is_in(meetings))
        .order_by_asc(resolution::Column::MeetingId)
        .order_by_asc(resolution::Column::Number)
        .all(db)
        .await?;
    let mut found: HashMap<MeetingId, Vec<ResolutionView>> = HashMap::new();
    for row in rows {
        found.entry(row.meeting_id).or_default().push(ResolutionView {
            number: row.number,
            text: row.text,
            votes_for: row.votes_for,
            votes_against: row.votes_against,
            abstentions: row.abstentions,
            is_carried: row.is_carried,
            task_id: row.task_id,
        });
    }
    Ok(found)
}

/// What a meeting resolved, in one text: what was not carried is no part of it. `before` is what minutes of before
/// resolutions were written one by one say.
pub(super) fn carried(all: &[ResolutionView], before: Option<String>) -> Option<String> {
    if all.is_empty() {
        return before;
    }
    let texts: Vec<&str> = all.iter().filter(|one| one.is_carried).map(|one| one.text.as_str()).collect();
    Some(texts.join("\n")).filter(|text| !text.is_empty())
}
