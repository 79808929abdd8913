//! Who belongs to a body without a seat, how many of how many came to a meeting, and what was resolved there.
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
        create(manager, "body_members", |table| {
            table
                .col(uuid("body_id"))
                .col(uuid("person_id"))
                .col(uuid("recorded_by"))
                .col(timestamp_with_time_zone("recorded_at"))
                .primary_key(Index::create().col("body_id").col("person_id"))
                .foreign_key(ForeignKey::create().from("body_members", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("body_members", "person_id").to("people", "id"))
                .foreign_key(ForeignKey::create().from("body_members", "recorded_by").to("people", "id"));
        })
        .await?;
        index(manager, "body_members", &["person_id"]).await?;
        create(manager, "resolutions", |table| {
            table
                .col(uuid("meeting_id"))
                .col(integer("number"))
                .col(string("text"))
                .col(integer_null("votes_for"))
                .col(integer_null("votes_against"))
                .col(integer_null("abstentions"))
                .col(boolean("is_carried"))
                .col(uuid_null("task_id"))
                .primary_key(Index::create().col("meeting_id").col("number"))
                .foreign_key(ForeignKey::create().from("resolutions", "meeting_id").to("meetings", "id"))
                .foreign_key(ForeignKey::create().from("resolutions", "task_id").to("tasks", "id"));
        })
        .await?;
        for name in ["entitled", "entitled_present"] {
            let column = ColumnDef::new(name).integer().null().to_owned();
            manager.alter_table(Table::alter().table("meetings").add_column(column).to_owned()).await?;
        }
        let business = ColumnDef::new("business").string().null().to_owned();
        manager.alter_table(Table::alter().table("meetings").add_column(business).to_owned()).await
    }
}
