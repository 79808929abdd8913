//! Routes of the bodies that are invited to deliberate a matter.
use axum::{Json, extract::State};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    actor::Actor,
    app::{App, IdempotencyKey, Input, Path, routes},
    error::{Problem, Result},
    ids::MatterId,
    matters::{
        commands::{self, DeclineInvitation, InviteBodies},
        queries::MatterView,
    },
};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(invite_bodies)).routes(routes!(decline_invitation))
}

/// Invite bodies by name to deliberate a matter.
#[utoipa::path(put, path = "/v1/matters/{id}/invitations", tag = "matters", operation_id = "invite_bodies",
    params(("id" = MatterId, Path)), request_body = InviteBodies,
    responses((status = 200, body = MatterView, description = "Each is invited, once; its seats are told"), Problem))]
async fn invite_bodies(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<MatterId>,
    Input(input): Input<InviteBodies>,
) -> Result<Json<MatterView>> {
    let invited = app.store.write(move |tx| Box::pin(async move { commands::invite(tx, &actor, (id, input)).await }));
    invited.await.map(Json)
}

/// Say no for an invited body that one leads.
#[utoipa::path(post, path = "/v1/matters/{id}/invitations/decline", tag = "matters", operation_id = "decline_invitation",
    params(("id" = MatterId, Path)), request_body = DeclineInvitation,
    responses((status = 200, body = MatterView, description = "Declined; the reason is public"), Problem))]
async fn decline_invitation(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<MatterId>,
    Input(input): Input<DeclineInvitation>,
) -> Result<Json<MatterView>> {
    let declined = app.once(actor, key, "decline_invitation", (id, input), |tx, actor, input| {
        Box::pin(commands::decline(tx, actor, input))
    });
    declined.await.map(Json)
}
