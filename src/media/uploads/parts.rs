//! The file of an upload while it comes: written at its end by one sender, synced before anybody is told how long it is.
use std::{
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::body::Body;
use futures_util::StreamExt;
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use tokio::{
    fs::File,
    io::{AsyncSeekExt, AsyncWriteExt},
    sync::Mutex,
};

use crate::{
    config::Config,
    error::{Code, Error, Result},
    ids::UploadId,
    media::incoming::Incoming,
    shelf::INCOMING,
};

/// A sender that says nothing for so long has broken off: whoever goes on must not wait for the end of its request.
pub(super) const SILENCE: Duration = Duration::from_secs(15);
/// Below the folder of what is on its way.
const UPLOADS: &str = "uploads";

fn folder(config: &Config) -> PathBuf {
    config.media_dir().join(INCOMING).join(UPLOADS)
}

pub(super) fn path(config: &Config, id: UploadId) -> PathBuf {
    folder(config).join(id.to_string())
}

/// How much of it is here, for good; nothing when there is no file yet.
pub(super) async fn length(config: &Config, id: UploadId) -> Result<i64> {
    match File::open(path(config, id)).await {
        Ok(file) => {
            // whoever wrote may have been cut off before the sync
            file.sync_all().await?;
            i64::try_from(file.metadata().await?.len()).map_err(Error::broken)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn remove(config: &Config, id: UploadId) {
    // a file that is there goes with this value
    drop(Incoming(path(config, id)));
}

/// The uploads that have a file.
pub(super) async fn all(config: &Config) -> Result<Vec<UploadId>> {
    let folder = folder(config);
    let listing = tokio::task::spawn_blocking(move || -> Result<Vec<UploadId>> {
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let names = std::fs::read_dir(&folder)?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        Ok(names.collect())
    });
    listing.await.map_err(Error::broken)?
}

/// The file, while nobody else may write.
pub(super) struct Part(Mutex<File>);

impl Part {
    /// # Errors
    /// `upload_busy` while another sender has it, or the disk's.
    pub(super) async fn of(config: &Config, id: UploadId) -> Result<Self> {
        let (folder, path) = (folder(config), path(config, id));
        let opening = tokio::task::spawn_blocking(move || open(&folder, &path));
        Ok(Self(Mutex::new(File::from_std(opening.await.map_err(Error::broken)??))))
    }

    /// How long it is, and how much is left of this length.
    pub(super) async fn room(&self, length: i64) -> Result<(i64, u64)> {
        let here = i64::try_from(self.0.lock().await.metadata().await?.len()).map_err(Error::broken)?;
        Ok((here, u64::try_from(length.saturating_sub(here)).unwrap_or_default()))
    }

    /// Writes what comes at the end, as far as it comes, and for as long as its sender is not silent.
    pub(super) async fn append(&self, body: Body, (mut left, silence): (u64, Duration)) -> Result<()> {
        let mut file = self.0.lock().await;
        file.seek(std::io::SeekFrom::End(0)).await?;
        let mut coming = body.into_data_stream();
        let mut ended = Ok(());
        loop {
            let chunk = match tokio::time::timeout(silence, coming.next()).await {
                Ok(None) => break,
                Ok(Some(Ok(chunk))) => chunk,
                // what came before the network broke is kept: that is what this is for
                Ok(Some(Err(_))) | Err(_) => {
                    ended = Err(Code::InvalidRequest.into());
                    break;
                }
            };
            let Some(rest) = left.checked_sub(chunk.len() as u64) else {
                ended = Err(Code::MediaTooLarge.into());
                break;
            };
            file.write_all(&chunk).await?;
            left = rest;
        }
        file.flush().await?;
        file.sync_all().await?;
        ended
    }
}

fn open(folder: &Path, path: &Path) -> Result<std::fs::File> {
    std::fs::create_dir_all(folder)?;
    let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Err(Code::UploadBusy.after_secs(1)),
        Err(error) => return Err(std::io::Error::from(error).into()),
    }
    std::fs::File::open(folder)?.sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_sender_that_falls_silent_has_broken_off_and_what_came_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults().unwrap();
        config.data_dir = folder.path().to_owned();
        let id = UploadId::new();
        let part = Part::of(&config, id).await.unwrap();
        let coming = stream::once(async { Ok::<_, std::io::Error>("half") }).chain(stream::pending());
        let appending = part.append(Body::from_stream(coming), (8, Duration::from_millis(50)));
        let ended = tokio::time::timeout(Duration::from_secs(10), appending).await.unwrap();
        assert_eq!(ended.unwrap_err().code(), Code::InvalidRequest);
        drop(part);
        assert_eq!(length(&config, id).await.unwrap(), 4);
        assert!(Part::of(&config, id).await.is_ok(), "another may go on");
    }
}
