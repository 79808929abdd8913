//! What waits for somebody who looks is found by an index; a body has the number of its registration and its start-up grant, a
//! seat how somebody came to it.
use sea_orm_migration::{prelude::*, schema::*};

use crate::schema::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        index(manager, "suggestions", &["body_id", "hiding", "created_at"]).await?;
        index(manager, "suggestion_hidings", &["ended_at", "hidden_by"]).await?;
        for column in [text_null("registration"), big_integer_null("grant_fen"), date_null("granted_on")] {
            manager.alter_table(Table::alter().table("bodies").add_column(column).to_owned()).await?;
        }
        for column in [
            text_null("recommended_by"),
            date_null("nominated_on"),
            date_null("checked_on"),
            date_null("publicised_on"),
        ] {
            manager.alter_table(Table::alter().table("seats").add_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
