//! Whom a notice has reached as far as it knows: who confirmed its version, who was told of it at the door; and whether it still
//! hangs.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select, sea_query::SelectStatement,
};

use super::{
    confirmations::ConfirmVia,
    queries,
    rows::{confirmation, notice, version},
    rules::Category,
};
use crate::{
    error::Result,
    ids::{BodyId, NoticeId, PersonId},
    people::audience::Among,
    quiet::Class,
};

/// What telling of a notice needs to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hanging {
    /// Where it hangs.
    pub area: String,
    /// Its heading.
    pub title: String,
    /// Its number.
    pub number: String,
    /// Which version of it hangs.
    pub version: i32,
    /// Residents are asked to confirm.
    pub must_read: bool,
    /// Grid workers get the doors of who has not confirmed.
    pub has_doors: bool,
    /// How urgent it is.
    pub class: Class,
    /// What it is about.
    pub category: Category,
    /// It still hangs.
    pub hangs: bool,
    /// It was taken down.
    pub is_withdrawn: bool,
    /// The committee in whose name it hangs.
    pub body: BodyId,
    /// What it says.
    pub text: String,
}

/// The notice; `None` when there is none.
///
/// # Errors
/// When the database cannot be read.
pub async fn hanging(db: &impl ConnectionTrait, id: NoticeId) -> Result<Option<Hanging>> {
    let row = notice::Entity::find_by_id(id).one(db).await?;
    Ok(row.map(|row| Hanging {
        hangs: row.state == queries::PUBLISHED,
        is_withdrawn: row.state == queries::WITHDRAWN,
        area: row.area_code,
        body: row.body_id,
        text: row.text,
        title: row.title,
        number: row.number,
        version: row.version,
        must_read: row.must_read,
        has_doors: row.confirm_by.is_some(),
        class: Class::parse(&row.class),
        category: Category::parse(&row.category),
    }))
}

/// Those of these people who confirmed the version that hangs.
///
/// # Errors
/// When the database cannot be read.
pub async fn confirmed_by(db: &impl ConnectionTrait, id: NoticeId, among: &Among) -> Result<HashSet<PersonId>> {
    let rows = confirmations(id).filter(among.holds(confirmation::Column::PersonId));
    Ok(rows.into_tuple::<PersonId>().all(db).await?.into_iter().collect())
}

/// A select of the ids of those who confirmed the version that hangs.
#[must_use]
pub fn confirmers(id: NoticeId) -> SelectStatement {
    confirmations(id).into_query()
}

fn confirmations(id: NoticeId) -> Select<confirmation::Entity> {
    of_version(id).select_only().column(confirmation::Column::PersonId)
}

fn of_version(id: NoticeId) -> Select<confirmation::Entity> {
    let hangs = notice::Entity::find_by_id(id).select_only().column(notice::Column::Version).into_query();
    confirmation::Entity::find()
        .filter(confirmation::Column::NoticeId.eq(id))
        .filter(confirmation::Column::Version.in_subquery(hangs))
}

/// How somebody was told at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtDoor {
    /// When it was written down.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: Option<PersonId>,
    /// What else was written down.
    pub note: Option<String>,
}

/// Those of these people who were told of the version that hangs at the door.
///
/// # Errors
/// When the database cannot be read.
pub async fn at_door(db: &impl ConnectionTrait, id: NoticeId, among: &Among) -> Result<HashMap<PersonId, AtDoor>> {
    let rows = told_at_door(id).filter(among.holds(confirmation::Column::PersonId)).all(db).await?;
    let told = |row: confirmation::Model| (row.person_id, AtDoor { at: row.at, by: row.by_id, note: row.note });
    Ok(rows.into_iter().map(told).collect())
}

/// How many were.
///
/// # Errors
/// When the database cannot be read.
pub async fn count_at_door(db: &impl ConnectionTrait, id: NoticeId) -> Result<u64> {
    Ok(told_at_door(id).count(db).await?)
}

fn told_at_door(id: NoticeId) -> Select<confirmation::Entity> {
    of_version(id).filter(confirmation::Column::Via.eq(ConfirmVia::Door.as_str()))
}

/// Who published the version that hangs.
///
/// # Errors
/// When the database cannot be read.
pub async fn published_by(db: &impl ConnectionTrait, id: NoticeId) -> Result<Option<PersonId>> {
    let newest = version::Entity::find()
        .select_only()
        .column(version::Column::PublishedBy)
        .filter(version::Column::NoticeId.eq(id))
        .order_by_desc(version::Column::Version);
    Ok(newest.into_tuple().one(db).await?)
}
