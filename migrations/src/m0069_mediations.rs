//! Mediation between people, kept for them and the legal officer alone: who, about what, how it ended, when it is looked at again.
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
        create(manager, "mediations", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("key_id"))
                .col(string("area_code"))
                .col(uuid("officer_id"))
                .col(text("about"))
                .col(string("state"))
                .col(timestamp_with_time_zone("opened_at"))
                .col(timestamp_with_time_zone_null("ended_at"))
                .col(text_null("outcome"))
                .col(text_null("agreement"))
                .col(date_null("follow_up_on"))
                .foreign_key(ForeignKey::create().from("mediations", "area_code").to("areas", "code"))
                .foreign_key(ForeignKey::create().from("mediations", "officer_id").to("people", "id"));
        })
        .await?;
        index(manager, "mediations", &["officer_id", "opened_at"]).await?;
        create(manager, "mediation_parties", |table| {
            table
                .col(uuid("mediation_id"))
                .col(integer("number"))
                .col(uuid_null("person_id"))
                .col(text("name"))
                .primary_key(Index::create().col("mediation_id").col("number"))
                .foreign_key(ForeignKey::create().from("mediation_parties", "mediation_id").to("mediations", "id"))
                .foreign_key(ForeignKey::create().from("mediation_parties", "person_id").to("people", "id"));
        })
        .await?;
        index(manager, "mediation_parties", &["person_id"]).await?;
        create(manager, "mediation_follow_ups", |table| {
            table
                .col(uuid("mediation_id"))
                .col(integer("number"))
                .col(text("text"))
                .col(timestamp_with_time_zone("at"))
                .primary_key(Index::create().col("mediation_id").col("number"))
                .foreign_key(ForeignKey::create().from("mediation_follow_ups", "mediation_id").to("mediations", "id"));
        })
        .await
    }
}
