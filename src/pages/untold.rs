//! The doors of whom no message reached, for who goes round: `/notices/{id}/doors` of a notice that nobody is asked to confirm,
//! `/meetings/{id}/doors` and `/votes/{id}/doors`. What is said at a door is said to all who live behind it, and written down with
//! one tap.
use askama::Template;
use axum::{Router, extract::State, response::Response};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{
    doors::{AT_ONE_DOOR, Doors, PaperPage, Where},
    fields::{Fields, Wrong},
    layout::{Page, Resident, render, render_as, see},
    words::{Words, deadline, moment},
};
use crate::{
    actor::Actor,
    app::{
        App, Path, Query,
        routing::{get, post},
    },
    delivery::{
        board::{self, ReachRow},
        doors::{self, Call, Called, is_left},
        marks::{self, TellAtDoor},
    },
    error::{Code, Result},
    ids::PersonId,
    notices::{DoorView, GroupReach, NoticeView, OfPerson, queries},
    text,
};

/// Households on one page.
const SHOWN: usize = 20;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/meetings/{id}/doors", get(of_meeting).merge(post(act_of_meeting)))
        .route("/meetings/{id}/doors/paper", get(paper_of_meeting))
        .route("/votes/{id}/doors", get(of_vote).merge(post(act_of_vote)))
        .route("/votes/{id}/doors/paper", get(paper_of_vote))
}

/// A door, and who of those behind it has not been told.
struct Home {
    household_number: String,
    group_number: i32,
    people: Vec<ReachRow>,
}

/// What is told at these doors.
struct Head {
    number: String,
    title: String,
    hint: String,
    /// How many it concerns; nothing where that is not known without what they did.
    all: Option<u64>,
    /// Who was reached, which is printed; for who may see it.
    board: Option<String>,
}

#[derive(Template)]
#[template(path = "doors_untold.html")]
struct UntoldPage {
    page: Page,
    head: Head,
    homes: Vec<Home>,
    /// As far as the viewer sees them.
    groups: Vec<GroupReach>,
    /// How many were told at the door.
    at_door: usize,
    /// Where the next page begins.
    next: Option<usize>,
    /// What was written down just now and can be taken back.
    made: Vec<(PersonId, String)>,
    at: Doors,
    wrong: Wrong,
}

impl UntoldPage {
    fn left(&self) -> u64 {
        self.groups.iter().map(|group| group.unreached).sum()
    }

    fn more(&self, from: &usize) -> String {
        format!("{}&from={from}", self.at.path(self.at.place.group, self.at.place.way()))
    }
}

/// The doors of a village, or of the groups of a grid worker.
pub(super) async fn shown(
    app: &App,
    who: &Resident,
    notice: NoticeView,
    (place, wrong): (Where, Wrong),
) -> Result<Response> {
    let (db, actor, id) = (app.store.read(), &who.actor, notice.id);
    let (village, rows) = doors::concerned(db, actor, (id, place.area.as_deref(), place.group)).await?;
    let head = Head {
        number: notice.number,
        title: notice.title,
        hint: text::say("page-doors-untold-hint"),
        all: Some(rows.len() as u64),
        board: Some(format!("/desk/notices/{id}/reach?area={village}")),
    };
    let made = queries::made_by(db, actor, (id, notice.version, app.now())).await?;
    Ok(whole(who, (head, rows, made), (Doors { base: format!("/notices/{id}"), place }, wrong)))
}

/// The same on a sheet of paper, which is taken along.
pub(super) async fn on_paper(app: &App, who: &Resident, notice: &NoticeView, place: &Where) -> Result<Vec<DoorView>> {
    let db = app.store.read();
    let which = (notice.id, place.area.as_deref(), place.group);
    let (_, rows) = doors::concerned(db, &who.actor, which).await?;
    doors::on_paper(db, (rows, place.group)).await
}

fn whole(
    who: &Resident,
    (head, mut rows, made): (Head, Vec<ReachRow>, Vec<(PersonId, String)>),
    (at, wrong): (Doors, Wrong),
) -> Response {
    let groups = by_group(&rows);
    let at_door = rows.iter().filter(|row| row.way.as_deref() == Some(board::DOOR)).count();
    rows.retain(|row| is_left(row, at.place.group));
    let (from, homes) = (at.place.from.unwrap_or_default(), homes(rows));
    let end = from.saturating_add(SHOWN);
    let page = who.page("page-doors-visit").back(at.base.clone()).at(format!("{}/doors", at.base));
    let shown = UntoldPage {
        page,
        head,
        next: (homes.len() > end).then_some(end),
        homes: homes.into_iter().skip(from).take(SHOWN).collect(),
        groups,
        at_door,
        made,
        at,
        wrong,
    };
    render_as(shown.wrong.status(), &shown)
}

async fn of_meeting(
    State(app): State<App>,
    who: Resident,
    Path(id): Path<Uuid>,
    Query(place): Query<Where>,
) -> Result<Response> {
    called(&app, &who, (Call::Meeting, id), (place, Wrong::default())).await
}

async fn of_vote(
    State(app): State<App>,
    who: Resident,
    Path(id): Path<Uuid>,
    Query(place): Query<Where>,
) -> Result<Response> {
    called(&app, &who, (Call::Vote, id), (place, Wrong::default())).await
}

fn base((call, id): (Call, Uuid)) -> String {
    format!("/{}s/{id}", call.as_str())
}

async fn called(app: &App, who: &Resident, which: (Call, Uuid), (place, wrong): (Where, Wrong)) -> Result<Response> {
    let doors::Round { called, rows } = doors::round(app, &who.actor, (which, place.group)).await?;
    let held = called.is_held_by(&who.actor);
    let (hint, board, all) = match &called {
        Called::Meeting(meeting) => {
            let key = if meeting.cancel_reason.is_some() { "page-doors-off-hint" } else { "page-doors-untold-hint" };
            (key, format!("/desk/meetings/{}/reach", meeting.id), Some(rows.len() as u64))
        }
        Called::Vote(vote) => ("desk-vote-doors-hint", format!("/desk/votes/{}/doors", vote.id), None),
    };
    let made = marks::made_by(app.store.read(), &who.actor, (&called, app.now())).await?;
    let (number, title, hint) = (String::new(), called.title().to_owned(), text::say(hint));
    let head = Head { number, title, hint, all, board: held.then_some(board) };
    Ok(whole(who, (head, rows, made), (Doors { base: base(which), place }, wrong)))
}

async fn act_of_meeting(State(app): State<App>, who: Resident, Path(id): Path<Uuid>, form: Fields) -> Result<Response> {
    act(&app, &who, (Call::Meeting, id), form).await
}

async fn act_of_vote(State(app): State<App>, who: Resident, Path(id): Path<Uuid>, form: Fields) -> Result<Response> {
    act(&app, &who, (Call::Vote, id), form).await
}

/// One tap at a door, or one's own: "nobody was here".
async fn act(app: &App, who: &Resident, which: (Call, Uuid), form: Fields) -> Result<Response> {
    let place = Where::of(&form);
    let is_own = form.optional("person_id").ok().flatten() == Some(who.actor.person);
    match run(app, who, which, (&place, &form)).await {
        Ok(()) if is_own => Ok(see(&base(which))),
        Ok(()) => Ok(see(&format!("{}/doors{}", base(which), place.query(place.group, place.way())))),
        Err(error) => called(app, who, which, (place, Wrong::from(error)?)).await,
    }
}

async fn run(app: &App, who: &Resident, which: (Call, Uuid), (place, form): (&Where, &Fields)) -> Result<()> {
    let actor = who.actor.clone();
    match form.text("act") {
        "undo" => {
            let undone = (which, OfPerson { person_id: form.required("person_id")? });
            app.store.write(move |tx| Box::pin(async move { marks::undo(tx, &actor, undone).await })).await
        }
        "done" | "" => {
            form.required::<PersonId>("person_id")?;
            let people: Vec<PersonId> =
                form.all("person_id").filter_map(|text| text.parse().ok()).take(AT_ONE_DOOR).collect();
            let (way, note) = (Some(place.way()), form.text("note").to_owned());
            let all = app.store.write(move |tx| {
                Box::pin(async move {
                    let (mut told, mut refused) = (false, None);
                    for person_id in people {
                        let one = TellAtDoor { person_id, way, note: note.clone() };
                        match marks::tell(tx, &actor, (which, one)).await {
                            Ok(_) => told = true,
                            // who has cast meanwhile: the others were told all the same
                            Err(error) if error.code() == Code::InvalidFields => refused = Some(error),
                            Err(error) => return Err(error),
                        }
                    }
                    refused.filter(|_| !told).map_or(Ok(()), Err)
                })
            });
            all.await
        }
        _ => Err(Code::NotFound.into()),
    }
}

async fn paper_of_meeting(
    State(app): State<App>,
    who: Resident,
    Path(id): Path<Uuid>,
    Query(place): Query<Where>,
) -> Result<Response> {
    paper(&app, &who, (Call::Meeting, id), place.group).await
}

async fn paper_of_vote(
    State(app): State<App>,
    who: Resident,
    Path(id): Path<Uuid>,
    Query(place): Query<Where>,
) -> Result<Response> {
    paper(&app, &who, (Call::Vote, id), place.group).await
}

async fn paper(app: &App, who: &Resident, which: (Call, Uuid), group: Option<i32>) -> Result<Response> {
    let doors::Round { called, rows } = doors::round(app, &who.actor, (which, group)).await?;
    let doors = doors::on_paper(app.store.read(), (rows, group)).await?;
    let page = who.page("page-doors-paper").back(format!("{}/doors", base(which)));
    let (small, text) = said(&called);
    Ok(render(&PaperPage { page, title: called.title().to_owned(), small, text, confirm_by: None, doors, group }))
}

/// By whom, and what is read out.
fn said(called: &Called) -> (String, String) {
    match called {
        Called::Meeting(meeting) => {
            let (at, place) = (text::say("page-meeting-at"), text::say("page-meeting-place"));
            let off = meeting.cancel_reason.as_deref();
            let off = off.map(|why| text::say_with("page-meeting-cancelled", &[("reason", why.into())]) + "\n");
            let when = moment(&meeting.starts_at);
            let off = off.unwrap_or_default();
            (meeting.body_name.clone(), format!("{off}{at}：{when}\n{place}：{}\n{}", meeting.place, meeting.agenda))
        }
        Called::Vote(vote) => {
            let until = text::say_with("page-until", &[("at", deadline(&vote.closes_at).into())]);
            (vote.body_name.clone(), format!("{}\n{until}", vote.question))
        }
    }
}

/// What the page of a meeting or a vote says of its doors to who looks at it.
pub(super) struct AtDoors {
    pub(super) base: String,
    /// Goes round for it.
    pub(super) visits: bool,
    /// Who says to have told the viewer, and who the viewer is.
    pub(super) told: Option<(String, PersonId)>,
}

impl AtDoors {
    pub(super) async fn of(db: &impl ConnectionTrait, actor: Option<&Actor>, called: &Called) -> Result<Self> {
        let base = match called {
            Called::Meeting(meeting) => base((Call::Meeting, meeting.id.0)),
            Called::Vote(vote) => base((Call::Vote, vote.id.0)),
        };
        let Some(actor) = actor else { return Ok(Self { base, visits: false, told: None }) };
        let told = marks::own(db, actor, called).await?.map(|mark| (mark.by_name, mark.person_id));
        Ok(Self { base, visits: called.is_told_by(db, actor).await?, told })
    }
}

/// They come by group.
fn by_group(rows: &[ReachRow]) -> Vec<GroupReach> {
    let mut groups: Vec<GroupReach> = Vec::new();
    for row in rows {
        let unreached = u64::from(row.way.is_none());
        match groups.last_mut() {
            Some(group) if group.group_number == row.group_number => {
                group.asked += 1;
                group.unreached += unreached;
            }
            _ => groups.push(GroupReach { group_number: row.group_number, asked: 1, unreached }),
        }
    }
    groups
}

/// They come by group and household; who has no household on the roster is a door alone.
fn homes(rows: Vec<ReachRow>) -> Vec<Home> {
    let mut homes: Vec<Home> = Vec::new();
    for row in rows {
        let is_there = |home: &Home| {
            !row.household_number.is_empty()
                && home.household_number == row.household_number
                && home.group_number == row.group_number
        };
        match homes.last_mut() {
            Some(home) if is_there(home) => home.people.push(row),
            _ => homes.push(Home {
                household_number: row.household_number.clone(),
                group_number: row.group_number,
                people: vec![row],
            }),
        }
    }
    homes
}
