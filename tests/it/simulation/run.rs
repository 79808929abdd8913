//! One run: people who speak, take back, come and go, and their phones, to which the net is unkind.
mod deeds;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    device::{Device, Rules},
    history::Kept,
    judge::{Judge, row_of},
    place::{Happenings, Kind},
    seeds::Seeded,
    tap::Tap,
    truth::Truth,
};
use crate::support::{Somebody, TestApp, Village};

/// Of a hundred frames so many never arrive.
const LOST: usize = 15;
/// And so many arrive twice.
const DOUBLED: usize = 10;

/// Where it happens: a village, and who takes part.
pub(crate) struct Scene<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) village: &'a Village,
    /// The first of them never leaves.
    pub(crate) people: Vec<Somebody>,
}

/// How it goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) rules: Rules,
    pub(crate) seed: u64,
    pub(crate) steps: usize,
    /// The database is put back to what it was, in the middle.
    pub(crate) restores: bool,
}

struct Phone {
    owner: usize,
    device: Device,
    is_online: bool,
    /// On their way, each with the epoch of the subscription.
    coming: Vec<(String, Value)>,
}

/// What somebody wants to be said once.
struct Wish {
    who: usize,
    text: String,
    client_id: Uuid,
    reply_to: Option<i64>,
}

pub(crate) struct Run<'a> {
    scene: &'a Scene<'a>,
    plan: Plan,
    stream: String,
    phones: Vec<Phone>,
    truth: Truth,
    chance: Seeded,
    open: Vec<Wish>,
    wishes: usize,
    tap: Tap,
    kept: Option<(Kept, Truth)>,
    happenings: Happenings,
}

impl<'a> Run<'a> {
    pub(crate) async fn begin(scene: &'a Scene<'a>, plan: Plan) -> Self {
        let (stream, happenings) = plan.kind.begin(scene, plan.seed).await;
        let tap = Tap::open(scene.app, &scene.people[0], &stream).await;
        let phone = |owner| Phone { owner, device: Device::default(), is_online: true, coming: Vec::new() };
        let last_seq = row_of(&scene.people[0], &stream).await.unwrap()["last_seq"].as_i64().unwrap();
        let mut run = Self {
            scene,
            plan,
            stream,
            phones: plan.kind.owners().map(phone).into(),
            truth: Truth::of(vec![0; scene.people.len()], last_seq),
            chance: Seeded(plan.seed),
            open: Vec::new(),
            wishes: 0,
            tap,
            kept: None,
            happenings,
        };
        for number in 0..run.phones.len() {
            run.fetch(number).await;
        }
        for (number, who) in scene.people.iter().enumerate() {
            run.truth.read[number] = run.row_of(who).await.unwrap()["read_seq"].as_i64().unwrap();
        }
        run
    }

    /// All steps, and then what is left to be sent is sent, and every phone speaks with the server once more.
    pub(crate) async fn play(&mut self) {
        for step in 0..self.plan.steps {
            if self.plan.restores && step == self.plan.steps / 4 {
                self.kept = Some((Kept::keep(self.scene.app, &self.stream).await, self.truth.clone()));
            }
            if self.plan.restores && step == self.plan.steps * 3 / 4 {
                self.restore().await;
            }
            self.step().await;
        }
        self.go_quiet().await;
        // one thing more: nothing follows by which somebody could notice that it was lost
        self.say().await;
        self.go_quiet().await;
        for number in 0..self.phones.len() {
            self.speak_once_more(number).await;
        }
    }

    /// Nothing is left to be sent, and nothing is on its way.
    async fn go_quiet(&mut self) {
        while !self.open.is_empty() {
            self.send_again().await;
        }
        for number in 0..self.phones.len() {
            while !self.phones[number].coming.is_empty() {
                self.deliver(number).await;
            }
        }
    }

    async fn step(&mut self) {
        match self.chance.below(100) {
            0..24 => self.say().await,
            24..32 => self.send_again().await,
            32..39 => self.recall().await,
            39..43 => self.pin().await,
            43..48 => self.list().await,
            48..54 => self.read().await,
            54..58 => self.come_or_leave().await,
            58..63 => self.switch().await,
            _ => {
                let number = self.chance.below(self.phones.len());
                self.deliver(number).await;
            }
        }
    }

    async fn switch(&mut self) {
        let number = self.chance.below(self.phones.len());
        self.phones[number].is_online ^= true;
        self.phones[number].coming.clear();
        if self.phones[number].is_online {
            self.fetch(number).await;
        }
    }

    /// The newest place, after something whose answer does not name it.
    async fn looked(&mut self) {
        let row = self.row_of(&self.scene.people[0]).await.unwrap();
        self.appended(row["last_seq"].as_i64().unwrap()).await;
    }

    /// The hub carries what is new, and the net does to each copy what it likes.
    async fn appended(&mut self, seq: i64) {
        self.truth.last_seq = seq;
        for (epoch, entry) in self.tap.until(self.scene.app, seq).await {
            for phone in &mut self.phones {
                if !phone.is_online || !self.truth.is_member[phone.owner] || self.chance.percent(LOST) {
                    continue;
                }
                phone.coming.push((epoch.clone(), entry.clone()));
                if self.chance.percent(DOUBLED) {
                    phone.coming.push((epoch.clone(), entry.clone()));
                }
            }
        }
    }

    /// One frame, mostly the oldest, reaches the phone.
    async fn deliver(&mut self, number: usize) {
        let phone = &mut self.phones[number];
        if phone.coming.is_empty() {
            return;
        }
        let place = if self.chance.percent(75) { 0 } else { self.chance.below(phone.coming.len()) };
        let (epoch, entry) = phone.coming.remove(place);
        phone.device.hear(self.plan.rules, &epoch, entry);
        if phone.device.is_behind() && self.chance.percent(60) {
            self.fetch(number).await;
        }
    }

    async fn fetch(&mut self, number: usize) {
        let phone = &mut self.phones[number];
        fetch(&mut phone.device, self.plan.rules, &self.scene.people[phone.owner], &self.stream).await;
    }

    async fn speak_once_more(&mut self, number: usize) {
        let was_online = std::mem::replace(&mut self.phones[number].is_online, true);
        let head = self.row_of(&self.scene.people[self.phones[number].owner]).await;
        let is_at = head.is_some_and(|head| self.phones[number].device.is_at(&head));
        let device = &self.phones[number].device;
        if !was_online || device.is_behind() || (self.plan.rules.compares_heads && !is_at) {
            self.fetch(number).await;
        }
    }

    /// What is wrong.
    pub(crate) async fn judge(&self) -> Result<(), String> {
        let reader = self.plan.kind.reader(self.scene);
        let last = self.row_of(reader).await.map_or(0, |row| row["last_seq"].as_i64().unwrap());
        if last != self.truth.last_seq {
            return Err(format!("I2: up to {last} instead of {}", self.truth.last_seq));
        }
        let judge = Judge { stream: &self.stream, reader, people: &self.scene.people, truth: &self.truth };
        let devices: Vec<_> = self.phones.iter().map(|phone| (phone.owner, &phone.device)).collect();
        let wrong = judge.judge(&devices).await;
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join(" | ")) }
    }

    async fn row_of(&self, who: &Somebody) -> Option<Value> {
        row_of(who, &self.stream).await
    }

    async fn restore(&mut self) {
        let Some((kept, truth)) = self.kept.take() else { return };
        // whoever was sent away for another reason comes back before
        self.tap.refresh(self.scene.app).await;
        kept.put_back(self.scene.app, self.plan.rules.bumps_epoch).await;
        self.truth = truth;
        if self.chance.percent(50) {
            self.tap.until_noticed(self.scene.app, self.plan.rules.bumps_epoch).await;
        } else {
            self.tap.doubt();
        }
    }
}

/// Asks for what is missing until nothing is; `true`: what was kept was of another log.
pub(crate) async fn fetch(device: &mut Device, rules: Rules, who: &Somebody, stream: &str) -> bool {
    let before = device.epoch.clone();
    let missed = who.post("/v1/sync", json!({ "have": { stream: device.position() } })).await.ok();
    let mut is_short = device.fetched(rules, missed["streams"].get(stream));
    while let Some(first) = device.begins_at().filter(|_| is_short) {
        let older = who.get(&format!("/v1/streams/{stream}/entries?before={first}&limit=100")).await;
        is_short = older.status == 200 && device.scrolled(&older.body);
    }
    !before.is_empty() && before != device.epoch
}
