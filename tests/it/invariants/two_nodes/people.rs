//! Residents and clerks who speak, quote, take back, pin and read, each until it was acknowledged, by whichever server
//! answers.
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::super::{order::Sent, phone::asked};
use super::world::{Place, Talk};
use crate::{
    simulation::{seeds::Seeded, truth::Truth},
    support::Somebody,
};

/// What the servers acknowledged in one conversation, with pencil and paper.
pub(super) struct Known {
    pub(super) stream: String,
    people: Vec<Somebody>,
    /// Of the devices.
    places: Mutex<Vec<Place>>,
    truth: Mutex<Truth>,
    /// Places of what was pinned.
    pinned: Mutex<BTreeSet<i64>>,
    history: Mutex<Vec<Sent>>,
    moment: AtomicU64,
}

impl Known {
    pub(super) fn new(talk: &Talk) -> Self {
        let truth = Truth::of(talk.read.clone(), 0);
        Self {
            stream: talk.stream.clone(),
            people: talk.people.clone(),
            places: Mutex::default(),
            truth: Mutex::new(truth),
            pinned: Mutex::default(),
            history: Mutex::default(),
            moment: AtomicU64::default(),
        }
    }

    pub(super) fn somebody(&self, number: usize) -> &Somebody {
        &self.people[number]
    }

    pub(super) fn follow(&self, device: Place) {
        self.places.lock().unwrap().push(device);
    }

    /// How far the device is that is behind all others.
    pub(super) fn furthest_behind(&self) -> i64 {
        let places = self.places.lock().unwrap();
        places.iter().map(|place| place.load(Ordering::SeqCst)).min().unwrap_or(0)
    }

    pub(super) fn truth(&self) -> MutexGuard<'_, Truth> {
        self.truth.lock().unwrap()
    }

    pub(super) fn history(&self) -> Vec<Sent> {
        self.history.lock().unwrap().clone()
    }

    pub(super) fn pinned(&self) -> BTreeSet<i64> {
        self.pinned.lock().unwrap().clone()
    }

    pub(super) fn count(&self) -> usize {
        self.truth().said.len()
    }

    /// Says it until it is acknowledged; its place, and how often it had to be asked again.
    pub(super) async fn say(
        &self,
        number: usize,
        doors: &mut Doors,
        text: String,
        reply_to: Option<i64>,
    ) -> (i64, usize) {
        let mut message = json!({ "client_id": Uuid::now_v7(), "text": text });
        if let Some(seq) = reply_to {
            message["reply_to"] = json!(seq);
        }
        let path = format!("/v1/streams/{}/messages", self.stream);
        let begun = self.moment.fetch_add(1, Ordering::SeqCst);
        let (sent, again) = doors.ask(Method::POST, &path, &message).await;
        let acknowledged = self.moment.fetch_add(1, Ordering::SeqCst);
        let seq = sent["seq"].as_i64().unwrap();
        self.history.lock().unwrap().push(Sent { sender: number, begun, acknowledged, seq });
        let mut truth = self.truth();
        truth.said.insert(text, (number, seq));
        truth.read[number] = truth.read[number].max(seq);
        truth.last_seq = truth.last_seq.max(seq);
        (seq, again)
    }

    /// Pins it until that is acknowledged; how often it had to be asked again. Nothing is unpinned: what was asked for twice
    /// may be done a second time when the net lets it go on, and pins the same once more.
    async fn pin(&self, doors: &mut Doors, seq: i64) -> usize {
        let path = format!("/v1/streams/{}/messages/{seq}/pin", self.stream);
        let (_, again) = doors.ask(Method::POST, &path, &json!({ "is_pinned": true })).await;
        self.pinned.lock().unwrap().insert(seq);
        again
    }
}

/// The ways of one person to the servers: another one when one does not answer.
pub(super) struct Doors {
    doors: Vec<Somebody>,
    at: usize,
}

impl Doors {
    pub(super) fn new(doors: Vec<Somebody>) -> Self {
        Self { doors, at: 0 }
    }

    async fn ask(&mut self, method: Method, path: &str, body: &Value) -> (Value, usize) {
        let mut again = 0;
        loop {
            let request = self.doors[self.at % self.doors.len()].request(method.clone(), path);
            if let Some(answer) = asked(request.json(body)).await {
                return (answer, again);
            }
            again += 1;
            self.at += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Says one thing after the other, takes some of it back, reads on; who leads pins. How often something was asked again.
pub(super) async fn speak(
    (number, doors): (usize, Vec<Somebody>),
    known: Arc<Known>,
    seed: usize,
    silent: CancellationToken,
) -> usize {
    let mut doors = Doors::new(doors);
    let mut chance = Seeded(u64::try_from(seed).unwrap());
    let (mut count, mut asked_again) = (0, 0);
    while !silent.is_cancelled() {
        count += 1;
        let text = format!("{}号说{count}·{}。", number, &known.stream[30..]);
        let newest = usize::try_from(known.truth().last_seq).unwrap();
        let reply_to = chance.percent(25).then(|| i64::try_from(1 + chance.below(newest)).unwrap());
        let (seq, again) = known.say(number, &mut doors, text.clone(), reply_to.filter(|_| newest > 0)).await;
        asked_again += again;
        if chance.percent(20) {
            let path = format!("/v1/streams/{}/messages/{seq}/recall", known.stream);
            asked_again += doors.ask(Method::POST, &path, &json!({})).await.1;
            known.truth().recalled.insert(text);
        } else if number + 1 == known.people.len() && chance.percent(50) {
            asked_again += known.pin(&mut doors, seq).await;
        }
        if chance.percent(40) {
            let seq = (known.truth().last_seq - i64::try_from(chance.below(5)).unwrap()).max(0);
            let path = format!("/v1/streams/{}/cursor", known.stream);
            asked_again += doors.ask(Method::PUT, &path, &json!({ "seq": seq })).await.1;
            let mut truth = known.truth();
            truth.read[number] = truth.read[number].max(seq);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    asked_again
}
