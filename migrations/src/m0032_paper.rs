//! Paper: sheets handed out to electors by number, and what two people counted in each box.
use sea_orm_migration::{prelude::*, schema::*};

use crate::schema::{create, index};

/// One elector has one sheet at a time, whatever the code believes.
const ONE_EACH: &str =
    "CREATE UNIQUE INDEX uq_paper_sheets_out ON paper_sheets (vote_id, number) WHERE state IN ('issued', 'cast')";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ColumnDef::new("has_paper").boolean().not_null().default(false).to_owned(),
            ColumnDef::new("paper_signed_at").timestamp_with_time_zone().null().to_owned(),
            ColumnDef::new("paper_signed_by").uuid().null().to_owned(),
            ColumnDef::new("paper_void_reason").text().null().to_owned(),
        ];
        for column in columns {
            manager.alter_table(Table::alter().table("votes").add_column(column).to_owned()).await?;
        }
        create(manager, "paper_sheets", |table| {
            table
                .col(uuid("vote_id"))
                .col(integer("serial"))
                .col(integer("number"))
                .col(string("channel_before"))
                .col(uuid_null("before_cast_by"))
                .col(uuid_null("taken_by"))
                .col(uuid("issued_by"))
                .col(timestamp_with_time_zone("issued_at"))
                .col(string("state"))
                .col(uuid_null("ended_by"))
                .col(timestamp_with_time_zone_null("ended_at"))
                .primary_key(Index::create().col("vote_id").col("serial"))
                .foreign_key(ForeignKey::create().from("paper_sheets", "vote_id").to("votes", "id"));
        })
        .await?;
        manager.get_connection().execute_unprepared(ONE_EACH).await?;
        create(manager, "paper_counts", |table| {
            table
                .col(uuid("vote_id"))
                .col(integer("box_number"))
                .col(uuid("counted_by"))
                .col(text("figures"))
                .col(uuid_null("photo_id"))
                .col(timestamp_with_time_zone("counted_at"))
                .primary_key(Index::create().col("vote_id").col("box_number").col("counted_by"))
                .foreign_key(ForeignKey::create().from("paper_counts", "vote_id").to("votes", "id"))
                .foreign_key(ForeignKey::create().from("paper_counts", "counted_by").to("people", "id"));
        })
        .await?;
        index(manager, "paper_counts", &["counted_by"]).await
    }
}
