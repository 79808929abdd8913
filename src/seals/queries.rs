//! Reads of data keys, and of texts that may be sealed.
use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::rows::data_key;
use crate::{
    error::Result,
    ids::DataKeyId,
    keys::{DataKey, Keys},
};

/// Keys that were not destroyed, by id.
#[derive(Default)]
pub struct Opened {
    keys: HashMap<DataKeyId, DataKey>,
    /// Those that our key file does not open.
    locked: HashSet<DataKeyId>,
}

/// The key of this id; `None` when it was destroyed, or is locked because the key file that wrapped it was lost.
///
/// # Errors
/// When the database cannot be read.
pub async fn open(db: &impl ConnectionTrait, keys: &Keys, id: DataKeyId) -> Result<Option<DataKey>> {
    Ok(open_all(db, keys, [id]).await?.keys.remove(&id))
}

/// Several keys at once.
///
/// # Errors
/// As [`open`].
pub async fn open_all(
    db: &impl ConnectionTrait,
    keys: &Keys,
    ids: impl IntoIterator<Item = DataKeyId>,
) -> Result<Opened> {
    let ids: Vec<DataKeyId> = ids.into_iter().collect();
    let mut opened = Opened::default();
    for some in ids.chunks(500) {
        let rows = data_key::Entity::find().filter(data_key::Column::Id.is_in(some.iter().copied())).all(db).await?;
        for row in rows {
            let Some(wrapped) = row.wrapped else { continue };
            match keys.open_data_key(&row.id.to_string(), &wrapped) {
                Ok(key) => drop(opened.keys.insert(row.id, key)),
                Err(error) => {
                    tracing::warn!(%error, key = %row.id, "a data key does not open");
                    opened.locked.insert(row.id);
                }
            }
        }
    }
    Ok(opened)
}

impl Opened {
    /// Is this one there, but not for us?
    #[must_use]
    pub fn is_locked(&self, id: DataKeyId) -> bool {
        self.locked.contains(&id)
    }

    /// One of them; `None` when it was destroyed.
    #[must_use]
    pub fn key(&self, id: DataKeyId) -> Option<&DataKey> {
        self.keys.get(&id)
    }

    /// A text that is sealed if there is a key for it: opened, or `None` when the key was destroyed.
    ///
    /// # Errors
    /// When it was changed, or sealed for another place.
    pub fn text(&self, key: Option<DataKeyId>, place: &str, text: &str) -> Result<Option<String>> {
        match key {
            None => Ok(Some(text.to_owned())),
            Some(_) if text.is_empty() => Ok(Some(String::new())),
            Some(id) => self.keys.get(&id).map(|key| key.open_text(place, text)).transpose(),
        }
    }
}
