//! Routes of webhooks.
use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    commands::{self, SetUpWebhook},
    queries::{self, NewWebhook, WebhookView},
};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path},
    error::{Problem, Result},
    ids::WebhookId,
};

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(set_up_webhook, list_webhooks)).routes(routes!(remove_webhook))
}

/// Have an address told of the notices of an area and of all below it.
#[utoipa::path(post, path = "/v1/areas/{code}/webhooks", tag = "webhooks", operation_id = "set_up_webhook",
    params(("code" = String, Path)), request_body = SetUpWebhook,
    responses((status = 201, body = NewWebhook, description = "The webhook with its secret, shown this once"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn set_up_webhook(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(code): Path<String>,
    Input(input): Input<SetUpWebhook>,
) -> Result<Created<NewWebhook>> {
    commands::may_set_up(&app, &actor, &code, &input).await?;
    let keys = Arc::clone(&app.keys);
    let set_up = app.once(actor, key, "set_up_webhook", (code, input), move |tx, actor, input| {
        Box::pin(async move { commands::set_up(tx, actor, input, &keys).await })
    });
    queries::with_secret(app.store.read(), &app.keys, set_up.await?).await.map(Created)
}

/// The webhooks of an area and how they fare.
#[utoipa::path(get, path = "/v1/areas/{code}/webhooks", tag = "webhooks", operation_id = "list_webhooks",
    params(("code" = String, Path)),
    responses((status = 200, body = Vec<WebhookView>, description = "Without their secrets"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn list_webhooks(
    State(app): State<App>,
    actor: Actor,
    Path(code): Path<String>,
) -> Result<Json<Vec<WebhookView>>> {
    queries::webhooks(app.store.read(), &actor, &code).await.map(Json)
}

/// Remove a webhook; what waits for it is not sent.
#[utoipa::path(delete, path = "/v1/areas/{code}/webhooks/{id}", tag = "webhooks", operation_id = "remove_webhook",
    params(("code" = String, Path), ("id" = WebhookId, Path)),
    responses((status = 204, description = "Removed"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn remove_webhook(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(which): Path<(String, WebhookId)>,
) -> Result<StatusCode> {
    app.once(actor, key, "remove_webhook", which, |tx, actor, which| Box::pin(commands::remove(tx, actor, which)))
        .await
        .map(|()| StatusCode::NO_CONTENT)
}
