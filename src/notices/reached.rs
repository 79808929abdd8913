//! Whom a notice has reached as far as it knows: who confirmed its version; and whether it still hangs.
use std::collections::HashSet;

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::SelectStatement,
};

use super::{
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
        area: row.area_code,
        body: row.body_id,
        text: row.text,
        title: row.title,
        number: row.number,
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
    let hangs = notice::Entity::find_by_id(id).select_only().column(notice::Column::Version).into_query();
    confirmation::Entity::find()
        .select_only()
        .column(confirmation::Column::PersonId)
        .filter(confirmation::Column::NoticeId.eq(id))
        .filter(confirmation::Column::Version.in_subquery(hangs))
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
