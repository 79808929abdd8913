//! Until when an address that kept its try waiting in vain is left alone; cards for many, which are posted in pieces; who was told
//! at the door of a meeting's call or of a vote.
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
        let rest = ColumnDef::new("rests_until").timestamp_with_time_zone().null().to_owned();
        manager.alter_table(Table::alter().table("webhooks").add_column(rest).to_owned()).await?;
        create(manager, "card_rounds", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("about"))
                .col(string("title"))
                .col(text("body"))
                .col(timestamp_with_time_zone("created_at"));
        })
        .await?;
        create(manager, "card_readers", |table| {
            table
                .col(uuid("round_id"))
                .col(integer("place"))
                .col(uuid_null("person_id"))
                .col(uuid_null("stream_id"))
                .primary_key(Index::create().col("round_id").col("place"))
                .foreign_key(ForeignKey::create().from("card_readers", "round_id").to("card_rounds", "id"))
                .foreign_key(ForeignKey::create().from("card_readers", "person_id").to("people", "id"))
                .foreign_key(ForeignKey::create().from("card_readers", "stream_id").to("streams", "id"));
        })
        .await?;
        create(manager, "door_marks", |table| {
            table
                .col(string("kind"))
                .col(uuid("about"))
                .col(uuid("person_id"))
                .col(timestamp_with_time_zone("at"))
                .col(uuid("by_id"))
                .col(string("way"))
                .col(string_null("note"))
                .primary_key(Index::create().col("kind").col("about").col("person_id"))
                .foreign_key(ForeignKey::create().from("door_marks", "person_id").to("people", "id"))
                .foreign_key(ForeignKey::create().from("door_marks", "by_id").to("people", "id"));
        })
        .await?;
        index(manager, "door_marks", &["by_id", "at"]).await?;
        manager.get_connection().execute_unprepared(FROM_NOW_ON).await?;
        Ok(())
    }
}

/// A reaction that has no place yet would begin with the first event of all.
const FROM_NOW_ON: &str = "INSERT INTO reaction_cursors (reaction, number) \
    SELECT 'delivery.tell_marked', number FROM chain_heads WHERE id = 1";
