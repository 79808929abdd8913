//! One clock for all connections: each has its second, in which it is asked whether it is there.
use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::{
    connection::{Connection, Way},
    frames,
    hub::Hub,
    protocol::{self, Close},
    session::Work,
};
use crate::app::App;

const PONG_WITHIN: Duration = Duration::from_secs(10);
/// Pings between two that say where the streams stand.
const HEADS_EVERY: u32 = 3;
/// Pings between two looks at the log-in and the seats; what changes them is heard of within seconds anyway.
const LOOK_EVERY: u32 = 12;

/// Asks everybody in turn, until told to stop.
pub async fn turn(app: App, hub: Arc<Hub>, stop: CancellationToken) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    let (ping, slots) = (frames::text("{}"), hub.ping_secs);
    let late = PONG_WITHIN.as_secs() % slots;
    let mut second = 0;
    loop {
        tokio::select! {
            _ = seconds.tick() => {}
            () = stop.cancelled() => return,
        }
        second = (second + 1) % slots;
        for connection in hub.in_slot(index((second + slots - late) % slots)) {
            if connection.is_silent(PONG_WITHIN) {
                connection.end(Close::NoPong);
            }
        }
        for connection in hub.in_slot(index(second)) {
            ask(&app, &hub, &connection, &ping);
        }
    }
}

fn index(slot: u64) -> usize {
    usize::try_from(slot).unwrap_or_default()
}

fn ask(app: &App, hub: &Hub, connection: &Arc<Connection>, ping: &Bytes) {
    if connection.is_expired(app.now()) {
        return connection.end(Close::Expired);
    }
    let Some(number) = connection.ask() else { return };
    if number % LOOK_EVERY == 0 {
        connection.work(Work::Look);
    }
    // for our own clients: the newest frame could have been lost without being missed; who takes too little is told later
    if connection.is_own && number % HEADS_EVERY == 0 && !connection.is_long() {
        connection.say(frames::text(&protocol::heads_push("heads", &hub.heads(connection))));
    }
    if matches!(connection.way, Way::Socket { .. }) {
        connection.say(ping.clone());
    }
}
