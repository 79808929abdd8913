//! Files that no row names: a crash between a file and its row leaves one. Taken away after a month, one folder a minute.
//!
//! # Why
//! A month, and none of it within a month of a restore, because a database that was restored from an older backup names fewer
//! files than lie there, and a newer one may still be found. A file older than everything that this database knows is left alone: then it is the database that is new.
//! For the same reason nothing is taken away where much is unknown.
use std::{collections::BTreeMap, path::Path};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{queries, removal};
use crate::{
    app::App,
    error::{Error, Result},
    events::{self, Kind},
    ids::MediaId,
    shelf,
};

const AGE_DAYS: i64 = 30;
/// Files are spread over so many folders by what is random in their names.
const FOLDERS: i64 = 256;
/// More strays than that, and more than one of so many that lie in the folder: somebody should look.
const FEW: usize = 10;
const SHARE: usize = 4;

/// What lies there of one id.
struct Lying {
    names: Vec<String>,
    newest: DateTime<Utc>,
}

/// Looks into one folder, another every minute. Says how many strays went.
///
/// # Errors
/// When the database or the shelf cannot be read.
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
    let all = by_id(app.shelf.list(Some(&format!("{number:02x}"))).await?);
    let count = all.len();
    let ends = app.now() - TimeDelta::days(AGE_DAYS);
    let old: Vec<_> = all.into_iter().filter(|(_, one)| (begins..ends).contains(&one.newest)).collect();
    let mut strays = Vec::new();
    for some in old.chunks(500) {
        let known = queries::rows(db, some.iter().map(|(id, _)| *id).collect()).await?;
        strays.extend(some.iter().filter(|(id, _)| !known.contains_key(id)));
    }
    if strays.is_empty() || was_restored(app, ends).await? {
        return Ok(0);
    }
    if strays.len() > FEW && strays.len() * SHARE > count {
        tracing::warn!(
            strays = strays.len(),
            count,
            folder = number,
            "files that no row names stay: they are too many"
        );
        return Ok(0);
    }
    let mut gone = 0;
    for (_, stray) in &strays {
        for name in &stray.names {
            if !removal::remove_one(app, name).await {
                return Ok(gone);
            }
            tracing::info!(file = %name, "a file that no row names is taken away");
        }
        gone += 1;
    }
    Ok(gone)
}

/// Did a backup come into the database since then? What it does not know may be known to a newer one.
async fn was_restored(app: &App, since: DateTime<Utc>) -> Result<bool> {
    Ok(events::last(app.store.read(), Kind::Restored, "log").await?.is_some_and(|at| at > since))
}

/// By the id in their names; what is named otherwise is none of ours.
fn by_id(files: Vec<shelf::Lying>) -> BTreeMap<MediaId, Lying> {
    let mut found = BTreeMap::<MediaId, Lying>::new();
    for file in files {
        let id = Path::new(&file.name).file_stem().and_then(|name| name.to_str()?.parse::<Uuid>().ok()).map(MediaId);
        let Some(id) = id else { continue };
        let one = found.entry(id).or_insert_with(|| Lying { names: Vec::new(), newest: file.changed });
        one.newest = one.newest.max(file.changed);
        one.names.push(file.name);
    }
    found
}
