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
    let mut second = 0;
    loop {
        tokio::select! {
            _ = seconds.tick() => {}
            () = stop.cancelled() => return,
        }
        second = (second + 1) % slots;
        for connection in hub.in_slot(index(late(second, slots))) {
            if connection.is_silent(PONG_WITHIN) {
                connection.end(Close::NoPong);
            }
        }
        for connection in hub.in_slot(index(second)) {
            ask(&app, &hub, &connection, &ping);
        }
    }
}

/// Whose time to answer is over in this second: who was asked a second more ago than that. To the very second they were not
/// quite asked so long ago, being asked after others, and it would be noticed the next time round.
fn late(second: u64, slots: u64) -> u64 {
    (second + slots - (PONG_WITHIN.as_secs() + 1) % slots) % slots
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_was_asked_is_looked_at_when_the_time_to_answer_is_over_for_sure() {
        let over = PONG_WITHIN.as_secs() + 1;
        for slots in [1, 2, 5, 10, 11, 12, 25, 60] {
            for asked in 0..slots {
                assert_eq!(late((asked + over) % slots, slots), asked, "of {slots}");
            }
        }
    }
}
