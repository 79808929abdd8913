//! What waits for somebody who looks is found by an index; a body has the number of its registration, its start-up grant and a
//! room with hours and a roster, a seat how somebody came to it.
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
        index(manager, "suggestions", &["body_id", "hiding", "created_at"]).await?;
        index(manager, "suggestion_hidings", &["ended_at", "hidden_by"]).await?;
        for column in [text_null("registration"), big_integer_null("grant_fen"), date_null("granted_on")] {
            manager.alter_table(Table::alter().table("bodies").add_column(column).to_owned()).await?;
        }
        for column in [
            text_null("recommended_by"),
            date_null("nominated_on"),
            date_null("checked_on"),
            date_null("publicised_on"),
        ] {
            manager.alter_table(Table::alter().table("seats").add_column(column).to_owned()).await?;
        }
        create(manager, "rooms", |table| {
            table
                .col(uuid("body_id").primary_key())
                .col(text("place"))
                .col(text("hours"))
                .foreign_key(ForeignKey::create().from("rooms", "body_id").to("bodies", "id"));
        })
        .await?;
        create(manager, "room_duties", |table| {
            table
                .col(uuid("body_id"))
                .col(integer("weekday"))
                .col(uuid("seat_id"))
                .primary_key(Index::create().col("body_id").col("weekday").col("seat_id"))
                .foreign_key(ForeignKey::create().from("room_duties", "body_id").to("rooms", "body_id"))
                .foreign_key(ForeignKey::create().from("room_duties", "seat_id").to("seats", "id"));
        })
        .await
    }
}
