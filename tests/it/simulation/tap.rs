//! Where the frames come from: a real subscription to the real hub, whose copies the simulated net then mistreats.
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Socket, Somebody, TestApp};

/// A socket that hears one stream, and comes back when it is sent away.
pub(super) struct Tap {
    who: Somebody,
    channel: String,
    socket: Socket,
    epoch: String,
    seen: i64,
    /// The hub may carry less than there is, until it notices a restore.
    is_doubtful: bool,
}

impl Tap {
    pub(super) async fn open(app: &TestApp, who: &Somebody, stream: &str) -> Self {
        let channel = format!("s:{stream}");
        let (socket, epoch, seen) = connected(app, who, &channel).await;
        Self { who: who.clone(), channel, socket, epoch, seen, is_doubtful: false }
    }

    /// Everything that came up to this place, each with the epoch it came under.
    pub(super) async fn until(&mut self, app: &TestApp, seq: i64) -> Vec<(String, Value)> {
        let time = Duration::from_millis(if self.is_doubtful { 3 } else { 5000 });
        if self.is_doubtful || self.seen < seq {
            self.socket.hear_up_to(&self.channel, seq, time).await;
        }
        let came = self.socket.entries.remove(&self.channel).unwrap_or_default();
        let came: Vec<_> =
            came.into_iter().map(|publication| (self.epoch.clone(), publication["data"].clone())).collect();
        if let Some((_, newest)) = came.last() {
            self.seen = newest["seq"].as_i64().unwrap();
        }
        assert!(self.is_doubtful || self.socket.closed.is_some() || self.seen >= seq, "{seq} was not carried");
        if self.socket.closed.is_some() {
            // what came meanwhile is lost to who listens
            (self.socket, self.epoch, self.seen) = connected(app, &self.who, &self.channel).await;
            self.is_doubtful = false;
        }
        came
    }

    /// The database is not what it was, and the hub does not know it yet.
    pub(super) fn doubt(&mut self) {
        self.is_doubtful = true;
    }

    /// Waits until the hub has noticed; without a new epoch it never does.
    pub(super) async fn until_noticed(&mut self, app: &TestApp, is_noticed: bool) {
        self.is_doubtful = true;
        if is_noticed {
            assert_eq!(self.socket.until_closed().await, 3010);
            self.until(app, 0).await;
        }
    }
}

async fn connected(app: &TestApp, who: &Somebody, channel: &str) -> (Socket, String, i64) {
    let socket = Socket::connect(app, &who.token(), json!({})).await;
    let sub = &socket.connected["subs"][channel];
    let (epoch, offset) = (sub["epoch"].as_str().unwrap().to_owned(), sub["offset"].as_i64().unwrap());
    (socket, epoch, offset)
}
