//! What people do in a run: speak, say it again, take back, pin, put themselves on lists, read, come and leave.
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::{Run, Wish};
use crate::{
    simulation::place::Kind,
    support::{Answer, answer},
};

impl Run<'_> {
    fn path(&self, rest: &str) -> String {
        format!("/v1/streams/{}/{rest}", self.stream)
    }

    pub(super) async fn say(&mut self) {
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
    pub(super) async fn send_again(&mut self) {
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

    pub(super) async fn recall(&mut self) {
        let Some((text, who, seq)) = self.standing() else { return };
        let leader = self.plan.kind.leader(self.scene);
        let leader = leader.filter(|_| !self.truth.is_member[who] || self.chance.percent(25));
        let reason = if leader.is_some() { "不合适" } else { "" };
        let by = leader.unwrap_or(&self.scene.people[who]);
        let done = by.post(&self.path(&format!("messages/{seq}/recall")), json!({ "reason": reason })).await.ok();
        self.truth.recalled.insert(text);
        self.appended(done["seq"].as_i64().unwrap()).await;
    }

    pub(super) async fn pin(&mut self) {
        let Some(leader) = self.plan.kind.leader(self.scene) else { return self.happen().await };
        let Some((_, _, seq)) = self.standing() else { return };
        let wanted = json!({ "is_pinned": self.chance.percent(60) });
        let done = leader.post(&self.path(&format!("messages/{seq}/pin")), wanted).await.ok();
        if done["dup"] == json!(false) {
            self.appended(done["seq"].as_i64().unwrap()).await;
        }
    }

    pub(super) async fn list(&mut self) {
        let Some(leader) = self.plan.kind.leader(self.scene) else { return self.happen().await };
        let Some(list) = self.truth.chain else {
            let new = json!({ "client_id": Uuid::now_v7(), "title": "订杨梅" });
            let seq = leader.post(&self.path("chains"), new).await.ok()["seq"].as_i64().unwrap();
            self.truth.chain = Some(seq);
            // who starts a list has read it
            if let Some(own) = self.scene.people.iter().position(|who| who.person == leader.person) {
                self.truth.read[own] = self.truth.read[own].max(seq);
            }
            return self.appended(seq).await;
        };
        let who = self.chance.below(self.scene.people.len());
        let row = self.path(&format!("chains/{list}/row"));
        if self.chance.percent(10) {
            leader.post(&self.path(&format!("chains/{list}/close")), json!(null)).await.ok();
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

    pub(super) async fn read(&mut self) {
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

    pub(super) async fn come_or_leave(&mut self) {
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
}
