//! Suspensions: whose speaking in public rests, until when and why.
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
        create(manager, "suspensions", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("person_id"))
                .col(string("area_code"))
                .col(uuid("body_id"))
                .col(text("reason"))
                .col(uuid("imposed_by"))
                .col(timestamp_with_time_zone("starts_at"))
                .col(timestamp_with_time_zone("ends_at"))
                .col(timestamp_with_time_zone_null("lifted_at"))
                .col(uuid_null("lifted_by"))
                .col(text_null("lift_reason"))
                .foreign_key(ForeignKey::create().from("suspensions", "person_id").to("people", "id"))
                .foreign_key(ForeignKey::create().from("suspensions", "area_code").to("areas", "code"))
                .foreign_key(ForeignKey::create().from("suspensions", "body_id").to("bodies", "id"));
        })
        .await?;
        index(manager, "suspensions", &["person_id", "ends_at"]).await?;
        index(manager, "suspensions", &["area_code", "ends_at"]).await
    }
}
