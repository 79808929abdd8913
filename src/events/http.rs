//! The signed head of the log, for everybody: whoever keeps an old one can tell that nothing before it was changed.
use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use super::{Head, queries};
use crate::{
    app::{App, routes},
    error::{Problem, Result},
};

/// The routes of the log.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(log_head))
}

/// The newest signed head and the keys that sign.
#[derive(Serialize, ToSchema)]
struct LogHead {
    /// Absent while nothing is signed yet.
    head: Option<Head>,
    /// Ed25519 public keys.
    keys: Vec<PublicKey>,
}

/// A public key.
#[derive(Serialize, ToSchema)]
struct PublicKey {
    /// Named in heads.
    id: String,
    /// 32 bytes, base64url without padding.
    key: String,
}

#[utoipa::path(get, path = "/v1/log/head", tag = "log", operation_id = "log_head",
    responses((status = 200, body = LogHead, description = "Count and hash of the log, signed"), Problem))]
async fn log_head(State(app): State<App>) -> Result<Json<LogHead>> {
    let keys = app.keys.public_keys().into_iter().map(|(id, key)| PublicKey { id, key }).collect();
    Ok(Json(LogHead { head: queries::head(&app.store).await?, keys }))
}
