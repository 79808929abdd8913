//! How a thing of each kind comes about, in any of the villages.
mod council;
mod law;
mod talk;

use chrono::TimeDelta;
use liusheng::{
    bodies,
    ids::BodyId,
    streams::{self, StreamKind},
};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::{
    matrix::At,
    requests::fresh_phone,
    world::{CLIP, PHOTO, Place, World, id},
};
use crate::support::{Somebody, answer};

/// The place of the first message in a discussion, after the card about its matter.
pub(super) const FIRST_MESSAGE: i64 = 2;

/// What somebody owns in person.
const PERSONAL: [&str; 12] = [
    "voice",
    "referral",
    "extension",
    "hiding",
    "assist",
    "photo",
    "upload",
    "thread",
    "mailbox",
    "contact",
    "group",
    "mediation",
];

impl World {
    /// A new object of this kind.
    pub(super) async fn fresh(&mut self, kind: &str, at: At, role: &'static str) -> String {
        let place = Self::place(at, role);
        let owner = self.owner(at, role);
        let made = match kind {
            "area" => return place.code().to_owned(),
            "body" => return self.committees[&place].to_string(),
            "council" => return self.councils[&place].to_string(),
            "person" => return self.fresh_person(place).await.to_string(),
            "claim" => return self.claim(role, place).await,
            "correction" => {
                let person = self.fresh_person(place).await;
                let wanted = json!({ "field": "other", "wanted": "改" });
                return id(&Somebody::signed_in(&self.app, person).await.post("/v1/me/corrections", wanted).await.ok());
            }
            "home" => return self.home_of(place).await,
            "vote" | "closed_vote" => self.votes[&(place, if kind == "vote" { "vote" } else { "closed_vote" })].clone(),
            "voice_private" => self.voice(&owner, "handlers", place).await,
            "voice_public" => self.voice(&owner, "public", place).await,
            "voice_town" => self.voice(&owner, "town", place).await,
            "upload" => self.upload(&owner).await,
            "referral" => self.referral(&owner, place).await,
            "extension" => self.extension(&owner, place).await,
            "hiding" => self.hiding(&owner, place).await,
            "assist" => self.assist(&owner, place).await,
            "photo_private" => self.photo(&owner, "handlers", place).await,
            "photo_public" => self.photo(&owner, "public", place).await,
            "thread_private" => self.thread(&owner, "handlers", place).await,
            "thread_public" => self.thread(&owner, "public", place).await,
            "mailbox" => self.mailbox(&owner).await,
            "contact" => self.contact(&owner, place).await,
            "group" => self.group(&owner, place).await,
            "forum" => self.forum(place).await,
            "message" => self.message(&owner, place).await,
            "chain" => self.chain(&owner, place).await,
            "held" => self.held(&owner, place).await,
            "contract" => self.contract(place).await,
            "need" => self.need(place).await,
            "election" => self.election(place).await,
            "joint" => self.joint(place).await,
            "service" => self.service(place).await,
            "recommendation" => self.recommendation(&owner, place).await,
            "chartered" => return self.chartered(place).await,
            "joint_item" => self.joint_item(place).await,
            "mediation" => self.mediation(&owner, place).await,
            "report" => self.report(&owner, place).await,
            "objection" => self.objection(&owner, place).await,
            "written_objection" => self.written_objection(&owner, place).await,
            "office" => self.office(at, role, place).await,
            "task" => {
                let owner = if at == At::Own { owner.clone() } else { self.chair_s_clerk(place).await };
                self.task(&owner, place).await
            }
            _ => self.of_village(kind, place).await,
        };
        if !matches!(kind, "vote" | "closed_vote") {
            let is_personal = PERSONAL.iter().any(|one| kind.starts_with(one));
            self.note(&made, kind, place, is_personal.then_some(owner.person));
        }
        made
    }

    /// Of whom nothing else is asked: the number on the roster, and of the household.
    pub(super) fn at_home(place: Place) -> usize {
        if place == Place::A { 110 } else { 30 }
    }

    /// A household in which nobody of the columns lives.
    async fn home_of(&self, place: Place) -> String {
        let path = format!("/v1/areas/{}/households?number=N{:03}", place.code(), Self::at_home(place));
        id(&self.chairs[&place].get(&path).await.ok())
    }

    /// A phone to be bound, written down by somebody else than who is to decide.
    async fn claim(&mut self, role: &str, place: Place) -> String {
        let person = self.fresh_person(place).await;
        let decides = self.who.get(role).is_some_and(|one| one.person == self.chairs[&place].person);
        let by = if decides { self.who["county"].clone() } else { self.chairs[&place].clone() };
        by.post(&format!("/v1/people/{person}/claims"), json!({ "phone": fresh_phone() })).await.ok();
        let waiting = by.get(&format!("/v1/areas/{}/claims", place.code())).await.ok();
        let own = waiting["claims"].as_array().unwrap().iter().find(|one| one["person_id"] == json!(person));
        id(own.unwrap_or_else(|| panic!("no claim of {person} in {waiting}")))
    }

    /// What belongs to a village, made by its committee.
    async fn of_village(&mut self, kind: &str, place: Place) -> String {
        let chair = self.chairs[&place].clone();
        let code = place.code();
        match kind {
            "seat" => {
                let person = self.fresh_person(place).await;
                self.seat(self.committees[&place], person, "grid_worker", None).await.to_string()
            }
            "council_seat" => {
                let person = self.fresh_person(place).await;
                let council = self.found("council", "另一个参事会", &[place.code()]).await;
                self.seat(council, person, "member", None).await.to_string()
            }
            "legal_seat" => {
                let person = self.fresh_person(place).await;
                self.seat(self.committees[&place], person, "legal_officer", None).await.to_string()
            }
            "mandate" => {
                // not in force while others are asked whether a council may publish
                let later = self.app.app.now() + TimeDelta::days(9);
                let new = json!({ "from_body_id": self.committees[&place], "to_body_id": self.councils[&place],
                    "scope": "publish_notice", "source": "会议", "starts_at": later });
                id(&chair.post("/v1/mandates", new).await.ok())
            }
            "webhook" => {
                let url = format!("http://127.0.0.1:9/{}", Uuid::now_v7());
                id(&chair.post(&format!("/v1/areas/{code}/webhooks"), json!({ "url": url })).await.ok())
            }
            "survey" | "visit" => {
                let matter = Box::pin(self.object("matter", Self::at(place), Self::of(place))).await;
                id(&chair.post("/v1/forms", Self::form(place, &matter, kind)).await.ok())
            }
            "matter" => self.raise(place).await,
            "meeting" => id(&chair.post("/v1/meetings", self.meeting(place, "villagers")).await.ok()),
            "notice" => {
                let notice = json!({ "area_code": code, "title": "公示", "text": "全文", "must_read": true });
                id(&chair.post("/v1/notices", notice).await.ok())
            }
            "spoken_notice" | "clip" => {
                let notice = json!({ "area_code": code, "title": "公示", "text": "全文" });
                let notice = id(&chair.post("/v1/notices", notice).await.ok());
                let clip = id(&chair.upload(CLIP.to_vec()).await.ok());
                let path = format!("/v1/aloud/notice/{notice}");
                answer(chair.request(Method::PUT, &path).json(&json!({ "media_id": clip }))).await.ok();
                if kind == "clip" { clip } else { notice }
            }
            "photo_task" => {
                let clerk = self.chair_s_clerk(place).await;
                let (task, photo) = (self.task(&clerk, place).await, id(&clerk.upload(PHOTO.to_vec()).await.ok()));
                let done = json!({ "proof": "好了", "photos": [photo] });
                clerk.post(&format!("/v1/tasks/{task}/done"), done).await.ok();
                photo
            }
            "channel" => {
                let open = self
                    .app
                    .app
                    .store
                    .write(move |tx| Box::pin(async move { streams::commands::channel(tx, code).await }));
                open.await.unwrap().to_string()
            }
            "discussion" => {
                let matter = Box::pin(self.object("matter", Self::at(place), Self::of(place))).await;
                self.stream(StreamKind::Discussion, &matter).await
            }
            "suspension" => {
                let person = self.fresh_person(place).await;
                let words = format!("缘由{}", Uuid::now_v7());
                let new = json!({ "person_id": person, "reason": words, "days": 5 });
                let made = chair.post(&format!("/v1/areas/{code}/suspensions"), new).await.ok();
                self.keep(words, "suspension", place, person);
                id(&made)
            }
            "charter" => {
                let new = json!({ "area_code": code, "template": "short", "adopted_on": "2026-01-05",
                    "source": "村民会议通过的《小事简办章程》" });
                id(&chair.post("/v1/charters", new).await.ok())
            }
            "authorisation" => {
                let new = json!({ "area_code": code, "reserved_item": "planning", "adopted_on": "2026-01-05",
                    "until_on": "2027-01-05", "source": "村民会议授权村民代表会议决定" });
                id(&chair.post("/v1/authorisations", new).await.ok())
            }
            "planned" => {
                let matter = self.raise(place).await;
                let plan = json!({ "version": 0, "text": "在溪边种五十棵树，村里出钱。" });
                chair.post(&format!("/v1/matters/{matter}/plan"), plan).await.ok();
                matter
            }
            other => panic!("what is a {other}?"),
        }
    }

    /// The letter under which a village's things are known to everybody.
    fn at(place: Place) -> At {
        match place {
            Place::A => At::Here,
            Place::B => At::Own,
            Place::C => At::Far,
        }
    }

    fn of(place: Place) -> &'static str {
        if place == Place::B { "neighbour" } else { "visitor" }
    }

    pub(super) fn form(place: Place, matter: &str, purpose: &str) -> serde_json::Value {
        json!({ "subject_id": matter, "area_code": place.code(), "purpose": purpose, "title": "问卷",
            "questions": [{ "id": "a", "title": "修吗？", "kind": "choice", "options": ["修", "不修"], "required": true }] })
    }

    pub(super) fn meeting(&self, place: Place, audience: &str) -> serde_json::Value {
        json!({ "area_code": place.code(), "body_id": self.committees[&place], "audience": audience, "title": "会议",
            "agenda": "修桥", "place": "礼堂", "starts_at": self.app.app.now() + TimeDelta::hours(1) })
    }

    /// Somebody who works for a committee; made once.
    pub(super) async fn chair_s_clerk(&self, place: Place) -> Somebody {
        let person = self.person(place, if place == Place::A { 4 } else { 10 }).await;
        let clerk = Somebody::signed_in(&self.app, person).await;
        let me = clerk.get("/v1/me").await.ok();
        if me["seats"].as_array().unwrap().is_empty() {
            self.seat(self.committees[&place], person, "grid_worker", None).await;
            self.app.app.actors.invalidate_all();
        }
        clerk
    }

    pub(super) async fn task(&self, owner: &Somebody, place: Place) -> String {
        let task = json!({ "area_code": place.code(), "owner_id": owner.person, "title": "量桥", "working_days": 3 });
        id(&self.chairs[&place].post("/v1/tasks", task).await.ok())
    }

    async fn voice(&mut self, owner: &Somebody, visibility: &'static str, place: Place) -> String {
        let words = format!("暗语{}", Uuid::now_v7());
        let voice = json!({ "kind": "help", "visibility": visibility, "text": words });
        let made = owner.post("/v1/suggestions", voice).await.ok();
        match visibility {
            "handlers" => self.keep(words, "voice_private", place, owner.person),
            "town" => self.keep(words, "voice_town", place, owner.person),
            _ => self.keep(words, "voice_public", place, owner.person),
        }
        id(&made)
    }

    async fn upload(&self, owner: &Somebody) -> String {
        let begun = owner.request(Method::POST, "/v1/uploads").header("upload-length", PHOTO.len());
        id(&answer(begun).await.ok())
    }

    /// Somebody of the committee who handles what another left.
    async fn handler(&mut self, owner: &Somebody, place: Place) -> Somebody {
        let chair = self.chairs[&place].clone();
        if chair.person != owner.person {
            return chair;
        }
        let person = self.fresh_person(place).await;
        self.seat(self.committees[&place], person, "clerk", None).await;
        Somebody::signed_in(&self.app, person).await
    }

    /// A voice for which the committee asks the town for more days.
    async fn extension(&mut self, owner: &Somebody, place: Place) -> String {
        let voice = self.voice(owner, "handlers", place).await;
        let by = self.handler(owner, place).await;
        by.post(&format!("/v1/suggestions/{voice}/accept"), json!(null)).await.ok();
        by.post(&format!("/v1/suggestions/{voice}/extension"), json!({ "reason": "要等材料" })).await.ok();
        let shown = by.get(&format!("/v1/suggestions/{voice}")).await.ok();
        id(&shown["extensions"][0])
    }

    /// A voice that the committee has hidden, to which its author objects.
    async fn hiding(&mut self, owner: &Somebody, place: Place) -> String {
        let voice = json!({ "kind": "help", "visibility": "public", "text": "某某家住桥头三号" });
        let voice = id(&owner.post("/v1/suggestions", voice).await.ok());
        let by = self.handler(owner, place).await;
        let hidden = by.request(Method::PUT, &format!("/v1/suggestions/{voice}/hiding"));
        answer(hidden.json(&json!({ "is_on": true, "reason": "写了别人的住址" }))).await.ok();
        owner.post(&format!("/v1/suggestions/{voice}/hiding/appeal"), json!({ "text": "说的是事实" })).await.ok();
        voice
    }

    /// A voice for which the committee asks the town for its part.
    async fn assist(&mut self, owner: &Somebody, place: Place) -> String {
        let voice = self.voice(owner, "handlers", place).await;
        let by = self.handler(owner, place).await;
        let part = json!({ "body_id": self.office_above(place).await, "task": "请派人来看" });
        by.post(&format!("/v1/suggestions/{voice}/assists"), part).await.ok();
        let shown = by.get(&format!("/v1/suggestions/{voice}")).await.ok();
        id(&shown["assists"][0])
    }

    /// A voice that the committee wants to pass on to the town; nobody passes on the own.
    async fn referral(&mut self, owner: &Somebody, place: Place) -> String {
        let voice = self.voice(owner, "handlers", place).await;
        let by = self.handler(owner, place).await;
        let offer = json!({ "body_id": self.office_above(place).await, "reason": "该由镇里办" });
        by.post(&format!("/v1/suggestions/{voice}/referrals"), offer).await.ok();
        let shown = by.get(&format!("/v1/suggestions/{voice}")).await.ok();
        id(&shown["referrals"][0])
    }

    /// The town's office over a village.
    pub(super) async fn office_above(&self, place: Place) -> BodyId {
        let office =
            bodies::queries::of_kind(self.app.app.store.read(), bodies::BodyKind::TownOffice, place.code()).await;
        office.unwrap().unwrap()
    }

    async fn photo(&mut self, owner: &Somebody, visibility: &str, place: Place) -> String {
        let photo = id(&owner.upload(PHOTO.to_vec()).await.ok());
        let voice = json!({ "kind": "help", "visibility": visibility, "text": "请看", "media": [photo] });
        owner.post("/v1/suggestions", voice).await.ok();
        if visibility == "handlers" {
            self.keep(photo.clone(), "voice_private", place, owner.person);
        }
        photo
    }

    /// An objection to a notice of its own.
    async fn objection(&mut self, author: &Somebody, place: Place) -> String {
        let notice = json!({ "area_code": place.code(), "title": "公示", "text": "全文" });
        let notice = id(&self.chairs[&place].post("/v1/notices", notice).await.ok());
        id(&author.post(&format!("/v1/notices/{notice}/objections"), json!({ "text": "太贵" })).await.ok())
    }

    /// The same, written down at the office in the author's name.
    async fn written_objection(&mut self, author: &Somebody, place: Place) -> String {
        let chair = self.chairs[&place].clone();
        let notice = json!({ "area_code": place.code(), "title": "公示", "text": "全文" });
        let notice = id(&chair.post("/v1/notices", notice).await.ok());
        let written = json!({ "text": "太贵", "person_id": author.person });
        id(&chair.post(&format!("/v1/notices/{notice}/objections"), written).await.ok())
    }
}
