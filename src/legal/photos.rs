//! Photos of papers that only some may see: their addresses lead past the subject, which knows who.
use sea_orm::ConnectionTrait;

use crate::{
    error::{Checks, Code, Result},
    ids::{MediaId, PersonId},
    media::{self, Media, MediaView, Subject},
    store::Tx,
};

/// Photos of one paper at most.
const MAX_PHOTOS: usize = 9;

/// Attaches own photos to a thing: nothing but photos, nine at most.
///
/// # Errors
/// `media_not_usable`; `invalid_fields`.
pub(super) async fn attach(tx: &Tx, person: PersonId, photos: &[MediaId], to: Subject<'_>) -> Result<()> {
    let mut checks = Checks::default();
    checks.require(photos.len() <= MAX_PHOTOS, "photos", "out_of_range");
    checks.done()?;
    media::attach_photos(tx, person, ("photos", photos), to).await
}

/// The photos of a thing, with addresses below its own.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn of(db: &impl ConnectionTrait, (kind, id): (&str, String), address: &str) -> Result<Vec<MediaView>> {
    let mut photos = media::queries::attached(db, kind, vec![id.clone()]).await?.remove(&id).unwrap_or_default();
    for photo in &mut photos {
        photo.url = format!("{address}/{id}/photos/{}", photo.id);
    }
    Ok(photos)
}

/// One photo of a thing that the caller may see.
///
/// # Errors
/// `not_found` when it is none of its photos.
pub(super) async fn one(db: &impl ConnectionTrait, (kind, id): (&str, String), photo: MediaId) -> Result<Media> {
    let row = media::queries::row(db, photo).await?;
    let is_its = |row: &Media| row.subject_kind.as_deref() == Some(kind) && row.subject_id.as_ref() == Some(&id);
    row.filter(is_its).ok_or_else(|| Code::NotFound.into())
}
