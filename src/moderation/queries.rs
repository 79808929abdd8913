//! Reads of held messages: one's own, and those one decides about.
use std::collections::HashSet;

use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    commands::MEDIA_KIND,
    rows::{held, reviewed},
    rules,
};
use crate::{
    actor::Actor,
    app::App,
    bodies::{self, Right},
    clock,
    error::{Code, Error, Result},
    ids::{HeldId, StreamId},
    keys::Keys,
    media::{self, MediaView},
    people, seals,
    store::{InTime, Tx, padded},
    streams::{self, commands::SendMessage},
    text,
};

/// Rows shown at most.
const SHOWN: u64 = 100;
/// One's own, shown at most.
const OWN: u64 = 50;

/// A message that waits, or waited.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HeldView {
    /// Its id.
    pub id: HeldId,
    /// The conversation.
    pub stream_id: StreamId,
    /// Its title.
    pub stream_title: String,
    /// Who wants to say it, under the masked name that the conversation would show; absent for its author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_name: Option<String>,
    /// What it says.
    pub text: String,
    /// Photos and clips.
    pub media: Vec<MediaView>,
    /// review, or the kind of word for which it is held: ad, fraud, gambling, abuse, rumour.
    pub reason: String,
    /// The same as a sentence.
    pub reason_text: String,
    /// waiting, approved, refused, appealed, upheld.
    pub state: String,
    /// Why it was decided so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_reason: Option<String>,
    /// What its author objected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appeal: Option<String>,
    /// Why the appeal was decided so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appeal_reason: Option<String>,
    /// Where it stands in the conversation, once it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// When it was sent.
    pub created_at: DateTime<FixedOffset>,
}

/// The words cannot be moved to another message.
pub(super) fn place(id: HeldId) -> String {
    format!("held {id}")
}

/// Is everything looked at first in this conversation?
///
/// # Errors
/// When the database cannot be read.
pub async fn is_reviewed(db: &impl ConnectionTrait, stream: StreamId) -> Result<bool> {
    Ok(reviewed::Entity::find_by_id(stream).count(db).await? > 0)
}

/// A conversation that somebody speaks in.
#[derive(Clone, Copy)]
pub(super) struct Spoken(pub(super) StreamId);

/// [`is_reviewed`], asked together with all who speak at the moment.
pub(super) async fn are_reviewed(db: &InTime, spoken: &[Spoken]) -> Result<Vec<bool>> {
    let asked = padded(spoken.iter().map(|one| one.0).collect::<Vec<_>>());
    let reviewed = reviewed::Entity::find().filter(reviewed::Column::StreamId.is_in(asked)).all(db).await?;
    let reviewed: HashSet<StreamId> = reviewed.into_iter().map(|row| row.stream_id).collect();
    Ok(spoken.iter().map(|one| reviewed.contains(&one.0)).collect())
}

/// Does the actor decide about this message: who keeps the area, and who leads the conversation?
pub(super) async fn decides(db: &impl ConnectionTrait, actor: &Actor, row: &held::Model) -> Result<bool> {
    if bodies::may(actor, Right::Moderate, &row.area_code) {
        return Ok(true);
    }
    match streams::queries::leads(db, actor, row.stream_id).await {
        Ok(leads) => Ok(leads),
        Err(error) if error.code() == Code::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// May the actor see what is attached to this message?
///
/// # Errors
/// When the database cannot be read.
pub async fn sees_media(db: &impl ConnectionTrait, actor: &Actor, id: &str) -> Result<bool> {
    let Ok(id) = id.parse::<HeldId>() else { return Ok(false) };
    match held::Entity::find_by_id(id).one(db).await? {
        Some(row) => decides(db, actor, &row).await,
        None => Ok(false),
    }
}

/// What waits for a decision or on appeal in an area, oldest first, 100 at most.
///
/// # Errors
/// `not_allowed` without the right there.
pub async fn waiting(app: &App, actor: &Actor, area: &str) -> Result<Vec<HeldView>> {
    bodies::require(actor, Right::Moderate, area)?;
    let rows = held::Entity::find()
        .filter(held::Column::AreaCode.eq(area))
        .filter(held::Column::State.is_in([rules::WAITING, rules::APPEALED]))
        .order_by_asc(held::Column::CreatedAt)
        .limit(SHOWN)
        .all(app.store.read())
        .await?;
    views(app.store.read(), &app.keys, rows, actor).await
}

/// How many wait for a decision or on appeal, in those of these areas where any does.
///
/// # Errors
/// When the database cannot be read.
pub async fn waiting_by_area(db: &impl ConnectionTrait, areas: Vec<String>) -> Result<Vec<(String, i64)>> {
    let waiting = held::Entity::find()
        .select_only()
        .column(held::Column::AreaCode)
        .column_as(held::Column::Id.count(), "waiting")
        .filter(held::Column::AreaCode.is_in(areas))
        .filter(held::Column::State.is_in([rules::WAITING, rules::APPEALED]))
        .group_by(held::Column::AreaCode)
        .order_by_asc(held::Column::AreaCode);
    Ok(waiting.into_tuple().all(db).await?)
}

/// What waits in a conversation that the actor leads, oldest first.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not lead it.
pub async fn waiting_in(app: &App, actor: &Actor, stream: StreamId) -> Result<Vec<HeldView>> {
    let db = app.store.read();
    if !streams::queries::leads(db, actor, stream).await? {
        return Err(Code::NotAllowed.into());
    }
    let rows = held::Entity::find()
        .filter(held::Column::StreamId.eq(stream))
        .filter(held::Column::State.eq(rules::WAITING))
        .order_by_asc(held::Column::CreatedAt)
        .limit(SHOWN)
        .all(db)
        .await?;
    views(db, &app.keys, rows, actor).await
}

/// The actor's own that were not shown, newest first, 50 at most; in one conversation, or in all.
///
/// # Errors
/// When the database cannot be read.
pub async fn own(app: &App, actor: &Actor, stream: Option<StreamId>) -> Result<Vec<HeldView>> {
    let mut rows = held::Entity::find()
        .filter(held::Column::AuthorId.eq(actor.person))
        .filter(held::Column::State.ne(rules::APPROVED));
    if let Some(stream) = stream {
        rows = rows.filter(held::Column::StreamId.eq(stream)).filter(held::Column::State.ne(rules::UPHELD));
    }
    let rows = rows.order_by_desc(held::Column::CreatedAt).limit(OWN).all(app.store.read()).await?;
    views(app.store.read(), &app.keys, rows, actor).await
}

pub(super) async fn view(tx: &Tx, row: held::Model, actor: &Actor) -> Result<HeldView> {
    let views = views(tx, tx.keys(), vec![row], actor).await?;
    views.into_iter().next().ok_or_else(|| Error::broken("a held message without a view"))
}

async fn views(db: &impl ConnectionTrait, keys: &Keys, rows: Vec<held::Model>, actor: &Actor) -> Result<Vec<HeldView>> {
    let names = people::names(db, rows.iter().map(|row| row.author_id).collect()).await?;
    let mut photos =
        media::queries::attached(db, MEDIA_KIND, rows.iter().map(|row| row.id.to_string()).collect()).await?;
    let titles = streams::queries::titles(db, rows.iter().map(|row| row.stream_id).collect()).await?;
    let opened = seals::queries::open_all(db, keys, rows.iter().map(|row| row.key_id)).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        let key = opened.key(row.key_id);
        let open = |sealed: &str| key.and_then(|key| key.open_text(&place(row.id), sealed).ok());
        let said = open(&row.body).and_then(|body| serde_json::from_str::<SendMessage>(&body).ok());
        let is_theirs = row.author_id == actor.person;
        views.push(HeldView {
            stream_title: titles.get(&row.stream_id).cloned().unwrap_or_default(),
            author_name: names.get(&row.author_id).filter(|_| !is_theirs).map(|name| people::mask_name(name)),
            text: said.map_or_else(|| text::say("erased"), |said| said.text),
            media: photos.remove(&row.id.to_string()).unwrap_or_default(),
            reason_text: text::word("held-reason", &row.reason),
            appeal: row.appeal.as_deref().and_then(open),
            id: row.id,
            stream_id: row.stream_id,
            reason: row.reason,
            state: row.state,
            decision_reason: row.decision_reason,
            appeal_reason: row.appeal_reason,
            seq: row.sent_seq,
            created_at: clock::local(row.created_at),
        });
    }
    Ok(views)
}
