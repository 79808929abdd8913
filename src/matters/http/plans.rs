//! Routes of a matter's plan, of who answers for it and what it may cost, of a step that is held up, of the households drawn
//! for its visits, and of what turns out to be reserved to the assembly.
use axum::{Json, extract::State};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, Query, routes},
    error::{Problem, Result},
    forms::queries::SampleView,
    ids::MatterId,
    matters::{
        commands::{self, DescribeMatter, DrawSample, HaltMatter, LiftHalt, MarkReserved, WritePlan},
        queries::{self, MatterView, PlanQuery, PlanView},
    },
};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_plan, write_plan))
        .routes(routes!(describe_matter))
        .routes(routes!(halt_matter))
        .routes(routes!(lift_halt))
        .routes(routes!(draw_sample))
        .routes(routes!(mark_reserved))
}

/// What is to be done about a matter, and what changed with that version.
#[utoipa::path(get, path = "/v1/matters/{id}/plan", tag = "matters", operation_id = "read_plan",
    params(("id" = MatterId, Path), PlanQuery),
    responses((status = 200, body = PlanView, description = "One version; for everybody"), Problem))]
async fn read_plan(
    State(app): State<App>,
    Path(id): Path<MatterId>,
    Query(query): Query<PlanQuery>,
) -> Result<Json<PlanView>> {
    queries::plan(app.store.read(), (id, query.version)).await.map(Json)
}

/// Write the next version of what is to be done.
#[utoipa::path(post, path = "/v1/matters/{id}/plan", tag = "matters", operation_id = "write_plan",
    params(("id" = MatterId, Path)), request_body = WritePlan,
    responses((status = 201, body = PlanView, description = "The newest version"), Problem))]
async fn write_plan(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
    Input(input): Input<WritePlan>,
) -> Result<Created<PlanView>> {
    let written = app.once(actor, key, "write_plan", (id, input), |tx, actor, input| {
        Box::pin(commands::write_plan(tx, actor, input))
    });
    written.await.map(Created)
}

/// Say who answers for a matter and what it may cost, and add photos.
#[utoipa::path(post, path = "/v1/matters/{id}/particulars", tag = "matters", operation_id = "describe_matter",
    params(("id" = MatterId, Path)), request_body = DescribeMatter,
    responses((status = 200, body = MatterView, description = "The matter; what was not named stayed as it was"),
        Problem))]
async fn describe_matter(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
    Input(input): Input<DescribeMatter>,
) -> Result<Json<MatterView>> {
    let described = app.once(actor, key, "describe_matter", (id, input), |tx, actor, input| {
        Box::pin(commands::describe(tx, actor, input))
    });
    described.await.map(Json)
}

/// Hold up the present step, for the supervision committee.
#[utoipa::path(post, path = "/v1/matters/{id}/halt", tag = "matters", operation_id = "halt_matter",
    params(("id" = MatterId, Path)), request_body = HaltMatter,
    responses((status = 200, body = MatterView, description = "Held up until then"), Problem))]
async fn halt_matter(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
    Input(input): Input<HaltMatter>,
) -> Result<Json<MatterView>> {
    let halted =
        app.once(actor, key, "halt_matter", (id, input), |tx, actor, input| Box::pin(commands::halt(tx, actor, input)));
    halted.await.map(Json)
}

/// Let it go on before its time.
#[utoipa::path(post, path = "/v1/matters/{id}/halt/end", tag = "matters", operation_id = "lift_halt",
    params(("id" = MatterId, Path)), request_body = LiftHalt,
    responses((status = 200, body = MatterView, description = "It goes on"), Problem))]
async fn lift_halt(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
    Input(input): Input<LiftHalt>,
) -> Result<Json<MatterView>> {
    let lifted = app
        .once(actor, key, "lift_halt", (id, input), |tx, actor, input| Box::pin(commands::lift_halt(tx, actor, input)));
    lifted.await.map(Json)
}

/// Draw the households that are visited at the review, those who objected first.
#[utoipa::path(post, path = "/v1/matters/{id}/sample", tag = "matters", operation_id = "draw_sample",
    params(("id" = MatterId, Path)), request_body = DrawSample,
    responses((status = 201, body = Vec<SampleView>, description = "The households, in the order in which they were drawn"),
        Problem))]
async fn draw_sample(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
    Input(input): Input<DrawSample>,
) -> Result<Created<Vec<SampleView>>> {
    let drawn = app.once(actor, key, "draw_sample", (id, input), |tx, actor, input| {
        Box::pin(commands::draw_sample(tx, actor, input))
    });
    drawn.await.map(Created)
}

/// Say that it is one of the items that the law reserves to the villagers' assembly, for legal officers and supervisors.
#[utoipa::path(post, path = "/v1/matters/{id}/reserved", tag = "matters", operation_id = "mark_reserved",
    params(("id" = MatterId, Path)), request_body = MarkReserved,
    responses((status = 200, body = MatterView, description = "The matter"), Problem))]
async fn mark_reserved(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
    Input(input): Input<MarkReserved>,
) -> Result<Json<MatterView>> {
    let marked = app.once(actor, key, "mark_reserved", (id, input), |tx, actor, input| {
        Box::pin(commands::mark_reserved(tx, actor, input))
    });
    marked.await.map(Json)
}
