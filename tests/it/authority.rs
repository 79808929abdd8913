//! Every operation of the API by everybody who may come: a table written by hand, so that a new route needs a decision.
use chrono::TimeDelta;
use liusheng::{server, streams};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use self::Class::{May, No, Ok, Out};
use crate::support::{Somebody, TestApp, Village, person_of};

/// How a call is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Done.
    Ok,
    /// Allowed, but not in this state: 409 or 422.
    May,
    /// Asked to sign in, or the secret is wrong: 401.
    Out,
    /// Not allowed, or not even told that it is there: 403 or 404.
    No,
}

impl Class {
    fn of(status: u16) -> Option<Self> {
        match status {
            200..=299 => Some(Ok),
            401 => Some(Out),
            403 | 404 => Some(No),
            409 | 422 => Some(May),
            _ => None,
        }
    }
}

/// A visitor who is nobody; a villager without a seat; one of the next village; a clerk of the village committee.
type Row = (&'static str, [Class; 4]);

const PUBLIC: [Class; 4] = [Ok; 4];
const SIGNED_IN: [Class; 4] = [Out, Ok, Ok, Ok];
const VILLAGE: [Class; 4] = [Out, Ok, No, Ok];
const CLERK: [Class; 4] = [Out, No, No, Ok];
const CLERK_LATER: [Class; 4] = [Out, No, No, May];
const NONE_OF_THEM: [Class; 4] = [Out, No, No, No];

const TABLE: &[Row] = &[
    ("get /v1/areas", PUBLIC),
    ("get /v1/areas/{code}", PUBLIC),
    ("get /v1/areas/{code}/bodies", PUBLIC),
    ("get /v1/areas/{code}/claims", CLERK),
    ("get /v1/areas/{code}/corrections", CLERK),
    ("get /v1/areas/{code}/people", CLERK),
    ("post /v1/areas/{code}/roster", CLERK),
    ("get /v1/areas/{code}/webhooks", CLERK),
    ("post /v1/areas/{code}/webhooks", CLERK),
    ("delete /v1/areas/{code}/webhooks/{id}", CLERK),
    ("post /v1/bodies", NONE_OF_THEM),
    ("post /v1/bodies/{id}/seats", NONE_OF_THEM),
    ("post /v1/bodies/{id}/terms", NONE_OF_THEM),
    // without a log-in, with the same answer whoever is meant; a wrong code, whoever brings it
    ("post /v1/claims", PUBLIC),
    ("post /v1/claims/confirm", [Out; 4]),
    ("post /v1/claims/{id}/decision", CLERK),
    ("post /v1/corrections/{id}/decision", CLERK),
    // a list of another village's forms is empty
    ("get /v1/forms", SIGNED_IN),
    ("post /v1/forms", CLERK),
    ("get /v1/forms/{id}", VILLAGE),
    ("post /v1/forms/{id}/answers", VILLAGE),
    ("post /v1/forms/{id}/close", CLERK),
    ("post /v1/guests/codes", PUBLIC),
    ("post /v1/guests/rating", [Out; 4]),
    ("post /v1/guests/read", [Out; 4]),
    ("post /v1/guests/records", CLERK),
    ("post /v1/guests/replies", [Out; 4]),
    ("post /v1/guests/voices", [Out; 4]),
    ("get /v1/log/head", PUBLIC),
    // a wrong code and a wrong token, whoever brings them
    ("post /v1/login", [Out; 4]),
    ("post /v1/login/codes", PUBLIC),
    ("post /v1/login/desk", [Out; 4]),
    ("post /v1/login/refresh", [Out; 4]),
    ("post /v1/login/tickets", SIGNED_IN),
    ("post /v1/logout", SIGNED_IN),
    ("post /v1/logout/everywhere", SIGNED_IN),
    ("post /v1/mandates", NONE_OF_THEM),
    ("get /v1/matters", PUBLIC),
    ("post /v1/matters", CLERK),
    ("get /v1/matters/{id}", PUBLIC),
    ("post /v1/matters/{id}/advance", CLERK_LATER),
    ("post /v1/matters/{id}/opinions", NONE_OF_THEM),
    ("get /v1/matters/{id}/record", PUBLIC),
    ("post /v1/matters/{id}/report", CLERK_LATER),
    ("post /v1/matters/{id}/return", CLERK_LATER),
    ("post /v1/matters/{id}/skip", NONE_OF_THEM),
    ("post /v1/matters/{id}/suggestions", CLERK),
    ("post /v1/matters/{id}/withdraw", NONE_OF_THEM),
    ("get /v1/me", SIGNED_IN),
    // who holds a seat gives it up first
    ("post /v1/me/closing", [Out, Ok, Ok, May]),
    ("post /v1/me/closing/cancel", [Out, Ok, Ok, May]),
    ("post /v1/me/consents", SIGNED_IN),
    ("post /v1/me/corrections", SIGNED_IN),
    ("post /v1/me/desk-password", CLERK),
    ("post /v1/me/desk-password/confirm", [Out, No, No, Out]),
    ("get /v1/me/export", SIGNED_IN),
    ("get /v1/me/privacy", SIGNED_IN),
    ("get /v1/me/tasks", SIGNED_IN),
    ("post /v1/media", SIGNED_IN),
    ("get /v1/media/{id}", CLERK),
    ("get /v1/meetings", PUBLIC),
    ("post /v1/meetings", CLERK),
    ("get /v1/meetings/{id}", PUBLIC),
    ("post /v1/meetings/{id}/attendances", VILLAGE),
    ("post /v1/meetings/{id}/cancel", CLERK),
    ("post /v1/meetings/{id}/minutes", CLERK_LATER),
    ("get /v1/notices", PUBLIC),
    ("post /v1/notices", CLERK),
    ("get /v1/notices/{id}", PUBLIC),
    ("post /v1/notices/{id}/confirmations", VILLAGE),
    // as public as the notice itself; who is no handler sees masked names
    ("get /v1/notices/{id}/objections", SIGNED_IN),
    ("post /v1/notices/{id}/objections", VILLAGE),
    ("post /v1/notices/{id}/revise", CLERK),
    ("post /v1/notices/{id}/withdraw", CLERK),
    ("post /v1/objections/{id}/answer", CLERK),
    ("post /v1/people/{id}/claims", CLERK),
    ("get /v1/presets", PUBLIC),
    ("get /v1/privacy/fields", PUBLIC),
    ("post /v1/seats/{id}/end", NONE_OF_THEM),
    ("get /v1/sessions", SIGNED_IN),
    ("put /v1/streams/{stream_id}/cursor", VILLAGE),
    ("get /v1/streams/{stream_id}/entries", VILLAGE),
    // the village channel speaks with the committee's voice
    ("post /v1/streams/{stream_id}/messages", CLERK),
    ("get /v1/suggestions", SIGNED_IN),
    ("post /v1/suggestions", [Out, Ok, May, Ok]),
    ("get /v1/suggestions/{id}", CLERK),
    ("post /v1/suggestions/{id}/accept", CLERK),
    ("post /v1/suggestions/{id}/assign", CLERK),
    ("post /v1/suggestions/{id}/answers", CLERK),
    ("post /v1/suggestions/{id}/rating", NONE_OF_THEM),
    ("get /v1/sync", SIGNED_IN),
    ("post /v1/sync", SIGNED_IN),
    ("get /v1/tasks", SIGNED_IN),
    ("post /v1/tasks", CLERK),
    ("get /v1/tasks/{id}", VILLAGE),
    ("post /v1/tasks/{id}/done", NONE_OF_THEM),
    ("post /v1/votes", CLERK_LATER),
    ("get /v1/votes/{id}", PUBLIC),
    // while it is open nobody sees who chose what
    ("get /v1/votes/{id}/ballots", [Out, May, No, May]),
    ("post /v1/votes/{id}/ballots", VILLAGE),
    // a stranger is told not to be on the roll
    ("get /v1/votes/{id}/me", SIGNED_IN),
    ("get /v1/votes/{id}/result", [May; 4]),
];

const ROSTER: &str = include_str!("../data/roster_small.csv");
const PHOTO: &[u8] = include_bytes!("../data/media/clear.png");

/// One of everything.
struct Scene {
    app: TestApp,
    village: Village,
    matter: String,
    early_matter: String,
    vote: String,
    /// For the handlers' eyes, and another one for everybody.
    voice: String,
    open_voice: String,
    photo: String,
    forms: Vec<String>,
    meetings: Vec<String>,
    notices: Vec<String>,
    objection: String,
    task: String,
    seat: String,
    stream: String,
    webhook: String,
    claim: String,
    correction: String,
    lost_phone: String,
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap_or_else(|| panic!("no id in {value}")).to_owned()
}

impl Scene {
    async fn set() -> Self {
        let app = TestApp::start().await;
        let village = Village::found(&app).await;
        let matter = village.matter_to_decide(&app, "修桥").await;
        let vote = village.open_vote(&app, &matter, TimeDelta::days(2)).await;
        let author = village.villager(&app, "00007").await;
        let photo = author.upload(PHOTO.to_vec()).await.ok();
        let voice = |visibility: &str, media: &[&Value]| json!({ "kind": "help", "visibility": visibility, "text": "请看", "media": media });
        let private = author.post("/v1/suggestions", voice("handlers", &[&photo["id"]])).await.ok();
        let open = author.post("/v1/suggestions", voice("public", &[])).await.ok();
        let chair = village.chair.clone();
        let early = json!({ "area_code": village.area, "title": "修路", "summary": "村口的路要修一修。" });
        let early_matter = id(&chair.post("/v1/matters", early).await.ok());
        let town = village.town.clone();
        let member = person_of(&app.app, &village.area, "00047").await;
        let seat = json!({ "person_id": member, "role": "member" });
        let seat = id(&town.post(&format!("/v1/bodies/{}/seats", village.committee), seat).await.ok());
        let area = village.area.clone();
        let channel =
            app.app.store.write(move |tx| Box::pin(async move { streams::commands::channel(tx, &area).await }));
        let stream = channel.await.unwrap().to_string();
        let webhook =
            chair.post(&format!("/v1/areas/{}/webhooks", village.area), json!({ "url": "http://127.0.0.1:9/a" })).await;
        let mut scene = Self {
            app,
            village,
            matter,
            early_matter,
            vote,
            voice: id(&private),
            open_voice: id(&open),
            photo: id(&photo),
            forms: Vec::new(),
            meetings: Vec::new(),
            notices: Vec::new(),
            objection: String::new(),
            task: String::new(),
            seat,
            stream,
            webhook: id(&webhook.ok()),
            claim: String::new(),
            correction: id(&author
                .post("/v1/me/corrections", json!({ "field": "name", "wanted": "费海容" }))
                .await
                .ok()),
            lost_phone: author.person.to_string(),
        };
        let lost = format!("/v1/people/{}/claims", author.person);
        chair.post(&lost, json!({ "phone": "19612340001" })).await.ok();
        let claims = chair.get(&format!("/v1/areas/{}/claims", scene.village.area)).await.ok();
        scene.claim = id(&claims["claims"][0]);
        for _ in 0..2 {
            scene.forms.push(id(&chair.post("/v1/forms", scene.body("post /v1/forms", "")).await.ok()));
            scene.meetings.push(id(&chair.post("/v1/meetings", scene.body("post /v1/meetings", "")).await.ok()));
            scene.notices.push(id(&chair.post("/v1/notices", scene.body("post /v1/notices", "")).await.ok()));
        }
        let objecting = format!("/v1/notices/{}/objections", scene.notices[0]);
        scene.objection = id(&author.post(&objecting, json!({ "text": "太贵" })).await.ok());
        let task = json!({ "area_code": scene.village.area, "matter_id": scene.matter, "owner_id": chair.person, "title": "量桥", "working_days": 3 });
        scene.task = id(&chair.post("/v1/tasks", task).await.ok());
        scene
    }

    /// What the blanks of a path stand for; operations that end something have one of their own.
    fn path(&self, operation: &str) -> String {
        let (_, path) = operation.split_once(' ').unwrap();
        let at = |list: &[String], ends: bool| list[usize::from(ends)].clone();
        let this = match path.split('/').nth(2).unwrap() {
            "areas" => self.webhook.clone(),
            "bodies" => self.village.committee.to_string(),
            "claims" => self.claim.clone(),
            "corrections" => self.correction.clone(),
            "people" => self.lost_phone.clone(),
            "forms" => at(&self.forms, path.ends_with("close")),
            "matters" if path.ends_with("record") => self.matter.clone(),
            "matters" => self.early_matter.clone(),
            "media" => self.photo.clone(),
            "meetings" => at(&self.meetings, path.ends_with("cancel")),
            "notices" => at(&self.notices, path.ends_with("withdraw")),
            "objections" => self.objection.clone(),
            "seats" => self.seat.clone(),
            "suggestions" => self.voice.clone(),
            "tasks" => self.task.clone(),
            "votes" => self.vote.clone(),
            _ => String::new(),
        };
        let path =
            path.replace("{code}", &self.village.area).replace("{stream_id}", &self.stream).replace("{id}", &this);
        let query = match operation {
            "get /v1/forms" => format!("?subject_id={}", self.matter),
            "get /v1/tasks" => format!("?matter_id={}", self.matter),
            "get /v1/matters" | "get /v1/meetings" | "get /v1/notices" => format!("?area={}", self.village.area),
            "get /v1/suggestions" => "?scope=mine".to_owned(),
            _ => String::new(),
        };
        path + &query
    }

    /// A body that is fine; `who` makes what must differ differ.
    fn body(&self, operation: &str, who: &str) -> Value {
        let (area, village) = (&self.village.area, &self.village);
        let soon = self.app.app.now() + TimeDelta::hours(1);
        match operation.split_once(' ').unwrap().1 {
            "/v1/areas/{code}/webhooks" => json!({ "url": format!("http://127.0.0.1:9/{who}") }),
            "/v1/bodies" => json!({ "kind": "federation", "name": "乡贤联谊会", "areas": [area] }),
            "/v1/bodies/{id}/seats" => json!({ "person_id": village.clerk.person, "role": "member" }),
            "/v1/bodies/{id}/terms" => json!({ "number": 9, "starts_on": "2026-01-01", "ends_on": "2030-12-31" }),
            "/v1/claims" => json!({ "area_code": area, "name": "费海荣", "id_last_six": "123456",
                "phone": format!("1961234111{}", who.len()) }),
            "/v1/claims/confirm" => json!({ "area_code": area, "name": "费海荣", "id_last_six": "123456",
                "phone": "19612341119", "code": "000001" }),
            "/v1/claims/{id}/decision" => json!({ "approve": false, "reason": "不认识" }),
            "/v1/corrections/{id}/decision" => json!({ "done": true }),
            "/v1/guests/codes" => json!({ "area_code": area, "phone": format!("1961234222{}", who.len()) }),
            "/v1/guests/rating" => json!({ "claim_code": "ABCD2345WXYZ", "rating": 5 }),
            "/v1/guests/read" => json!({ "claim_code": "ABCD2345WXYZ" }),
            "/v1/guests/records" => json!({ "area_code": area, "kind": "help", "text": "灯坏了" }),
            "/v1/guests/replies" => {
                json!({ "claim_code": "ABCD2345WXYZ", "client_id": Uuid::now_v7(), "text": "还没修" })
            }
            "/v1/guests/voices" => json!({ "area_code": area, "phone": "19612342220", "code": "123456", "kind": "help",
                "text": "灯坏了" }),
            "/v1/login/desk" => json!({ "phone": format!("1961234333{}", who.len()), "password": "x", "code": "1" }),
            "/v1/me/closing" => json!({ "understood": true }),
            "/v1/me/consents" => json!({ "purpose": "sms_notices", "is_given": true }),
            "/v1/me/corrections" => json!({ "field": "other", "wanted": "改" }),
            "/v1/me/desk-password" => json!({ "password": "dongheng2026" }),
            "/v1/me/desk-password/confirm" => json!({ "code": "000000" }),
            "/v1/people/{id}/claims" => json!({ "phone": "19612340002" }),
            "/v1/forms" => json!({ "subject_id": self.matter, "area_code": area, "purpose": "survey", "title": "问卷",
                "questions": [{ "id": "a", "title": "修吗？", "kind": "choice", "options": ["修", "不修"], "required": true }] }),
            "/v1/forms/{id}/answers" => json!({ "answers": { "a": "修" } }),
            "/v1/login" => json!({ "login_id": Uuid::new_v4(), "phone": "19999999999", "code": "123456" }),
            "/v1/login/codes" => json!({ "phone": format!("1999999999{}", who.len()) }),
            "/v1/login/refresh" => json!({ "refresh_token": "rubbish" }),
            "/v1/mandates" => {
                json!({ "from_body_id": village.committee, "to_body_id": village.council, "scope": "publish_notice", "source": "会议" })
            }
            "/v1/matters" => json!({ "area_code": area, "title": "种树", "summary": "溪边种树。" }),
            "/v1/matters/{id}/advance" | "/v1/meetings/{id}/attendances" => json!({}),
            "/v1/matters/{id}/opinions" => json!({ "agree": true, "text": "同意。" }),
            "/v1/matters/{id}/report" => json!({ "text": "已经全部完成，资料已归档，支出与预算相符。" }),
            "/v1/matters/{id}/return" => json!({ "to": "raise", "reason": "再议" }),
            "/v1/matters/{id}/skip" => json!({ "stage": "raise", "authority": "镇政府", "reason": "急" }),
            "/v1/matters/{id}/suggestions" => json!({ "suggestion_id": self.open_voice }),
            "/v1/meetings" => {
                json!({ "area_code": area, "body_id": village.committee, "audience": "villagers", "title": "村民会议",
                "agenda": "修桥", "place": "礼堂", "starts_at": soon })
            }
            "/v1/meetings/{id}/minutes" => json!({ "minutes": "说了。", "resolution": "同意。" }),
            "/v1/notices" => json!({ "area_code": area, "title": "公示", "text": "全文", "must_read": true }),
            "/v1/notices/{id}/objections" => json!({ "text": "太贵" }),
            "/v1/notices/{id}/revise" => json!({ "version": 1, "title": "公示", "text": "新全文", "reason": "改字" }),
            "/v1/objections/{id}/answer" => json!({ "answer": "已降价。" }),
            "/v1/streams/{stream_id}/cursor" => json!({ "seq": 0 }),
            "/v1/streams/{stream_id}/messages" => json!({ "client_id": Uuid::now_v7(), "text": "各位好" }),
            "/v1/suggestions" => json!({ "kind": "praise", "visibility": "public", "text": "真好" }),
            "/v1/suggestions/{id}/answers" => json!({ "text": "好的" }),
            "/v1/suggestions/{id}/assign" => json!({ "person_id": village.chair.person }),
            "/v1/suggestions/{id}/rating" => json!({ "rating": 5 }),
            "/v1/sync" => json!({ "have": {} }),
            "/v1/tasks" => {
                json!({ "area_code": area, "owner_id": village.chair.person, "title": "修桥", "working_days": 3 })
            }
            "/v1/tasks/{id}/done" => json!({ "proof": "好了", "photos": [self.photo] }),
            "/v1/votes" => {
                json!({ "matter_id": self.matter, "question": "同意吗？", "preset": "village_assembly_person", "closes_at": soon })
            }
            "/v1/votes/{id}/ballots" => json!({ "cast_id": Uuid::new_v4(), "choice": "for" }),
            path if path.ends_with("withdraw") || path.ends_with("cancel") => json!({ "reason": "不办了" }),
            _ => Value::Null,
        }
    }

    fn request(&self, operation: &str, who: &str, actor: Option<&Somebody>) -> RequestBuilder {
        let method: Method = operation.split(' ').next().unwrap().to_uppercase().parse().unwrap();
        let request = match actor {
            Some(actor) => actor.request(method.clone(), &self.path(operation)),
            None => self.app.http.request(method.clone(), self.app.url(&self.path(operation))),
        };
        match operation {
            "post /v1/areas/{code}/roster" => request.header("content-type", "text/csv").body(ROSTER),
            "post /v1/media" => {
                let part = reqwest::multipart::Part::bytes(PHOTO).file_name("a.png");
                request.multipart(reqwest::multipart::Form::new().part("file", part))
            }
            _ if method == Method::GET || method == Method::DELETE => request,
            _ => request.json(&self.body(operation, who)),
        }
    }
}

fn operations() -> Vec<String> {
    let description: Value = serde_json::from_str(&server::openapi().unwrap()).unwrap();
    let methods = ["get", "post", "put", "patch", "delete"];
    let paths = description["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &Value)| {
        let here = item.as_object().unwrap().keys().filter(|method| methods.contains(&method.as_str()));
        here.map(|method| format!("{method} {path}")).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

#[test]
fn every_operation_has_a_row_and_every_row_an_operation() {
    let (operations, rows) = (operations(), TABLE.iter().map(|row| row.0).collect::<Vec<_>>());
    let missing: Vec<_> = operations.iter().filter(|operation| !rows.contains(&operation.as_str())).collect();
    let surplus: Vec<_> = rows.iter().filter(|row| !operations.iter().any(|operation| operation == *row)).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "without a row: {missing:?}; without an operation: {surplus:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_exactly_what_the_table_allows() {
    let scene = Scene::set().await;
    let mut wrong = Vec::new();
    for (operation, classes) in TABLE {
        // the clerk comes last: that call may change what the others ask for
        for (who, class) in ["visitor", "villager", "neighbour", "clerk_"].into_iter().zip(classes) {
            // a log-in of its own for each call: some of them end it
            let actor = match who {
                "visitor" => None,
                "villager" => Some(scene.village.villager(&scene.app, "00010").await),
                "neighbour" => Some(scene.village.neighbour(&scene.app).await),
                _ => Some(Somebody::signed_in(&scene.app, scene.village.clerk.person).await),
            };
            let response = scene.request(operation, who, actor.as_ref()).send().await.unwrap();
            let status = response.status().as_u16();
            let kind = response
                .headers()
                .get("content-type")
                .map(|kind| kind.to_str().unwrap().to_owned())
                .unwrap_or_default();
            let body = response.bytes().await.unwrap();
            let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
            if Class::of(status) != Some(*class) {
                wrong.push(format!("{operation} by {who}: {class:?} expected, {status} {problem}"));
                continue;
            }
            let has_code = problem["code"].as_str().is_some_and(|code| !code.is_empty());
            if status >= 400 && (kind != "application/problem+json" || problem["status"] != status || !has_code) {
                wrong.push(format!("{operation} by {who}: {status} as {kind}: {problem}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    scene.app.stop().await;
}

/// An id that is nobody's is not found and never a fault, whoever asks.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found() {
    let scene = Scene::set().await;
    let clerk = Somebody::signed_in(&scene.app, scene.village.clerk.person).await;
    let mut wrong = Vec::new();
    for (operation, _) in TABLE.iter().filter(|(operation, _)| operation.contains("id}")) {
        for unknown in [Uuid::now_v7().to_string(), "rubbish".to_owned(), "%00".to_owned()] {
            let (method, path) = operation.split_once(' ').unwrap();
            let path =
                path.replace("{code}", &scene.village.area).replace("{id}", &unknown).replace("{stream_id}", &unknown);
            let method: Method = method.to_uppercase().parse().unwrap();
            let mut request = clerk.request(method.clone(), &path);
            if method != Method::GET && method != Method::DELETE {
                request = request.json(&scene.body(operation, "x"));
            }
            let status = request.send().await.unwrap().status().as_u16();
            if status != 404 {
                wrong.push(format!("{operation} with {unknown}: {status}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    scene.app.stop().await;
}
