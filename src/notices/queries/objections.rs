//! Objections with their answers, and who sees which name.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select, sea_query::SelectStatement,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::rows::{notice, objection};
use crate::{
    actor::Actor,
    bodies::{self, Right},
    clock,
    error::{Code, Error, Result},
    ids::{MatterId, NoticeId, ObjectionId, PersonId},
    people,
};

/// Objections to one notice shown at most.
const MAX_OBJECTIONS_SHOWN: u64 = 500;

/// Who raised an objection, and to which notice.
///
/// # Errors
/// When the database cannot be read.
pub async fn raised_by(db: &impl ConnectionTrait, id: ObjectionId) -> Result<Option<(PersonId, NoticeId)>> {
    let row = objection::Entity::find_by_id(id)
        .select_only()
        .columns([objection::Column::PersonId, objection::Column::NoticeId]);
    Ok(row.into_tuple().one(db).await?)
}

/// Does an objection stand, or was it withdrawn?
///
/// # Errors
/// When the database cannot be read.
pub async fn stands(db: &impl ConnectionTrait, id: ObjectionId) -> Result<bool> {
    let standing = objection::Entity::find_by_id(id).filter(objection::Column::WithdrawnAt.is_null());
    Ok(standing.count(db).await? > 0)
}

/// An objection with its answer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ObjectionView {
    /// Its id.
    pub id: ObjectionId,
    /// The notice.
    pub notice_id: NoticeId,
    /// The version it was raised against.
    pub version: i32,
    /// Full for those who answer and for the objector, masked for everybody else.
    pub name: String,
    /// Who raised it, for those who answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person_id: Option<PersonId>,
    /// Is it the asker's own?
    pub is_mine: bool,
    /// Did somebody else write it down?
    #[serde(default)]
    pub is_recorded: bool,
    /// What it says.
    pub text: String,
    /// When it was raised.
    pub created_at: DateTime<FixedOffset>,
    /// The answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Who answered, with full name, for the committee.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_by_name: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<DateTime<FixedOffset>>,
    /// When it was withdrawn, after somebody else had written it down; it counts no more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub withdrawn_at: Option<DateTime<FixedOffset>>,
    /// Why, where somebody withdrew it for the person.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub withdrawal: Option<String>,
    /// Who did that; full name, because it was done in a seat.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub withdrawn_by_name: Option<String>,
}

/// The objections to a notice, as the actor may see them: with names for those who answer.
///
/// # Errors
/// `not_found` when there is no such notice.
pub async fn objections(db: &impl ConnectionTrait, actor: &Actor, id: NoticeId) -> Result<Vec<ObjectionView>> {
    let notice = notice::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    objection_views(db, objections_to(id).all(db).await?, Eyes::of(actor, &notice.area_code)).await
}

/// Everybody who objected to a notice about this matter, and whose objection stands: they are visited at the review. Never shown.
///
/// # Errors
/// When the database cannot be read.
pub async fn objectors_of(db: &impl ConnectionTrait, matter: MatterId, area: &str) -> Result<Vec<PersonId>> {
    let notices = notice::Entity::find()
        .select_only()
        .column(notice::Column::Id)
        .filter(notice::Column::MatterId.eq(matter))
        .filter(notice::Column::AreaCode.eq(area));
    let people = objection::Entity::find()
        .select_only()
        .column(objection::Column::PersonId)
        .distinct()
        .filter(objection::Column::NoticeId.in_subquery(notices.into_query()))
        .filter(objection::Column::WithdrawnAt.is_null());
    Ok(people.into_tuple().all(db).await?)
}

/// Ids of notices with an objection that is not answered.
pub(in super::super) fn with_open_objections() -> SelectStatement {
    objection::Entity::find()
        .select_only()
        .column(objection::Column::NoticeId)
        .filter(objection::Column::AnsweredAt.is_null())
        .filter(objection::Column::WithdrawnAt.is_null())
        .into_query()
}

/// One objection, as the actor may see it.
pub(in super::super) async fn objection_view(
    db: &impl ConnectionTrait,
    row: objection::Model,
    actor: Option<&Actor>,
) -> Result<ObjectionView> {
    let notice = notice::Entity::find_by_id(row.notice_id).one(db).await?.ok_or(Code::NotFound)?;
    let eyes = actor.map_or(Eyes::Public, |actor| Eyes::of(actor, &notice.area_code));
    objection_views(db, vec![row], eyes).await?.pop().ok_or_else(|| Error::broken("an objection without a view"))
}

/// Who looks at objections.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Eyes {
    Public,
    Person(PersonId),
    Handler(PersonId),
}

impl Eyes {
    fn of(actor: &Actor, area: &str) -> Self {
        if bodies::may(actor, Right::AnswerObjection, area) {
            Self::Handler(actor.person)
        } else {
            Self::Person(actor.person)
        }
    }
}

pub(super) fn objections_to(id: NoticeId) -> Select<objection::Entity> {
    objection::Entity::find()
        .filter(objection::Column::NoticeId.eq(id))
        .order_by_asc(objection::Column::CreatedAt)
        .order_by_asc(objection::Column::Id)
        .limit(MAX_OBJECTIONS_SHOWN)
}

pub(super) async fn objection_views(
    db: &impl ConnectionTrait,
    rows: Vec<objection::Model>,
    eyes: Eyes,
) -> Result<Vec<ObjectionView>> {
    let officials = |row: &objection::Model| [row.answered_by, withdrawn_for(row)].into_iter().flatten();
    let people = rows.iter().map(|row| row.person_id).chain(rows.iter().flat_map(officials)).collect();
    let names = people::names(db, people).await?;
    let show = |row: objection::Model| {
        let is_mine = matches!(eyes, Eyes::Person(asker) | Eyes::Handler(asker) if asker == row.person_id);
        let is_handler = matches!(eyes, Eyes::Handler(_));
        let name = names.get(&row.person_id).cloned().unwrap_or_default();
        let withdrawn_by_name = withdrawn_for(&row).and_then(|person| names.get(&person).cloned());
        ObjectionView {
            name: if is_mine || is_handler { name } else { people::rules::mask_name(&name) },
            person_id: is_handler.then_some(row.person_id),
            is_mine,
            is_recorded: row.recorded_by.is_some(),
            id: row.id,
            notice_id: row.notice_id,
            version: row.version,
            text: row.text,
            created_at: clock::local(row.created_at),
            answer: row.answer,
            answered_by_name: row.answered_by.and_then(|person| names.get(&person).cloned()),
            answered_at: row.answered_at.map(clock::local),
            withdrawn_at: row.withdrawn_at.map(clock::local),
            withdrawal: row.withdrawal,
            withdrawn_by_name,
        }
    };
    Ok(rows.into_iter().map(show).collect())
}

/// Who withdrew it for the person. That the person did it is nobody's to read by name.
fn withdrawn_for(row: &objection::Model) -> Option<PersonId> {
    row.withdrawn_by.filter(|by| *by != row.person_id)
}

/// Objections that stand, and answers to them, by notice.
pub(super) async fn counts(db: &impl ConnectionTrait, notices: Vec<NoticeId>) -> Result<HashMap<NoticeId, (u64, u64)>> {
    let rows: Vec<(NoticeId, i64, i64)> = objection::Entity::find()
        .select_only()
        .column(objection::Column::NoticeId)
        .column_as(objection::Column::Id.count(), "objections")
        .column_as(objection::Column::AnsweredAt.count(), "answered")
        .filter(objection::Column::NoticeId.is_in(notices))
        .filter(objection::Column::WithdrawnAt.is_null())
        .group_by(objection::Column::NoticeId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(id, all, answered)| (id, (all.unsigned_abs(), answered.unsigned_abs()))).collect())
}
