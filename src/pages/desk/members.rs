//! 成员 on the desk: who belongs to a body without a seat in it, and the register of a collective; for whoever holds its meetings.
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

use super::{
    frame::{Clerk, Desk, Draft},
    sheets::{Find, Found, search},
};
use crate::{
    app::{App, Path, Query},
    bodies::{
        self, Body,
        members::{self, BodyMemberView, EnterMember},
        register::{self, ChangeRegister, OffRosterMember, RegisterView},
        rules::BodyKind,
    },
    clock,
    error::{Code, Result},
    ids::{BodyId, PersonId},
    pages::{
        fields::Fields,
        layout::{Page, encode, render_as, see},
        words::Words,
    },
    text,
};

/// Which body, and who is looked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    body: Option<BodyId>,
    find: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/members.html")]
struct MembersPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    /// Those whose meetings the clerk holds.
    bodies: Vec<Body>,
    body: Option<BodyId>,
    members: Vec<BodyMemberView>,
    /// Of a collective, in the place of a list.
    register: Option<RegisterView>,
    today: String,
    find: String,
    found: Vec<Found>,
}

impl MembersPage {
    fn is_here(&self, body: &BodyId) -> bool {
        self.body == Some(*body)
    }
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Query(filter): Query<Filter>) -> Result<Response> {
    shown(&app, &clerk, (filter, Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, (filter, draft): (Filter, Draft)) -> Result<Response> {
    let db = app.store.read();
    let mut held: Vec<BodyId> = clerk.actor.seats.iter().map(|seat| seat.body_id).collect();
    held.retain(|body| members::holds(&clerk.actor, *body));
    held.dedup();
    let bodies = bodies::queries::bodies(db, held).await?;
    let body = bodies.iter().find(|one| Some(one.id) == filter.body).or(bodies.first());
    let mut kept = None;
    let (list, found) = match body {
        Some(body) if body.kind == BodyKind::Collective => {
            kept = Some(register::register(db, &clerk.actor, body.id).await?);
            (Vec::new(), Vec::new())
        }
        Some(body) => {
            let find = Find::named(filter.find.clone());
            let area = body.areas.first().cloned().unwrap_or_default();
            (members::list(db, &clerk.actor, body.id).await?, search(db, &area, &find).await?)
        }
        None => (Vec::new(), Vec::new()),
    };
    let shown = MembersPage {
        page: clerk.page(text::say("desk-members")).at("/desk/members"),
        desk: clerk.desk(),
        draft,
        body: body.map(|body| body.id),
        members: list,
        register: kept,
        today: clock::local_date(app.now()).to_string(),
        find: filter.find.unwrap_or_default(),
        found,
        bodies,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Enters somebody, or takes somebody off; or changes a register.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path(form): Path<String>,
    fields: Fields,
) -> Result<Response> {
    let body: BodyId = fields.required("body_id")?;
    let done = match form.as_str() {
        "enter" => enter(&app, &clerk, body, &fields).await,
        "strike" => strike(&app, &clerk, body, &fields).await,
        "register" => change(&app, &clerk, body, &fields).await,
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see(&format!("/desk/members?body={}", encode(&body.to_string())))),
        Err(error) => {
            let filter = Filter { body: Some(body), find: fields.given("find").map(str::to_owned) };
            shown(&app, &clerk, (filter, Draft::refused(&form, fields, error)?)).await
        }
    }
}

async fn enter(app: &App, clerk: &Clerk, body: BodyId, fields: &Fields) -> Result<()> {
    let input = (body, EnterMember { person_id: fields.required::<PersonId>("person_id")? });
    let enter = app.once(clerk.actor.clone(), fields.key(), "enter_body_member", input, |tx, actor, input| {
        Box::pin(members::enter(tx, actor, input))
    });
    enter.await.map(drop)
}

/// The numbers stand in the form with anything between them that is no part of one.
async fn change(app: &App, clerk: &Clerk, body: BodyId, fields: &Fields) -> Result<()> {
    let numbers = fields.text("roster_numbers").split(|c: char| c.is_whitespace() || ",，、;；".contains(c));
    let input = ChangeRegister {
        is_entered: fields.required::<String>("way")? == "in",
        roster_numbers: numbers.filter(|number| !number.is_empty()).map(str::to_owned).collect(),
        off_roster: off_roster(fields).into_iter().collect(),
        reason: fields.text("reason").to_owned(),
        since: fields.required("since")?,
    };
    app.rates.numbers(clerk.actor.person, input.off_roster.len())?;
    let change = app.once(clerk.actor.clone(), fields.key(), "change_register", (body, input), |tx, actor, input| {
        Box::pin(register::change(tx, actor, input))
    });
    change.await.map(drop)
}

/// The one who is on no roster of the village, where the form names somebody.
fn off_roster(fields: &Fields) -> Option<OffRosterMember> {
    let typed = |name: &str| fields.text(&format!("off_roster[0].{name}")).trim().to_owned();
    let (name, id_number, household) = (typed("name"), typed("id_number"), typed("household_number"));
    let household_number = Some(household).filter(|number| !number.is_empty());
    let is_named = !(name.is_empty() && id_number.is_empty());
    is_named.then_some(OffRosterMember { name, id_number, household_number })
}

async fn strike(app: &App, clerk: &Clerk, body: BodyId, fields: &Fields) -> Result<()> {
    let (actor, person) = (clerk.actor.clone(), fields.required::<PersonId>("person_id")?);
    app.store.write(move |tx| Box::pin(async move { members::strike(tx, &actor, (body, person)).await })).await
}
