//! Who is responsible for a voice after it was not solved twice, and when somebody is warned or told to see to it.
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
        for column in [
            integer("level").default(0).to_owned(),
            integer("unsolved").default(0).to_owned(),
            timestamp_with_time_zone_null("warn_at"),
            timestamp_with_time_zone_null("supervise_at"),
        ] {
            let mut table = Table::alter();
            table.table("suggestions").add_column(column);
            manager.alter_table(table).await?;
        }
        index(manager, "suggestions", &["warn_at"]).await?;
        index(manager, "suggestions", &["supervise_at"]).await
    }
}
