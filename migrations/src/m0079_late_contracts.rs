//! When it is said that nobody has looked at a contract.
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
        let mut late = Table::alter();
        late.table("contract_reviews").add_column(timestamp_with_time_zone_null("late_at"));
        manager.alter_table(late).await?;
        let waiting = Query::update()
            .table("contract_reviews")
            .value("late_at", Expr::col("due_at"))
            .and_where(Expr::col("reviewed_at").is_null())
            .to_owned();
        manager.execute(waiting).await?;
        index(manager, "contract_reviews", &["late_at"]).await
    }
}
