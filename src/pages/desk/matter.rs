//! One matter on the desk: its six steps with what is there and what is missing, and the forms by which it goes on.
use std::collections::HashSet;

use askama::Template;
use axum::{extract::State, response::Response};
use chrono::TimeDelta;

use super::{
    aloud::Aloud,
    callers::{Caller, callers, kinds_of_business},
    frame::{Clerk, Desk, Draft, Due, live, picked},
    matters::under_way,
    meetings::is_coming,
    notices::may_publish,
    sheets::{self, Sheet},
};
use crate::{
    actor::covers,
    aloud::About,
    app::{App, Path},
    areas::{self, Level},
    bodies::{self, Body, BodyKind, Right, SeatView},
    clock,
    error::Result,
    forms::{self, FormView},
    ids::{MatterId, StreamId},
    legal::{ContractReviewView, contracts},
    matters::{
        self, InvitationView, MatterSummary, MatterView, ReservedItem, Stage, StageState, State as MatterState,
        queries::Standing,
    },
    meetings::{self, Audience, MeetingView},
    notices::{self, NoticeView},
    pages::{
        layout::{Page, render_as},
        thread::{Said, argued},
        words::Words,
    },
    people::village_groups,
    streams::Side,
    tasks::{self, TaskView},
    text,
    votes::{self, VoteView, queries::PresetView},
};

/// Characters of a title that other titles are made from.
const TITLE: usize = 40;
/// Days after which a new meeting, a new vote and a new task are proposed to begin or end.
const MEETING_DAYS: i64 = 3;
const ASSEMBLY_DAYS: i64 = 11;
const TASK_DAYS: i64 = 30;
/// Days that invited bodies are proposed to be given.
const INVITED_DAYS: i64 = 7;

#[derive(Template)]
#[template(path = "desk/matter.html")]
struct MatterPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    matter: MatterView,
    due: Option<Due>,
    can: Can,
    material: Material,
    sheets: Vec<Sheet>,
    callers: Vec<Caller>,
    businesses: Vec<&'static str>,
    owners: Vec<SeatView>,
    presets: Vec<PresetView>,
    /// Matters of the village in which this one may go on.
    others: Vec<MatterSummary>,
    /// The numbers of the villagers' groups.
    groups: Vec<i32>,
    /// Bodies that may still be invited to deliberate.
    invitable: Vec<Body>,
    /// Other ways of doing it that wait for the clerk's answer.
    alternatives: Vec<Said>,
    presume: Presumed,
    aloud: Aloud,
}

/// What the clerk may do about it now.
#[derive(Default)]
struct Can {
    advance: bool,
    send_back: bool,
    skip: bool,
    withdraw: bool,
    publish: bool,
    give_opinion: bool,
    note_legality: bool,
    answer_alternative: bool,
    invite: bool,
    open_vote: bool,
    give_task: bool,
    write_report: bool,
    write_plan: bool,
    halt: bool,
    lift: bool,
    mark_reserved: bool,
    describe: bool,
    /// What it may cost changes with the plan.
    write_budget: bool,
}

/// What was made for the matter.
struct Material {
    forms: Vec<FormView>,
    meetings: Vec<MeetingView>,
    notices: Vec<NoticeView>,
    votes: Vec<VoteView>,
    tasks: Vec<TaskView>,
    /// Those that the clerk may read.
    contracts: Vec<ContractReviewView>,
}

/// What new forms hold, so that mostly nothing has to be typed.
struct Presumed {
    meeting_title: String,
    meeting_at: String,
    notice_title: String,
    question: String,
    closes_at: String,
    task_due: String,
    invited_until: String,
    /// The plan as it is, for the next version and for the notice.
    plan: String,
    notice_text: String,
}

impl MatterPage {
    /// Steps before the present one.
    fn earlier(&self) -> impl Iterator<Item = &matters::StageView> {
        self.matter.stages.iter().filter(|stage| stage.stage < self.matter.head.stage)
    }

    /// Meetings to come about this matter, to which a vote may belong.
    fn coming(&self) -> impl Iterator<Item = &MeetingView> {
        self.material.meetings.iter().filter(|meeting| is_coming(meeting))
    }

    /// What the law reserves to the assembly.
    fn reserved(&self) -> [ReservedItem; 10] {
        ReservedItem::ALL
    }

    /// Is something missing before the next step?
    fn lacks(&self) -> bool {
        self.matter.stages.iter().any(|stage| !stage.missing.is_empty())
    }

    /// The form of this purpose that takes answers now.
    fn running_form(&self, purpose: &str) -> Option<&FormView> {
        let runs = |form: &&FormView| form.state == forms::queries::OPEN && form.purpose.as_str() == purpose;
        self.material.forms.iter().find(runs)
    }

    /// The notice that hangs now.
    fn hanging(&self) -> Option<&NoticeView> {
        self.material.notices.iter().find(|notice| notice.state == notices::queries::PUBLISHED)
    }

    /// The vote that takes ballots now.
    fn running_vote(&self) -> Option<&VoteView> {
        self.material.votes.iter().find(|vote| !votes::queries::is_decided(&vote.state))
    }

    /// What it may cost, as one types it.
    fn budget(&self) -> (String, &str) {
        let known = self.matter.head.budget.as_ref();
        known.map(|one| (format!("{}.{:02}", one.fen / 100, one.fen % 100), one.source.as_str())).unwrap_or_default()
    }

    /// The first words of what somebody said.
    fn opening(&self, one: &Said) -> String {
        format!("{} {}", one.who, one.text.chars().take(TITLE).collect::<String>())
    }

    /// Is this the seat that answers for it?
    fn answers(&self, seat: &SeatView) -> bool {
        self.matter.head.responsible.as_ref().is_some_and(|one| one.seat_id == seat.id)
    }

    fn is_in(&self, stage: &str) -> bool {
        self.matter.head.state == MatterState::Open && self.matter.head.stage.as_str() == stage
    }

    /// How a step is drawn.
    fn drawn(&self, state: &StageState) -> &'static str {
        match state {
            StageState::Done => "done",
            StageState::Now => "now",
            StageState::Skipped | StageState::Coming | StageState::Stopped => "",
        }
    }
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Path(id): Path<MatterId>) -> Result<Response> {
    shown(&app, &clerk, id, Draft::default()).await
}

/// The page, after one of its forms was refused or as new.
pub(super) async fn shown(app: &App, clerk: &Clerk, id: MatterId, draft: Draft) -> Result<Response> {
    let db = app.store.read();
    let standing = matters::queries::standing(db, id).await?;
    let matter = matters::queries::shown_of(app, &standing).await?;
    let area = matter.head.area_code.clone();
    clerk.sits_over(&area)?;
    let can = can(clerk, &standing, &area);
    let owners = if can.give_task || can.describe { owners(app, &area).await? } else { Vec::new() };
    let is_open = matter.head.state == MatterState::Open;
    // the lawful body for a decision is the village or its representatives; before that the bodies meet by themselves
    let likely = if matter.head.stage == Stage::Decide { Audience::Representatives } else { Audience::Members };
    let may_ask = is_open && clerk.may(Right::OpenForm, &area);
    let groups = village_groups::numbers(db, &area).await?;
    let page = clerk.page(matter.head.title.clone()).at(format!("/desk/matters/{id}"));
    let shown = MatterPage {
        page: live(app, clerk, (page, &draft)).await?,
        desk: clerk.desk(),
        draft,
        due: matter.head.stage_due_at.map(|at| Due::seen(at, app.now())),
        material: material(app, clerk, (id, &area)).await?,
        sheets: if may_ask { sheets::asked_by(&standing) } else { Vec::new() },
        callers: if is_open { callers(clerk, &area, (likely, &groups)) } else { Vec::new() },
        businesses: kinds_of_business(clerk),
        presets: if can.open_vote { votable(areas::get(db, &area).await?.level) } else { Vec::new() },
        others: if can.withdraw { others(app, &matter).await? } else { Vec::new() },
        alternatives: if can.answer_alternative {
            alternatives(app, clerk, (matter.discussion, &standing)).await?
        } else {
            Vec::new()
        },
        invitable: if can.invite { invitable(app, &matter).await? } else { Vec::new() },
        presume: presume(app, &matter).await?,
        aloud: Aloud::of(app, clerk, (About::Matter, id.0), &area).await?,
        owners,
        groups,
        can,
        matter,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

fn can(clerk: &Clerk, standing: &Standing, area: &str) -> Can {
    let position = standing.position();
    let Ok(rule) = standing.rule() else { return Can::default() };
    if position.state != MatterState::Open {
        return Can::default();
    }
    let flows = !position.vote_running && !standing.is_halted();
    let (may, stage) = (|right| clerk.may(right, area), position.stage);
    Can {
        advance: flows && stage != Stage::Decide && may(rule.moved_by.right()),
        send_back: flows && stage > Stage::Raise && may(Right::MoveMatter),
        skip: flows && rule.may_skip && may(Right::BendPath),
        withdraw: flows && stage < Stage::Evaluate && may(Right::BendPath),
        publish: rule.accepts("notice") && may_publish(clerk, area),
        give_opinion: rule.accepts("opinion") && may(Right::GiveOpinion),
        note_legality: rule.accepts("legality") && may(Right::NoteLegality),
        answer_alternative: rule.accepts("alternative") && may(Right::AnswerAlternative),
        invite: stage == Stage::Deliberate && may(Right::MoveMatter),
        open_vote: flows && stage == Stage::Decide && may(Right::OpenVote),
        give_task: stage == Stage::Evaluate && may(Right::GiveTask),
        write_report: stage == Stage::Evaluate && (may(Right::MoveMatter) || may(Right::CloseMatter)),
        write_plan: stage <= Stage::Deliberate && may(Right::MoveMatter),
        describe: may(Right::MoveMatter),
        write_budget: stage <= Stage::Deliberate,
        halt: flows && may(Right::CloseMatter),
        lift: standing.is_halted() && may(Right::CloseMatter),
        mark_reserved: !position.vote_running
            && stage <= Stage::Decide
            && (may(Right::NoteLegality) || may(Right::CloseMatter)),
    }
}

/// What was done in other villages in the name of this matter is none of it.
async fn material(app: &App, clerk: &Clerk, (id, area): (MatterId, &str)) -> Result<Material> {
    let db = app.store.read();
    let mut material = Material {
        forms: forms::queries::forms_of(db, (&id.to_string(), area)).await?,
        meetings: meetings::queries::meetings_of(db, (id, area)).await?,
        notices: notices::queries::notices_of(db, (id, area)).await?,
        votes: votes::queries::votes_of(db, id).await?,
        tasks: tasks::queries::tasks_of(db, (id, area)).await?,
        contracts: contracts::readable_of(db, &clerk.actor, id).await?,
    };
    material.forms.retain(|one| covers(area, &one.area_code));
    material.meetings.retain(|one| covers(area, &one.area_code));
    material.notices.retain(|one| covers(area, &one.area_code));
    material.tasks.retain(|one| covers(area, &one.area_code));
    Ok(material)
}

/// Everybody with a seat in a body of the area, once, in the order of the bodies.
async fn owners(app: &App, area: &str) -> Result<Vec<SeatView>> {
    let here = bodies::bodies_in(app.store.read(), area, app.now()).await?;
    let mut known = HashSet::new();
    Ok(here.into_iter().flat_map(|body| body.seats).filter(|seat| known.insert(seat.person_id)).collect())
}

/// The other matters of the same village that are under way.
async fn others(app: &App, matter: &MatterView) -> Result<Vec<MatterSummary>> {
    let mut others = under_way(app, &matter.head.area_code).await?;
    others.retain(|one| one.id != matter.head.id && one.area_code == matter.head.area_code);
    Ok(others)
}

/// Those over the village and of the other villages of its town that are not waited for already and did not say no this time.
async fn invitable(app: &App, matter: &MatterView) -> Result<Vec<Body>> {
    let since = matter.stages.iter().find(|stage| stage.state == StageState::Now).and_then(|stage| stage.entered_at);
    let said_no =
        |one: &InvitationView| one.declined_by.is_some() && since.is_some_and(|since| one.invited_at >= since);
    let is_settled = |one: &InvitationView| one.state == "invited" || said_no(one);
    let asked = |body: &Body| matter.invitations.iter().any(|one| one.body_id == body.id && is_settled(one));
    let mut near = bodies::queries::near(app.store.read(), &matter.head.area_code).await?;
    near.retain(|body| body.kind != BodyKind::Evaluator && !asked(body));
    Ok(near)
}

/// What was put beside the plan and has no answer yet.
async fn alternatives(app: &App, clerk: &Clerk, of: (Option<StreamId>, &Standing)) -> Result<Vec<Said>> {
    let (Some(discussion), standing) = of else { return Ok(Vec::new()) };
    let mut said = argued(app, &clerk.actor, (discussion, Some(Side::Alternative))).await?;
    said.retain(|one| !standing.is_answered(one.seq));
    Ok(said)
}

fn votable(level: Level) -> Vec<PresetView> {
    // a recall belongs to an assembly's agenda, whose form asks for its petition; so does the choice of representatives
    let is_elsewhere =
        |id: &str| votes::queries::is_inside(id) || votes::queries::is_recall(id) || votes::queries::is_selection(id);
    let fits = |one: &PresetView| one.is_votable && !is_elsewhere(&one.id) && votes::queries::fits(&one.id, level);
    votes::queries::presets().into_iter().filter(fits).collect()
}

async fn presume(app: &App, matter: &MatterView) -> Result<Presumed> {
    let plan = match matter.plan_version {
        0 => String::new(),
        _ => matters::queries::plan(app.store.read(), (matter.head.id, None)).await?.text,
    };
    let title: String = matter.head.title.chars().take(TITLE).collect();
    let made = |key: &str| text::say_with(key, &[("title", title.clone().into())]);
    let in_days = |days: i64| clock::start_of_day(clock::local_date(app.now()) + TimeDelta::days(days));
    let decides = matter.head.stage == Stage::Decide;
    let meets_at = in_days(if decides { ASSEMBLY_DAYS } else { MEETING_DAYS }) + TimeDelta::hours(19);
    Ok(Presumed {
        notice_text: if plan.is_empty() { matter.head.summary.clone() } else { plan.clone() },
        plan,
        meeting_title: made(if decides { "desk-presume-assembly" } else { "desk-presume-meeting" }),
        meeting_at: picked(meets_at),
        notice_title: made("desk-presume-notice"),
        question: made("desk-presume-question"),
        closes_at: picked(in_days(ASSEMBLY_DAYS) + TimeDelta::hours(21)),
        task_due: clock::local_date(in_days(TASK_DAYS)).to_string(),
        invited_until: clock::local_date(in_days(INVITED_DAYS)).to_string(),
    })
}
