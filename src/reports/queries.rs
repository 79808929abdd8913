//! Reads of reports, for the desk.
use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    commands::{MEDIA_KIND, place, subject},
    rows::report,
    rules,
};
use crate::{
    actor::Actor,
    app::App,
    bodies::{self, Right},
    clock,
    error::{Code, Result},
    ids::{ReportId, StreamId},
    keys::Keys,
    media::{self, Media, MediaView},
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
    /// Who said it: masked, as it stands there; in full once it was taken away, for everybody to see. Else whoever decides had only
    /// to report a message to learn whose it is.
    pub sender_name: String,
    /// What was said, also when it was taken back since; of a list all that stood in it.
    pub text: String,
    /// Photos and clips, while it is open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<MediaView>,
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

/// How many wait for a decision, in those of these areas where any does.
///
/// # Errors
/// When the database cannot be read.
pub async fn open_by_area(db: &impl ConnectionTrait, areas: Vec<String>) -> Result<Vec<(String, i64)>> {
    let waiting = report::Entity::find()
        .select_only()
        .column(report::Column::AreaCode)
        .column_as(report::Column::Id.count(), "waiting")
        .filter(report::Column::AreaCode.is_in(areas))
        .filter(report::Column::State.eq(rules::OPEN))
        .group_by(report::Column::AreaCode)
        .order_by_asc(report::Column::AreaCode);
    Ok(waiting.into_tuple().all(db).await?)
}

/// Lets see a photo or clip of a reported message: who decides; as long as the message stands, who spoke and whoever reads
/// the conversation.
///
/// # Errors
/// `not_found`; `erased` for those who read it before it was taken back.
pub async fn let_see(db: &impl ConnectionTrait, actor: &Actor, row: &Media) -> Result<()> {
    let subject = row.subject_id.as_deref().and_then(|subject| subject.split_once('/'));
    let place = subject.and_then(|(stream, seq)| Some((stream.parse().ok()?, seq.parse().ok()?)));
    let place: (StreamId, i64) = place.ok_or(Code::NotFound)?;
    let is_known = row.owner_id == actor.person || streams::queries::readable(db, actor, place.0).await.is_ok();
    if is_known && streams::queries::stands(db, place).await? {
        return Ok(());
    }
    let about = report::Entity::find()
        .filter(report::Column::StreamId.eq(place.0))
        .filter(report::Column::Seq.eq(place.1))
        .filter(report::Column::State.eq(rules::OPEN));
    let decides = |row: report::Model| bodies::may(actor, Right::Moderate, &row.area_code);
    if row.owner_id != actor.person && about.one(db).await?.is_some_and(decides) {
        return Ok(());
    }
    Err(if is_known { Code::Erased } else { Code::NotFound }.into())
}

pub(super) async fn view(db: &impl ConnectionTrait, keys: &Keys, row: report::Model) -> Result<ReportView> {
    let key = seals::queries::open(db, keys, row.key_id).await?;
    let evidence = match key {
        Some(key) if !row.evidence.is_empty() => key.open_text(&place(row.id), &row.evidence)?,
        _ => text::say("erased"),
    };
    let media = media::queries::attached(db, MEDIA_KIND, vec![subject(row.stream_id, row.seq)]).await?;
    let sender = streams::queries::sender(db, (row.stream_id, row.seq)).await?;
    let names = people::names(db, sender.into_iter().collect()).await?;
    let name = names.into_values().next().unwrap_or_default();
    Ok(ReportView {
        stream_title: streams::queries::title(db, row.stream_id).await?,
        sender_name: if row.state == rules::REMOVED { name } else { people::mask_name(&name) },
        text: evidence,
        media: media.into_values().flatten().filter(|_| row.state == rules::OPEN).collect(),
        id: row.id,
        stream_id: row.stream_id,
        seq: row.seq,
        reason: row.reason,
        state: row.state,
        decision_reason: row.decision_reason,
        created_at: clock::local(row.created_at),
    })
}
