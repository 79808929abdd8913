//! Clips: how loud they are, and what a program still has to do to them. Those that are there already get their turn, too.
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
        let columns = [
            string_null("levels"),
            string_null("played_mime"),
            integer("work_tries").default(0).to_owned(),
            timestamp_with_time_zone_null("work_at"),
        ];
        for column in columns {
            manager.alter_table(Table::alter().table("media").add_column(column).to_owned()).await?;
        }
        index(manager, "media", &["work_at"]).await?;
        let waits = "UPDATE media SET work_at = created_at WHERE kind = 'voice'";
        manager.get_connection().execute_unprepared(waits).await.map(drop)
    }
}
