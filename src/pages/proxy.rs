//! `/votes/{id}/proxies`: who casts for whom, as it is published; naming a proxy, and taking it back. `/household`: who
//! casts for the own household.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Resident, render_as, see, see_saved, up},
    words::Words,
};
use crate::{
    app::{
        App, Path,
        routing::{get, post},
    },
    bodies::{Body, members},
    error::Result,
    ids::{PersonId, VoteId},
    votes::{
        HouseholdView, NameAgents, NameProxy, VoteView,
        commands::{Called, name_agents, name_proxy, revoke_proxy},
        queries::{self, MyVote, households::own_household, proxies::ProxiesView},
        rules::Relation,
    },
};

/// A representative and two alternates.
const RANKS: [i32; 3] = [0, 1, 2];

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/votes/{id}/proxies", get(show).merge(post(name)))
        .route("/votes/{id}/proxies/revoke", post(revoke).merge(get(up)))
        .route("/household", get(household).merge(post(name_household)))
}

#[derive(Template)]
#[template(path = "proxies.html")]
struct ProxiesPage {
    page: Page,
    vote: VoteView,
    mine: MyVote,
    proxies: ProxiesView,
    may_name: bool,
    relations: [Relation; 7],
    typed: Fields,
    wrong: Wrong,
}

async fn show(State(app): State<App>, who: Resident, Path(id): Path<VoteId>) -> Result<Response> {
    shown(&app, &who, id, (Fields::default(), Wrong::default())).await
}

async fn shown(app: &App, who: &Resident, id: VoteId, (typed, wrong): (Fields, Wrong)) -> Result<Response> {
    let db = app.store.read();
    let proxies = queries::proxies::proxies(db, &who.actor, id).await?;
    let (vote, mine) = (queries::vote(db, id).await?, queries::my_vote(app, &who.actor, id).await?);
    let in_time = proxies.until.is_some_and(|until| app.now() < until);
    let may_name = in_time && mine.is_on_roll && !mine.has_cast && mine.proxy.is_none() && mine.casts_for.is_empty();
    let page = who.page("page-proxies").back(format!("/votes/{id}")).at(format!("/votes/{id}/proxies"));
    let relations = Relation::ALL;
    let shown = ProxiesPage { page, vote, mine, proxies, may_name, relations, typed, wrong };
    Ok(render_as(shown.wrong.status(), &shown))
}

async fn name(State(app): State<App>, who: Resident, Path(id): Path<VoteId>, form: Fields) -> Result<Response> {
    let named = async {
        let agent = Called {
            name: form.text("agent.name").to_owned(),
            roster_number: form.given("agent_roster_number").map(str::to_owned),
        };
        let input = NameProxy { elector: None, agent, relation: form.choice("relation")?, proof_media_id: None };
        app.once(who.actor.clone(), form.key(), "name_proxy", (id, input), |tx, actor, input| {
            Box::pin(name_proxy(tx, actor, input))
        })
        .await
    };
    match named.await {
        Ok(_) => Ok(see(&format!("/votes/{id}/proxies"))),
        Err(error) => shown(&app, &who, id, (form, Wrong::from(error)?)).await,
    }
}

async fn revoke(State(app): State<App>, who: Resident, Path(id): Path<VoteId>, form: Fields) -> Result<Response> {
    let (actor, number) = (who.actor.clone(), form.required::<i32>("number")?);
    let done = app.store.write(move |tx| Box::pin(async move { revoke_proxy(tx, &actor, (id, number)).await })).await;
    match done {
        Ok(_) => Ok(see(&format!("/votes/{id}/proxies"))),
        Err(error) => shown(&app, &who, id, (Fields::default(), Wrong::from(error)?)).await,
    }
}

#[derive(Template)]
#[template(path = "household.html")]
struct HouseholdPage {
    page: Page,
    home: HouseholdView,
    /// The collectives whose registers the viewer may read as a member.
    registers: Vec<Body>,
    ranks: [i32; 3],
    typed: Fields,
    wrong: Wrong,
}

impl HouseholdPage {
    /// Is this person chosen for this rank?
    fn is_chosen(&self, rank: &i32, person: &PersonId, named: &Option<i32>) -> bool {
        let field = format!("person_{rank}");
        if self.wrong.is_any() { self.typed.has(&field, &person.to_string()) } else { *named == Some(*rank) }
    }
}

async fn household(State(app): State<App>, who: Resident) -> Result<Response> {
    shown_household(&app, &who, (Fields::default(), Wrong::default())).await
}

async fn shown_household(app: &App, who: &Resident, (typed, wrong): (Fields, Wrong)) -> Result<Response> {
    let home = own_household(app, &who.actor).await?;
    let registers = members::registers_of(app.store.read(), who.actor.person).await?;
    let page = who.page("page-household").at("/household");
    let shown = HouseholdPage { page, home, registers, ranks: RANKS, typed, wrong };
    Ok(render_as(shown.wrong.status(), &shown))
}

async fn name_household(State(app): State<App>, who: Resident, form: Fields) -> Result<Response> {
    let home = own_household(&app, &who.actor).await?.id;
    let (actor, input) = (who.actor.clone(), NameAgents { people: chosen(&form) });
    let done = app.store.write(move |tx| Box::pin(async move { name_agents(tx, &actor, (home, input)).await })).await;
    match done {
        Ok(()) => Ok(see_saved("/household")),
        Err(error) => shown_household(&app, &who, (form, Wrong::from(error)?)).await,
    }
}

/// Those chosen in the three fields, without the blanks.
pub(super) fn chosen(form: &Fields) -> Vec<PersonId> {
    RANKS.iter().filter_map(|rank| form.given(&format!("person_{rank}"))?.parse().ok()).collect()
}
