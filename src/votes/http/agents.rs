//! Routes of those who cast for others: proxies, and the representatives of households.
use axum::{Json, extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, Query, routes},
    error::{Problem, Result},
    ids::{HouseholdId, VoteId},
    media::{self, Keeping, Size},
    votes::{
        commands::{NameAgents, NameProxy, check_proxy, name_agents, name_proxy, revoke_proxy},
        queries::{
            households::{HouseholdView, by_id, numbered, own_household},
            proxies::{ProxiesView, ProxyView, proof, proxies},
        },
    },
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_proxies, name_vote_proxy))
        .routes(routes!(check_vote_proxy))
        .routes(routes!(revoke_vote_proxy))
        .routes(routes!(read_proxy_proof))
        .routes(routes!(read_my_household))
        .routes(routes!(find_household))
        .routes(routes!(name_household_agents))
}

/// Which household.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Numbered {
    /// Its number on the village's roster.
    number: String,
}

/// The proxies of a vote: the list that is published; all of them for who checks.
#[utoipa::path(get, path = "/v1/votes/{id}/proxies", tag = "votes", operation_id = "list_proxies", params(("id" = VoteId, Path)),
    responses((status = 200, body = ProxiesView, description = "For those who may see what is shown to the area"),
        Problem))]
async fn list_proxies(State(app): State<App>, actor: Actor, Path(id): Path<VoteId>) -> Result<Json<ProxiesView>> {
    proxies(app.store.read(), &actor, id).await.map(Json)
}

/// Name a proxy for oneself; or, for an office, write down one on paper. It holds once a second person has checked it.
#[utoipa::path(post, path = "/v1/votes/{id}/proxies", tag = "votes", operation_id = "name_proxy", params(("id" = VoteId, Path)),
    request_body = NameProxy,
    responses((status = 201, body = ProxyView, description = "Named; void unless it is checked in time"),
        (status = "default", body = Problem, description = "Refused; `proxy_too_late`, `proxy_limit`, `proxy_not_allowed`, `proxy_passed_on`",
            content_type = "application/problem+json")))]
async fn name_vote_proxy(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<VoteId>,
    Input(input): Input<NameProxy>,
) -> Result<Created<ProxyView>> {
    app.once(actor, key, "name_proxy", (id, input), |tx, actor, input| Box::pin(name_proxy(tx, actor, input)))
        .await
        .map(Created)
}

/// Check a proxy: from now on it holds and is published.
#[utoipa::path(post, path = "/v1/votes/{id}/proxies/{number}/check", tag = "votes", operation_id = "check_proxy",
    params(("id" = VoteId, Path), ("number" = i32, Path, description = "The elector's number on the roll")),
    responses((status = 200, body = ProxyView, description = "Checked"),
        (status = "default", body = Problem, description = "Refused; `second_person_needed` for who wrote it down",
            content_type = "application/problem+json")))]
async fn check_vote_proxy(
    State(app): State<App>,
    actor: Actor,
    Path(which): Path<(VoteId, i32)>,
) -> Result<Json<ProxyView>> {
    let done = app.store.write(move |tx| Box::pin(async move { check_proxy(tx, &actor, which).await }));
    done.await.map(Json)
}

/// End a proxy that was not used: the elector, the agent, the office.
#[utoipa::path(post, path = "/v1/votes/{id}/proxies/{number}/revoke", tag = "votes", operation_id = "revoke_proxy",
    params(("id" = VoteId, Path), ("number" = i32, Path, description = "The elector's number on the roll")),
    responses((status = 200, body = ProxyView, description = "It holds no more"),
        (status = "default", body = Problem, description = "Refused; `already_cast` once it was used",
            content_type = "application/problem+json")))]
async fn revoke_vote_proxy(
    State(app): State<App>,
    actor: Actor,
    Path(which): Path<(VoteId, i32)>,
) -> Result<Json<ProxyView>> {
    let done = app.store.write(move |tx| Box::pin(async move { revoke_proxy(tx, &actor, which).await }));
    done.await.map(Json)
}

/// The photo of a written proxy.
#[utoipa::path(get, path = "/v1/votes/{id}/proxies/{number}/proof", tag = "votes", operation_id = "read_proxy_proof",
    params(("id" = VoteId, Path), ("number" = i32, Path, description = "The elector's number on the roll")),
    responses((status = 200, description = "The photo, for both sides and who checks", content_type = "image/jpeg"),
        Problem))]
async fn read_proxy_proof(
    State(app): State<App>,
    actor: Actor,
    Path(which): Path<(VoteId, i32)>,
    headers: HeaderMap,
) -> Result<Response> {
    let row = proof(app.store.read(), &actor, which).await?;
    media::serve(&app, &row, (Size::Full, Keeping::AskAgain), &headers).await
}

/// The own household, with who casts for it.
#[utoipa::path(get, path = "/v1/me/household", tag = "votes", operation_id = "read_my_household",
    responses((status = 200, body = HouseholdView, description = "Its people, and those named"), Problem))]
async fn read_my_household(State(app): State<App>, actor: Actor) -> Result<Json<HouseholdView>> {
    own_household(&app, &actor).await.map(Json)
}

/// A household by its number on the village's roster.
#[utoipa::path(get, path = "/v1/areas/{code}/households", tag = "votes", operation_id = "find_household",
    params(("code" = String, Path), Numbered),
    responses((status = 200, body = HouseholdView, description = "For who opens votes there"), Problem))]
async fn find_household(
    State(app): State<App>,
    actor: Actor,
    Path(code): Path<String>,
    Query(query): Query<Numbered>,
) -> Result<Json<HouseholdView>> {
    numbered(&app, &actor, (&code, &query.number)).await.map(Json)
}

/// Name who casts for a household in the votes to come: its head, or who opens votes in the village.
#[utoipa::path(post, path = "/v1/households/{id}/agents", tag = "votes", operation_id = "name_household_agents",
    params(("id" = HouseholdId, Path)), request_body = NameAgents,
    responses((status = 200, body = HouseholdView, description = "Named; a roll that is frozen stays as it is"),
        Problem))]
async fn name_household_agents(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<HouseholdId>,
    Input(input): Input<NameAgents>,
) -> Result<Json<HouseholdView>> {
    let by = actor.clone();
    app.store.write(move |tx| Box::pin(async move { name_agents(tx, &by, (id, input)).await })).await?;
    by_id(&app, &actor, id).await.map(Json)
}
