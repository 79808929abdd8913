//! Three villages in two towns, everybody of the columns, and things that belong to them.
use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use liusheng::{
    bodies::{self, By},
    ids::{BodyId, PersonId, SeatId},
};
use serde_json::json;

use super::matrix::At;
pub(super) use crate::support::id;
use crate::support::{Somebody, TestApp, import, monday, person_of};

/// Where. A and B are villages of one town, C lies in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    A,
    B,
    C,
}

pub(super) const TOWN: &str = "330521103";
const OTHER_TOWN: &str = "330521001";
const COUNTY: &str = "330521";

impl Place {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::A => "330521103202",
            Self::B => "330521103203",
            Self::C => "330521001001",
        }
    }

    /// A village of the same town in which nobody of the columns lives.
    pub(super) fn neighbour(self) -> &'static str {
        if self == Self::C { "330521001002" } else { "330521103201" }
    }
}

/// The roster of a village: grown-ups with a number each and nothing else; in A beside the people of the small roster.
pub(super) fn roster(place: Place) -> String {
    let small = include_str!("../../data/roster_small.csv");
    let (mut lines, first) = match place {
        Place::A => (small.to_owned(), 101),
        Place::B | Place::C => (small.lines().next().unwrap().to_owned() + "\n", 1),
    };
    for n in first..first + 400 {
        let (code, name) = (place.code(), ["甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬", "癸"][n % 10]);
        lines += &format!("{n:05},N{n:03},{code},1,邻村{name}{name},男,1970-01-02,,,户主,1,1\n");
    }
    lines
}

pub(super) const PHOTO: &[u8] = include_bytes!("../../data/media/clear.png");
pub(super) const CLIP: &[u8] = include_bytes!("../../data/media/lamp.m4a");

/// Something private, by the words that only some may ever be sent.
pub(super) struct Secret {
    pub(super) words: String,
    pub(super) kind: &'static str,
    pub(super) place: Place,
    pub(super) owner: PersonId,
}

/// Everything there is.
pub(super) struct World {
    pub(super) app: TestApp,
    pub(super) who: HashMap<&'static str, Somebody>,
    /// Chair of the committee, and somebody who owns things, by village.
    pub(super) chairs: HashMap<Place, Somebody>,
    pub(super) authors: HashMap<Place, Somebody>,
    pub(super) committees: HashMap<Place, BodyId>,
    pub(super) councils: HashMap<Place, BodyId>,
    pub(super) own_bodies: HashMap<&'static str, BodyId>,
    pub(super) votes: HashMap<(Place, &'static str), String>,
    /// By the id at the end of their words, and so the newest last.
    pub(super) secrets: BTreeMap<String, Secret>,
    /// What is known of every id: kind, village, owner.
    pub(super) known: HashMap<String, (String, Place, Option<PersonId>)>,
    shared: HashMap<(String, At, Option<&'static str>), String>,
    next: HashMap<Place, usize>,
}

impl World {
    pub(super) async fn make() -> Self {
        let app =
            TestApp::start_with(monday(), |config| config.trusted_proxies = "127.0.0.1".to_owned().try_into().unwrap())
                .await;
        import(&app.app, roster(Place::A)).await;
        import(&app.app, roster(Place::B)).await;
        import(&app.app, roster(Place::C)).await;
        app.settle().await;
        let empty = HashMap::new;
        let mut world = Self {
            who: HashMap::new(),
            chairs: HashMap::new(),
            authors: HashMap::new(),
            committees: empty(),
            councils: HashMap::new(),
            own_bodies: HashMap::new(),
            votes: HashMap::new(),
            secrets: BTreeMap::new(),
            known: HashMap::new(),
            shared: HashMap::new(),
            next: HashMap::new(),
            app,
        };
        world.fill_seats().await;
        world.hold_votes().await;
        // what was said before the silence stays where it was said
        for kind in ["voice_public", "photo_public", "thread_public", "message", "chain", "held"] {
            world.object(kind, At::Own, "suspended").await;
        }
        let silence =
            json!({ "person_id": world.who["suspended"].person, "reason": "测试：在讨论中辱骂他人", "days": 60 });
        let path = format!("/v1/areas/{}/suspensions", Place::A.code());
        world.chairs[&Place::A].post(&path, silence).await.ok();
        world.app.settle().await;
        world
    }

    async fn fill_seats(&mut self) {
        for place in [Place::A, Place::B, Place::C] {
            let committee = self.found("village_committee", "村民委员会", &[place.code()]).await;
            let council = self.found("council", "乡贤参事会", &[place.code()]).await;
            self.committees.insert(place, committee);
            self.councils.insert(place, council);
            let chair = self.sit(committee, self.person(place, 1).await, "chair", None).await;
            self.chairs.insert(place, chair);
            let author = if place == Place::A { 7 } else { 20 };
            let author = Somebody::signed_in(&self.app, self.person(place, author).await).await;
            self.authors.insert(place, author);
        }
        let joint = self.found("council", "两村联合参事会", &[Place::A.code(), Place::B.code()]).await;
        let town = self.found("town_office", "洛舍镇人民政府", &[TOWN]).await;
        let other_town = self.found("town_office", "武康街道办事处", &[OTHER_TOWN]).await;
        // an office in which nobody sits is asked nothing
        self.sit(other_town, self.person(Place::C, 390).await, "clerk", None).await;
        let county = self.found("county_office", "县农业农村局", &[COUNTY]).await;
        let evaluators = self.found("evaluator", "第三方评估公司", &[TOWN]).await;
        let (committee, council) = (self.committees[&Place::A], self.councils[&Place::A]);
        let term = json!({ "number": 12, "starts_on": "2026-01-01", "ends_on": "2026-11-04" });
        let term = serde_json::from_value(term).unwrap();
        let opening =
            self.app.app.store.write(move |tx| Box::pin(bodies::open_term(tx, By::Operator, (committee, term))));
        let term = opening.await.unwrap().id.to_string();
        let seats = [
            ("member", council, Place::A, 22, "member", None),
            ("secretary", council, Place::A, 19, "secretary", None),
            ("expired", committee, Place::A, 49, "clerk", Some(term)),
            ("joint", joint, Place::B, 3, "secretary", None),
            ("town", town, Place::B, 4, "clerk", None),
            ("county", county, Place::B, 5, "clerk", None),
            ("evaluator", evaluators, Place::B, 6, "member", None),
        ];
        for (role, body, place, number, seat, term) in seats {
            let somebody = self.sit(body, self.person(place, number).await, seat, term).await;
            self.who.insert(role, somebody);
            self.own_bodies.insert(role, body);
        }
        for (role, number) in [("resident", 10), ("household", 11), ("child", 55), ("suspended", 31)] {
            let person = self.person(Place::A, number).await;
            self.who.insert(role, Somebody::signed_in(&self.app, person).await);
        }
        let neighbour = self.person(Place::B, 2).await;
        self.who.insert("neighbour", Somebody::signed_in(&self.app, neighbour).await);
        for (role, place) in [("committee", Place::A), ("other_com", Place::B)] {
            self.who.insert(role, self.chairs[&place].clone());
            self.own_bodies.insert(role, self.committees[&place]);
        }
    }

    pub(super) async fn person(&self, place: Place, number: usize) -> PersonId {
        person_of(&self.app.app, place.code(), &format!("{number:05}")).await
    }

    pub(super) async fn found(&self, kind: &str, name: &str, areas: &[&str]) -> BodyId {
        let found = serde_json::from_value(json!({ "kind": kind, "name": name, "areas": areas })).unwrap();
        let founding = self.app.app.store.write(move |tx| Box::pin(bodies::found_body(tx, By::Operator, found)));
        founding.await.unwrap().body.id
    }

    async fn sit(&self, body: BodyId, person: PersonId, role: &str, term: Option<String>) -> Somebody {
        self.seat(body, person, role, term).await;
        Somebody::signed_in(&self.app, person).await
    }

    pub(super) async fn seat(&self, body: BodyId, person: PersonId, role: &str, term: Option<String>) -> SeatId {
        let seat = serde_json::from_value(json!({ "person_id": person, "role": role, "term_id": term })).unwrap();
        let taking = self.app.app.store.write(move |tx| Box::pin(bodies::take_seat(tx, By::Operator, (body, seat))));
        taking.await.unwrap().id
    }

    /// A grown-up of the village who was not used yet.
    pub(super) async fn fresh_person(&mut self, place: Place) -> PersonId {
        let next = self.next.entry(place).or_default();
        *next += 1;
        let number = *next + if place == Place::A { 100 } else { 20 };
        self.person(place, number).await
    }

    /// A matter that is decided by an open vote, and one whose vote is over, in A and in C.
    async fn hold_votes(&mut self) {
        let mut matters = Vec::new();
        for (place, kind) in
            [(Place::A, "vote"), (Place::A, "closed_vote"), (Place::C, "vote"), (Place::C, "closed_vote")]
        {
            let matter = self.raise(place).await;
            for stage in ["raise", "deliberate"] {
                self.skip(place, &matter, stage).await;
            }
            let notice = json!({ "area_code": place.code(), "matter_id": matter, "title": "公示", "text": "全文", "period_days": 5 });
            self.chairs[&place].post("/v1/notices", notice).await.ok();
            matters.push((place, kind, matter));
        }
        self.app.settle().await;
        self.app.pass(TimeDelta::days(12)).await;
        for (place, kind, matter) in matters {
            self.skip(place, &matter, "review").await;
            let time = if kind == "vote" { TimeDelta::days(2) } else { TimeDelta::hours(1) };
            let vote = json!({ "matter_id": matter, "question": "同意吗？", "preset": "village_assembly_person",
                "closes_at": self.app.app.now() + time, "challenge_days": 0 });
            let vote = id(&self.chairs[&place].post("/v1/votes", vote).await.ok());
            self.votes.insert((place, kind), vote);
        }
        self.app.pass(TimeDelta::hours(2)).await;
    }

    pub(super) async fn raise(&self, place: Place) -> String {
        let matter = json!({ "area_code": place.code(), "title": "修路", "summary": "村口的路要修一修。" });
        id(&self.chairs[&place].post("/v1/matters", matter).await.ok())
    }

    async fn skip(&self, place: Place, matter: &str, stage: &str) {
        let by = json!({ "stage": stage, "authority": "镇政府同意", "reason": "测试走近路" });
        self.chairs[&place].post(&format!("/v1/matters/{matter}/skip"), by).await.ok();
    }

    /// Where a role lives.
    pub(super) fn home(role: &str) -> Place {
        match role {
            "neighbour" | "other_com" | "joint" | "town" | "county" | "evaluator" => Place::B,
            _ => Place::A,
        }
    }

    /// The village in which an object lies.
    pub(super) fn place(at: At, role: &str) -> Place {
        match at {
            At::Own => Self::home(role),
            At::Here => Place::A,
            At::Far => Place::C,
        }
    }

    /// Whose it is: of one's own things, one's own; those of the household belong to the other member.
    pub(super) fn owner(&self, at: At, role: &'static str) -> Somebody {
        match at {
            At::Own if role == "household" => self.who["resident"].clone(),
            At::Own => self.who[role].clone(),
            At::Here => self.authors[&Place::A].clone(),
            At::Far => self.authors[&Place::C].clone(),
        }
    }

    /// The object of this kind that nobody changes.
    pub(super) async fn object(&mut self, kind: &str, at: At, role: &'static str) -> String {
        let key = (kind.to_owned(), at, (at == At::Own).then_some(role));
        if let Some(known) = self.shared.get(&key) {
            return known.clone();
        }
        let made = self.fresh(kind, at, role).await;
        self.shared.insert(key, made.clone());
        made
    }

    /// The objects of this kind that nobody changes.
    pub(super) fn kept(&self, kind: &str) -> Vec<&String> {
        self.shared.iter().filter(|((one, ..), _)| one == kind).map(|(_, id)| id).collect()
    }

    pub(super) fn note(&mut self, id: &str, kind: &str, place: Place, owner: Option<PersonId>) {
        self.known.insert(id.to_owned(), (kind.to_owned(), place, owner));
    }

    pub(super) fn keep(&mut self, words: String, kind: &'static str, place: Place, owner: PersonId) {
        let (_, id) = words.split_at(words.len() - 36);
        self.secrets.insert(id.to_owned(), Secret { words, kind, place, owner });
    }
}
