//! What a backup says about itself, in `manifest.json`.
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::events::Head;

/// The one layout there is so far.
pub(super) const FORMAT: u32 = 1;
pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const MEDIA_LIST: &str = "media.jsonl";
pub(super) use crate::keys::KEY_FILE as KEYS;

/// Everything needed to know whether a backup is whole and where it can go.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) format: u32,
    /// Version of the program that made it.
    pub(super) program: String,
    pub(super) made_at: DateTime<Utc>,
    /// Steps of the schema that its rows have.
    pub(super) schema: Vec<String>,
    pub(super) log: Log,
    /// Parents before children.
    pub(super) tables: Vec<Rows>,
    pub(super) media: MediaFiles,
    /// Tells whether keys are the ones that sealed these rows, without telling the keys.
    pub(super) keys: KeysUsed,
    /// Digest and length of every file beside this one, but for media, which have their own list.
    pub(super) files: BTreeMap<String, Sum>,
}

/// Where the log stood.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    /// Events in the chain.
    pub(super) number: i64,
    /// Hash of the last one.
    pub(super) hash: String,
    /// Events that had no number yet.
    pub(super) waiting: u64,
    /// When the last thing happened.
    pub(super) last_at: Option<DateTime<Utc>>,
    /// The newest signed head among the rows.
    pub(super) signed: Option<Head>,
}

/// The rows of a table, one JSON array a line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rows {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: u64,
    pub(super) file: String,
}

/// Photos and clips.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MediaFiles {
    pub(super) files: u64,
    pub(super) bytes: u64,
    /// Rows whose file was not there or not whole when the backup was made.
    pub(super) damaged: Vec<String>,
}

/// One file of media, a line of the list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MediaFile {
    /// Below the folder of media.
    pub(super) path: String,
    #[serde(flatten)]
    pub(super) sum: Sum,
}

/// Which keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeysUsed {
    /// By the id of the key.
    pub(super) fingerprints: BTreeMap<String, String>,
    pub(super) included: bool,
}

/// What a file must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sum {
    pub(super) bytes: u64,
    pub(super) sha256: String,
}
