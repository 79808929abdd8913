//! Files that no row names: a crash between a file and its row leaves one. Taken away after a month, one folder a minute.
//!
//! # Why
//! A month, because a database that was restored from an older backup names fewer files than lie there, and a newer one may
//! still be found. A file older than everything that this database knows is left alone: then it is the database that is new.
//! For the same reason nothing is taken away where much is unknown.
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{files, queries};
use crate::{
    app::App,
    error::{Error, Result},
    ids::MediaId,
};

const AGE_DAYS: i64 = 30;
/// Files are spread over so many folders by what is random in their names.
const FOLDERS: i64 = 256;
/// More strays than that, and a tenth of the folder: somebody should look.
const FEW: usize = 10;

/// What lies there of one id.
struct Lying {
    files: Vec<PathBuf>,
    newest: DateTime<Utc>,
}

/// Looks into one folder, another every minute. Says how many strays went.
///
/// # Errors
/// When the database or the disk cannot be read.
pub async fn sweep(app: &App) -> Result<u64> {
    let number = (app.now().timestamp() / 60).rem_euclid(FOLDERS);
    sweep_folder(app, u8::try_from(number).map_err(Error::broken)?).await
}

/// Looks into this folder.
///
/// # Errors
/// As [`sweep`].
pub async fn sweep_folder(app: &App, number: u8) -> Result<u64> {
    let db = app.store.read();
    let Some(begins) = queries::oldest(db).await? else { return Ok(0) };
    let folder = app.config.media_dir().join(format!("{number:02x}"));
    let all = tokio::task::spawn_blocking(move || lying(&folder)).await.map_err(Error::broken)??;
    let count = all.len();
    let ends = app.now() - TimeDelta::days(AGE_DAYS);
    let old: Vec<_> = all.into_iter().filter(|(_, one)| (begins..ends).contains(&one.newest)).collect();
    let mut strays = Vec::new();
    for some in old.chunks(500) {
        let known = queries::rows(db, some.iter().map(|(id, _)| *id).collect()).await?;
        strays.extend(some.iter().filter(|(id, _)| !known.contains_key(id)));
    }
    if strays.len() > FEW && strays.len() * 10 > count {
        tracing::warn!(
            strays = strays.len(),
            count,
            folder = number,
            "files that no row names stay: they are too many"
        );
        return Ok(0);
    }
    for (_, stray) in &strays {
        for file in &stray.files {
            files::remove_one(file).await;
        }
    }
    Ok(strays.len() as u64)
}

/// What lies in the folders of a folder, by the id that is its name; what is named otherwise is none of ours.
fn lying(folder: &Path) -> Result<BTreeMap<MediaId, Lying>> {
    let mut found = BTreeMap::<MediaId, Lying>::new();
    for below in entries(folder)? {
        for file in entries(&below)? {
            let id = file.file_stem().and_then(|name| name.to_str()?.parse::<Uuid>().ok());
            // gone since, or not to be read: the next time
            let changed = file.metadata().and_then(|about| about.modified());
            let (Some(id), Ok(changed)) = (id, changed) else { continue };
            let changed = DateTime::<Utc>::from(changed);
            let one = found.entry(MediaId(id)).or_insert_with(|| Lying { files: Vec::new(), newest: changed });
            one.newest = one.newest.max(changed);
            one.files.push(file);
        }
    }
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    entries.collect()
}
