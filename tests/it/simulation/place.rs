//! Where a run is played, and what happens there beside what people say: each kind of stream is filled in its own way.
use chrono::TimeDelta;
use liusheng::streams::{StreamKind, commands, queries};
use reqwest::Method;
use serde_json::{Value, json};

use super::{run::Scene, seeds::Seeded};
use crate::support::{Socket, Somebody, answer, say};

/// To whom the phones belong: somebody has two.
const OWNERS: [usize; 5] = [0, 0, 1, 2, 3];
/// The same where three take part: one of them has one more.
const OWNERS_OF_THREE: [usize; 5] = [0, 0, 1, 2, 2];

/// What it is played in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Four villagers whom the committee's chair brought together; they come and leave.
    Group,
    /// The village's: the clerk and the chair speak, two villagers listen; notices hang, are changed and taken down.
    Channel,
    /// A villager and three who answer for the office; kept sealed.
    Letter,
    /// The same about a voice that only they read, into which they come by opening it; its steps are shown.
    Thread,
    /// One villager's: nobody speaks, and what happens elsewhere is told.
    Mailbox,
    /// About a matter: three villagers and the chair who raised it; its stages are shown.
    Discussion,
    /// Three who sit in the council, one of whom leads it.
    Forum,
    /// Of the three who answer for the office: nobody speaks, and what comes in is shown.
    Office,
}

impl Kind {
    /// What it is played in alone; of what there is one in the village there is one run at a time.
    pub(crate) fn slots(self, most: usize) -> usize {
        if matches!(self, Self::Channel | Self::Forum | Self::Office) { 1 } else { most }
    }

    pub(super) fn owners(self) -> [usize; 5] {
        match self {
            Self::Mailbox => [0; 5],
            Self::Forum | Self::Office => OWNERS_OF_THREE,
            _ => OWNERS,
        }
    }

    /// Who speaks when this phone's owner would.
    pub(super) fn speaker(self, owner: usize) -> Option<usize> {
        match self {
            Self::Group | Self::Letter | Self::Thread | Self::Discussion | Self::Forum => Some(owner),
            Self::Channel => Some(owner % 2),
            Self::Mailbox | Self::Office => None,
        }
    }

    /// Who pins, starts lists and takes away what others said, where somebody does.
    pub(super) fn leader<'a>(self, scene: &'a Scene<'_>) -> Option<&'a Somebody> {
        match self {
            Self::Group | Self::Channel | Self::Discussion => Some(&scene.village.chair),
            Self::Forum => Some(&scene.village.council_chair),
            Self::Letter | Self::Thread | Self::Mailbox | Self::Office => None,
        }
    }

    /// Who may read all of it, also who left.
    pub(super) fn reader<'a>(self, scene: &'a Scene<'_>) -> &'a Somebody {
        self.leader(scene).unwrap_or(&scene.people[0])
    }

    /// A mailbox hears of a cursor once in two seconds, and later of what moved within them: nothing is left for later.
    pub(super) fn wait_for_echo(self, scene: &Scene<'_>) {
        if self == Self::Mailbox {
            scene.app.clock.advance(TimeDelta::milliseconds(2100));
        }
    }

    /// The stream, with everybody in it, and what goes on beside it; of a group, a voice and a matter a new one.
    pub(super) async fn begin(self, scene: &Scene<'_>, seed: u64) -> (String, Happenings) {
        let mut happenings = Happenings::default();
        let stream = match self {
            Self::Group => return (group(scene, seed, &scene.people).await, happenings),
            Self::Channel => {
                let area = scene.village.area.clone();
                let open =
                    scene.app.app.store.write(move |tx| Box::pin(async move { commands::channel(tx, &area).await }));
                open.await.unwrap().to_string()
            }
            Self::Letter => {
                let opened = scene.people[0].post("/v1/contacts", json!({})).await.ok();
                opened["stream_id"].as_str().unwrap().to_owned()
            }
            Self::Thread => {
                let voice =
                    json!({ "kind": "complaint", "visibility": "handlers", "text": "桥头的路灯坏了", "place": "" });
                let voice = scene.people[0].post("/v1/suggestions", voice).await.ok();
                let path = format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
                for handler in &scene.people[1..] {
                    handler.get(&path).await.ok();
                }
                // that it came is shown by the relay
                scene.app.settle().await;
                happenings.voice = Some(path);
                voice["stream_id"].as_str().unwrap().to_owned()
            }
            Self::Mailbox => {
                // whoever connects has one
                drop(Socket::connect(scene.app, &scene.people[0].token(), json!({})).await);
                let list = scene.people[0].get("/v1/sync").await.ok();
                let mailbox = list["streams"].as_array().unwrap().iter().find(|one| one["kind"] == "mailbox").cloned();
                mailbox.expect("a mailbox")["id"].as_str().unwrap().to_owned()
            }
            Self::Discussion => {
                let (title, village) = (format!("修桥{seed}"), scene.village);
                let matter = json!({ "area_code": village.area, "title": title, "summary": "修一座桥，请大家商量。" });
                let matter = village.chair.post("/v1/matters", matter).await.ok()["id"].as_str().unwrap().to_owned();
                scene.app.settle().await;
                let stream = village.discussion(scene.app, &matter).await;
                happenings.matter = Some(matter);
                stream.to_string()
            }
            Self::Forum => {
                let (read, council) = (scene.app.app.store.read(), scene.village.council.to_string());
                queries::find(read, StreamKind::Forum, &council).await.unwrap().expect("a forum").to_string()
            }
            Self::Office => {
                let body = scene.village.committee;
                let open =
                    scene.app.app.store.write(move |tx| Box::pin(async move { commands::office(tx, body).await }));
                let stream = open.await.unwrap();
                come_in(scene).await;
                stream.to_string()
            }
        };
        let seq = match self.speaker(0) {
            Some(who) => say(&scene.people[who], &stream, &format!("开头{seed}。")).await,
            None => row(&scene.people[0], &stream).await,
        };
        // who has read to the end has a row, and a count that is what one counts by hand
        self.wait_for_echo(scene);
        for who in &scene.people {
            read(who, &stream, seq).await;
        }
        (stream, happenings)
    }
}

/// A group of these.
async fn group(scene: &Scene<'_>, number: u64, people: &[Somebody]) -> String {
    let people: Vec<_> = people.iter().map(|who| who.person).collect();
    let group = json!({ "body_id": scene.village.committee, "title": format!("小组{number}"), "people": people });
    let opened = scene.village.chair.post("/v1/groups", group).await.ok();
    opened["stream_id"].as_str().unwrap().to_owned()
}

async fn read(who: &Somebody, stream: &str, seq: i64) {
    let moved = who.request(Method::PUT, &format!("/v1/streams/{stream}/cursor")).json(&json!({ "seq": seq }));
    answer(moved).await.ok();
}

/// A voice for the office, and the card of it.
async fn come_in(scene: &Scene<'_>) {
    let voice = json!({ "kind": "complaint", "visibility": "handlers", "text": "桥头的路灯坏了", "place": "" });
    scene.village.representatives[0].post("/v1/suggestions", voice).await.ok();
    scene.app.settle().await;
}

async fn row(who: &Somebody, stream: &str) -> i64 {
    super::judge::row_of(who, stream).await.map_or(0, |row| row["last_seq"].as_i64().unwrap())
}

/// What goes on beside the conversation.
#[derive(Default)]
pub(super) struct Happenings {
    /// What hangs, and its version.
    notice: Option<(String, i64)>,
    /// The group to which the villager belongs.
    group: Option<String>,
    /// Where the voice is.
    voice: Option<String>,
    /// What is discussed.
    matter: Option<String>,
    count: u64,
}

impl Happenings {
    pub(super) async fn go_on(&mut self, kind: Kind, scene: &Scene<'_>, chance: &mut Seeded) {
        self.count += 1;
        match kind {
            Kind::Channel => self.hang(scene, chance).await,
            Kind::Mailbox if chance.percent(30) => self.confirm(scene).await,
            Kind::Mailbox => self.belong(scene, chance).await,
            Kind::Thread => self.handle(scene).await,
            Kind::Discussion => self.enter(scene).await,
            Kind::Office if chance.percent(50) => come_in(scene).await,
            Kind::Group | Kind::Letter | Kind::Forum | Kind::Office => {}
        }
    }

    /// A card for each step: it is accepted, then answered.
    async fn handle(&mut self, scene: &Scene<'_>) {
        let Some(voice) = &self.voice else { return };
        let clerk = &scene.village.clerk;
        match self.count {
            1 => clerk.post(&format!("{voice}/accept"), json!(null)).await.ok(),
            2 => clerk.post(&format!("{voice}/answers"), json!({ "text": "明天来修。" })).await.ok(),
            _ => return,
        };
        scene.app.settle().await;
    }

    /// A card for each stage: two are left, one after the other.
    async fn enter(&mut self, scene: &Scene<'_>) {
        let Some(matter) = &self.matter else { return };
        let stage = match self.count {
            1 => "raise",
            2 => "deliberate",
            _ => return,
        };
        let skip = json!({ "stage": stage, "authority": "镇政府同意", "reason": "测试走近路" });
        scene.village.chair.post(&format!("/v1/matters/{matter}/skip"), skip).await.ok();
        scene.app.settle().await;
    }

    /// A card, shown anew when it changes: by the log and its relay.
    async fn hang(&mut self, scene: &Scene<'_>, chance: &mut Seeded) {
        let clerk = &scene.village.clerk;
        let text = format!("第{}回。", self.count);
        self.notice = match self.notice.take() {
            None => {
                let notice = json!({ "area_code": scene.village.area, "title": "停水通知", "text": text });
                let hung: Value = clerk.post("/v1/notices", notice).await.ok();
                Some((hung["id"].as_str().unwrap().to_owned(), 1))
            }
            Some((id, _)) if chance.percent(20) => {
                clerk.post(&format!("/v1/notices/{id}/withdraw"), json!({ "reason": "不停了" })).await.ok();
                None
            }
            Some((id, version)) => {
                let again = json!({ "version": version, "title": "停水通知", "text": text, "reason": "改期" });
                clerk.post(&format!("/v1/notices/{id}/revise"), again).await.ok();
                Some((id, version + 1))
            }
        };
        scene.app.settle().await;
    }

    /// A card: somebody confirmed for the villager at the door, who takes it back.
    async fn confirm(&mut self, scene: &Scene<'_>) {
        let (clerk, own) = (&scene.village.clerk, &scene.people[0]);
        if self.notice.is_none() {
            let notice =
                json!({ "area_code": scene.village.area, "title": "停水通知", "text": "请确认。", "must_read": true });
            let hung = clerk.post("/v1/notices", notice).await.ok();
            self.notice = Some((hung["id"].as_str().unwrap().to_owned(), 1));
        }
        let Some((id, _)) = &self.notice else { return };
        let path = format!("/v1/notices/{id}/confirmations");
        clerk.post(&format!("{path}/for"), json!({ "person_id": own.person, "via": "door" })).await.ok();
        own.post(&format!("{path}/undo"), json!({ "person_id": own.person })).await.ok();
        scene.app.settle().await;
    }

    /// The villager comes to belong to a group, reads there, or is taken out of it; no bell is waited for.
    async fn belong(&mut self, scene: &Scene<'_>, chance: &mut Seeded) {
        let (chair, own) = (&scene.village.chair, &scene.people[0]);
        match self.group.take() {
            None => self.group = Some(group(scene, self.count, std::slice::from_ref(own)).await),
            Some(id) if chance.percent(60) => {
                let seq = say(chair, &id, "在吗").await;
                Kind::Mailbox.wait_for_echo(scene);
                read(own, &id, seq).await;
                self.group = Some(id);
            }
            Some(id) => {
                let path = format!("/v1/groups/{id}/members/{}", own.person);
                answer(chair.request(Method::DELETE, &path)).await.ok();
            }
        }
    }
}
