//! The roll posted before a vote: since when it hangs, objections to it, its amendments.
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
        let columns = [
            ColumnDef::new("roll_frozen").integer().not_null().default(0).to_owned(),
            ColumnDef::new("roll_root").text().null().to_owned(),
            ColumnDef::new("roll_posted_at").timestamp_with_time_zone().null().to_owned(),
        ];
        for column in columns {
            manager.alter_table(Table::alter().table("votes").add_column(column).to_owned()).await?;
        }
        let frozen = Query::update().table("votes").value("roll_frozen", Expr::col("on_roll")).to_owned();
        manager.execute(frozen).await?;
        create(manager, "roll_objections", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("vote_id"))
                .col(string("kind"))
                .col(string("name"))
                .col(string_null("roster_number"))
                .col(uuid_null("person_id"))
                .col(text("reason"))
                .col(uuid("raised_by"))
                .col(timestamp_with_time_zone("raised_at"))
                .col(timestamp_with_time_zone("due_at"))
                .col(string("state"))
                .col(boolean_null("upholds"))
                .col(text_null("decision"))
                .col(uuid_null("decided_by"))
                .col(timestamp_with_time_zone_null("decided_at"))
                .col(uuid_null("confirmed_by"))
                .col(timestamp_with_time_zone_null("confirmed_at"))
                .foreign_key(ForeignKey::create().from("roll_objections", "vote_id").to("votes", "id"))
                .foreign_key(ForeignKey::create().from("roll_objections", "person_id").to("people", "id"))
                .foreign_key(ForeignKey::create().from("roll_objections", "raised_by").to("people", "id"));
        })
        .await?;
        index(manager, "roll_objections", &["vote_id", "raised_at"]).await?;
        create(manager, "roll_amendments", |table| {
            table
                .col(uuid("vote_id"))
                .col(integer("place"))
                .col(string("op"))
                .col(integer("number"))
                .col(text("decision"))
                .col(uuid("objection_id"))
                .col(timestamp_with_time_zone("made_at"))
                .primary_key(Index::create().col("vote_id").col("place"))
                .foreign_key(ForeignKey::create().from("roll_amendments", "vote_id").to("votes", "id"))
                .foreign_key(ForeignKey::create().from("roll_amendments", "objection_id").to("roll_objections", "id"));
        })
        .await
    }
}
