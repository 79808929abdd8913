//! How many electors a ballot that waits for its board adds to those whose ballots wait with it: none when its own cast before. Who
//! does not call a meeting off, of votes that ran already when that was kept for the first time. Of secret votes with a result no
//! head is kept between the first and the end.
use std::collections::{BTreeMap, BTreeSet};

use sea_orm_migration::{prelude::*, schema::*, sea_orm::prelude::Uuid};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let electors = integer("electors").default(1).to_owned();
        manager.alter_table(Table::alter().table("board_pending").add_column(electors).to_owned()).await?;
        manager.get_connection().execute_unprepared(BETWEEN).await?;
        keep_from(manager.get_connection()).await
    }
}

/// Before the head that signed the leaf `close`.
const BETWEEN: &str = "DELETE FROM board_heads WHERE vote_id IN \
    (SELECT b.vote_id FROM boards b JOIN votes v ON v.id = b.vote_id WHERE b.result IS NOT NULL AND v.secrecy = 'secret') \
    AND size > (SELECT min(h.size) FROM board_heads h WHERE h.vote_id = board_heads.vote_id) \
    AND size <= (SELECT max(e.place) FROM board_entries e WHERE e.vote_id = board_heads.vote_id \
    AND e.leaf LIKE '%\"k\":\"close\"%')";

async fn keep_from(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let mut select = Query::select();
    select
        .columns(["meeting_id", "recalled_id", "candidate_ids"])
        .from("votes")
        .and_where(Expr::col("meeting_id").is_not_null())
        .and_where(Expr::col("state").is_not_in(["closed", "annulled"]));
    let mut about: BTreeMap<Uuid, BTreeSet<String>> = BTreeMap::new();
    for row in db.query_all(&select).await? {
        let (recalled, standing): (Option<Uuid>, Option<String>) =
            (row.try_get("", "recalled_id")?, row.try_get("", "candidate_ids")?);
        let people = recalled.map(|person| person.to_string()).into_iter().chain(standing);
        about.entry(row.try_get("", "meeting_id")?).or_default().extend(people);
    }
    for (meeting, people) in about.into_iter().filter(|(_, people)| !people.is_empty()) {
        let people: Vec<String> = people.into_iter().collect();
        let mut kept = Query::update();
        kept.table("meetings")
            .value("kept_from", people.join(","))
            .and_where(Expr::col("id").eq(meeting))
            .and_where(Expr::col("kept_from").is_null());
        db.execute(&kept).await?;
    }
    Ok(())
}
