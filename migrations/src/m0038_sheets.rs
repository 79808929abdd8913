//! Answers that came on paper, the households drawn for call-back visits, and when voices were enough for a meeting.
use sea_orm_migration::{prelude::*, schema::*};

use crate::schema::create;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let paper = ColumnDef::new("is_on_paper").boolean().not_null().default(false).to_owned();
        manager.alter_table(Table::alter().table("answers").add_column(paper).to_owned()).await?;
        create(manager, "visit_samples", |table| {
            table
                .col(uuid("form_id"))
                .col(uuid("household_id"))
                .col(integer("number"))
                .col(boolean("is_objector"))
                .primary_key(Index::create().col("form_id").col("household_id"))
                .foreign_key(ForeignKey::create().from("visit_samples", "form_id").to("forms", "id"))
                .foreign_key(ForeignKey::create().from("visit_samples", "household_id").to("households", "id"));
        })
        .await?;
        create(manager, "thresholds", |table| {
            table
                .col(uuid("suggestion_id"))
                .col(string("code"))
                .col(timestamp_with_time_zone("reached_at"))
                .primary_key(Index::create().col("suggestion_id").col("code"))
                .foreign_key(ForeignKey::create().from("thresholds", "suggestion_id").to("suggestions", "id"));
        })
        .await
    }
}
