//! Somebody says when to be left alone.
use sea_orm::{EntityTrait, Set, sea_query::OnConflict};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    queries::{self, QuietHours},
    rows::quiet_hours,
    rules::Hours,
};
use crate::{
    actor::Actor,
    error::{Checks, Code, Result},
    store::Tx,
};

/// When to be left alone, in the county's time; the same twice: never.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetQuietHours {
    /// 21:30
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub from: String,
    /// 07:00
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub to: String,
}

/// Sets the actor's own hours.
///
/// # Errors
/// `invalid_fields` for what is no time of a day.
pub async fn set(tx: &Tx, actor: &Actor, input: SetQuietHours) -> Result<QuietHours> {
    let mut checks = Checks::default();
    checks.require(Hours::read(&input.from, "00:00").is_some(), "from", "not_a_time");
    checks.require(Hours::read("00:00", &input.to).is_some(), "to", "not_a_time");
    checks.done()?;
    let hours = Hours::read(&input.from, &input.to).ok_or(Code::InvalidFields)?;
    let (from, to) = hours.minutes();
    let row = quiet_hours::ActiveModel {
        person_id: Set(actor.person),
        from_minute: Set(from),
        to_minute: Set(to),
        changed_at: Set(tx.now()),
    };
    let again = OnConflict::column(quiet_hours::Column::PersonId)
        .update_columns([
            quiet_hours::Column::FromMinute,
            quiet_hours::Column::ToMinute,
            quiet_hours::Column::ChangedAt,
        ])
        .to_owned();
    quiet_hours::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    queries::own(tx, actor.person).await
}
