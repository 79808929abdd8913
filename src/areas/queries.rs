//! Reads of the tree.
use std::collections::HashMap;

use chrono::NaiveDate;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    rows::area,
    rules::{self, Level, VILLAGE_CODE},
};
use crate::{
    error::{Code, Result},
    text,
};

/// One area.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Area {
    /// 6 digits for a county, 9 for a town, 12 for a village or community, `code-x` below.
    pub code: String,
    /// Code of the area above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_code: Option<String>,
    /// Name as people say it; not unique.
    pub name: String,
    /// What kind of area.
    pub level: Level,
    /// The kind in Chinese.
    pub level_name: String,
    /// First day.
    pub valid_from: NaiveDate,
    /// Last day, if it was merged away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<NaiveDate>,
    /// Code of what it was merged into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successor_code: Option<String>,
}

/// An area with the way down to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AreaView {
    /// The area.
    #[serde(flatten)]
    pub area: Area,
    /// From the county down to the area itself.
    pub path: Vec<AreaName>,
}

/// Code and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AreaName {
    /// The code.
    pub code: String,
    /// The name.
    pub name: String,
}

fn view(row: area::Model) -> Area {
    Area {
        code: row.code,
        parent_code: row.parent_code,
        name: row.name,
        level: row.level,
        level_name: text::word("area-level", row.level.as_str()),
        valid_from: row.valid_from,
        valid_to: row.valid_to,
        successor_code: row.successor_code,
    }
}

/// The area of this code, if there is one.
///
/// # Errors
/// When the database cannot be read.
pub async fn find(db: &impl ConnectionTrait, code: &str) -> Result<Option<Area>> {
    Ok(area::Entity::find_by_id(code).one(db).await?.map(view))
}

/// The area of this code.
///
/// # Errors
/// `not_found` when there is none.
pub async fn get(db: &impl ConnectionTrait, code: &str) -> Result<Area> {
    find(db, code).await?.ok_or_else(|| Code::NotFound.into())
}

/// What lies directly below an area, by code; without one, the counties.
///
/// # Errors
/// When the database cannot be read.
pub async fn children(db: &impl ConnectionTrait, parent: Option<&str>) -> Result<Vec<Area>> {
    let below = match parent {
        Some(code) => area::Column::ParentCode.eq(code),
        None => area::Column::ParentCode.is_null(),
    };
    let rows = area::Entity::find().filter(below).order_by_asc(area::Column::Code).all(db).await?;
    Ok(rows.into_iter().map(view).collect())
}

/// A town, and the villages and communities in it by code.
#[derive(Clone, Debug)]
pub struct Town {
    /// Its name.
    pub name: String,
    /// What lies in it.
    pub villages: Vec<AreaName>,
}

/// Every town by code, of whichever county.
///
/// # Errors
/// When the database cannot be read.
pub async fn towns(db: &impl ConnectionTrait) -> Result<Vec<Town>> {
    let rows = area::Entity::find()
        .filter(area::Column::Level.is_in([Level::Town, Level::Village, Level::Community]))
        .order_by_asc(area::Column::Code)
        .all(db)
        .await?;
    let (towns, below): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.level == Level::Town);
    let mut villages: HashMap<Option<String>, Vec<AreaName>> = HashMap::new();
    for row in below {
        villages.entry(row.parent_code).or_default().push(AreaName { code: row.code, name: row.name });
    }
    let town =
        |row: area::Model| Town { name: row.name, villages: villages.remove(&Some(row.code)).unwrap_or_default() };
    Ok(towns.into_iter().map(town).collect())
}

/// Codes of the villages and communities below an area, in order; those that were merged away among them, because somebody
/// may still be on their rosters.
///
/// # Errors
/// When the database cannot be read.
pub async fn villages_below(db: &impl ConnectionTrait, above: &str) -> Result<Vec<String>> {
    let codes = area::Entity::find()
        .select_only()
        .column(area::Column::Code)
        .filter(area::Column::Code.starts_with(above))
        .order_by_asc(area::Column::Code);
    let mut codes: Vec<String> = codes.into_tuple().all(db).await?;
    codes.retain(|code| code.len() == VILLAGE_CODE);
    Ok(codes)
}

/// Names from the county down to the area itself; empty for an unknown code.
///
/// # Errors
/// When the database cannot be read.
pub async fn path_names(db: &impl ConnectionTrait, code: &str) -> Result<Vec<AreaName>> {
    let rows = area::Entity::find().filter(area::Column::Code.is_in(rules::ancestors(code))).all(db).await?;
    let mut path: Vec<AreaName> = rows.into_iter().map(|row| AreaName { code: row.code, name: row.name }).collect();
    path.sort_by_key(|area| area.code.len());
    Ok(path)
}

/// Names of these areas by code.
///
/// # Errors
/// When the database cannot be read.
pub async fn names(db: &impl ConnectionTrait, codes: Vec<String>) -> Result<HashMap<String, String>> {
    let rows = area::Entity::find().filter(area::Column::Code.is_in(codes)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.code, row.name)).collect())
}

/// The name of one of them; empty where there is none.
///
/// # Errors
/// When the database cannot be read.
pub async fn name(db: &impl ConnectionTrait, code: &str) -> Result<String> {
    Ok(names(db, vec![code.to_owned()]).await?.remove(code).unwrap_or_default())
}
