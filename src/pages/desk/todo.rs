//! What waits for the clerk, the most urgent first, under the figures of how well voices are answered.
use std::collections::HashMap;

use askama::Template;
use axum::{extract::State, response::Response};
use chrono::{DateTime, FixedOffset, NaiveDate};

use super::frame::{Clerk, Desk, Draft, Due, live, villages};
use crate::{
    app::App,
    bodies::{self, Right, elections::NextStep, recommendations::RecommendationView},
    claims, clock,
    error::Result,
    forms::{self, Purpose},
    ids::{MediationId, SuggestionId},
    joint,
    legal::{self, ContractReviewView},
    matters::{self, MatterSummary, MattersQuery, Missing, Stage, State as MatterState, rules::gate},
    meetings, notices,
    page::PageQuery,
    pages::{
        layout::{Page, render},
        words::{Words, wire},
    },
    privacy,
    skills::{self, NeedView},
    suggestions::{self, Figures, Step, SuggestionSummary, asked, figures, queries::DESK_TODO},
    tasks, text,
};

mod said;

/// Open matters of an area that are looked into, those that are due first; each asks its forms, meetings, notices and tasks.
const MATTERS: usize = 20;
/// Newest matters, notices and meetings of an area that are looked through.
const NEWEST: u64 = 100;

#[derive(Template)]
#[template(path = "desk/todo.html")]
struct TodoPage {
    page: Page,
    desk: Desk,
    figures: Figures,
    todos: Vec<Todo>,
}

/// Something to be done.
struct Todo {
    title: String,
    notes: Vec<String>,
    from: String,
    due: Option<Due>,
    next: String,
    link: String,
}

/// The first page of the desk.
pub(super) async fn show(State(app): State<App>, clerk: Clerk) -> Result<Response> {
    let mut todos = voices(&app, &clerk).await?;
    todos.extend(unseen(&app, &clerk).await?);
    todos.extend(to_call(&app, &clerk).await?);
    todos.extend(of_others(&app, &clerk).await?);
    todos.extend(own_tasks(&app, &clerk).await?);
    todos.extend(contracts(&app, &clerk).await?);
    todos.extend(mediations(&app, &clerk).await?);
    todos.extend(needs(&app, &clerk).await?);
    todos.extend(said::invitations(&app, &clerk).await?);
    todos.extend(elections(&app, &clerk).await?);
    todos.extend(turns(&app, &clerk).await?);
    todos.extend(recommended(&app, &clerk).await?);
    todos.extend(requests(&app, &clerk).await?);
    todos.extend(said::messages(&app, &clerk).await?);
    todos.extend(said::about_votes(&app, &clerk).await?);
    todos.extend(said::late_below(&app, &clerk).await?);
    for area in clerk.areas() {
        todos.extend(objections(&app, &clerk, &area).await?);
        todos.extend(minutes(&app, &clerk, &area).await?);
        todos.extend(moves(&app, &clerk, &area).await?);
    }
    let latest = DateTime::<FixedOffset>::from(DateTime::<chrono::Utc>::MAX_UTC);
    todos.sort_by_key(|todo| todo.due.map_or(latest, |due| due.at));
    let title = text::say_with("desk-todo-count", &[("n", todos.len().into())]);
    let villages = villages(app.store.read(), clerk.areas()).await?;
    let figures = figures(&app, &villages).await?;
    let page = live(&app, &clerk, (clerk.page(title), &Draft::default())).await?;
    Ok(render(&TodoPage { page, desk: clerk.desk(), figures, todos }))
}

async fn voices(app: &App, clerk: &Clerk) -> Result<Vec<Todo>> {
    let waiting = suggestions::queries::desk_todo(app.store.read(), &clerk.actor).await?;
    let given = suggestions::queries::assignees(app.store.read(), &waiting).await?;
    let is_full = waiting.len() as u64 >= DESK_TODO;
    // the clerk must not take the most urgent for all there are
    let more = is_full.then(|| Todo {
        title: text::say_with("desk-todo-more", &[("n", DESK_TODO.into())]),
        notes: Vec::new(),
        from: String::new(),
        due: None,
        next: text::say("desk-suggestions"),
        link: "/desk/suggestions".to_owned(),
    });
    Ok(waiting.into_iter().map(|voice| voice_todo(app, (voice, &given))).chain(more).collect())
}

fn voice_todo(app: &App, (voice, given): (SuggestionSummary, &HashMap<SuggestionId, String>)) -> Todo {
    let (step, due) = super::suggestions::next_step(&voice);
    Todo {
        title: super::suggestions::title(&voice),
        notes: super::suggestions::notes(&voice, given.get(&voice.id)),
        from: super::suggestions::from(&voice),
        due: Some(Due::seen(due, app.now())),
        next: text::say(if step == Step::Accept { "desk-accept" } else { "desk-answer" }),
        link: format!("/desk/suggestions/{}", voice.id),
    }
}

/// Public voices that wait, or whose photos and clip wait, for somebody who looks before everybody sees them.
async fn unseen(app: &App, clerk: &Clerk) -> Result<Vec<Todo>> {
    let waiting = suggestions::queries::desk_unseen(app.store.read(), &clerk.actor).await?;
    Ok(waiting.into_iter().map(|voice| undated(voice, "desk-todo-unseen")).collect())
}

/// Answered voices that were taken down for somebody who is to be called back.
async fn to_call(app: &App, clerk: &Clerk) -> Result<Vec<Todo>> {
    let waiting = suggestions::queries::desk_to_call(app.store.read(), &clerk.actor, app.now()).await?;
    Ok(waiting.into_iter().map(|voice| undated(voice, "desk-call-back")).collect())
}

fn undated(voice: SuggestionSummary, next: &str) -> Todo {
    Todo {
        title: super::suggestions::title(&voice),
        notes: super::suggestions::notes(&voice, None),
        from: super::suggestions::from(&voice),
        due: None,
        next: text::say(next),
        link: format!("/desk/suggestions/{}", voice.id),
    }
}

/// Voices of others about which the clerk's bodies are asked: to take them, to do a part, to give more days.
async fn of_others(app: &App, clerk: &Clerk) -> Result<Vec<Todo>> {
    let todo = |one: asked::Waiting| Todo {
        title: text::word("suggestion-kind", &wire(one.kind)),
        notes: vec![one.number],
        from: one.owner_body_name,
        due: Some(Due::seen(one.answer_due_at, app.now())),
        next: text::say(match one.what {
            asked::What::Offer => "desk-todo-offer",
            asked::What::Part => "desk-todo-part",
            asked::What::Days => "desk-todo-days",
            asked::What::Hiding => "desk-todo-hiding",
        }),
        link: "/desk/referrals".to_owned(),
    };
    let waiting = asked::waiting(app.store.read(), &clerk.actor).await?;
    Ok(waiting.into_iter().map(todo).collect())
}

async fn own_tasks(app: &App, clerk: &Clerk) -> Result<Vec<Todo>> {
    let open = tasks::queries::my_open(app.store.read(), clerk.actor.person).await?;
    let todo = |task: tasks::TaskView| Todo {
        title: task.title,
        notes: vec![text::say("desk-task")],
        from: task.body_name,
        due: Some(Due::seen(task.due_at, app.now())),
        next: text::say("desk-finish-task"),
        link: format!("/desk/tasks/{}", task.id),
    };
    Ok(open.into_iter().map(todo).collect())
}

/// Contracts that wait for the clerk, a legal officer.
async fn contracts(app: &App, clerk: &Clerk) -> Result<Vec<Todo>> {
    let todo = |one: ContractReviewView| Todo {
        title: one.title,
        notes: vec![text::say("desk-contracts")],
        from: one.body_name,
        due: Some(Due::seen(one.due_at, app.now())),
        next: text::say("desk-contract-opinion-do"),
        link: format!("/desk/legal/contracts/{}", one.id),
    };
    let waiting = legal::contracts::waiting(app.store.read(), &clerk.actor).await?;
    Ok(waiting.into_iter().map(todo).collect())
}

/// Agreements that the clerk, who mediated, is to look at again today. Between whom is said on the page itself alone.
async fn mediations(app: &App, clerk: &Clerk) -> Result<Vec<Todo>> {
    let todo = |(id, on): (MediationId, NaiveDate)| Todo {
        title: text::say("desk-todo-mediation"),
        notes: Vec::new(),
        from: String::new(),
        due: Some(Due::seen(clock::local(clock::end_of_day(on)), app.now())),
        next: text::say("desk-mediation-look-do"),
        link: format!("/desk/legal/mediations/{id}"),
    };
    let due = legal::mediations::due(app.store.read(), &clerk.actor, app.now()).await?;
    Ok(due.into_iter().map(todo).collect())
}

/// Needs of the clerk's bodies that somebody has taken, or nobody has in time.
async fn needs(app: &App, clerk: &Clerk) -> Result<Vec<Todo>> {
    let todo = |one: NeedView| Todo {
        title: one.title,
        notes: vec![text::word("need-state", &wire(one.state))],
        from: one.body_name,
        due: Some(Due::seen(clock::local(clock::end_of_day(one.until_on)), app.now())),
        next: text::say("desk-need-look"),
        link: format!("/needs/{}", one.id),
    };
    let waiting = skills::needs::waiting(app.store.read(), &clerk.actor, app.now()).await?;
    Ok(waiting.into_iter().map(todo).collect())
}

/// Who is recommended for a council and waits for the clerk, who checks for the party.
async fn recommended(app: &App, clerk: &Clerk) -> Result<Vec<Todo>> {
    let todo = |one: RecommendationView| Todo {
        title: text::say("desk-recommendations"),
        notes: vec![one.name, text::word("recommendation-state", one.state.as_str())],
        from: one.recommended_by_name,
        due: None,
        next: text::say("desk-recommend-look"),
        link: format!("/desk/recommendations?body={}", one.body_id),
    };
    let waiting = bodies::recommendations::waiting(app.store.read(), &clerk.actor).await?;
    Ok(waiting.into_iter().map(todo).collect())
}

/// The next step of each election that the clerk keeps, or that is late where the clerk's office fills the seats.
async fn elections(app: &App, clerk: &Clerk) -> Result<Vec<Todo>> {
    let todo = |one: NextStep| {
        let step = text::word("election-step", one.step.as_str());
        Todo {
            title: text::say_with("desk-election-step", &[("step", step.into())]),
            notes: Vec::new(),
            from: one.body.name,
            due: Some(Due::seen(clock::local(clock::end_of_day(one.day)), app.now())),
            next: text::say("desk-election-do"),
            link: format!("/desk/bodies?area={}", one.body.areas.first().map_or("", String::as_str)),
        }
    };
    let waiting = bodies::elections::waiting(app.store.read(), &clerk.actor, app.now()).await?;
    Ok(waiting.into_iter().map(todo).collect())
}

/// Joint meetings that the clerk, whose turn it is, is to call.
async fn turns(app: &App, clerk: &Clerk) -> Result<Vec<Todo>> {
    let todo = |(body, items): (bodies::queries::Body, usize)| Todo {
        title: text::say("desk-joint-todo"),
        notes: vec![text::say_with("desk-joint-todo-items", &[("n", items.into())])],
        from: body.name,
        due: None,
        next: text::say("desk-joint-call"),
        link: format!("/desk/joint/{}#call", body.id),
    };
    let waiting = joint::queries::waiting(app.store.read(), &clerk.actor, app.now()).await?;
    Ok(waiting.into_iter().map(todo).collect())
}

/// Phones to be bound and things on the roster to be put right.
async fn requests(app: &App, clerk: &Clerk) -> Result<Vec<Todo>> {
    let mut todos = Vec::new();
    for area in bodies::areas_with(&clerk.actor, Right::ImportRoster) {
        let claims = claims::queries::waiting(app, &clerk.actor, &area).await?.into_iter().filter(|one| one.can_decide);
        let claims = claims.map(|one| (one.due_at, "desk-claims", one.person_name));
        let corrections = privacy::corrections_waiting(app, &clerk.actor, &area).await?.into_iter();
        let corrections = corrections.map(|one| (one.due_at, "desk-corrections", one.person_name));
        todos.extend(claims.chain(corrections).map(|(due_at, key, who)| Todo {
            title: text::say(key),
            notes: Vec::new(),
            from: who,
            due: Some(Due::seen(due_at, app.now())),
            next: text::say("desk-request-decide"),
            link: "/desk/requests".to_owned(),
        }));
    }
    Ok(todos)
}

async fn objections(app: &App, clerk: &Clerk, area: &str) -> Result<Vec<Todo>> {
    if !clerk.may(Right::AnswerObjection, area) {
        return Ok(Vec::new());
    }
    let hanging = notices::queries::objected_to(app.store.read(), area, NEWEST).await?;
    let todo = |notice: notices::NoticeView| Todo {
        title: notice.title,
        notes: vec![text::say_with("desk-objections-open", &[("n", notice.open_objections.into())])],
        from: notice.number,
        due: Some(Due::seen(notice.period_to, app.now())),
        next: text::say("desk-answer-objections"),
        link: format!("/desk/notices/{}", notice.id),
    };
    Ok(hanging.into_iter().map(todo).collect())
}

/// Meetings of the clerk's own bodies that have begun and have no minutes.
async fn minutes(app: &App, clerk: &Clerk, area: &str) -> Result<Vec<Todo>> {
    let page = PageQuery { cursor: None, limit: Some(NEWEST) };
    let called = meetings::queries::list(app.store.read(), area, &page).await?.items;
    let todo = |meeting: meetings::MeetingView| Todo {
        title: meeting.title,
        notes: vec![text::say("desk-meeting-begun")],
        from: meeting.body_name,
        due: Some(Due::seen(clock::local(clock::end_of_day(meeting.starts_at.date_naive())), app.now())),
        next: text::say("desk-take-minutes"),
        link: format!("/desk/meetings/{}", meeting.id),
    };
    let waits = |meeting: &meetings::MeetingView| {
        super::meetings::is_coming(meeting)
            && meeting.starts_at <= app.local_now()
            && super::callers::holds(clerk, meeting.body_id, area)
    };
    Ok(called.into_iter().filter(waits).map(todo).collect())
}

/// Open matters that wait for something the clerk may do, with what is missing.
async fn moves(app: &App, clerk: &Clerk, area: &str) -> Result<Vec<Todo>> {
    let rights = [Right::MoveMatter, Right::CloseMatter, Right::GiveOpinion, Right::NoteLegality, Right::RecordVisit];
    if !rights.iter().any(|right| clerk.may(*right, area)) {
        return Ok(Vec::new());
    }
    let query = MattersQuery {
        area: Some(area.to_owned()),
        state: Some(MatterState::Open),
        limit: Some(NEWEST),
        ..MattersQuery::default()
    };
    let mut open = matters::queries::list(app.store.read(), query).await?.items;
    open.sort_by_key(|matter| (matter.stage_due_at.is_none(), matter.stage_due_at));
    let mut todos = Vec::new();
    for matter in open.into_iter().take(MATTERS) {
        let todo = match move_todo(app, clerk, &matter).await? {
            None => visit_todo(app, clerk, &matter).await?,
            some => some,
        };
        todos.extend(todo);
    }
    Ok(todos)
}

async fn move_todo(app: &App, clerk: &Clerk, matter: &MatterSummary) -> Result<Option<Todo>> {
    let db = app.store.read();
    let standing = matters::queries::standing(db, matter.id).await?;
    let rule = standing.rule()?;
    let missing = gate::missing(rule, &matters::queries::facts(db, Some(app), &standing).await?);
    let may = |right| clerk.may(right, &matter.area_code);
    let lacks = |code: &str| missing.iter().any(|one| one.code.starts_with(code));
    let next = match () {
        () if standing.position().vote_running => "desk-see-vote",
        () if (lacks("opinion") || lacks("proposal")) && may(Right::GiveOpinion) => "desk-give-opinion",
        () if lacks("legality") && may(Right::NoteLegality) => "desk-legality-do",
        () if missing.is_empty() => "desk-move-on",
        () => "desk-look",
    };
    if !may(rule.moved_by.right()) && !["desk-give-opinion", "desk-legality-do"].contains(&next) {
        return Ok(None);
    }
    let notes = if next == "desk-see-vote" { vec![text::say("desk-voting")] } else { texts(missing) };
    Ok(Some(matter_todo(app, matter, (notes, next, format!("/desk/matters/{}", matter.id)))))
}

fn texts(missing: Vec<Missing>) -> Vec<String> {
    missing.into_iter().map(|one| one.text).collect()
}

/// For who visits but does not move: the sheet that takes visits now.
async fn visit_todo(app: &App, clerk: &Clerk, matter: &MatterSummary) -> Result<Option<Todo>> {
    if !matches!(matter.stage, Stage::Raise | Stage::Review) || !clerk.may(Right::RecordVisit, &matter.area_code) {
        return Ok(None);
    }
    let sheets = forms::queries::forms_of(app.store.read(), (&matter.id.to_string(), &matter.area_code)).await?;
    let takes = |form: &&forms::FormView| form.purpose == Purpose::Visit && form.state == forms::queries::OPEN;
    let Some(sheet) = sheets.iter().find(takes) else { return Ok(None) };
    let notes = vec![text::say("desk-visits-wait")];
    Ok(Some(matter_todo(app, matter, (notes, "desk-record-visit", format!("/desk/forms/{}", sheet.id)))))
}

fn matter_todo(app: &App, matter: &MatterSummary, (mut notes, next, link): (Vec<String>, &str, String)) -> Todo {
    notes.insert(0, matter.stage_name.clone());
    Todo {
        title: matter.title.clone(),
        notes,
        from: matter.number.clone(),
        due: matter.stage_due_at.map(|at| Due::seen(at, app.now())),
        next: text::say(next),
        link,
    }
}
