//! 备份: a copy of everything, made while people write, loaded into an empty database of either kind.
//!
//! Always true: a backup is one snapshot of all rows, and every file that those rows name; a folder is a backup only when
//! its `manifest.json` is there, which comes last; nothing in it is readable by others. A restore looks at every digest
//! before it writes a row, writes all rows in one transaction, and in the same one applies the steps of the schema that are newer
//! than the backup, ends every log-in, gives every stream a new epoch, has each vote that is not over rest and records that it
//! happened.
//! Tables owned: none (it copies all). Events recorded: `log.restored`.
//!
//! # Why
//! - *Rows as lines of text, not the database's own file*: the same backup goes into SQLite and PostgreSQL, holds no freed
//!   pages with what was erased, and needs no program of the database. Rows come in the order of their keys, so that their
//!   order says nothing about who wrote when.
//! - *All log-ins end at a restore*: one that was ended after the backup (a lost phone, a seat taken away) would otherwise
//!   be alive again, and a phone that renewed its log-in since would be taken for a thief. Log-ins that began after the
//!   backup are unknown and end by themselves.
//! - *An epoch is the time of the restore, not one more than before*: two restores of one backup would otherwise give the
//!   same epoch to different contents.
mod files;
mod make;
mod manifest;
mod newer;
mod restore;
mod rows;

pub use self::{
    make::{Made, make},
    restore::{Restored, Wanted, restore},
};
use crate::{error::Error, text};

/// Why nothing was done, or not all: in words for the operator, or something broke.
#[derive(Debug)]
pub enum Stop {
    /// A whole sentence.
    Refused(String),
    /// Ours to look into.
    Broken(Error),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

/// The sentence with this key.
fn refused(key: &str, blanks: &[(&str, String)]) -> Stop {
    Stop::Refused(told(key, blanks))
}

fn told(key: &str, blanks: &[(&str, String)]) -> String {
    let blanks: Vec<_> = blanks.iter().map(|(name, value)| (*name, value.as_str().into())).collect();
    text::say_with(key, &blanks)
}
