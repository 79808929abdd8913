//! Failed work on the county's desk: what a reaction could not do, what could not be delivered, what was sent to the account
//! of WeChat and could not be taken; and doing it again.
use std::collections::HashMap;

use askama::Template;
use axum::{Extension, extract::State, response::Response};
use serde::Deserialize;

use super::{
    county::{Operator, TABS},
    frame::Desk,
};
use crate::{
    app::{App, Path, Query},
    areas,
    county::{
        Means,
        commands::{self, Failed},
    },
    delivery::queries::{DeadDelivery, dead},
    error::{Code, Result},
    events::{DeadLetter, dead_letters},
    inbox::{self, queries::DeadMessage},
    pages::{
        fields::Fields,
        layout::{Page, render, see},
        words::Words,
    },
    text,
};

/// What came of the form that led here.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Done {
    through: Option<u64>,
    left: Option<u64>,
}

#[derive(Template)]
#[template(path = "desk/county_failures.html")]
struct FailuresPage {
    page: Page,
    desk: Desk,
    tabs: [(&'static str, &'static str); 7],
    here: &'static str,
    done: Done,
    letters: Vec<DeadLetter>,
    deliveries: Vec<DeadDelivery>,
    messages: Vec<DeadMessage>,
    names: HashMap<String, String>,
}

impl FailuresPage {
    fn place(&self, code: &str) -> String {
        self.names.get(code).map_or(code, String::as_str).to_owned()
    }
}

/// The page.
pub(super) async fn show(
    State(app): State<App>,
    Operator(clerk): Operator,
    Query(done): Query<Done>,
) -> Result<Response> {
    let db = app.store.read();
    let letters = dead_letters(db).await?;
    let deliveries = dead(db).await?;
    let mut codes: Vec<String> = letters.iter().filter_map(|letter| letter.area.clone()).collect();
    codes.extend(deliveries.iter().map(|delivery| delivery.area_code.clone()));
    Ok(render(&FailuresPage {
        page: clerk.page(text::say("county-failures")),
        desk: clerk.desk(),
        tabs: TABS,
        here: "county-failures",
        done,
        names: areas::names(db, codes).await?,
        messages: inbox::queries::dead(db).await?,
        letters,
        deliveries,
    }))
}

/// Does it again. Twice does no harm: what went through is no longer there.
pub(super) async fn act(
    State(app): State<App>,
    Operator(clerk): Operator,
    Extension(means): Extension<Means>,
    Path(form): Path<String>,
    fields: Fields,
) -> Result<Response> {
    let work = match form.as_str() {
        "letter" => Failed::Letter(fields.text("reaction").to_owned(), fields.required("number")?),
        "letters" => Failed::Letters,
        "delivery" => Failed::Delivery(fields.required("id")?),
        "deliveries" => Failed::Deliveries,
        "message" => Failed::Message(fields.required("id")?),
        "messages" => Failed::Messages,
        _ => return Err(Code::NotFound.into()),
    };
    let done = commands::redrive(&app, &clerk.actor, &means, work).await?;
    Ok(see(&format!("/desk/county/failures?through={}&left={}", done.through, done.left)))
}
