//! When and where a legal officer is there for residents, and for which villages.
use sea_orm_migration::{prelude::*, schema::*};

use crate::schema::create;

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
        .await
    }
}
