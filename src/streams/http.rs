//! REST over streams: everything the socket does, for clients that cannot hold one.
use std::collections::HashMap;

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    commands::{self, PinMessage, RecallMessage, SendMessage, Sent, SetOptions},
    queries::{self, EntryView, Found, Reader, Receipts, Search, Span, StreamView},
};
use crate::{
    actor::Actor,
    app::{App, Created, Input, Path, Query},
    error::{Code, Problem, Result},
    ids::StreamId,
};

const MAX_ENTRIES: u64 = 300;

/// The routes of streams.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_streams, sync_streams))
        .routes(routes!(list_entries))
        .routes(routes!(send_message))
        .routes(routes!(move_cursor))
        .routes(routes!(recall_message))
        .routes(routes!(pin_message))
        .routes(routes!(read_receipts))
        .routes(routes!(list_members))
        .routes(routes!(set_stream_options))
        .routes(routes!(open_contact))
        .routes(routes!(search_streams))
}

/// The list on the home page.
#[derive(Serialize, ToSchema)]
struct StreamList {
    /// Newest first, 128 at most.
    streams: Vec<StreamView>,
}

#[utoipa::path(get, path = "/v1/sync", tag = "streams", operation_id = "list_streams",
    responses((status = 200, body = StreamList, description = "The streams of the home page, with unread counts"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn list_streams(State(app): State<App>, actor: Actor) -> Result<Json<StreamList>> {
    Ok(Json(StreamList { streams: queries::list(&app, &actor).await? }))
}

/// What a device has: for each stream, its epoch and the seq up to which it has everything.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Have {
    /// By stream id.
    have: HashMap<StreamId, Position>,
}

/// A place in a stream.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Position {
    /// As given with the stream.
    epoch: String,
    /// The device has 1 up to this.
    seq: i64,
}

/// What a device missed, by stream id.
#[derive(Serialize, ToSchema)]
struct Missed {
    /// By stream id.
    streams: HashMap<StreamId, MissedEntries>,
}

/// What a device missed in one stream.
#[derive(Serialize, ToSchema)]
struct MissedEntries {
    /// The stream's epoch.
    epoch: String,
    /// Its newest seq.
    last_seq: i64,
    /// Forget what you have: the epoch is another.
    reset: bool,
    /// There is more; ask again from the last one.
    limited: bool,
    /// What follows, oldest first.
    entries: Vec<EntryView>,
}

#[utoipa::path(post, path = "/v1/sync", tag = "streams", operation_id = "sync_streams", request_body = Have,
    responses((status = 200, body = Missed, description = "What the device missed; streams it may not read are left out"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn sync_streams(State(app): State<App>, actor: Actor, Input(input): Input<Have>) -> Result<Json<Missed>> {
    let db = app.store.read();
    let mut left = MAX_ENTRIES;
    let mut streams = HashMap::new();
    for (id, position) in input.have.into_iter().take(128) {
        let Ok((stream, _)) = queries::readable(db, &actor, id).await else { continue };
        let reset = position.epoch != stream.epoch.to_string();
        let from = if reset { 0 } else { position.seq.max(0) };
        let entries = if left == 0 { Vec::new() } else { queries::entries(&app, id, Span::After(from), left).await? };
        left = left.saturating_sub(entries.len() as u64);
        let reached = entries.last().map_or(from, |entry| entry.seq);
        let limited = reached < stream.last_seq;
        streams.insert(
            id,
            MissedEntries { epoch: stream.epoch.to_string(), last_seq: stream.last_seq, reset, limited, entries },
        );
    }
    Ok(Json(Missed { streams }))
}

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntriesQuery {
    /// Those that follow this seq.
    after: Option<i64>,
    /// The newest before this seq; the newest of all when neither is given.
    before: Option<i64>,
    /// 1 to 100; 50 when absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
}

/// Entries of a stream.
#[derive(Serialize, ToSchema)]
struct EntryList {
    /// Oldest first.
    entries: Vec<EntryView>,
}

#[utoipa::path(get, path = "/v1/streams/{stream_id}/entries", tag = "streams", operation_id = "list_entries",
    params(("stream_id" = String, Path, description = "The stream"), EntriesQuery),
    responses((status = 200, body = EntryList, description = "Entries, oldest first"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn list_entries(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<StreamId>,
    Query(query): Query<EntriesQuery>,
) -> Result<Json<EntryList>> {
    let db = app.store.read();
    queries::readable(db, &actor, id).await?;
    let span = query.after.map_or_else(|| Span::Before(query.before.unwrap_or(i64::MAX)), Span::After);
    let limit = query.limit.unwrap_or(50);
    if !(1..=100).contains(&limit) {
        return Err(Code::InvalidCursor.into());
    }
    let entries = queries::entries(&app, id, span, limit).await?;
    Ok(Json(EntryList { entries }))
}

#[utoipa::path(post, path = "/v1/streams/{stream_id}/messages", tag = "streams", operation_id = "send_message",
    params(("stream_id" = String, Path, description = "The stream")), request_body = SendMessage,
    responses((status = 201, body = Sent, description = "Stored; `dup` when it was there already"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn send_message(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<StreamId>,
    Input(message): Input<SendMessage>,
) -> Result<Created<Sent>> {
    app.store
        .write(move |tx| Box::pin(async move { commands::send(tx, &actor, (id, message)).await }))
        .await
        .map(Created)
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
    responses((status = 204, description = "Read up to there; a smaller seq changes nothing"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn move_cursor(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<StreamId>,
    Input(input): Input<MoveCursor>,
) -> Result<StatusCode> {
    app.store.write(move |tx| Box::pin(async move { commands::read(tx, &actor, id, input.seq).await })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take back the own message within two minutes; who leads the conversation takes away any, with a reason.
#[utoipa::path(post, path = "/v1/streams/{stream_id}/messages/{seq}/recall", tag = "streams",
    operation_id = "recall_message", request_body = RecallMessage,
    params(("stream_id" = String, Path, description = "The stream"), ("seq" = i64, Path, description = "The message")),
    responses((status = 200, body = Sent, description = "Gone everywhere; the place of the recall"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn recall_message(
    State(app): State<App>,
    actor: Actor,
    Path((id, seq)): Path<(StreamId, i64)>,
    Input(input): Input<RecallMessage>,
) -> Result<Json<Sent>> {
    app.store
        .write(move |tx| Box::pin(async move { commands::recall(tx, &actor, (id, seq, input)).await }))
        .await
        .map(Json)
}

/// Pin a message for everybody, or take the pin out.
#[utoipa::path(post, path = "/v1/streams/{stream_id}/messages/{seq}/pin", tag = "streams",
    operation_id = "pin_message", request_body = PinMessage,
    params(("stream_id" = String, Path, description = "The stream"), ("seq" = i64, Path, description = "The message")),
    responses((status = 200, body = Sent, description = "As asked; the place of the change"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
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
    params(("stream_id" = String, Path, description = "The stream"), ("seq" = i64, Path, description = "The entry")),
    responses((status = 200, body = Receipts, description = "Read, of how many"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn read_receipts(
    State(app): State<App>,
    actor: Actor,
    Path(place): Path<(StreamId, i64)>,
) -> Result<Json<Receipts>> {
    queries::receipts(&app, &actor, place).await.map(Json)
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
    responses((status = 200, body = MemberList, description = "Who belongs to it"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
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
    responses((status = 201, body = Contact, description = "The conversation"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
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
    responses((status = 204, description = "As asked"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
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
    responses((status = 200, body = FoundList, description = "Where the words stand"),
        (status = "default", body = Problem, description = "Refused", content_type = "application/problem+json")))]
async fn search_streams(State(app): State<App>, actor: Actor, Input(input): Input<Search>) -> Result<Json<FoundList>> {
    Ok(Json(FoundList { found: queries::search(&app, &actor, &input).await? }))
}
