//! Matters under way in several areas, below and above them, for who looks at villages together.
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
};

use crate::{
    areas,
    error::Result,
    ids::{BodyId, MatterId},
    matters::{rows::matter, rules::State},
};

/// Matters looked at at most.
const MAX_MATTERS: u64 = 200;

/// A matter under way.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Reaching {
    /// Its id.
    pub id: MatterId,
    /// Its number.
    pub number: String,
    /// Its title.
    pub title: String,
    /// Where.
    pub area_code: String,
    /// Who raised it.
    pub body_id: BodyId,
}

/// The matters under way in these areas, below them, and in those above them, or only this one; the newest first, 200 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn reaching(db: &impl ConnectionTrait, codes: &[String], only: Option<MatterId>) -> Result<Vec<Reaching>> {
    use matter::Column as C;
    let above: Vec<String> = codes.iter().flat_map(|code| areas::ancestors(code)).collect();
    let within = codes.iter().fold(Condition::any(), |any, code| any.add(C::AreaCode.starts_with(code)));
    Ok(matter::Entity::find()
        .select_only()
        .columns([C::Id, C::Number, C::Title, C::AreaCode, C::BodyId])
        .filter(C::State.eq(State::Open.as_str()))
        .filter(within.add(C::AreaCode.is_in(above)))
        .filter(Condition::all().add_option(only.map(|id| C::Id.eq(id))))
        .order_by_desc(C::CreatedAt)
        .order_by_desc(C::Id)
        .limit(MAX_MATTERS)
        .into_model()
        .all(db)
        .await?)
}
