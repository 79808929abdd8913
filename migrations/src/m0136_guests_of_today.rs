//! For which day those were let into a discussion who sit in an invited body; none where nobody is let in any more.
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
        let seated = date_null("seated_on");
        manager.alter_table(Table::alter().table("invitations").add_column(seated).to_owned()).await?;
        // long ago: the first round looks at each, and leaves those that are over
        let stale = "UPDATE invitations SET seated_on = '2026-01-01' WHERE declined_at IS NULL";
        manager.get_connection().execute_unprepared(stale).await?;
        index(manager, "invitations", &["seated_on"]).await
    }
}
