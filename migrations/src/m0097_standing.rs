//! Who stands in a choice of representatives that was opened before candidates were known as persons and is not over: read from
//! the names on the ballot, as it is when a vote opens. Results by which bodies were elected, and terms that ended early by one.
use sea_orm_migration::{
    prelude::*,
    schema::*,
    sea_orm::prelude::{Json, Uuid},
};

use crate::schema::{create, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        early_terms(manager).await?;
        let db = manager.get_connection();
        let runs = Expr::col("state").is_in(["waiting_keys", "posted", "open", "counting_paper", "counting"]);
        let mut select = Query::select();
        select
            .columns(["id", "area_code", "options"])
            .from("votes")
            .and_where(Expr::col("preset").like("rep_selection_%"))
            .and_where(Expr::col("candidate_ids").is_null())
            .and_where(Expr::col("options").is_not_null())
            .and_where(runs.or(Expr::col("settlement").eq("provisional")));
        for row in db.query_all(&select).await? {
            let (id, area): (Uuid, String) = (row.try_get("", "id")?, row.try_get("", "area_code")?);
            let options: String = row.try_get("", "options")?;
            let mut standing = Vec::new();
            for text in texts(&options) {
                standing.extend(meant(db, &area, &text).await?.map(|person| person.to_string()));
            }
            if standing.is_empty() {
                continue;
            }
            let mut known = Query::update();
            known.table("votes").value("candidate_ids", standing.join(",")).and_where(Expr::col("id").eq(id));
            db.execute(&known).await?;
        }
        Ok(())
    }
}

async fn early_terms(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for column in [date_null("was_until"), uuid_null("ended_by_vote"), text_null("end_reason")] {
        manager.alter_table(Table::alter().table("terms").add_column(column).to_owned()).await?;
    }
    create(manager, "body_elections", |table| {
        table
            .col(uuid("vote_id").primary_key())
            .col(uuid("body_id"))
            .col(date("stood_on"))
            .foreign_key(ForeignKey::create().from("body_elections", "body_id").to("bodies", "id"));
    })
    .await?;
    index(manager, "body_elections", &["body_id"]).await
}

/// The names on the ballot.
fn texts(options: &str) -> Vec<String> {
    let options: Json = options.parse().unwrap_or_default();
    options.as_array().into_iter().flatten().filter_map(|one| one["text"].as_str()).map(str::to_owned).collect()
}

/// The one villager of this name; of several the one with the number on the roster that stands behind it.
async fn meant(db: &impl ConnectionTrait, area: &str, text: &str) -> Result<Option<Uuid>, DbErr> {
    let (name, number) = match text.trim().split_once(' ') {
        Some((name, number)) => (name, Some(number.trim())),
        None => (text.trim(), None),
    };
    let mut select = Query::select();
    select
        .column("id")
        .from("people")
        .and_where(Expr::col("area_code").like(format!("{area}%")))
        .and_where(Expr::col("name").eq(name))
        .and_where(Expr::col("left_on").is_null())
        .limit(2);
    if let Some(number) = number {
        select.and_where(Expr::col("roster_number").eq(number));
    }
    match db.query_all(&select).await?.as_slice() {
        [one] => one.try_get("", "id").map(Some),
        _ => Ok(None),
    }
}
