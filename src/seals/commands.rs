//! Writes of data keys: made, and destroyed.
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};

use super::rows::data_key;
use crate::{
    error::Result,
    ids::{DataKeyId, PersonId},
    keys::{DataKey, Keys},
    store::Tx,
};

/// Rows of one statement.
const CHUNK: usize = 500;

/// A key made before its row, for what is sealed outside a unit of work.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Its id.
    pub id: DataKeyId,
    wrapped: String,
}

impl NewKey {
    /// As it is kept.
    #[must_use]
    pub fn wrapped(&self) -> &str {
        &self.wrapped
    }
}

/// A fresh key.
///
/// # Errors
/// When the machine gives no randomness.
pub fn fresh(keys: &Keys) -> Result<(DataKey, NewKey)> {
    let id = DataKeyId::new();
    let (key, wrapped) = keys.fresh_data_key(&id.to_string())?;
    Ok((key, NewKey { id, wrapped }))
}

/// Gives a key its row. It can be destroyed from then on.
///
/// # Errors
/// When the database refuses.
pub async fn keep(tx: &Tx, owner: PersonId, new: NewKey) -> Result<DataKeyId> {
    let row = data_key::ActiveModel {
        id: Set(new.id),
        owner_id: Set(owner),
        wrapped: Set(Some(new.wrapped)),
        made_at: Set(tx.now()),
        destroyed_at: Set(None),
    };
    Ok(row.insert(tx).await?.id)
}

/// Makes a key with its row.
///
/// # Errors
/// When the database refuses, or the machine gives no randomness.
pub async fn make(tx: &Tx, owner: PersonId) -> Result<(DataKey, DataKeyId)> {
    let (key, new) = fresh(tx.keys())?;
    Ok((key, keep(tx, owner, new).await?))
}

/// Destroys these keys, and says how many were there to be destroyed.
///
/// # Errors
/// When the database refuses.
pub async fn destroy(tx: &Tx, ids: &[DataKeyId]) -> Result<u64> {
    let mut destroyed = 0;
    for some in ids.chunks(CHUNK) {
        let done = data_key::Entity::update_many()
            .col_expr(data_key::Column::Wrapped, Expr::value(None::<String>))
            .col_expr(data_key::Column::DestroyedAt, Expr::value(tx.now()))
            .filter(data_key::Column::Id.is_in(some.iter().copied()))
            .filter(data_key::Column::DestroyedAt.is_null())
            .exec(tx)
            .await?;
        destroyed += done.rows_affected;
    }
    Ok(destroyed)
}

/// Takes away the keys of what is no longer there at all.
///
/// # Errors
/// When the database refuses.
pub async fn forget(tx: &Tx, ids: &[DataKeyId]) -> Result<()> {
    data_key::Entity::delete_many().filter(data_key::Column::Id.is_in(ids.iter().copied())).exec(tx).await?;
    Ok(())
}
