//! Accounts of WeChat: whose they are, what they consented to, who is logging in, what they sent.
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
        create(manager, "wechat_accounts", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("app"))
                .col(string("openid_hmac"))
                .col(text("openid_sealed"))
                .col(uuid_null("person_id"))
                .col(string_null("area_code"))
                .col(boolean("is_following"))
                .col(string_null("off_why"))
                .col(timestamp_with_time_zone_null("window_ends_at"))
                .col(integer("window_left"))
                .col(timestamp_with_time_zone_null("bound_at"))
                .col(timestamp_with_time_zone("created_at"))
                .index(
                    Index::create().unique().name("uq_wechat_accounts_app_openid_hmac").col("app").col("openid_hmac"),
                )
                .foreign_key(ForeignKey::create().from("wechat_accounts", "person_id").to("people", "id"));
        })
        .await?;
        index(manager, "wechat_accounts", &["person_id"]).await?;
        create(manager, "wechat_consents", |table| {
            table
                .col(uuid("account_id"))
                .col(string("template"))
                .col(integer("remaining"))
                .col(boolean("is_long_term"))
                .primary_key(Index::create().col("account_id").col("template"))
                .foreign_key(ForeignKey::create().from("wechat_consents", "account_id").to("wechat_accounts", "id"));
        })
        .await?;
        create(manager, "wechat_log_ins", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("secret_hmac").unique_key())
                .col(string("browser_hmac"))
                .col(text("return_to"))
                .col(integer("turns"))
                .col(uuid_null("account_id"))
                .col(string_null("phone_hmac"))
                .col(timestamp_with_time_zone_null("returned_at"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(ForeignKey::create().from("wechat_log_ins", "account_id").to("wechat_accounts", "id"));
        })
        .await?;
        index(manager, "wechat_log_ins", &["browser_hmac"]).await?;
        index(manager, "wechat_log_ins", &["created_at"]).await?;
        create(manager, "wechat_inbox", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("key").unique_key())
                .col(uuid("account_id"))
                .col(text("said_sealed"))
                .col(string("state"))
                .col(integer("tries"))
                .col(timestamp_with_time_zone("due_at"))
                .col(uuid_null("suggestion_id"))
                .col(string_null("why"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(ForeignKey::create().from("wechat_inbox", "account_id").to("wechat_accounts", "id"));
        })
        .await?;
        index(manager, "wechat_inbox", &["state", "due_at"]).await?;
        index(manager, "wechat_inbox", &["account_id"]).await
    }
}
