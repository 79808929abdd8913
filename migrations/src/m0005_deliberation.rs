//! Deliberation: forms and answers, meetings and attendance, notices and objections, tasks.
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
        create(manager, "forms", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("subject_id"))
                .col(string("area_code"))
                .col(uuid_null("body_id"))
                .col(string("purpose"))
                .col(text("title"))
                .col(text("questions"))
                .col(string("state"))
                .col(timestamp_with_time_zone("opens_at"))
                .col(timestamp_with_time_zone_null("closes_at"))
                .col(timestamp_with_time_zone_null("closed_at"))
                .col(uuid("created_by"))
                .foreign_key(ForeignKey::create().from("forms", "area_code").to("areas", "code"));
        })
        .await?;
        index(manager, "forms", &["subject_id"]).await?;
        index(manager, "forms", &["state", "closes_at"]).await?;
        create(manager, "answers", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("form_id"))
                .col(uuid("person_id"))
                .col(uuid("recorded_by"))
                .col(text("data"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(ForeignKey::create().from("answers", "form_id").to("forms", "id"))
                .foreign_key(ForeignKey::create().from("answers", "person_id").to("people", "id"))
                .index(Index::create().unique().name("uq_answers_form_id_person_id").col("form_id").col("person_id"));
        })
        .await?;
        create(manager, "meetings", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("area_code"))
                .col(uuid("body_id"))
                .col(uuid_null("matter_id"))
                .col(string("audience"))
                .col(text("title"))
                .col(text("agenda"))
                .col(text("place"))
                .col(string("state"))
                .col(timestamp_with_time_zone("called_at"))
                .col(timestamp_with_time_zone("starts_at"))
                .col(timestamp_with_time_zone_null("held_at"))
                .col(text_null("minutes"))
                .col(text_null("resolution"))
                .col(text_null("cancel_reason"))
                .col(uuid("created_by"))
                .foreign_key(ForeignKey::create().from("meetings", "area_code").to("areas", "code"))
                .foreign_key(ForeignKey::create().from("meetings", "body_id").to("bodies", "id"));
        })
        .await?;
        index(manager, "meetings", &["matter_id"]).await?;
        index(manager, "meetings", &["area_code", "starts_at"]).await?;
        create(manager, "attendances", |table| {
            table
                .col(uuid("meeting_id"))
                .col(uuid("person_id"))
                .col(string("via"))
                .col(uuid("recorded_by"))
                .col(timestamp_with_time_zone("at"))
                .primary_key(Index::create().col("meeting_id").col("person_id"))
                .foreign_key(ForeignKey::create().from("attendances", "meeting_id").to("meetings", "id"))
                .foreign_key(ForeignKey::create().from("attendances", "person_id").to("people", "id"));
        })
        .await?;
        create(manager, "notices", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("number"))
                .col(string("area_code"))
                .col(uuid_null("matter_id"))
                .col(uuid("body_id"))
                .col(uuid_null("adviser_body_id"))
                .col(uuid_null("mandate_id"))
                .col(text("title"))
                .col(text("text"))
                .col(integer("version"))
                .col(string("state"))
                .col(integer("period_days"))
                .col(timestamp_with_time_zone("period_from"))
                .col(timestamp_with_time_zone("period_to"))
                .col(string("calendar_version"))
                .col(uuid("created_by"))
                .col(timestamp_with_time_zone("published_at"))
                .col(timestamp_with_time_zone_null("held_up_at"))
                .col(timestamp_with_time_zone_null("ended_at"))
                .col(text_null("end_reason"))
                .col(boolean("must_read").default(false))
                .foreign_key(ForeignKey::create().from("notices", "area_code").to("areas", "code"))
                .foreign_key(ForeignKey::create().from("notices", "body_id").to("bodies", "id"))
                .index(Index::create().unique().name("uq_notices_area_code_number").col("area_code").col("number"));
        })
        .await?;
        create(manager, "notice_counters", |table| {
            table
                .col(string("area_code"))
                .col(integer("year"))
                .col(integer("last"))
                .primary_key(Index::create().col("area_code").col("year"))
                .foreign_key(ForeignKey::create().from("notice_counters", "area_code").to("areas", "code"));
        })
        .await?;
        index(manager, "notices", &["matter_id"]).await?;
        index(manager, "notices", &["area_code", "published_at"]).await?;
        index(manager, "notices", &["state", "period_to"]).await?;
        create(manager, "notice_versions", |table| {
            table
                .col(uuid("notice_id"))
                .col(integer("version"))
                .col(text("title"))
                .col(text("text"))
                .col(string("digest"))
                .col(text_null("reason"))
                .col(uuid("published_by"))
                .col(timestamp_with_time_zone("published_at"))
                .primary_key(Index::create().col("notice_id").col("version"))
                .foreign_key(ForeignKey::create().from("notice_versions", "notice_id").to("notices", "id"));
        })
        .await?;
        create(manager, "notice_confirmations", |table| {
            table
                .col(uuid("notice_id"))
                .col(integer("version"))
                .col(uuid("person_id"))
                .col(timestamp_with_time_zone("at"))
                .primary_key(Index::create().col("notice_id").col("version").col("person_id"))
                .foreign_key(ForeignKey::create().from("notice_confirmations", "notice_id").to("notices", "id"))
                .foreign_key(ForeignKey::create().from("notice_confirmations", "person_id").to("people", "id"));
        })
        .await?;
        create(manager, "objections", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("notice_id"))
                .col(integer("version"))
                .col(uuid("person_id"))
                .col(text("text"))
                .col(timestamp_with_time_zone("created_at"))
                .col(text_null("answer"))
                .col(uuid_null("answered_by"))
                .col(timestamp_with_time_zone_null("answered_at"))
                .foreign_key(ForeignKey::create().from("objections", "notice_id").to("notices", "id"));
        })
        .await?;
        index(manager, "objections", &["notice_id", "created_at"]).await?;
        create(manager, "tasks", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("area_code"))
                .col(uuid_null("matter_id"))
                .col(text("title"))
                .col(uuid("body_id"))
                .col(uuid("owner_id"))
                .col(string("state"))
                .col(timestamp_with_time_zone("due_at"))
                .col(string("calendar_version"))
                .col(text_null("proof"))
                .col(timestamp_with_time_zone_null("done_at"))
                .col(timestamp_with_time_zone_null("overdue_at"))
                .col(uuid("created_by"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(ForeignKey::create().from("tasks", "area_code").to("areas", "code"))
                .foreign_key(ForeignKey::create().from("tasks", "owner_id").to("people", "id"));
        })
        .await?;
        index(manager, "tasks", &["matter_id"]).await?;
        index(manager, "tasks", &["owner_id", "state"]).await?;
        index(manager, "tasks", &["state", "due_at"]).await?;
        Ok(())
    }
}
