//! One message may tell several people or of several things; who was disturbed when; what a provider stopped; what a notice
//! is about.
use sea_orm_migration::{prelude::*, schema::*, sea_orm::prelude::ChronoUtc};

use crate::schema::{create, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add(manager, "deliveries", || boolean("is_digest").default(false).to_owned()).await?;
        add(manager, "deliveries", || uuid_null("carried_by")).await?;
        index(manager, "deliveries", &["carried_by"]).await?;
        // whom, as an id that is counted beside the roster
        add(manager, "deliveries", || uuid_null("person_id")).await?;
        add(manager, "notices", || string("category").default("other").to_owned()).await?;
        create(manager, "told_numbers", |table| {
            table
                .col(big_integer("event_number"))
                .col(string("number"))
                .col(uuid("delivery_id"))
                .col(timestamp_with_time_zone("at"))
                .primary_key(Index::create().col("event_number").col("number"));
        })
        .await?;
        index(manager, "told_numbers", &["delivery_id"]).await?;
        index(manager, "told_numbers", &["at"]).await?;
        create(manager, "stopped_sends", |table| {
            table
                .col(string("channel"))
                .col(string("kind"))
                .col(timestamp_with_time_zone("until"))
                .primary_key(Index::create().col("channel").col("kind"));
        })
        .await?;
        disturbances(manager).await
    }
}

/// A place for each of the three; what is older than a week says nothing and is left behind.
async fn disturbances(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    create(manager, "disturbances", |table| {
        table
            .col(uuid("person_id"))
            .col(integer("place"))
            .col(timestamp_with_time_zone("at"))
            .col(uuid_null("delivery_id"))
            .primary_key(Index::create().col("person_id").col("place"))
            .foreign_key(ForeignKey::create().from("disturbances", "person_id").to("people", "id"));
    })
    .await?;
    index(manager, "disturbances", &["delivery_id"]).await?;
    index(manager, "disturbances", &["at"]).await?;
    #[expect(clippy::disallowed_methods, reason = "a step has no clock of ours")]
    let since = ChronoUtc::now() - std::time::Duration::from_secs(7 * 24 * 3600);
    for (place, column) in [(1, "first_at"), (2, "second_at"), (3, "third_at")] {
        let recent = Query::select()
            .column("person_id")
            .expr(Expr::value(place))
            .column(column)
            .from("interruptions")
            .and_where(Expr::col(column).gt(since))
            .to_owned();
        let mut copy = Query::insert();
        copy.into_table("disturbances").columns(["person_id", "place", "at"]);
        copy.select_from(recent).map_err(|error| DbErr::Custom(error.to_string()))?;
        manager.execute(copy).await?;
    }
    manager.drop_table(Table::drop().table("interruptions").to_owned()).await
}

/// One column at a time: SQLite takes no more.
async fn add(manager: &SchemaManager<'_>, table: &'static str, column: impl Fn() -> ColumnDef) -> Result<(), DbErr> {
    let mut alter = Table::alter();
    alter.table(table).add_column(column());
    manager.alter_table(alter).await
}
