//! What a council did for people, as it is written down.
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
        create(manager, "service_records", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("body_id"))
                .col(date("done_on"))
                .col(string("function"))
                .col(string_null("service_group"))
                .col(string("text"))
                .col(integer("people"))
                .col(uuid("recorded_by"))
                .col(timestamp_with_time_zone("recorded_at"))
                .col(uuid_null("withdrawn_by"))
                .col(timestamp_with_time_zone_null("withdrawn_at"))
                .col(string_null("reason"))
                .foreign_key(ForeignKey::create().from("service_records", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("service_records", "recorded_by").to("people", "id"))
                .foreign_key(ForeignKey::create().from("service_records", "withdrawn_by").to("people", "id"));
        })
        .await?;
        index(manager, "service_records", &["body_id", "done_on"]).await
    }
}
