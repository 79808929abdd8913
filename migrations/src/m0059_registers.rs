//! 成员名册: who came onto the register of a village's collective and who left it, why and since when.
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
        create(manager, "member_changes", |table| {
            table
                .col(uuid("body_id"))
                .col(integer("number"))
                .col(uuid("person_id"))
                .col(boolean("is_entered"))
                .col(text("reason"))
                .col(date("since"))
                .col(uuid("actor_id"))
                .col(timestamp_with_time_zone("at"))
                .primary_key(Index::create().col("body_id").col("number"))
                .foreign_key(ForeignKey::create().from("member_changes", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("member_changes", "person_id").to("people", "id"))
                .foreign_key(ForeignKey::create().from("member_changes", "actor_id").to("people", "id"));
        })
        .await
    }
}
