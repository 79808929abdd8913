//! Contracts that a village's bodies send to a legal officer, and what the officer wrote about them.
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
        create(manager, "contract_reviews", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("area_code"))
                .col(uuid("body_id"))
                .col(uuid_null("matter_id"))
                .col(text("title"))
                .col(text("text"))
                .col(uuid("asked_by"))
                .col(timestamp_with_time_zone("asked_at"))
                .col(timestamp_with_time_zone("due_at"))
                .col(string("calendar_version"))
                .col(string_null("outcome"))
                .col(text_null("opinion"))
                .col(uuid_null("reviewed_by"))
                .col(uuid_null("reviewer_body_id"))
                .col(timestamp_with_time_zone_null("reviewed_at"))
                .foreign_key(ForeignKey::create().from("contract_reviews", "area_code").to("areas", "code"))
                .foreign_key(ForeignKey::create().from("contract_reviews", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("contract_reviews", "matter_id").to("matters", "id"));
        })
        .await?;
        index(manager, "contract_reviews", &["area_code", "asked_at"]).await?;
        index(manager, "contract_reviews", &["body_id", "asked_at"]).await?;
        index(manager, "contract_reviews", &["matter_id"]).await
    }
}
