//! What went to webhooks last, and what came of it.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::rows::{attempt, delivery};
use crate::{clock, error::Result, ids::WebhookId};

/// Of each webhook.
const SHOWN: u64 = 10;

/// One event to one webhook.
#[derive(Clone, Debug)]
pub struct HookCall {
    /// The event's.
    pub kind: String,
    /// `queued`, `sending`, `sent`, `cancelled` or `dead`.
    pub state: String,
    /// How often it was tried.
    pub tries: i32,
    /// The answer to the last try; 0: none.
    pub status: Option<i32>,
    /// When it happened.
    pub at: DateTime<FixedOffset>,
}

/// The newest calls of each of these webhooks, for who may see them.
///
/// # Errors
/// When the database cannot be read.
pub async fn newest(db: &impl ConnectionTrait, webhooks: &[WebhookId]) -> Result<HashMap<WebhookId, Vec<HookCall>>> {
    let mut found = HashMap::new();
    for id in webhooks {
        let rows = delivery::Entity::find()
            .filter(delivery::Column::TargetId.eq(id.to_string()))
            .order_by_desc(delivery::Column::EventNumber)
            .limit(SHOWN)
            .all(db)
            .await?;
        let tries = attempt::Entity::find()
            .filter(attempt::Column::DeliveryId.is_in(rows.iter().map(|row| row.id)))
            .order_by_desc(attempt::Column::At)
            .all(db)
            .await?;
        let show = |row: delivery::Model| HookCall {
            status: tries.iter().find(|one| one.delivery_id == row.id).map(|one| one.status),
            tries: row.tried(),
            at: clock::local(row.created_at),
            kind: row.kind,
            state: row.state,
        };
        found.insert(*id, rows.into_iter().map(show).collect());
    }
    Ok(found)
}
