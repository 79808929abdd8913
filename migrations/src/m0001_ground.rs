//! Ground: areas, households, people, log-ins, bodies with terms, seats and mandates, answered keys.
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
        create(manager, "areas", |table| {
            table
                .col(string("code").primary_key())
                .col(string_null("parent_code"))
                .col(string("name"))
                .col(string("level"))
                .col(date("valid_from"))
                .col(date_null("valid_to"))
                .col(string_null("successor_code"))
                .foreign_key(ForeignKey::create().from("areas", "parent_code").to("areas", "code"));
        })
        .await?;
        index(manager, "areas", &["parent_code"]).await?;
        create(manager, "households", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("area_code"))
                .col(string("number"))
                .col(integer("group_number"))
                .foreign_key(ForeignKey::create().from("households", "area_code").to("areas", "code"))
                .index(Index::create().unique().name("uq_households_area_code_number").col("area_code").col("number"));
        })
        .await?;
        create(manager, "people", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("area_code"))
                .col(uuid("household_id"))
                .col(string("roster_number"))
                .col(string("name"))
                .col(string("sex"))
                .col(date("birth_date"))
                .col(string_null("id_hmac").unique_key())
                .col(string_null("id_last4"))
                .col(string_null("phone_sealed"))
                .col(string_null("phone_hmac"))
                .col(integer("group_number"))
                .col(string("relation"))
                .col(boolean("is_registered"))
                .col(boolean("lives_here"))
                .col(date("joined_on"))
                .col(date_null("left_on"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(ForeignKey::create().from("people", "area_code").to("areas", "code"))
                .foreign_key(ForeignKey::create().from("people", "household_id").to("households", "id"))
                .index(
                    Index::create()
                        .unique()
                        .name("uq_people_area_code_roster_number")
                        .col("area_code")
                        .col("roster_number"),
                );
        })
        .await?;
        index(manager, "people", &["phone_hmac"]).await?;
        index(manager, "people", &["household_id"]).await?;
        create(manager, "roster_imports", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("area_code"))
                .col(string("digest"))
                .col(integer("rows"))
                .col(integer("added"))
                .col(integer("changed"))
                .col(integer("left"))
                .col(uuid_null("imported_by"))
                .col(timestamp_with_time_zone("at"))
                .foreign_key(ForeignKey::create().from("roster_imports", "area_code").to("areas", "code"));
        })
        .await?;
        index(manager, "roster_imports", &["area_code"]).await?;
        create(manager, "login_codes", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("phone_hmac"))
                .col(string("address_hmac"))
                .col(string("code_hmac"))
                .col(integer("tries"))
                .col(timestamp_with_time_zone("sent_at"))
                .col(timestamp_with_time_zone("expires_at"))
                .col(timestamp_with_time_zone_null("used_at"));
        })
        .await?;
        index(manager, "login_codes", &["phone_hmac", "sent_at"]).await?;
        index(manager, "login_codes", &["address_hmac", "sent_at"]).await?;
        create(manager, "sessions", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("person_id"))
                .col(string_null("cookie_hmac").unique_key())
                .col(integer_null("refresh_number"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("seen_at"))
                .col(timestamp_with_time_zone("expires_at"))
                .col(timestamp_with_time_zone_null("ended_at"))
                .col(string_null("ended_why"))
                .col(string("device"))
                .foreign_key(ForeignKey::create().from("sessions", "person_id").to("people", "id"));
        })
        .await?;
        index(manager, "sessions", &["person_id"]).await?;
        create(manager, "bodies", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("kind"))
                .col(string("name"))
                .col(date("founded_on"))
                .col(timestamp_with_time_zone("created_at"));
        })
        .await?;
        create(manager, "body_areas", |table| {
            table
                .col(uuid("body_id"))
                .col(string("area_code"))
                .primary_key(Index::create().col("body_id").col("area_code"))
                .foreign_key(ForeignKey::create().from("body_areas", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("body_areas", "area_code").to("areas", "code"));
        })
        .await?;
        index(manager, "body_areas", &["area_code"]).await?;
        create(manager, "terms", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("body_id"))
                .col(integer("number"))
                .col(date("starts_on"))
                .col(date("ends_on"))
                .col(uuid_null("follows_term_id"))
                .foreign_key(ForeignKey::create().from("terms", "body_id").to("bodies", "id"))
                .index(Index::create().unique().name("uq_terms_body_id_number").col("body_id").col("number"));
        })
        .await?;
        create(manager, "seats", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("body_id"))
                .col(uuid_null("term_id"))
                .col(uuid("person_id"))
                .col(string("role"))
                .col(string_null("kind"))
                .col(string_null("route"))
                .col(string("state"))
                .col(date("starts_on"))
                .col(date_null("ends_on"))
                .foreign_key(ForeignKey::create().from("seats", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("seats", "term_id").to("terms", "id"))
                .foreign_key(ForeignKey::create().from("seats", "person_id").to("people", "id"));
        })
        .await?;
        index(manager, "seats", &["person_id"]).await?;
        index(manager, "seats", &["body_id"]).await?;
        create(manager, "mandates", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("from_body_id"))
                .col(uuid("to_body_id"))
                .col(string("scope"))
                .col(string_null("subject_id"))
                .col(text("source"))
                .col(timestamp_with_time_zone("starts_at"))
                .col(timestamp_with_time_zone_null("ends_at"))
                .col(uuid("recorded_by"))
                .foreign_key(ForeignKey::create().from("mandates", "from_body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("mandates", "to_body_id").to("bodies", "id"));
        })
        .await?;
        index(manager, "mandates", &["to_body_id"]).await?;
        create(manager, "idempotency_keys", |table| {
            table
                .col(uuid("person_id"))
                .col(string("key"))
                .col(string("operation"))
                .col(string("body_hash"))
                .col(text("answer"))
                .col(timestamp_with_time_zone("created_at"))
                .primary_key(Index::create().col("person_id").col("key"));
        })
        .await?;
        index(manager, "idempotency_keys", &["created_at"]).await?;
        Ok(())
    }
}
