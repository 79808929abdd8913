//! A shelf that is a folder: a file appears under its name whole and synced, or not at all.
use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};

use super::{INCOMING, Lying, Part};
use crate::error::{Error, Result};

/// A folder of this machine.
#[derive(Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// This one; it need not be there yet.
    #[must_use]
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) async fn take(&self, from: &Path, name: &str) -> Result<()> {
        let (root, from, to) = (self.root.clone(), from.to_path_buf(), self.root.join(name));
        blocking(move || {
            File::open(&from)?.sync_all()?;
            make_folder_of(&to)?;
            std::fs::rename(&from, &to)?;
            sync_up(&root, &to)
        })
        .await
    }

    /// The same file under a second name where the disk allows it, which costs nothing and is safe because these files
    /// never change; a synced copy otherwise.
    pub(super) async fn copy_in(&self, from: &Path, name: &str) -> Result<()> {
        let (root, from, to) = (self.root.clone(), from.to_path_buf(), self.root.join(name));
        blocking(move || {
            link_or_copy(&from, &to)?;
            sync_up(&root, &to)
        })
        .await
    }

    pub(super) async fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        there(tokio::fs::read(self.root.join(name)).await)
    }

    pub(super) async fn part(&self, name: &str, (from, most): (u64, u64)) -> Result<Option<Part>> {
        let path = self.root.join(name);
        blocking(move || {
            let Some(file) = there(File::open(path))? else { return Ok(None) };
            let length = file.metadata()?.len();
            let size = usize::try_from(length.saturating_sub(from).min(most)).map_err(Error::broken)?;
            let mut bytes = vec![0; size];
            file.read_exact_at(&mut bytes, from)?;
            Ok(Some(Part { bytes, length }))
        })
        .await
    }

    pub(super) async fn copy_out(&self, name: &str, to: &Path) -> Result<bool> {
        let (from, to) = (self.root.join(name), to.to_path_buf());
        blocking(move || {
            if !from.is_file() {
                return Ok(false);
            }
            // swept between the look and the copy
            Ok(there(link_or_copy(&from, &to))?.is_some())
        })
        .await
    }

    pub(super) async fn remove(&self, name: &str) -> Result<()> {
        gone(tokio::fs::remove_file(self.root.join(name)).await)
    }

    pub(super) async fn list(&self, folder: Option<&str>) -> Result<Vec<Lying>> {
        let (root, folder) = (self.root.clone(), self.root.join(folder.unwrap_or_default()));
        blocking(move || below(&root, folder)).await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::broken)?
}

fn there<T>(done: std::io::Result<T>) -> Result<Option<T>> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn gone(done: std::io::Result<()>) -> Result<()> {
    there(done).map(drop)
}

/// Others cannot look into it.
fn make_folder_of(file: &Path) -> std::io::Result<()> {
    match file.parent() {
        Some(folder) => DirBuilder::new().recursive(true).mode(0o700).create(folder),
        None => Ok(()),
    }
}

/// Appears whole or not at all, in place of what was there.
fn link_or_copy(from: &Path, to: &Path) -> std::io::Result<()> {
    make_folder_of(to)?;
    let temporary = to.with_extension("new");
    // of a try that was cut off
    drop(std::fs::remove_file(&temporary));
    if std::fs::hard_link(from, &temporary).is_err() {
        let mut source = File::open(from)?;
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&temporary)?;
        std::io::copy(&mut source, &mut file)?;
        file.sync_all()?;
    }
    std::fs::rename(&temporary, to)?;
    // when both were the same file under two names, the first name stays
    drop(std::fs::remove_file(&temporary));
    Ok(())
}

/// The names of all folders up to the root are on the disk: then a file survives a power cut.
fn sync_up(root: &Path, file: &Path) -> Result<()> {
    for folder in file.ancestors().skip(1).take_while(|above| above.starts_with(root)) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Every file below a folder, but for what is on its way.
fn below(root: &Path, folder: PathBuf) -> Result<Vec<Lying>> {
    let mut found = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        let Some(entries) = there(std::fs::read_dir(&folder))? else { continue };
        for entry in entries {
            let path = entry?.path();
            if path == root.join(INCOMING) {
                continue;
            }
            // gone since, or not to be read: the next time
            let Ok(about) = path.symlink_metadata() else { continue };
            if about.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root).ok().and_then(Path::to_str).map(str::to_owned);
            let (Some(name), Ok(changed)) = (name, about.modified()) else { continue };
            found.push(Lying { name, changed: DateTime::<Utc>::from(changed) });
        }
    }
    Ok(found)
}
