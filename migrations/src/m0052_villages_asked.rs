//! Must-read notices of a town or the county: whose people each village is asked for, how far it has come, when it is
//! reminded; the village of everybody who is asked.
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
        create(manager, "notice_villages", |table| {
            table
                .col(uuid("notice_id"))
                .col(integer("version"))
                .col(string("area_code"))
                .col(integer("asked"))
                .col(integer("confirmed"))
                .col(timestamp_with_time_zone_null("freeze_at"))
                .col(timestamp_with_time_zone_null("remind_at"))
                .col(integer("reminded"))
                .primary_key(Index::create().col("notice_id").col("version").col("area_code"))
                .foreign_key(ForeignKey::create().from("notice_villages", "notice_id").to("notices", "id"));
        })
        .await?;
        index(manager, "notice_villages", &["freeze_at"]).await?;
        index(manager, "notice_villages", &["remind_at"]).await?;
        let area = ColumnDef::new("area_code").string().not_null().default("").to_owned();
        manager.alter_table(Table::alter().table("notice_audience").add_column(area).to_owned()).await?;
        index(manager, "notice_audience", &["notice_id", "version", "area_code", "place"]).await?;
        // of a county's notice everybody who opens it asks for the own household
        index(manager, "notice_audience", &["household_id", "notice_id", "version"]).await?;
        let db = manager.get_connection();
        db.execute_unprepared(PLACE).await?;
        db.execute_unprepared(FILL).await?;
        // each village climbs its own ladder now
        for away in AWAY {
            db.execute_unprepared(away).await?;
        }
        Ok(())
    }
}

/// Until now only villages asked, and only their own people.
const PLACE: &str = "UPDATE notice_audience SET area_code = \
    (SELECT n.area_code FROM notices n WHERE n.id = notice_audience.notice_id)";
const FILL: &str = "INSERT INTO notice_villages (notice_id, version, area_code, asked, confirmed, remind_at, reminded) \
    SELECT n.id, n.version, n.area_code, \
    (SELECT count(*) FROM notice_audience a WHERE a.notice_id = n.id AND a.version = n.version), \
    (SELECT count(*) FROM notice_confirmations c WHERE c.notice_id = n.id AND c.version = n.version AND c.in_audience), \
    n.remind_at, n.reminded FROM notices n WHERE n.must_read";
const AWAY: [&str; 3] = [
    "DROP INDEX ix_notices_remind_at",
    "ALTER TABLE notices DROP COLUMN remind_at",
    "ALTER TABLE notices DROP COLUMN reminded",
];
