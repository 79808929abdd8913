//! Files on their way: written to a temporary file as they come, bounded in length and in number, over all and for each.
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::multipart::{Field, MultipartError},
    http::StatusCode,
};
use tokio::{
    io::AsyncWriteExt,
    sync::{Semaphore, SemaphorePermit},
};

use super::photo;
use crate::{
    config::Config,
    error::{Code, Error, Result},
    ids::{MediaId, PersonId},
    shelf::INCOMING,
};

/// How long an upload waits for its turn.
pub(super) const TURN: Duration = Duration::from_secs(15);
/// Files that arrive at once: each may lie half received in `incoming` for as long as a body may take.
static ARRIVALS: Semaphore = Semaphore::const_new(64);
/// Of these, one person's; a phone sends one after the other.
const ARRIVALS_EACH: usize = 4;
static ARRIVING: Mutex<Vec<PersonId>> = Mutex::new(Vec::new());
/// Left free on the disk for what matters more than photos: this much, or a twentieth of it.
const KEPT_FREE: u64 = 256 * 1024 * 1024;

/// A file that goes away with this value, unless it was renamed before.
pub(super) struct Incoming(pub(super) PathBuf);

impl Drop for Incoming {
    fn drop(&mut self) {
        // not there any more when it was renamed
        drop(std::fs::remove_file(&self.0));
    }
}

impl AsRef<Path> for Incoming {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

/// Writes what arrives to a temporary file, so that slow phones cost no memory. What is too long is read to its end (the
/// body's own limit bounds that) and thrown away: a refusal sent into a phone that still sends is never seen.
///
/// # Errors
/// `media_too_large`, `invalid_request` when the sender breaks off, `too_many_requests` for more than four at once, `busy`,
/// `storage_full`, or the disk's.
pub(super) async fn receive(config: &Config, owner: PersonId, mut field: Field<'_>) -> Result<Incoming> {
    let _arrival = Arrival::of(owner)?;
    let _place = place().await?;
    let (incoming, mut file) = begin(config).await?;
    has_room(&config.media_dir())?;
    let mut length = 0;
    while let Some(chunk) = field.chunk().await.map_err(broken_off)? {
        length += chunk.len();
        if length <= photo::MAX_BYTES {
            file.write_all(&chunk).await?;
        }
    }
    if length > photo::MAX_BYTES {
        return Err(Code::MediaTooLarge.into());
    }
    file.flush().await?;
    Ok(incoming)
}

/// A turn among all that arrive.
pub(super) async fn place() -> Result<SemaphorePermit<'static>> {
    let place = tokio::time::timeout(TURN, ARRIVALS.acquire()).await.map_err(|_| Code::Busy.after_secs(5))?;
    place.map_err(Error::broken)
}

/// One of the files that a person sends at this moment.
pub(super) struct Arrival(PersonId);

impl Arrival {
    pub(super) fn of(owner: PersonId) -> Result<Self> {
        let mut arriving = ARRIVING.lock().unwrap_or_else(PoisonError::into_inner);
        if arriving.iter().filter(|one| **one == owner).count() >= ARRIVALS_EACH {
            return Err(Code::TooManyRequests.after_secs(5));
        }
        arriving.push(owner);
        Ok(Self(owner))
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut arriving = ARRIVING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = arriving.iter().position(|one| *one == self.0) {
            arriving.swap_remove(at);
        }
    }
}

/// Photos never take the last of the disk, which the database needs.
pub(super) fn has_room(folder: &Path) -> Result<()> {
    let disk = rustix::fs::statvfs(folder).map_err(std::io::Error::from)?;
    let kept_free = KEPT_FREE.min(disk.f_blocks.saturating_mul(disk.f_frsize) / 20);
    if disk.f_bavail.saturating_mul(disk.f_frsize) < kept_free {
        return Err(Code::StorageFull.into());
    }
    Ok(())
}

/// The same with bytes that are there already.
///
/// # Errors
/// The disk's.
pub(super) async fn receive_bytes(config: &Config, bytes: &[u8]) -> Result<Incoming> {
    let (incoming, mut file) = begin(config).await?;
    file.write_all(bytes).await?;
    file.flush().await?;
    Ok(incoming)
}

async fn begin(config: &Config) -> Result<(Incoming, tokio::fs::File)> {
    let folder = config.media_dir().join(INCOMING);
    tokio::fs::create_dir_all(&folder).await?;
    let incoming = Incoming(folder.join(MediaId::new().to_string()));
    let file = tokio::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&incoming.0).await?;
    Ok((incoming, file))
}

/// Why a form could not be read to its end.
pub(super) fn broken_off(error: MultipartError) -> Error {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Code::MediaTooLarge.into()
    } else {
        Code::InvalidRequest.into()
    }
}
