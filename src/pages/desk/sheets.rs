//! Surveys, visits and ratings on the desk: asking with prepared questions, writing down a visit, closing, seeing results.
use askama::Template;
use axum::{extract::State, response::Response};
use sea_orm::ConnectionTrait;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    aloud::Aloud,
    frame::{Clerk, Desk, Draft, live},
};
use crate::{
    aloud::About,
    app::{App, Path, Query},
    bodies::Right,
    error::{Code, Result},
    forms::{
        self, FormDetail, FormView, GiveAnswer, OpenForm, Purpose, Question,
        opinions::stances,
        rules::{QuestionKind, Replies, Reply, SCALE},
    },
    ids::{FormId, MatterId, MeetingId, PersonId},
    matters::{DrawSample, commands::draw_sample, queries::Standing},
    meetings::{self, MeetingView},
    pages::{
        fields::Fields,
        form::is_about_matter,
        layout::{Page, render_as, see},
        words::Words,
    },
    people, text,
};

/// Questions that the desk's form has room for.
const ROOM: usize = 8;
/// What the desk calls a question to which one agrees, or does not.
const STATEMENT: &str = "stance";
/// People shown of those found.
pub(super) const FOUND: usize = 20;

/// A form that could be opened now, with questions prepared for its purpose.
pub(super) struct Sheet {
    /// Its purpose, which is also the name of the form on the page.
    pub(super) purpose: &'static str,
    /// Its title.
    pub(super) title: String,
    /// Its questions; the last ones empty.
    pub(super) slots: Vec<Slot>,
}

/// Room for a question.
pub(super) struct Slot {
    /// Name of its title's field.
    pub(super) title_field: String,
    /// Name of its kind's field.
    pub(super) kind_field: String,
    /// Name of its options' field.
    pub(super) options_field: String,
    /// What is asked.
    pub(super) title: String,
    /// choice, scale or text.
    pub(super) kind: &'static str,
    /// One option a line.
    pub(super) options: String,
}

/// The forms that the present stage of a matter asks for.
pub(super) fn asked_by(standing: &Standing) -> Vec<Sheet> {
    let Ok(rule) = standing.rule() else { return Vec::new() };
    let asked = [Purpose::Survey, Purpose::Visit, Purpose::Rating].into_iter();
    asked.filter(|purpose| rule.accepts(purpose.as_str())).map(sheet).collect()
}

fn sheet(purpose: Purpose) -> Sheet {
    let title = text::word("forms-purpose", purpose.as_str());
    prepared(purpose, (purpose.as_str(), title))
}

/// With questions under this key.
fn prepared(purpose: Purpose, (key, title): (&str, String)) -> Sheet {
    let purpose = purpose.as_str();
    let first = if purpose == Purpose::Rating.as_str() { "scale" } else { "choice" };
    let options = if first == "choice" { text::say(&format!("desk-{key}-options")) } else { String::new() };
    let asked = [
        (text::say(&format!("desk-{key}-first")), first, options),
        (text::say(&format!("desk-{key}-more")), "text", String::new()),
    ];
    let empty = std::iter::repeat((String::new(), "choice", String::new()));
    let slots = asked.into_iter().chain(empty).take(ROOM).enumerate().map(|(at, (title, kind, options))| Slot {
        title_field: format!("questions[{at}].title"),
        kind_field: format!("questions[{at}].kind"),
        options_field: format!("questions[{at}].options"),
        title,
        kind,
        options: options.split_whitespace().collect::<Vec<_>>().join("\n"),
    });
    Sheet { purpose, title, slots: slots.collect() }
}

/// What is asked about a meeting, such as a training of the federation's.
pub(super) struct Surveys {
    /// Those that were opened.
    pub(super) forms: Vec<FormView>,
    /// One that could be; none while another takes answers.
    pub(super) sheet: Option<Sheet>,
}

impl Surveys {
    /// Those about this one.
    pub(super) async fn of(app: &App, clerk: &Clerk, meeting: &MeetingView) -> Result<Self> {
        let subject = meeting.id.to_string();
        let forms = forms::queries::forms_of(app.store.read(), (&subject, &meeting.area_code)).await?;
        let is_asked = forms.iter().any(|form| form.state == forms::queries::OPEN);
        let may_ask = !is_asked && meeting.cancel_reason.is_none() && clerk.may(Right::OpenForm, &meeting.area_code);
        let words = ("feedback", text::say("desk-feedback-title"));
        Ok(Self { sheet: may_ask.then(|| prepared(Purpose::Survey, words)), forms })
    }
}

/// Opens a survey about a meeting with the questions typed.
pub(super) async fn open_about(app: &App, clerk: &Clerk, id: MeetingId, fields: &Fields) -> Result<()> {
    let area = meetings::queries::meeting(app.store.read(), id).await?.area_code;
    open(app, clerk, (id.0, area), (Purpose::Survey, fields)).await
}

/// Opens a form about a matter or a meeting with the questions typed.
pub(super) async fn open(
    app: &App,
    clerk: &Clerk,
    (subject_id, area): (Uuid, String),
    (purpose, fields): (Purpose, &Fields),
) -> Result<()> {
    let input = OpenForm {
        subject_id,
        area_code: area,
        purpose,
        title: fields.text("title").to_owned(),
        questions: questions(fields)?,
        closes_at: fields.given("closes_at").map(|_| super::frame::moment_of(fields, "closes_at")).transpose()?,
    };
    let open = app.once(clerk.actor.clone(), fields.key(), "open_form", input, |tx, actor, input| {
        Box::pin(forms::commands::open_form(tx, actor, input))
    });
    open.await.map(drop)
}

/// The questions typed; empty room asks nothing.
fn questions(fields: &Fields) -> Result<Vec<Question>> {
    let mut questions = Vec::new();
    for at in 0..ROOM {
        let Some(title) = fields.given(&format!("questions[{at}].title")) else { continue };
        let (kind, options) = answered_by(fields, at)?;
        let question = Question {
            id: format!("q{}", at + 1),
            title: title.to_owned(),
            kind,
            options,
            required: kind != QuestionKind::Text,
        };
        questions.push(question);
    }
    Ok(questions)
}

/// How the question is answered: a statement is a choice of its own.
fn answered_by(fields: &Fields, at: usize) -> Result<(QuestionKind, Vec<String>)> {
    let field = format!("questions[{at}].kind");
    if fields.has(&field, STATEMENT) {
        return Ok((QuestionKind::Choice, stances()));
    }
    let kind: QuestionKind = fields.choice(&field)?;
    let lines = fields.text(&format!("questions[{at}].options")).lines().map(str::trim);
    let options = lines.filter(|line| !line.is_empty() && kind == QuestionKind::Choice).map(str::to_owned);
    Ok((kind, options.collect()))
}

/// Whom to look for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Find {
    find: Option<String>,
    person: Option<PersonId>,
}

impl Find {
    /// By words.
    pub(super) fn named(find: Option<String>) -> Self {
        Self { find, person: None }
    }

    /// What was typed.
    pub(super) fn words(&self) -> String {
        self.find.clone().unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "desk/sheet.html")]
struct SheetPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    sheet: FormDetail,
    /// 听一听; none of a sheet of visits.
    aloud: Option<Aloud>,
    may_record: bool,
    may_close: bool,
    may_draw: bool,
    is_visit: bool,
    /// Paper is typed in by two people.
    is_rating: bool,
    is_about_matter: bool,
    find: String,
    found: Vec<Found>,
    chosen: Option<Found>,
}

/// Somebody on the roster, as a list shows people.
#[derive(Clone)]
pub(super) struct Found {
    /// Who.
    pub(super) id: PersonId,
    /// Surname and stars, household, group.
    pub(super) label: String,
}

impl SheetPage {
    /// What can be chosen.
    fn options(&self, question: &Question) -> Vec<String> {
        match question.kind {
            QuestionKind::Choice => question.options.clone(),
            QuestionKind::Scale => (1..=SCALE).map(|step| step.to_string()).collect(),
            QuestionKind::Text => Vec::new(),
        }
    }

    fn is_text(&self, kind: &QuestionKind) -> bool {
        *kind == QuestionKind::Text
    }

    /// Free answers to a question, without names.
    fn said(&self, question: &str) -> Vec<String> {
        self.sheet.texts.as_ref().and_then(|texts| texts.get(question)).cloned().unwrap_or_default()
    }

    /// The length of a full bar.
    fn most(&self, answered: &u64) -> u64 {
        (*answered).max(1)
    }

    /// Two places after the point.
    fn hundredths(&self, mean: &i64) -> String {
        format!("{}.{:02}", mean / 100, mean % 100)
    }
}

/// One form.
pub(super) async fn show(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<FormId>,
    Query(find): Query<Find>,
) -> Result<Response> {
    shown(&app, &clerk, id, (find, Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, id: FormId, (find, draft): (Find, Draft)) -> Result<Response> {
    let db = app.store.read();
    let sheet = forms::queries::detail(app, &clerk.actor, id).await?;
    let (area, is_open) = (sheet.form.area_code.clone(), sheet.form.state == forms::queries::OPEN);
    let is_visit = sheet.form.purpose == Purpose::Visit;
    let is_rating = sheet.form.purpose == Purpose::Rating;
    let may_type = clerk.may(if is_visit { Right::RecordVisit } else { Right::OpenForm }, &area);
    // who supervises the village reads the sheets beside who was rated by them
    let may_record = is_open && (may_type || is_rating && clerk.may(Right::CloseMatter, &area));
    let asked = if may_record { search(db, &area, &find).await? } else { Vec::new() };
    let chosen = asked.iter().find(|one| Some(one.id) == find.person).cloned();
    let page = clerk.page(sheet.form.title.clone()).at(format!("/desk/forms/{id}"));
    let aloud = if is_visit { None } else { Some(Aloud::of(app, clerk, (About::Form, id.0), &area).await?) };
    let shown = SheetPage {
        page: live(app, clerk, (page, &draft)).await?,
        desk: clerk.desk(),
        aloud,
        may_record,
        may_close: is_open && clerk.may(Right::OpenForm, &area),
        may_draw: is_open && is_visit && sheet.sample.is_empty() && clerk.may(Right::OpenForm, &area),
        is_visit,
        is_rating,
        is_about_matter: is_about_matter(db, &sheet.form).await?,
        find: find.words(),
        found: if chosen.is_some() { Vec::new() } else { asked },
        chosen,
        draft,
        sheet,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// People of a roster by name or number of the household; names are masked in what comes back.
pub(super) async fn search(db: &impl ConnectionTrait, area: &str, find: &Find) -> Result<Vec<Found>> {
    let words = find.find.as_deref().unwrap_or_default().trim();
    if words.is_empty() && find.person.is_none() {
        return Ok(Vec::new());
    }
    let numbers = people::household_numbers(db, area).await?;
    let number = |person: &people::Resident| numbers.get(&person.household).map_or("", String::as_str).to_owned();
    let fits = |person: &people::Resident| match find.person {
        Some(id) => person.id == id,
        None => person.name.contains(words) || number(person) == words,
    };
    let label = |person: &people::Resident| {
        let blanks = [
            ("name", people::rules::mask_name(&person.name).into()),
            ("household", number(person).into()),
            ("group", person.group_number.into()),
        ];
        text::say_with("desk-found", &blanks)
    };
    let all = people::residents(db, area).await?;
    Ok(all
        .iter()
        .filter(|person| fits(person))
        .take(FOUND)
        .map(|person| Found { id: person.id, label: label(person) })
        .collect())
}

/// One of the forms of the page was sent.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path((id, form)): Path<(FormId, String)>,
    fields: Fields,
) -> Result<Response> {
    let done = match form.as_str() {
        "visit" => record(&app, &clerk, id, &fields).await,
        "close" => close(&app, &clerk, id, &fields).await,
        "draw" => draw(&app, &clerk, id, &fields).await,
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see(&format!("/desk/forms/{id}"))),
        Err(error) => {
            let find = Find { find: None, person: fields.optional("person_id").unwrap_or_default() };
            shown(&app, &clerk, id, (find, Draft::refused(&form, fields, error)?)).await
        }
    }
}

async fn record(app: &App, clerk: &Clerk, id: FormId, fields: &Fields) -> Result<()> {
    let asked = forms::queries::detail(app, &clerk.actor, id).await?;
    let reply = |question: &Question| {
        let typed = fields.given(&format!("answers.{}", question.id))?;
        let reply = match (question.kind, typed.parse()) {
            (QuestionKind::Scale, Ok(step)) => Reply::Number(step),
            _ => Reply::Text(typed.to_owned()),
        };
        Some((question.id.clone(), reply))
    };
    let answers: Replies = asked.form.questions.iter().filter_map(reply).collect();
    let is_on_paper = asked.form.purpose != Purpose::Visit;
    let input = (id, GiveAnswer { answers, person_id: Some(fields.required("person_id")?), is_on_paper });
    let answer = app.once(clerk.actor.clone(), fields.key(), "answer_form", input, |tx, actor, input| {
        Box::pin(forms::commands::answer(tx, actor, input))
    });
    answer.await.map(drop)
}

async fn close(app: &App, clerk: &Clerk, id: FormId, fields: &Fields) -> Result<()> {
    let close = app.once(clerk.actor.clone(), fields.key(), "close_form", id, |tx, actor, id| {
        Box::pin(forms::commands::close_form(tx, actor, id))
    });
    close.await.map(drop)
}

/// Draws the households to be visited.
async fn draw(app: &App, clerk: &Clerk, id: FormId, fields: &Fields) -> Result<()> {
    let sheet = forms::queries::detail(app, &clerk.actor, id).await?;
    let matter: MatterId = sheet.form.subject_id.parse().map_err(|_| Code::NotFound)?;
    let input = (matter, DrawSample { form_id: id, households: fields.required("households")? });
    let draw = app.once(clerk.actor.clone(), fields.key(), "draw_sample", input, |tx, actor, input| {
        Box::pin(draw_sample(tx, actor, input))
    });
    draw.await.map(drop)
}
