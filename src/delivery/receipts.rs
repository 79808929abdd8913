//! What became of a message later: the SMS provider says it at `/sms/receipts/{key}`, WeChat by its events; written down
//! beside its tries.
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, Set, sea_query::Expr};
use serde_json::json;
use uuid::Uuid;

use super::{
    carried, found, queries,
    rows::{attempt, delivery},
};
use crate::{
    app::{App, Path, routing::post},
    broker::Bell,
    error::Result,
    gateways::sms::{Receipt, receipts},
    ids::{DeliveryId, WechatAccountId},
    keys::same,
    store::Tx,
    wechat::{self, reports::Report},
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
    if known.is_empty() || !same(known, &key) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(told) = receipts(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    for receipt in &told {
        let result = if receipt.is_there { ARRIVED } else { NOT_ARRIVED };
        metrics::counter!("sms_receipts_total", "result" => result).increment(1);
    }
    match app.store.write(move |tx| Box::pin(note_all(tx, told))).await {
        // what both providers take for an answer
        Ok(()) => Json(json!({ "code": 0, "msg": "success", "result": 0, "errmsg": "OK" })).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn note_all(tx: &Tx, told: Vec<Receipt>) -> Result<()> {
    for receipt in told {
        // codes and fixed notices have no delivery
        let Ok(id) = receipt.id.parse::<DeliveryId>() else { continue };
        note(tx, id, if receipt.is_there { Report::Arrived } else { Report::Failed }).await?;
    }
    Ok(())
}

/// WeChat's report of one of its messages, for whatever delivery it belongs to.
///
/// # Errors
/// When the database fails.
pub async fn by_wechat(tx: &Tx, account: WechatAccountId, (msgid, report): (&str, Report)) -> Result<()> {
    if report == Report::Blocked {
        wechat::commands::switch_off(tx, account, "refuses").await?;
    }
    match wechat::reports::note(tx, account, (msgid, report)).await? {
        Some(id) => note(tx, DeliveryId(id), report).await,
        None => Ok(()),
    }
}

/// Writes down what became of a delivery, once. What did not arrive was not told: the next step of the ladder takes over,
/// and where it has passed already, what it left out because of this one.
pub(super) async fn note(tx: &Tx, id: DeliveryId, report: Report) -> Result<()> {
    if delivery::Entity::find_by_id(id).one(tx).await?.is_none() {
        return Ok(());
    }
    let outcome = if report == Report::Arrived { ARRIVED } else { NOT_ARRIVED };
    let known =
        attempt::Entity::find().filter(attempt::Column::DeliveryId.eq(id)).filter(attempt::Column::Outcome.eq(outcome));
    if known.one(tx).await?.is_none() {
        let tried = attempt::ActiveModel {
            id: Set(Uuid::now_v7()),
            delivery_id: Set(id),
            outcome: Set(outcome.to_owned()),
            status: Set(0),
            at: Set(tx.now()),
        };
        tried.insert(tx).await?;
    }
    if report == Report::Arrived {
        return Ok(());
    }
    let reason = match report {
        Report::Blocked => "refuses",
        Report::Refused => "no_consent",
        Report::Arrived | Report::Failed => NOT_ARRIVED,
    };
    let dead = delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::value(queries::DEAD))
        .col_expr(delivery::Column::Reason, Expr::value(reason))
        // whoever shares the number, and what else the same message told of, was not told either
        .filter(carried::with_carried(id))
        .filter(found::word(delivery::Column::State).eq(queries::SENT))
        .exec_with_returning(tx)
        .await?;
    for row in &dead {
        after_all(tx, row).await?;
    }
    Ok(())
}

/// Another channel left this person out, because this one seemed to have told them.
async fn after_all(tx: &Tx, row: &delivery::Model) -> Result<()> {
    delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::value(queries::QUEUED))
        .col_expr(delivery::Column::TriesBefore, Expr::col(delivery::Column::Tries))
        .col_expr(delivery::Column::DueAt, Expr::value(tx.now()))
        .filter(delivery::Column::EventNumber.eq(row.event_number))
        .filter(delivery::Column::TargetId.eq(&row.target_id))
        .filter(delivery::Column::Id.ne(row.id))
        .filter(delivery::Column::State.eq(queries::CANCELLED))
        .filter(delivery::Column::Reason.eq("reached"))
        .exec(tx)
        .await?;
    tx.ring(Bell::Deliveries);
    Ok(())
}
