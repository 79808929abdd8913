//! Whose a guest's voice is: the same person's each time by the same phone and name, so that nobody is there several times.
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
    if let Some(number) = phone
        && let Some(known) = people::guest_of(tx, (area, name), number).await?
    {
        return Ok(known);
    }
    people::make_guest(tx, area, name, phone).await
}
