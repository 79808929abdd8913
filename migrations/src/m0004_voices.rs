//! Voices: photos and clips, suggestions, their answers, who opened them.
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
        create(manager, "media", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("owner_id"))
                .col(string("kind"))
                .col(string("mime"))
                .col(big_integer("bytes"))
                .col(string("sha256"))
                .col(integer_null("width"))
                .col(integer_null("height"))
                .col(integer_null("duration_ms"))
                .col(string_null("subject_kind"))
                .col(string_null("subject_id"))
                .col(string_null("area_code"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(ForeignKey::create().from("media", "owner_id").to("people", "id"))
                .foreign_key(ForeignKey::create().from("media", "area_code").to("areas", "code"));
        })
        .await?;
        index(manager, "media", &["subject_id"]).await?;
        index(manager, "media", &["owner_id", "subject_id"]).await?;
        create(manager, "suggestions", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("number").unique_key())
                .col(string("area_code"))
                .col(uuid("author_id"))
                .col(string("kind"))
                .col(string("visibility"))
                .col(text("text"))
                .col(text("place"))
                .col(string("state"))
                .col(uuid("body_id"))
                .col(uuid("stream_id"))
                .col(uuid_null("assignee_id"))
                .col(uuid_null("matter_id"))
                .col(timestamp_with_time_zone("accept_due_at"))
                .col(timestamp_with_time_zone("answer_due_at"))
                .col(string("calendar_version"))
                .col(timestamp_with_time_zone_null("accepted_at"))
                .col(timestamp_with_time_zone_null("answered_at"))
                .col(timestamp_with_time_zone_null("rated_at"))
                .col(integer_null("rating"))
                .col(text_null("rating_text"))
                .col(string_null("overdue"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(ForeignKey::create().from("suggestions", "area_code").to("areas", "code"))
                .foreign_key(ForeignKey::create().from("suggestions", "author_id").to("people", "id"))
                .foreign_key(ForeignKey::create().from("suggestions", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("suggestions", "stream_id").to("streams", "id"));
        })
        .await?;
        index(manager, "suggestions", &["area_code", "state", "created_at"]).await?;
        index(manager, "suggestions", &["area_code", "created_at"]).await?;
        index(manager, "suggestions", &["author_id", "created_at"]).await?;
        index(manager, "suggestions", &["matter_id"]).await?;
        index(manager, "suggestions", &["body_id", "state"]).await?;
        create(manager, "suggestion_answers", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("suggestion_id"))
                .col(uuid("body_id"))
                .col(uuid("person_id"))
                .col(text("text"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(ForeignKey::create().from("suggestion_answers", "suggestion_id").to("suggestions", "id"));
        })
        .await?;
        index(manager, "suggestion_answers", &["suggestion_id"]).await?;
        create(manager, "suggestion_readings", |table| {
            table
                .col(uuid("suggestion_id"))
                .col(uuid("person_id"))
                .col(date("day"))
                .col(string("body_name"))
                .col(timestamp_with_time_zone("first_at"))
                .col(integer("times"))
                .primary_key(Index::create().col("suggestion_id").col("person_id").col("day"))
                .foreign_key(ForeignKey::create().from("suggestion_readings", "suggestion_id").to("suggestions", "id"));
        })
        .await?;
        Ok(())
    }
}
