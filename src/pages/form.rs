//! `/forms/{id}`: a survey or a rating to fill in, once; afterwards how many answered what.
use askama::Template;
use axum::{Router, extract::State, response::Response};
use sea_orm::ConnectionTrait;

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Resident, render_as, see},
    words::Words,
};
use crate::{
    actor::Actor,
    aloud::{self, ClipView},
    app::{
        App, Path,
        routing::{get, post},
    },
    error::Result,
    forms::{
        FormDetail, FormView, GiveAnswer, Purpose, Question, Tally, commands, queries,
        rules::{QuestionKind, Replies, Reply},
    },
    ids::{FormId, MatterId},
    matters,
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/forms/{id}", get(show).merge(post(answer)))
}

#[derive(Template)]
#[template(path = "form.html")]
struct FormPage {
    page: Page,
    form: FormDetail,
    asked: Option<Asked>,
}

/// A form that waits for the viewer's answer; a part of this page and of a matter's.
#[derive(Template)]
#[template(path = "form_questions.html")]
pub struct Asked {
    pub id: FormId,
    pub title: String,
    pub questions: Vec<Question>,
    /// Says all of it.
    pub clip: Option<ClipView>,
    pub typed: Fields,
    pub wrong: Wrong,
}

impl Asked {
    fn is_scale(&self, question: &Question) -> bool {
        question.kind == QuestionKind::Scale
    }

    fn is_choice(&self, question: &Question) -> bool {
        question.kind == QuestionKind::Choice
    }

    /// The path under which a wrong answer is reported.
    fn field(&self, question: &Question) -> String {
        format!("answers.{}", question.id)
    }
}

impl FormPage {
    /// Can the questions be heard?
    fn hears(&self) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.clip.is_some())
    }

    /// What was counted for a question.
    fn counts(&self, question: &Question) -> Vec<(String, u64)> {
        let Tally { questions, .. } = &self.form.results;
        let counted = questions.iter().find(|one| one.id == question.id);
        counted.map(|one| one.counts.iter().map(|part| (part.option.clone(), part.count)).collect()).unwrap_or_default()
    }
}

/// The form, if the actor is asked and has not answered.
pub fn asked(
    actor: &Actor,
    (form, clip): (&FormDetail, Option<ClipView>),
    typed: Fields,
    wrong: Wrong,
) -> Option<Asked> {
    let is_for_me = form.form.purpose != Purpose::Visit && actor.lives_in(&form.form.area_code);
    let is_open = form.form.state == "open" && form.my_answer.as_ref().is_none_or(|mine| !mine.is_counted);
    (is_for_me && is_open).then(|| Asked {
        id: form.form.id,
        title: form.form.title.clone(),
        questions: form.form.questions.clone(),
        clip,
        typed,
        wrong,
    })
}

/// Is it about a matter? Else it is about a meeting.
pub(super) async fn is_about_matter(db: &impl ConnectionTrait, form: &FormView) -> Result<bool> {
    let Ok(matter) = form.subject_id.parse::<MatterId>() else { return Ok(false) };
    Ok(!matters::queries::titles(db, vec![matter]).await?.is_empty())
}

async fn show(State(app): State<App>, who: Resident, Path(id): Path<FormId>) -> Result<Response> {
    shown(&app, &who, id, Fields::default(), Wrong::default()).await
}

async fn shown(app: &App, who: &Resident, id: FormId, typed: Fields, wrong: Wrong) -> Result<Response> {
    let form = queries::detail(app, &who.actor, id).await?;
    let status = wrong.status();
    let clip = aloud::queries::of_forms(app.store.read(), &[id]).await?.remove(&id.0);
    let asked = asked(&who.actor, (&form, clip), typed, wrong);
    let about = if is_about_matter(app.store.read(), &form.form).await? { "matters" } else { "meetings" };
    let back = format!("/{about}/{}", form.form.subject_id);
    let page = who.page("page-form").titled(form.form.title.clone()).back(back).at(format!("/forms/{id}"));
    Ok(render_as(status, &FormPage { page, form, asked }))
}

async fn answer(State(app): State<App>, who: Resident, Path(id): Path<FormId>, typed: Fields) -> Result<Response> {
    let form = queries::detail(&app, &who.actor, id).await?;
    let input = GiveAnswer { answers: replies(&form.form.questions, &typed), person_id: None, is_on_paper: false };
    let given = app.once(who.actor.clone(), typed.key(), "answer_form", (id, input), |tx, actor, input| {
        Box::pin(commands::answer(tx, actor, input))
    });
    match given.await {
        Ok(_) => Ok(see(&format!("/forms/{id}"))),
        Err(error) => shown(&app, &who, id, typed, Wrong::from(error)?).await,
    }
}

/// What was typed, by question. What was left empty is left out.
fn replies(questions: &[Question], typed: &Fields) -> Replies {
    let reply = |question: &Question| {
        let text = typed.given(&format!("q-{}", question.id))?.replace("\r\n", "\n");
        let number = text.parse().ok().filter(|_| question.kind == QuestionKind::Scale);
        Some((question.id.clone(), number.map_or(Reply::Text(text), Reply::Number)))
    };
    questions.iter().filter_map(reply).collect()
}
