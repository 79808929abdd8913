//! One run: people who speak, take back, come and go, and their phones, to which the net is unkind.
use reqwest::Method;
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
use crate::support::{Answer, Somebody, TestApp, Village, answer};

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
        while !self.open.is_empty() {
            self.send_again().await;
        }
        for number in 0..self.phones.len() {
            while !self.phones[number].coming.is_empty() {
                self.deliver(number).await;
            }
            self.speak_once_more(number).await;
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

    fn path(&self, rest: &str) -> String {
        format!("/v1/streams/{}/{rest}", self.stream)
    }

    async fn say(&mut self) {
        let phone = self.chance.below(self.phones.len());
        let Some(who) = self.plan.kind.speaker(self.phones[phone].owner) else { return self.happen().await };
        let is_answer = self.chance.percent(30) && self.truth.last_seq > 0;
        let reply_to = is_answer.then(|| 1 + self.chance.below(usize::try_from(self.truth.last_seq).unwrap()));
        self.wishes += 1;
        let wish = Wish {
            who,
            text: format!("话{}之{}。", self.plan.seed, self.wishes),
            client_id: Uuid::now_v7(),
            reply_to: reply_to.map(|seq| i64::try_from(seq).unwrap()),
        };
        if self.phones[phone].is_online && self.truth.is_member[wish.who] {
            self.send(wish).await;
        } else {
            self.open.push(wish);
        }
    }

    /// The request may be lost on its way, and so may the answer.
    async fn send(&mut self, wish: Wish) {
        if self.chance.percent(10) {
            self.open.push(wish);
            return;
        }
        let mut message = json!({ "client_id": wish.client_id, "text": wish.text });
        // what is quoted may be gone since a restore
        if let Some(seq) = wish.reply_to.filter(|seq| *seq <= self.truth.last_seq) {
            message["reply_to"] = json!(seq);
        }
        let sent = self.scene.people[wish.who].post(&self.path("messages"), message).await.ok();
        let seq = sent["seq"].as_i64().unwrap();
        if sent["dup"] == json!(false) {
            self.truth.read[wish.who] = self.truth.read[wish.who].max(seq);
            self.appended(seq).await;
        }
        if self.chance.percent(20) {
            self.open.push(wish);
        } else {
            self.truth.said.insert(wish.text, (wish.who, seq));
        }
    }

    /// What was not acknowledged. Whoever is no member any more gives up.
    async fn send_again(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let mut wish = self.open.swap_remove(self.chance.below(self.open.len()));
        if !self.truth.is_member[wish.who] {
            return;
        }
        if !self.plan.rules.keeps_client_id {
            wish.client_id = Uuid::now_v7();
        }
        self.send(wish).await;
    }

    /// Something that stands as it was said.
    fn standing(&mut self) -> Option<(String, usize, i64)> {
        let standing: Vec<_> =
            self.truth.said.iter().filter(|(text, _)| !self.truth.recalled.contains(*text)).collect();
        let (text, (who, seq)) = standing.get(self.chance.below(standing.len()))?;
        Some(((*text).clone(), *who, *seq))
    }

    async fn recall(&mut self) {
        let Some((text, who, seq)) = self.standing() else { return };
        let by_leader = !self.truth.is_member[who] || (self.plan.kind.is_led() && self.chance.percent(25));
        let by = if by_leader { &self.scene.village.chair } else { &self.scene.people[who] };
        let reason = if by_leader { "不合适" } else { "" };
        let done = by.post(&self.path(&format!("messages/{seq}/recall")), json!({ "reason": reason })).await.ok();
        self.truth.recalled.insert(text);
        self.appended(done["seq"].as_i64().unwrap()).await;
    }

    async fn pin(&mut self) {
        if !self.plan.kind.is_led() {
            return self.happen().await;
        }
        let Some((_, _, seq)) = self.standing() else { return };
        let wanted = json!({ "is_pinned": self.chance.percent(60) });
        let done = self.scene.village.chair.post(&self.path(&format!("messages/{seq}/pin")), wanted).await.ok();
        if done["dup"] == json!(false) {
            self.appended(done["seq"].as_i64().unwrap()).await;
        }
    }

    async fn list(&mut self) {
        if !self.plan.kind.is_led() {
            return self.happen().await;
        }
        let chair = &self.scene.village.chair;
        let Some(list) = self.truth.chain else {
            let new = json!({ "client_id": Uuid::now_v7(), "title": "订杨梅" });
            let seq = chair.post(&self.path("chains"), new).await.ok()["seq"].as_i64().unwrap();
            self.truth.chain = Some(seq);
            // who starts a list has read it
            if let Some(own) = self.scene.people.iter().position(|who| who.person == chair.person) {
                self.truth.read[own] = self.truth.read[own].max(seq);
            }
            return self.appended(seq).await;
        };
        let who = self.chance.below(self.scene.people.len());
        let row = self.path(&format!("chains/{list}/row"));
        if self.chance.percent(10) {
            chair.post(&self.path(&format!("chains/{list}/close")), json!(null)).await.ok();
            self.truth.chain = None;
        } else if !self.truth.is_member[who] {
            return;
        } else if self.chance.percent(25) {
            answer(self.scene.people[who].request(Method::DELETE, &row)).await.ok();
        } else {
            let content = json!({ "quantity": 1 + self.chance.below(3) });
            answer(self.scene.people[who].request(Method::PUT, &row).json(&content)).await.ok();
        }
        self.looked().await;
    }

    async fn read(&mut self) {
        let who = self.chance.below(self.scene.people.len());
        if !self.truth.is_member[who] {
            return;
        }
        let seq = i64::try_from(self.chance.below(usize::try_from(self.truth.last_seq).unwrap() + 3)).unwrap();
        self.plan.kind.wait_for_echo(self.scene);
        let moving = self.scene.people[who].request(Method::PUT, &self.path("cursor"));
        answer(moving.json(&json!({ "seq": seq }))).await.ok();
        self.truth.read[who] = self.truth.read[who].max(seq.min(self.truth.last_seq));
        if self.plan.kind == Kind::Mailbox {
            // that it was read is told there, too
            self.looked().await;
        }
    }

    async fn come_or_leave(&mut self) {
        if self.plan.kind != Kind::Group {
            return self.happen().await;
        }
        let who = 1 + self.chance.below(3);
        let person = &self.scene.people[who];
        let members = format!("/v1/groups/{}/members", self.stream);
        let was_member = self.truth.is_member[who];
        self.truth.is_member[who] = !was_member;
        if was_member {
            let by = if self.chance.percent(50) { person } else { &self.scene.village.chair };
            answer(by.request(Method::DELETE, &format!("{members}/{}", person.person))).await.ok();
        } else {
            let added: Answer = self.scene.village.chair.post(&members, json!({ "people": [person.person] })).await;
            added.ok();
        }
        self.looked().await;
        if !was_member {
            // whoever comes back has read what was said meanwhile
            self.truth.read[who] = self.truth.last_seq;
        }
        // an open connection is told that it is subscribed no longer, or anew
        for number in 0..self.phones.len() {
            if self.phones[number].owner == who && self.phones[number].is_online {
                self.phones[number].coming.clear();
                self.fetch(number).await;
            }
        }
    }

    /// Something of which nobody on a phone is told but by this stream.
    async fn happen(&mut self) {
        self.happenings.go_on(self.plan.kind, self.scene, &mut self.chance).await;
        self.looked().await;
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
