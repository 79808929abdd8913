//! Lists over HTTP.
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;

use super::{
    commands::{self, PutRow, StartChain},
    queries::{self, ChainView},
};
use crate::{
    actor::Actor,
    app::{App, Created, Input, Path, Query, routes},
    error::{Problem, Result},
    ids::StreamId,
    streams::commands::{RecallMessage, Sent},
    table::Format,
};

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(start_chain))
        .routes(routes!(read_chain))
        .routes(routes!(put_chain_row, remove_chain_row))
        .routes(routes!(close_chain))
        .routes(routes!(export_chain))
        .routes(routes!(recall_message))
}

/// Start a list in a conversation.
#[utoipa::path(post, path = "/v1/streams/{stream_id}/chains", tag = "chains", operation_id = "start_chain",
    request_body = StartChain, params(("stream_id" = String, Path, description = "The stream")),
    responses((status = 201, body = Sent, description = "Started; its place"), Problem))]
async fn start_chain(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<StreamId>,
    Input(input): Input<StartChain>,
) -> Result<Created<Sent>> {
    let words = app.words.clone();
    let start =
        app.store.write(move |tx| Box::pin(async move { commands::start(tx, &words, &actor, (id, input)).await }));
    start.await.map(Created)
}

/// A list with its rows.
#[utoipa::path(get, path = "/v1/streams/{stream_id}/chains/{seq}", tag = "chains", operation_id = "read_chain",
    params(("stream_id" = String, Path, description = "The stream"), ("seq" = i64, Path, description = "The list")),
    responses((status = 200, body = ChainView, description = "The list"), Problem))]
async fn read_chain(
    State(app): State<App>,
    actor: Actor,
    Path(place): Path<(StreamId, i64)>,
) -> Result<Json<ChainView>> {
    queries::view(&app, &actor, place).await.map(Json)
}

/// Add the own row to a list, or change it.
#[utoipa::path(put, path = "/v1/streams/{stream_id}/chains/{seq}/row", tag = "chains", operation_id = "put_chain_row",
    request_body = PutRow,
    params(("stream_id" = String, Path, description = "The stream"), ("seq" = i64, Path, description = "The list")),
    responses((status = 200, body = Sent, description = "It stands; `dup` when it stood like that already"), Problem))]
async fn put_chain_row(
    State(app): State<App>,
    actor: Actor,
    Path((id, seq)): Path<(StreamId, i64)>,
    Input(input): Input<PutRow>,
) -> Result<Json<Sent>> {
    let words = app.words.clone();
    app.store
        .write(move |tx| Box::pin(async move { commands::put_row(tx, &words, &actor, (id, seq, input)).await }))
        .await
        .map(Json)
}

/// Take the own row away.
#[utoipa::path(delete, path = "/v1/streams/{stream_id}/chains/{seq}/row", tag = "chains",
    operation_id = "remove_chain_row",
    params(("stream_id" = String, Path, description = "The stream"), ("seq" = i64, Path, description = "The list")),
    responses((status = 204, description = "Gone"), Problem))]
async fn remove_chain_row(
    State(app): State<App>,
    actor: Actor,
    Path(place): Path<(StreamId, i64)>,
) -> Result<StatusCode> {
    app.store.write(move |tx| Box::pin(async move { commands::remove_row(tx, &actor, place).await })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Close a list.
#[utoipa::path(post, path = "/v1/streams/{stream_id}/chains/{seq}/close", tag = "chains", operation_id = "close_chain",
    params(("stream_id" = String, Path, description = "The stream"), ("seq" = i64, Path, description = "The list")),
    responses((status = 204, description = "Closed"), Problem))]
async fn close_chain(State(app): State<App>, actor: Actor, Path(place): Path<(StreamId, i64)>) -> Result<StatusCode> {
    app.store.write(move |tx| Box::pin(async move { commands::close(tx, &actor, place).await })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// As what a list is sent.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// `csv` when absent.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

/// A list as a table with full names, for who started it.
#[utoipa::path(get, path = "/v1/streams/{stream_id}/chains/{seq}/export", tag = "chains",
    operation_id = "export_chain",
    params(("stream_id" = String, Path, description = "The stream"), ("seq" = i64, Path, description = "The list"),
        ExportQuery),
    responses((status = 200, description = "A table", content((String = "text/csv"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))), Problem))]
async fn export_chain(
    State(app): State<App>,
    actor: Actor,
    Path(place): Path<(StreamId, i64)>,
    Query(query): Query<ExportQuery>,
) -> Result<Response> {
    let table = queries::export(app.store.read(), &actor, (place, query.format)).await?;
    Ok((query.format.headers(), table).into_response())
}

/// Take back the own message or list within two minutes; who leads the conversation takes away any, with a reason.
#[utoipa::path(post, path = "/v1/streams/{stream_id}/messages/{seq}/recall", tag = "streams",
    operation_id = "recall_message", request_body = RecallMessage,
    params(("stream_id" = String, Path, description = "The stream"), ("seq" = i64, Path, description = "The message")),
    responses((status = 200, body = Sent, description = "Gone everywhere; the place of the recall"), Problem))]
async fn recall_message(
    State(app): State<App>,
    actor: Actor,
    Path((id, seq)): Path<(StreamId, i64)>,
    Input(input): Input<RecallMessage>,
) -> Result<Json<Sent>> {
    app.store
        .write(move |tx| Box::pin(async move { commands::take_back(tx, &actor, (id, seq, input)).await }))
        .await
        .map(Json)
}
