//! `/settings`: 我的设置: when one wants to be left alone.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Resident, render_as, see_saved},
    words::Words,
};
use crate::{
    app::{
        App,
        routing::{get, post},
    },
    error::Result,
    quiet::{self, QuietHours, SetQuietHours},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/settings", get(show).merge(post(keep)))
}

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    page: Page,
    quiet: QuietHours,
    wrong: Wrong,
}

async fn show(State(app): State<App>, who: Resident) -> Result<Response> {
    shown(&app, &who, Wrong::default()).await
}

async fn shown(app: &App, who: &Resident, wrong: Wrong) -> Result<Response> {
    let quiet = quiet::queries::own(app.store.read(), who.actor.person).await?;
    let page = who.page("page-settings").at("/settings");
    let shown = SettingsPage { page, quiet, wrong };
    Ok(render_as(shown.wrong.status(), &shown))
}

async fn keep(State(app): State<App>, who: Resident, form: Fields) -> Result<Response> {
    // the same twice is no quiet at all
    let is_off = form.has("off", "1");
    let time = |name: &str| if is_off { "00:00".to_owned() } else { form.text(name).to_owned() };
    let input = SetQuietHours { from: time("from"), to: time("to") };
    let actor = who.actor.clone();
    let done = app.store.write(move |tx| Box::pin(async move { quiet::commands::set(tx, &actor, input).await })).await;
    match done {
        Ok(_) => Ok(see_saved("/settings")),
        Err(error) => shown(&app, &who, Wrong::from(error)?).await,
    }
}
