//! `/livez`, `/readyz`, `/metrics`: is it up, are its parts well, what did it do.
use std::sync::{Arc, OnceLock};

use axum::{Extension, Json, Router, extract::State, http::StatusCode, routing::get};
use chrono::TimeDelta;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::{app::App, clock, delivery, events, live::Hub};

/// An outbox older than this is not normal.
const OLD_SECS: i64 = 60;

/// The routes for operators.
pub(super) fn routes(hub: Arc<Hub>) -> Router<App> {
    recorder();
    Router::new()
        .route("/livez", get(async || "ok"))
        .route("/readyz", get(ready))
        .route("/metrics", get(measured))
        .layer(Extension(hub))
}

/// The recorder is the process's; tests start several servers in one.
fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER.get_or_init(|| PrometheusBuilder::new().install_recorder().ok()).as_ref()
}

/// Folds raw samples into the histograms; without it they grow until somebody reads `/metrics`.
pub(super) fn upkeep() {
    if let Some(recorder) = recorder() {
        recorder.run_upkeep();
    }
}

/// Down only when the database is; everything else that ails is "degraded" and still 200.
async fn ready(State(app): State<App>) -> (StatusCode, Json<Value>) {
    let doubts = app.store.doubts().await;
    let database = doubts.is_ok() && app.store.read().execute_unprepared("SELECT 1").await.is_ok();
    let doubts = doubts.unwrap_or_default();
    let broker = app.broker.ready().await;
    let backlog = events::backlog(&app.store, app.now()).await.ok();
    let relay = backlog.as_ref().is_some_and(|backlog| backlog.oldest_secs < OLD_SECS);
    let letters = backlog.as_ref().map_or(0, |backlog| backlog.dead_letters);
    // deadlines reach a month ahead; in a year that the calendar does not know only weekends would be free
    let calendar = app.calendar.covers(clock::local_date(app.now() + TimeDelta::days(30)));
    let well = doubts.is_empty() && broker && relay && letters == 0 && calendar;
    let state = if !database {
        "down"
    } else if well {
        "ok"
    } else {
        "degraded"
    };
    let parts = json!({
        "status": state,
        "parts": {
            "database": database,
            "database_doubts": doubts,
            "broker": { "name": app.broker.name(), "ok": broker },
            "relay": { "ok": relay, "oldest_secs": backlog.as_ref().map(|backlog| backlog.oldest_secs) },
            "dead_letters": letters,
            "calendar": calendar,
            "sms": app.sms.is_set_up(),
        },
    });
    (if database { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(parts))
}

async fn measured(State(app): State<App>, Extension(hub): Extension<Arc<Hub>>) -> String {
    metrics::gauge!("sockets").set(hub.connected() as f64);
    if let Ok(backlog) = events::backlog(&app.store, app.now()).await {
        metrics::gauge!("outbox_unsequenced").set(backlog.unsequenced as f64);
        metrics::gauge!("outbox_oldest_seconds").set(backlog.oldest_secs as f64);
        metrics::gauge!("reactions_behind").set(backlog.behind as f64);
        metrics::gauge!("dead_letters").set(backlog.dead_letters as f64);
    }
    if let Ok(waiting) = delivery::queries::waiting(app.store.read()).await {
        metrics::gauge!("deliveries_waiting").set(waiting as f64);
    }
    recorder().map(PrometheusHandle::render).unwrap_or_default()
}
