//! Which keys the rows were made with: a fingerprint of each, so that another key file is not taken for theirs.
use sea_orm_migration::{prelude::*, schema::*};

use crate::schema::create;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, "key_prints", |table| {
            table.col(string("id").primary_key()).col(string("fingerprint"));
        })
        .await
    }
}
