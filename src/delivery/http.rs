//! Routes of webhooks, of what people want to be told, of whom a notice or the call to a meeting has reached, and of the doors of
//! those who were not.
use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use super::{
    board::{self, ReachRow, ReachView},
    broadcast,
    commands::{self, SetUpWebhook},
    doors::{self, Call, RoundQuery},
    invited,
    marks::{self, DoorMarkView, TellAtDoor},
    preferences::{self, ChooseTelling, TellingChoices},
    public_reach::public_reach,
    queries::{self, NewWebhook, WebhookView},
    villages::{self, VillageReach},
};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, Query, routes},
    error::{Problem, Result},
    ids::{MatterId, MeetingId, NoticeId, WebhookId},
    notices::{DoorView, DoorsQuery, OfPerson},
    page::Page,
};

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(set_up_webhook, list_webhooks))
        .routes(routes!(remove_webhook))
        .routes(routes!(test_webhook))
        .routes(routes!(my_telling, choose_telling))
        .routes(routes!(follow_matter, unfollow_matter))
        .routes(routes!(read_reach))
        .routes(routes!(list_reach))
        .routes(routes!(list_reach_by_village))
        .routes(routes!(list_meeting_reach))
        .routes(routes!(list_doors))
        .routes(routes!(list_doors_of_call, tell_at_door))
        .routes(routes!(undo_told_at_door))
        .routes(routes!(release_broadcast))
}

/// Have an address told of the notices, matters, meetings and votes of an area and of all below it.
#[utoipa::path(post, path = "/v1/areas/{code}/webhooks", tag = "webhooks", operation_id = "set_up_webhook",
    params(("code" = String, Path)), request_body = SetUpWebhook,
    responses((status = 201, body = NewWebhook, description = "The webhook with its secret, shown this once, and not when it is sent again"),
        Problem))]
async fn set_up_webhook(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(code): Path<String>,
    Input(input): Input<SetUpWebhook>,
) -> Result<Created<NewWebhook>> {
    commands::may_set_up(&app, &actor, &code, &input).await?;
    let secret = commands::secret_for(&app.keys, &input)?;
    let ours = secret.clone();
    let set_up = app.once(actor, key, "set_up_webhook", (code, input), move |tx, actor, input| {
        Box::pin(async move { commands::set_up(tx, actor, input, &ours).await })
    });
    queries::with_secret(app.store.read(), &app.keys, (set_up.await?, secret)).await.map(Created)
}

/// The webhooks of an area and how they fare.
#[utoipa::path(get, path = "/v1/areas/{code}/webhooks", tag = "webhooks", operation_id = "list_webhooks",
    params(("code" = String, Path)),
    responses((status = 200, body = Vec<WebhookView>, description = "Without their secrets"), Problem))]
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
    responses((status = 204, description = "Removed"), Problem))]
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

/// Have a webhook called with `webhook.tested`, to see whether it is reached; how it ended is on the list.
#[utoipa::path(post, path = "/v1/areas/{code}/webhooks/{id}/test", tag = "webhooks", operation_id = "test_webhook",
    params(("code" = String, Path), ("id" = WebhookId, Path)),
    responses((status = 204, description = "It is called within seconds"), Problem))]
async fn test_webhook(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(which): Path<(String, WebhookId)>,
) -> Result<StatusCode> {
    app.once(actor, key, "test_webhook", which, |tx, actor, which| Box::pin(commands::test(tx, actor, which)))
        .await
        .map(|()| StatusCode::NO_CONTENT)
}

/// What the asker wants to be told, and how.
#[utoipa::path(get, path = "/v1/me/telling", tag = "telling", operation_id = "my_telling",
    responses((status = 200, body = TellingChoices, description = "Every topic and way"), Problem))]
async fn my_telling(State(app): State<App>, actor: Actor) -> Result<Json<TellingChoices>> {
    preferences::choices(app.store.read(), actor.person).await.map(Json)
}

/// Say what one wants to be told, and how; danger is told nevertheless.
#[utoipa::path(put, path = "/v1/me/telling", tag = "telling", operation_id = "choose_telling",
    request_body = ChooseTelling,
    responses((status = 200, body = TellingChoices, description = "As it is now"), Problem))]
async fn choose_telling(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<ChooseTelling>,
) -> Result<Json<TellingChoices>> {
    app.once(actor, key, "choose_telling", input, |tx, actor, input| Box::pin(preferences::choose(tx, actor, input)))
        .await
        .map(Json)
}

/// Be told of the steps of a matter.
#[utoipa::path(put, path = "/v1/matters/{id}/follow", tag = "telling", operation_id = "follow_matter",
    params(("id" = MatterId, Path)),
    responses((status = 204, description = "Followed"), Problem))]
async fn follow_matter(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
) -> Result<StatusCode> {
    app.once(actor, key, "follow_matter", id, |tx, actor, id| Box::pin(preferences::follow(tx, actor, id)))
        .await
        .map(|()| StatusCode::NO_CONTENT)
}

/// Not be told of the steps of a matter any more; the author of a voice that joined it still is.
#[utoipa::path(delete, path = "/v1/matters/{id}/follow", tag = "telling", operation_id = "unfollow_matter",
    params(("id" = MatterId, Path)),
    responses((status = 204, description = "Not followed"), Problem))]
async fn unfollow_matter(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
) -> Result<StatusCode> {
    app.once(actor, key, "unfollow_matter", id, |tx, actor, id| Box::pin(preferences::unfollow(tx, actor, id)))
        .await
        .map(|()| StatusCode::NO_CONTENT)
}

/// How many a notice has reached, by which ways.
#[utoipa::path(get, path = "/v1/notices/{id}/reach", tag = "notices", operation_id = "read_reach",
    params(("id" = NoticeId, Path)),
    responses((status = 200, body = ReachView, description = "Counts alone"), Problem))]
async fn read_reach(State(app): State<App>, Path(id): Path<NoticeId>) -> Result<Json<ReachView>> {
    public_reach(&app, id).await.map(Json)
}

/// Which village.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReachQuery {
    /// Code of the village, of a notice of its town or county; the notice's own when absent.
    area: Option<String>,
}

/// Whom a notice has reached in a village and whom not, by name and household, for those who serve there.
#[utoipa::path(get, path = "/v1/notices/{id}/reach/people", tag = "notices", operation_id = "list_reach",
    params(("id" = NoticeId, Path), ReachQuery),
    responses((status = 200, body = Vec<ReachRow>, description = "The whole village, by group and household"),
        Problem))]
async fn list_reach(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<NoticeId>,
    Query(which): Query<ReachQuery>,
) -> Result<Json<Vec<ReachRow>>> {
    board::people_of(app.store.read(), &actor, (id, which.area.as_deref())).await.map(Json)
}

/// How far a notice of a town or the county has come, village by village, for the offices that sit over them.
#[utoipa::path(get, path = "/v1/notices/{id}/reach/villages", tag = "notices", operation_id = "list_reach_by_village",
    params(("id" = NoticeId, Path)),
    responses((status = 200, body = Vec<VillageReach>, description = "Counted within the last five seconds"), Problem))]
async fn list_reach_by_village(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<NoticeId>,
) -> Result<Json<Vec<VillageReach>>> {
    villages::by_village(&app, &actor, id).await.map(Json)
}

/// Whom the call to a meeting has reached and whom not, by name and household, for who holds it; of one that was called off,
/// whom that has reached.
#[utoipa::path(get, path = "/v1/meetings/{id}/reach", tag = "meetings", operation_id = "list_meeting_reach",
    params(("id" = MeetingId, Path)),
    responses((status = 200, body = Vec<ReachRow>, description = "Everybody who is called, by group and household"),
        Problem))]
async fn list_meeting_reach(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<MeetingId>,
) -> Result<Json<Vec<ReachRow>>> {
    invited::invited_of(&app, &actor, id).await.map(Json)
}

/// Who was not reached by a notice, by name and household: of one that must be read, who has not confirmed. For the office, and for
/// the grid worker of the group.
#[utoipa::path(get, path = "/v1/notices/{id}/doors", tag = "notices", operation_id = "list_doors",
    params(("id" = NoticeId, Path), DoorsQuery),
    responses((status = 200, body = Page<DoorView>, description = "In the order of the doors"), Problem))]
async fn list_doors(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<NoticeId>,
    Query(which): Query<DoorsQuery>,
) -> Result<Json<Page<DoorView>>> {
    doors::of_notice(&app, &actor, (id, which)).await.map(Json)
}

/// Who was not reached by the call to a meeting, or that it was called off, or to a vote, by name and household: for who holds it
/// and, where a village is called, who goes round there. Of a secret vote it does not say who has cast.
#[utoipa::path(get, path = "/v1/doors/{about}/{id}", tag = "telling", operation_id = "list_doors_of_call",
    params(("about" = Call, Path, description = "What it is"), ("id" = String, Path, description = "Its id"), RoundQuery),
    responses((status = 200, body = Page<DoorView>, description = "In the order of the doors"), Problem))]
async fn list_doors_of_call(
    State(app): State<App>,
    actor: Actor,
    Path(which): Path<(Call, Uuid)>,
    Query(wanted): Query<RoundQuery>,
) -> Result<Json<Page<DoorView>>> {
    doors::list(&app, &actor, (which, wanted)).await.map(Json)
}

/// Write down that somebody was told at the door; the person hears of it.
#[utoipa::path(post, path = "/v1/doors/{about}/{id}", tag = "telling", operation_id = "tell_at_door",
    params(("about" = Call, Path, description = "What it is"), ("id" = String, Path, description = "Its id")),
    request_body = TellAtDoor,
    responses((status = 201, body = DoorMarkView, description = "The first time that it was written down"), Problem))]
async fn tell_at_door(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(which): Path<(Call, Uuid)>,
    Input(input): Input<TellAtDoor>,
) -> Result<Created<DoorMarkView>> {
    app.once(actor, key, "tell_at_door", (which, input), |tx, actor, input| Box::pin(marks::tell(tx, actor, input)))
        .await
        .map(Created)
}

/// Take back that somebody was told at the door: who wrote it down, within a day; the person, at any time.
#[utoipa::path(post, path = "/v1/doors/{about}/{id}/undo", tag = "telling", operation_id = "undo_told_at_door",
    params(("about" = Call, Path, description = "What it is"), ("id" = String, Path, description = "Its id")),
    request_body = OfPerson,
    responses((status = 204, description = "Taken back"), Problem))]
async fn undo_told_at_door(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(which): Path<(Call, Uuid)>,
    Input(input): Input<OfPerson>,
) -> Result<StatusCode> {
    app.once(actor, key, "undo_told_at_door", (which, input), |tx, actor, input| {
        Box::pin(marks::undo(tx, actor, input))
    })
    .await
    .map(|()| StatusCode::NO_CONTENT)
}

/// Let the script of an emergency go to the village's loudspeaker by night: somebody else than who published it.
#[utoipa::path(post, path = "/v1/notices/{id}/broadcast/release", tag = "notices", operation_id = "release_broadcast",
    params(("id" = NoticeId, Path)),
    responses((status = 204, description = "It is handed over now"), Problem))]
async fn release_broadcast(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<NoticeId>,
) -> Result<StatusCode> {
    app.once(actor, key, "release_broadcast", id, |tx, actor, id| Box::pin(broadcast::release(tx, actor, id)))
        .await
        .map(|()| StatusCode::NO_CONTENT)
}
