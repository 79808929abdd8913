//! Log-ins: which one-time codes went out (the county's budget counts those), and tickets of sockets that are spent.
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
        let mut codes = Table::alter();
        codes.table("login_codes").add_column(boolean("is_sent").default(false));
        manager.alter_table(codes).await?;
        index(manager, "login_codes", &["is_sent", "sent_at"]).await?;
        create(manager, "spent_tickets", |table| {
            table.col(uuid("id").primary_key()).col(timestamp_with_time_zone("expires_at"));
        })
        .await?;
        index(manager, "spent_tickets", &["expires_at"]).await
    }
}
