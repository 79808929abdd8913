//! `/livez`, `/readyz`, `/metrics`: is it up, are its parts well, what did it do.
use std::sync::{Arc, OnceLock};

use axum::{Extension, Json, Router, extract::State, http::StatusCode, routing::get};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::{Value, json};

use crate::{app::App, county::health, delivery, live::Hub};

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

/// Down when the database is or the server is on its way out; everything else that ails is "degraded" and still 200.
async fn ready(State(app): State<App>, Extension(hub): Extension<Arc<Hub>>) -> (StatusCode, Json<Value>) {
    let health = health::measure(&app).await;
    let state = health.state();
    let is_ready = state != health::State::Down && !hub.is_draining();
    let parts = json!({
        "status": if hub.is_draining() { "draining" } else { state.as_str() },
        "parts": {
            "database": health.database,
            "database_doubts": health.doubts,
            "broker": { "name": app.broker.name(), "ok": health.broker },
            "relay": { "ok": health.relay(), "oldest_secs": health.backlog.as_ref().map(|backlog| backlog.oldest_secs) },
            "dead_letters": health.dead_letters(),
            "calendar": health.calendar,
            "disk": { "ok": health.room(), "free_bytes": health.disk.map(|disk| disk.free) },
            "media": { "name": app.shelf.kind(), "ok": health.media },
            "sms": health.sms,
        },
    });
    (if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(parts))
}

fn flag(is: bool) -> f64 {
    if is { 1.0 } else { 0.0 }
}

/// A counter that has counted nothing is there nevertheless: an alert on "no successes" must not wait for the first.
fn from_zero() {
    for counter in ["reaction_failures_total", "sockets_opened_total"] {
        metrics::counter!(counter).increment(0);
    }
    for counter in ["sends_ok_total", "sends_failed_total"] {
        metrics::counter!(counter, "channel" => delivery::queries::WEBHOOK).increment(0);
    }
}

async fn measured(State(app): State<App>, Extension(hub): Extension<Arc<Hub>>) -> String {
    from_zero();
    let (reads, writes) = app.store.statements();
    metrics::counter!("database_reads_total").absolute(reads);
    metrics::counter!("database_writes_total").absolute(writes);
    metrics::gauge!("sockets").set(hub.connected() as f64);
    let health = health::measure(&app).await;
    metrics::gauge!("ready").set(flag(health.database));
    metrics::gauge!("degraded").set(flag(health.state() != health::State::Ok));
    metrics::gauge!("broker_ok").set(flag(health.broker));
    metrics::gauge!("media_ok").set(flag(health.media));
    metrics::gauge!("calendar_ok").set(flag(health.calendar));
    if let Some(disk) = health.disk {
        metrics::gauge!("disk_free_bytes").set(disk.free as f64);
        metrics::gauge!("disk_total_bytes").set(disk.total as f64);
    }
    if let Some(backlog) = &health.backlog {
        metrics::gauge!("outbox_unsequenced").set(backlog.unsequenced as f64);
        metrics::gauge!("outbox_oldest_seconds").set(backlog.oldest_secs as f64);
        metrics::gauge!("reactions_behind").set(backlog.behind as f64);
        metrics::gauge!("dead_letters").set(backlog.dead_letters as f64);
    }
    if let Ok(work) = health::work(&app).await {
        metrics::gauge!("deliveries_waiting").set(work.deliveries_waiting as f64);
        metrics::gauge!("deliveries_due").set(work.deliveries_due as f64);
        metrics::gauge!("deliveries_dead").set(work.deliveries_dead as f64);
        metrics::gauge!("messages_dead").set(work.messages_dead as f64);
        metrics::gauge!("database_bytes").set(work.database_bytes as f64);
        let signed = work.head.map_or(0, |head| head.at.timestamp());
        metrics::gauge!("checkpoint_timestamp_seconds").set(signed as f64);
    }
    recorder().map(PrometheusHandle::render).unwrap_or_default()
}
