//! 页面: the residents' pages, made on the server; the council desk is below in `desk`.
//!
//! Always true: reading, speaking and voting work without a script; a form posts to a route that runs the same command as
//! the API and then leads on (303), so that going back never sends twice; what was typed is kept when it is refused; a
//! page shows only what the queries of the subjects give to this viewer; a choice is never part of an address.
//! Tables owned: none. Events recorded: none (the commands record theirs).
//!
//! # How a page is made
//! A handler takes [`layout::Resident`] (or [`layout::Viewer`], who may be signed out), asks the queries, and gives
//! [`layout::render`] a struct with `#[derive(Template)]`, a field `page: Page` and a template that extends `base.html`
//! (blocks `head body_class top main foot`). With `use crate::pages::words::Words;` templates say `{{ t("key") }}`,
//! `{{ moment(at) }}`, `{{ asset("x.js") }}`. Forms come as [`fields::Fields`]; a refusal becomes [`fields::Wrong`], which
//! the macros in `forms.html` show beside the fields. Refusals elsewhere become plain pages by themselves.
mod about;
mod arguments;
pub mod assets;
mod board;
mod bodies;
mod chain;
mod charters;
mod claim;
mod codes;
mod compose;
mod desk;
mod desk_login;
mod doors;
pub mod fields;
mod figures;
mod form;
mod group;
mod guest;
mod held;
mod home;
pub mod layout;
mod legal;
mod login;
mod matter;
mod mediation;
mod meeting;
mod message;
mod notice;
mod offline;
mod options;
mod plan;
mod privacy;
mod problem;
mod proxy;
mod record;
mod register;
mod resolution;
mod roll;
mod search;
mod settings;
mod skills;
mod speak;
mod steps;
mod stream;
mod suggestion;
mod telling;
mod thread;
mod untold;
mod vote;
mod wechat;
pub mod words;

use axum::{Router, middleware};

pub use self::{problem::problem, wechat::verification_files};
use crate::app::App;

/// All pages. What they refuse is shown as a page.
pub fn routes() -> Router<App> {
    Router::new()
        .merge(home::routes())
        .merge(login::routes())
        .merge(claim::routes())
        .merge(guest::routes())
        .merge(desk_login::routes())
        .merge(privacy::routes())
        .merge(speak::routes())
        .merge(suggestion::routes())
        .merge(figures::routes())
        .merge(matter::routes())
        .merge(plan::routes())
        .merge(arguments::routes())
        .merge(charters::routes())
        .merge(legal::routes())
        .merge(mediation::routes())
        .merge(register::routes())
        .merge(skills::routes())
        .merge(form::routes())
        .merge(meeting::routes())
        .merge(notice::routes())
        .merge(doors::routes())
        .merge(untold::routes())
        .merge(settings::routes())
        .merge(held::routes())
        .merge(vote::routes())
        .merge(proxy::routes())
        .merge(roll::routes())
        .merge(resolution::routes())
        .merge(board::routes())
        .merge(bodies::routes())
        .merge(stream::routes())
        .merge(message::routes())
        .merge(chain::routes())
        .merge(options::routes())
        .merge(telling::routes())
        .merge(group::routes())
        .merge(search::routes())
        .merge(record::routes())
        .merge(about::routes())
        .merge(wechat::routes())
        .merge(desk::routes())
        .layer(middleware::from_fn(problem::shown))
        .merge(assets::routes())
        .merge(offline::routes())
}
