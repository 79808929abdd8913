//! Which bodies were invited by name to deliberate a matter.
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
        create(manager, "invitations", |table| {
            table
                .col(uuid("matter_id"))
                .col(integer("ordinal"))
                .col(uuid("body_id"))
                .col(uuid("invited_by"))
                .col(timestamp_with_time_zone("invited_at"))
                .col(date("due_on"))
                .col(timestamp_with_time_zone_null("declined_at"))
                .col(uuid_null("declined_by"))
                .col(string_null("reason"))
                .primary_key(Index::create().col("matter_id").col("ordinal").col("body_id"))
                .foreign_key(ForeignKey::create().from("invitations", "matter_id").to("matters", "id"))
                .foreign_key(ForeignKey::create().from("invitations", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("invitations", "invited_by").to("people", "id"))
                .foreign_key(ForeignKey::create().from("invitations", "declined_by").to("people", "id"));
        })
        .await
    }
}
