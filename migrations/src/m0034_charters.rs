//! By which path a matter goes: what a village's own rules allow, and whether the law reserves the matter to the assembly.
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
        create(manager, "charters", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("area_code"))
                .col(string("template_key"))
                .col(date("adopted_on"))
                .col(string("source"))
                .col(uuid("body_id"))
                .col(uuid("recorded_by"))
                .col(timestamp_with_time_zone("recorded_at"))
                .col(timestamp_with_time_zone_null("ended_at"))
                .foreign_key(ForeignKey::create().from("charters", "area_code").to("areas", "code"))
                .foreign_key(ForeignKey::create().from("charters", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("charters", "recorded_by").to("people", "id"));
        })
        .await?;
        index(manager, "charters", &["area_code", "template_key"]).await?;
        let item = ColumnDef::new("reserved_item").string().null().to_owned();
        manager.alter_table(Table::alter().table("matters").add_column(item).to_owned()).await?;
        let charter = ColumnDef::new("charter_id").uuid().null().to_owned();
        manager.alter_table(Table::alter().table("matters").add_column(charter).to_owned()).await
    }
}
