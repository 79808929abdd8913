//! Whose a guest's voice is: the same person's each time by the same phone and name, so that nobody is there several times.
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::rows::guest_voice;
use crate::{
    error::Result,
    ids::PersonId,
    people::{self, proof::Number},
    store::Tx,
};

/// The guest of this village who left a voice by this phone under this name, or a new one. Each claim code opens its own voice.
///
/// # Errors
/// When the database refuses.
pub(super) async fn of(tx: &Tx, (area, name): (&str, &str), phone: Option<&Number>) -> Result<PersonId> {
    if let Some(number) = phone {
        let before = guest_voice::Entity::find()
            .select_only()
            .column(guest_voice::Column::PersonId)
            .distinct()
            .filter(guest_voice::Column::PhoneHmac.eq(&number.proof_hmac));
        let before: Vec<PersonId> = before.into_tuple().all(tx).await?;
        if let Some(known) = people::guest_among(tx, (area, name), before).await? {
            return Ok(known);
        }
    }
    people::make_guest(tx, area, name, phone).await
}
