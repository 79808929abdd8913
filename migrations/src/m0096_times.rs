//! Until when the digest of a ballot may wait for others before it is on its board; when sealed ballots came, in a table of its own.
use sea_orm_migration::{prelude::*, schema::*, sea_orm::DatabaseBackend};

use crate::schema::create;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // what waits now was promised without
        let due = timestamp_with_time_zone("due_at").default(Expr::cust("'1970-01-01T00:00:00+00:00'")).to_owned();
        manager.alter_table(Table::alter().table("board_pending").add_column(due).to_owned()).await?;
        create(manager, "board_times", |table| {
            table
                .col(uuid("vote_id"))
                // before the digest, as in no row that names an elector: a file is searched for those
                .col(string("accepted"))
                .col(string("ballot_hash"))
                .primary_key(Index::create().col("vote_id").col("ballot_hash"))
                .foreign_key(ForeignKey::create().from("board_times", "vote_id").to("boards", "vote_id"));
        })
        .await?;
        manager.get_connection().execute_unprepared(MOVED).await?;
        manager.alter_table(Table::alter().table("board_envelopes").drop_column("accepted").to_owned()).await?;
        if manager.get_database_backend() == DatabaseBackend::Postgres {
            // what was in the column stays in the file until the table is written anew
            manager.get_connection().execute_unprepared(ANEW).await?;
        }
        Ok(())
    }
}

const MOVED: &str = "INSERT INTO board_times (vote_id, ballot_hash, accepted) \
    SELECT vote_id, ballot_hash, accepted FROM board_envelopes WHERE accepted <> ''";
const ANEW: &str = "CLUSTER board_envelopes USING board_envelopes_pkey";
