//! Files that are taken away: past one that does not go, and those of a closed account until all are gone.
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    files::{name, played, small},
    queries,
};
use crate::{
    app::App,
    error::Result,
    ids::{MediaId, PersonId},
    seals,
};

/// So many in a row that stay: it is the shelf, not the file.
const GIVEN_UP_AFTER: usize = 3;
/// No unit of work lasts longer.
const UNIT_MINUTES: i64 = 5;

/// Takes away the files of these rows, past one that does not go. Says whether all are gone.
pub(super) async fn remove_all(app: &App, ids: Vec<MediaId>) -> bool {
    let (mut is_clear, mut in_a_row) = (true, 0);
    for id in ids {
        let name = name(id);
        for file in [small(&name), played(&name), name] {
            if remove_one(app, &file).await {
                in_a_row = 0;
                continue;
            }
            (is_clear, in_a_row) = (false, in_a_row + 1);
            if in_a_row == GIVEN_UP_AFTER {
                return false;
            }
        }
    }
    is_clear
}

/// Takes away a file and what is beside it. Says whether all of it is gone: what stays is a stray, see [`super::strays`].
pub(super) async fn remove(app: &App, id: MediaId) -> bool {
    remove_all(app, vec![id]).await
}

/// Takes away a file, if it is there. Says whether it is gone.
pub(super) async fn remove_one(app: &App, name: &str) -> bool {
    let removed = app.shelf.remove(name).await;
    if let Err(error) = &removed {
        tracing::warn!(%error, "a media file stays");
    }
    removed.is_ok()
}

/// Takes away the files of what was made unreadable for good when an account was closed at this moment, and of all of its
/// owner's that was before: without their key they are noise, or they were kept in clear. Says whether all are gone; whoever
/// asked comes again until they are, because the rows stay and nobody sweeps their files.
///
/// # Errors
/// When the database cannot be read.
pub async fn remove_erased(app: &App, (owner, at): (PersonId, DateTime<Utc>)) -> Result<bool> {
    let db = app.store.read();
    let unit = at..at + TimeDelta::minutes(UNIT_MINUTES);
    let keys = seals::queries::destroyed(db, owner, unit).await?;
    Ok(remove_all(app, queries::sealed_by(db, &keys).await?).await)
}
