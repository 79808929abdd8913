//! What a send took from the ledger of WeChat and what WeChat reported of it; whose each message is, from its arrival on.
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
        for name in ["refused_at", "given_at"] {
            let mut consents = Table::alter();
            consents.table("wechat_consents").add_column(timestamp_with_time_zone_null(name));
            manager.alter_table(consents).await?;
        }
        create(manager, "wechat_sends", |table| {
            table
                .col(uuid("id").primary_key())
                .col(integer("tries"))
                .col(uuid("account_id"))
                .col(string("way"))
                .col(string_null("template"))
                .col(boolean("is_counted"))
                .col(string("state"))
                .col(string_null("msgid"))
                .col(string_null("reported"))
                .col(timestamp_with_time_zone("taken_at"))
                .foreign_key(ForeignKey::create().from("wechat_sends", "account_id").to("wechat_accounts", "id"));
        })
        .await?;
        index(manager, "wechat_sends", &["account_id", "msgid"]).await?;
        index(manager, "wechat_sends", &["taken_at"]).await?;
        create(manager, "wechat_receipts", |table| {
            table
                .col(uuid("account_id"))
                .col(string("msgid"))
                .col(string("reported"))
                .col(timestamp_with_time_zone("at"))
                .primary_key(Index::create().col("account_id").col("msgid"))
                .foreign_key(ForeignKey::create().from("wechat_receipts", "account_id").to("wechat_accounts", "id"));
        })
        .await?;
        index(manager, "wechat_receipts", &["at"]).await?;
        let mut inbox = Table::alter();
        inbox.table("wechat_inbox").add_column(uuid_null("person_id"));
        manager.alter_table(inbox).await?;
        index(manager, "wechat_inbox", &["person_id"]).await?;
        // what is queued anew keeps the token of its claims, and has all its tries once more
        for name in ["wechat_inbox", "deliveries"] {
            let mut before = Table::alter();
            before.table(name).add_column(integer("tries_before").default(0));
            manager.alter_table(before).await?;
        }
        // what waits belongs to whom the account belongs to now: nothing else is known of it. What is done has no words
        // left, so only the few messages that are not yet taken are looked at
        let whose = "UPDATE wechat_inbox SET person_id = (SELECT person_id FROM wechat_accounts \
            WHERE wechat_accounts.id = wechat_inbox.account_id) WHERE state = 'waiting'";
        manager.get_connection().execute_unprepared(whose).await?;
        // each account has stops of its own from now on: nothing would ever end these
        let of_both = "DELETE FROM stopped_sends WHERE channel = 'wechat' AND kind NOT LIKE '%@%'";
        manager.get_connection().execute_unprepared(of_both).await.map(drop)
    }
}
