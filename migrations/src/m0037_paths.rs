//! What the assembly let its representatives decide, a step that is held up for some days, and the versions of a plan.
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
        create(manager, "authorisations", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("area_code"))
                .col(string("reserved_item"))
                .col(date("adopted_on"))
                .col(date("until_on"))
                .col(string("source"))
                .col(uuid("body_id"))
                .col(uuid("recorded_by"))
                .col(timestamp_with_time_zone("recorded_at"))
                .col(timestamp_with_time_zone_null("ended_at"))
                .foreign_key(ForeignKey::create().from("authorisations", "area_code").to("areas", "code"))
                .foreign_key(ForeignKey::create().from("authorisations", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("authorisations", "recorded_by").to("people", "id"));
        })
        .await?;
        index(manager, "authorisations", &["area_code", "reserved_item"]).await?;
        create(manager, "halts", |table| {
            table
                .col(uuid("matter_id"))
                .col(integer("ordinal"))
                .col(uuid("body_id"))
                .col(uuid("actor_id"))
                .col(string("reason"))
                .col(timestamp_with_time_zone("halted_at"))
                .col(timestamp_with_time_zone("until_at"))
                .col(timestamp_with_time_zone_null("over_at"))
                .col(string_null("lifted_reason"))
                .primary_key(Index::create().col("matter_id").col("ordinal"))
                .foreign_key(ForeignKey::create().from("halts", "matter_id").to("matters", "id"))
                .foreign_key(ForeignKey::create().from("halts", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("halts", "actor_id").to("people", "id"));
        })
        .await?;
        index(manager, "halts", &["over_at", "until_at"]).await?;
        create(manager, "plans", |table| {
            table
                .col(uuid("matter_id"))
                .col(integer("version"))
                .col(string("text"))
                .col(string_null("reason"))
                .col(uuid("body_id"))
                .col(uuid("actor_id"))
                .col(timestamp_with_time_zone("written_at"))
                .primary_key(Index::create().col("matter_id").col("version"))
                .foreign_key(ForeignKey::create().from("plans", "matter_id").to("matters", "id"))
                .foreign_key(ForeignKey::create().from("plans", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("plans", "actor_id").to("people", "id"));
        })
        .await
    }
}
