//! Reads of forms: what is asked, how many answered what, the own answer; never who answered what.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    opinions::{OpinionGroups, Opinions},
    rows::{answer, form},
    rules::{Counter, Purpose, Question, QuestionKind, Replies, Reply, Tally},
};
use crate::{
    actor::Actor,
    app::App,
    areas,
    bodies::{self, Right},
    clock,
    error::{Code, Error, Result},
    ids::{BodyId, FormId, PersonId},
};

mod sample;

pub use self::sample::{SampleView, homes_visited, sample};

/// A form that takes answers.
pub const OPEN: &str = "open";
/// A form that takes none.
pub const CLOSED: &str = "closed";
/// Forms of one subject shown at most.
const MAX_FORMS: u64 = 100;
/// Forms that wait for one person shown at most.
const MAX_WAITING: u64 = 20;
/// Answers read at a time while counting.
const CHUNK: u64 = 2000;
/// Free texts shown to those who asked, the newest.
const MAX_TEXTS: u64 = 200;

/// A form.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FormView {
    /// Its id.
    pub id: FormId,
    /// Id of what it is about.
    pub subject_id: String,
    /// Whose residents are asked.
    pub area_code: String,
    /// The body that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_id: Option<BodyId>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_name: Option<String>,
    /// What it is for.
    pub purpose: Purpose,
    /// Its title.
    pub title: String,
    /// What is asked.
    pub questions: Vec<Question>,
    /// open or closed.
    pub state: String,
    /// Since when.
    pub opens_at: DateTime<FixedOffset>,
    /// Until when, if it closes by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<DateTime<FixedOffset>>,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime<FixedOffset>>,
    /// How many answered.
    pub answers: u64,
    /// How many of them on paper, typed in by a clerk.
    pub paper_answers: u64,
    /// How many more on paper wait until a second person has typed in the same; they do not count yet.
    #[serde(default)]
    pub paper_waiting: u64,
}

/// A form with its results, as one person sees it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FormDetail {
    /// The form.
    #[serde(flatten)]
    pub form: FormView,
    /// The answers, counted; free texts are not in it.
    pub results: Tally,
    /// Who answers the statements of a survey alike; absent of few people, or few statements, and where all are alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opinions: Option<OpinionGroups>,
    /// The asker's own answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub my_answer: Option<MyAnswer>,
    /// Free texts by question id without names, for those who may open forms here; the newest 200 answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub texts: Option<HashMap<String, Vec<String>>>,
    /// The households that were drawn, of a sheet of visits.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sample: Vec<SampleView>,
}

/// One person's answers.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MyAnswer {
    /// The form.
    pub form_id: FormId,
    /// Answers by question id.
    pub answers: Replies,
    /// Did somebody else write them down?
    pub is_recorded: bool,
    /// Do they count? Not before a second person has typed in the same, where they rate on paper what was done.
    pub is_counted: bool,
    /// When.
    pub created_at: DateTime<FixedOffset>,
}

/// A form with its results, for somebody who may see what is shown in its area.
///
/// # Errors
/// `not_found` otherwise.
pub async fn detail(app: &App, actor: &Actor, id: FormId) -> Result<FormDetail> {
    let db = app.store.read();
    let row = form::Entity::find_by_id(id).one(db).await?;
    let row = row.filter(|row| may_read(actor, &row.purpose, &row.area_code)).ok_or(Code::NotFound)?;
    let texts = if bodies::may(actor, Right::OpenForm, &row.area_code) { Some(texts(db, &row).await?) } else { None };
    let (results, opinions) = counted(app, &row).await?;
    let my_answer = my_answer(db, id, actor.person).await?;
    let sample = sample(db, id).await?;
    Ok(FormDetail { form: view(db, row).await?, results, opinions, my_answer, texts, sample })
}

/// Who lives or serves in the area reads its forms, and who evaluates it; a visit is told in confidence, and there are
/// few: for those who visit.
pub(super) fn may_read(actor: &Actor, purpose: &str, area: &str) -> bool {
    let visits = || [Right::RecordVisit, Right::OpenForm].into_iter().any(|right| bodies::may(actor, right, area));
    if purpose == Purpose::Visit.as_str() { visits() } else { actor.reads_records(area) }
}

/// The forms about a subject in an area and below (everywhere for an empty code), oldest first, 100 at most. The caller knows who may see them.
///
/// # Errors
/// When the database cannot be read.
pub async fn forms_of(db: &impl ConnectionTrait, (subject, area): (&str, &str)) -> Result<Vec<FormView>> {
    let rows = form::Entity::find()
        .filter(form::Column::SubjectId.eq(subject))
        .filter(form::Column::AreaCode.starts_with(area))
        .order_by_asc(form::Column::OpensAt)
        .order_by_asc(form::Column::Id)
        .limit(MAX_FORMS)
        .all(db)
        .await?;
    views(db, rows).await
}

/// Open forms that wait for the actor's own answer, those that close first before the others, 20 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn waiting_for(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<FormView>> {
    let own = answer::Column::PersonId.eq(actor.person);
    let given = answer::Entity::find().select_only().column(answer::Column::FormId).filter(own);
    let rows = form::Entity::find()
        .filter(form::Column::State.eq(OPEN))
        .filter(form::Column::Purpose.ne(Purpose::Visit.as_str()))
        .filter(form::Column::AreaCode.is_in(areas::ancestors(&actor.area)))
        .filter(form::Column::Id.not_in_subquery(given.into_query()))
        .order_by_asc(form::Column::ClosesAt)
        .order_by_asc(form::Column::Id)
        .limit(MAX_WAITING)
        .all(db)
        .await?;
    views(db, rows).await
}

/// The answers of a form, counted once for all who look, until somebody answers.
///
/// # Errors
/// `not_found` when there is no such form.
pub async fn results(app: &App, id: FormId) -> Result<Tally> {
    let row = form::Entity::find_by_id(id).one(app.store.read()).await?.ok_or(Code::NotFound)?;
    Ok(counted(app, &row).await?.0)
}

/// The answers of a form, counted now.
///
/// # Errors
/// `not_found` when there is no such form.
pub async fn tally(db: &impl ConnectionTrait, id: FormId) -> Result<Tally> {
    let row = form::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    Ok(count_answers(db, &row).await?.0)
}

/// Whose answers these forms hold: proof of visits, never shown with what was answered.
///
/// # Errors
/// When the database cannot be read.
pub async fn people_answered(db: &impl ConnectionTrait, forms: Vec<FormId>) -> Result<Vec<PersonId>> {
    let people = answer::Entity::find()
        .select_only()
        .column(answer::Column::PersonId)
        .distinct()
        .filter(answer::Column::FormId.is_in(forms));
    Ok(people.into_tuple().all(db).await?)
}

/// What this person answered.
///
/// # Errors
/// When the database cannot be read.
pub async fn my_answer(db: &impl ConnectionTrait, id: FormId, person: PersonId) -> Result<Option<MyAnswer>> {
    let own = answer::Entity::find().filter(answer::Column::FormId.eq(id)).filter(answer::Column::PersonId.eq(person));
    own.one(db).await?.map(my_view).transpose()
}

pub(super) fn my_view(row: answer::Model) -> Result<MyAnswer> {
    Ok(MyAnswer {
        form_id: row.form_id,
        answers: serde_json::from_str(&row.data).map_err(Error::broken)?,
        is_recorded: row.recorded_by != row.person_id,
        is_counted: row.is_counted,
        created_at: clock::local(row.created_at),
    })
}

pub(super) async fn count(db: &impl ConnectionTrait, id: FormId) -> Result<u64> {
    let counted = answer::Entity::find().filter(answer::Column::IsCounted.eq(true));
    Ok(counted.filter(answer::Column::FormId.eq(id)).count(db).await?)
}

pub(super) fn questions(row: &form::Model) -> Result<Vec<Question>> {
    serde_json::from_str(&row.questions).map_err(Error::broken)
}

pub(super) async fn view(db: &impl ConnectionTrait, row: form::Model) -> Result<FormView> {
    views(db, vec![row]).await?.pop().ok_or_else(|| Error::broken("a form without a view"))
}

async fn views(db: &impl ConnectionTrait, rows: Vec<form::Model>) -> Result<Vec<FormView>> {
    let counts: Vec<(FormId, bool, bool, i64)> = answer::Entity::find()
        .select_only()
        .column(answer::Column::FormId)
        .column(answer::Column::IsOnPaper)
        .column(answer::Column::IsCounted)
        .column_as(answer::Column::Id.count(), "count")
        .filter(answer::Column::FormId.is_in(rows.iter().map(|row| row.id)))
        .group_by(answer::Column::FormId)
        .group_by(answer::Column::IsOnPaper)
        .group_by(answer::Column::IsCounted)
        .into_tuple()
        .all(db)
        .await?;
    let of = |id: FormId, on_paper: bool, counted: bool| {
        let is_meant = |one: &&(FormId, bool, bool, i64)| (one.0, one.1, one.2) == (id, on_paper, counted);
        counts.iter().filter(is_meant).map(|(.., count)| count.unsigned_abs()).sum::<u64>()
    };
    let names = bodies::queries::names(db, rows.iter().filter_map(|row| row.body_id).collect()).await?;
    let show = |row: form::Model| {
        Ok(FormView {
            questions: questions(&row)?,
            id: row.id,
            subject_id: row.subject_id,
            area_code: row.area_code,
            body_id: row.body_id,
            body_name: row.body_id.and_then(|id| names.get(&id).cloned()),
            purpose: Purpose::parse(&row.purpose).ok_or_else(|| Error::broken("a form's purpose"))?,
            title: row.title,
            state: row.state,
            opens_at: clock::local(row.opens_at),
            closes_at: row.closes_at.map(clock::local),
            closed_at: row.closed_at.map(clock::local),
            answers: of(row.id, false, true) + of(row.id, true, true),
            paper_answers: of(row.id, true, true),
            paper_waiting: of(row.id, true, false),
        })
    };
    rows.into_iter().map(show).collect()
}

/// The answers, counted, and who gives them alike: worked out once for all who look, until somebody answers. One that counts
/// does not change.
async fn counted(app: &App, row: &form::Model) -> Result<(Tally, Option<OpinionGroups>)> {
    let db = app.store.read();
    let of = format!("form {} {}", row.id, count(db, row.id).await?);
    app.counted.figures(of, || worked_out(db, row)).await
}

async fn worked_out(db: &impl ConnectionTrait, row: &form::Model) -> Result<(Tally, Option<OpinionGroups>)> {
    let (tally, opinions) = count_answers(db, row).await?;
    let is_survey = row.purpose == Purpose::Survey.as_str();
    Ok((tally, if is_survey { opinions.groups() } else { None }))
}

/// Counts in chunks: a county's form must not be held in memory whole.
async fn count_answers(db: &impl ConnectionTrait, row: &form::Model) -> Result<(Tally, Opinions)> {
    let questions = questions(row)?;
    let (mut counter, mut opinions) = (Counter::new(&questions), Opinions::new(&questions));
    let mut after = Uuid::nil();
    loop {
        let some: Vec<(Uuid, String)> = answer::Entity::find()
            .select_only()
            .column(answer::Column::Id)
            .column(answer::Column::Data)
            .filter(answer::Column::FormId.eq(row.id))
            .filter(answer::Column::IsCounted.eq(true))
            .filter(answer::Column::Id.gt(after))
            .order_by_asc(answer::Column::Id)
            .limit(CHUNK)
            .into_tuple()
            .all(db)
            .await?;
        let Some((last, _)) = some.last() else { return Ok((counter.tally(), opinions)) };
        after = *last;
        for (_, data) in some {
            let replies: Replies = serde_json::from_str(&data).map_err(Error::broken)?;
            counter.add(&replies);
            opinions.add(&replies);
        }
    }
}

async fn texts(db: &impl ConnectionTrait, row: &form::Model) -> Result<HashMap<String, Vec<String>>> {
    let mut texts = HashMap::new();
    let free: Vec<Question> =
        questions(row)?.into_iter().filter(|question| question.kind == QuestionKind::Text).collect();
    if free.is_empty() {
        return Ok(texts);
    }
    let newest = answer::Entity::find()
        .filter(answer::Column::FormId.eq(row.id))
        .filter(answer::Column::IsCounted.eq(true))
        .order_by_desc(answer::Column::Id)
        .limit(MAX_TEXTS)
        .all(db)
        .await?;
    for answer in newest {
        let mut replies: Replies = serde_json::from_str(&answer.data).map_err(Error::broken)?;
        for question in &free {
            if let Some(Reply::Text(text)) =
                replies.remove(&question.id).filter(|reply| *reply != Reply::Text(String::new()))
            {
                texts.entry(question.id.clone()).or_insert_with(Vec::new).push(text);
            }
        }
    }
    Ok(texts)
}
