//! Loading a backup: every digest first, then files, then all rows in one transaction, in which they are brought up to date and votes
//! under way begin to rest, then a look at the chain.
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use sea_orm::{ConnectionTrait, DbErr, Statement};
use serde_json::json;

use super::{
    Stop, files,
    manifest::{FORMAT, KEYS, MANIFEST, MEDIA_LIST, Manifest, MediaFile, Sum},
    newer, refused, rows, told,
};
use crate::{
    calendar::Calendar,
    clock::Clock,
    config::Config,
    error::Error,
    events::{self, Happening, Kind},
    keys::Keys,
    people, privacy,
    shelf::Shelf,
    store::{self, Tx, catalog},
    streams, votes,
};

/// What the operator asks for.
pub struct Wanted {
    /// The backup.
    pub folder: PathBuf,
    /// Replace what is there, which has this many events.
    pub replace: Option<u64>,
    /// File or address of a signed head that was published.
    pub newer_than: Option<String>,
}

/// A backup that was loaded.
pub struct Restored {
    /// What there is now and what is missing, for the operator.
    pub lines: Vec<String>,
    /// The chain verifies, and every file that a row names is there.
    pub is_whole: bool,
}

/// What the transaction did.
struct Loaded {
    rows: u64,
    sessions: u64,
    /// Events of the database that was replaced.
    replaced: Option<u64>,
    /// Votes that rest.
    resting: u64,
}

/// Loads a backup into an empty database, or in place of one that is named by how much it holds.
///
/// # Errors
/// A sentence when the backup is not whole, does not fit this program or these keys, or the database is not empty. No row
/// was then written.
pub async fn restore(config: &Config, wanted: Wanted, clock: &Clock) -> Result<Restored, Stop> {
    let folder = wanted.folder.as_path();
    let manifest = read(folder)?;
    let media = check(folder, &manifest)?;
    let published = match &wanted.newer_than {
        Some(source) => Some(newer::published(source).await?),
        None => None,
    };
    std::fs::create_dir_all(&config.data_dir)?;
    if store::exists(&config.database()) {
        // files must not be put beside a database that then stays as it is
        let db = store::snapshot(&config.database()).await?;
        there(&db, wanted.replace).await?;
        db.rollback().await?;
    }
    let keys = Arc::new(keys(config, folder, &manifest)?);
    let media_dir = config.media_dir();
    let shelf = Shelf::open(config)?;
    let unknown = newer::files_beyond(&shelf, &media).await?;
    for file in &media {
        shelf.copy_in(&folder.join("media").join(&file.path), &file.path).await?;
    }
    files::make_folder(&media_dir)?;
    files::sync_folders(&media_dir)?;

    let calendar = Calendar::load(None).map_err(Error::broken)?;
    let means = (clock.clone(), calendar.clone(), Arc::clone(&keys));
    let unit = async |tx: &Tx| load(tx, folder, &manifest, wanted.replace).await;
    let loaded: Loaded = store::write_alone(&config.database(), means, unit).await?;

    let (store, _rung) =
        store::open((&config.database(), config.database_readers), clock.clone(), calendar, Arc::clone(&keys)).await?;
    let report = events::verify(&store, &keys).await?;
    let mut lines = lines(&manifest, &loaded);
    if loaded.resting > 0 {
        lines.push(told("restore-votes", &[("votes", loaded.resting.to_string())]));
    }
    let is_whole = report.first_bad.is_none() && manifest.media.damaged.is_empty();
    lines.push(match report.first_bad {
        None => told("restore-chain-whole", &[("events", report.events.to_string())]),
        Some(bad) => told("restore-chain-broken", &[("bad", bad)]),
    });
    lines.extend(manifest.media.damaged.iter().map(|id| told("backup-media-damaged", &[("id", id.clone())])));
    let known = newer::Known { log: &manifest.log, replaced: loaded.replaced, unknown: &unknown };
    lines.extend(newer::lines(&store, &keys, known, published.as_ref()).await?);
    lines.push(told("restore-next", &[]));
    Ok(Restored { lines, is_whole })
}

fn read(folder: &Path) -> Result<Manifest, Stop> {
    let shown = || ("folder", folder.display().to_string());
    let bytes = match std::fs::read(folder.join(MANIFEST)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(refused("restore-no-manifest", &[shown()]));
        }
        bytes => bytes?,
    };
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|_| refused("restore-bad-manifest", &[shown()]))?;
    let known = migrations::names();
    if manifest.format != FORMAT || !known.starts_with(&manifest.schema) {
        return Err(refused("restore-from-newer", &[("version", manifest.program)]));
    }
    Ok(manifest)
}

/// Every file is what the manifest says it is.
fn check(folder: &Path, manifest: &Manifest) -> Result<Vec<MediaFile>, Stop> {
    let whole = |name: &str, wanted: &Sum| {
        let path = folder.join(name);
        let found = if path.is_file() { Some(files::sum(&path)?) } else { None };
        if found.as_ref() == Some(wanted) {
            Ok(())
        } else {
            Err(refused("restore-damaged", &[("file", name.to_owned())]))
        }
    };
    // names come from a file: they must stay below the folder
    let inside = |name: &str| Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    for (name, sum) in manifest.files.iter().filter(|(name, _)| inside(name)) {
        whole(name, sum)?;
    }
    let needed = manifest.tables.iter().map(|table| table.file.as_str()).chain([MEDIA_LIST]);
    if let Some(name) = needed.into_iter().find(|name| !inside(name) || !manifest.files.contains_key(*name)) {
        return Err(refused("restore-damaged", &[("file", name.to_owned())]));
    }
    let list = std::fs::read_to_string(folder.join(MEDIA_LIST))?;
    let mut media = Vec::new();
    for line in list.lines() {
        let file: MediaFile = serde_json::from_str(line).map_err(Error::broken)?;
        if !inside(&file.path) {
            return Err(refused("restore-damaged", &[("file", MEDIA_LIST.to_owned())]));
        }
        whole(&format!("media/{}", file.path), &file.sum)?;
        media.push(file);
    }
    Ok(media)
}

/// The keys that opened these rows when they were copied: those in the data directory, or those of the backup.
fn keys(config: &Config, folder: &Path, manifest: &Manifest) -> Result<Keys, Stop> {
    let place = config.data_dir.join(KEYS);
    let shown = ("file", place.display().to_string());
    let source = match (place.exists(), manifest.keys.included) {
        (true, _) => config.data_dir.as_path(),
        (false, true) => folder,
        (false, false) => return Err(refused("restore-keys-needed", &[shown])),
    };
    let keys = Keys::load_or_make(source)?;
    let own = keys.fingerprints();
    if !manifest.keys.fingerprints.iter().all(|(id, print)| own.get(id) == Some(print)) {
        return Err(refused("restore-other-keys", &[shown]));
    }
    if !place.exists() {
        files::write(&place, &std::fs::read(folder.join(KEYS))?)?;
        files::sync_folder(&config.data_dir)?;
    }
    Ok(keys)
}

/// Everything or nothing: whoever looks sees the old database or the new one.
async fn load(tx: &Tx, folder: &Path, manifest: &Manifest, replace: Option<u64>) -> Result<Loaded, Stop> {
    let found = there(tx, replace).await?;
    let (mut replaced, mut newest) = (None, (0, 0));
    if let Some(events) = found {
        replaced = (events > 0).then_some(events);
        newest = (streams::newest_epoch(tx).await?, events::newest_lease(tx).await?);
        clear(tx).await?;
    }
    let steps = u32::try_from(manifest.schema.len()).map_err(Error::broken)?;
    migrations::up_to(tx.transaction(), steps).await?;
    let rows = fill(tx, folder, manifest).await?;
    // here, so that whoever starts after a restore that died finds rows of today in which votes rest, or none
    migrations::up_within(tx.transaction()).await?;
    streams::begin_epoch(tx, newest.0).await?;
    events::end_leases(tx, newest.1).await?;
    let sessions = people::end_every_session(tx, "restored").await?;
    // no worker that runs meanwhile closes one, or puts on a board what another head was signed over
    let resting = votes::commands::rest(tx).await?;
    let data = json!({ "events": manifest.log.number, "sessions": sessions, "made_at": manifest.made_at });
    events::record(tx, Happening::new(Kind::Restored, "log").with(data)).await?;
    Ok(Loaded { rows, sessions, replaced, resting })
}

/// How many events the database has, which may be replaced; `None` without a schema.
async fn there(db: &impl ConnectionTrait, replace: Option<u64>) -> Result<Option<u64>, Stop> {
    let known: HashSet<String> = privacy::fields().map_err(Error::broken)?.into_iter().map(|one| one.table).collect();
    if let Some(table) = catalog::names(db).await?.into_iter().find(|table| !known.contains(table)) {
        return Err(refused("restore-foreign-table", &[("table", table)]));
    }
    if catalog::steps(db).await?.is_empty() {
        return Ok(None);
    }
    let events = count(db, "SELECT count(*) FROM events").await?;
    let is_empty = events == 0 && count(db, "SELECT count(*) FROM people").await? == 0;
    if !is_empty && replace != Some(events) {
        return Err(refused("restore-not-empty", &[("events", events.to_string())]));
    }
    Ok(Some(events))
}

async fn count(db: &impl ConnectionTrait, select: &str) -> Result<u64, Error> {
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), select)).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    u64::try_from(count).map_err(Error::broken)
}

/// No table is left, children first.
async fn clear(tx: &Tx) -> Result<(), Error> {
    for table in catalog::tables(tx).await?.iter().rev() {
        tx.execute_unprepared(&format!("DROP TABLE \"{}\"", table.name)).await?;
    }
    tx.execute_unprepared("DROP TABLE seaql_migrations").await?;
    Ok(())
}

/// What the steps wrote themselves gives way to what was copied.
async fn fill(tx: &Tx, folder: &Path, manifest: &Manifest) -> Result<u64, Error> {
    let tables = catalog::tables(tx).await?;
    let known: HashSet<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    if let Some(other) = manifest.tables.iter().find(|dump| !known.contains(dump.table.as_str())) {
        return Err(Error::broken(format!("{}: a table that the schema does not have", other.table)));
    }
    for table in tables.iter().rev() {
        tx.execute_unprepared(&format!("DELETE FROM \"{}\"", table.name)).await?;
    }
    let mut all = 0;
    for table in &tables {
        let Some(dump) = manifest.tables.iter().find(|dump| dump.table == table.name) else { continue };
        let rows = rows::load(tx, table, &dump.columns, &folder.join(&dump.file)).await?;
        if rows != dump.rows {
            return Err(Error::Database(DbErr::Custom(format!("{}: {rows} rows of {}", table.name, dump.rows))));
        }
        all += rows;
    }
    Ok(all)
}

fn lines(manifest: &Manifest, loaded: &Loaded) -> Vec<String> {
    vec![
        told(
            "restore-done",
            &[
                ("made", newer::time(manifest.made_at)),
                ("rows", loaded.rows.to_string()),
                ("files", manifest.media.files.to_string()),
                ("events", manifest.log.number.to_string()),
            ],
        ),
        told("restore-sessions", &[("sessions", loaded.sessions.to_string())]),
    ]
}
