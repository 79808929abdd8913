//! By which phone an account of WeChat was bound: it is its owner's for as long as that phone is.
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let phone = string_null("phone_hmac").to_owned();
        manager.alter_table(Table::alter().table("wechat_accounts").add_column(phone).to_owned()).await?;
        manager.get_connection().execute_unprepared(AS_NOW).await.map(drop)
    }
}

/// Of those that are bound already nobody knows by which it was: the one of today.
const AS_NOW: &str = "UPDATE wechat_accounts SET phone_hmac = \
    (SELECT p.phone_hmac FROM people p WHERE p.id = wechat_accounts.person_id) WHERE person_id IS NOT NULL";
