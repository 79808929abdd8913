//! The desk's log-in over HTTP.
use axum::{
    Json,
    extract::{FromRequest, Request, State},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use super::{
    desk_login::{self, ConfirmPassword, DeskSignIn, SecondFactor, SetPassword},
    login_http::{Tokens, tokens},
    sessions::Carrier,
};
use crate::{
    actor::Actor,
    app::{App, Created, Input, client_address, routes},
    error::{Problem, Result},
};

/// For the day on which the app is lost: each is good once instead of its code. Shown once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct RecoveryCodes {
    /// Eight codes.
    recovery_codes: Vec<String>,
}

/// Routes of this log-in.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(set_desk_password))
        .routes(routes!(confirm_desk_password))
        .routes(routes!(sign_in_at_desk))
}

/// Set up a password for the desk: from a log-in by SMS, with a seat. Good only once confirmed.
#[utoipa::path(post, path = "/v1/me/desk-password", tag = "login", operation_id = "set_desk_password",
    request_body = SetPassword,
    responses((status = 201, body = SecondFactor, description = "For the authenticator app; shown once"), Problem))]
async fn set_desk_password(
    State(app): State<App>,
    actor: Actor,
    Input(input): Input<SetPassword>,
) -> Result<Created<SecondFactor>> {
    desk_login::set_password(&app, &actor, input).await.map(Created)
}

/// Confirm it by a code of the app.
#[utoipa::path(post, path = "/v1/me/desk-password/confirm", tag = "login", operation_id = "confirm_desk_password",
    request_body = ConfirmPassword,
    responses((status = 201, body = RecoveryCodes, description = "Good from now on"), Problem))]
async fn confirm_desk_password(
    State(app): State<App>,
    actor: Actor,
    Input(input): Input<ConfirmPassword>,
) -> Result<Created<RecoveryCodes>> {
    let recovery_codes = desk_login::confirm_password(&app, &actor, input).await?;
    Ok(Created(RecoveryCodes { recovery_codes }))
}

/// Sign in at the desk by password and second factor.
#[utoipa::path(post, path = "/v1/login/desk", tag = "login", operation_id = "sign_in_at_desk",
    request_body = DeskSignIn,
    responses((status = 200, body = Tokens, description = "Signed in"), Problem))]
async fn sign_in_at_desk(State(app): State<App>, request: Request) -> Result<Json<Tokens>> {
    let address = client_address(&app, request.headers(), request.extensions());
    let Input(told) = <Input<DeskSignIn> as FromRequest<App>>::from_request(request, &app).await?;
    let open = desk_login::sign_in_desk(&app, address, told, Carrier::Tokens).await?;
    tokens(&app, open)
}
