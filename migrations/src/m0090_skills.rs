//! What people can do and allow to be found for, and needs that somebody takes.
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
        create(manager, "skill_entries", |table| {
            table
                .col(uuid("person_id").primary_key())
                .col(string("area_code"))
                .col(text("tags"))
                .col(text("availability"))
                .col(text("place"))
                .col(timestamp_with_time_zone("changed_at"))
                .foreign_key(ForeignKey::create().from("skill_entries", "person_id").to("people", "id"));
        })
        .await?;
        index(manager, "skill_entries", &["area_code"]).await?;
        create(manager, "skill_consents", |table| {
            table
                .col(uuid("person_id"))
                .col(string("purpose"))
                .col(timestamp_with_time_zone("given_at"))
                .primary_key(Index::create().col("person_id").col("purpose"))
                .foreign_key(ForeignKey::create().from("skill_consents", "person_id").to("people", "id"));
        })
        .await?;
        create(manager, "needs", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("area_code"))
                .col(uuid("body_id"))
                .col(text("title"))
                .col(text("text"))
                .col(text("tags"))
                .col(text("contact"))
                .col(date("until_on"))
                .col(string("state"))
                .col(uuid("posted_by"))
                .col(timestamp_with_time_zone("posted_at"))
                .col(uuid_null("taken_by"))
                .col(text_null("taker_contact"))
                .col(timestamp_with_time_zone_null("taken_at"))
                .col(text_null("outcome"))
                .col(uuid_null("ended_by"))
                .col(timestamp_with_time_zone_null("ended_at"))
                .foreign_key(ForeignKey::create().from("needs", "area_code").to("areas", "code"))
                .foreign_key(ForeignKey::create().from("needs", "body_id").to("bodies", "id"));
        })
        .await?;
        index(manager, "needs", &["area_code", "posted_at"]).await?;
        index(manager, "needs", &["body_id", "state"]).await?;
        index(manager, "needs", &["taken_by"]).await
    }
}
