//! `/sms/receipts/{key}`: the SMS provider says what became of a message; written down beside its tries.
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde_json::json;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{
    carried, queries,
    rows::{attempt, delivery},
};
use crate::{
    app::{App, Path},
    error::Result,
    gateways::sms::{Receipt, receipts},
    ids::DeliveryId,
    store::Tx,
};

/// A push holds a hundred receipts or so.
const MAX_BODY: usize = 256 * 1024;
/// Written down as a try: it is on the phone, or it is not.
const ARRIVED: &str = "arrived";
const NOT_ARRIVED: &str = "not_arrived";

/// The route; without a key in the settings it is not there for anybody.
pub fn routes() -> Router<App> {
    Router::new().route("/sms/receipts/{key}", post(take)).layer(DefaultBodyLimit::max(MAX_BODY))
}

async fn take(State(app): State<App>, Path(key): Path<String>, body: Bytes) -> Response {
    let known = &app.config.sms_receipt_key;
    if known.is_empty() || !bool::from(known.as_bytes().ct_eq(key.as_bytes())) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(told) = receipts(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    for receipt in &told {
        let result = if receipt.is_there { ARRIVED } else { NOT_ARRIVED };
        metrics::counter!("sms_receipts_total", "result" => result).increment(1);
    }
    match app.store.write(move |tx| Box::pin(note(tx, told))).await {
        // what both providers take for an answer
        Ok(()) => Json(json!({ "code": 0, "msg": "success", "result": 0, "errmsg": "OK" })).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn note(tx: &Tx, told: Vec<Receipt>) -> Result<()> {
    for receipt in told {
        // codes and fixed notices have no delivery
        let Ok(id) = receipt.id.parse::<DeliveryId>() else { continue };
        if delivery::Entity::find_by_id(id).one(tx).await?.is_none() {
            continue;
        }
        let outcome = if receipt.is_there { ARRIVED } else { NOT_ARRIVED };
        let known = attempt::Entity::find()
            .filter(attempt::Column::DeliveryId.eq(id))
            .filter(attempt::Column::Outcome.eq(outcome));
        if known.one(tx).await?.is_some() {
            continue;
        }
        let row = attempt::ActiveModel {
            id: Set(Uuid::now_v7()),
            delivery_id: Set(id),
            outcome: Set(outcome.to_owned()),
            status: Set(0),
            at: Set(tx.now()),
        };
        row.insert(tx).await?;
        if !receipt.is_there {
            // the next step of the ladder, and the board, must not take it for told
            delivery::Entity::update_many()
                .col_expr(delivery::Column::State, Expr::value(queries::DEAD))
                .col_expr(delivery::Column::Reason, Expr::value(NOT_ARRIVED))
                // whoever shares the number was not told either
                .filter(carried::with_carried(id))
                .filter(delivery::Column::State.eq(queries::SENT))
                .exec(tx)
                .await?;
        }
    }
    Ok(())
}
