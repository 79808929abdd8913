//! REST over streams: everything the socket does, for clients that cannot hold one.
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::{
    commands::{self, PinMessage, Sent, SetOptions},
    queries::{self, EntryView, Found, Have, Missed, Page, Reader, Receipts, Search, Span, StreamList},
};
use crate::{
    actor::Actor,
    app::{App, Created, Input, Path, Query, routes},
    error::{Code, Problem, Result},
    ids::StreamId,
};

/// The routes of streams.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_streams, sync_streams))
        .routes(routes!(list_entries))
        .routes(routes!(move_cursor))
        .routes(routes!(mark_received))
        .routes(routes!(pin_message))
        .routes(routes!(read_receipts))
        .routes(routes!(list_members))
        .routes(routes!(set_stream_options))
        .routes(routes!(open_contact))
        .routes(routes!(search_streams))
}

/// Which page of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The `cursor` of the answer before: goes on, or says what changed since; absent: from the beginning.
    cursor: Option<String>,
}

#[utoipa::path(get, path = "/v1/sync", tag = "streams", operation_id = "list_streams", params(ListQuery),
    responses((status = 200, body = StreamList, description = "The streams of the home page, with unread counts"),
        Problem))]
async fn list_streams(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<ListQuery>,
) -> Result<Json<StreamList>> {
    queries::page(&app, &actor, query.cursor.as_deref()).await.map(Json)
}

/// What a device missed. However far behind it is, it holds what the server holds once it has taken this in.
#[utoipa::path(post, path = "/v1/sync", tag = "streams", operation_id = "sync_streams", request_body = Have,
    responses((status = 200, body = Missed, description = "What the device missed; streams it may not read are left out"),
        Problem))]
async fn sync_streams(State(app): State<App>, actor: Actor, Input(input): Input<Have>) -> Result<Json<Missed>> {
    queries::missed(&app, &actor, input).await.map(Json)
}

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntriesQuery {
    /// Those that follow this seq.
    after: Option<i64>,
    /// The newest before this seq; the newest of all when nothing is given.
    before: Option<i64>,
    /// Those on both sides of the one with this `no`, which is among them.
    around_no: Option<i64>,
    /// 1 to 100; 50 when absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
}

/// Entries of a stream.
#[derive(Serialize, ToSchema)]
struct EntryList {
    /// Oldest first.
    entries: Vec<EntryView>,
    /// They are at least as new as this seq: what came up to it is shown in them.
    as_of: i64,
}

#[utoipa::path(get, path = "/v1/streams/{stream_id}/entries", tag = "streams", operation_id = "list_entries",
    params(("stream_id" = String, Path, description = "The stream"), EntriesQuery),
    responses((status = 200, body = EntryList, description = "Entries, oldest first"), Problem))]
async fn list_entries(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<StreamId>,
    Query(query): Query<EntriesQuery>,
) -> Result<Json<EntryList>> {
    let limit = query.limit.unwrap_or(50);
    if !(1..=100).contains(&limit) {
        return Err(Code::InvalidCursor.into());
    }
    let span = match (query.after, query.before, query.around_no) {
        (None, None, None) => Span::Before(i64::MAX),
        (Some(seq), None, None) => Span::After(seq),
        (None, Some(seq), None) => Span::Before(seq),
        (None, None, Some(no)) => Span::Around(no),
        _ => return Err(Code::InvalidCursor.into()),
    };
    // the position first: what comes while the entries are read is told again, never missed
    let (stream, _) = queries::readable(app.store.read(), &actor, id).await?;
    let entries = queries::entries(&app, id, span, limit).await?;
    Ok(Json(EntryList { entries, as_of: stream.last_seq }))
}

/// How far a person has read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MoveCursor {
    /// Up to this seq.
    seq: i64,
}

#[utoipa::path(put, path = "/v1/streams/{stream_id}/cursor", tag = "streams", operation_id = "move_cursor",
    params(("stream_id" = String, Path, description = "The stream")), request_body = MoveCursor,
    responses((status = 204, description = "Read up to there; a smaller seq changes nothing"), Problem))]
async fn move_cursor(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<StreamId>,
    Input(input): Input<MoveCursor>,
) -> Result<StatusCode> {
    app.store.write(move |tx| Box::pin(async move { commands::read(tx, &actor, id, input.seq).await })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How far a device has received.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MarkReceived {
    /// It has everything up to this seq.
    seq: i64,
}

/// Acknowledge what a device has received, at most every five seconds for a stream. Whoever neither read nor received
/// something important may be told another way.
#[utoipa::path(put, path = "/v1/streams/{stream_id}/received", tag = "streams", operation_id = "mark_received",
    params(("stream_id" = String, Path, description = "The stream")), request_body = MarkReceived,
    responses((status = 204, description = "Received up to there; a smaller seq changes nothing"), Problem))]
async fn mark_received(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<StreamId>,
    Input(input): Input<MarkReceived>,
) -> Result<StatusCode> {
    // most phones say what is known already, which costs no turn among those who write
    if queries::one(&app, &actor, id).await?.received_seq < input.seq {
        app.store.write(move |tx| Box::pin(async move { commands::receive(tx, &actor, id, input.seq).await })).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Pin a message for everybody, or take the pin out.
#[utoipa::path(post, path = "/v1/streams/{stream_id}/messages/{seq}/pin", tag = "streams",
    operation_id = "pin_message", request_body = PinMessage,
    params(("stream_id" = String, Path, description = "The stream"), ("seq" = i64, Path, description = "The message")),
    responses((status = 200, body = Sent, description = "As asked; the place of the change"), Problem))]
async fn pin_message(
    State(app): State<App>,
    actor: Actor,
    Path((id, seq)): Path<(StreamId, i64)>,
    Input(input): Input<PinMessage>,
) -> Result<Json<Sent>> {
    app.store
        .write(move |tx| Box::pin(async move { commands::pin(tx, &actor, (id, seq, input)).await }))
        .await
        .map(Json)
}

/// How many have read up to here; who has not, for who leads the conversation.
#[utoipa::path(get, path = "/v1/streams/{stream_id}/messages/{seq}/receipts", tag = "streams",
    operation_id = "read_receipts",
    params(("stream_id" = String, Path, description = "The stream"), ("seq" = i64, Path, description = "The entry"), Page),
    responses((status = 200, body = Receipts, description = "Read, of how many"), Problem))]
async fn read_receipts(
    State(app): State<App>,
    actor: Actor,
    Path((id, seq)): Path<(StreamId, i64)>,
    Query(page): Query<Page>,
) -> Result<Json<Receipts>> {
    queries::receipts(&app, &actor, (id, seq, page)).await.map(Json)
}

/// Who belongs to a conversation.
#[derive(Serialize, ToSchema)]
struct MemberList {
    /// In the order in which they came.
    members: Vec<Reader>,
}

/// Who belongs to a group, a forum or an office.
#[utoipa::path(get, path = "/v1/streams/{stream_id}/members", tag = "streams", operation_id = "list_members",
    params(("stream_id" = String, Path, description = "The stream")),
    responses((status = 200, body = MemberList, description = "Who belongs to it"), Problem))]
async fn list_members(State(app): State<App>, actor: Actor, Path(id): Path<StreamId>) -> Result<Json<MemberList>> {
    Ok(Json(MemberList { members: queries::members(&app, &actor, id).await? }))
}

/// A conversation to open.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OpenContact {}

/// Where to talk.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
struct Contact {
    /// The stream.
    stream_id: StreamId,
}

/// The caller's conversation with the office of the own village; the same one each time.
#[utoipa::path(post, path = "/v1/contacts", tag = "streams", operation_id = "open_contact", request_body = OpenContact,
    responses((status = 201, body = Contact, description = "The conversation"), Problem))]
async fn open_contact(
    State(app): State<App>,
    actor: Actor,
    Input(OpenContact {}): Input<OpenContact>,
) -> Result<Created<Contact>> {
    let opened = app.store.write(move |tx| Box::pin(async move { commands::open_contact(tx, &actor).await })).await;
    opened.map(|stream_id| Created(Contact { stream_id }))
}

/// Keep a conversation on top of the own list, or quiet.
#[utoipa::path(put, path = "/v1/streams/{stream_id}/options", tag = "streams", operation_id = "set_stream_options",
    request_body = SetOptions, params(("stream_id" = String, Path, description = "The stream")),
    responses((status = 204, description = "As asked"), Problem))]
async fn set_stream_options(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<StreamId>,
    Input(options): Input<SetOptions>,
) -> Result<StatusCode> {
    app.store.write(move |tx| Box::pin(async move { commands::set_options(tx, &actor, id, options).await })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was found.
#[derive(Serialize, ToSchema)]
struct FoundList {
    /// Newest first, 50 at most.
    found: Vec<Found>,
}

/// Find words in one's own conversations. What is looked for is no part of an address.
#[utoipa::path(post, path = "/v1/search", tag = "streams", operation_id = "search_streams", request_body = Search,
    responses((status = 200, body = FoundList, description = "Where the words stand"), Problem))]
async fn search_streams(State(app): State<App>, actor: Actor, Input(input): Input<Search>) -> Result<Json<FoundList>> {
    Ok(Json(FoundList { found: queries::search(&app, &actor, &input).await? }))
}
