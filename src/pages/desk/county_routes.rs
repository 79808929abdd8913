//! Who answers what, on the county's desk: by what it is about, in an area.
use std::collections::HashMap;

use askama::Template;
use axum::{extract::State, response::Response};

use super::{
    county::{Operator, TABS},
    frame::{Clerk, Desk, Draft},
};
use crate::{
    app::{App, Path, Query},
    areas::{self, AreaName},
    bodies::queries::Body,
    county::queries,
    error::{Code, Result},
    pages::{
        fields::{Fields, WhichArea},
        layout::{Page, encode, render_as, see},
        words::{Words, wire},
    },
    suggestions::{
        Category,
        routing::{self, RouteView, SetRoute},
    },
    text,
};

const CATEGORIES: [&str; 8] = ["road", "utilities", "sanitation", "safety", "welfare", "land", "dispute", "other"];

#[derive(Template)]
#[template(path = "desk/county_routes.html")]
struct RoutesPage {
    page: Page,
    desk: Desk,
    tabs: [(&'static str, &'static str); 7],
    here: &'static str,
    draft: Draft,
    area: String,
    path: Vec<AreaName>,
    below: Vec<areas::Area>,
    categories: [&'static str; 8],
    said: HashMap<String, RouteView>,
    bodies: Vec<Body>,
    names: HashMap<String, String>,
}

impl RoutesPage {
    fn route(&self, category: &str) -> Option<&RouteView> {
        self.said.get(category)
    }

    fn place(&self, code: &str) -> String {
        self.names.get(code).map_or(code, String::as_str).to_owned()
    }
}

/// The page.
pub(super) async fn show(
    State(app): State<App>,
    Operator(clerk): Operator,
    Query(place): Query<WhichArea>,
) -> Result<Response> {
    let area = queries::place(&clerk.actor, place.area.as_deref())?;
    shown(&app, &clerk, (area, Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, (area, draft): (String, Draft)) -> Result<Response> {
    let db = app.store.read();
    let said = routing::routes(db, &area).await?;
    let names = areas::names(db, said.iter().map(|one| one.area_code.clone()).collect()).await?;
    let page = RoutesPage {
        page: clerk.page(text::say("county-routes")).at("/desk/county/routes"),
        desk: clerk.desk(),
        tabs: TABS,
        here: "county-routes",
        path: areas::path_names(db, &area).await?,
        below: areas::queries::children(db, Some(&area)).await?,
        categories: CATEGORIES,
        said: said.into_iter().map(|one| (wire(one.category), one)).collect(),
        bodies: routing::choices(db, &area, app.now()).await?,
        names,
        area,
        draft,
    };
    Ok(render_as(page.draft.status(), &page))
}

/// Says who, or nothing any more.
pub(super) async fn act(
    State(app): State<App>,
    Operator(clerk): Operator,
    Path(form): Path<String>,
    fields: Fields,
) -> Result<Response> {
    let area = queries::place(&clerk.actor, Some(fields.text("area")))?;
    match change(&app, &clerk, (&form, &area), &fields).await {
        Ok(()) => Ok(see(&format!("/desk/county/routes?area={}", encode(&area)))),
        Err(error) => {
            let name = fields.text("category").to_owned();
            shown(&app, &clerk, (area, Draft::refused(&name, fields, error)?)).await
        }
    }
}

async fn change(app: &App, clerk: &Clerk, (form, area): (&str, &str), fields: &Fields) -> Result<()> {
    let (actor, key) = (clerk.actor.clone(), fields.key());
    let category: Category = fields.choice("category")?;
    let area = area.to_owned();
    match form {
        "set" => {
            let input = (area, category, SetRoute { body_id: fields.required("body_id")? });
            app.once(actor, key, "set_suggestion_route", input, |tx, actor, input| {
                Box::pin(routing::set(tx, actor, input))
            })
            .await
        }
        "unset" => {
            app.once(actor, key, "unset_suggestion_route", (area, category), |tx, actor, input| {
                Box::pin(routing::unset(tx, actor, input))
            })
            .await
        }
        _ => Err(Code::NotFound.into()),
    }
}
