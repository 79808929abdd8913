//! Making a backup: rows from one snapshot, then the files they name, then the manifest.
use std::{collections::BTreeMap, path::Path};

use sea_orm::DatabaseTransaction;
use serde_json::Value as Json;

use super::{
    Stop,
    files::{self, Writing},
    manifest::{FORMAT, KEYS, KeysUsed, Log, MANIFEST, MEDIA_LIST, Manifest, MediaFile, MediaFiles, Rows, Sum},
    refused, rows, told,
};
use crate::{
    clock::Clock,
    config::Config,
    error::Error,
    events,
    ids::{DataKeyId, MediaId},
    keys::{DataKey, Keys},
    media,
    seals::{self, queries::Opened},
    shelf::Shelf,
    store::{self, catalog},
};

/// A backup that was made.
pub struct Made {
    /// What there is in it, for the operator.
    pub lines: Vec<String>,
    /// Every file that a row names is in it.
    pub is_whole: bool,
}

/// Copies everything into a new folder while servers work.
///
/// # Errors
/// A sentence when the folder is taken or there is nothing to copy; what broke otherwise. The folder is then no backup.
pub async fn make(config: &Config, folder: &Path, with_keys: bool, clock: &Clock) -> Result<Made, Stop> {
    let shown = folder.display().to_string();
    let keys_file = config.data_dir.join(KEYS);
    if !keys_file.exists() || !store::exists(&config.database()) {
        return Err(refused("backup-nothing-here", &[("folder", config.data_dir.display().to_string())]));
    }
    let keys = Keys::load_or_make(&config.data_dir)?;
    if folder.exists() && std::fs::read_dir(folder)?.next().is_some() {
        return Err(refused("backup-folder-taken", &[("folder", shown)]));
    }
    files::make_folder(&folder.join("rows"))?;
    let made_at = clock.now();
    let mut copied = copy_rows(config, &keys, folder).await?;
    let media = copy_media(&Shelf::open(config)?, folder, &copied).await?;
    copied.files.insert(MEDIA_LIST.to_owned(), media.list);
    if with_keys {
        copied.files.insert(KEYS.to_owned(), files::write(&folder.join(KEYS), &std::fs::read(&keys_file)?)?);
    }
    let manifest = Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at,
        schema: copied.schema,
        log: copied.log,
        tables: copied.tables,
        media: media.about,
        keys: KeysUsed { fingerprints: keys.fingerprints().clone(), included: with_keys },
        files: copied.files,
    };
    publish(folder, &manifest)?;
    let took = (clock.now() - made_at).num_milliseconds();
    Ok(Made { lines: lines(&manifest, &shown, took), is_whole: manifest.media.damaged.is_empty() })
}

/// The manifest comes last, when everything that it names is on the disk.
fn publish(folder: &Path, manifest: &Manifest) -> Result<(), Error> {
    files::sync_folders(folder)?;
    let unborn = folder.join("manifest.new");
    files::write(&unborn, &serde_json::to_vec_pretty(manifest).map_err(Error::broken)?)?;
    std::fs::rename(unborn, folder.join(MANIFEST))?;
    files::sync_folders(folder)?;
    if let Some(above) = folder.canonicalize()?.parent() {
        files::sync_folder(above)?;
    }
    Ok(())
}

fn lines(manifest: &Manifest, folder: &str, millis: i64) -> Vec<String> {
    let rows: u64 = manifest.tables.iter().map(|table| table.rows).sum();
    let mut lines = vec![told(
        "backup-made",
        &[
            ("folder", folder.to_owned()),
            ("tables", manifest.tables.len().to_string()),
            ("rows", rows.to_string()),
            ("files", manifest.media.files.to_string()),
            ("bytes", manifest.media.bytes.to_string()),
            ("events", manifest.log.number.to_string()),
            ("seconds", format!("{}.{}", millis / 1000, millis % 1000 / 100)),
        ],
    )];
    lines.push(told(if manifest.keys.included { "backup-with-keys" } else { "backup-without-keys" }, &[]));
    lines.extend(manifest.media.damaged.iter().map(|id| told("backup-media-damaged", &[("id", id.clone())])));
    lines
}

/// What came out of the database.
struct Copied {
    schema: Vec<String>,
    log: Log,
    tables: Vec<Rows>,
    files: BTreeMap<String, Sum>,
    media: Vec<Named>,
    keys: Opened,
}

/// A file that a row names.
struct Named {
    id: MediaId,
    sha256: String,
    /// What nobody attached may be swept at any time, also while we copy.
    is_attached: bool,
    /// Photos have a small picture beside them.
    is_photo: bool,
    /// Clips that a copy for phones was made of have it beside them.
    is_played: bool,
    /// What it is sealed with; none for those kept in clear.
    key_id: Option<DataKeyId>,
}

async fn copy_rows(config: &Config, keys: &Keys, folder: &Path) -> Result<Copied, Stop> {
    let db = store::snapshot(&config.database()).await?;
    let schema = catalog::steps(&db).await?;
    if schema.is_empty() {
        return Err(refused("backup-nothing-here", &[("folder", config.data_dir.display().to_string())]));
    }
    let mut copied = Copied {
        schema,
        log: log(&db).await?,
        tables: Vec::new(),
        files: BTreeMap::new(),
        media: Vec::new(),
        keys: Opened::default(),
    };
    for table in catalog::tables(&db).await? {
        let file = format!("rows/{}.jsonl", table.name);
        let is_media = table.name == "media";
        let see = |row: &[Json]| {
            if is_media {
                copied.media.extend(named(&table, row));
            }
        };
        let (rows, sum) = rows::dump(&db, &table, &folder.join(&file), see).await?;
        copied.files.insert(file.clone(), sum);
        let columns = table.columns.into_iter().map(|column| column.name).collect();
        copied.tables.push(Rows { table: table.name, columns, rows, file });
    }
    let sealed = copied.media.iter().filter_map(|named| named.key_id);
    copied.keys = seals::queries::open_all(&db, keys, sealed).await?;
    db.rollback().await?;
    Ok(copied)
}

async fn log(db: &DatabaseTransaction) -> Result<Log, Error> {
    let standing = events::standing(db).await?;
    let signed = standing.signed;
    Ok(Log {
        number: standing.number,
        hash: standing.hash,
        waiting: standing.waiting,
        last_at: standing.last_at,
        signed,
    })
}

fn named(table: &catalog::Table, row: &[Json]) -> Option<Named> {
    let text = |column: &str| row.get(table.place(column)?)?.as_str();
    Some(Named {
        id: text("id")?.parse().ok()?,
        sha256: text("sha256")?.to_owned(),
        is_attached: text("subject_id").is_some(),
        is_photo: text("kind") == Some(media::PHOTO),
        is_played: text("played_mime").is_some(),
        key_id: text("key_id").and_then(|id| id.parse().ok()),
    })
}

struct MediaCopied {
    about: MediaFiles,
    list: Sum,
}

/// Files are written once and never changed, so those of the snapshot are still what they were.
async fn copy_media(from: &Shelf, folder: &Path, copied: &Copied) -> Result<MediaCopied, Error> {
    let mut about = MediaFiles::default();
    let mut list = Writing::begin(&folder.join(MEDIA_LIST))?;
    files::make_folder(&folder.join("media"))?;
    for named in &copied.media {
        let key = named.key_id.map(|id| copied.keys.key(id));
        let is_locked = named.key_id.is_some_and(|id| copied.keys.is_locked(id));
        if matches!(key, Some(None)) && !is_locked {
            // its key was destroyed: what may still lie there is noise
            continue;
        }
        let main = media::files::name(named.id);
        match copy_one(from, folder, &main).await? {
            Some(file) if is_locked => {
                // the key file that opens it may be found one day
                note(&mut list, &mut about, &file)?;
                about.damaged.push(named.id.to_string());
            }
            Some(file) if is_whole(folder, &file, named, key.flatten())? => note(&mut list, &mut about, &file)?,
            None if !named.is_attached => continue,
            _ => {
                about.damaged.push(named.id.to_string());
                continue;
            }
        }
        match copy_one(from, folder, &media::files::small(&main)).await? {
            Some(file) => note(&mut list, &mut about, &file)?,
            None if named.is_photo && named.is_attached => about.damaged.push(named.id.to_string()),
            None => {}
        }
        match copy_one(from, folder, &media::files::played(&main)).await? {
            Some(file) => note(&mut list, &mut about, &file)?,
            None if named.is_played && named.is_attached => about.damaged.push(named.id.to_string()),
            None => {}
        }
    }
    Ok(MediaCopied { about, list: list.finish()? })
}

fn is_whole(folder: &Path, file: &MediaFile, named: &Named, key: Option<&DataKey>) -> Result<bool, Error> {
    media::files::is_whole(&folder.join("media").join(&file.path), key, &named.sha256)
}

fn note(list: &mut Writing, about: &mut MediaFiles, file: &MediaFile) -> Result<(), Error> {
    about.files += 1;
    about.bytes += file.sum.bytes;
    let mut line = serde_json::to_vec(file).map_err(Error::broken)?;
    line.push(b'\n');
    list.write(&line)
}

/// `None`: there is no such file.
async fn copy_one(from: &Shelf, folder: &Path, name: &str) -> Result<Option<MediaFile>, Error> {
    let copy = folder.join("media").join(name);
    if !from.copy_out(name, &copy).await? {
        return Ok(None);
    }
    Ok(Some(MediaFile { path: name.to_owned(), sum: files::sum(&copy)? }))
}
