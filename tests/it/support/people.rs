//! The invented village of `roster_small.csv`: who sits where, and how each of them speaks to the server.
mod founded;

use std::{net::SocketAddr, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use liusheng::{
    app::App,
    bodies::{self, By},
    clock::Clock,
    ids::{BodyId, PersonId, SeatId, SessionId, StreamId},
    keys::Keys,
    people::{self, Carrier, NewSession, RosterFile},
    streams::{self, StreamKind},
};
use sea_orm::{
    ConnectionTrait, ExprTrait,
    sea_query::{Expr, Query},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, TestApp, answer};

/// 59 people in 22 households: a shared phone (00053, 00054), a child (00055), no number at all (00056), not registered
/// (00057), 18 years old on 2 November 2026 (00058) and a day too young (00059), a name outside the basic plane (00051).
const ROSTER: &[u8] = include_bytes!("../../data/roster_small.csv");
/// Three people of the next village in the same town; the first works in the town's office.
const NEIGHBOURS: &[u8] = include_bytes!("../../data/roster_neighbours.csv");
const AREA: &str = "330521103202";
const NEXT_AREA: &str = "330521103203";
const TOWN: &str = "330521103";

/// A person with a log-in.
#[derive(Clone)]
pub(crate) struct Somebody {
    pub(crate) person: PersonId,
    pub(crate) session: SessionId,
    /// What the server handed out at the log-in, and when.
    issued: Option<(String, DateTime<Utc>)>,
    keys: Arc<Keys>,
    clock: Clock,
    http: reqwest::Client,
    address: SocketAddr,
}

impl Somebody {
    /// Opens a log-in past the SMS.
    pub(crate) async fn signed_in(app: &TestApp, person: PersonId) -> Self {
        let session = open_session(&app.app, person).await;
        Self::with(app, person, session, None)
    }

    fn with(app: &TestApp, person: PersonId, session: SessionId, token: Option<String>) -> Self {
        let issued = token.map(|token| (token, app.clock.now()));
        let (keys, clock, http) = (Arc::clone(&app.app.keys), app.clock.clone(), app.http.clone());
        Self { person, session, issued, keys, clock, http, address: app.address }
    }

    /// An access token that holds now, however far the clock was moved.
    pub(crate) fn token(&self) -> String {
        let fresh = |at: &DateTime<Utc>| self.clock.now() - *at < TimeDelta::minutes(14);
        match &self.issued {
            Some((token, at)) if fresh(at) => token.clone(),
            _ => people::mint(&self.keys, &self.clock, self.person, self.session).unwrap(),
        }
    }

    /// Signs in as a phone does: asks for a code, finds it where the `file` provider put it, tells it.
    pub(crate) async fn by_phone(app: &TestApp, phone: &str, person: Option<PersonId>) -> Self {
        let url = |path: &str| app.url(path);
        let asked = answer(app.http.post(url("/v1/login/codes")).json(&json!({ "phone": phone }))).await;
        assert_eq!(asked.status, 202, "{}", asked.body);
        let code = code_of(app, phone).await;
        let told = json!({ "login_id": asked.body["login_id"], "phone": phone, "code": code, "person_id": person, "device": "test" });
        let open = answer(app.http.post(url("/v1/login")).json(&told)).await.ok();
        let id = |field: &str| open[field].as_str().unwrap().to_owned();
        let (person, session) = (id("person_id").parse().unwrap(), id("session_id").parse().unwrap());
        Self::with(app, person, session, Some(id("access_token")))
    }

    /// The same log-in at another server, which lives by the machine's clock.
    pub(crate) fn at(&self, address: SocketAddr) -> Self {
        Self { address, clock: Clock::system(), issued: None, ..self.clone() }
    }

    /// The same log-in at another server of the tests.
    pub(crate) fn at_app(&self, app: &TestApp) -> Self {
        Self { address: app.address, clock: app.clock.clone(), issued: None, ..self.clone() }
    }

    /// The same log-in at the same server by another way.
    pub(crate) fn through(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A request in this person's name; what is sent with it is up to the caller.
    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.address)).bearer_auth(self.token())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.request(reqwest::Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        answer(self.request(reqwest::Method::POST, path).json(&body)).await
    }

    /// A request that is done once, however often it is sent.
    pub(crate) async fn post_once(&self, path: &str, key: &str, body: Value) -> Answer {
        answer(self.request(reqwest::Method::POST, path).header("idempotency-key", key).json(&body)).await
    }

    /// A photo or clip.
    pub(crate) fn uploading(&self, key: Option<&str>, bytes: Vec<u8>) -> reqwest::RequestBuilder {
        let form =
            reqwest::multipart::Form::new().part("file", reqwest::multipart::Part::bytes(bytes).file_name("file"));
        let request = self.request(reqwest::Method::POST, "/v1/media").multipart(form);
        match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        }
    }

    pub(crate) async fn upload(&self, bytes: Vec<u8>) -> Answer {
        answer(self.uploading(None, bytes)).await
    }

    /// Status and bytes, as they are.
    pub(crate) async fn download(&self, path: &str) -> (u16, Vec<u8>) {
        let response = self.request(reqwest::Method::GET, path).send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
    }
}

/// The newest code for a phone.
pub(crate) async fn code_of(app: &TestApp, phone: &str) -> String {
    for _ in 0..200 {
        let sent = std::fs::read_to_string(app.folder.path().join("sms.txt")).unwrap_or_default();
        let newest = sent.lines().rev().find_map(|line| line.strip_prefix(phone)).map(|code| code.trim().to_owned());
        if let Some(code) = newest {
            return code;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("no code was sent to {phone}");
}

async fn open_session(app: &App, person: PersonId) -> SessionId {
    let days = app.config.session_days;
    let new = NewSession { person, carrier: Carrier::Tokens, device: "test".to_owned(), days };
    app.store.write(move |tx| Box::pin(people::open_session(tx, new))).await.unwrap().session
}

/// The cookie of a browser in which somebody is signed in.
pub(crate) async fn cookie_of(app: &App, person: PersonId) -> String {
    let new = NewSession { person, carrier: Carrier::Cookie, device: String::new(), days: 60 };
    app.store.write(move |tx| Box::pin(people::open_session(tx, new))).await.unwrap().secret
}

/// Brings a roster in, as the command line does.
pub(crate) async fn import(app: &App, roster: impl Into<Vec<u8>>) -> usize {
    let file = RosterFile { bytes: roster.into(), area: None, imported_by: None, confirm_left: None };
    people::import_roster(app, file).await.unwrap().added
}

/// The person with this number on a village's roster.
pub(crate) async fn person_of(app: &App, area: &str, number: &str) -> PersonId {
    let select = Query::select()
        .column("id")
        .from("people")
        .and_where(Expr::col("area_code").eq(area))
        .and_where(Expr::col("roster_number").eq(number))
        .to_owned();
    app.store.read().query_one(&select).await.unwrap().unwrap().try_get("", "id").unwrap()
}

/// What stands in the streams of a kind that somebody sees, oldest first, asked for by a log-in that knows nothing of before.
pub(crate) async fn told_in(app: &TestApp, who: PersonId, kind: &str) -> Vec<Value> {
    app.settle().await;
    let who = Somebody::signed_in(app, who).await;
    let list = who.get("/v1/sync").await.ok();
    let mut told = Vec::new();
    for stream in list["streams"].as_array().unwrap().iter().filter(|stream| stream["kind"] == kind) {
        let path = format!("/v1/streams/{}/entries?after=0", stream["id"].as_str().unwrap());
        let entries = who.get(&path).await.ok();
        told.extend(entries["entries"].as_array().unwrap().iter().map(|entry| entry["body"].clone()));
    }
    told
}

/// Codes of the cards among them.
pub(crate) async fn cards_in(app: &TestApp, who: PersonId, kind: &str) -> Vec<String> {
    let told = told_in(app, who, kind).await;
    told.iter().filter_map(|body| body["card"].as_str()).map(str::to_owned).collect()
}

/// A village with everybody who has something to say in it.
#[derive(Clone)]
pub(crate) struct Village {
    pub(crate) area: String,
    pub(crate) committee: BodyId,
    pub(crate) council: BodyId,
    /// Of the village committee.
    pub(crate) chair: Somebody,
    pub(crate) clerk: Somebody,
    /// Of the council.
    pub(crate) council_chair: Somebody,
    pub(crate) secretary: Somebody,
    pub(crate) member: Somebody,
    pub(crate) branch: BodyId,
    /// Of the party branch.
    pub(crate) branch_chair: Somebody,
    /// Of the supervision committee.
    pub(crate) supervisor: Somebody,
    pub(crate) representatives: Vec<Somebody>,
    /// In the town's office.
    pub(crate) town: Somebody,
    seats: Vec<(PersonId, SeatId)>,
}

impl Village {
    /// Imports the rosters and fills the seats.
    pub(crate) async fn found(app: &TestApp) -> Self {
        assert_eq!(import(&app.app, ROSTER).await, 59);
        assert_eq!(import(&app.app, NEIGHBOURS).await, 3);
        app.followed().await;
        let mut seats = Seats { app, taken: Vec::new() };
        let committee = seats.body("village_committee", "东衡村村民委员会", AREA).await;
        let chair = seats.fill(committee, "00001", "chair").await;
        let clerk = seats.fill(committee, "00004", "clerk").await;
        let council = seats.body("council", "东衡村乡贤参事会", AREA).await;
        let council_chair = seats.fill(council, "00013", "chair").await;
        let secretary = seats.fill(council, "00019", "secretary").await;
        let member = seats.fill(council, "00022", "member").await;
        let branch = seats.body("party_branch", "东衡村党支部", AREA).await;
        let branch_chair = seats.fill(branch, "00025", "chair").await;
        let supervision = seats.body("supervision_committee", "东衡村村务监督委员会", AREA).await;
        let supervisor = seats.fill(supervision, "00028", "chair").await;
        let house = seats.body("representatives", "东衡村村民代表会议", AREA).await;
        let mut representatives = Vec::new();
        for number in ["00034", "00040", "00043", "00045", "00047"] {
            representatives.push(seats.fill(house, number, "member").await);
        }
        let office = seats.body("town_office", "洛舍镇人民政府", TOWN).await;
        let clerk_of_town = person_of(&app.app, NEXT_AREA, "00001").await;
        let town = seats.seat(office, clerk_of_town, "clerk").await;
        app.settle().await;
        Self {
            area: AREA.to_owned(),
            committee,
            council,
            chair,
            clerk,
            council_chair,
            secretary,
            member,
            branch,
            branch_chair,
            supervisor,
            representatives,
            town,
            seats: seats.taken,
        }
    }

    /// Somebody of the village by the number on its roster, e.g. `00007`, who sits nowhere.
    pub(crate) async fn villager(&self, app: &TestApp, number: &str) -> Somebody {
        Somebody::signed_in(app, person_of(&app.app, AREA, number).await).await
    }

    /// Somebody of the next village who sits nowhere.
    pub(crate) async fn neighbour(&self, app: &TestApp) -> Somebody {
        Somebody::signed_in(app, person_of(&app.app, NEXT_AREA, "00002").await).await
    }

    /// Where everybody may speak about a matter.
    pub(crate) async fn discussion(&self, app: &TestApp, matter: &str) -> StreamId {
        streams::queries::find(app.app.store.read(), StreamKind::Discussion, matter).await.unwrap().unwrap()
    }

    /// What was told about a matter in its discussion.
    pub(crate) async fn cards(&self, app: &TestApp, matter: &str) -> String {
        let discussion = self.discussion(app, matter).await;
        self.chair.get(&format!("/v1/streams/{discussion}/entries?limit=100")).await.ok().to_string()
    }

    /// Ends the seat of somebody, by the town's office.
    pub(crate) async fn end_seat_of(&self, app: &TestApp, person: PersonId) {
        let (_, seat) = self.seats.iter().find(|(who, _)| *who == person).unwrap();
        self.town.post(&format!("/v1/seats/{seat}/end"), json!(null)).await.ok();
        app.settle().await;
    }

    /// Raises a matter and takes the short way to its decision: what may be skipped is skipped, the notice hangs its
    /// days, which end on a working day (the clock moves by twelve).
    pub(crate) async fn matter_to_decide(&self, app: &TestApp, title: &str) -> String {
        let summary = format!("{title}，请大家商量。");
        let matter = json!({ "area_code": self.area, "title": title, "summary": summary });
        let matter = self.chair.post("/v1/matters", matter).await.ok();
        let id = matter["id"].as_str().unwrap().to_owned();
        self.skip(&id, "raise").await;
        self.skip(&id, "deliberate").await;
        let notice =
            json!({ "area_code": self.area, "matter_id": id, "title": title, "text": "公示全文。", "period_days": 5 });
        self.clerk.post("/v1/notices", notice).await.ok();
        app.settle().await;
        app.pass(TimeDelta::days(12)).await;
        app.settle().await;
        self.skip(&id, "review").await;
        id
    }

    async fn skip(&self, matter: &str, stage: &str) {
        let by = json!({ "stage": stage, "authority": "镇政府同意", "reason": "测试走近路" });
        let skipped = self.chair.post(&format!("/v1/matters/{matter}/skip"), by).await;
        assert_eq!(skipped.status, 200, "{stage}: {}", skipped.body);
    }

    /// Asks everybody about a matter that is to be decided.
    pub(crate) async fn open_vote(&self, app: &TestApp, matter: &str, time: TimeDelta) -> String {
        let vote = json!({
            "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person",
            "closes_at": app.app.now() + time, "challenge_days": 0,
        });
        self.chair.post("/v1/votes", vote).await.ok()["id"].as_str().unwrap().to_owned()
    }
}

struct Seats<'a> {
    app: &'a TestApp,
    taken: Vec<(PersonId, SeatId)>,
}

impl Seats<'_> {
    async fn body(&self, kind: &str, name: &str, area: &str) -> BodyId {
        let found = serde_json::from_value(json!({ "kind": kind, "name": name, "areas": [area] })).unwrap();
        let founding = self.app.app.store.write(move |tx| Box::pin(bodies::found_body(tx, By::Operator, found)));
        founding.await.unwrap().body.id
    }

    async fn fill(&mut self, body: BodyId, number: &str, role: &str) -> Somebody {
        let person = person_of(&self.app.app, AREA, number).await;
        self.seat(body, person, role).await
    }

    async fn seat(&mut self, body: BodyId, person: PersonId, role: &str) -> Somebody {
        let seat = serde_json::from_value(json!({ "person_id": person, "role": role })).unwrap();
        let taking = self.app.app.store.write(move |tx| Box::pin(bodies::take_seat(tx, By::Operator, (body, seat))));
        let seat = taking.await.unwrap();
        self.taken.push((person, seat.id));
        Somebody::signed_in(self.app, person).await
    }
}

/// Somebody says this in a conversation: its place there.
pub(crate) async fn say(who: &Somebody, stream: &str, text: &str) -> i64 {
    let message = json!({ "client_id": Uuid::now_v7(), "text": text });
    who.post(&format!("/v1/streams/{stream}/messages"), message).await.ok()["seq"].as_i64().unwrap()
}

/// The chair brings these together: the stream of their group.
pub(crate) async fn group(village: &Village, people: &[&Somebody]) -> String {
    let people: Vec<_> = people.iter().map(|who| who.person).collect();
    let group = json!({ "body_id": village.committee, "title": "修桥小组", "people": people });
    village.chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned()
}

/// Of what was made, the id.
#[track_caller]
pub(crate) fn id(value: &Value) -> String {
    value["id"].as_str().unwrap_or_else(|| panic!("no id in {value}")).to_owned()
}
