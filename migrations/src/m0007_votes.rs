//! Votes: the vote, its frozen roll, the envelopes.
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
        create(manager, "votes", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("matter_id"))
                .col(uuid_null("meeting_id"))
                .col(string("area_code"))
                .col(uuid("body_id"))
                .col(text("question"))
                .col(string("preset"))
                .col(text("rule"))
                .col(string("secrecy"))
                .col(boolean("is_binding"))
                .col(string("state"))
                .col(integer("on_roll"))
                .col(timestamp_with_time_zone("opens_at"))
                .col(timestamp_with_time_zone("closes_at"))
                .col(timestamp_with_time_zone_null("closed_at"))
                .col(text_null("result"))
                .col(uuid("created_by"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(ForeignKey::create().from("votes", "matter_id").to("matters", "id"))
                .foreign_key(ForeignKey::create().from("votes", "area_code").to("areas", "code"));
        })
        .await?;
        index(manager, "votes", &["matter_id"]).await?;
        index(manager, "votes", &["area_code", "state"]).await?;
        index(manager, "votes", &["state", "closes_at"]).await?;
        create(manager, "roll_entries", |table| {
            table
                .col(uuid("vote_id"))
                .col(integer("number"))
                .col(uuid("person_id"))
                .col(uuid("household_id"))
                .col(string("channel"))
                .primary_key(Index::create().col("vote_id").col("number"))
                .foreign_key(ForeignKey::create().from("roll_entries", "vote_id").to("votes", "id"))
                .foreign_key(ForeignKey::create().from("roll_entries", "person_id").to("people", "id"))
                .index(
                    Index::create().unique().name("uq_roll_entries_vote_id_person_id").col("vote_id").col("person_id"),
                );
        })
        .await?;
        index(manager, "roll_entries", &["person_id"]).await?;
        create(manager, "envelopes", |table| {
            table
                .col(uuid("vote_id"))
                .col(uuid("cast_id"))
                .col(integer("elector_number"))
                .col(integer("rev"))
                .col(string_null("choice"))
                .col(text_null("sealed"))
                .col(string("ballot_hash"))
                .col(timestamp_with_time_zone("cast_at"))
                .primary_key(Index::create().col("vote_id").col("cast_id"))
                .foreign_key(ForeignKey::create().from("envelopes", "vote_id").to("votes", "id"))
                .index(
                    Index::create()
                        .unique()
                        .name("uq_envelopes_vote_id_elector_number_rev")
                        .col("vote_id")
                        .col("elector_number")
                        .col("rev"),
                );
        })
        .await?;
        Ok(())
    }
}
