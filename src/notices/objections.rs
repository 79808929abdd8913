//! Writes of objections: raised by residents, or written down for them, while the notice hangs; answered once and in public.
//! What was written down for somebody is withdrawn by that person, or for them with a reason, and stays on the page.
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

/// That an objection which was written down for somebody does not stand any more.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawObjection {
    /// Why; needed where somebody withdraws it for the person: 2 to 200 characters, public.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub reason: String,
}

/// Objects to a notice, or writes down somebody's objection who has no phone to do it. Records `objection.raised`.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not live in the area, and for another's without the right to answer there;
/// `wrong_state` when it no longer hangs; `period_over`; `too_many_objections` after three by oneself, and after three that
/// others wrote down; `invalid_fields`.
pub async fn object(tx: &Tx, actor: &Actor, (id, input): (NoticeId, RaiseObjection)) -> Result<ObjectionView> {
    let notice = notice::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let person = whose(tx, actor, &notice, input.person_id).await?;
    let mut checks = Checks::default();
    checks.text("text", &input.text, 1..=1000);
    checks.done()?;
    let recorded_by = Some(actor.person).filter(|by| *by != person);
    // what others write down in somebody's name takes nothing from what that one may say
    let by_whom = objection::Column::RecordedBy;
    let own = objection::Entity::find()
        .filter(objection::Column::NoticeId.eq(id))
        .filter(objection::Column::PersonId.eq(person))
        .filter(if recorded_by.is_some() { by_whom.is_not_null() } else { by_whom.is_null() })
        .count(tx)
        .await?;
    rules::may_object(notice.period_to, tx.now(), own)?;
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
        recorded_by: Set(recorded_by),
        withdrawn_at: Set(None),
        withdrawn_by: Set(None),
        withdrawal: Set(None),
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
/// answered or withdrawn; `invalid_fields`.
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
        .filter(objection::Column::WithdrawnAt.is_null())
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

/// Withdraws an objection that somebody else wrote down: the person in whose name it is, at any time; for that person, with a
/// reason that everybody reads, who answers objections, as long as it waits for an answer and the person could object anew. What
/// it says and what was answered stay. Once more is the first answer. Records `objection.withdrawn`.
///
/// # Errors
/// `not_found`; `not_allowed` for others; `wrong_state` for what somebody said by themselves, and for another's that is
/// answered; `period_over` for another's when nobody objects any more; `invalid_fields` without a reason for another's.
pub async fn withdraw_objection(
    tx: &Tx,
    actor: &Actor,
    (id, input): (ObjectionId, WithdrawObjection),
) -> Result<ObjectionView> {
    let raised = objection::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let notice = notice::Entity::find_by_id(raised.notice_id).one(tx).await?.ok_or(Code::NotFound)?;
    let is_own = raised.person_id == actor.person;
    if !is_own {
        bodies::require(actor, Right::AnswerObjection, &notice.area_code)?;
    }
    if raised.withdrawn_at.is_some() {
        return queries::objection_view(tx, raised, Some(actor)).await;
    }
    if raised.recorded_by.is_none() || (!is_own && raised.answered_at.is_some()) {
        return Err(Code::WrongState.into());
    }
    // or who must answer it could withdraw it instead, when the person hears of it too late to say it once more
    if !is_own && tx.now() >= notice.period_to {
        return Err(Code::PeriodOver.into());
    }
    let mut checks = Checks::default();
    checks.text("reason", input.reason.trim(), if is_own { 0..=200 } else { 2..=200 });
    checks.done()?;
    let withdrawn = objection::ActiveModel {
        id: Set(id),
        withdrawn_at: Set(Some(tx.now())),
        withdrawn_by: Set(Some(actor.person)),
        // who takes back what is in the own name owes nobody a reason
        withdrawal: Set(Some(input.reason.trim().to_owned()).filter(|_| !is_own)),
        ..Default::default()
    };
    let row = withdrawn.update(tx).await?;
    let happening = Happening::new(Kind::ObjectionWithdrawn, id)
        .at(&notice.area_code)
        .by(actor.person)
        .with(json!({ "notice": notice.id, "matter": notice.matter_id }));
    events::record(tx, happening).await?;
    queries::objection_view(tx, row, Some(actor)).await
}
