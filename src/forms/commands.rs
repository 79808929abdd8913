//! Writes of forms: open, answer, close.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Set,
    TryInsertResult, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    queries::{self, FormView, MyAnswer},
    rows::{answer, form, sample},
    rules::{self, Purpose, Question, Replies},
};
use crate::{
    actor::{Actor, covers},
    areas,
    bodies::{self, Right},
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{FormId, HouseholdId, PersonId},
    people,
    store::Tx,
};

mod paper;

/// A form stays open for this long at most.
const MAX_DAYS: i64 = 366;
/// Rows that the clock closes in one go.
const DUE_AT_ONCE: u64 = 100;

/// A form to be opened.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenForm {
    /// Id of what it is about, e.g. a matter.
    pub subject_id: Uuid,
    /// Whose residents are asked.
    pub area_code: String,
    /// What it is for.
    pub purpose: Purpose,
    /// 1 to 60 characters.
    #[schema(min_length = 1, max_length = 60)]
    pub title: String,
    /// 1 to 20.
    pub questions: Vec<Question>,
    /// When it closes by itself; absent: when somebody closes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closes_at: Option<DateTime<Utc>>,
}

/// Somebody's answers.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveAnswer {
    /// By question id: a number for a scale, the option or the text otherwise.
    pub answers: Replies,
    /// Whose answers these are, when a visitor or clerk writes them down; always given for a visit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_id: Option<PersonId>,
    /// That person filled in a sheet of paper, which is typed in here; for surveys and ratings.
    #[serde(default)]
    pub is_on_paper: bool,
}

/// A household that was drawn for a visit.
#[derive(Clone, Copy, Debug)]
pub struct Drawn {
    /// Which.
    pub household: HouseholdId,
    /// Its place, from 1.
    pub number: i32,
    /// Somebody of it objected.
    pub is_objector: bool,
}

/// Keeps the households that were drawn for a sheet of visits, once.
///
/// # Errors
/// `wrong_state` when some were drawn before.
pub async fn keep_sample(tx: &Tx, id: FormId, drawn: Vec<Drawn>) -> Result<()> {
    if sample::Entity::find().filter(sample::Column::FormId.eq(id)).one(tx).await?.is_some() || drawn.is_empty() {
        return Err(Code::WrongState.into());
    }
    let rows = drawn.into_iter().map(|one| sample::ActiveModel {
        form_id: Set(id),
        household_id: Set(one.household),
        number: Set(one.number),
        is_objector: Set(one.is_objector),
    });
    sample::Entity::insert_many(rows).exec_without_returning(tx).await?;
    Ok(())
}

/// Opens a form. Records `form.opened`.
///
/// # Errors
/// `not_allowed` without the right in the area; `not_found` when there is no such area; `invalid_fields`.
pub async fn open_form(tx: &Tx, actor: &Actor, input: OpenForm) -> Result<FormView> {
    let seat = bodies::require(actor, Right::OpenForm, &input.area_code)?;
    areas::get(tx, &input.area_code).await?;
    let now = tx.now();
    let mut checks = Checks::default();
    checks.text("title", &input.title, 1..=60);
    rules::check_questions(&mut checks, &input.questions);
    let in_time = |at: DateTime<Utc>| at > now && at <= now + TimeDelta::days(MAX_DAYS);
    checks.require(input.closes_at.is_none_or(in_time), "closes_at", "out_of_range");
    checks.done()?;
    let questions: Vec<Question> = input.questions.into_iter().map(trimmed).collect();
    let row = form::ActiveModel {
        id: Set(FormId::new()),
        subject_id: Set(input.subject_id.to_string()),
        area_code: Set(input.area_code),
        body_id: Set(Some(seat.body_id)),
        purpose: Set(input.purpose.as_str().to_owned()),
        title: Set(input.title.trim().to_owned()),
        questions: Set(serde_json::to_string(&questions).map_err(Error::broken)?),
        state: Set(queries::OPEN.to_owned()),
        opens_at: Set(now),
        closes_at: Set(input.closes_at),
        closed_at: Set(None),
        created_by: Set(actor.person),
    };
    let row = row.insert(tx).await?;
    let opened = Happening::new(Kind::FormOpened, row.id)
        .at(&row.area_code)
        .by(actor.person)
        .with(json!({ "purpose": row.purpose, "subject": row.subject_id, "body": seat.body_id }));
    events::record(tx, opened).await?;
    queries::view(tx, row).await
}

/// The option that is chosen later must be, letter by letter, the one that was asked.
fn trimmed(mut question: Question) -> Question {
    question.title = question.title.trim().to_owned();
    question.options = question.options.iter().map(|option| option.trim().to_owned()).collect();
    question
}

/// Answers a form, once a person. Somebody else's answers are written down by the right to record visits; what somebody wrote
/// on paper, to a survey or a rating, is typed in by the right to open forms, and that person is told. A rating on paper
/// counts when a second person has typed in the same, because who types it in was often rated; who supervises the village may
/// be that person. Records `form.answer_typed` for what somebody else wrote down, and `form.answer_checked`.
///
/// # Errors
/// `not_found` when the form is not for the actor's eyes; `wrong_state` when it is closed; `not_allowed`;
/// `already_answered`; `invalid_fields`.
pub async fn answer(tx: &Tx, actor: &Actor, (id, input): (FormId, GiveAnswer)) -> Result<MyAnswer> {
    let form = visible(tx, actor, id).await?;
    let now = tx.now();
    if form.state != queries::OPEN || form.closes_at.is_some_and(|at| at <= now) {
        return Err(Code::WrongState.into());
    }
    let person = whose(tx, actor, &form, (input.person_id, input.is_on_paper)).await?;
    let mut checks = Checks::default();
    rules::check_replies(&mut checks, &queries::questions(&form)?, &input.answers);
    checks.done()?;
    let row = answer::Model {
        id: Uuid::now_v7(),
        form_id: id,
        person_id: person,
        recorded_by: actor.person,
        data: serde_json::to_string(&input.answers).map_err(Error::broken)?,
        created_at: now,
        is_on_paper: input.is_on_paper,
        is_counted: !rules::needs_second(&form.purpose, input.is_on_paper),
        checked_by: None,
    };
    let key = [answer::Column::FormId, answer::Column::PersonId];
    let insert = answer::Entity::insert(row.clone().into_active_model()).on_conflict_do_nothing_on(key);
    match insert.exec_without_returning(tx).await? {
        TryInsertResult::Inserted(1) => {}
        _ => return paper::again(tx, actor, (&form, &input.answers), row).await,
    }
    if row.recorded_by != row.person_id {
        let typed = Happening::new(Kind::AnswerTyped, id)
            .at(&form.area_code)
            .by(actor.person)
            .with(json!({ "person": person }));
        events::record(tx, typed).await?;
    }
    queries::my_view(row)
}

/// Whose answers the actor may give to this form.
async fn whose(
    tx: &Tx,
    actor: &Actor,
    form: &form::Model,
    (named, is_on_paper): (Option<PersonId>, bool),
) -> Result<PersonId> {
    let is_visit = form.purpose == Purpose::Visit.as_str();
    let other = named.filter(|person| *person != actor.person);
    let Some(person) = other else {
        let mut checks = Checks::default();
        let names_nobody_else = if named.is_some() { "not_yourself" } else { "required" };
        checks.require(!is_visit && !is_on_paper, "person_id", names_nobody_else);
        checks.done()?;
        return if actor.lives_in(&form.area_code) { Ok(actor.person) } else { Err(Code::NotAllowed.into()) };
    };
    // a survey and a rating are the people's own: somebody else types in what they themselves wrote on paper, and no more
    if is_visit == is_on_paper {
        return Err(Code::NotAllowed.into());
    }
    let right = if is_visit { Right::RecordVisit } else { Right::OpenForm };
    let supervises =
        rules::needs_second(&form.purpose, is_on_paper) && bodies::may(actor, Right::CloseMatter, &form.area_code);
    if !supervises {
        bodies::require(actor, right, &form.area_code)?;
    }
    let resident =
        people::person(tx, person).await?.filter(|one| one.left_on.is_none() && covers(&form.area_code, &one.area));
    let mut checks = Checks::default();
    checks.require(resident.is_some(), "person_id", "not_a_member");
    checks.done()?;
    Ok(person)
}

/// Closes a form early. Records `form.closed`.
///
/// # Errors
/// `not_found`; `not_allowed`; `wrong_state` when it is closed already.
pub async fn close_form(tx: &Tx, actor: &Actor, id: FormId) -> Result<FormView> {
    let form = visible(tx, actor, id).await?;
    bodies::require(actor, Right::OpenForm, &form.area_code)?;
    let closed = close(tx, &form, Some(actor.person)).await?.ok_or(Code::WrongState)?;
    queries::view(tx, closed).await
}

/// Closes the forms whose time is over.
///
/// # Errors
/// When the database refuses.
pub async fn due(tx: &Tx) -> Result<u64> {
    let over = form::Entity::find()
        .filter(form::Column::State.eq(queries::OPEN))
        .filter(form::Column::ClosesAt.lte(tx.now()))
        .order_by_asc(form::Column::ClosesAt)
        .limit(DUE_AT_ONCE)
        .all(tx)
        .await?;
    let mut count = 0;
    for form in over {
        count += u64::from(close(tx, &form, None).await?.is_some());
    }
    Ok(count)
}

/// `None` when somebody else closed it first.
async fn close(tx: &Tx, form: &form::Model, by: Option<PersonId>) -> Result<Option<form::Model>> {
    let closed = form::Entity::update_many()
        .col_expr(form::Column::State, Expr::value(queries::CLOSED))
        .col_expr(form::Column::ClosedAt, Expr::value(tx.now()))
        .filter(form::Column::Id.eq(form.id))
        .filter(form::Column::State.eq(queries::OPEN))
        .exec_with_returning(tx)
        .await?;
    let Some(closed) = closed.into_iter().next() else { return Ok(None) };
    let answers = queries::count(tx, closed.id).await?;
    let mut happening = Happening::new(Kind::FormClosed, closed.id)
        .at(&closed.area_code)
        .with(json!({ "purpose": closed.purpose, "subject": closed.subject_id, "answers": answers }));
    happening.actor = by;
    events::record(tx, happening).await?;
    Ok(Some(closed))
}

async fn visible(tx: &Tx, actor: &Actor, id: FormId) -> Result<form::Model> {
    let form = form::Entity::find_by_id(id).one(tx).await?;
    form.filter(|form| queries::may_read(actor, &form.purpose, &form.area_code)).ok_or_else(|| Code::NotFound.into())
}
