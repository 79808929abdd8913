//! Writes of objections: raised by residents, or written down for them, while the notice hangs; answered once and in public.
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    queries::{self, ObjectionView},
    rows::{notice, objection},
    rules,
};
use crate::{
    actor::{Actor, covers},
    bodies::{self, Right},
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{NoticeId, ObjectionId, PersonId},
    people,
    store::Tx,
};

/// An objection to a notice.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RaiseObjection {
    /// 1 to 1,000 characters; public, the name is masked.
    #[schema(min_length = 1, max_length = 1000)]
    pub text: String,
    /// Whose it is, when who answers objections writes down what somebody says or hands in; that person is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_id: Option<PersonId>,
}

/// The answer to an objection.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerObjection {
    /// 1 to 1,000 characters; public.
    #[schema(min_length = 1, max_length = 1000)]
    pub answer: String,
}

/// Objects to a notice, or writes down somebody's objection who has no phone to do it. Records `objection.raised`.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not live in the area, and for another's without the right to answer there;
/// `wrong_state` when it no longer hangs; `period_over`; `too_many_objections` after three of the own, or three that
/// were written down; `invalid_fields`.
pub async fn object(tx: &Tx, actor: &Actor, (id, input): (NoticeId, RaiseObjection)) -> Result<ObjectionView> {
    let notice = notice::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let person = whose(tx, actor, &notice, input.person_id).await?;
    let mut checks = Checks::default();
    checks.text("text", &input.text, 1..=1000);
    checks.done()?;
    let before = objection::Entity::find()
        .filter(objection::Column::NoticeId.eq(id))
        .filter(objection::Column::PersonId.eq(person));
    // what an office writes down in somebody's name takes nothing from what that person may say
    let alike = if person == actor.person {
        before.filter(objection::Column::RecordedBy.is_null())
    } else {
        before.filter(objection::Column::RecordedBy.is_not_null())
    };
    rules::may_object(notice.period_to, tx.now(), alike.count(tx).await?)?;
    if notice.state != queries::PUBLISHED {
        return Err(Code::WrongState.into());
    }
    let row = objection::ActiveModel {
        id: Set(ObjectionId::new()),
        notice_id: Set(id),
        version: Set(notice.version),
        person_id: Set(person),
        text: Set(input.text.trim().to_owned()),
        created_at: Set(tx.now()),
        answer: Set(None),
        answered_by: Set(None),
        answered_at: Set(None),
        recorded_by: Set(Some(actor.person).filter(|by| *by != person)),
    };
    let row = row.insert(tx).await?;
    let raised = Happening::new(Kind::ObjectionRaised, row.id)
        .at(&notice.area_code)
        .by(actor.person)
        .with(json!({ "notice": id, "matter": notice.matter_id, "version": notice.version }));
    events::record(tx, raised).await?;
    queries::objection_view(tx, row, Some(actor)).await
}

/// The own one of who lives there; another's is written down by who answers objections.
async fn whose(tx: &Tx, actor: &Actor, notice: &notice::Model, named: Option<PersonId>) -> Result<PersonId> {
    let Some(person) = named.filter(|person| *person != actor.person) else {
        return if actor.lives_in(&notice.area_code) { Ok(actor.person) } else { Err(Code::NotAllowed.into()) };
    };
    bodies::require(actor, Right::AnswerObjection, &notice.area_code)?;
    let resident = people::person(tx, person).await?;
    let is_here = resident.is_some_and(|one| one.left_on.is_none() && covers(&notice.area_code, &one.area));
    let mut checks = Checks::default();
    checks.require(is_here, "person_id", "not_a_member");
    checks.done()?;
    Ok(person)
}

/// Answers an objection, once, for everybody to read. Records `objection.answered`.
///
/// # Errors
/// `not_found`; `not_allowed` without the right in the area, and for the own objection; `wrong_state` when it is
/// answered; `invalid_fields`.
pub async fn answer_objection(
    tx: &Tx,
    actor: &Actor,
    (id, input): (ObjectionId, AnswerObjection),
) -> Result<ObjectionView> {
    let raised = objection::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let notice = notice::Entity::find_by_id(raised.notice_id).one(tx).await?.ok_or(Code::NotFound)?;
    bodies::require(actor, Right::AnswerObjection, &notice.area_code)?;
    if raised.person_id == actor.person {
        return Err(Code::NotAllowed.into());
    }
    let mut checks = Checks::default();
    checks.text("answer", &input.answer, 1..=1000);
    checks.done()?;
    let answered = objection::Entity::update_many()
        .col_expr(objection::Column::Answer, Expr::value(input.answer.trim()))
        .col_expr(objection::Column::AnsweredBy, Expr::value(actor.person))
        .col_expr(objection::Column::AnsweredAt, Expr::value(tx.now()))
        .filter(objection::Column::Id.eq(id))
        .filter(objection::Column::AnsweredAt.is_null())
        .exec_with_returning(tx)
        .await?;
    let row = answered.into_iter().next().ok_or(Code::WrongState)?;
    let happening = Happening::new(Kind::ObjectionAnswered, id)
        .at(&notice.area_code)
        .by(actor.person)
        .with(json!({ "notice": notice.id, "matter": notice.matter_id }));
    events::record(tx, happening).await?;
    queries::objection_view(tx, row, Some(actor)).await
}
