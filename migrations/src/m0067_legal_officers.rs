//! When and where a legal officer is there for residents, and for which villages; what an officer's hours went into, day by day.
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
        create(manager, "legal_desks", |table| {
            table
                .col(uuid("seat_id").primary_key())
                .col(text("place"))
                .col(text("hours"))
                .foreign_key(ForeignKey::create().from("legal_desks", "seat_id").to("seats", "id"));
        })
        .await?;
        create(manager, "legal_villages", |table| {
            table
                .col(uuid("seat_id"))
                .col(string("area_code"))
                .primary_key(Index::create().col("seat_id").col("area_code"))
                .foreign_key(ForeignKey::create().from("legal_villages", "seat_id").to("legal_desks", "seat_id"))
                .foreign_key(ForeignKey::create().from("legal_villages", "area_code").to("areas", "code"));
        })
        .await?;
        create(manager, "legal_hours", |table| {
            table
                .col(uuid("person_id"))
                .col(string("area_code"))
                .col(date("day"))
                .col(string("work"))
                .col(integer("minutes"))
                .col(text("note"))
                .col(timestamp_with_time_zone("written_at"))
                .primary_key(Index::create().col("person_id").col("area_code").col("day").col("work"))
                .foreign_key(ForeignKey::create().from("legal_hours", "person_id").to("people", "id"))
                .foreign_key(ForeignKey::create().from("legal_hours", "area_code").to("areas", "code"));
        })
        .await?;
        index(manager, "legal_hours", &["area_code", "day"]).await?;
        // what an officer answered is listed
        index(manager, "suggestion_answers", &["person_id"]).await
    }
}
