//! A village's private voice on the county's desk: only by its number, with a reason that its author reads.
use std::collections::HashMap;

use askama::Template;
use axum::{extract::State, response::Response};

use super::{
    county::{Operator, TABS},
    frame::{Clerk, Desk, Draft},
};
use crate::{
    app::{App, Path},
    areas,
    error::Result,
    ids::SuggestionId,
    pages::{
        fields::Fields,
        layout::{Page, render, render_as, see},
        words::Words,
    },
    suggestions::{self, Inspect, Inspected, InspectedVoice, InspectionView},
    text,
};

#[derive(Template)]
#[template(path = "desk/county_voices.html")]
struct VoicesPage {
    page: Page,
    desk: Desk,
    tabs: [(&'static str, &'static str); 7],
    here: &'static str,
    draft: Draft,
    opened: Vec<InspectionView>,
    names: HashMap<String, String>,
}

impl VoicesPage {
    fn place(&self, code: &str) -> String {
        self.names.get(code).map_or(code, String::as_str).to_owned()
    }
}

/// The form, and who has opened what and why.
pub(super) async fn list(State(app): State<App>, Operator(clerk): Operator) -> Result<Response> {
    shown(&app, &clerk, Draft::default()).await
}

async fn shown(app: &App, clerk: &Clerk, draft: Draft) -> Result<Response> {
    let db = app.store.read();
    let opened = suggestions::inspections(db, &clerk.actor).await?;
    let shown = VoicesPage {
        page: clerk.page(text::say("county-voices")),
        desk: clerk.desk(),
        tabs: TABS,
        here: "county-voices",
        draft,
        names: areas::names(db, opened.iter().map(|one| one.area_code.clone()).collect()).await?,
        opened,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Writes the reason down and leads to the voice.
pub(super) async fn open(State(app): State<App>, Operator(clerk): Operator, fields: Fields) -> Result<Response> {
    let input = Inspect { number: fields.text("number").to_owned(), reason: fields.text("reason").to_owned() };
    let inspect = app.once(clerk.actor.clone(), fields.key(), "inspect_suggestion", input, |tx, actor, input| {
        Box::pin(suggestions::inspect(tx, actor, input))
    });
    match inspect.await {
        Ok(Inspected::Today(id)) => Ok(see(&format!("/desk/county/voices/{id}"))),
        Ok(Inspected::Anyway(id)) => Ok(see(&format!("/desk/suggestions/{id}"))),
        Err(error) => shown(&app, &clerk, Draft::refused("open", fields, error)?).await,
    }
}

#[derive(Template)]
#[template(path = "desk/county_voice.html")]
struct VoicePage {
    page: Page,
    desk: Desk,
    tabs: [(&'static str, &'static str); 7],
    here: &'static str,
    voice: InspectedVoice,
}

/// The voice, until midnight.
pub(super) async fn show(
    State(app): State<App>,
    Operator(clerk): Operator,
    Path(id): Path<SuggestionId>,
) -> Result<Response> {
    let voice = suggestions::inspected(&app, &clerk.actor, id).await?;
    let page = clerk.page(text::say_with("county-voice", &[("number", voice.summary.number.as_str().into())]));
    Ok(render(&VoicePage { page, desk: clerk.desk(), tabs: TABS, here: "county-voices", voice }))
}
