//! The villages that a must-read notice asks: who of each is written down, how many are asked there and how many confirmed.
//!
//! # Why
//! A county asks 440,000 people. Their rows are written a thousand at a time, each piece in a unit with its count, so that
//! nobody waits for it and a killed worker leaves whole pieces; the next one goes on where the rows end. Who confirmed before
//! the own village was written down is counted when it is. The count is kept, because whoever opens a notice sees it:
//! counting each time would cost more with everybody who confirmed.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Set, sea_query::Expr,
};

use super::{
    audience::{self, Asked},
    queries,
    rows::{audience as asked, confirmation, notice, village},
    summons::Summons,
};
use crate::{
    clock,
    error::{Error, Result},
    ids::{NoticeId, PersonId},
    store::Tx,
};

/// People written down in one unit.
const AT_ONCE: usize = 1_000;
/// Villages looked at in one unit: many have no roster yet.
const VILLAGES_AT_ONCE: u64 = 20;
/// Rows written in one statement.
const CHUNK: usize = 500;

/// Writes down which villages are asked, and the people of a village that asks alone.
pub(super) async fn open(tx: &Tx, notice: &notice::Model, summons: Summons) -> Result<()> {
    let Summons { people, villages, remind_at, .. } = summons;
    let freeze_at = people.is_none().then(|| tx.now());
    let rows = villages.into_iter().map(|area_code| village::ActiveModel {
        notice_id: Set(notice.id),
        version: Set(notice.version),
        area_code: Set(area_code),
        asked: Set(0),
        confirmed: Set(0),
        freeze_at: Set(freeze_at),
        remind_at: Set(remind_at),
        reminded: Set(0),
    });
    let rows: Vec<_> = rows.collect();
    for some in rows.chunks(CHUNK) {
        village::Entity::insert_many(some.to_vec()).exec_without_returning(tx).await?;
    }
    match people {
        Some(people) => write(tx, (notice, &notice.area_code), people).await,
        None => Ok(()),
    }
}

/// Writes down the next people of villages that wait for it, a thousand at most. Says how many villages were looked at.
pub(super) async fn due(tx: &Tx) -> Result<u64> {
    let (mut room, mut villages) = (AT_ONCE, 0);
    while room > 0 && villages < VILLAGES_AT_ONCE {
        let Some(count) = piece(tx, room).await? else { break };
        room -= count;
        villages += 1;
    }
    Ok(villages)
}

/// The next people of the next village, so many at most. Says how many; `None` when no village waits.
async fn piece(tx: &Tx, room: usize) -> Result<Option<usize>> {
    let next = village::Entity::find()
        .filter(village::Column::FreezeAt.lte(tx.now()))
        .order_by_asc(village::Column::FreezeAt)
        .order_by_asc(village::Column::NoticeId)
        .order_by_asc(village::Column::AreaCode)
        .one(tx)
        .await?;
    let Some(next) = next else { return Ok(None) };
    let notice = notice::Entity::find_by_id(next.notice_id).one(tx).await?;
    let notice = notice.ok_or_else(|| Error::broken("a village asked by no notice"))?;
    if notice.version != next.version || notice.state == queries::WITHDRAWN {
        written(tx, (next.notice_id, next.version), None).await?;
        return Ok(Some(0));
    }
    // as old as they were on that day
    let mut left = audience::of(tx, &next.area_code, clock::local_date(notice.published_at)).await?;
    let known = known(tx, &notice, &left).await?;
    left.retain(|one| !known.contains(&one.person));
    let is_last = left.len() <= room;
    left.truncate(room);
    let count = left.len();
    write(tx, (&notice, &next.area_code), left).await?;
    if is_last {
        written(tx, (notice.id, notice.version), Some(&next.area_code)).await?;
        sum_up(tx, &notice).await?;
    }
    Ok(Some(count))
}

/// Those of them who are asked already: here, or in a village that they have left since.
async fn known(tx: &Tx, notice: &notice::Model, people: &[Asked]) -> Result<HashSet<PersonId>> {
    let mut known = HashSet::new();
    for some in people.chunks(AT_ONCE) {
        let rows = asked::Entity::find()
            .select_only()
            .column(asked::Column::PersonId)
            .filter(asked::Column::NoticeId.eq(notice.id))
            .filter(asked::Column::Version.eq(notice.version))
            .filter(asked::Column::PersonId.is_in(some.iter().map(|one| one.person)));
        known.extend(rows.into_tuple::<PersonId>().all(tx).await?);
    }
    Ok(known)
}

/// Writes down people of a village, in the order in which they are given.
async fn write(tx: &Tx, (notice, area): (&notice::Model, &str), people: Vec<Asked>) -> Result<()> {
    let last = asked::Entity::find()
        .select_only()
        .column(asked::Column::Place)
        .filter(asked::Column::NoticeId.eq(notice.id))
        .filter(asked::Column::Version.eq(notice.version))
        .order_by_desc(asked::Column::Place);
    let last: i32 = last.into_tuple().one(tx).await?.unwrap_or_default();
    let mut early = 0;
    for some in people.chunks(CHUNK) {
        let ids = some.iter().map(|one| one.person);
        let confirmed = confirmation::Entity::update_many()
            .col_expr(confirmation::Column::InAudience, Expr::value(true))
            .filter(confirmation::Column::NoticeId.eq(notice.id))
            .filter(confirmation::Column::Version.eq(notice.version))
            .filter(confirmation::Column::InAudience.eq(false))
            .filter(confirmation::Column::PersonId.is_in(ids));
        early += confirmed.exec(tx).await?.rows_affected;
    }
    let count = people.len();
    let rows = (last + 1..).zip(people).map(|(place, one)| asked::ActiveModel {
        notice_id: Set(notice.id),
        version: Set(notice.version),
        person_id: Set(one.person),
        place: Set(place),
        household_id: Set(one.household),
        household_number: Set(one.household_number),
        group_number: Set(one.group_number),
        area_code: Set(area.to_owned()),
    });
    let rows: Vec<_> = rows.collect();
    for some in rows.chunks(CHUNK) {
        asked::Entity::insert_many(some.to_vec()).exec_without_returning(tx).await?;
    }
    let (count, early) = (i32::try_from(count).map_err(Error::broken)?, i32::try_from(early).map_err(Error::broken)?);
    village::Entity::update_many()
        .col_expr(village::Column::Asked, Expr::col(village::Column::Asked).add(count))
        .col_expr(village::Column::Confirmed, Expr::col(village::Column::Confirmed).add(early))
        .filter(village::Column::NoticeId.eq(notice.id))
        .filter(village::Column::Version.eq(notice.version))
        .filter(village::Column::AreaCode.eq(area))
        .exec(tx)
        .await?;
    Ok(())
}

/// Nobody of a village waits to be written down any more; of a version that hangs no longer, of none.
async fn written(tx: &Tx, (id, version): (NoticeId, i32), area: Option<&str>) -> Result<()> {
    let mut done = village::Entity::update_many()
        .col_expr(village::Column::FreezeAt, Expr::value(None::<DateTime<Utc>>))
        .filter(village::Column::NoticeId.eq(id))
        .filter(village::Column::Version.eq(version));
    if let Some(area) = area {
        done = done.filter(village::Column::AreaCode.eq(area));
    }
    done.exec(tx).await?;
    Ok(())
}

/// With the last village it is known how many are asked in all.
async fn sum_up(tx: &Tx, notice: &notice::Model) -> Result<()> {
    let villages = || {
        village::Entity::find()
            .filter(village::Column::NoticeId.eq(notice.id))
            .filter(village::Column::Version.eq(notice.version))
    };
    if villages().filter(village::Column::FreezeAt.is_not_null()).count(tx).await? > 0 {
        return Ok(());
    }
    let all = villages().select_only().column_as(village::Column::Asked.sum(), "asked");
    let all = all.into_tuple::<Option<i64>>().one(tx).await?.flatten().unwrap_or_default();
    notice::Entity::update_many()
        .col_expr(notice::Column::AudienceSize, Expr::value(i32::try_from(all).map_err(Error::broken)?))
        .filter(notice::Column::Id.eq(notice.id))
        .filter(notice::Column::Version.eq(notice.version))
        .exec(tx)
        .await?;
    Ok(())
}

/// One more of a village's people has confirmed, or one less.
pub(super) async fn count(tx: &Tx, (notice, area): (&notice::Model, &str), by: i32) -> Result<()> {
    village::Entity::update_many()
        .col_expr(village::Column::Confirmed, Expr::col(village::Column::Confirmed).add(by))
        .filter(village::Column::NoticeId.eq(notice.id))
        .filter(village::Column::Version.eq(notice.version))
        .filter(village::Column::AreaCode.eq(area))
        .exec(tx)
        .await?;
    Ok(())
}

/// How many of those who were asked confirmed, by notice and version.
pub(super) async fn confirmed(
    db: &impl ConnectionTrait,
    notices: &[notice::Model],
) -> Result<HashMap<(NoticeId, i32), u64>> {
    let asking: Vec<NoticeId> = notices.iter().filter(|row| row.must_read).map(|row| row.id).collect();
    if asking.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(NoticeId, i32, i64)> = village::Entity::find()
        .select_only()
        .column(village::Column::NoticeId)
        .column(village::Column::Version)
        .column_as(village::Column::Confirmed.sum(), "confirmed")
        .filter(village::Column::NoticeId.is_in(asking))
        .group_by(village::Column::NoticeId)
        .group_by(village::Column::Version)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(id, version, n)| ((id, version), n.unsigned_abs())).collect())
}

/// Of each village that the version that hangs asks: how many are asked, and how many of them confirmed.
///
/// # Errors
/// When the database cannot be read.
pub async fn asked_by_village(db: &impl ConnectionTrait, id: NoticeId) -> Result<HashMap<String, (u64, u64)>> {
    let hangs = notice::Entity::find_by_id(id).select_only().column(notice::Column::Version).into_query();
    let rows = village::Entity::find()
        .filter(village::Column::NoticeId.eq(id))
        .filter(village::Column::Version.in_subquery(hangs));
    let counts = |row: village::Model| {
        let (asked, confirmed) = (row.asked.unsigned_abs(), row.confirmed.unsigned_abs());
        (row.area_code, (u64::from(asked), u64::from(confirmed)))
    };
    Ok(rows.all(db).await?.into_iter().map(counts).collect())
}

/// How many of a village's people the version that hangs asks.
pub(super) async fn asked_in(db: &impl ConnectionTrait, notice: &notice::Model, area: &str) -> Result<u64> {
    let row = village::Entity::find_by_id((notice.id, notice.version, area.to_owned())).one(db).await?;
    Ok(row.map_or(0, |row| u64::from(row.asked.unsigned_abs())))
}
