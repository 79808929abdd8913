//! A body passes a voice on to another, which takes it or names the next; a clerk takes one down for somebody;
//! and what is about something goes to whom the county has named for it;
//! an office above gives more days to what is hard; others are asked for their part.
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
        let mut offered = Table::alter();
        offered.table("suggestions").add_column(uuid_null("offered_to"));
        manager.alter_table(offered).await?;
        let mut handed = Table::alter();
        handed.table("suggestions").add_column(integer("handed").default(0));
        manager.alter_table(handed).await?;
        for name in ["taken_by", "taken_body_id", "about_person_id", "late_body_id"] {
            let mut taken = Table::alter();
            taken.table("suggestions").add_column(uuid_null(name));
            manager.alter_table(taken).await?;
        }
        let mut about = Table::alter();
        about.table("suggestions").add_column(text("about_bodies").default(""));
        manager.alter_table(about).await?;
        let mut category = Table::alter();
        category.table("suggestions").add_column(string("category").default("other"));
        manager.alter_table(category).await?;
        let mut urgency = Table::alter();
        urgency.table("suggestions").add_column(string("urgency").default("ordinary"));
        manager.alter_table(urgency).await?;
        let mut asked = Table::alter();
        asked.table("suggestions").add_column(uuid_null("asks_office"));
        manager.alter_table(asked).await?;
        let mut extended = Table::alter();
        extended.table("suggestions").add_column(timestamp_with_time_zone_null("days_asked_at"));
        manager.alter_table(extended).await?;
        index(manager, "suggestions", &["asks_office"]).await?;
        create(manager, "suggestion_extensions", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("suggestion_id"))
                .col(uuid("body_id"))
                .col(uuid("office_id"))
                .col(text("reason"))
                .col(string("state"))
                .col(uuid("asked_by"))
                .col(timestamp_with_time_zone("asked_at"))
                .col(uuid_null("decided_by"))
                .col(timestamp_with_time_zone_null("decided_at"))
                .col(text_null("answer"))
                .foreign_key(
                    ForeignKey::create().from("suggestion_extensions", "suggestion_id").to("suggestions", "id"),
                );
        })
        .await?;
        index(manager, "suggestion_extensions", &["suggestion_id"]).await?;
        create(manager, "suggestion_assists", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("suggestion_id"))
                .col(uuid("body_id"))
                .col(text("task"))
                .col(string("state"))
                .col(uuid("asked_by"))
                .col(timestamp_with_time_zone("asked_at"))
                .col(text_null("answer"))
                .col(uuid_null("given_by"))
                .col(timestamp_with_time_zone_null("given_at"))
                .foreign_key(ForeignKey::create().from("suggestion_assists", "suggestion_id").to("suggestions", "id"))
                .foreign_key(ForeignKey::create().from("suggestion_assists", "body_id").to("bodies", "id"));
        })
        .await?;
        index(manager, "suggestion_assists", &["suggestion_id"]).await?;
        index(manager, "suggestion_assists", &["body_id", "state"]).await?;
        create(manager, "suggestion_routes", |table| {
            table
                .col(string("area_code"))
                .col(string("category"))
                .col(uuid("body_id"))
                .col(uuid("set_by"))
                .col(timestamp_with_time_zone("set_at"))
                .primary_key(Index::create().col("area_code").col("category"))
                .foreign_key(ForeignKey::create().from("suggestion_routes", "area_code").to("areas", "code"))
                .foreign_key(ForeignKey::create().from("suggestion_routes", "body_id").to("bodies", "id"));
        })
        .await?;
        index(manager, "suggestions", &["offered_to"]).await?;
        create(manager, "suggestion_referrals", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("suggestion_id"))
                .col(uuid("from_body_id"))
                .col(uuid("to_body_id"))
                .col(text("reason"))
                .col(string("state"))
                .col(uuid("offered_by"))
                .col(timestamp_with_time_zone("offered_at"))
                .col(uuid_null("decided_by"))
                .col(timestamp_with_time_zone_null("decided_at"))
                .col(text_null("answer"))
                .col(uuid_null("next_body_id"))
                .foreign_key(ForeignKey::create().from("suggestion_referrals", "suggestion_id").to("suggestions", "id"))
                .foreign_key(ForeignKey::create().from("suggestion_referrals", "from_body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("suggestion_referrals", "to_body_id").to("bodies", "id"));
        })
        .await?;
        index(manager, "suggestion_referrals", &["suggestion_id"]).await?;
        // one body is asked at a time
        let one_open = "CREATE UNIQUE INDEX uq_suggestion_referrals_offered ON suggestion_referrals (suggestion_id) \
             WHERE state = 'offered'";
        manager.get_connection().execute_unprepared(one_open).await?;
        Ok(())
    }
}
