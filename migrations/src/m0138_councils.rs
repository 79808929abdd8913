//! The charter of a council, version by version; and who is recommended for it.
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
        create(manager, "body_charters", |table| {
            table
                .col(uuid("body_id"))
                .col(integer("version"))
                .col(text("text"))
                .col(date("adopted_on"))
                .col(string("source"))
                .col(uuid("recorded_by"))
                .col(timestamp_with_time_zone("recorded_at"))
                .primary_key(Index::create().col("body_id").col("version"))
                .foreign_key(ForeignKey::create().from("body_charters", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("body_charters", "recorded_by").to("people", "id"));
        })
        .await?;
        create(manager, "recommendations", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("body_id"))
                .col(string("name"))
                .col(uuid_null("person_id"))
                .col(string("route"))
                .col(string("reason"))
                .col(uuid("recommended_by"))
                .col(timestamp_with_time_zone("recommended_at"))
                .col(string("state"))
                .col(uuid_null("decided_by"))
                .col(timestamp_with_time_zone_null("decided_at"))
                .col(string_null("note"))
                .foreign_key(ForeignKey::create().from("recommendations", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("recommendations", "person_id").to("people", "id"))
                .foreign_key(ForeignKey::create().from("recommendations", "recommended_by").to("people", "id"))
                .foreign_key(ForeignKey::create().from("recommendations", "decided_by").to("people", "id"));
        })
        .await?;
        index(manager, "recommendations", &["body_id", "state"]).await
    }
}
