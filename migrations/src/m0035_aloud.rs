//! 听一听: which clip says a notice, a vote or a matter aloud, and when the speech command is to make one.
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
        create(manager, "aloud_clips", |table| {
            table
                .col(string("about"))
                .col(uuid("subject_id"))
                .col(string("area_code"))
                .col(integer("version"))
                .col(uuid_null("media_id"))
                .col(uuid_null("spoken_by"))
                .col(timestamp_with_time_zone_null("made_at"))
                .col(integer("tries").default(0))
                .col(timestamp_with_time_zone_null("try_at"))
                .primary_key(Index::create().col("about").col("subject_id"))
                .foreign_key(ForeignKey::create().from("aloud_clips", "area_code").to("areas", "code"))
                .foreign_key(ForeignKey::create().from("aloud_clips", "media_id").to("media", "id"))
                .foreign_key(ForeignKey::create().from("aloud_clips", "spoken_by").to("people", "id"));
        })
        .await?;
        index(manager, "aloud_clips", &["media_id"]).await?;
        index(manager, "aloud_clips", &["try_at"]).await
    }
}
