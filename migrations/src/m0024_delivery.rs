//! Whom an event concerns and by which channel they are told: announcements, their ladders, what people want to hear.
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
        create(manager, "announcements", |table| {
            table
                .col(uuid("id").primary_key())
                .col(big_integer("event_number").unique_key())
                .col(string("kind"))
                .col(string("subject_id"))
                .col(string_null("area_code"))
                .col(string("audience"))
                .col(string("audience_id"))
                .col(string("level"))
                .col(string("urgency"))
                .col(string("topic"))
                .col(string("thread"))
                .col(uuid_null("stream_id"))
                .col(big_integer("seq"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone_null("ended_at"));
        })
        .await?;
        index(manager, "announcements", &["subject_id"]).await?;
        index(manager, "announcements", &["thread"]).await?;
        create(manager, "ladder_steps", |table| {
            table
                .col(uuid("announcement_id"))
                .col(integer("step"))
                .col(string("channel"))
                .col(string("state"))
                .col(timestamp_with_time_zone("due_at"))
                .col(uuid_null("position"))
                .col(big_integer("looked_at"))
                .col(big_integer("planned"))
                .col(timestamp_with_time_zone_null("done_at"))
                .primary_key(Index::create().col("announcement_id").col("step"))
                .foreign_key(ForeignKey::create().from("ladder_steps", "announcement_id").to("announcements", "id"));
        })
        .await?;
        index(manager, "ladder_steps", &["state", "due_at"]).await?;
        add(manager, "deliveries", || uuid_null("announcement_id")).await?;
        add(manager, "deliveries", || string_null("reason")).await?;
        index(manager, "deliveries", &["channel", "state", "due_at"]).await?;
        choices(manager).await?;
        // what happened before this version is told to nobody any more
        manager.get_connection().execute_unprepared(FROM_NOW_ON).await?;
        // a village's people in the order in which an audience is gone through
        index(manager, "people", &["area_code", "id"]).await
    }
}

/// What people want to hear, what they were told, and what they allowed.
async fn choices(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    create(manager, "telling_choices", |table| {
        table
            .col(uuid("person_id").primary_key())
            .col(boolean("by_wechat"))
            .col(boolean("by_sms"))
            .col(boolean("sms_news"))
            .col(timestamp_with_time_zone("changed_at"))
            .foreign_key(ForeignKey::create().from("telling_choices", "person_id").to("people", "id"));
    })
    .await?;
    // who agreed before this version is told by it
    manager.get_connection().execute_unprepared(AGREED).await?;
    create(manager, "topic_choices", |table| {
        table
            .col(uuid("person_id"))
            .col(string("topic"))
            .col(string("mode"))
            .primary_key(Index::create().col("person_id").col("topic"))
            .foreign_key(ForeignKey::create().from("topic_choices", "person_id").to("people", "id"));
    })
    .await?;
    create(manager, "follows", |table| {
        table
            .col(uuid("person_id"))
            .col(uuid("matter_id"))
            .col(timestamp_with_time_zone("created_at"))
            .primary_key(Index::create().col("person_id").col("matter_id"))
            .foreign_key(ForeignKey::create().from("follows", "person_id").to("people", "id"))
            .foreign_key(ForeignKey::create().from("follows", "matter_id").to("matters", "id"));
    })
    .await?;
    index(manager, "follows", &["matter_id", "person_id"]).await?;
    create(manager, "interruptions", |table| {
        table
            .col(uuid("person_id").primary_key())
            .col(timestamp_with_time_zone("first_at"))
            .col(timestamp_with_time_zone_null("second_at"))
            .col(timestamp_with_time_zone_null("third_at"))
            .foreign_key(ForeignKey::create().from("interruptions", "person_id").to("people", "id"));
    })
    .await?;
    create(manager, "reminders", |table| {
        table
            .col(string("kind"))
            .col(string("subject_id"))
            .col(timestamp_with_time_zone("at"))
            .primary_key(Index::create().col("kind").col("subject_id"));
    })
    .await
}

/// A reaction that has no place yet would begin with the first event of all.
const FROM_NOW_ON: &str = "INSERT INTO reaction_cursors (reaction, number) \
    SELECT 'delivery.announce', number FROM chain_heads WHERE id = 1";

/// The newest consent of each person holds.
const AGREED: &str = "INSERT INTO telling_choices (person_id, by_wechat, by_sms, sms_news, changed_at) \
    SELECT c.person_id, TRUE, TRUE, TRUE, c.at FROM consents c WHERE c.purpose = 'sms_notices' AND c.is_given \
    AND NOT EXISTS (SELECT 1 FROM consents d WHERE d.person_id = c.person_id AND d.purpose = c.purpose \
    AND (d.at > c.at OR (d.at = c.at AND d.id > c.id)))";

/// One column at a time: SQLite takes no more.
async fn add(manager: &SchemaManager<'_>, table: &'static str, column: impl Fn() -> ColumnDef) -> Result<(), DbErr> {
    let mut alter = Table::alter();
    alter.table(table).add_column(column());
    manager.alter_table(alter).await
}
