//! Bodies over HTTP: offices set them up, everybody sees who sits where.
use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::router::OpenApiRouter;

use super::{
    commands::{self, By, FoundBody, OpenTerm, TakeSeat},
    duty::{self, DutyView, SetDuty},
    elections::{self, ElectionView, SetElection, TermHistory},
    grid::{self, SeatGroups},
    mandates::{self, EndMandate, GiveMandate},
    members::{self, BodyMemberView, EnterMember},
    queries::{self, Body, BodyView, Mandate, SeatView, TermView},
    register::{self, ChangeRegister, RegisterChanged, RegisterView},
    registration::{self, SetRegistration},
    room::{self, RoomView, SetRoom},
    service::{self, ServiceGroup},
};
use crate::{
    actor::Actor,
    app::{App, Cached, Created, IdempotencyKey, Input, Path, Seen, routes},
    error::{Problem, Result},
    ids::{BodyId, MandateId, PersonId, SeatId, TermId},
    page::Page,
};

mod council;
mod recommendations;

/// A seat that ends must not stand on a kept page for long.
const KEPT_SECS: u32 = 60;

/// Founds a body.
#[utoipa::path(post, path = "/v1/bodies", tag = "bodies", operation_id = "found_body", request_body = FoundBody, responses(
    (status = 201, body = BodyView, description = "Founded"),
    Problem,
))]
async fn found_body(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<FoundBody>,
) -> Result<Created<BodyView>> {
    let run = app.once(actor, key, "found_body", input, |tx, actor, input| {
        Box::pin(commands::found_body(tx, By::Actor(actor), input))
    });
    run.await.map(Created)
}

/// Opens a term of a body.
#[utoipa::path(post, path = "/v1/bodies/{id}/terms", tag = "bodies", operation_id = "open_term",
    params(("id" = BodyId, Path, description = "The body")), request_body = OpenTerm, responses(
    (status = 201, body = TermView, description = "Opened"),
    Problem,
))]
async fn open_term(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<BodyId>,
    Input(input): Input<OpenTerm>,
) -> Result<Created<TermView>> {
    let run = app.once(actor, key, "open_term", (id, input), |tx, actor, input| {
        Box::pin(commands::open_term(tx, By::Actor(actor), input))
    });
    run.await.map(Created)
}

/// The terms of a body: who sat in them, and the election that follows, for everybody.
#[utoipa::path(get, path = "/v1/bodies/{id}/terms", tag = "bodies", operation_id = "list_terms",
    params(("id" = BodyId, Path, description = "The body")), responses(
    (status = 200, body = Vec<TermHistory>, description = "The newest first"),
    Problem,
))]
async fn list_terms(State(app): State<App>, Path(id): Path<BodyId>) -> Result<Json<Vec<TermHistory>>> {
    elections::history(app.store.read(), id).await.map(Json)
}

/// Moves the days of the election that follows a term, or says that a step is done.
#[utoipa::path(put, path = "/v1/terms/{id}/election", tag = "bodies", operation_id = "set_election",
    request_body = SetElection, params(("id" = TermId, Path, description = "The term that ends")), responses(
    (status = 200, body = ElectionView, description = "As it is now"),
    Problem,
))]
async fn set_election(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<TermId>,
    Input(input): Input<SetElection>,
) -> Result<Json<ElectionView>> {
    app.store.write(move |tx| Box::pin(async move { elections::set(tx, &actor, (id, input)).await })).await.map(Json)
}

/// Writes down under which number a body is registered, the form of a council, and its start-up grant.
#[utoipa::path(put, path = "/v1/bodies/{id}/registration", tag = "bodies", operation_id = "set_registration",
    params(("id" = BodyId, Path, description = "The body")), request_body = SetRegistration, responses(
    (status = 200, body = Body, description = "As it is now"),
    Problem,
))]
async fn set_registration(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<BodyId>,
    Input(input): Input<SetRegistration>,
) -> Result<Json<Body>> {
    let set = app
        .store
        .write(move |tx| Box::pin(async move { registration::set_registration(tx, &actor, (id, input)).await }));
    set.await.map(Json)
}

/// Fills a seat.
#[utoipa::path(post, path = "/v1/bodies/{id}/seats", tag = "bodies", operation_id = "take_seat",
    params(("id" = BodyId, Path, description = "The body")), request_body = TakeSeat, responses(
    (status = 201, body = SeatView, description = "Filled"),
    Problem,
))]
async fn take_seat(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<BodyId>,
    Input(input): Input<TakeSeat>,
) -> Result<Created<SeatView>> {
    let run = app.once(actor, key, "take_seat", (id, input), |tx, actor, input| {
        Box::pin(commands::take_seat(tx, By::Actor(actor), input))
    });
    run.await.map(Created)
}

/// Ends a seat at once; its rights end within seconds.
#[utoipa::path(post, path = "/v1/seats/{id}/end", tag = "bodies", operation_id = "end_seat",
    params(("id" = SeatId, Path, description = "The seat")), responses(
    (status = 200, body = SeatView, description = "Ended"),
    Problem,
))]
async fn end_seat(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SeatId>,
) -> Result<Json<SeatView>> {
    let run =
        app.once(actor, key, "end_seat", id, |tx, actor, id| Box::pin(commands::end_seat(tx, By::Actor(actor), id)));
    run.await.map(Json)
}

/// Records a mandate.
#[utoipa::path(post, path = "/v1/mandates", tag = "bodies", operation_id = "give_mandate", request_body = GiveMandate, responses(
    (status = 201, body = Mandate, description = "Recorded"),
    Problem,
))]
async fn give_mandate(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<GiveMandate>,
) -> Result<Created<Mandate>> {
    let run = app
        .once(actor, key, "give_mandate", input, |tx, actor, input| Box::pin(mandates::give_mandate(tx, actor, input)));
    run.await.map(Created)
}

/// Ends a mandate before its time, with the reason.
#[utoipa::path(post, path = "/v1/mandates/{id}/end", tag = "bodies", operation_id = "end_mandate",
    request_body = EndMandate, params(("id" = MandateId, Path, description = "The mandate")), responses(
    (status = 200, body = Mandate, description = "Ended; what was done by it stays"),
    Problem,
))]
async fn end_mandate(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MandateId>,
    Input(input): Input<EndMandate>,
) -> Result<Json<Mandate>> {
    let run = app.once(actor, key, "end_mandate", (id, input), |tx, actor, input| {
        Box::pin(mandates::end_mandate(tx, actor, input))
    });
    run.await.map(Json)
}

/// The bodies of an area and who sits in them, for everybody. Never more than one page.
#[utoipa::path(get, path = "/v1/areas/{code}/bodies", tag = "bodies", operation_id = "list_bodies",
    params(("code" = String, Path, description = "Code of the area")), responses(
    (status = 200, body = Page<BodyView>, description = "The bodies, with an ETag"),
    (status = 304, description = "As the caller has seen it"),
    Problem,
))]
async fn list_bodies(State(app): State<App>, seen: Seen, Path(code): Path<String>) -> Result<Cached<Page<BodyView>>> {
    let items = queries::bodies_in(app.store.read(), &code, app.now()).await?;
    Ok(Cached { seen, value: Page { items, next_cursor: None }, secs: KEPT_SECS })
}

/// Whether an office is on duty. Asked for, never sent.
#[utoipa::path(get, path = "/v1/bodies/{id}/duty", tag = "bodies", operation_id = "read_duty",
    params(("id" = BodyId, Path, description = "The body")), responses(
    (status = 200, body = DutyView, description = "Whether somebody answers now, and until when"),
    Problem,
))]
async fn read_duty(State(app): State<App>, _: Actor, Path(id): Path<BodyId>) -> Result<Json<DutyView>> {
    queries::get(app.store.read(), id).await?;
    duty::on_duty(app.store.read(), id, app.now()).await.map(Json)
}

/// The asker's seat goes on duty, or off.
#[utoipa::path(put, path = "/v1/bodies/{id}/duty", tag = "bodies", operation_id = "set_duty", request_body = SetDuty,
    params(("id" = BodyId, Path, description = "The body")), responses(
    (status = 200, body = DutyView, description = "As it is now"),
    Problem,
))]
async fn set_duty(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<BodyId>,
    Input(input): Input<SetDuty>,
) -> Result<Json<DutyView>> {
    app.store.write(move |tx| Box::pin(async move { duty::set(tx, &actor, (id, input)).await })).await.map(Json)
}

/// Where somebody of an office listens in person, when, and who is there.
#[utoipa::path(get, path = "/v1/bodies/{id}/room", tag = "bodies", operation_id = "read_room",
    params(("id" = BodyId, Path, description = "The body")), responses(
    (status = 200, body = RoomView, description = "The room; without a place when there is none; for everybody"),
    Problem,
))]
async fn read_room(State(app): State<App>, Path(id): Path<BodyId>) -> Result<Json<RoomView>> {
    room::of(app.store.read(), id, app.now()).await.map(Json)
}

/// Says where the room of an office is, when it is open, and who is there on which day.
#[utoipa::path(put, path = "/v1/bodies/{id}/room", tag = "bodies", operation_id = "set_room", request_body = SetRoom,
    params(("id" = BodyId, Path, description = "The body")), responses(
    (status = 200, body = RoomView, description = "As it is now"),
    Problem,
))]
async fn set_room(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<BodyId>,
    Input(input): Input<SetRoom>,
) -> Result<Json<RoomView>> {
    app.store.write(move |tx| Box::pin(async move { room::set(tx, &actor, (id, input)).await })).await.map(Json)
}

/// Says which villagers' groups a grid worker looks after.
#[utoipa::path(put, path = "/v1/seats/{id}/groups", tag = "bodies", operation_id = "set_seat_groups",
    request_body = SeatGroups, params(("id" = SeatId, Path, description = "The seat")), responses(
    (status = 200, body = SeatGroups, description = "As it is now"),
    Problem,
))]
async fn set_seat_groups(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<SeatId>,
    Input(input): Input<SeatGroups>,
) -> Result<Json<SeatGroups>> {
    app.store.write(move |tx| Box::pin(async move { grid::set_groups(tx, &actor, (id, input)).await })).await.map(Json)
}

/// Says in which service group a member of a council works.
#[utoipa::path(put, path = "/v1/seats/{id}/service-group", tag = "bodies", operation_id = "set_service_group",
    request_body = ServiceGroup, params(("id" = SeatId, Path, description = "The seat")), responses(
    (status = 200, body = SeatView, description = "As it is now"),
    Problem,
))]
async fn set_service_group(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<SeatId>,
    Input(input): Input<ServiceGroup>,
) -> Result<Json<SeatView>> {
    let set =
        app.store.write(move |tx| Box::pin(async move { service::set_service_group(tx, &actor, (id, input)).await }));
    set.await.map(Json)
}

/// Who belongs to a body without a seat in it; for whoever holds its meetings.
#[utoipa::path(get, path = "/v1/bodies/{id}/members", tag = "bodies", operation_id = "list_body_members",
    params(("id" = BodyId, Path, description = "The body")), responses(
    (status = 200, body = Vec<BodyMemberView>, description = "By name; 10,000 at most"),
    Problem,
))]
async fn list_body_members(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<BodyId>,
) -> Result<Json<Vec<BodyMemberView>>> {
    members::list(app.store.read(), &actor, id).await.map(Json)
}

/// Enter somebody as belonging to a body without a seat: a party member, a member of the council.
#[utoipa::path(post, path = "/v1/bodies/{id}/members", tag = "bodies", operation_id = "enter_body_member",
    request_body = EnterMember, params(("id" = BodyId, Path, description = "The body")), responses(
    (status = 201, body = BodyMemberView, description = "Entered; as it was when there already"),
    Problem,
))]
async fn enter_body_member(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<BodyId>,
    Input(input): Input<EnterMember>,
) -> Result<Created<BodyMemberView>> {
    let run = app.once(actor, key, "enter_body_member", (id, input), |tx, actor, input| {
        Box::pin(members::enter(tx, actor, input))
    });
    run.await.map(Created)
}

/// Take somebody off that list.
#[utoipa::path(post, path = "/v1/bodies/{id}/members/{person_id}/end", tag = "bodies",
    operation_id = "strike_body_member", params(("id" = BodyId, Path, description = "The body"),
    ("person_id" = PersonId, Path, description = "Who")), responses(
    (status = 204, description = "Not on it any more"),
    Problem,
))]
async fn strike_body_member(
    State(app): State<App>,
    actor: Actor,
    Path(which): Path<(BodyId, PersonId)>,
) -> Result<StatusCode> {
    app.store.write(move |tx| Box::pin(async move { members::strike(tx, &actor, which).await })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The register of a collective: who its members are and what changed; for them and whoever sits over the village.
#[utoipa::path(get, path = "/v1/bodies/{id}/register", tag = "bodies", operation_id = "read_register",
    params(("id" = BodyId, Path, description = "The collective")), responses(
    (status = 200, body = RegisterView, description = "Names masked, but for who keeps it"),
    Problem,
))]
async fn read_register(State(app): State<App>, actor: Actor, Path(id): Path<BodyId>) -> Result<Json<RegisterView>> {
    register::register(app.store.read(), &actor, id).await.map(Json)
}

/// Enter members of a collective on its register, or strike them, with the reason and since when.
#[utoipa::path(post, path = "/v1/bodies/{id}/register", tag = "bodies", operation_id = "change_register",
    request_body = ChangeRegister, params(("id" = BodyId, Path, description = "The collective")), responses(
    (status = 201, body = RegisterChanged, description = "All of them, or nobody; posted to the members"),
    Problem,
))]
async fn change_register(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<BodyId>,
    Input(input): Input<ChangeRegister>,
) -> Result<Created<RegisterChanged>> {
    app.rates.numbers(actor.person, input.off_roster.len())?;
    let run = app.once(actor, key, "change_register", (id, input), |tx, actor, input| {
        Box::pin(register::change(tx, actor, input))
    });
    run.await.map(Created)
}

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(found_body))
        .routes(routes!(open_term, list_terms))
        .routes(routes!(set_election))
        .routes(routes!(set_registration))
        .routes(routes!(take_seat))
        .routes(routes!(end_seat))
        .routes(routes!(give_mandate))
        .routes(routes!(end_mandate))
        .routes(routes!(list_bodies))
        .routes(routes!(read_duty, set_duty))
        .routes(routes!(read_room, set_room))
        .routes(routes!(set_seat_groups))
        .routes(routes!(set_service_group))
        .merge(council::routes())
        .merge(recommendations::routes())
        .routes(routes!(list_body_members, enter_body_member))
        .routes(routes!(strike_body_member))
        .routes(routes!(read_register, change_register))
}
