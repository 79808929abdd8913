//! After the count: days for challenges, what was challenged and answered, the resolution.
use sea_orm_migration::{prelude::*, schema::*};

use crate::schema::{create, index};

/// One person has one open challenge of a result at a time, whatever the code believes.
const ONE_EACH: &str =
    "CREATE UNIQUE INDEX uq_vote_challenges_open ON vote_challenges (vote_id, raised_by) WHERE state = 'open'";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ColumnDef::new("challenge_days").integer().not_null().default(0).to_owned(),
            ColumnDef::new("challenge_until").timestamp_with_time_zone().null().to_owned(),
            ColumnDef::new("settlement").string().null().to_owned(),
            ColumnDef::new("settled_at").timestamp_with_time_zone().null().to_owned(),
            ColumnDef::new("resolution").text().null().to_owned(),
        ];
        for column in columns {
            manager.alter_table(Table::alter().table("votes").add_column(column).to_owned()).await?;
        }
        index(manager, "votes", &["settlement", "challenge_until"]).await?;
        create(manager, "vote_challenges", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("vote_id"))
                .col(uuid("raised_by"))
                .col(timestamp_with_time_zone("raised_at"))
                .col(timestamp_with_time_zone("due_at"))
                .col(text("reason"))
                .col(string("state"))
                .col(text_null("answer"))
                .col(uuid_null("answered_by"))
                .col(timestamp_with_time_zone_null("answered_at"))
                .col(boolean("is_passed_on").default(false))
                .foreign_key(ForeignKey::create().from("vote_challenges", "vote_id").to("votes", "id"))
                .foreign_key(ForeignKey::create().from("vote_challenges", "raised_by").to("people", "id"));
        })
        .await?;
        manager.get_connection().execute_unprepared(ONE_EACH).await?;
        index(manager, "vote_challenges", &["vote_id", "raised_at"]).await
    }
}
