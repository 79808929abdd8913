//! All routes in one place: a contents page of the product.
use std::sync::{Arc, LazyLock};

use axum::{
    Extension, Json, Router, extract::DefaultBodyLimit, http::header, middleware, response::IntoResponse, routing::get,
};
use serde_json::json;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{DefaultPredicate, NotForContentType, Predicate},
    },
    timeout::RequestBodyTimeoutLayer,
};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

use super::{health, layers};
use crate::{
    aloud,
    app::App,
    areas, board, bodies, chains, claims, county, delivery, events, forms, groups, guests, inbox, joint, legal,
    live::{self, Doorstep, Hub},
    matters, media, meetings, moderation, notices, pages, people, privacy, quiet, reports, skills, streams,
    suggestions, suspensions, tasks, votes, wechat,
};

/// JSON bodies stay small; uploads have their own limit.
const MAX_JSON: usize = 64 * 1024;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Liusheng",
        description = "Residents' participation for a county: voices, matters in six stages, notices, votes. \
        Errors are RFC 9457 problems with a stable code; writes accept Idempotency-Key; lists are paged by cursor."
    ),
    components(schemas(crate::error::Problem))
)]
struct Description;

fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(areas::routes())
        .merge(people::routes())
        .merge(claims::routes())
        .merge(bodies::routes())
        .merge(suspensions::routes())
        .merge(quiet::routes())
        .merge(media::routes())
        .merge(streams::routes())
        .merge(moderation::routes())
        .merge(groups::routes())
        .merge(chains::routes())
        .merge(reports::routes())
        .merge(delivery::routes())
        .merge(forms::routes())
        .merge(tasks::routes())
        .merge(suggestions::routes())
        .merge(guests::routes())
        .merge(county::routes())
        .merge(notices::routes())
        .merge(meetings::routes())
        .merge(matters::routes())
        .merge(board::routes())
        .merge(votes::routes())
        .merge(legal::routes())
        .merge(skills::routes())
        .merge(joint::routes())
        .merge(aloud::routes())
        .merge(privacy::routes())
        .merge(events::routes())
        .merge(wechat::routes())
}

/// What the API is.
struct Api {
    routes: Router<App>,
    description: utoipa::openapi::OpenApi,
    operations: live::Operations,
}

/// Put together once in a process, however many servers run in it: some hundred operations with their schemas take a while.
static API: LazyLock<Api> = LazyLock::new(|| {
    let (routes, description) = api().split_for_parts();
    let operations = live::Operations::of(&json!(description));
    Api { routes, description, operations }
});

/// The description of the API, as JSON text ending in a line break.
///
/// # Errors
/// Never, as long as the description is serialisable.
pub fn openapi() -> Result<String, serde_json::Error> {
    API.description.to_pretty_json().map(|text| text + "\n")
}

/// The description of the socket and of the events (AsyncAPI).
#[must_use]
pub fn asyncapi() -> serde_json::Value {
    live::describe(&json!(API.description))
}

/// The same as text.
#[must_use]
pub fn asyncapi_text() -> String {
    live::as_yaml(&asyncapi())
}

/// What operators ask, for a process that answers nothing else.
pub(super) fn operators(app: &App, hub: &Arc<Hub>) -> Router {
    health::routes(Arc::clone(hub))
        .fallback(layers::not_found)
        .layer(CatchPanicLayer::custom(layers::panicked))
        .with_state(app.clone())
}

/// The whole service, and where those wait who ask for nothing but a socket.
pub(super) fn router(app: &App, hub: &Arc<Hub>) -> (Router, Doorstep) {
    let calls = live::Calls::new(API.routes.clone().with_state(app.clone()), &API.operations);
    let means = county::Means { hub: Arc::clone(hub), reactions: Arc::new(super::reactions()) };
    let observed = || middleware::from_fn_with_state(app.clone(), layers::observe);
    let caught = || CatchPanicLayer::custom(layers::panicked);
    // what only bodies need is not for them: thousands connect at once
    let (sockets, doorstep) = live::routes(app.clone(), Arc::clone(hub), calls);
    let sockets = sockets.method_not_allowed_fallback(layers::method_not_allowed).layer((observed(), caught()));
    let router = Router::new()
        .merge(API.routes.clone())
        .merge(pages::routes().layer(Extension(means)))
        .merge(health::routes_beside_people(Arc::clone(hub)))
        .route("/openapi.json", get(async || Json(&API.description)))
        .merge(inbox::routes())
        .merge(delivery::receipt_routes())
        .merge(pages::verification_files(&app.config.verification_files))
        .merge(docs())
        .method_not_allowed_fallback(layers::method_not_allowed)
        .fallback(layers::not_found)
        // the outermost first; together, because each by itself would be a box of its own around every route, and a router
        // clones what is in a box each time that it is asked, with all boxes therein
        .layer((
            observed(),
            caught(),
            // a gzipped recording would have no ranges
            CompressionLayer::new().compress_when(DefaultPredicate::new().and(NotForContentType::const_new("audio/"))),
            RequestBodyTimeoutLayer::new(std::time::Duration::from_secs(app.config.body_timeout_secs)),
            DefaultBodyLimit::max(MAX_JSON),
        ))
        .merge(sockets)
        .with_state(app.clone());
    (router, doorstep)
}

/// `/docs` works offline; its page runs inline scripts, so it has a policy of its own.
fn docs() -> Router<App> {
    let ui: Router<App> =
        Router::from(SwaggerUi::new("/docs").config(utoipa_swagger_ui::Config::from("/openapi.json")));
    ui.layer(middleware::map_response(async |response: axum::response::Response| {
        let policy = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:";
        ([(header::CONTENT_SECURITY_POLICY, policy)], response).into_response()
    }))
}
