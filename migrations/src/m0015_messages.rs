//! Messages that can be recalled, pinned and address somebody; a person's settings of a conversation.
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
        add(manager, "streams", || big_integer("last_all_seq").default(0).to_owned()).await?;
        add(manager, "entries", || big_integer_null("target_seq")).await?;
        add(manager, "entries", || string("state").default("said").to_owned()).await?;
        add(manager, "entries", || big_integer("rev").default(0).to_owned()).await?;
        add(manager, "entries", || boolean("is_pinned").default(false).to_owned()).await?;
        add(manager, "memberships", || big_integer("last_mention_seq").default(0).to_owned()).await?;
        add(manager, "memberships", || string("mute").default("nothing").to_owned()).await?;
        add(manager, "memberships", || timestamp_with_time_zone_null("pinned_at")).await?;
        // how many have read up to a place
        index(manager, "memberships", &["stream_id", "read_seq"]).await
    }
}

/// One column at a time: SQLite takes no more.
async fn add(manager: &SchemaManager<'_>, table: &'static str, column: impl Fn() -> ColumnDef) -> Result<(), DbErr> {
    let mut alter = Table::alter();
    alter.table(table).add_column(column());
    manager.alter_table(alter).await
}
