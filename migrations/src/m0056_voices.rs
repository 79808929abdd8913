//! Objections that were withdrawn: when, by whom, and why, where it was done for somebody. And where photos and clips of public
//! voices are looked at before everybody sees them.
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
        for column in
            [timestamp_with_time_zone_null("withdrawn_at"), uuid_null("withdrawn_by"), text_null("withdrawal")]
        {
            manager.alter_table(Table::alter().table("objections").add_column(column).to_owned()).await?;
        }
        create(manager, "media_reviews", |table| {
            table
                .col(string("area_code").primary_key())
                .col(uuid("set_by"))
                .col(timestamp_with_time_zone("set_at"))
                .foreign_key(ForeignKey::create().from("media_reviews", "area_code").to("areas", "code"));
        })
        .await
    }
}
