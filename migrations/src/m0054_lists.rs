//! What keeps lists of voices as quick among hundreds of thousands as among a few: what is due, what lies on a desk, what was
//! left in a period. And public voices that are hidden, with the reason, and what their authors
//! say to it; and whether an answer takes up what was wanted.
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
        index(manager, "suggestions", &["state", "accept_due_at"]).await?;
        index(manager, "suggestions", &["state", "answer_due_at"]).await?;
        index(manager, "suggestions", &["body_id", "created_at"]).await?;
        index(manager, "suggestions", &["created_at"]).await?;
        index(manager, "suggestion_answers", &["created_at"]).await?;
        let mut outcome = Table::alter();
        outcome.table("suggestion_answers").add_column(string("outcome").default("answered"));
        manager.alter_table(outcome).await?;
        let mut hiding = Table::alter();
        hiding.table("suggestions").add_column(string_null("hiding"));
        manager.alter_table(hiding).await?;
        let mut office = Table::alter();
        office.table("suggestions").add_column(uuid_null("hiding_office"));
        manager.alter_table(office).await?;
        index(manager, "suggestions", &["hiding_office"]).await?;
        create(manager, "suggestion_hidings", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("suggestion_id"))
                .col(uuid("body_id"))
                .col(text("reason"))
                .col(uuid_null("hidden_by"))
                .col(timestamp_with_time_zone("hidden_at"))
                .col(text_null("appeal"))
                .col(timestamp_with_time_zone_null("appealed_at"))
                .col(uuid_null("office_id"))
                .col(text_null("answer"))
                .col(uuid_null("decided_by"))
                .col(timestamp_with_time_zone_null("ended_at"))
                .foreign_key(ForeignKey::create().from("suggestion_hidings", "suggestion_id").to("suggestions", "id"))
                .foreign_key(ForeignKey::create().from("suggestion_hidings", "body_id").to("bodies", "id"));
        })
        .await?;
        index(manager, "suggestion_hidings", &["suggestion_id"]).await
    }
}
