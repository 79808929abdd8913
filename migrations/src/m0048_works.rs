//! Tasks that were put off and what they cost, against whom a meeting is counted, and paper that a second person read.
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
        create(manager, "task_delays", |table| {
            table
                .col(uuid("task_id"))
                .col(integer("number"))
                .col(timestamp_with_time_zone("due_before"))
                .col(timestamp_with_time_zone("due_at"))
                .col(string("reason"))
                .col(uuid("body_id"))
                .col(uuid("actor_id"))
                .col(timestamp_with_time_zone("at"))
                .primary_key(Index::create().col("task_id").col("number"))
                .foreign_key(ForeignKey::create().from("task_delays", "task_id").to("tasks", "id"))
                .foreign_key(ForeignKey::create().from("task_delays", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("task_delays", "actor_id").to("people", "id"));
        })
        .await?;
        create(manager, "money_lines", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("task_id"))
                .col(string("kind"))
                .col(big_integer("fen"))
                .col(string("label"))
                .col(uuid_null("reverses").unique_key())
                .col(uuid("actor_id"))
                .col(timestamp_with_time_zone("at"))
                .foreign_key(ForeignKey::create().from("money_lines", "task_id").to("tasks", "id"))
                .foreign_key(ForeignKey::create().from("money_lines", "actor_id").to("people", "id"));
        })
        .await?;
        index(manager, "money_lines", &["task_id"]).await?;
        create(manager, "meeting_lists", |table| {
            table
                .col(uuid("meeting_id"))
                .col(uuid("person_id"))
                .primary_key(Index::create().col("meeting_id").col("person_id"))
                .foreign_key(ForeignKey::create().from("meeting_lists", "meeting_id").to("meetings", "id"))
                .foreign_key(ForeignKey::create().from("meeting_lists", "person_id").to("people", "id"));
        })
        .await?;
        create(manager, "list_changes", |table| {
            table
                .col(uuid("meeting_id"))
                .col(integer("number"))
                .col(uuid("person_id"))
                .col(boolean("is_entered"))
                .col(string("reason"))
                .col(uuid("actor_id"))
                .col(timestamp_with_time_zone("at"))
                .primary_key(Index::create().col("meeting_id").col("number"))
                .foreign_key(ForeignKey::create().from("list_changes", "meeting_id").to("meetings", "id"))
                .foreign_key(ForeignKey::create().from("list_changes", "person_id").to("people", "id"))
                .foreign_key(ForeignKey::create().from("list_changes", "actor_id").to("people", "id"));
        })
        .await?;
        // how many were on the list when the meeting was called; none of meetings called before there were lists
        let listed = ColumnDef::new("listed").integer().null().to_owned();
        manager.alter_table(Table::alter().table("meetings").add_column(listed).to_owned()).await?;
        let counted = ColumnDef::new("is_counted").boolean().not_null().default(true).to_owned();
        manager.alter_table(Table::alter().table("answers").add_column(counted).to_owned()).await?;
        let checked = ColumnDef::new("checked_by").uuid().null().to_owned();
        manager.alter_table(Table::alter().table("answers").add_column(checked).to_owned()).await
    }
}
