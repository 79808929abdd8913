//! Reads of reports, for the desk.
use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{commands::place, rows::report, rules};
use crate::{
    actor::Actor,
    app::App,
    bodies::{self, Right},
    clock,
    error::Result,
    ids::{ReportId, StreamId},
    keys::Keys,
    people, seals, streams, text,
};

/// Rows shown at most.
const SHOWN: u64 = 100;

/// A report as who decides sees it. Who reported is not said.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReportView {
    /// Its id.
    pub id: ReportId,
    /// The conversation.
    pub stream_id: StreamId,
    /// Its title.
    pub stream_title: String,
    /// The message.
    pub seq: i64,
    /// Who said it; full name.
    pub sender_name: String,
    /// What was said, also when it was taken back since.
    pub text: String,
    /// Why it was reported.
    pub reason: String,
    /// open, kept (the message stays), removed.
    pub state: String,
    /// Why it was decided so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_reason: Option<String>,
    /// When it was reported.
    pub created_at: DateTime<FixedOffset>,
}

/// What waits for a decision in an area, oldest first, 100 at most.
///
/// # Errors
/// `not_allowed` without the right there.
pub async fn open_in(app: &App, actor: &Actor, area: &str) -> Result<Vec<ReportView>> {
    bodies::require(actor, Right::Moderate, area)?;
    let db = app.store.read();
    let rows = report::Entity::find()
        .filter(report::Column::AreaCode.eq(area))
        .filter(report::Column::State.eq(rules::OPEN))
        .order_by_asc(report::Column::CreatedAt)
        .limit(SHOWN)
        .all(db)
        .await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        views.push(view(db, &app.keys, row).await?);
    }
    Ok(views)
}

pub(super) async fn view(db: &impl ConnectionTrait, keys: &Keys, row: report::Model) -> Result<ReportView> {
    let key = seals::queries::open(db, keys, row.key_id).await?;
    let evidence = match key {
        Some(key) if !row.evidence.is_empty() => key.open_text(&place(row.id), &row.evidence)?,
        _ => text::say("erased"),
    };
    let sender = streams::queries::sender(db, (row.stream_id, row.seq)).await?;
    let names = people::names(db, sender.into_iter().collect()).await?;
    Ok(ReportView {
        stream_title: streams::queries::title(db, row.stream_id).await?,
        sender_name: names.into_values().next().unwrap_or_default(),
        text: evidence,
        id: row.id,
        stream_id: row.stream_id,
        seq: row.seq,
        reason: row.reason,
        state: row.state,
        decision_reason: row.decision_reason,
        created_at: clock::local(row.created_at),
    })
}
