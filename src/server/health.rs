//! `/livez`, `/readyz`, `/metrics`: is it up, are its parts well, what did it do.
use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use axum::{
    Extension, Json, Router,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::{Value, json};

use crate::{
    app::App,
    county::health,
    delivery,
    error::{Code, Result},
    live::Hub,
};

/// The routes for operators, at an address of their own.
pub(super) fn routes(hub: Arc<Hub>) -> Router<App> {
    asked_by_machines().route("/metrics", get(measured)).layer(Extension(hub))
}

/// The same where people come, who need no figures.
pub(super) fn routes_beside_people(hub: Arc<Hub>) -> Router<App> {
    asked_by_machines().route("/metrics", get(measured_here)).layer(Extension(hub))
}

fn asked_by_machines() -> Router<App> {
    recorder();
    Router::new().route("/livez", get(async || "ok")).route("/readyz", get(ready))
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

/// For this machine alone, and not at all where operators have an address of their own.
async fn measured_here(
    State(app): State<App>,
    hub: Extension<Arc<Hub>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<String> {
    if !app.config.health_listen.is_empty() || !is_from_here(peer, &headers) {
        return Err(Code::NotFound.into());
    }
    Ok(measured(State(app), hub).await)
}

/// Through a proxy on this machine comes whoever reaches the proxy.
fn is_from_here(peer: SocketAddr, headers: &HeaderMap) -> bool {
    let is_passed_on =
        ["forwarded", "x-forwarded-for", "x-real-ip", "via"].iter().any(|name| headers.contains_key(*name));
    peer.ip().to_canonical().is_loopback() && !is_passed_on
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_for_this_machine_and_not_for_who_comes_through_its_proxy() {
        let asked = |peer: &str, header: Option<&'static str>| {
            let value = axum::http::HeaderValue::from_static("203.0.113.7");
            let headers = header.map(|name| (axum::http::HeaderName::from_static(name), value));
            is_from_here(peer.parse().unwrap(), &headers.into_iter().collect())
        };
        for here in ["127.0.0.1:5", "127.0.0.9:5", "[::1]:5", "[::ffff:127.0.0.1]:5"] {
            assert!(asked(here, None), "{here}");
            for passed_on in ["forwarded", "x-forwarded-for", "x-real-ip", "via"] {
                assert!(!asked(here, Some(passed_on)), "{here} {passed_on}");
            }
        }
        for elsewhere in ["10.0.0.2:5", "203.0.113.7:5", "[2001:db8::1]:5"] {
            assert!(!asked(elsewhere, None), "{elsewhere}");
        }
    }
}
