//! Voices of people who are on no roster.
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
        create(manager, "guest_voices", |table| {
            table
                .col(uuid("suggestion_id").primary_key())
                .col(uuid("person_id"))
                .col(string("code_hmac").unique_key())
                .col(string_null("phone_hmac"))
                .col(uuid_null("recorded_by"))
                .col(timestamp_with_time_zone("left_at"))
                .foreign_key(ForeignKey::create().from("guest_voices", "suggestion_id").to("suggestions", "id"))
                .foreign_key(ForeignKey::create().from("guest_voices", "person_id").to("people", "id"));
        })
        .await?;
        index(manager, "guest_voices", &["phone_hmac", "left_at"]).await?;
        create(manager, "guest_tries", |table| {
            table.col(uuid("id").primary_key()).col(string("address_hmac")).col(timestamp_with_time_zone("at"));
        })
        .await?;
        index(manager, "guest_tries", &["address_hmac", "at"]).await
    }
}
