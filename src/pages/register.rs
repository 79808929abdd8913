//! `/collectives/{id}`: the register of a village's collective, for its members: who is on it, what changed and why.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    layout::{Page, Resident, render},
    words::Words,
};
use crate::{
    app::{App, Path, routing::get},
    bodies::register::{self, RegisterView},
    error::Result,
    ids::BodyId,
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/collectives/{id}", get(show))
}

#[derive(Template)]
#[template(path = "register.html")]
struct RegisterPage {
    page: Page,
    register: RegisterView,
}

async fn show(State(app): State<App>, who: Resident, Path(id): Path<BodyId>) -> Result<Response> {
    let register = register::register(app.store.read(), &who.actor, id).await?;
    let page =
        who.page("page-member-list").titled(register.body_name.clone()).back("/").at(format!("/collectives/{id}"));
    Ok(render(&RegisterPage { page, register }))
}
