//! `/votes/{id}/roll`: am I on the roll, who else, what was changed; an objection, and what became of it.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Resident, Viewer, render_as, see},
    words::Words,
};
use crate::{
    app::{
        App, Path, Query,
        routing::{get, post},
    },
    error::Result,
    ids::VoteId,
    page::PageQuery,
    votes::{
        MyVote, RaiseRollObjection, VoteView,
        commands::{proxies::Called, raise_roll_objection},
        queries::{
            self,
            roll_list::{
                RollEntryView, RollObjectionView, RollView, entries, may_object, may_raise, may_see, objections, roll,
            },
        },
    },
};

/// Electors on one page.
const ON_A_PAGE: u64 = 100;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/votes/{id}/roll", get(show).merge(post(object)))
}

#[derive(Template)]
#[template(path = "roll.html")]
struct RollPage {
    page: Page,
    vote: VoteView,
    roll: RollView,
    mine: Option<MyVote>,
    /// Does the viewer stand on another village's roll, too?
    is_elsewhere: bool,
    own: Vec<RollObjectionView>,
    entries: Vec<RollEntryView>,
    next: Option<String>,
    may_object: bool,
    typed: Fields,
    wrong: Wrong,
}

async fn show(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<VoteId>,
    Query(query): Query<PageQuery>,
) -> Result<Response> {
    shown(&app, &viewer, (id, query), (Fields::default(), Wrong::default())).await
}

async fn shown(
    app: &App,
    viewer: &Viewer,
    (id, query): (VoteId, PageQuery),
    (typed, wrong): (Fields, Wrong),
) -> Result<Response> {
    let db = app.store.read();
    let (vote, roll) = (queries::vote(db, id).await?, roll(app, id).await?);
    let mine = match &viewer.actor {
        Some(actor) => Some(queries::my_vote(app, actor, id).await?),
        None => None,
    };
    let is_elsewhere = match &viewer.actor {
        Some(actor) if mine.as_ref().is_some_and(|mine| mine.is_on_roll) => {
            !queries::elsewhere::elsewhere(db, id, &[actor.person]).await?.is_empty()
        }
        _ => false,
    };
    let (mut list, mut next, mut own, mut may_raise_it) = (Vec::new(), None, Vec::new(), false);
    if let Some(actor) = &viewer.actor {
        if may_see(db, actor, id).await? {
            let query = PageQuery { limit: query.limit.or(Some(ON_A_PAGE)), ..query };
            let found = entries(db, actor, id, &query).await?;
            (list, next) = (found.items, found.next_cursor);
        }
        // whoever is counted to another group by mistake sees no list, and says so all the same
        may_raise_it = may_raise(db, actor, id).await?;
        if may_raise_it {
            own = objections(db, actor, id).await?;
            own.retain(|one| one.raised_by == actor.person);
        }
    }
    let may_object = may_raise_it && may_object(&roll, &vote.state, app.now());
    let page = viewer.page("page-roll").back(format!("/votes/{id}")).at(format!("/votes/{id}/roll"));
    let shown = RollPage { page, vote, roll, mine, is_elsewhere, own, entries: list, next, may_object, typed, wrong };
    Ok(render_as(shown.wrong.status(), &shown))
}

async fn object(State(app): State<App>, who: Resident, Path(id): Path<VoteId>, form: Fields) -> Result<Response> {
    let raised = async {
        let name = form.given("about.name").map(str::to_owned);
        let roster_number = form.given("about_roster_number").map(str::to_owned);
        let about = name.map(|name| Called { name, roster_number });
        let input = RaiseRollObjection { kind: form.choice("kind")?, about, reason: form.text("reason").to_owned() };
        app.once(who.actor.clone(), form.key(), "raise_roll_objection", (id, input), |tx, actor, input| {
            Box::pin(raise_roll_objection(tx, actor, input))
        })
        .await
    };
    match raised.await {
        Ok(_) => Ok(see(&format!("/votes/{id}/roll"))),
        Err(error) => shown(&app, &who.viewer, (id, PageQuery::default()), (form, Wrong::from(error)?)).await,
    }
}
