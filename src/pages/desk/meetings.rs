//! Meetings on the desk: calling one, signing people in from the list at the door, minutes, calling off.
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

use super::{
    agenda::{self, Agenda},
    callers::{Caller, callers, holds, kinds_of_business},
    frame::{Clerk, Desk, Draft, live, moment_of, places},
    meeting_people::{self, Roll, without_seat},
    sheets::{self, Find, Found, search},
};
use crate::{
    app::{App, Path, Query},
    areas::AreaName,
    bodies::{self, BodyKind, Right, SeatView},
    error::{Code, Result},
    ids::{BodyId, MatterId, MeetingId, PersonId},
    meetings::{
        self, Attend, Audience, CallMeeting, CancelMeeting, MeetingView, PresentView, Resolve, ResolvedTask,
        TakeMinutes,
        rules::{Via, may_sign_in},
    },
    page::{self, PageQuery},
    pages::{
        fields::Fields,
        layout::{Page, encode, render_as, see},
        words::{Words, moment},
    },
    people::village_groups,
    text,
    votes::{
        queries::{has_charter, has_items, is_selection},
        rules::collective::ITEMS,
    },
};

/// Which meetings are listed.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    area: Option<String>,
    cursor: Option<String>,
}

/// Resolutions that the form of the minutes has room for.
const ROOM: usize = 5;

/// Neither held nor called off.
pub(super) fn is_coming(meeting: &MeetingView) -> bool {
    meeting.held_at.is_none() && meeting.cancel_reason.is_none()
}

/// Calls the meeting typed into a form.
pub(super) async fn call(
    app: &App,
    clerk: &Clerk,
    (area_code, matter_id): (String, Option<MatterId>),
    fields: &Fields,
) -> Result<()> {
    let caller: String = fields.required("caller")?;
    let (body, called) = caller.split_once('/').ok_or(Code::InvalidRequest)?;
    let (audience, group) = called.split_once('/').map_or((called, None), |(audience, group)| (audience, Some(group)));
    let group_number = group.map(str::parse::<i32>).transpose().map_err(|_| Code::InvalidRequest)?;
    let input = CallMeeting {
        area_code,
        body_id: body.parse::<BodyId>().map_err(|_| Code::InvalidRequest)?,
        audience: Audience::parse(audience).ok_or(Code::InvalidRequest)?,
        group_number,
        business: if fields.given("business").is_some() { Some(fields.choice("business")?) } else { None },
        matter_id,
        title: fields.text("title").to_owned(),
        agenda: fields.text("agenda").to_owned(),
        place: fields.text("place").to_owned(),
        starts_at: moment_of(fields, "starts_at")?,
    };
    let call = app.once(clerk.actor.clone(), fields.key(), "call_meeting", input, |tx, actor, input| {
        Box::pin(meetings::commands::call(tx, actor, input))
    });
    call.await.map(drop)
}

#[derive(Template)]
#[template(path = "desk/meetings.html")]
struct ListPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<AreaName>,
    area: String,
    callers: Vec<Caller>,
    businesses: Vec<&'static str>,
    rows: Vec<MeetingView>,
    more: String,
    next_cursor: Option<String>,
}

/// The list, with a form to call a meeting that is about no matter.
pub(super) async fn list(State(app): State<App>, clerk: Clerk, Query(filter): Query<Filter>) -> Result<Response> {
    listed(&app, &clerk, (filter, Draft::default())).await
}

async fn listed(app: &App, clerk: &Clerk, (filter, draft): (Filter, Draft)) -> Result<Response> {
    let area = clerk.place(filter.area.as_deref());
    let page = PageQuery { cursor: filter.cursor, limit: Some(30) };
    let page::Page { items, next_cursor } = meetings::queries::list(app.store.read(), &area, &page).await?;
    let groups = village_groups::numbers(app.store.read(), &area).await?;
    let shown = ListPage {
        page: live(app, clerk, (clerk.page(text::say("desk-meetings")).at("/desk/meetings"), &draft)).await?,
        desk: clerk.desk(),
        draft,
        areas: places(app.store.read(), clerk, &area).await?,
        callers: callers(clerk, &area, (Audience::Members, &groups)),
        businesses: kinds_of_business(clerk),
        rows: items,
        more: format!("?area={}&", encode(&area)),
        next_cursor,
        area,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Calls a meeting that is about no matter.
pub(super) async fn call_any(State(app): State<App>, clerk: Clerk, fields: Fields) -> Result<Response> {
    let area = fields.text("area").to_owned();
    match call(&app, &clerk, (area.clone(), None), &fields).await {
        Ok(()) => Ok(see(&format!("/desk/meetings?area={}", encode(&area)))),
        Err(error) => {
            let filter = Filter { area: Some(area), cursor: None };
            listed(&app, &clerk, (filter, Draft::refused("call", fields, error)?)).await
        }
    }
}

#[derive(Template)]
#[template(path = "desk/meeting.html")]
struct MeetingPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    meeting: MeetingView,
    present: Vec<PresentView>,
    may_hold: bool,
    /// Is it the clerk's to see whom the call has reached?
    holds: bool,
    awaited: Vec<SeatView>,
    find: String,
    found: Vec<Found>,
    /// Whom a resolution may name as the one who does it; nobody where the clerk gives no tasks.
    bound: Vec<SeatView>,
    agenda: Agenda,
    surveys: sheets::Surveys,
    /// Against whom it is counted, for who holds it.
    roll: Roll,
    /// Is it of too many to be listed, so that they are looked for by name?
    is_searched: bool,
    /// Are its doors open?
    is_door_open: bool,
}

/// Names of the fields of one resolution.
struct Slot {
    text: String,
    votes_for: String,
    votes_against: String,
    owner: String,
    due: String,
}

impl MeetingPage {
    /// Room for each resolution.
    fn slots(&self) -> Vec<Slot> {
        let slot = |at: usize| {
            let field = |name: &str| format!("resolutions[{at}].{name}");
            Slot {
                text: field("text"),
                votes_for: field("votes_for"),
                votes_against: field("votes_against"),
                owner: field("task.owner_id"),
                due: field("task.due_on"),
            }
        };
        (0..ROOM).map(slot).collect()
    }

    /// Does a charter say by which shares its members decide?
    fn has_charter(&self) -> bool {
        self.agenda.presets.iter().any(|one| has_charter(&one.id))
    }

    /// Is an item of article 26 decided by one of them?
    fn has_item(&self) -> bool {
        self.agenda.presets.iter().any(|one| has_items(&one.id))
    }

    /// These items: number and words.
    fn items(&self) -> Vec<(String, String)> {
        (1..=ITEMS).map(|number| (number.to_string(), text::say(&format!("collective-item-{number}")))).collect()
    }

    /// Minutes with what is known already; what was said is left to be written.
    fn blank_minutes(&self) -> String {
        let meeting = &self.meeting;
        let came = self.present.len().to_string();
        let lines = [
            text::say_with("desk-minutes-when", &[("at", moment(&meeting.starts_at).into())]),
            text::say_with("desk-minutes-where", &[("place", meeting.place.as_str().into())]),
            text::say_with("desk-minutes-who", &[("body", meeting.body_name.as_str().into())]),
            text::say_with("desk-minutes-came", &[("n", came.into())]),
            text::say_with("desk-minutes-agenda", &[("agenda", meeting.agenda.as_str().into())]),
            text::say("desk-minutes-said"),
        ];
        lines.join("\n")
    }

    /// Are representatives of the villagers chosen by one of them?
    fn may_select(&self) -> bool {
        self.agenda.presets.iter().any(|one| is_selection(&one.id))
    }

    fn calls_villagers(&self) -> bool {
        self.meeting.audience.is_assembly()
    }
}

/// One meeting.
pub(super) async fn show(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<MeetingId>,
    Query(find): Query<Find>,
) -> Result<Response> {
    shown(&app, &clerk, id, (find, Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, id: MeetingId, (find, draft): (Find, Draft)) -> Result<Response> {
    let db = app.store.read();
    let detail = meetings::queries::detail(db, Some(&clerk.actor), id).await?;
    clerk.sits_over(&detail.meeting.area_code)?;
    let roll = meeting_people::roll(app, &detail.meeting, detail.list).await?;
    let (meeting, present) = (detail.meeting, detail.present.unwrap_or_default());
    let is_own = holds(clerk, meeting.body_id, &meeting.area_code);
    let may_hold = is_own && is_coming(&meeting);
    let is_there = |person: PersonId| present.iter().any(|one| one.person_id == Some(person));
    let mut awaited = if may_hold { called(app, &meeting).await? } else { Vec::new() };
    awaited.retain(|seat| !is_there(seat.person_id));
    let mut found = if may_hold { search(db, &meeting.area_code, &find).await? } else { Vec::new() };
    let own = clerk.actor.seats.iter().find(|seat| seat.body_id == meeting.body_id);
    let is_searched = meeting.audience.is_assembly() || own.is_some_and(|seat| seat.body_kind == "collective");
    if may_hold && meeting.audience == Audience::Members && !is_searched {
        found = without_seat(app, clerk, &meeting, &awaited).await?;
    }
    let named = if may_hold && is_searched { roll.named(&find, &found) } else { Vec::new() };
    found.extend(named);
    if may_hold && !is_searched {
        found.extend(roll.others(&awaited, &found));
    }
    let bound = if may_hold { bound(app, clerk, &meeting).await? } else { Vec::new() };
    found.retain(|one| !is_there(one.id));
    let agenda = Agenda::of(app, clerk, &meeting).await?;
    let page = clerk.page(meeting.title.clone()).at(format!("/desk/meetings/{id}"));
    let shown = MeetingPage {
        page: live(app, clerk, (page, &draft)).await?,
        desk: clerk.desk(),
        draft,
        may_hold,
        holds: is_own,
        awaited,
        find: find.words(),
        found,
        bound,
        agenda,
        surveys: sheets::Surveys::of(app, clerk, &meeting).await?,
        present,
        roll,
        is_searched,
        is_door_open: may_hold && may_sign_in(meeting.starts_at.to_utc(), app.now()),
        meeting,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Those whom a resolution may name: everybody with a seat there, where the clerk gives tasks.
async fn bound(app: &App, clerk: &Clerk, meeting: &MeetingView) -> Result<Vec<SeatView>> {
    if !clerk.may(Right::GiveTask, &meeting.area_code) {
        return Ok(Vec::new());
    }
    let (db, now) = (app.store.read(), app.now());
    let mut seats = bodies::members_of(db, meeting.body_id, now).await?;
    let here = bodies::bodies_in(db, &meeting.area_code, now).await?;
    seats.extend(here.into_iter().flat_map(|body| body.seats));
    let mut known = std::collections::HashSet::new();
    seats.retain(|seat| known.insert(seat.person_id));
    Ok(seats)
}

/// Who was called by a seat; villagers are looked for by name, there are too many for a list.
async fn called(app: &App, meeting: &MeetingView) -> Result<Vec<SeatView>> {
    let (db, now) = (app.store.read(), app.now());
    match meeting.audience {
        Audience::Members => bodies::members_of(db, meeting.body_id, now).await,
        Audience::Villagers | Audience::Group => Ok(Vec::new()),
        Audience::Representatives => {
            let all = bodies::bodies_in(db, &meeting.area_code, now).await?;
            let theirs = all.into_iter().filter(|body| body.body.kind == BodyKind::Representatives);
            Ok(theirs.flat_map(|body| body.seats).collect())
        }
    }
}

/// One of the forms of the page was sent.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path((id, form)): Path<(MeetingId, String)>,
    fields: Fields,
) -> Result<Response> {
    let done = match form.as_str() {
        "present" => sign_in(&app, &clerk, id, &fields).await,
        "list" => meeting_people::change(&app, &clerk, id, &fields).await,
        "minutes" => minutes(&app, &clerk, id, &fields).await,
        "cancel" => cancel(&app, &clerk, id, &fields).await,
        "vote" => vote(&app, &clerk, id, &fields).await,
        "survey" => sheets::open_about(&app, &clerk, id, &fields).await,
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see(&format!("/desk/meetings/{id}"))),
        Err(error) => shown(&app, &clerk, id, (Find::default(), Draft::refused(&form, fields, error)?)).await,
    }
}

/// Everybody who was ticked, or nobody.
async fn sign_in(app: &App, clerk: &Clerk, id: MeetingId, fields: &Fields) -> Result<()> {
    let ticked: std::result::Result<Vec<PersonId>, _> =
        fields.all("person_id").filter(|id| !id.is_empty()).map(str::parse).collect();
    let people = ticked.map_err(|_| Code::InvalidRequest)?;
    fields.required::<String>("person_id")?;
    let via: Via = fields.choice("via")?;
    let write = app.once(
        clerk.actor.clone(),
        fields.key(),
        "sign_in_people",
        (id, people, via),
        |tx, actor, (id, people, via)| {
            Box::pin(async move {
                for person in people {
                    let one = Attend { person_id: Some(person), via: Some(via), code: None };
                    meetings::commands::sign_in(tx, actor, (id, one)).await?;
                }
                Ok(())
            })
        },
    );
    write.await
}

async fn minutes(app: &App, clerk: &Clerk, id: MeetingId, fields: &Fields) -> Result<()> {
    let resolved: Result<Vec<Option<Resolve>>> = (0..ROOM).map(|at| resolution(fields, at)).collect();
    let input = TakeMinutes {
        minutes: fields.text("minutes").to_owned(),
        resolution: fields.text("resolution").to_owned(),
        resolutions: resolved?.into_iter().flatten().collect(),
    };
    let take = app.once(clerk.actor.clone(), fields.key(), "take_minutes", (id, input), |tx, actor, input| {
        Box::pin(meetings::commands::take_minutes(tx, actor, input))
    });
    take.await.map(drop)
}

/// One of the resolutions typed; empty room resolves nothing.
fn resolution(fields: &Fields, at: usize) -> Result<Option<Resolve>> {
    let field = |name: &str| format!("resolutions[{at}].{name}");
    let Some(text) = fields.given(&field("text")) else { return Ok(None) };
    let task = match fields.optional(&field("task.owner_id"))? {
        Some(owner_id) => Some(ResolvedTask { owner_id, due_on: fields.required(&field("task.due_on"))? }),
        None => None,
    };
    Ok(Some(Resolve {
        text: text.to_owned(),
        votes_for: fields.optional(&field("votes_for"))?,
        votes_against: fields.optional(&field("votes_against"))?,
        abstentions: None,
        task,
    }))
}

/// A vote of the meeting's own agenda.
async fn vote(app: &App, clerk: &Clerk, id: MeetingId, fields: &Fields) -> Result<()> {
    agenda::open(app, clerk, agenda::asked(fields, (None, Some(id)))?, fields).await
}

async fn cancel(app: &App, clerk: &Clerk, id: MeetingId, fields: &Fields) -> Result<()> {
    let input = (id, CancelMeeting { reason: fields.text("reason").to_owned() });
    let cancel = app.once(clerk.actor.clone(), fields.key(), "cancel_meeting", input, |tx, actor, input| {
        Box::pin(meetings::commands::cancel(tx, actor, input))
    });
    cancel.await.map(drop)
}
