//! Bodies on the desk: who sits where in the clerk's areas; who manages bodies fills and ends seats.
use std::collections::HashMap;

use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

use super::{
    body_changes,
    elections::{self, Election},
    founding::{self, Founding, Given, term_line},
    frame::{Clerk, Desk, Draft, places},
    sheets::{Find, Found, search},
};
use crate::{
    app::{App, Path, Query},
    areas::AreaName,
    bodies::{
        self, BodyKind, BodyView, By, Grant, Nomination, Right, Role, SeatView, SetRegistration, TermView,
        commands::TakeSeat,
        grid::{self, SeatGroups},
        recommendations::sees_all,
        room::{self, RoomDay, RoomView, SetRoom},
        service::{ServiceGroup, set_service_group},
    },
    error::{Checks, Code, Result},
    ids::{BodyId, PersonId, SeatId},
    pages::{
        fields::Fields,
        layout::{Page, encode, render_as, see_saved},
        words::Words,
    },
    tasks::rules::fen_of,
    text,
};

/// Roles that the form offers; which of them a body has, the command says.
const ROLES: [&str; 8] =
    ["chair", "vice_chair", "secretary", "clerk", "member", "grid_worker", "legal_officer", "social_worker"];

/// Which area, and whom to look for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    area: Option<String>,
    find: Option<String>,
}

impl BodiesPage {
    fn is_grid_worker(&self, seat: &SeatView) -> bool {
        seat.role == Role::GridWorker
    }

    fn is_council(&self, body: &BodyView) -> bool {
        body.body.kind == BodyKind::Council
    }

    /// May the clerk see who is recommended for it?
    fn sees_recommended(&self, body: &BodyView) -> bool {
        self.recommended.contains(&body.body.id)
    }

    /// The room of a body for which the clerk answers.
    fn room(&self, body: &BodyView) -> Option<&RoomView> {
        self.rooms.get(&body.body.id)
    }

    fn is_joint(&self, body: &BodyView) -> bool {
        body.body.kind == BodyKind::JointMeeting
    }

    /// The election of a body that comes, or came last.
    fn election(&self, body: &BodyView) -> Option<&Election> {
        self.elections.get(&body.body.id)
    }

    /// What was changed of a body, the newest first.
    fn changed(&self, body: &BodyView) -> Option<&Vec<String>> {
        self.changes.get(&body.body.id.to_string())
    }

    /// The terms of a body that are not over.
    fn terms_of(&self, body: &BodyView) -> Vec<String> {
        self.terms.iter().filter(|term| term.body_id == body.body.id).map(term_line).collect()
    }

    /// A term, as one chooses it for a seat.
    fn term_of(&self, term: &TermView) -> String {
        founding::term_of(&self.bodies, term)
    }

    /// Days of the week, as they are counted.
    fn weekdays(&self) -> [i32; 7] {
        [1, 2, 3, 4, 5, 6, 7]
    }

    fn is_there(&self, room: &RoomView, weekday: &i32, seat: &SeatView) -> bool {
        room.has(*weekday, seat.id)
    }

    /// Numbers of groups, as they are typed.
    fn groups_of(&self, seat: &SeatView) -> String {
        let groups = self.groups.get(&seat.id).map(Vec::as_slice).unwrap_or_default();
        groups.iter().map(i32::to_string).collect::<Vec<_>>().join(" ")
    }
}

#[derive(Template)]
#[template(path = "desk/bodies.html")]
struct BodiesPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<AreaName>,
    area: String,
    bodies: Vec<BodyView>,
    may_manage: bool,
    /// May say which groups a grid worker looks after.
    may_group: bool,
    groups: HashMap<SeatId, Vec<i32>>,
    rooms: HashMap<BodyId, RoomView>,
    /// Councils of which the clerk sees who is recommended.
    recommended: Vec<BodyId>,
    elections: HashMap<BodyId, Election>,
    changes: HashMap<String, Vec<String>>,
    roles: Vec<(&'static str, String)>,
    /// What a council may be: code and name.
    forms: Vec<(&'static str, String)>,
    /// Terms that are not over.
    terms: Vec<TermView>,
    /// What is done in another's name.
    mandates: Vec<Given>,
    founding: Founding,
    find: String,
    found: Vec<Found>,
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Query(filter): Query<Filter>) -> Result<Response> {
    shown(&app, &clerk, (filter, Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, (filter, draft): (Filter, Draft)) -> Result<Response> {
    let db = app.store.read();
    let area = clerk.place(filter.area.as_deref());
    let may_manage = clerk.may(Right::ManageBodies, &area);
    let find = Find::named(filter.find);
    let bodies = bodies::bodies_in(db, &area, app.now()).await?;
    let seats = bodies.iter().flat_map(|body| &body.seats).filter(|seat| seat.role == Role::GridWorker);
    let groups = grid::groups_of(db, seats.map(|seat| seat.id).collect()).await?;
    let rooms = rooms(app, clerk, &bodies).await?;
    let terms = founding::terms(app, &bodies).await?;
    let shown = BodiesPage {
        page: clerk.page(text::say("desk-bodies")).at("/desk/bodies"),
        desk: clerk.desk(),
        founding: Founding::of(app, clerk, (&area, &bodies, &terms), &draft).await?,
        mandates: founding::mandates(app, clerk, (&area, &bodies)).await?,
        changes: body_changes::of(app, &bodies).await?,
        elections: elections::of(app, clerk, &bodies).await?,
        terms,
        draft,
        areas: places(db, clerk, &area).await?,
        recommended: recommended(clerk, &bodies),
        bodies,
        groups,
        rooms,
        may_group: clerk.may(Right::ImportRoster, &area),
        found: if may_manage { search(db, &area, &find).await? } else { Vec::new() },
        find: find.words(),
        may_manage,
        forms: founding::forms(),
        roles: ROLES.iter().map(|role| (*role, text::word("body-role", role))).collect(),
        area,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

fn recommended(clerk: &Clerk, bodies: &[BodyView]) -> Vec<BodyId> {
    let seen = bodies.iter().filter(|view| sees_all(&clerk.actor, &view.body));
    seen.map(|view| view.body.id).collect()
}

/// Fills a seat, or ends one.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path(form): Path<String>,
    fields: Fields,
) -> Result<Response> {
    let area = fields.text("area").to_owned();
    let done = match form.as_str() {
        "seat" => take(&app, &clerk, &fields).await,
        "end" => end(&app, &clerk, &fields).await,
        "room" => keep_room(&app, &clerk, &fields).await,
        "registration" => register(&app, &clerk, &fields).await,
        "service-group" => serve_in(&app, &clerk, &fields).await,
        "groups" => groups(&app, &clerk, &fields).await,
        "election" => elections::keep(&app, &clerk, &fields).await,
        "found" => founding::found(&app, &clerk, &fields).await,
        "term" => founding::begin_term(&app, &clerk, &fields).await,
        "mandate" => founding::give(&app, &clerk, &fields).await,
        "mandate-end" => founding::end(&app, &clerk, &fields).await,
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see_saved(&format!("/desk/bodies?area={}", encode(&area)))),
        Err(error) => {
            let filter = Filter { area: Some(area), find: fields.given("find").map(str::to_owned) };
            shown(&app, &clerk, (filter, Draft::refused(&form, fields, error)?)).await
        }
    }
}

async fn take(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let body: BodyId = fields.required("body_id")?;
    let input = TakeSeat {
        person_id: fields.required::<PersonId>("person_id")?,
        role: fields.choice("role")?,
        kind: fields.given("kind").map(|_| fields.choice("kind")).transpose()?,
        route: fields.given("route").map(|_| fields.choice("route")).transpose()?,
        nomination: nomination(fields)?,
        term_id: fields.optional("term_id")?,
        starts_on: None,
        ends_on: fields.optional("ends_on")?,
        reason: fields.given("reason").map(str::to_owned),
        service_group: fields.given("service_group").map(str::to_owned),
    };
    let take = app.once(clerk.actor.clone(), fields.key(), "take_seat", (body, input), |tx, actor, input| {
        Box::pin(bodies::take_seat(tx, By::Actor(actor), input))
    });
    take.await.map(drop)
}

/// The rooms of the bodies for which the clerk answers; mostly one.
async fn rooms(app: &App, clerk: &Clerk, bodies: &[BodyView]) -> Result<HashMap<BodyId, RoomView>> {
    let mut rooms = HashMap::new();
    for body in bodies.iter().filter(|body| room::answers(&clerk.actor, body.body.id)) {
        rooms.insert(body.body.id, room::of(app.store.read(), body.body.id, app.now()).await?);
    }
    Ok(rooms)
}

/// Where the room is, when it is open, who is there on which day.
async fn keep_room(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let body: BodyId = fields.required("body_id")?;
    let mut roster = Vec::new();
    for weekday in 1..=7 {
        for id in fields.all(&format!("day.{weekday}")) {
            let seat_id: SeatId = id.parse().map_err(|_| Code::InvalidRequest)?;
            roster.push(RoomDay { weekday, seat_id });
        }
    }
    let input = SetRoom { place: fields.text("place").to_owned(), hours: fields.text("hours").to_owned(), roster };
    let actor = clerk.actor.clone();
    app.store.write(move |tx| Box::pin(async move { room::set(tx, &actor, (body, input)).await })).await.map(drop)
}

/// How somebody came to the seat; nothing when nothing was typed.
fn nomination(fields: &Fields) -> Result<Option<Nomination>> {
    let typed = Nomination {
        recommended_by: fields.given("nomination.recommended_by").map(str::to_owned),
        nominated_on: fields.optional("nomination.nominated_on")?,
        checked_on: fields.optional("nomination.checked_on")?,
        publicised_on: fields.optional("nomination.publicised_on")?,
    };
    Ok((typed != Nomination::default()).then_some(typed))
}

/// Under which number a body is registered, its form, and its start-up grant.
async fn register(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let body: BodyId = fields.required("body_id")?;
    let fen = fields.given("grant.fen").map(fen_of);
    let mut checks = Checks::default();
    checks.require(fen != Some(None), "grant.fen", "not_money");
    checks.done()?;
    let grant = match fen.flatten() {
        Some(fen) => Some(Grant { fen, on: fields.required("grant.on")? }),
        None => None,
    };
    let registration = fields.given("registration").map(str::to_owned);
    let form = fields.given("form").map(|_| fields.choice("form")).transpose()?;
    let input = (body, SetRegistration { registration, grant, form });
    let actor = clerk.actor.clone();
    app.store
        .write(move |tx| Box::pin(async move { bodies::set_registration(tx, &actor, input).await }))
        .await
        .map(drop)
}

/// Which groups a grid worker looks after, with anything between the numbers.
async fn groups(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let seat: SeatId = fields.required("seat_id")?;
    let numbers = fields.text("groups").split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let numbers: std::result::Result<Vec<i32>, _> = numbers.map(str::parse).collect();
    let mut checks = Checks::default();
    checks.require(numbers.is_ok(), "groups", "out_of_range");
    checks.done()?;
    let input = (seat, SeatGroups { groups: numbers.unwrap_or_default() });
    let actor = clerk.actor.clone();
    app.store.write(move |tx| Box::pin(async move { grid::set_groups(tx, &actor, input).await })).await.map(drop)
}

/// In which service group somebody works; nothing typed: in none.
async fn serve_in(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let seat: SeatId = fields.required("seat_id")?;
    let input = (seat, ServiceGroup { service_group: fields.given("service_group").map(str::to_owned) });
    let actor = clerk.actor.clone();
    app.store.write(move |tx| Box::pin(async move { set_service_group(tx, &actor, input).await })).await.map(drop)
}

async fn end(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let seat: SeatId = fields.required("seat_id")?;
    let end = app.once(clerk.actor.clone(), fields.key(), "end_seat", seat, |tx, actor, seat| {
        Box::pin(bodies::end_seat(tx, By::Actor(actor), seat))
    });
    end.await.map(drop)
}
