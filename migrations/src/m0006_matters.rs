//! Matters, the records of their stages, the evidence, and the versioned templates.
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
        create(manager, "templates", |table| {
            table
                .col(string("key"))
                .col(integer("version"))
                .col(text("definition"))
                .primary_key(Index::create().col("key").col("version"));
        })
        .await?;
        create(manager, "matters", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("number"))
                .col(string("area_code"))
                .col(text("title"))
                .col(text("summary"))
                .col(string("template_key"))
                .col(integer("template_version"))
                .col(string("state"))
                .col(string("stage"))
                .col(timestamp_with_time_zone_null("stage_due_at"))
                .col(timestamp_with_time_zone_null("stage_overdue_at"))
                .col(uuid("body_id"))
                .col(uuid("proposer_id"))
                .col(integer("rev"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .col(timestamp_with_time_zone_null("ended_at"))
                .foreign_key(ForeignKey::create().from("matters", "area_code").to("areas", "code"))
                .foreign_key(ForeignKey::create().from("matters", "body_id").to("bodies", "id"))
                .index(Index::create().unique().name("uq_matters_area_code_number").col("area_code").col("number"));
        })
        .await?;
        index(manager, "matters", &["area_code", "created_at"]).await?;
        index(manager, "matters", &["state", "stage_due_at"]).await?;
        create(manager, "stage_records", |table| {
            table
                .col(uuid("matter_id"))
                .col(integer("ordinal"))
                .col(string("stage"))
                .col(timestamp_with_time_zone("entered_at"))
                .col(timestamp_with_time_zone_null("due_at"))
                .col(timestamp_with_time_zone_null("left_at"))
                .col(string("calendar_version"))
                .col(string_null("outcome"))
                .col(uuid_null("actor_id"))
                .col(uuid_null("body_id"))
                .col(text_null("reason"))
                .col(text_null("authority"))
                .primary_key(Index::create().col("matter_id").col("ordinal"))
                .foreign_key(ForeignKey::create().from("stage_records", "matter_id").to("matters", "id"));
        })
        .await?;
        create(manager, "evidences", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("matter_id"))
                .col(string("stage"))
                .col(string("kind"))
                .col(string_null("subject_id"))
                .col(string_null("outcome"))
                .col(text_null("note"))
                .col(uuid_null("actor_id"))
                .col(uuid_null("body_id"))
                .col(timestamp_with_time_zone("at"))
                .foreign_key(ForeignKey::create().from("evidences", "matter_id").to("matters", "id"))
                .index(
                    Index::create()
                        .unique()
                        .name("uq_evidences_matter_id_stage_kind_subject_id")
                        .col("matter_id")
                        .col("stage")
                        .col("kind")
                        .col("subject_id"),
                );
        })
        .await?;
        Ok(())
    }
}
