//! What presses: that an office made a voice ordinary, and why; and whose phone a guest called by, whatever name was given.
use sea_orm_migration::{prelude::*, schema::*};

use crate::schema::{create, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const KNOWN: &str = "INSERT INTO guest_phones (person_id, phone_hmac) \
    SELECT person_id, max(phone_hmac) FROM guest_voices WHERE phone_hmac IS NOT NULL GROUP BY person_id";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, "suggestion_downgrades", |table| {
            table
                .col(uuid("suggestion_id").primary_key())
                .col(uuid("body_id"))
                .col(uuid("person_id"))
                .col(text("reason"))
                .col(timestamp_with_time_zone("made_at"))
                .foreign_key(
                    ForeignKey::create().from("suggestion_downgrades", "suggestion_id").to("suggestions", "id"),
                )
                .foreign_key(ForeignKey::create().from("suggestion_downgrades", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("suggestion_downgrades", "person_id").to("people", "id"));
        })
        .await?;
        create(manager, "guest_phones", |table| {
            table
                .col(uuid("person_id").primary_key())
                .col(string("phone_hmac"))
                .foreign_key(ForeignKey::create().from("guest_phones", "person_id").to("people", "id"));
        })
        .await?;
        index(manager, "guest_phones", &["phone_hmac"]).await?;
        let db = manager.get_connection();
        db.execute_unprepared(KNOWN).await?;
        db.execute_unprepared("DROP INDEX ix_guest_voices_phone_hmac_left_at").await?;
        manager.alter_table(Table::alter().table("guest_voices").drop_column("phone_hmac").to_owned()).await?;
        index(manager, "guest_voices", &["person_id", "left_at"]).await
    }
}
