//! The desk's log-in with a password and a second factor.
use sea_orm_migration::{prelude::*, schema::*};

use crate::schema::{create, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, "desk_credentials", |table| {
            table
                .col(uuid("person_id"))
                .col(string("state"))
                .col(text("password_hash"))
                .col(text("totp_sealed"))
                .col(big_integer("last_step"))
                .col(timestamp_with_time_zone("made_at"))
                .primary_key(Index::create().col("person_id").col("state"))
                .foreign_key(ForeignKey::create().from("desk_credentials", "person_id").to("people", "id"));
        })
        .await?;
        create(manager, "recovery_codes", |table| {
            table
                .col(uuid("person_id"))
                .col(string("code_hmac"))
                .primary_key(Index::create().col("person_id").col("code_hmac"))
                .foreign_key(ForeignKey::create().from("recovery_codes", "person_id").to("people", "id"));
        })
        .await?;
        create(manager, "desk_tries", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("phone_hmac"))
                .col(string("address_hmac"))
                .col(timestamp_with_time_zone("at"));
        })
        .await?;
        index(manager, "desk_tries", &["phone_hmac", "at"]).await?;
        index(manager, "desk_tries", &["address_hmac", "at"]).await?;
        let by = Table::alter().table("sessions").add_column(string_null("how")).to_owned();
        manager.alter_table(by).await
    }
}
