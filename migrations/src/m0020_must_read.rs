//! Who was asked to read a notice, who confirmed for whom, who is reminded when; hours of quiet, duty at an office, the
//! groups of a grid worker.
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
        add(manager, "notices", || string("class").default("normal").to_owned()).await?;
        add(manager, "notices", || timestamp_with_time_zone_null("confirm_by")).await?;
        add(manager, "notices", || integer_null("audience_size")).await?;
        add(manager, "notices", || timestamp_with_time_zone_null("remind_at")).await?;
        add(manager, "notices", || integer("reminded").default(0).to_owned()).await?;
        add(manager, "notice_confirmations", || string("via").default("self").to_owned()).await?;
        add(manager, "notice_confirmations", || boolean("in_audience").default(true).to_owned()).await?;
        add(manager, "notice_confirmations", || uuid_null("by_id")).await?;
        add(manager, "notice_confirmations", || uuid_null("proxy_id")).await?;
        add(manager, "notice_confirmations", || string_null("way")).await?;
        add(manager, "notice_confirmations", || text_null("note")).await?;
        add(manager, "notice_confirmations", || boolean("tell_at_door").default(false).to_owned()).await?;
        add(manager, "notice_confirmations", || timestamp_with_time_zone_null("told_at")).await?;
        add(manager, "notice_confirmations", || uuid_null("told_by")).await?;
        add(manager, "tasks", || uuid_null("notice_id")).await?;
        index(manager, "notices", &["remind_at"]).await?;
        create(manager, "notice_audience", |table| {
            table
                .col(uuid("notice_id"))
                .col(integer("version"))
                .col(uuid("person_id"))
                .col(integer("place"))
                .col(uuid("household_id"))
                .col(string("household_number"))
                .col(integer("group_number"))
                .primary_key(Index::create().col("notice_id").col("version").col("person_id"))
                .index(
                    Index::create()
                        .unique()
                        .name("uq_notice_audience_notice_id_version_place")
                        .col("notice_id")
                        .col("version")
                        .col("place"),
                )
                .foreign_key(ForeignKey::create().from("notice_audience", "notice_id").to("notices", "id"))
                .foreign_key(ForeignKey::create().from("notice_audience", "person_id").to("people", "id"));
        })
        .await?;
        create(manager, "notice_reminders", |table| {
            table
                .col(uuid("notice_id"))
                .col(integer("version"))
                .col(integer("step"))
                .col(uuid("person_id"))
                .col(timestamp_with_time_zone("not_before"))
                .primary_key(Index::create().col("notice_id").col("version").col("step").col("person_id"))
                .foreign_key(ForeignKey::create().from("notice_reminders", "notice_id").to("notices", "id"))
                .foreign_key(ForeignKey::create().from("notice_reminders", "person_id").to("people", "id"));
        })
        .await?;
        index(manager, "notice_reminders", &["not_before"]).await?;
        create(manager, "quiet_hours", |table| {
            table
                .col(uuid("person_id").primary_key())
                .col(integer("from_minute"))
                .col(integer("to_minute"))
                .col(timestamp_with_time_zone("changed_at"))
                .foreign_key(ForeignKey::create().from("quiet_hours", "person_id").to("people", "id"));
        })
        .await?;
        create(manager, "duties", |table| {
            table
                .col(uuid("seat_id").primary_key())
                .col(timestamp_with_time_zone("since"))
                .col(timestamp_with_time_zone("until"))
                .foreign_key(ForeignKey::create().from("duties", "seat_id").to("seats", "id"));
        })
        .await?;
        create(manager, "seat_groups", |table| {
            table
                .col(uuid("seat_id"))
                .col(integer("group_number"))
                .primary_key(Index::create().col("seat_id").col("group_number"))
                .foreign_key(ForeignKey::create().from("seat_groups", "seat_id").to("seats", "id"));
        })
        .await
    }
}

/// One column at a time: SQLite takes no more.
async fn add(manager: &SchemaManager<'_>, table: &'static str, column: impl Fn() -> ColumnDef) -> Result<(), DbErr> {
    let mut alter = Table::alter();
    alter.table(table).add_column(column());
    manager.alter_table(alter).await
}
