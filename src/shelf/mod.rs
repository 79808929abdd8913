//! 存放: where photos and clips lie: a folder of this machine, or a bucket of an object store that speaks S3.
//!
//! Always true: what was taken in is there for good, whole, under its name, before the caller is told so; a name never gets
//! other bytes but by a restore; what lies there was sealed before, and nobody but this program reads it: no address of a
//! bucket is ever handed out. A store that does not answer is `media_unavailable`, never half a file.
//! Tables owned: none. Events recorded: none.
//!
//! # Why
//! Two places, one enum: what both promise is tested once over both. A bucket is asked by signed addresses (`rusty-s3` makes
//! them, `reqwest`, which we have, asks), because five plain requests are all that is needed: no parts, no copies, no rights.
//! Files come from and go to the disk in pieces, and are given to who sees and hears them part by part ([`Shelf::part`]), so that
//! none of them costs memory here; only [`Shelf::read`] takes a whole one, for a program that needs all of it.
mod ailing;
mod bucket;
mod folder;
mod listing;
mod parts;
mod patience;

use std::path::Path;

use chrono::{DateTime, Utc};

pub use self::{bucket::Bucket, folder::Folder};
use crate::{config::Config, error::Result};

/// The folder of what is on its way, on this machine: beside the files of a folder, so that a rename is atomic.
pub const INCOMING: &str = "incoming";

/// A file that lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lying {
    /// Its name, as it was taken in.
    pub name: String,
    /// When it was written, by the clock of the disk or of the object store.
    pub changed: DateTime<Utc>,
}

/// Some bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// These.
    pub bytes: Vec<u8>,
    /// How long the whole is.
    pub length: u64,
}

/// Where files lie.
#[derive(Clone)]
pub enum Shelf {
    /// On this machine, or on a disk that is mounted here.
    Folder(Folder),
    /// At an object store.
    Bucket(Bucket),
}

impl Shelf {
    /// The one that these settings name; nobody is asked yet.
    ///
    /// # Errors
    /// One line that says which setting cannot be.
    pub fn open(config: &Config) -> Result<Self> {
        Ok(match config.media_bucket() {
            Some((name, prefix)) => Self::Bucket(Bucket::open(config, name, prefix)?),
            None => Self::Folder(Folder::at(config.media_dir())),
        })
    }

    /// Its kind, for operators.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Folder(_) => "folder",
            Self::Bucket(_) => "s3",
        }
    }

    /// Why it did not answer when it was asked last, if it did not; for each kind of call.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        match self {
            Self::Folder(_) => None,
            Self::Bucket(bucket) => bucket.trouble(),
        }
    }

    /// Does it do what it is asked? What failed when it was asked last is asked again.
    pub async fn is_well(&self) -> bool {
        match self {
            Self::Folder(_) => true,
            Self::Bucket(bucket) => bucket.is_well().await,
        }
    }

    /// Is it worth while to make something ready that is to be put there?
    ///
    /// # Errors
    /// `media_unavailable` when that failed a moment ago.
    pub fn takes(&self) -> Result<()> {
        match self {
            Self::Folder(_) => Ok(()),
            Self::Bucket(bucket) => bucket.takes(),
        }
    }

    /// Takes a file from the folder of what is on its way, where it may not be any more afterwards.
    ///
    /// # Errors
    /// `media_unavailable`, or the disk's.
    pub async fn take(&self, from: &Path, name: &str) -> Result<()> {
        match self {
            Self::Folder(folder) => folder.take(from, name).await,
            Self::Bucket(bucket) => bucket.put(from, name).await,
        }
    }

    /// Takes a copy of a file that stays where it is.
    ///
    /// # Errors
    /// As [`Shelf::take`].
    pub async fn copy_in(&self, from: &Path, name: &str) -> Result<()> {
        match self {
            Self::Folder(folder) => folder.copy_in(from, name).await,
            Self::Bucket(bucket) => bucket.put(from, name).await,
        }
    }

    /// The bytes of a file, `None` when there is none.
    ///
    /// # Errors
    /// `media_unavailable`, or the disk's.
    pub async fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Folder(folder) => folder.read(name).await,
            Self::Bucket(bucket) => bucket.read(name).await,
        }
    }

    /// The bytes of a file behind so many, and as many as that at most; `None` when there is no such file.
    ///
    /// # Errors
    /// `media_unavailable`, or the disk's.
    pub async fn part(&self, name: &str, (from, most): (u64, u64)) -> Result<Option<Part>> {
        match self {
            Self::Folder(folder) => folder.part(name, (from, most)).await,
            Self::Bucket(bucket) => bucket.part(name, (from, most)).await,
        }
    }

    /// Puts a copy of a file where nothing is yet. Says whether there is such a file.
    ///
    /// # Errors
    /// `media_unavailable`, or the disk's.
    pub async fn copy_out(&self, name: &str, to: &Path) -> Result<bool> {
        match self {
            Self::Folder(folder) => folder.copy_out(name, to).await,
            Self::Bucket(bucket) => bucket.copy_out(name, to).await,
        }
    }

    /// Takes a file away, if it is there.
    ///
    /// # Errors
    /// `media_unavailable`, or the disk's.
    pub async fn remove(&self, name: &str) -> Result<()> {
        match self {
            Self::Folder(folder) => folder.remove(name).await,
            Self::Bucket(bucket) => bucket.remove(name).await,
        }
    }

    /// Is a file given to whoever asks for it without a signature? Then a bucket is open to the world.
    ///
    /// # Errors
    /// `media_unavailable`.
    pub async fn is_public(&self, name: &str) -> Result<bool> {
        match self {
            Self::Folder(_) => Ok(false),
            Self::Bucket(bucket) => bucket.is_public(name).await,
        }
    }

    /// What lies in one of the folders of the shelf, and below it; everything when none is named.
    ///
    /// # Errors
    /// `media_unavailable`, or the disk's.
    pub async fn list(&self, folder: Option<&str>) -> Result<Vec<Lying>> {
        match self {
            Self::Folder(own) => own.list(folder).await,
            Self::Bucket(bucket) => bucket.list(folder).await,
        }
    }
}
