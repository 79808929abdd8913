//! Guests over HTTP. A claim code comes in the body, never in an address.
use std::net::IpAddr;

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Request, State},
    http::{StatusCode, request::Parts},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use super::commands::{self, AskGuestCode, GuestVoice, LeaveGuestVoice, RecordGuestVoice, TakeDownVoice};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, client_address, routes},
    error::{Error, Problem, Result},
    ids::PersonId,
    streams::EntryView,
    suggestions::{RateSuggestion, SuggestionView, withdrawals::WithdrawSuggestion},
};

/// Where a request comes from.
struct From(Option<IpAddr>);

impl FromRequestParts<App> for From {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        Ok(Self(client_address(app, &parts.headers, &parts.extensions)))
    }
}

/// Opens a voice.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReadGuestVoice {
    /// As it was printed.
    claim_code: String,
}

/// Says more.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReplyGuestVoice {
    /// As it was printed.
    claim_code: String,
    /// Made by the client once per message.
    client_id: Uuid,
    /// 1 to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    text: String,
}

/// Rates the answer.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RateGuestVoice {
    /// As it was printed.
    claim_code: String,
    /// 1 (not solved) to 5; 1 and 2 open it again.
    #[schema(minimum = 1, maximum = 5)]
    rating: i32,
    /// Up to 500 characters.
    #[serde(default)]
    #[schema(max_length = 500)]
    text: String,
    /// The answer that it is about: refused where there is a newer one. Absent: the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer_id: Option<Uuid>,
}

/// Takes it back.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WithdrawGuestVoice {
    /// As it was printed.
    claim_code: String,
    /// Up to 500 characters, or nothing.
    #[serde(default)]
    #[schema(max_length = 500)]
    reason: String,
}

/// A voice with its thread.
#[derive(Serialize, ToSchema)]
struct OpenGuestVoice {
    /// The voice with its answers.
    voice: SuggestionView,
    /// What was said, oldest first.
    entries: Vec<EntryView>,
}

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ask_guest_code))
        .routes(routes!(leave_guest_voice))
        .routes(routes!(record_guest_voice))
        .routes(routes!(take_down_voice))
        .routes(routes!(read_guest_voice))
        .routes(routes!(reply_guest_voice))
        .routes(routes!(rate_guest_voice))
        .routes(routes!(withdraw_guest_voice))
}

/// Ask for a code to leave a voice where one is on no roster.
#[utoipa::path(post, path = "/v1/guests/codes", tag = "guests", operation_id = "ask_guest_code",
    request_body = AskGuestCode,
    responses((status = 202, description = "Sent"), Problem))]
async fn ask_guest_code(State(app): State<App>, request: Request) -> Result<StatusCode> {
    let address = client_address(&app, request.headers(), request.extensions());
    let Input(asked) = <Input<AskGuestCode> as FromRequest<App>>::from_request(request, &app).await?;
    commands::ask_code(&app, address, asked).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Leave a private voice; the claim code is shown once.
#[utoipa::path(post, path = "/v1/guests/voices", tag = "guests", operation_id = "leave_guest_voice",
    request_body = LeaveGuestVoice,
    responses((status = 201, body = GuestVoice, description = "Left"), Problem))]
async fn leave_guest_voice(State(app): State<App>, Input(told): Input<LeaveGuestVoice>) -> Result<Created<GuestVoice>> {
    commands::leave(&app, told).await.map(Created)
}

/// Write down the voice of somebody who is there, for a handler.
#[utoipa::path(post, path = "/v1/guests/records", tag = "guests", operation_id = "record_guest_voice",
    request_body = RecordGuestVoice,
    responses((status = 201, body = GuestVoice, description = "Written down; the claim code is for the guest"),
        Problem))]
async fn record_guest_voice(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(said): Input<RecordGuestVoice>,
) -> Result<Created<GuestVoice>> {
    app.once(actor, key, "record_guest_voice", said, |tx, actor, said| Box::pin(commands::record(tx, actor, said)))
        .await
        .map(Created)
}

/// Take down the voice of somebody on the roster, for a handler.
#[utoipa::path(post, path = "/v1/people/{id}/voices", tag = "guests", operation_id = "take_down_voice",
    params(("id" = PersonId, Path)), request_body = TakeDownVoice,
    responses((status = 201, body = GuestVoice, description = "Taken down; the claim code is for its author"),
        Problem))]
async fn take_down_voice(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<PersonId>,
    Input(said): Input<TakeDownVoice>,
) -> Result<Created<GuestVoice>> {
    app.once(actor, key, "take_down_voice", (id, said), |tx, actor, input| {
        Box::pin(commands::take_down(tx, actor, input))
    })
    .await
    .map(Created)
}

/// Open a voice with its claim code.
#[utoipa::path(post, path = "/v1/guests/read", tag = "guests", operation_id = "read_guest_voice",
    request_body = ReadGuestVoice,
    responses((status = 200, body = OpenGuestVoice, description = "The voice"), Problem))]
async fn read_guest_voice(
    State(app): State<App>,
    From(address): From,
    Input(told): Input<ReadGuestVoice>,
) -> Result<Json<OpenGuestVoice>> {
    let (voice, entries) = commands::read(&app, address, &told.claim_code).await?;
    Ok(Json(OpenGuestVoice { voice, entries }))
}

/// Say more.
#[utoipa::path(post, path = "/v1/guests/replies", tag = "guests", operation_id = "reply_guest_voice",
    request_body = ReplyGuestVoice,
    responses((status = 201, description = "Said"), Problem))]
async fn reply_guest_voice(
    State(app): State<App>,
    From(address): From,
    Input(told): Input<ReplyGuestVoice>,
) -> Result<StatusCode> {
    commands::reply(&app, address, &told.claim_code, (told.client_id, told.text)).await?;
    Ok(StatusCode::CREATED)
}

/// Rate the answer.
#[utoipa::path(post, path = "/v1/guests/rating", tag = "guests", operation_id = "rate_guest_voice",
    request_body = RateGuestVoice,
    responses((status = 201, description = "Rated, or opened again"), Problem))]
async fn rate_guest_voice(
    State(app): State<App>,
    From(address): From,
    Input(told): Input<RateGuestVoice>,
) -> Result<StatusCode> {
    let rating = RateSuggestion { rating: told.rating, text: told.text, answer_id: told.answer_id };
    commands::rate(&app, address, &told.claim_code, rating).await?;
    Ok(StatusCode::CREATED)
}

/// Take the voice back: nobody is to deal with it any more, and it stays as it is.
#[utoipa::path(post, path = "/v1/guests/withdraw", tag = "guests", operation_id = "withdraw_guest_voice",
    request_body = WithdrawGuestVoice,
    responses((status = 201, description = "Taken back"), Problem))]
async fn withdraw_guest_voice(
    State(app): State<App>,
    From(address): From,
    Input(told): Input<WithdrawGuestVoice>,
) -> Result<StatusCode> {
    let why = WithdrawSuggestion { reason: told.reason };
    commands::withdraw(&app, address, &told.claim_code, why).await?;
    Ok(StatusCode::CREATED)
}
