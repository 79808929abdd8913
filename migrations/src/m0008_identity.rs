//! Identity: data keys and what they seal, claims of a phone, consents, closings and corrections.
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
        create(manager, "data_keys", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("owner_id"))
                .col(text_null("wrapped"))
                .col(timestamp_with_time_zone("made_at"))
                .col(timestamp_with_time_zone_null("destroyed_at"))
                .foreign_key(ForeignKey::create().from("data_keys", "owner_id").to("people", "id"));
        })
        .await?;
        index(manager, "data_keys", &["owner_id"]).await?;
        for table in ["suggestions", "streams", "media"] {
            add(manager, table, uuid_null("key_id")).await?;
        }
        add(manager, "people", string_null("claim_hmac")).await?;
        add(manager, "people", timestamp_with_time_zone_null("phone_approved_at")).await?;
        add(manager, "people", timestamp_with_time_zone_null("closed_at")).await?;
        index(manager, "people", &["claim_hmac"]).await?;
        create(manager, "consents", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("person_id"))
                .col(string("purpose"))
                .col(boolean("is_given"))
                .col(string("version"))
                .col(string("channel"))
                .col(timestamp_with_time_zone("at"))
                .foreign_key(ForeignKey::create().from("consents", "person_id").to("people", "id"));
        })
        .await?;
        index(manager, "consents", &["person_id", "purpose", "at"]).await?;
        create(manager, "account_closings", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("person_id"))
                .col(string("state"))
                .col(timestamp_with_time_zone("asked_at"))
                .col(timestamp_with_time_zone("due_at"))
                .col(timestamp_with_time_zone_null("ended_at"))
                .foreign_key(ForeignKey::create().from("account_closings", "person_id").to("people", "id"));
        })
        .await?;
        index(manager, "account_closings", &["state", "due_at"]).await?;
        index(manager, "account_closings", &["person_id", "asked_at"]).await?;
        create(manager, "corrections", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("person_id"))
                .col(string("area_code"))
                .col(string("field"))
                .col(text("wanted_sealed"))
                .col(string("state"))
                .col(timestamp_with_time_zone("asked_at"))
                .col(timestamp_with_time_zone("due_at"))
                .col(uuid_null("decided_by"))
                .col(timestamp_with_time_zone_null("decided_at"))
                .col(text_null("reason"))
                .foreign_key(ForeignKey::create().from("corrections", "person_id").to("people", "id"))
                .foreign_key(ForeignKey::create().from("corrections", "area_code").to("areas", "code"));
        })
        .await?;
        index(manager, "corrections", &["area_code", "state"]).await?;
        index(manager, "corrections", &["person_id", "asked_at"]).await?;
        create(manager, "phone_claims", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("area_code"))
                .col(uuid("person_id"))
                .col(string("how"))
                .col(text_null("phone_sealed"))
                .col(string("phone_hmac"))
                .col(text_null("old_phone_sealed"))
                .col(string("state"))
                .col(uuid_null("asked_by"))
                .col(timestamp_with_time_zone("asked_at"))
                .col(timestamp_with_time_zone("due_at"))
                .col(uuid_null("decided_by"))
                .col(timestamp_with_time_zone_null("decided_at"))
                .col(text_null("reason"))
                .col(timestamp_with_time_zone_null("told_at"))
                .foreign_key(ForeignKey::create().from("phone_claims", "person_id").to("people", "id"))
                .foreign_key(ForeignKey::create().from("phone_claims", "area_code").to("areas", "code"));
        })
        .await?;
        index(manager, "phone_claims", &["area_code", "state"]).await?;
        index(manager, "phone_claims", &["person_id", "asked_at"]).await?;
        index(manager, "phone_claims", &["state", "due_at"]).await?;
        index(manager, "phone_claims", &["told_at", "decided_at"]).await?;
        create(manager, "claim_tries", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("phone_hmac"))
                .col(string("address_hmac"))
                .col(timestamp_with_time_zone("at"));
        })
        .await?;
        index(manager, "claim_tries", &["phone_hmac", "at"]).await?;
        index(manager, "claim_tries", &["address_hmac", "at"]).await?;
        Ok(())
    }
}

async fn add(manager: &SchemaManager<'_>, table: &'static str, column: ColumnDef) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await
}
