//! Since when somebody has a phone that a roster put in the place of another, and the other until it is told; a vote whose meeting was
//! called off before its last ballot only asks, as it did when it was concluded.
//!
//! # Why
//! Whoever brings rosters in could give an elector who never logged in a phone of their own, and cast by it as that elector, whom
//! nobody would tell.
use sea_orm_migration::{prelude::*, schema::*};

use crate::schema::create;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let listed = ColumnDef::new("phone_listed_at").timestamp_with_time_zone().null().to_owned();
        manager.alter_table(Table::alter().table("people").add_column(listed).to_owned()).await?;
        create(manager, "replaced_phones", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("phone_sealed"))
                .col(timestamp_with_time_zone("at"))
                .col(timestamp_with_time_zone_null("tell_again_at"));
        })
        .await?;
        manager.get_connection().execute_unprepared(ONLY_ASKED).await?;
        Ok(())
    }
}

const ONLY_ASKED: &str = "UPDATE votes SET is_binding = FALSE WHERE state IN ('counting', 'counting_paper') \
    AND meeting_id IN (SELECT id FROM meetings WHERE cancel_reason IS NOT NULL)";
