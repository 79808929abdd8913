//! Reads of media: one row, all of a thing, and whether somebody may send more.
use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Media, VOICE, rows::media, voice};
use crate::{
    error::{Code, Result},
    ids::{DataKeyId, MediaId, PersonId},
};

/// Media that a person may send in a day, whatever became of them: what is attached stays for good.
const MAX_A_DAY: u64 = 100;
/// Of these, unattached ones.
const MAX_UNATTACHED_A_DAY: usize = 30;
/// Bytes of unattached media that a person may have.
const MAX_UNATTACHED_BYTES: i64 = 100 * 1024 * 1024;

/// A photo or voice clip.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, PartialEq, Eq)]
pub struct MediaView {
    /// Hand it in with what it belongs to.
    pub id: MediaId,
    /// photo or voice.
    pub kind: String,
    /// What a browser must know to show what is at `url`.
    pub mime: String,
    /// Length of the file as it was kept.
    pub bytes: i64,
    /// How long a clip lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i32>,
    /// How loud a clip is from its beginning to its end, 48 numbers from 0 to 31; not of every clip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<Vec<u8>>,
    /// Width of a photo in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<i32>,
    /// Height of a photo in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<i32>,
    /// Where it is; of a photo with `?size=thumb` the small one. Where a clip is that most phones do not play
    /// (AMR), there is a copy that they do, some seconds after it came, if the server can make one.
    pub url: String,
}

impl Media {
    /// As the API shows it.
    #[must_use]
    pub fn view(&self) -> MediaView {
        MediaView {
            id: self.id,
            kind: self.kind.clone(),
            mime: self.played_mime.as_ref().unwrap_or(&self.mime).clone(),
            bytes: self.bytes,
            duration_ms: self.duration_ms,
            levels: self.levels.as_deref().map(voice::levels::numbers),
            width: self.width,
            height: self.height,
            url: format!("/v1/media/{}{}", self.id, self.form()),
        }
    }

    /// What an address says to get the copy that every phone plays, from the beginning: addresses are kept in messages.
    #[must_use]
    pub fn form(&self) -> &'static str {
        if self.wants_copy() { "?size=played" } else { "" }
    }

    /// Do most phones not play it, so that a copy is made that they do?
    pub(super) fn wants_copy(&self) -> bool {
        self.mime == voice::AMR
    }

    /// Is it a voice clip?
    #[must_use]
    pub fn is_voice(&self) -> bool {
        self.kind == VOICE
    }
}

/// The row of this id.
///
/// # Errors
/// When the database cannot be read.
pub async fn row(db: &impl ConnectionTrait, id: MediaId) -> Result<Option<Media>> {
    Ok(media::Entity::find_by_id(id).one(db).await?)
}

/// The rows of these ids.
///
/// # Errors
/// When the database cannot be read.
pub async fn rows(db: &impl ConnectionTrait, ids: Vec<MediaId>) -> Result<HashMap<MediaId, Media>> {
    let rows = media::Entity::find().filter(media::Column::Id.is_in(ids)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// What these keys seal.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn sealed_by(db: &impl ConnectionTrait, keys: &[DataKeyId]) -> Result<Vec<MediaId>> {
    let mut found = Vec::new();
    for some in keys.chunks(500) {
        let rows = media::Entity::find().filter(media::Column::KeyId.is_in(some.iter().copied())).all(db).await?;
        found.extend(rows.into_iter().map(|row| row.id));
    }
    Ok(found)
}

/// When the oldest of all was kept.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn oldest(db: &impl ConnectionTrait) -> Result<Option<DateTime<Utc>>> {
    // an id holds its time
    let first = media::Entity::find().order_by_asc(media::Column::Id).one(db).await?;
    Ok(first.map(|row| row.created_at))
}

/// What is attached to these things of one kind, by the id of the thing, in the order in which it was sent.
///
/// # Errors
/// When the database cannot be read.
pub async fn attached(
    db: &impl ConnectionTrait,
    subject_kind: &str,
    subject_ids: Vec<String>,
) -> Result<HashMap<String, Vec<MediaView>>> {
    let rows = media::Entity::find()
        .filter(media::Column::SubjectId.is_in(subject_ids))
        .filter(media::Column::SubjectKind.eq(subject_kind))
        .order_by_asc(media::Column::Id)
        .all(db)
        .await?;
    let mut found: HashMap<String, Vec<MediaView>> = HashMap::new();
    for row in rows {
        let view = row.view();
        found.entry(row.subject_id.unwrap_or_default()).or_default().push(view);
    }
    Ok(found)
}

/// May this person send one more?
///
/// # Errors
/// `too_many_requests` when too much lies about unattached.
pub async fn room(db: &impl ConnectionTrait, owner: PersonId, now: DateTime<Utc>) -> Result<()> {
    // bounded: what is not attached is swept after two days
    let waiting = media::Entity::find()
        .filter(media::Column::OwnerId.eq(owner))
        .filter(media::Column::SubjectId.is_null())
        .all(db)
        .await?;
    let day_ago = now - TimeDelta::days(1);
    let today = waiting.iter().filter(|row| row.created_at > day_ago).count();
    let bytes: i64 = waiting.iter().map(|row| row.bytes).sum();
    let sent = media::Entity::find()
        .filter(media::Column::OwnerId.eq(owner))
        .filter(media::Column::CreatedAt.gt(day_ago))
        .count(db)
        .await?;
    if today >= MAX_UNATTACHED_A_DAY || bytes >= MAX_UNATTACHED_BYTES || sent >= MAX_A_DAY {
        return Err(Code::TooManyRequests.after_secs(3600));
    }
    Ok(())
}
