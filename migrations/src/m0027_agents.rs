//! Who casts for whom: proxies and alternates of an elector, the representatives of a household; and votes that choose.
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
        create(manager, "household_agents", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("household_id"))
                .col(uuid("person_id"))
                .col(integer("rank"))
                .col(timestamp_with_time_zone("since"))
                .col(timestamp_with_time_zone_null("until"))
                .col(uuid("recorded_by"))
                .foreign_key(ForeignKey::create().from("household_agents", "household_id").to("households", "id"))
                .foreign_key(ForeignKey::create().from("household_agents", "person_id").to("people", "id"));
        })
        .await?;
        index(manager, "household_agents", &["household_id", "until"]).await?;
        create(manager, "roll_agents", |table| {
            table
                .col(uuid("vote_id"))
                .col(integer("number"))
                .col(uuid("person_id"))
                .col(string("kind"))
                .col(integer("rank"))
                .col(string_null("relation"))
                .col(string("state"))
                .col(uuid_null("proof_media_id"))
                .col(uuid("recorded_by"))
                .col(timestamp_with_time_zone("recorded_at"))
                .col(uuid_null("checked_by"))
                .col(timestamp_with_time_zone_null("checked_at"))
                .col(timestamp_with_time_zone_null("ended_at"))
                .primary_key(Index::create().col("vote_id").col("number").col("person_id"))
                .foreign_key(ForeignKey::create().from("roll_agents", "vote_id").to("votes", "id"))
                .foreign_key(ForeignKey::create().from("roll_agents", "person_id").to("people", "id"));
        })
        .await?;
        index(manager, "roll_agents", &["person_id"]).await?;
        for name in ["proxies_until", "told_until"] {
            let column = ColumnDef::new(name).timestamp_with_time_zone().null().to_owned();
            manager.alter_table(Table::alter().table("votes").add_column(column).to_owned()).await?;
        }
        let options = ColumnDef::new("options").text().null().to_owned();
        manager.alter_table(Table::alter().table("votes").add_column(options).to_owned()).await?;
        for name in ["max_choices", "seats"] {
            let column = ColumnDef::new(name).integer().not_null().default(1).to_owned();
            manager.alter_table(Table::alter().table("votes").add_column(column).to_owned()).await?;
        }
        let parent = ColumnDef::new("parent_vote_id").uuid().null().to_owned();
        manager.alter_table(Table::alter().table("votes").add_column(parent).to_owned()).await?;
        let by = ColumnDef::new("cast_by").uuid().null().to_owned();
        manager.alter_table(Table::alter().table("roll_entries").add_column(by).to_owned()).await?;
        let told = ColumnDef::new("is_told").boolean().not_null().default(false).to_owned();
        manager.alter_table(Table::alter().table("roll_entries").add_column(told).to_owned()).await
    }
}
