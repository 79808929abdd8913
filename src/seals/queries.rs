//! Reads of data keys, and of texts that may be sealed.
use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryResult, QuerySelect, QueryTrait,
    sea_query::{Expr, SelectStatement},
};

use super::rows::data_key;
use crate::{
    error::Result,
    ids::{DataKeyId, PersonId},
    keys::{DataKey, Keys},
};

const JOINED_ID: &str = "joined_key_id";
const JOINED_KEY: &str = "joined_key_wrapped";

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

/// Was this key (a column of the query in which this stands) not destroyed?
#[must_use]
pub fn is_kept(id: Expr) -> Expr {
    let kept = data_key::Entity::find()
        .select_only()
        .column(data_key::Column::Id)
        .filter(Expr::col((data_key::Entity, data_key::Column::Id)).eq(id))
        .filter(data_key::Column::DestroyedAt.is_null());
    Expr::exists(kept.into_query())
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
            if let Some(wrapped) = row.wrapped {
                opened.add(keys, row.id, &wrapped);
            }
        }
    }
    Ok(opened)
}

/// The keys that were destroyed in this time, and all of this owner's that ever were.
///
/// # Errors
/// When the database cannot be read.
pub async fn destroyed(
    db: &impl ConnectionTrait,
    owner: PersonId,
    time: Range<DateTime<Utc>>,
) -> Result<Vec<DataKeyId>> {
    let then = data_key::Column::DestroyedAt.gte(time.start).and(data_key::Column::DestroyedAt.lt(time.end));
    let keys = data_key::Entity::find()
        .filter(data_key::Column::DestroyedAt.is_not_null())
        .filter(data_key::Column::OwnerId.eq(owner).or(then))
        .all(db);
    Ok(keys.await?.into_iter().map(|key| key.id).collect())
}

impl Opened {
    /// Has a query bring along the keys whose ids stand in this column; what its rows bring is taken by [`Self::take`].
    pub fn join(select: &mut SelectStatement, id: Expr) {
        let column = |column| Expr::col((data_key::Entity, column));
        select
            .left_join(data_key::Entity, column(data_key::Column::Id).eq(id))
            .expr_as(column(data_key::Column::Id), JOINED_ID)
            .expr_as(column(data_key::Column::Wrapped), JOINED_KEY);
    }

    /// Takes the key that one row brought along.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn take(&mut self, keys: &Keys, row: &QueryResult) -> Result<()> {
        let (id, wrapped): (Option<DataKeyId>, Option<String>) =
            (row.try_get("", JOINED_ID)?, row.try_get("", JOINED_KEY)?);
        if let (Some(id), Some(wrapped)) = (id, wrapped) {
            self.add(keys, id, &wrapped);
        }
        Ok(())
    }

    fn add(&mut self, keys: &Keys, id: DataKeyId, wrapped: &str) {
        match keys.open_data_key(&id.to_string(), wrapped) {
            Ok(key) => drop(self.keys.insert(id, key)),
            Err(error) => {
                tracing::warn!(%error, key = %id, "a data key does not open");
                self.locked.insert(id);
            }
        }
    }

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
