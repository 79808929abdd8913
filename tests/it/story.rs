//! The chain a villager lives: a voice about a dark road becomes a decided, built and evaluated matter; HTTP and socket only.
use chrono::TimeDelta;
use liusheng::{events, keys::sha256_hex as hex};
use serde_json::{Value, json};

use crate::support::{Socket, Somebody, TestApp, Village, id};

const CLIP: &[u8] = include_bytes!("../data/media/lamp.m4a");
const PHOTO: &[u8] = include_bytes!("../data/media/gps-sideways.jpg");

/// A villager with a phone that stays connected.
struct Phone {
    who: Somebody,
    socket: Socket,
}

impl Phone {
    async fn of(app: &TestApp, village: &Village, number: &str) -> Self {
        let who = village.villager(app, number).await;
        // lasts as long as the log-in: the clock is moved by weeks
        let ticket = who.post("/v1/login/tickets", json!(null)).await.ok();
        let socket = Socket::connect(app, ticket["ticket"].as_str().unwrap(), json!({})).await;
        Self { who, socket }
    }

    /// Waits for the card in this person's own thread.
    async fn told(&mut self, thread: &str, code: &str, words: &str) {
        let channel = format!("s:{thread}");
        let fits = |entry: &Value| {
            entry["body"]["card"] == code && entry["body"]["title"].as_str().is_some_and(|title| title.contains(words))
        };
        loop {
            let here = self.socket.entries.get(&channel).cloned().unwrap_or_default();
            if here.iter().any(|publication| fits(&publication["data"])) {
                return;
            }
            let known = here.len();
            self.socket.until_more(&channel, known, &format!("{code} {words}")).await;
        }
    }
}

struct Story {
    app: TestApp,
    village: Village,
    authors: Vec<Phone>,
    threads: Vec<String>,
    voices: Vec<String>,
    matter: String,
}

impl Story {
    /// Every author was told of this step in the own thread.
    async fn all_told(&mut self, code: &str, words: &str) {
        for (phone, thread) in self.authors.iter_mut().zip(&self.threads) {
            phone.told(thread, code, words).await;
        }
    }

    async fn advance(&self, who: &Somebody) {
        self.app.settle().await;
        who.post(&format!("/v1/matters/{}/advance", self.matter), json!({})).await.ok();
        self.app.settle().await;
    }

    async fn stage(&self) -> String {
        let matter = self.app.get(&format!("/v1/matters/{}", self.matter)).await.ok();
        matter["stage"].as_str().unwrap_or_default().to_owned()
    }

    async fn form(&self, who: &Somebody, purpose: &str, question: Value) -> String {
        let form = json!({ "subject_id": self.matter, "area_code": self.village.area, "purpose": purpose, "title": "问卷", "questions": [question] });
        id(&who.post("/v1/forms", form).await.ok())
    }
}

fn choice() -> Value {
    json!({ "id": "wish", "title": "需要装灯吗？", "kind": "choice", "options": ["需要", "不需要"], "required": true })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voice_about_a_dark_road_becomes_a_decided_built_and_evaluated_matter() {
    let (app, village) = Village::start().await;
    let mut story = speak(app, village).await;
    raise(&mut story).await;
    deliberate(&mut story).await;
    publicise(&mut story).await;
    review(&mut story).await;
    decide(&mut story).await;
    evaluate(&mut story).await;
    record(&story).await;
    story.app.stop().await;
}

/// 百姓留声室: a clip, a text, a photo; accepted within its days.
async fn speak(app: TestApp, village: Village) -> Story {
    let mut authors = Vec::new();
    for number in ["00007", "00010", "00016"] {
        authors.push(Phone::of(&app, &village, number).await);
    }
    let clip = authors[0].who.upload(CLIP.to_vec()).await.ok();
    let photo = authors[2].who.upload(PHOTO.to_vec()).await.ok();
    let said = [
        json!({ "kind": "complaint", "visibility": "handlers", "text": "", "place": "桥头", "media": [clip["id"]] }),
        json!({ "kind": "suggestion", "visibility": "public", "text": "溪边的路晚上太黑，请装灯。", "place": "溪边" }),
        json!({ "kind": "suggestion", "visibility": "public", "text": "孩子晚自习回来看不见路。", "place": "桥头", "media": [photo["id"]] }),
    ];
    let mut story = Story { app, village, authors, threads: Vec::new(), voices: Vec::new(), matter: String::new() };
    for (phone, body) in story.authors.iter().zip(said) {
        let first = phone.who.post_once("/v1/suggestions", "voice-1", body.clone()).await.ok();
        let again = phone.who.post_once("/v1/suggestions", "voice-1", body).await.ok();
        assert_eq!(first, again, "the same voice, sent twice, is one");
        // Monday: two working days to accept
        assert!(first["accept_due_at"].as_str().unwrap_or_default().starts_with("2026-11-05T00:00"), "{first}");
        story.voices.push(id(&first));
        story.threads.push(first["stream_id"].as_str().unwrap_or_else(|| panic!("no stream_id in {first}")).to_owned());
    }
    story.app.settle().await;
    let clip_url = format!("/v1/media/{}", clip["id"].as_str().unwrap_or_default());
    let (status, bytes) = story.authors[0].who.download(&clip_url).await;
    assert_eq!((status, hex(&bytes)), (200, hex(CLIP)), "the clip comes back byte for byte");
    assert_eq!(story.village.neighbour(&story.app).await.download(&clip_url).await.0, 404, "not to another village");
    let (_, photo) = story.authors[2].who.download(photo["url"].as_str().unwrap_or_default()).await;
    assert!(!photo.windows(4).any(|four| four == b"Exif"), "no EXIF is served");
    for voice in &story.voices {
        story.village.clerk.post(&format!("/v1/suggestions/{voice}/accept"), json!(null)).await.ok();
    }
    story.app.settle().await;
    story.all_told("suggestion_accepted", "").await;
    story
}

/// 提: the voices join one matter and stay whole; a survey shows the need.
async fn raise(story: &mut Story) {
    let clerk = story.village.clerk.clone();
    let raised = json!({ "area_code": story.village.area, "title": "溪边装路灯", "summary": "溪边两岸装路灯。", "suggestion_ids": story.voices });
    let matter = clerk.post("/v1/matters", raised).await.ok();
    story.matter = id(&matter);
    assert_eq!(matter["voices"]["count"], 3);
    story.app.settle().await;
    story.all_told("suggestion_joined", "").await;
    let first = story.authors[0].who.get(&format!("/v1/suggestions/{}", story.voices[0])).await.ok();
    assert_eq!(first["matter_id"], json!(story.matter));
    let survey = story.form(&clerk, "survey", choice()).await;
    let early = clerk.post(&format!("/v1/matters/{}/advance", story.matter), json!({})).await;
    assert_eq!(early.clone().refused(), "evidence_missing");
    assert!(early.body["more"]["missing"].as_array().is_some_and(|missing| !missing.is_empty()), "{}", early.body);
    let stranger = story.village.neighbour(&story.app).await;
    let answers = json!({ "answers": { "wish": "需要" } });
    assert!(stranger.post(&format!("/v1/forms/{survey}/answers"), answers.clone()).await.status >= 400);
    for phone in &story.authors {
        phone.who.post(&format!("/v1/forms/{survey}/answers"), answers.clone()).await.ok();
    }
    assert_eq!(story.authors[0].who.post(&format!("/v1/forms/{survey}/answers"), answers).await.status, 409);
    clerk.post(&format!("/v1/forms/{survey}/close"), json!(null)).await.ok();
    story.advance(&clerk).await;
    assert_eq!(story.stage().await, "deliberate");
    story.all_told("stage_entered", "谋事").await;
}

/// 谋: the council meets and takes minutes; residents argue.
async fn deliberate(story: &mut Story) {
    let chair = story.village.council_chair.clone();
    let starts = story.app.app.now() + TimeDelta::hours(2);
    let call = json!({ "area_code": story.village.area, "body_id": story.village.council, "matter_id": story.matter,
        "title": "商议路灯", "agenda": "位置和造价", "place": "文化礼堂", "starts_at": starts });
    let meeting = id(&chair.post("/v1/meetings", call).await.ok());
    let discussion = story.village.discussion(&story.app, &story.matter).await;
    let argue = json!({ "client_id": uuid::Uuid::now_v7(), "text": "我赞成，灯要节能的。", "side": "for" });
    let sent = story.authors[1].who.post(&format!("/v1/streams/{discussion}/messages"), argue.clone()).await.ok();
    let again = story.authors[1].who.post(&format!("/v1/streams/{discussion}/messages"), argue).await.ok();
    assert_eq!((sent["seq"].clone(), again["dup"].clone()), (again["seq"].clone(), json!(true)));
    story.app.pass(TimeDelta::hours(3)).await;
    for member in [&chair, &story.village.secretary, &story.village.member] {
        member.post(&format!("/v1/meetings/{meeting}/attendances"), json!({})).await.ok();
    }
    let minutes = json!({ "minutes": "三个方案，建议第二个。",
        "resolutions": [{ "text": "建议公示第二方案。", "votes_for": 3 }] });
    chair.post(&format!("/v1/meetings/{meeting}/minutes"), minutes).await.ok();
    story.advance(&chair).await;
    assert_eq!(story.stage().await, "publicise");
    story.all_told("stage_entered", "亮事").await;
}

/// 亮: the committee publishes, the council may not; an objection must be answered before the period counts.
async fn publicise(story: &mut Story) {
    let notice = json!({ "area_code": story.village.area, "matter_id": story.matter, "title": "路灯方案公示", "text": "装 46 盏灯，18.4 万元。", "period_days": 7 });
    assert_eq!(story.village.council_chair.post("/v1/notices", notice.clone()).await.refused(), "mandate_needed");
    let notice = id(&story.village.chair.post("/v1/notices", notice).await.ok());
    let objection = json!({ "text": "灯照到我家窗户。" });
    let objector = story.village.villager(&story.app, "00031").await;
    let objection = id(&objector.post(&format!("/v1/notices/{notice}/objections"), objection).await.ok());
    story.app.pass(TimeDelta::days(9)).await;
    assert_eq!(story.stage().await, "publicise", "an open objection holds the matter");
    let answer = json!({ "answer": "移开五米，加遮光罩。" });
    story.village.clerk.post(&format!("/v1/objections/{objection}/answer"), answer).await.ok();
    story.app.settle().await;
    story.app.settle().await;
    assert_eq!(story.stage().await, "review", "the date moves it on by itself");
    story.all_told("stage_entered", "审事").await;
    let mailbox = objector.get("/v1/sync").await.ok();
    let mine = mailbox["streams"].as_array().cloned().unwrap_or_default();
    assert!(mine.iter().any(|stream| stream["kind"] == "mailbox" && stream["unread"].as_i64() > Some(0)), "{mailbox}");
}

/// 审: the council visits, the objector too; the branch gives its opinion.
async fn review(story: &mut Story) {
    let council = story.village.council_chair.clone();
    let visits = story.form(&council, "visit", choice()).await;
    for number in ["00031", "00037"] {
        let visited = story.village.villager(&story.app, number).await.person;
        let answer = json!({ "answers": { "wish": "需要" }, "person_id": visited });
        story.village.member.post(&format!("/v1/forms/{visits}/answers"), answer).await.ok();
    }
    council.post(&format!("/v1/forms/{visits}/close"), json!(null)).await.ok();
    let opinion = json!({ "agree": true, "text": "同意提交表决。" });
    story.village.branch_chair.post(&format!("/v1/matters/{}/opinions", story.matter), opinion).await.ok();
    story.advance(&story.village.clerk.clone()).await;
    assert_eq!(story.stage().await, "decide");
    story.all_told("stage_entered", "定事").await;
}

/// 定: the villagers' assembly, called ten days before, by the preset of the organic law.
async fn decide(story: &mut Story) {
    let chair = story.village.chair.clone();
    let starts = story.app.app.now() + TimeDelta::days(10) + TimeDelta::hours(1);
    let call = json!({ "area_code": story.village.area, "body_id": story.village.committee, "audience": "villagers", "matter_id": story.matter,
        "title": "村民会议", "agenda": "表决路灯", "place": "文化礼堂", "starts_at": starts });
    let meeting = id(&chair.post("/v1/meetings", call).await.ok());
    story.app.pass(TimeDelta::days(10) + TimeDelta::hours(2)).await;
    let vote = chair.post("/v1/votes", open_vote(story, &meeting, "open")).await.ok();
    assert_eq!(vote["is_binding"], true, "{vote}");
    let (vote, on_roll) = (id(&vote), vote["on_roll"].as_i64().unwrap_or_default());
    let mut cast = 0;
    for number in 1..=59 {
        let voter = story.village.villager(&story.app, &format!("{number:05}")).await;
        let ballot =
            json!({ "cast_id": uuid::Uuid::new_v4(), "choice": if number % 9 == 0 { "against" } else { "for" } });
        let path = format!("/v1/votes/{vote}/ballots");
        let answer = voter.post(&path, ballot.clone()).await;
        if answer.status >= 300 {
            assert_eq!(answer.refused(), "not_on_roll");
            continue;
        }
        cast += 1;
        assert_eq!(voter.post(&path, ballot).await.ok(), answer.body, "the same ballot gives the same receipt");
        let other = json!({ "cast_id": uuid::Uuid::new_v4(), "choice": "against" });
        assert_eq!(voter.post(&path, other).await.refused(), "already_cast");
        if cast + 2 == on_roll {
            break;
        }
    }
    let stranger = story.village.neighbour(&story.app).await;
    let ballot = json!({ "cast_id": uuid::Uuid::new_v4(), "choice": "for" });
    assert!(stranger.post(&format!("/v1/votes/{vote}/ballots"), ballot.clone()).await.status >= 400);
    story.app.pass(TimeDelta::hours(7)).await;
    story.app.settle().await;
    assert_eq!(story.authors[0].who.post(&format!("/v1/votes/{vote}/ballots"), ballot).await.status, 409);
    let result = story.app.get(&format!("/v1/votes/{vote}/result")).await.ok();
    assert_eq!(result["count"]["present"].as_i64(), Some(cast), "{result}");
    assert_eq!((&result["outcome"], &result["settlement"]), (&json!("passed"), &json!("provisional")), "{result}");
    assert_eq!(story.stage().await, "decide", "who was not heard has seven days");
    story.app.pass(TimeDelta::days(8)).await;
    story.app.settle().await;
    assert_eq!(story.stage().await, "evaluate");
    story.all_told("stage_entered", "评事").await;
}

fn open_vote(story: &Story, meeting: &str, secrecy: &str) -> Value {
    json!({ "matter_id": story.matter, "question": "是否同意装路灯？", "preset": "village_assembly_person", "secrecy": secrecy,
        "meeting_id": meeting, "closes_at": story.app.app.now() + TimeDelta::hours(6) })
}

/// 评: a task with a photo as proof, a rating, a report, closed by the supervision committee.
async fn evaluate(story: &mut Story) {
    let village = &story.village;
    let task = json!({ "area_code": village.area, "matter_id": story.matter, "owner_id": village.clerk.person, "title": "装好路灯", "working_days": 10 });
    let task = id(&village.chair.post("/v1/tasks", task).await.ok());
    let bare = json!({ "proof": "装好了。", "photos": [] });
    assert_eq!(
        village.clerk.post(&format!("/v1/tasks/{task}/done"), bare).await.status,
        422,
        "no proof without a photo"
    );
    let photo = village.clerk.upload(PHOTO.to_vec()).await.ok();
    let done = json!({ "proof": "装好了。", "photos": [photo["id"]] });
    village.clerk.post(&format!("/v1/tasks/{task}/done"), done).await.ok();
    let score = json!({ "id": "score", "title": "满意吗？", "kind": "scale", "required": true });
    let rating = story.form(&village.clerk, "rating", score).await;
    for phone in &story.authors {
        phone.who.post(&format!("/v1/forms/{rating}/answers"), json!({ "answers": { "score": 5 } })).await.ok();
    }
    village.clerk.post(&format!("/v1/forms/{rating}/close"), json!(null)).await.ok();
    village
        .clerk
        .post(
            &format!("/v1/matters/{}/report", story.matter),
            json!({ "text": "路灯已装好，全部亮灯，支出与预算相符，资料已归档。" }),
        )
        .await
        .ok();
    let premature = village.clerk.post(&format!("/v1/matters/{}/advance", story.matter), json!({})).await;
    assert_eq!(premature.refused(), "not_allowed", "only the supervision committee closes");
    story.advance(&village.supervisor.clone()).await;
    let matter = story.app.get(&format!("/v1/matters/{}", story.matter)).await.ok();
    assert_eq!(matter["state"], "closed", "{matter}");
    story.all_told("matter_closed", "").await;
    let rated = json!({ "rating": 5, "text": "" });
    let path = format!("/v1/suggestions/{}", story.voices[0]);
    story.village.clerk.post(&format!("{path}/answers"), json!({ "text": "灯已装好，谢谢您。" })).await.ok();
    story.authors[0].who.post(&format!("{path}/rating"), rated).await.ok();
}

/// The public page of record: from the first voice to the evaluation, with places in a chain that verifies.
async fn record(story: &Story) {
    story.app.settle().await;
    let record = story.app.get(&format!("/v1/matters/{}/record", story.matter)).await.ok();
    let text = record.to_string();
    for words in [
        "溪边的路晚上太黑",
        "三个方案",
        "灯照到我家窗户",
        "移开五米",
        "同意提交表决",
        "village_assembly_person",
        "路灯已装好",
    ] {
        assert!(text.contains(words), "the record lacks {words}: {text}");
    }
    let numbered = record["timeline"].as_array().cloned().unwrap_or_default();
    assert!(numbered.len() > 15 && numbered.iter().all(|line| line["number"].is_i64()), "{numbered:?}");
    let report = events::verify(&story.app.app.store, &story.app.app.keys).await.unwrap();
    assert_eq!(report.first_bad, None);
    assert!(report.events > 30);
}
