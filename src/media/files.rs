//! Files of media: inspected few at once, kept on the shelf under their id, read, swept.
use std::{io::Write, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Semaphore;

use super::{
    Media, PHOTO, VOICE,
    commands::{self, NewMedia},
    incoming::{Incoming, TURN},
    photo, reading, removal,
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
    shelf::INCOMING,
};

/// A photo takes up to 256 MiB while it is decoded, whoever sent it: the bound is the process's, hence a static.
static INSPECTIONS: Semaphore = Semaphore::const_new(2);
/// What is bound to a sealed file.
pub(super) const WHOLE: &str = "file";
pub(super) const THUMBNAIL: &str = "thumbnail";
pub(super) const PLAYED: &str = "played";

/// The name of a file on the shelf: two levels of folders by the last digits, which are random; the first ones of an id are
/// its time.
#[must_use]
pub fn name(id: MediaId) -> String {
    let id = id.0.simple().to_string();
    let (head, last) = id.split_at(30);
    format!("{last}/{}/{id}", &head[28..])
}

/// The small picture beside a photo's file.
#[must_use]
pub fn small(name: &str) -> String {
    format!("{name}.thumb")
}

/// The copy for phones beside a clip's file.
#[must_use]
pub fn played(name: &str) -> String {
    format!("{name}.played")
}

/// A file that is on the shelf, and the digest of what was sent.
pub(super) struct Kept {
    pub(super) new: NewMedia,
    pub(super) sent_sha256: String,
}

/// What is to be put on the shelf: sealed, and beside what was sent.
struct Prepared {
    new: NewMedia,
    sent_sha256: String,
    /// Their names on the shelf; the file of the row is the last.
    files: Vec<(String, Incoming)>,
}

/// Inspects a received file and keeps what is fit to be kept, for good when this ends.
///
/// # Errors
/// `busy` when others are inspected for too long, the refusals of [`rules::inspect`] and of its kind, `media_unavailable`, or
/// the disk's.
pub(super) async fn keep(app: &App, file: impl AsRef<Path> + Send + 'static) -> Result<Kept> {
    app.shelf.takes()?;
    let Prepared { new, sent_sha256, files } = prepare(app.config.clone(), app.keys.clone(), file).await?;
    for (name, file) in &files {
        if let Err(error) = app.shelf.take(file.as_ref(), name).await {
            // a store that does not answer is not asked again: what it may have is a stray
            if error.code() != Code::MediaUnavailable {
                removal::remove(app, new.id).await;
            }
            return Err(error);
        }
    }
    Ok(Kept { new, sent_sha256 })
}

async fn prepare(config: Arc<Config>, keys: Arc<Keys>, file: impl AsRef<Path> + Send + 'static) -> Result<Prepared> {
    let turn = tokio::time::timeout(TURN, INSPECTIONS.acquire()).await.map_err(|_| Code::Busy.after_secs(5))?;
    let turn = turn.map_err(Error::broken)?;
    let work = move || {
        // the turn ends with the work, not with the caller's patience
        let _turn = turn;
        let sent = std::fs::read(file.as_ref()).map_err(|error| match error.kind() {
            // swept while it waited for its turn
            std::io::ErrorKind::NotFound => Code::NotFound.into(),
            _ => Error::from(error),
        })?;
        prepare_now(&config.media_dir().join(INCOMING), &keys, &sent)
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::broken)?
}

fn prepare_now(on_way: &Path, keys: &Keys, sent: &[u8]) -> Result<Prepared> {
    let id = MediaId::new();
    let (key, new_key) = seals::commands::fresh(keys)?;
    let seal = |place: &str, bytes: &[u8]| put_aside(on_way, &key.seal_pieces(place, bytes)?);
    let whole = |number: u32| i32::try_from(number).map_err(Error::broken);
    let name = name(id);
    let mut files = Vec::new();
    let new = match rules::inspect(sent)? {
        Kind::Photo => {
            let photo = photo::prepare(sent)?;
            files.push((small(&name), seal(THUMBNAIL, &photo.thumbnail)?));
            files.push((name, seal(WHOLE, &photo.jpeg)?));
            NewMedia {
                width: Some(whole(photo.width)?),
                height: Some(whole(photo.height)?),
                ..described(id, new_key, (PHOTO, "image/jpeg"), &photo.jpeg)?
            }
        }
        Kind::Voice => {
            let clip = voice::measure(sent)?;
            files.push((name, seal(WHOLE, sent)?));
            let levels = voice::levels::levels(sent);
            NewMedia {
                duration_ms: Some(whole(clip.duration_ms)?),
                wants_work: levels.is_none() || clip.wants_copy,
                levels,
                ..described(id, new_key, (VOICE, clip.mime), sent)?
            }
        }
    };
    Ok(Prepared { new, sent_sha256: sha256_hex(sent), files })
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

/// Writes what is to be put on the shelf to a file on its way there, so that it costs no memory while a store is slow.
fn put_aside(on_way: &Path, sealed: &[u8]) -> Result<Incoming> {
    let aside = Incoming(on_way.join(MediaId::new().to_string()));
    let mut file = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&aside.0)?;
    file.write_all(sealed)?;
    Ok(aside)
}

/// Keeps the copy of a clip that every phone plays, sealed like the clip. One that is there already is replaced.
///
/// # Errors
/// `erased` when its key was destroyed, `media_unavailable`, or the disk's.
pub(super) async fn keep_played(app: &App, row: &Media, bytes: Vec<u8>) -> Result<()> {
    let key = reading::key_of(app, row).await?;
    let on_way = app.config.media_dir().join(INCOMING);
    let putting = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&on_way)?;
        match key {
            Some(key) => put_aside(&on_way, &key.seal_pieces(PLAYED, &bytes)?),
            None => put_aside(&on_way, &bytes),
        }
    });
    let aside = putting.await.map_err(Error::broken)??;
    app.shelf.take(aside.as_ref(), &played(&name(row.id))).await
}

/// Is this file what its row says: sealed with this key, or in clear, with these bytes in it?
///
/// # Errors
/// When it cannot be read.
pub fn is_whole(file: &Path, key: Option<&DataKey>, digest: &str) -> Result<bool> {
    let bytes = std::fs::read(file)?;
    Ok(match key {
        None => sha256_hex(&bytes) == digest,
        Some(key) => key.open_file(WHOLE, bytes).is_ok_and(|bytes| sha256_hex(&bytes) == digest),
    })
}

/// Forgets media that nobody attached in two days, 100 at most: rows first, files after; none while the shelf does not take
/// them away. Says how many.
///
/// # Errors
/// When the database fails.
pub async fn sweep(app: &App) -> Result<u64> {
    // rows that went before would leave files that nobody knows
    let gone = if app.shelf.is_well().await {
        app.store.write(|tx| Box::pin(commands::forget_unattached(tx))).await?
    } else {
        Vec::new()
    };
    removal::remove_all(app, gone.iter().map(|row| row.id).collect()).await;
    sweep_arrivals(app).await?;
    Ok(gone.len() as u64)
}

/// Forgets what came to this machine and was not gone on with. Each server does that for its own disk.
///
/// # Errors
/// When the database fails.
pub async fn sweep_arrivals(app: &App) -> Result<()> {
    uploads::sweep(app).await?;
    forget_incoming(&app.config.media_dir().join(INCOMING), app.now()).await
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
            drop(Incoming(file.path()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURE: &[u8] = include_bytes!("../../tests/data/media/clear.png");

    /// What was put aside under this name, opened.
    fn opened(keys: &Keys, prepared: &Prepared, name: &str, place: &str) -> Option<Vec<u8>> {
        let (_, file) = prepared.files.iter().find(|(other, _)| other == name)?;
        let key = keys.open_data_key(&prepared.new.key.id.to_string(), prepared.new.key.wrapped()).unwrap();
        Some(key.open_file(place, std::fs::read(file.as_ref()).unwrap()).unwrap())
    }

    #[test]
    fn a_photo_is_kept_with_its_small_picture_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(elsewhere.path()).unwrap();
        let prepared = prepare_now(folder.path(), &keys, PICTURE).unwrap();
        let name = name(prepared.new.id);
        let stored = opened(&keys, &prepared, &name, WHOLE).unwrap();
        assert_eq!(prepared.new.sha256, sha256_hex(&stored), "the digest is that of the file");
        assert_eq!(prepared.sent_sha256, sha256_hex(PICTURE));
        assert_eq!(prepared.new.bytes, i64::try_from(stored.len()).unwrap());
        assert_eq!((prepared.new.kind, prepared.new.mime), (PHOTO, "image/jpeg"));
        assert!(opened(&keys, &prepared, &small(&name), THUMBNAIL).is_some());
        drop(prepared);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_clip_is_kept_byte_for_byte() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(folder.path()).unwrap();
        for (mime, clip) in voice::samples::CLIPS {
            let prepared = prepare_now(folder.path(), &keys, clip).unwrap();
            assert_eq!(opened(&keys, &prepared, &name(prepared.new.id), WHOLE).unwrap(), *clip);
            let on_disk = std::fs::read(prepared.files[0].1.as_ref()).unwrap();
            assert!(!on_disk.windows(32).any(|some| clip.windows(32).step_by(97).any(|other| some == other)), "{mime}");
            assert_eq!((prepared.new.kind, prepared.new.mime), (VOICE, *mime));
            assert!(prepared.new.duration_ms.is_some_and(|length| length > 2_000), "{mime}");
            assert_eq!(prepared.files.len(), 1);
        }
    }

    #[test]
    fn what_is_refused_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(elsewhere.path()).unwrap();
        let refused = prepare_now(folder.path(), &keys, b"<svg/>").err();
        assert_eq!(refused.map(|error| error.code()), Some(Code::MediaUnsupported));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn what_was_swept_before_its_turn_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Arc::new(Keys::load_or_make(folder.path()).unwrap());
        let config = Arc::new(Config::defaults().unwrap());
        let gone = prepare(config, keys, folder.path().join("gone")).await;
        assert_eq!(gone.err().map(|error| error.code()), Some(Code::NotFound));
    }

    #[test]
    fn files_of_one_hour_are_spread_over_many_folders() {
        let names: Vec<_> = (0..200).map(|_| name(MediaId::new())).collect();
        let folders: std::collections::HashSet<_> = names.iter().map(|name| &name[..5]).collect();
        assert!(folders.len() > 150, "{}", folders.len());
    }

    #[tokio::test]
    async fn only_old_files_on_their_way_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let incoming = folder.path().join(INCOMING);
        std::fs::create_dir(&incoming).unwrap();
        std::fs::write(incoming.join("a"), b"x").unwrap();
        let now = crate::clock::Clock::system().now();
        forget_incoming(&incoming, now).await.unwrap();
        assert!(incoming.join("a").exists());
        forget_incoming(&incoming, now + TimeDelta::days(2)).await.unwrap();
        assert!(!incoming.join("a").exists());
    }
}
