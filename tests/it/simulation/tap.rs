//! Where the frames come from: a real subscription to the real hub, whose copies the simulated net then mistreats.
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::{Socket, Somebody, TestApp};

/// A token is handed in anew after so much of its quarter of an hour: the runs of mailboxes beside this one move the clock by
/// a minute and more in each second.
const REFRESHED: TimeDelta = TimeDelta::minutes(2);
/// A hub compares its streams with the database every second.
const NOTICED_WITHIN: Duration = Duration::from_secs(20);

/// A socket that hears one stream, hands in another token before the one that it has ends, and comes back when it is sent
/// away.
pub(super) struct Tap {
    who: Somebody,
    channel: String,
    socket: Socket,
    epoch: String,
    seen: i64,
    /// When the token was handed in.
    fresh_at: DateTime<Utc>,
    /// The hub may carry less than there is, until it notices a restore.
    is_doubtful: bool,
}

impl Tap {
    pub(super) async fn open(app: &TestApp, who: &Somebody, stream: &str) -> Self {
        let channel = format!("s:{stream}");
        let fresh_at = app.clock.now();
        let (socket, epoch, seen) = connected(app, who, &channel).await;
        Self { who: who.clone(), channel, socket, epoch, seen, fresh_at, is_doubtful: false }
    }

    /// Everything that came up to this place, each with the epoch it came under.
    pub(super) async fn until(&mut self, app: &TestApp, seq: i64) -> Vec<(String, Value)> {
        self.stay(app).await;
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
            self.come_back(app).await;
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
            let noticed = async {
                while self.socket.closed.is_none() {
                    self.stay(app).await;
                    self.socket.listen(Duration::from_secs(1)).await;
                }
            };
            tokio::time::timeout(NOTICED_WITHIN, noticed).await.expect("a close in time");
            assert_eq!(self.socket.closed, Some(3010));
            self.until(app, 0).await;
        }
    }

    /// Is there and answers; comes back if it was sent away.
    pub(super) async fn refresh(&mut self, app: &TestApp) {
        self.hand_in(app).await;
        if self.socket.closed.is_some() {
            self.come_back(app).await;
        }
    }

    /// Hands in another token before the one that it has ends.
    async fn stay(&mut self, app: &TestApp) {
        if self.socket.closed.is_none() && app.clock.now() - self.fresh_at >= REFRESHED {
            self.hand_in(app).await;
        }
    }

    async fn hand_in(&mut self, app: &TestApp) {
        self.fresh_at = app.clock.now();
        let answer = self.socket.command("refresh", json!({ "token": self.who.token() })).await;
        assert!(self.socket.closed.is_some() || answer["refresh"].is_object(), "{answer}");
    }

    /// What came meanwhile is lost to who listens.
    async fn come_back(&mut self, app: &TestApp) {
        self.fresh_at = app.clock.now();
        (self.socket, self.epoch, self.seen) = connected(app, &self.who, &self.channel).await;
        self.is_doubtful = false;
    }
}

async fn connected(app: &TestApp, who: &Somebody, channel: &str) -> (Socket, String, i64) {
    let socket = Socket::connect(app, &who.token(), json!({})).await;
    let sub = &socket.connected["subs"][channel];
    let (epoch, offset) = (sub["epoch"].as_str().unwrap().to_owned(), sub["offset"].as_i64().unwrap());
    (socket, epoch, offset)
}
