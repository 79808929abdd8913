//! Votes: of a body's agenda without a matter; who belonged to a household on the day of its roll; objections that were passed
//! on; who counts a box in somebody's place; up to when a fingerprint was told.
use sea_orm_migration::{prelude::*, schema::*, sea_orm::DatabaseBackend};

use crate::schema::{create, index};

/// SQLite takes a NOT NULL away by changing what it remembers of the table, not the table: nothing that refers to it is touched.
const FREE_ON_SQLITE: &str = "UPDATE sqlite_master SET sql = replace(sql, '\"matter_id\" uuid_text NOT NULL', \
     '\"matter_id\" uuid_text') WHERE type = 'table' AND name = 'votes'";
/// Households of votes that are there already, as they are now: nothing better is known.
const FILL: &str = "INSERT INTO roll_members (vote_id, number, person_id) \
     SELECT e.vote_id, e.number, p.id FROM roll_entries e JOIN votes v ON v.id = e.vote_id \
     JOIN people p ON p.household_id = e.household_id WHERE v.preset LIKE '%household' AND p.left_on IS NULL";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        free_from_matters(manager).await?;
        let passed_on = ColumnDef::new("is_passed_on").boolean().not_null().default(false).to_owned();
        manager.alter_table(Table::alter().table("roll_objections").add_column(passed_on).to_owned()).await?;
        let shown = timestamp_with_time_zone_null("shown_until");
        manager.alter_table(Table::alter().table("votes").add_column(shown).to_owned()).await?;
        create(manager, "roll_members", |table| {
            table
                .col(uuid("vote_id"))
                .col(integer("number"))
                .col(uuid("person_id"))
                .primary_key(Index::create().col("vote_id").col("person_id"))
                .foreign_key(ForeignKey::create().from("roll_members", "vote_id").to("votes", "id"))
                .foreign_key(ForeignKey::create().from("roll_members", "person_id").to("people", "id"));
        })
        .await?;
        index(manager, "roll_members", &["vote_id", "number"]).await?;
        manager.get_connection().execute_unprepared(FILL).await?;
        create(manager, "paper_replacements", |table| {
            table
                .col(uuid("vote_id"))
                .col(integer("box_number"))
                .col(uuid("counter_id"))
                .col(string("reason"))
                .col(uuid("proposed_by"))
                .col(timestamp_with_time_zone("proposed_at"))
                .col(uuid_null("confirmed_by"))
                .col(timestamp_with_time_zone_null("confirmed_at"))
                .primary_key(Index::create().col("vote_id").col("box_number").col("counter_id"))
                .foreign_key(ForeignKey::create().from("paper_replacements", "vote_id").to("votes", "id"))
                .foreign_key(ForeignKey::create().from("paper_replacements", "counter_id").to("people", "id"));
        })
        .await
    }
}

/// A vote of a body's agenda is about no matter.
async fn free_from_matters(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = manager.get_connection();
    if manager.get_database_backend() != DatabaseBackend::Sqlite {
        db.execute_unprepared("ALTER TABLE votes ALTER COLUMN matter_id DROP NOT NULL").await?;
        return Ok(());
    }
    let select = "SELECT schema_version FROM pragma_schema_version";
    let version = db.query_one_raw(sea_orm_migration::sea_orm::Statement::from_string(DatabaseBackend::Sqlite, select));
    let version: i64 = version.await?.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    db.execute_unprepared("PRAGMA writable_schema = ON").await?;
    let changed = db.execute_unprepared(FREE_ON_SQLITE).await?;
    if changed.rows_affected() != 1 {
        return Err(DbErr::Migration("the table of votes is not what it was".to_owned()));
    }
    db.execute_unprepared(&format!("PRAGMA schema_version = {}", version + 1)).await?;
    db.execute_unprepared("PRAGMA writable_schema = OFF").await?;
    Ok(())
}
