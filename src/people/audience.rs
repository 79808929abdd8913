//! Who lives where, a page at a time: the ground of every audience; and by what somebody can be reached.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, JoinType, QueryFilter, QueryOrder, QueryResult, QuerySelect,
    sea_query::{Expr, Query, SelectStatement, SimpleExpr, UnionType},
};

use super::{
    numbers::MOST_AT_ONE,
    rows::{person, session},
};
use crate::{error::Result, ids::PersonId, keys::Keys};

/// Digits of the code of a village.
const VILLAGE: usize = 12;

/// Some people, by name or as a stretch of the order of ids.
#[derive(Clone, Debug)]
pub enum Among {
    /// Both ends belong to it.
    Between(PersonId, PersonId),
    /// These alone.
    These(Vec<PersonId>),
}

impl Among {
    /// The column names one of them.
    #[must_use]
    pub fn holds(&self, column: impl ColumnTrait) -> SimpleExpr {
        match self {
            Self::Between(first, last) => column.between(*first, *last),
            Self::These(ids) => column.is_in(ids.iter().copied()),
        }
    }
}

/// Somebody on a roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The person.
    pub id: PersonId,
    /// There is a number to write to.
    pub has_phone: bool,
}

fn has_phone() -> SimpleExpr {
    Expr::case(person::Column::PhoneSealed.is_not_null(), 1).finally(0).into()
}

/// The next people on the rosters of an area and below, in the order of their ids.
///
/// # Errors
/// When the database cannot be read.
pub async fn page(
    db: &impl ConnectionTrait,
    area: &str,
    (after, count): (Option<PersonId>, u64),
) -> Result<Vec<Neighbour>> {
    let column = person::Column::AreaCode;
    let there = if area.len() >= VILLAGE { column.eq(area) } else { column.starts_with(area) };
    let mut rows = person::Entity::find()
        .select_only()
        .column(person::Column::Id)
        .column_as(has_phone(), "has_phone")
        .filter(there)
        .filter(person::Column::LeftOn.is_null())
        .order_by_asc(person::Column::Id)
        .limit(count);
    if let Some(after) = after {
        rows = rows.filter(person::Column::Id.gt(after));
    }
    neighbours(rows, db).await
}

/// Those of these people who are on a roster, in the order of their ids.
///
/// # Errors
/// When the database cannot be read.
pub async fn on_roster(db: &impl ConnectionTrait, ids: Vec<PersonId>) -> Result<Vec<Neighbour>> {
    let rows = person::Entity::find()
        .select_only()
        .column(person::Column::Id)
        .column_as(has_phone(), "has_phone")
        .filter(person::Column::Id.is_in(ids))
        .filter(person::Column::LeftOn.is_null())
        .order_by_asc(person::Column::Id);
    neighbours(rows, db).await
}

async fn neighbours(rows: sea_orm::Select<person::Entity>, db: &impl ConnectionTrait) -> Result<Vec<Neighbour>> {
    let rows: Vec<(PersonId, i32)> = rows.into_tuple().all(db).await?;
    Ok(rows.into_iter().map(|(id, phone)| Neighbour { id, has_phone: phone == 1 }).collect())
}

/// Of each village below an area: how many are on its roster, and how many of those one of these selects of ids names.
///
/// # Errors
/// When the database cannot be read.
pub async fn count_those(
    db: &impl ConnectionTrait,
    area: &str,
    named: Vec<SelectStatement>,
) -> Result<Vec<(String, i64, i64)>> {
    let mut named = named.into_iter();
    let mut all = named.next().unwrap_or_else(nobody);
    for some in named {
        // each of them once
        all.union(UnionType::Distinct, some);
    }
    let is_named = Expr::col((NAMED, PERSON)).equals((person::Entity, person::Column::Id));
    let counted = Query::select()
        .column((person::Entity, person::Column::AreaCode))
        .expr_as(Expr::col((person::Entity, person::Column::Id)).count(), "everybody")
        .expr_as(Expr::col((NAMED, PERSON)).count(), "those")
        .from(person::Entity)
        .join_subquery(JoinType::LeftJoin, all, NAMED, is_named)
        .and_where(Expr::col((person::Entity, person::Column::AreaCode)).like(format!("{area}%")))
        .and_where(Expr::col((person::Entity, person::Column::LeftOn)).is_null())
        .group_by_col((person::Entity, person::Column::AreaCode))
        .to_owned();
    let rows = db.query_all(&counted).await?;
    let read = |row: &QueryResult| -> Result<_> { Ok((row.try_get_by(0)?, row.try_get_by(1)?, row.try_get_by(2)?)) };
    rows.iter().map(read).collect()
}

/// What the selects of [`count_those`] call the ids, and what they are called together.
const PERSON: &str = "person_id";
const NAMED: &str = "named";

fn nobody() -> SelectStatement {
    Query::select()
        .expr_as(Expr::col(person::Column::Id), PERSON)
        .from(person::Entity)
        .and_where(Expr::value(false))
        .to_owned()
}

/// Those who have a phone that is signed in.
///
/// # Errors
/// When the database cannot be read.
pub async fn signed_in(db: &impl ConnectionTrait, among: &Among, now: DateTime<Utc>) -> Result<HashSet<PersonId>> {
    let rows = session::Entity::find()
        .select_only()
        .column(session::Column::PersonId)
        .distinct()
        .filter(among.holds(session::Column::PersonId))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now));
    Ok(rows.into_tuple::<PersonId>().all(db).await?.into_iter().collect())
}

/// How somebody is reached: the village where they are on the roster now, and the number.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// `None`: on no roster any more.
    pub area: Option<String>,
    /// `None`: no number, or one that cannot be opened.
    pub phone: Option<String>,
    /// The keyed digest of the number, by which it is the same for all who have it.
    pub number: Option<String>,
}

/// How these people are reached.
///
/// # Errors
/// When the database cannot be read.
pub async fn reach(db: &impl ConnectionTrait, keys: &Keys, ids: Vec<PersonId>) -> Result<HashMap<PersonId, Reach>> {
    let rows = person::Entity::find().filter(person::Column::Id.is_in(ids)).all(db).await?;
    let shown = |row: person::Model| {
        let area = row.left_on.is_none().then_some(row.area_code);
        let phone = row.phone_sealed.and_then(|sealed| keys.shown("phone", &sealed));
        (row.id, Reach { area, phone, number: row.phone_hmac })
    };
    Ok(rows.into_iter().map(shown).collect())
}

/// Somebody on a roster who has a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharer {
    /// The person.
    pub id: PersonId,
    /// The village of the roster.
    pub area: String,
    /// Has proven that the number is the own.
    pub is_proven: bool,
}

/// Those of these numbers, by their keyed digests, that more people on the rosters have than live together.
///
/// # Errors
/// When the database cannot be read.
pub async fn crowded(db: &impl ConnectionTrait, numbers: Vec<String>) -> Result<HashSet<String>> {
    if numbers.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = person::Entity::find()
        .select_only()
        .column(person::Column::PhoneHmac)
        .filter(person::Column::PhoneHmac.is_in(numbers))
        .filter(person::Column::LeftOn.is_null())
        .group_by(person::Column::PhoneHmac)
        .having(person::Column::Id.count().gt(i64::from(MOST_AT_ONE)));
    Ok(rows.into_tuple::<Option<String>>().all(db).await?.into_iter().flatten().collect())
}

/// Everybody on a roster who has one of these numbers, by the keyed digest of it, in the order of ids; of those that are
/// crowded who has proven it alone.
///
/// # Errors
/// When the database cannot be read.
pub async fn sharing(
    db: &impl ConnectionTrait,
    numbers: Vec<String>,
    crowded: &HashSet<String>,
) -> Result<HashMap<String, Vec<Sharer>>> {
    let mut sharing: HashMap<String, Vec<Sharer>> = HashMap::new();
    if numbers.is_empty() {
        return Ok(sharing);
    }
    let mut rows = person::Entity::find()
        .filter(person::Column::PhoneHmac.is_in(numbers))
        .filter(person::Column::LeftOn.is_null())
        .order_by_asc(person::Column::Id);
    if !crowded.is_empty() {
        let is_few = person::Column::PhoneHmac.is_not_in(crowded.iter().cloned());
        rows = rows.filter(is_few.or(person::Column::PhoneApprovedAt.is_not_null()));
    }
    for row in rows.all(db).await? {
        let Some(number) = row.phone_hmac else { continue };
        let is_proven = row.phone_approved_at.is_some();
        sharing.entry(number).or_default().push(Sharer { id: row.id, area: row.area_code, is_proven });
    }
    Ok(sharing)
}
