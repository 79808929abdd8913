//! Uploads that go on where they broke off: how long each is to become, and what became of it.
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
        create(manager, "uploads", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("owner_id"))
                .col(big_integer("length"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("expires_at"))
                .col(uuid_null("media_id"))
                .col(string_null("refusal"))
                .foreign_key(ForeignKey::create().from("uploads", "owner_id").to("people", "id"));
        })
        .await?;
        index(manager, "uploads", &["owner_id"]).await?;
        index(manager, "uploads", &["expires_at"]).await
    }
}
