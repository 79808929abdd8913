//! Files of media: received in a temporary file, inspected few at once, kept durably under their id, swept.
use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::multipart::{Field, MultipartError},
    http::StatusCode,
};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::{io::AsyncWriteExt, sync::Semaphore};

use super::{
    Media, PHOTO, VOICE,
    commands::{self, NewMedia},
    photo,
    rules::{self, Kind},
    voice,
};
use crate::{
    app::App,
    config::Config,
    error::{Code, Error, Result},
    ids::MediaId,
    keys::sha256_hex,
};

/// A photo takes up to 256 MiB while it is decoded, whoever sent it: the bound is the process's, hence a static.
static INSPECTIONS: Semaphore = Semaphore::const_new(2);
/// How long an upload waits for its turn.
const TURN: Duration = Duration::from_secs(15);
/// Files on their way; beside the kept ones, so that a rename is atomic.
pub const INCOMING: &str = "incoming";

/// Where the file of a row is.
#[must_use]
pub fn path(config: &Config, row: &Media) -> PathBuf {
    place(&config.media_dir(), row.id)
}

/// The same below the folder of media.
#[must_use]
pub fn relative(id: MediaId) -> PathBuf {
    place(Path::new(""), id)
}

/// Where the small picture of a photo is.
#[must_use]
pub fn thumbnail_path(config: &Config, row: &Media) -> PathBuf {
    small(&place(&config.media_dir(), row.id))
}

/// Two levels of folders by the last digits, which are random; the first ones of an id are its time.
fn place(folder: &Path, id: MediaId) -> PathBuf {
    let name = id.0.simple().to_string();
    let (head, last) = name.split_at(30);
    folder.join(last).join(&head[28..]).join(&name)
}

/// The small picture beside a photo's file.
#[must_use]
pub fn small(path: &Path) -> PathBuf {
    path.with_extension("thumb")
}

/// A file that goes away with this value, unless it was renamed before.
pub(super) struct Incoming(PathBuf);

impl Drop for Incoming {
    fn drop(&mut self) {
        // not there any more when it was renamed
        drop(std::fs::remove_file(&self.0));
    }
}

/// Writes what arrives to a temporary file, so that slow phones cost no memory. What is too long is read to its end (the
/// body's own limit bounds that) and thrown away: a refusal sent into a phone that still sends is never seen.
///
/// # Errors
/// `media_too_large`, `invalid_request` when the sender breaks off, or the disk's.
pub(super) async fn receive(config: &Config, mut field: Field<'_>) -> Result<Incoming> {
    let (incoming, mut file) = begin(config).await?;
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

/// A file that is on the disk, and the digest of what was sent.
pub(super) struct Kept {
    pub(super) new: NewMedia,
    pub(super) sent_sha256: String,
    pub(super) path: PathBuf,
}

/// Inspects a received file and keeps what is fit to be kept, synced to the disk.
///
/// # Errors
/// `busy` when others are inspected for too long, the refusals of [`rules::inspect`] and of its kind, or the disk's.
pub(super) async fn keep(config: Arc<Config>, incoming: Incoming) -> Result<Kept> {
    let turn = tokio::time::timeout(TURN, INSPECTIONS.acquire()).await.map_err(|_| Code::Busy.after_secs(5))?;
    let turn = turn.map_err(Error::broken)?;
    let work = move || {
        // the turn ends with the work, not with the caller's patience
        let _turn = turn;
        keep_now(&config.media_dir(), &std::fs::read(&incoming.0)?)
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::broken)?
}

fn keep_now(folder: &Path, sent: &[u8]) -> Result<Kept> {
    let id = MediaId::new();
    let path = place(folder, id);
    let whole = |number: u32| i32::try_from(number).map_err(Error::broken);
    let new = match rules::inspect(sent)? {
        Kind::Photo => {
            let photo = photo::prepare(sent)?;
            write(folder, &small(&path), &photo.thumbnail)?;
            write(folder, &path, &photo.jpeg)?;
            NewMedia {
                width: Some(whole(photo.width)?),
                height: Some(whole(photo.height)?),
                ..described(id, PHOTO, "image/jpeg", &photo.jpeg)?
            }
        }
        Kind::Voice => {
            let clip = voice::measure(sent)?;
            write(folder, &path, sent)?;
            NewMedia { duration_ms: Some(whole(clip.duration_ms)?), ..described(id, VOICE, clip.mime, sent)? }
        }
    };
    Ok(Kept { new, sent_sha256: sha256_hex(sent), path })
}

fn described(id: MediaId, kind: &'static str, mime: &'static str, bytes: &[u8]) -> Result<NewMedia> {
    let length = i64::try_from(bytes.len()).map_err(Error::broken)?;
    Ok(NewMedia {
        id,
        kind,
        mime,
        bytes: length,
        sha256: sha256_hex(bytes),
        width: None,
        height: None,
        duration_ms: None,
    })
}

/// Temporary file, write, fsync, rename, fsync of every folder up to the root of media: then it survives a power cut.
fn write(root: &Path, path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().ok_or_else(|| Error::broken("a media file without a folder"))?;
    std::fs::create_dir_all(folder)?;
    let temporary = Incoming(root.join(INCOMING).join(MediaId::new().to_string()));
    let mut file = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&temporary.0)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary.0, path)?;
    for folder in folder.ancestors().take_while(|above| above.starts_with(root)) {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Takes away a file and its small picture.
pub(super) async fn remove(path: &Path) {
    for file in [path.to_path_buf(), small(path)] {
        match tokio::fs::remove_file(&file).await {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, "a media file stays"),
        }
    }
}

/// Forgets media that nobody attached in two days, 100 at most: rows first, files after. Says how many.
///
/// # Errors
/// When the database fails.
pub async fn sweep(app: &App) -> Result<u64> {
    let gone = app.store.write(|tx| Box::pin(commands::forget_unattached(tx))).await?;
    for row in &gone {
        remove(&path(&app.config, row)).await;
    }
    forget_incoming(&app.config.media_dir().join(INCOMING), app.now()).await?;
    Ok(gone.len() as u64)
}

/// What a crash left on its way, a day ago or longer.
async fn forget_incoming(folder: &Path, now: DateTime<Utc>) -> Result<()> {
    let mut files = match tokio::fs::read_dir(folder).await {
        Ok(files) => files,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    while let Some(file) = files.next_entry().await? {
        let Ok(changed) = file.metadata().await.and_then(|about| about.modified()) else { continue };
        if DateTime::<Utc>::from(changed) < now - TimeDelta::days(1) {
            remove(&file.path()).await;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURE: &[u8] = include_bytes!("../../tests/data/media/clear.png");

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(INCOMING)).unwrap();
        folder
    }

    #[test]
    fn a_photo_is_kept_with_its_small_picture_and_nothing_else_is_left() {
        let folder = folder();
        let kept = keep_now(folder.path(), PICTURE).unwrap();
        let stored = std::fs::read(&kept.path).unwrap();
        assert_eq!(kept.new.sha256, sha256_hex(&stored), "the digest is that of the file");
        assert_eq!(kept.sent_sha256, sha256_hex(PICTURE));
        assert_eq!(kept.new.bytes, i64::try_from(stored.len()).unwrap());
        assert_eq!((kept.new.kind, kept.new.mime), (PHOTO, "image/jpeg"));
        assert!(small(&kept.path).exists());
        assert_eq!(std::fs::read_dir(folder.path().join(INCOMING)).unwrap().count(), 0);
    }

    #[test]
    fn a_clip_is_kept_byte_for_byte() {
        let folder = folder();
        for (mime, clip) in voice::samples::CLIPS {
            let kept = keep_now(folder.path(), clip).unwrap();
            assert_eq!(std::fs::read(&kept.path).unwrap(), *clip);
            assert_eq!((kept.new.kind, kept.new.mime), (VOICE, *mime));
            assert!(kept.new.duration_ms.is_some_and(|length| length > 2_000), "{mime}");
            assert!(!small(&kept.path).exists());
        }
    }

    #[test]
    fn what_is_refused_leaves_no_file() {
        let folder = folder();
        assert_eq!(keep_now(folder.path(), b"<svg/>").err().map(|error| error.code()), Some(Code::MediaUnsupported));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the folder for what is on its way");
    }

    #[test]
    fn files_of_one_hour_are_spread_over_many_folders() {
        let folders: std::collections::HashSet<_> =
            (0..200).map(|_| place(Path::new("m"), MediaId::new()).parent().map(Path::to_path_buf)).collect();
        assert!(folders.len() > 150, "{}", folders.len());
    }

    #[tokio::test]
    async fn only_old_files_on_their_way_are_forgotten() {
        let folder = folder();
        let incoming = folder.path().join(INCOMING);
        std::fs::write(incoming.join("a"), b"x").unwrap();
        let now = crate::clock::Clock::system().now();
        forget_incoming(&incoming, now).await.unwrap();
        assert!(incoming.join("a").exists());
        forget_incoming(&incoming, now + TimeDelta::days(2)).await.unwrap();
        assert!(!incoming.join("a").exists());
    }
}
