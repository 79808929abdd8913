//! Signing in and out over HTTP.
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{AppendHeaders, IntoResponse},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use super::{
    asking, codes,
    queries::{self, SessionView},
    sessions::{Carrier, OpenSession},
    sign_in::{self, AskCode, SignIn},
    sign_out::{sign_out, sign_out_everywhere},
    tickets, tokens,
};
use crate::{
    actor::Actor,
    app::{App, Created, Input, Query, client_address, routes},
    error::{Problem, Result},
    ids::{PersonId, SessionId},
    page::{Page, PageQuery},
};

/// Says nothing about the number.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct CodeAsked {
    /// Name of the code: hand it in with it. Whoever does not know it cannot try the code.
    login_id: Uuid,
    /// Seconds for which a code holds.
    expires_in: i64,
    /// Seconds after which another may be asked for.
    retry_in: i64,
}

/// A log-in carried by tokens.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Tokens {
    /// Goes into `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: String,
    /// Seconds for which the access token holds.
    expires_in: i64,
    /// Good for one renewal; keep it safe.
    refresh_token: String,
    /// Who signed in.
    person_id: PersonId,
    /// The log-in.
    session_id: SessionId,
}

/// Renews a log-in.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Refresh {
    /// The newest refresh token.
    refresh_token: String,
}

/// The tokens of a log-in just opened.
///
/// # Errors
/// When the key file holds no token key.
pub fn tokens(app: &App, open: OpenSession) -> Result<Json<Tokens>> {
    Ok(Json(Tokens {
        access_token: tokens::mint(&app.keys, &app.clock, open.person, open.session)?,
        token_type: "Bearer".to_owned(),
        expires_in: tokens::ACCESS_SECS,
        refresh_token: open.secret,
        person_id: open.person,
        session_id: open.session,
    }))
}

/// Sends a one-time code, if the number is on a roster; the answer is the same if it is not.
#[utoipa::path(post, path = "/v1/login/codes", tag = "login", operation_id = "ask_code", request_body = AskCode, responses(
    (status = 202, body = CodeAsked, description = "Noted"),
    Problem,
))]
async fn ask_code(State(app): State<App>, request: Request) -> Result<(StatusCode, Json<CodeAsked>)> {
    let address = client_address(&app, request.headers(), request.extensions());
    let Input(wanted) = <Input<AskCode> as axum::extract::FromRequest<App>>::from_request(request, &app).await?;
    let login_id = sign_in::ask_code(&app, address, wanted).await?;
    Ok((StatusCode::ACCEPTED, Json(CodeAsked { login_id, expires_in: codes::CODE_SECS, retry_in: codes::PAUSE_SECS })))
}

/// Signs in with a code.
#[utoipa::path(post, path = "/v1/login", tag = "login", operation_id = "sign_in", request_body = SignIn, responses(
    (status = 200, body = Tokens, description = "Signed in"),
    Problem,
))]
async fn log_in(State(app): State<App>, Input(told): Input<SignIn>) -> Result<Json<Tokens>> {
    let open = sign_in::sign_in(&app, told, Carrier::Tokens).await?;
    tokens(&app, open)
}

/// Renews a log-in: a new access token and the next refresh token. A spent one ends the log-in for everybody.
#[utoipa::path(post, path = "/v1/login/refresh", tag = "login", operation_id = "refresh", request_body = Refresh, responses(
    (status = 200, body = Tokens, description = "Renewed"),
    Problem,
))]
async fn refresh(State(app): State<App>, Input(told): Input<Refresh>) -> Result<Json<Tokens>> {
    let open = sign_in::refresh(&app, told.refresh_token).await?;
    tokens(&app, open)
}

/// Ends this log-in.
#[utoipa::path(post, path = "/v1/logout", tag = "login", operation_id = "sign_out", responses(
    (status = 204, description = "Signed out"),
    Problem,
))]
async fn log_out(State(app): State<App>, actor: Actor, headers: HeaderMap) -> Result<impl IntoResponse> {
    sign_out(&app, &actor).await?;
    Ok(gone(&app, &headers))
}

/// Ends every log-in of the person who asks; the desk's password and the accounts of WeChat open none any more.
#[utoipa::path(post, path = "/v1/logout/everywhere", tag = "login", operation_id = "sign_out_everywhere", responses(
    (status = 204, description = "Signed out everywhere"),
    Problem,
))]
async fn log_out_everywhere(State(app): State<App>, actor: Actor, headers: HeaderMap) -> Result<impl IntoResponse> {
    sign_out_everywhere(&app, &actor).await?;
    Ok(gone(&app, &headers))
}

fn gone(app: &App, headers: &HeaderMap) -> impl IntoResponse + use<> {
    let taken = asking::session_cookie(headers).map(|_| asking::no_log_in(app));
    (StatusCode::NO_CONTENT, AppendHeaders(taken.into_iter().flatten()))
}

/// Opens one socket.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct SocketTicket {
    /// Goes into `connect.token` of the socket, once.
    ticket: String,
    /// Seconds within which the socket must be opened.
    expires_in: i64,
}

/// A ticket for one socket of this log-in: for pages and apps that can put no header on a socket.
#[utoipa::path(post, path = "/v1/login/tickets", tag = "login", operation_id = "make_socket_ticket", responses(
    (status = 201, body = SocketTicket, description = "Good once"),
    Problem,
))]
async fn make_ticket(State(app): State<App>, actor: Actor) -> Result<Created<SocketTicket>> {
    Ok(Created(SocketTicket { ticket: tickets::make(&app, &actor)?, expires_in: tokens::TICKET_SECS }))
}

/// One's own log-ins, newest first.
#[utoipa::path(get, path = "/v1/sessions", tag = "login", operation_id = "list_sessions", params(PageQuery), responses(
    (status = 200, body = Page<SessionView>, description = "The log-ins that last"),
    Problem,
))]
async fn list_sessions(
    State(app): State<App>,
    actor: Actor,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<SessionView>>> {
    queries::sessions_of(&app, &actor, &page).await.map(Json)
}

/// Routes of signing in and out.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ask_code))
        .routes(routes!(log_in))
        .routes(routes!(refresh))
        .routes(routes!(make_ticket))
        .routes(routes!(log_out))
        .routes(routes!(log_out_everywhere))
        .routes(routes!(list_sessions))
}
