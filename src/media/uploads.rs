//! Uploads that go on where they broke off: a phone that loses its network sends the rest, not the whole (tus 1.0).
//!
//! Always true: what an upload is told to have is on the disk, synced; only its owner asks about it, goes on with it or drops
//! it; one sender at a time writes; what is whole is inspected like what is sent in one piece, and becomes a photo or a clip
//! once. Whoever did not hear how it ended asks again and is told the same.
//! Tables owned: `uploads`. Events recorded: none.
//!
//! # Why
//! How far it came is the length of its file, not a column: the file is what a crash leaves. The lock that keeps a second
//! sender away is the file's own (`flock`), so that it holds over several servers and ends with its holder.
mod http;
mod parts;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) use self::http::routes;
use super::{
    commands::{self, NewMedia},
    files, incoming, photo,
    queries::{self, MediaView},
    removal,
    rows::upload,
};
use crate::{
    actor::Actor,
    app::App,
    clock,
    error::{Code, Error, Result},
    ids::{PersonId, UploadId},
    store::Tx,
};

/// The longest file.
const MAX_BYTES: i64 = photo::MAX_BYTES as i64;
/// How long an upload waits to be gone on with.
const HOURS: i64 = 24;
/// Unfinished ones of one person, and the bytes that they may become.
const MAX_OPEN: usize = 100;
const MAX_OPEN_BYTES: i64 = 100 * 1024 * 1024;
const SWEPT_AT_ONCE: u64 = 100;

/// A file that is on its way, or came.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct UploadView {
    /// Its id.
    pub id: UploadId,
    /// How long the file is.
    pub length: i64,
    /// How much of it is here, for good.
    pub offset: i64,
    /// Until when it can be gone on with.
    pub expires_at: DateTime<FixedOffset>,
    /// What became of it when it was whole: hand it in with what it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaView>,
    /// Why it was refused when it was whole: a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

/// Begins one: so many bytes are to come.
///
/// # Errors
/// `media_unreadable` for none, `media_too_large`, `too_many_requests` when too much lies about.
async fn begin(tx: &Tx, actor: &Actor, length: i64) -> Result<UploadView> {
    match length {
        ..=0 => return Err(Code::MediaUnreadable.into()),
        1..=MAX_BYTES => {}
        _ => return Err(Code::MediaTooLarge.into()),
    }
    queries::room(tx, actor.person, tx.now()).await?;
    let open = upload::Entity::find()
        .filter(upload::Column::OwnerId.eq(actor.person))
        .filter(upload::Column::MediaId.is_null())
        .filter(upload::Column::Refusal.is_null())
        .filter(upload::Column::ExpiresAt.gt(tx.now()));
    let open = open.all(tx).await?;
    let bytes: i64 = open.iter().map(|row| row.length).sum();
    if open.len() >= MAX_OPEN || bytes + length > MAX_OPEN_BYTES {
        return Err(Code::TooManyRequests.after_secs(3600));
    }
    let row = upload::ActiveModel {
        id: Set(UploadId::new()),
        owner_id: Set(actor.person),
        length: Set(length),
        created_at: Set(tx.now()),
        expires_at: Set(tx.now() + TimeDelta::hours(HOURS)),
        media_id: Set(None),
        refusal: Set(None),
    };
    Ok(view(&row.insert(tx).await?, 0, None))
}

fn view(row: &upload::Model, offset: i64, media: Option<MediaView>) -> UploadView {
    let (expires_at, refusal) = (clock::local(row.expires_at), row.refusal.clone());
    UploadView { id: row.id, length: row.length, offset, expires_at, media, refusal }
}

/// The actor's own, as long as it can be gone on with.
async fn own(db: &impl ConnectionTrait, actor: &Actor, (id, now): (UploadId, DateTime<Utc>)) -> Result<upload::Model> {
    let row = upload::Entity::find_by_id(id).one(db).await?;
    row.filter(|row| row.owner_id == actor.person && row.expires_at > now).ok_or_else(|| Code::NotFound.into())
}

/// How far it came.
async fn standing(app: &App, row: &upload::Model) -> Result<UploadView> {
    if let Some(ended) = ended(app, row).await? {
        return Ok(ended);
    }
    let here = parts::length(&app.config, row.id).await?;
    // finished while we looked
    let row = upload::Entity::find_by_id(row.id).one(app.store.read()).await?.ok_or(Code::NotFound)?;
    Ok(ended(app, &row).await?.unwrap_or_else(|| view(&row, here, None)))
}

/// What became of it, if it is whole.
async fn ended(app: &App, row: &upload::Model) -> Result<Option<UploadView>> {
    let media = match row.media_id {
        Some(id) => queries::row(app.store.read(), id).await?.map(|media| media.view()),
        None => None,
    };
    let is_ended = row.media_id.is_some() || row.refusal.is_some();
    Ok(is_ended.then(|| view(row, row.length, media)))
}

/// Takes what comes from this offset on, and when it is whole, inspects and keeps it.
///
/// # Errors
/// `not_found`, `upload_offset` when it is elsewhere, `upload_busy` while another sender writes, `media_too_large` for more than
/// was announced, `invalid_request` when the sender breaks off, and the refusals of media.
async fn go_on(
    app: &App,
    actor: Actor,
    row: upload::Model,
    (offset, body): (i64, axum::body::Body),
) -> Result<UploadView> {
    let _arrival = incoming::Arrival::of(actor.person)?;
    let _place = incoming::place().await?;
    let part = parts::Part::of(&app.config, row.id).await?;
    // whoever held the lock before may have finished it
    let row = own(app.store.read(), &actor, (row.id, app.now())).await?;
    if let Some(ended) = ended(app, &row).await? {
        parts::remove(&app.config, row.id).await;
        return if offset == row.length { answered(ended) } else { Err(Code::UploadOffset.into()) };
    }
    let (here, left) = part.room(row.length).await?;
    if here != offset {
        return Err(Code::UploadOffset.into());
    }
    incoming::has_room(&app.config.media_dir())?;
    part.append(body, (left, parts::SILENCE)).await?;
    let (here, left) = part.room(row.length).await?;
    if left > 0 {
        return Ok(view(&row, here, None));
    }
    let app = app.clone();
    // goes on when the sender hangs up; the lock is held until it is done
    tokio::spawn(async move { finish(&app, actor, row, part).await }).await.map_err(Error::broken)?
}

/// Told again as it was told first.
fn answered(ended: UploadView) -> Result<UploadView> {
    let refusal = ended.refusal.as_deref().and_then(|code| Code::ALL.iter().find(|one| one.as_str() == code));
    refusal.map_or(Ok(ended.clone()), |code| Err((*code).into()))
}

async fn finish(app: &App, actor: Actor, row: upload::Model, part: parts::Part) -> Result<UploadView> {
    let path = parts::path(&app.config, row.id);
    let kept = match files::keep(app, path.clone()).await {
        Ok(kept) => kept,
        Err(error) => {
            let code = error.code();
            if matches!(code, Code::MediaUnsupported | Code::MediaTooLarge | Code::MediaUnreadable) {
                app.store.write(move |tx| Box::pin(async move { refuse(tx, row.id, code).await })).await?;
                parts::remove(&app.config, row.id).await;
            }
            return Err(error);
        }
    };
    let (new, id) = (kept.new.clone(), row.id);
    let outcome = app.store.write(move |tx| Box::pin(async move { become_media(tx, &actor, row, new).await })).await;
    match &outcome {
        Ok(_) => parts::remove(&app.config, id).await,
        Err(Error::Refused(_)) => drop(removal::remove(app, kept.new.id).await),
        // when the commit itself broke, the row may be there: then its file must be, too
        Err(_) => {}
    }
    drop(part);
    outcome
}

async fn become_media(tx: &Tx, actor: &Actor, row: upload::Model, new: NewMedia) -> Result<UploadView> {
    let media = commands::keep(tx, actor, new).await?;
    let done = upload::Entity::update_many()
        .col_expr(upload::Column::MediaId, Expr::value(media.id))
        .filter(upload::Column::Id.eq(row.id))
        .filter(upload::Column::MediaId.is_null())
        .exec(tx)
        .await?;
    // dropped, or swept, while it was inspected
    if done.rows_affected == 0 {
        return Err(Code::NotFound.into());
    }
    Ok(view(&row, row.length, Some(media)))
}

async fn refuse(tx: &Tx, id: UploadId, code: Code) -> Result<()> {
    let refused = upload::Entity::update_many().col_expr(upload::Column::Refusal, Expr::value(code.as_str()));
    refused.filter(upload::Column::Id.eq(id)).exec(tx).await?;
    Ok(())
}

/// Drops one; what it has become stays.
async fn remove(tx: &Tx, id: UploadId) -> Result<()> {
    upload::Entity::delete_by_id(id).exec(tx).await?;
    Ok(())
}

/// Drops all of a person; their files are swept.
pub(super) async fn remove_of(tx: &Tx, owner: PersonId) -> Result<()> {
    upload::Entity::delete_many().filter(upload::Column::OwnerId.eq(owner)).exec(tx).await?;
    Ok(())
}

async fn forget_expired(tx: &Tx) -> Result<()> {
    let old = upload::Entity::find()
        .filter(upload::Column::ExpiresAt.lte(tx.now()))
        .order_by_asc(upload::Column::ExpiresAt)
        .limit(SWEPT_AT_ONCE)
        .all(tx)
        .await?;
    let ids: Vec<UploadId> = old.iter().map(|row| row.id).collect();
    upload::Entity::delete_many().filter(upload::Column::Id.is_in(ids)).exec(tx).await?;
    Ok(())
}

/// Forgets what nobody went on with, and the files of what is forgotten.
pub(super) async fn sweep(app: &App) -> Result<()> {
    app.store.write(|tx| Box::pin(forget_expired(tx))).await?;
    // a row is there before its file
    for some in parts::all(&app.config).await?.chunks(500) {
        let rows = upload::Entity::find().filter(upload::Column::Id.is_in(some.iter().copied()));
        let known: Vec<UploadId> = rows.all(app.store.read()).await?.into_iter().map(|row| row.id).collect();
        for id in some.iter().filter(|id| !known.contains(id)) {
            parts::remove(&app.config, *id).await;
        }
    }
    Ok(())
}
