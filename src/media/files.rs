//! Files of media: inspected few at once, kept durably under their id, read, swept.
use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Semaphore;

use super::{
    Media, PHOTO, VOICE,
    commands::{self, NewMedia},
    incoming::{INCOMING, Incoming, TURN},
    photo,
    rules::{self, Kind},
    uploads, voice,
};
use crate::{
    app::App,
    config::Config,
    error::{Code, Error, Result},
    ids::MediaId,
    keys::{DataKey, Keys, sha256_hex},
    seals,
};

/// A photo takes up to 256 MiB while it is decoded, whoever sent it: the bound is the process's, hence a static.
static INSPECTIONS: Semaphore = Semaphore::const_new(2);
/// What is bound to a sealed file.
const WHOLE: &str = "file";
const THUMBNAIL: &str = "thumbnail";
const PLAYED: &str = "played";

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

/// The copy for phones beside a clip's file.
#[must_use]
pub fn played(path: &Path) -> PathBuf {
    path.with_extension("played")
}

/// Which of the files of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// As it is kept.
    Whole,
    /// The small picture of a photo.
    Small,
    /// The copy of a clip that every phone plays.
    Played,
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
pub(super) async fn keep(
    config: Arc<Config>,
    keys: Arc<Keys>,
    file: impl AsRef<Path> + Send + 'static,
) -> Result<Kept> {
    let turn = tokio::time::timeout(TURN, INSPECTIONS.acquire()).await.map_err(|_| Code::Busy.after_secs(5))?;
    let turn = turn.map_err(Error::broken)?;
    let work = move || {
        // the turn ends with the work, not with the caller's patience
        let _turn = turn;
        keep_now(&config.media_dir(), &keys, &std::fs::read(file.as_ref())?)
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::broken)?
}

fn keep_now(folder: &Path, keys: &Keys, sent: &[u8]) -> Result<Kept> {
    let id = MediaId::new();
    let (key, new_key) = seals::commands::fresh(keys)?;
    let write = |path: &Path, place: &str, bytes: &[u8]| write(folder, path, &key.seal(place, bytes)?);
    let path = place(folder, id);
    let whole = |number: u32| i32::try_from(number).map_err(Error::broken);
    let new = match rules::inspect(sent)? {
        Kind::Photo => {
            let photo = photo::prepare(sent)?;
            write(&small(&path), THUMBNAIL, &photo.thumbnail)?;
            write(&path, WHOLE, &photo.jpeg)?;
            NewMedia {
                width: Some(whole(photo.width)?),
                height: Some(whole(photo.height)?),
                ..described(id, new_key, (PHOTO, "image/jpeg"), &photo.jpeg)?
            }
        }
        Kind::Voice => {
            let clip = voice::measure(sent)?;
            write(&path, WHOLE, sent)?;
            let levels = voice::levels::levels(sent);
            NewMedia {
                duration_ms: Some(whole(clip.duration_ms)?),
                wants_work: levels.is_none() || clip.wants_copy,
                levels,
                ..described(id, new_key, (VOICE, clip.mime), sent)?
            }
        }
    };
    Ok(Kept { new, sent_sha256: sha256_hex(sent), path })
}

fn described(
    id: MediaId,
    key: seals::commands::NewKey,
    (kind, mime): (&'static str, &'static str),
    bytes: &[u8],
) -> Result<NewMedia> {
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
        levels: None,
        wants_work: false,
        key,
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

/// The bytes of a file as they were kept, opened.
///
/// # Errors
/// `erased` when its key was destroyed, or the disk's.
pub(super) async fn read(app: &App, row: &Media, which: Which) -> Result<Vec<u8>> {
    let path = path(&app.config, row);
    let (path, place) = match which {
        Which::Whole => (path, WHOLE),
        Which::Small => (small(&path), THUMBNAIL),
        Which::Played => (played(&path), PLAYED),
    };
    let Some(key) = row.key_id else { return Ok(tokio::fs::read(path).await?) };
    let key: DataKey = seals::queries::open(app.store.read(), &app.keys, key).await?.ok_or(Code::Erased)?;
    let opening = tokio::task::spawn_blocking(move || key.open(place, std::fs::read(path)?));
    opening.await.map_err(Error::broken)?
}

/// Keeps the copy of a clip that every phone plays, sealed like the clip. One that is there already is replaced.
///
/// # Errors
/// `erased` when its key was destroyed, or the disk's.
pub(super) async fn keep_played(app: &App, row: &Media, bytes: Vec<u8>) -> Result<()> {
    let key = match row.key_id {
        Some(key) => Some(seals::queries::open(app.store.read(), &app.keys, key).await?.ok_or(Code::Erased)?),
        None => None,
    };
    let (root, path) = (app.config.media_dir(), played(&path(&app.config, row)));
    let keeping = tokio::task::spawn_blocking(move || match key {
        Some(key) => write(&root, &path, &key.seal(PLAYED, &bytes)?),
        None => write(&root, &path, &bytes),
    });
    keeping.await.map_err(Error::broken)?
}

/// Is this file what its row says: sealed with this key, or in clear, with these bytes in it?
///
/// # Errors
/// When it cannot be read.
pub fn is_whole(file: &Path, key: Option<&DataKey>, digest: &str) -> Result<bool> {
    let bytes = std::fs::read(file)?;
    Ok(match key {
        None => sha256_hex(&bytes) == digest,
        Some(key) => key.open(WHOLE, bytes).is_ok_and(|bytes| sha256_hex(&bytes) == digest),
    })
}

/// Takes away the files of these rows: without their key they are noise, or they were kept in clear.
pub async fn remove_all(config: &Config, rows: &[Media]) {
    for row in rows {
        remove(&path(config, row)).await;
    }
}

/// Takes away a file and what is beside it.
pub(super) async fn remove(path: &Path) {
    for file in [path.to_path_buf(), small(path), played(path)] {
        remove_one(&file).await;
    }
}

/// Takes away a file, if it is there.
pub(super) async fn remove_one(file: &Path) {
    match tokio::fs::remove_file(file).await {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(%error, "a media file stays"),
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
    uploads::sweep(app).await?;
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
        let Ok(about) = file.metadata().await else { continue };
        let Ok(changed) = about.modified() else { continue };
        if about.is_file() && DateTime::<Utc>::from(changed) < now - TimeDelta::days(1) {
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

    /// What lies there, opened.
    fn opened(keys: &Keys, kept: &Kept) -> Vec<u8> {
        let key = keys.open_data_key(&kept.new.key.id.to_string(), kept.new.key.wrapped()).unwrap();
        key.open(WHOLE, std::fs::read(&kept.path).unwrap()).unwrap()
    }

    #[test]
    fn a_photo_is_kept_with_its_small_picture_and_nothing_else_is_left() {
        let folder = folder();
        let keys = Keys::load_or_make(folder.path()).unwrap();
        let kept = keep_now(folder.path(), &keys, PICTURE).unwrap();
        let stored = opened(&keys, &kept);
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
        let keys = Keys::load_or_make(folder.path()).unwrap();
        for (mime, clip) in voice::samples::CLIPS {
            let kept = keep_now(folder.path(), &keys, clip).unwrap();
            assert_eq!(opened(&keys, &kept), *clip);
            let on_disk = std::fs::read(&kept.path).unwrap();
            assert!(!on_disk.windows(32).any(|some| clip.windows(32).step_by(97).any(|other| some == other)), "{mime}");
            assert_eq!((kept.new.kind, kept.new.mime), (VOICE, *mime));
            assert!(kept.new.duration_ms.is_some_and(|length| length > 2_000), "{mime}");
            assert!(!small(&kept.path).exists());
        }
    }

    #[test]
    fn what_is_refused_leaves_no_file() {
        let folder = folder();
        let elsewhere = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(elsewhere.path()).unwrap();
        assert_eq!(
            keep_now(folder.path(), &keys, b"<svg/>").err().map(|error| error.code()),
            Some(Code::MediaUnsupported)
        );
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
