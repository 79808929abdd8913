//! What devices are told apart from entries: how far they received, what changed since, what a person muted; lists with
//! fields and households.
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
        add(manager, "memberships", || big_integer("recv_seq").default(0).to_owned()).await?;
        add(manager, "memberships", || timestamp_with_time_zone_null("mute_until")).await?;
        add(manager, "memberships", changed_at).await?;
        add(manager, "memberships", || timestamp_with_time_zone_null("echoed_at")).await?;
        add(manager, "memberships", || boolean("is_echo_due").default(false).to_owned()).await?;
        add(manager, "streams", changed_at).await?;
        add(manager, "chains", || string("slot").default("person").to_owned()).await?;
        add(manager, "chains", || text("fields").default("[]").to_owned()).await?;
        add(manager, "chain_rows", || uuid_null("household_id")).await?;
        add(manager, "chain_rows", || text("cells").default("[]").to_owned()).await?;
        // the smallest epoch of all is the server's
        index(manager, "streams", &["epoch"]).await?;
        let mut households = Index::create();
        households.unique().name("uq_chain_rows_stream_id_seq_household_id").table("chain_rows");
        manager.create_index(households.col("stream_id").col("seq").col("household_id").to_owned()).await?;
        let db = manager.get_connection();
        for statement in [
            "UPDATE memberships SET changed_at = coalesce(left_at, joined_at)",
            "UPDATE streams SET changed_at = last_at",
            "CREATE INDEX ix_memberships_echo_due ON memberships (stream_id) WHERE is_echo_due = TRUE",
            // single characters are found from now on
            "DELETE FROM grams_due",
            "INSERT INTO grams_due (stream_id, seq) SELECT e.stream_id, e.seq FROM entries e \
             JOIN streams s ON s.id = e.stream_id \
             WHERE s.key_id IS NULL AND e.kind IN ('message', 'card', 'chain') AND e.state = 'said'",
        ] {
            db.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

/// When a device must hear of the row again; every row gets its own.
fn changed_at() -> ColumnDef {
    timestamp_with_time_zone("changed_at").default(Expr::cust("'1970-01-01T00:00:00+00:00'")).to_owned()
}

/// One column at a time: SQLite takes no more.
async fn add(manager: &SchemaManager<'_>, table: &'static str, column: impl Fn() -> ColumnDef) -> Result<(), DbErr> {
    let mut alter = Table::alter();
    alter.table(table).add_column(column());
    manager.alter_table(alter).await
}
