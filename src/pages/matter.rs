//! `/matters`: what the village is about; each on its way through the six stages, with everything one may do about it.
use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    response::Response,
};

use super::{
    compose::{self, Compose, Unsent},
    fields::{Fields, Form, MAX_FILES_BODY, Wrong},
    form::{self, Asked},
    layout::{Live, Page, Resident, Viewer, render, render_as, see, up},
    meeting,
    steps::{Line, Step},
    thread::{self, Older, Thread},
    words::{self, Words, deadline, moment},
};
use crate::{
    actor::{Actor, covers},
    aloud::{self, ClipView},
    app::{
        App, Path, Query,
        routing::{get, post},
    },
    delivery,
    error::{Code, Result},
    forms::{self, FormView},
    ids::{FormId, MatterId},
    legal::contracts::{self, OfMatter},
    matters::{
        self, DeclineInvitation, EvidenceView, InvitationView, MatterSummary, MatterView, MattersQuery, StageState,
        StageView,
    },
    meetings::{self, MeetingView},
    moderation::{self, HeldView},
    notices::{self, NoticeView},
    page::PageQuery,
    streams::{self, Access, Stream},
    tasks::{self, TaskView},
    text,
    votes::{self, VoteView},
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/matters", get(list))
        .route("/matters/{id}", get(show))
        .route("/matters/{id}/decline", post(decline).merge(get(up)))
        .route("/matters/{id}/messages", post(write).merge(get(up)).layer(DefaultBodyLimit::max(MAX_FILES_BODY)))
}

#[derive(Template)]
#[template(path = "matters.html")]
struct MattersPage {
    page: Page,
    items: Vec<MatterSummary>,
    next: Option<String>,
    area: String,
}

/// Those of the viewer's village, or of the whole county for who is signed out.
async fn list(State(app): State<App>, viewer: Viewer, Query(page): Query<PageQuery>) -> Result<Response> {
    let area = viewer.actor.as_ref().map(|actor| actor.area.clone());
    let query = MattersQuery { area: area.clone(), cursor: page.cursor, limit: page.limit, ..MattersQuery::default() };
    let found = matters::queries::list(app.store.read(), query).await?;
    let (items, next) = (found.items, found.next_cursor);
    Ok(render(&MattersPage { page: viewer.page("page-matters"), items, next, area: area.unwrap_or_default() }))
}

#[derive(Template)]
#[template(path = "matter.html")]
struct MatterPage {
    page: Page,
    matter: MatterView,
    steps: Vec<Step>,
    missing: Vec<String>,
    clip: Option<ClipView>,
    about: About,
    talk: Option<Talk>,
}

/// What the other subjects have about a matter.
struct About {
    asked: Vec<Asked>,
    notices: Vec<NoticeView>,
    /// Those to come.
    meetings: Vec<MeetingView>,
    /// The meeting whose doors are open for the viewer.
    doors: Option<MeetingView>,
    votes: Vec<VoteView>,
    tasks: Vec<TaskView>,
    /// Contracts that legal officers were asked about.
    contracts: Vec<OfMatter>,
    /// Invitations to bodies that the viewer leads, which wait.
    declinable: Vec<InvitationView>,
    /// Does the viewer follow it? Nothing for visitors.
    is_followed: Option<bool>,
}

/// The discussion, for those who may read it.
struct Talk {
    stream: Stream,
    thread: Thread,
    compose: Option<Compose>,
    /// What the viewer said here and nobody else sees yet.
    held: Vec<HeldView>,
}

async fn show(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<MatterId>,
    Query(older): Query<Older>,
) -> Result<Response> {
    shown(&app, &viewer, id, (older.before, Unsent::default())).await
}

async fn shown(app: &App, viewer: &Viewer, id: MatterId, (before, unsent): (Option<i64>, Unsent)) -> Result<Response> {
    let matter = matters::queries::shown(app, id).await?;
    let about = about(app, viewer.actor.as_ref(), &matter).await?;
    let (is_refused, status) = (unsent.wrong.is_any(), unsent.wrong.status());
    let talk = talk(app, viewer.actor.as_ref(), &matter, (before, unsent)).await?;
    let mut page = viewer.page("page-matters").back("/matters").at(format!("/matters/{id}"));
    if let Some(talk) = &talk {
        // cards about steps come into the village's channel: anything may concern this page
        let heads = std::iter::once((talk.stream.id.to_string(), talk.stream.last_seq));
        page = page.live(Live::any(heads).unless(is_refused));
    }
    let missing = matter.stages.iter().flat_map(|stage| stage.missing.iter().map(|one| one.text.clone())).collect();
    let steps = matter.stages.iter().map(step).collect();
    let clip = aloud::queries::of_matter(app.store.read(), id).await?;
    Ok(render_as(status, &MatterPage { page, steps, missing, clip, about, talk, matter }))
}

/// What was done in other villages in the name of this matter is none of it.
async fn about(app: &App, actor: Option<&Actor>, matter: &MatterView) -> Result<About> {
    let (id, area) = (matter.head.id, matter.head.area_code.as_str());
    let db = app.store.read();
    let mut forms = forms::queries::forms_of(db, (&id.to_string(), area)).await?;
    forms.retain(|form| covers(area, &form.area_code));
    let mut meetings = meetings::queries::meetings_of(db, (id, area)).await?;
    meetings.retain(|meeting| covers(area, &meeting.area_code));
    let mut notices = notices::queries::notices_of(db, (id, area)).await?;
    notices.retain(|notice| covers(area, &notice.area_code));
    let mut tasks = tasks::queries::tasks_of(db, (id, area)).await?;
    tasks.retain(|task| covers(area, &task.area_code));
    let (asked, doors, is_followed) = match actor {
        Some(actor) => {
            let follows = delivery::preferences::follows(db, actor.person, id).await?;
            (asked(app, actor, forms).await?, doors(app, actor, &meetings).await?, Some(follows))
        }
        None => (Vec::new(), None, None),
    };
    let is_to_come =
        |meeting: &MeetingView| meeting.state == "called" && doors.as_ref().is_none_or(|open| open.id != meeting.id);
    Ok(About {
        asked,
        notices,
        meetings: meetings.into_iter().filter(is_to_come).collect(),
        doors,
        is_followed,
        declinable: declinable(actor, matter),
        votes: votes::queries::votes_of(db, id).await?,
        contracts: contracts::of_matter(db, (id, area)).await?,
        tasks,
    })
}

fn declinable(actor: Option<&Actor>, matter: &MatterView) -> Vec<InvitationView> {
    let waits = |one: &&InvitationView| {
        one.state == "invited" && actor.is_some_and(|actor| matters::queries::leads(actor, one.body_id))
    };
    matter.invitations.iter().filter(waits).cloned().collect()
}

/// The open forms that wait for the actor; a matter has one or two.
async fn asked(app: &App, actor: &Actor, forms: Vec<FormView>) -> Result<Vec<Asked>> {
    let open: Vec<FormId> = forms.iter().filter(|form| form.state == "open").map(|form| form.id).collect();
    let mut clips = aloud::queries::of_forms(app.store.read(), &open).await?;
    let mut waiting = Vec::new();
    for id in open {
        let Ok(detail) = forms::queries::detail(app, actor, id).await else { continue };
        let shown = (&detail, clips.remove(&id.0));
        waiting.extend(form::asked(actor, shown, Fields::default(), Wrong::default()));
    }
    Ok(waiting)
}

async fn doors(app: &App, actor: &Actor, meetings: &[MeetingView]) -> Result<Option<MeetingView>> {
    let own = meeting::belongs_to(app, actor, meetings).await?;
    let open = meetings.iter().find(|meeting| meeting::waits_for((app, actor, &own), meeting));
    let Some(open) = open else { return Ok(None) };
    let detail = meetings::queries::detail(app.store.read(), Some(actor), open.id).await?;
    Ok(detail.my_attendance.is_none().then_some(detail.meeting))
}

async fn talk(
    app: &App,
    actor: Option<&Actor>,
    matter: &MatterView,
    (before, unsent): (Option<i64>, Unsent),
) -> Result<Option<Talk>> {
    let (Some(actor), Some(stream)) = (actor, matter.discussion) else { return Ok(None) };
    let Ok((stream, access)) = streams::queries::readable(app.store.read(), actor, stream).await else {
        return Ok(None);
    };
    let mut thread = thread::thread(app, actor, &stream, before).await?;
    // the steps stand on the ladder above
    thread.said.retain(|one| one.card.is_none() || one.is_chain);
    thread::seen(app, actor, &stream);
    let compose = match access {
        Access::Write => {
            let to = (&stream, format!("/matters/{}/messages", matter.head.id));
            Some(Compose::new(app, actor, to, (None, unsent)).await?)
        }
        _ => None,
    };
    let held = moderation::queries::own(app, actor, Some(stream.id)).await?;
    Ok(Some(Talk { thread, compose, held, stream }))
}

/// A stage with its evidence, in words.
fn step(stage: &StageView) -> Step {
    let (class, state) = match stage.state {
        StageState::Done => ("done", None),
        StageState::Skipped => ("done", Some("page-stage-skipped")),
        StageState::Now => ("now", Some("page-stage-now")),
        StageState::Coming => ("", None),
        StageState::Stopped => ("now", Some("page-stage-stopped")),
    };
    let state = state.map(|key| Line { text: text::say(key), link: None });
    let due = stage.due_at.filter(|_| stage.state == StageState::Now).map(|at| said("page-due", &deadline(&at)));
    let reason = stage.reason.as_ref().map(|reason| said("page-stage-reason", reason));
    let authority = stage.authority.as_ref().map(|authority| said("page-stage-authority", authority));
    let mut lines: Vec<Line> = state.into_iter().chain(due).collect();
    lines.extend(stage.evidence.iter().map(piece));
    lines.extend(reason.into_iter().chain(authority));
    if stage.state == StageState::Done && stage.evidence.is_empty() {
        lines.extend(stage.left_at.map(|at| Line { text: moment(&at), link: None }));
    }
    Step { class, name: stage.name.clone(), lines, is_late: false }
}

fn said(key: &str, blank: &str) -> Line {
    Line { text: text::say_with(key, &[("at", blank.into())]), link: None }
}

fn piece(piece: &EvidenceView) -> Line {
    let outcome = piece.outcome.as_deref().map(|code| text::word("page-outcome", code));
    let by = piece.actor.as_ref().map(|actor| actor.body_name.clone());
    let parts = [Some(piece.name.clone()), outcome, by, Some(words::day(&piece.at))];
    let link = piece.link.clone().or_else(|| {
        let id = piece.subject_id.as_deref()?;
        match piece.kind.as_str() {
            "survey" | "rating" => Some(format!("/forms/{id}")),
            "meeting" => Some(format!("/meetings/{id}")),
            _ => None,
        }
    });
    Line { text: parts.into_iter().flatten().collect::<Vec<_>>().join(" · "), link }
}

/// Who leads an invited body says no for it.
async fn decline(State(app): State<App>, who: Resident, Path(id): Path<MatterId>, fields: Fields) -> Result<Response> {
    let input =
        (id, DeclineInvitation { body_id: fields.required("body_id")?, reason: fields.text("reason").to_owned() });
    let declined = app.once(who.actor.clone(), fields.key(), "decline_invitation", input, |tx, actor, input| {
        Box::pin(matters::commands::decline(tx, actor, input))
    });
    declined.await?;
    Ok(see(&format!("/matters/{id}")))
}

async fn write(State(app): State<App>, who: Resident, Path(id): Path<MatterId>, form: Form) -> Result<Response> {
    let stream = streams::queries::find(app.store.read(), streams::StreamKind::Discussion, &id.to_string()).await?;
    match compose::send(&app, who.actor.clone(), stream.ok_or(Code::NotFound)?, form).await? {
        None => Ok(see(&format!("/matters/{id}#newest"))),
        Some(unsent) => shown(&app, &who.viewer, id, (None, unsent)).await,
    }
}
