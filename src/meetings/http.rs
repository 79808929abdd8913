//! Routes of meetings.
use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;

use super::{
    commands::{self, Attend, CallMeeting, CancelMeeting, ChangeList, TakeMinutes},
    queries::{self, AttendanceView, DoorCodeView, MeetingDetail, MeetingView},
};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, Query, routes},
    error::{Problem, Result},
    ids::MeetingId,
    page::{Page, PageQuery},
    people::Visitor,
};

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(call_meeting, list_meetings))
        .routes(routes!(read_meeting))
        .routes(routes!(sign_in))
        .routes(routes!(take_minutes))
        .routes(routes!(cancel_meeting))
        .routes(routes!(read_door_code))
        .routes(routes!(change_meeting_list))
}

/// Whose meetings.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MeetingsQuery {
    /// Code of the area.
    area: String,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// Rows wanted, 1 to 100.
    limit: Option<u64>,
}

/// Call a meeting.
#[utoipa::path(post, path = "/v1/meetings", tag = "meetings", operation_id = "call_meeting", request_body = CallMeeting,
    responses((status = 201, body = MeetingView, description = "The meeting"), Problem))]
async fn call_meeting(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<CallMeeting>,
) -> Result<Created<MeetingView>> {
    app.once(actor, key, "call_meeting", input, |tx, actor, input| Box::pin(commands::call(tx, actor, input)))
        .await
        .map(Created)
}

/// Meetings of an area with their minutes, the latest first. Public.
#[utoipa::path(get, path = "/v1/meetings", tag = "meetings", operation_id = "list_meetings", params(MeetingsQuery),
    responses((status = 200, body = Page<MeetingView>, description = "One page"), Problem))]
async fn list_meetings(State(app): State<App>, Query(which): Query<MeetingsQuery>) -> Result<Json<Page<MeetingView>>> {
    let page = PageQuery { cursor: which.cursor, limit: which.limit };
    queries::list(app.store.read(), &which.area, &page).await.map(Json)
}

/// One meeting with its minutes. Public; who was there is for seat holders.
#[utoipa::path(get, path = "/v1/meetings/{id}", tag = "meetings", operation_id = "read_meeting",
    params(("id" = MeetingId, Path)),
    responses((status = 200, body = MeetingDetail, description = "The meeting"), Problem))]
async fn read_meeting(
    State(app): State<App>,
    Visitor(asker): Visitor,
    Path(id): Path<MeetingId>,
) -> Result<Json<MeetingDetail>> {
    queries::detail(app.store.read(), asker.as_ref(), id).await.map(Json)
}

/// Sign in, or sign somebody in from the sheet of paper.
#[utoipa::path(post, path = "/v1/meetings/{id}/attendances", tag = "meetings", operation_id = "sign_in_to_meeting",
    params(("id" = MeetingId, Path)), request_body = Attend,
    responses((status = 201, body = AttendanceView, description = "The sign-in; the first one when there was one"),
        Problem))]
async fn sign_in(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MeetingId>,
    Input(input): Input<Attend>,
) -> Result<Created<AttendanceView>> {
    app.once(actor, key, "sign_in_to_meeting", (id, input), |tx, actor, input| {
        Box::pin(commands::sign_in(tx, actor, input))
    })
    .await
    .map(Created)
}

/// Take the minutes: the meeting was held.
#[utoipa::path(post, path = "/v1/meetings/{id}/minutes", tag = "meetings", operation_id = "take_minutes",
    params(("id" = MeetingId, Path)), request_body = TakeMinutes,
    responses((status = 201, body = MeetingView, description = "The meeting with its minutes"), Problem))]
async fn take_minutes(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MeetingId>,
    Input(input): Input<TakeMinutes>,
) -> Result<Created<MeetingView>> {
    app.once(actor, key, "take_minutes", (id, input), |tx, actor, input| {
        Box::pin(commands::take_minutes(tx, actor, input))
    })
    .await
    .map(Created)
}

/// Call a meeting off.
#[utoipa::path(post, path = "/v1/meetings/{id}/cancel", tag = "meetings", operation_id = "cancel_meeting",
    params(("id" = MeetingId, Path)), request_body = CancelMeeting,
    responses((status = 200, body = MeetingView, description = "The meeting"), Problem))]
async fn cancel_meeting(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MeetingId>,
    Input(input): Input<CancelMeeting>,
) -> Result<Json<MeetingView>> {
    app.once(actor, key, "cancel_meeting", (id, input), |tx, actor, input| Box::pin(commands::cancel(tx, actor, input)))
        .await
        .map(Json)
}

/// What the screen at the door shows, for who holds the meeting; every half minute another.
#[utoipa::path(get, path = "/v1/meetings/{id}/door", tag = "meetings", operation_id = "read_door_code",
    params(("id" = MeetingId, Path)),
    responses((status = 200, body = DoorCodeView, description = "The code"), Problem))]
async fn read_door_code(State(app): State<App>, actor: Actor, Path(id): Path<MeetingId>) -> Result<Json<DoorCodeView>> {
    queries::door_code(&app, &actor, id).await.map(Json)
}

/// Write down who came to the body or left it since the meeting was called.
#[utoipa::path(post, path = "/v1/meetings/{id}/list", tag = "meetings", operation_id = "change_meeting_list",
    params(("id" = MeetingId, Path)), request_body = ChangeList,
    responses((status = 200, body = MeetingView, description = "The meeting"), Problem))]
async fn change_meeting_list(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MeetingId>,
    Input(input): Input<ChangeList>,
) -> Result<Json<MeetingView>> {
    let changed = app.once(actor, key, "change_meeting_list", (id, input), |tx, actor, input| {
        Box::pin(commands::change_list(tx, actor, input))
    });
    changed.await.map(Json)
}
