//! Which key file belongs to this database: another one would open nothing, and seal what ours could not open.
use sea_orm::{ConnectionTrait, EntityTrait, Set};

use super::rows::key_print;
use crate::{error::Result, keys::Keys, store::Tx};

/// Ids of keys that the rows were made with and that this key file does not have.
///
/// # Errors
/// When the database cannot be read.
pub async fn missing(db: &impl ConnectionTrait, keys: &Keys) -> Result<Vec<String>> {
    let known = key_print::Entity::find().all(db).await?;
    let has = |row: &key_print::Model| keys.fingerprints().get(&row.id) == Some(&row.fingerprint);
    Ok(known.into_iter().filter(|row| !has(row)).map(|row| row.id).collect())
}

/// Remembers the keys of this file beside those that are known.
///
/// # Errors
/// When the database refuses.
pub async fn remember(tx: &Tx) -> Result<()> {
    let known = key_print::Entity::find().all(tx).await?;
    for (id, fingerprint) in tx.keys().fingerprints() {
        if !known.iter().any(|row| row.id == *id) {
            let row = key_print::ActiveModel { id: Set(id.clone()), fingerprint: Set(fingerprint.clone()) };
            key_print::Entity::insert(row).exec_without_returning(tx).await?;
        }
    }
    Ok(())
}

/// From now on this key file belongs to the database, though what others sealed stays unreadable.
///
/// # Errors
/// When the database refuses.
pub async fn replace(tx: &Tx) -> Result<()> {
    key_print::Entity::delete_many().exec(tx).await?;
    remember(tx).await
}
