//! The calendar of an election, drafted when a term nears its end.
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
        create(manager, "elections", |table| {
            table
                .col(uuid("term_id").primary_key())
                .col(uuid("body_id"))
                .col(timestamp_with_time_zone("drafted_at"))
                .col(string("calendar_version"))
                .col(uuid_null("changed_by"))
                .col(timestamp_with_time_zone_null("changed_at"))
                .col(text_null("reason"))
                .foreign_key(ForeignKey::create().from("elections", "term_id").to("terms", "id"))
                .foreign_key(ForeignKey::create().from("elections", "body_id").to("bodies", "id"));
        })
        .await?;
        index(manager, "elections", &["body_id"]).await?;
        create(manager, "election_days", |table| {
            table
                .col(uuid("term_id"))
                .col(string("step"))
                .col(date("day"))
                .col(uuid_null("done_by"))
                .col(timestamp_with_time_zone_null("done_at"))
                .primary_key(Index::create().col("term_id").col("step"))
                .foreign_key(ForeignKey::create().from("election_days", "term_id").to("elections", "term_id"));
        })
        .await
    }
}
