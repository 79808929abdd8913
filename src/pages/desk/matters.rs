//! Matters on the desk: the list, and raising a new one in the name of a body.
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

use super::frame::{Clerk, Desk, Draft, Due, live, named, places};
use crate::{
    app::{App, Query},
    areas::AreaName,
    bodies::{self, Right},
    error::Result,
    matters::{
        self, MatterSummary, MatterView, MattersQuery, RaiseMatter, ReservedItem, Stage, State as MatterState,
        TemplateKey,
    },
    page,
    pages::{
        fields::Fields,
        layout::{Page, encode, render, render_as, see},
        words::{Words, wire},
    },
    text,
};

/// Matters among which one is chosen.
const MATTERS: u64 = 100;

/// Which matters are listed.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    area: Option<String>,
    stage: Option<Stage>,
    state: Option<MatterState>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/matters.html")]
struct ListPage {
    page: Page,
    desk: Desk,
    areas: Vec<AreaName>,
    area: String,
    stage: String,
    state: String,
    may_raise: bool,
    rows: Vec<(MatterSummary, Option<Due>)>,
    more: String,
    next_cursor: Option<String>,
}

/// The list.
pub(super) async fn list(State(app): State<App>, clerk: Clerk, Query(filter): Query<Filter>) -> Result<Response> {
    let area = clerk.place(filter.area.as_deref());
    let (stage, state) = (filter.stage.map(wire).unwrap_or_default(), filter.state.map(wire));
    let query = MattersQuery {
        area: Some(area.clone()),
        stage: filter.stage,
        state: filter.state,
        cursor: filter.cursor,
        limit: Some(30),
    };
    let page::Page { items, next_cursor } = matters::queries::list(app.store.read(), query).await?;
    let due = |matter: &MatterSummary| matter.stage_due_at.map(|at| Due::seen(at, app.now()));
    let state = state.unwrap_or_default();
    let shown = ListPage {
        page: live(&app, &clerk, (clerk.page(text::say("desk-matters")), &Draft::default())).await?,
        desk: clerk.desk(),
        areas: places(app.store.read(), &clerk, &area).await?,
        may_raise: !bodies::areas_with(&clerk.actor, Right::RaiseMatter).is_empty(),
        rows: items.into_iter().map(|matter| (matter.clone(), due(&matter))).collect(),
        more: more(&area, &stage, &state),
        next_cursor,
        area,
        stage,
        state,
    };
    Ok(render(&shown))
}

/// Those under way in an area, to choose from.
pub(super) async fn under_way(app: &App, area: &str) -> Result<Vec<MatterSummary>> {
    let query = MattersQuery {
        area: Some(area.to_owned()),
        state: Some(MatterState::Open),
        limit: Some(MATTERS),
        ..MattersQuery::default()
    };
    Ok(matters::queries::list(app.store.read(), query).await?.items)
}

fn more(area: &str, stage: &str, state: &str) -> String {
    let part =
        |name: &str, value: &str| if value.is_empty() { String::new() } else { format!("{name}={}&", encode(value)) };
    format!("?{}{}{}", part("area", area), part("stage", stage), part("state", state))
}

#[derive(Template)]
#[template(path = "desk/matter_new.html")]
struct NewPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<AreaName>,
}

impl NewPage {
    /// The paths that there are.
    fn templates(&self) -> [TemplateKey; 4] {
        TemplateKey::ALL
    }

    /// What the law reserves to the assembly.
    fn reserved(&self) -> [ReservedItem; 10] {
        ReservedItem::ALL
    }
}

/// A blank form.
pub(super) async fn new(State(app): State<App>, clerk: Clerk) -> Result<Response> {
    blank(&app, &clerk, Draft::default()).await
}

async fn blank(app: &App, clerk: &Clerk, draft: Draft) -> Result<Response> {
    let areas = named(app.store.read(), bodies::areas_with(&clerk.actor, Right::RaiseMatter)).await?;
    let page = clerk.page(text::say("desk-raise")).at("/desk/matters/new");
    let shown = NewPage { page, desk: clerk.desk(), draft, areas };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Raises a matter; the desk goes on there.
pub(super) async fn raise(State(app): State<App>, clerk: Clerk, fields: Fields) -> Result<Response> {
    match put_forward(&app, &clerk, &fields).await {
        Ok(matter) => Ok(see(&format!("/desk/matters/{}", matter.head.id))),
        Err(error) => blank(&app, &clerk, Draft::refused("raise", fields, error)?).await,
    }
}

async fn put_forward(app: &App, clerk: &Clerk, fields: &Fields) -> Result<MatterView> {
    app.once(clerk.actor.clone(), fields.key(), "raise_matter", read(fields)?, |tx, actor, input| {
        Box::pin(matters::commands::raise(tx, actor, input))
    })
    .await
}

fn read(fields: &Fields) -> Result<RaiseMatter> {
    Ok(RaiseMatter {
        area_code: fields.text("area_code").to_owned(),
        title: fields.text("title").to_owned(),
        summary: fields.text("summary").to_owned(),
        suggestion_ids: Vec::new(),
        template: path_of(fields)?,
        charter_id: None,
        reserved_item: item_of(fields)?,
    })
}

/// The path that was chosen.
pub(super) fn path_of(fields: &Fields) -> Result<TemplateKey> {
    if fields.given("template").is_some() { fields.choice("template") } else { Ok(TemplateKey::default()) }
}

/// The reserved item that was chosen, if any.
pub(super) fn item_of(fields: &Fields) -> Result<Option<ReservedItem>> {
    fields.given("reserved_item").map(|_| fields.choice("reserved_item")).transpose()
}
