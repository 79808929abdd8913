//! Forms, meetings, notices and tasks: who may, when, and what happens twice.
use chrono::TimeDelta;
use liusheng::ids::{BodyId, PersonId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    county,
    support::{Raw, TestApp, Village},
};

const PHOTO: &[u8] = include_bytes!("../data/media/clear.png");

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap_or_else(|| panic!("no id in {value}"))
}

async fn scene() -> (TestApp, Village) {
    let (app, village) = Village::start().await;
    (app, village)
}

fn form(village: &Village, purpose: &str, subject: Uuid, closes: Option<String>) -> Value {
    json!({ "subject_id": subject, "area_code": village.area, "purpose": purpose, "title": "修路问卷", "closes_at": closes, "questions": [
        { "id": "road", "title": "要不要修？", "kind": "choice", "options": ["要", "不要"], "required": true },
        { "id": "mood", "title": "打几分", "kind": "scale" },
        { "id": "why", "title": "为什么", "kind": "text" },
    ] })
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_answers_a_survey_once_and_the_words_are_for_the_desk() {
    let (app, village) = scene().await;
    let (one, two) = (village.villager(&app, "00007").await, village.villager(&app, "00010").await);
    let subject = Uuid::now_v7();
    assert_eq!(one.post("/v1/forms", form(&village, "survey", subject, None)).await.refused(), "not_allowed");
    let closes = Some((app.app.now() + TimeDelta::days(2)).to_rfc3339());
    let survey = village.clerk.post("/v1/forms", form(&village, "survey", subject, closes)).await.ok();
    let path = format!("/v1/forms/{}", id(&survey));
    let answers = format!("{path}/answers");
    let yes = json!({ "answers": { "road": "要", "mood": 5, "why": "好走" } });
    let first = one.post_once(&answers, "k1", yes.clone()).await.ok();
    assert_eq!(one.post_once(&answers, "k1", yes.clone()).await.ok(), first);
    assert_eq!(one.post(&answers, yes.clone()).await.refused(), "already_answered");
    assert_eq!(village.neighbour(&app).await.post(&answers, yes.clone()).await.refused(), "not_found");
    let wrong = two.post(&answers, json!({ "answers": { "road": "也许", "mood": 6, "zzz": 1 } })).await;
    assert_eq!((wrong.status, wrong.body["errors"].as_array().map(Vec::len)), (422, Some(3)), "{}", wrong.body);
    two.post(&answers, json!({ "answers": { "road": "不要", "mood": 2 } })).await.ok();
    let paper = json!({ "answers": { "road": "要" }, "person_id": village.villager(&app, "00016").await.person });
    assert_eq!(one.post(&answers, paper.clone()).await.refused(), "not_allowed");
    let stuffed = village.member.post(&answers, paper).await;
    assert_eq!(
        stuffed.refused(),
        "not_allowed",
        "a survey is the people's own: only visits are written down for others"
    );
    let seen = one.get(&path).await.ok();
    assert_eq!(seen["results"]["mean_hundredths"], 350);
    assert!(!seen.to_string().replace(&seen["mine"].to_string(), "").contains("texts"), "{seen}");
    assert!(village.clerk.get(&path).await.ok()["texts"].to_string().contains("好走"));
    app.pass(TimeDelta::days(2)).await;
    assert_eq!(one.get(&path).await.ok()["state"], "closed");
    assert_eq!(village.villager(&app, "00034").await.post(&answers, yes).await.refused(), "wrong_state");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_is_written_down_by_somebody_else_and_a_form_closes_once() {
    let (app, village) = scene().await;
    let visited = village.villager(&app, "00007").await;
    let visits = village.clerk.post("/v1/forms", form(&village, "visit", Uuid::now_v7(), None)).await.ok();
    let path = format!("/v1/forms/{}", id(&visits));
    let answer = |person: Option<PersonId>| json!({ "answers": { "road": "要" }, "person_id": person });
    let answers = format!("{path}/answers");
    assert_eq!(village.member.post(&answers, answer(None)).await.status, 422, "a visit is to somebody");
    assert_eq!(
        village.member.post(&answers, answer(Some(village.member.person))).await.status,
        422,
        "and not to oneself"
    );
    village.member.post(&answers, answer(Some(visited.person))).await.ok();
    let close = format!("{path}/close");
    assert_eq!(visited.post(&close, json!(null)).await.refused(), "not_found", "told in confidence: not even there");
    village.clerk.post(&close, json!(null)).await.ok();
    assert_eq!(village.clerk.post(&close, json!(null)).await.refused(), "wrong_state");
    app.stop().await;
}

fn meeting(app: &TestApp, village: &Village, (body, audience): (BodyId, &str), hours: i64) -> Value {
    json!({ "area_code": village.area, "body_id": body, "audience": audience, "title": "议路灯", "agenda": "一、路灯",
        "place": "礼堂", "starts_at": app.app.now() + TimeDelta::hours(hours) })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_is_signed_into_near_its_time_and_minuted_once() {
    let (app, village) = scene().await;
    let call = |audience: &'static str, hours| meeting(&app, &village, (village.council, audience), hours);
    let chair = &village.council_chair;
    assert_eq!(village.clerk.post("/v1/meetings", call("members", 24)).await.refused(), "not_allowed");
    assert_eq!(chair.post("/v1/meetings", call("villagers", 24)).await.refused(), "not_allowed");
    assert_eq!(chair.post("/v1/meetings", call("members", -1)).await.status, 422);
    let held = chair.post("/v1/meetings", call("members", 24)).await.ok();
    let path = format!("/v1/meetings/{}", id(&held));
    let (sign, minutes) = (format!("{path}/attendances"), format!("{path}/minutes"));
    assert_eq!(village.member.post(&sign, json!({})).await.refused(), "too_early");
    app.pass(TimeDelta::hours(23)).await;
    village.member.post(&sign, json!({})).await.ok();
    village.member.post(&sign, json!({})).await.ok();
    let outsider = village.villager(&app, "00007").await;
    assert_eq!(outsider.post(&sign, json!({})).await.refused(), "not_allowed");
    let said = json!({ "minutes": "说了", "resolutions": [{ "text": "同意修", "votes_for": 3 }] });
    assert_eq!(village.secretary.post(&minutes, json!({ "minutes": "说了" })).await.refused(), "too_early");
    app.pass(TimeDelta::hours(2)).await;
    let paper = |person: PersonId, via: &str| json!({ "person_id": person, "via": via });
    assert_eq!(chair.post(&sign, paper(outsider.person, "paper")).await.status, 422);
    chair.post(&sign, paper(village.secretary.person, "proxy")).await.ok();
    chair.post(&sign, paper(chair.person, "paper")).await.ok();
    assert_eq!(village.member.post(&minutes, said.clone()).await.refused(), "not_allowed");
    let done = village.secretary.post(&minutes, said.clone()).await.ok();
    assert_eq!(done["attendance"]["total"], 3, "{done}");
    assert_eq!(village.secretary.post(&minutes, said).await.refused(), "wrong_state");
    assert_eq!(village.member.post(&sign, json!({})).await.refused(), "wrong_state");
    let public = app.get(&path).await.ok();
    assert_eq!(
        (public.get("present"), &public["resolution"]),
        (None, &json!("同意修")),
        "who was there is for the seats"
    );
    assert_eq!(village.clerk.get(&path).await.ok()["present"].as_array().map(Vec::len), Some(3));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_villagers_assembly_is_for_villagers_and_is_called_off_once() {
    let (app, village) = scene().await;
    let assembly = meeting(&app, &village, (village.committee, "villagers"), 1);
    let assembly = village.chair.post("/v1/meetings", assembly).await.ok();
    let path = format!("/v1/meetings/{}", id(&assembly));
    village.villager(&app, "00007").await.post(&format!("{path}/attendances"), json!({})).await.ok();
    let there = village.member.get(&path).await.ok()["present"][0].clone();
    assert_eq!((&there["name"], there.get("person_id")), (&json!("费**"), None), "nor by what it could be looked up");
    assert!(village.chair.get(&path).await.ok()["present"][0]["person_id"].is_string());
    let stranger = village.neighbour(&app).await;
    assert_eq!(stranger.post(&format!("{path}/attendances"), json!({})).await.refused(), "not_allowed");
    let rain = json!({ "reason": "下雨" });
    village.chair.post(&format!("{path}/cancel"), rain.clone()).await.ok();
    assert_eq!(village.chair.post(&format!("{path}/cancel"), rain).await.refused(), "wrong_state");
    app.stop().await;
}

fn notice(village: &Village, days: Option<u32>) -> Value {
    json!({ "area_code": village.area, "title": "路灯方案", "text": "全文", "period_days": days })
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_are_numbered_without_gaps_also_when_many_come_at_once() {
    let (app, village) = scene().await;
    let first = village.clerk.post_once("/v1/notices", "p1", notice(&village, None)).await.ok();
    let again = village.clerk.post_once("/v1/notices", "p1", notice(&village, None)).await.ok();
    assert_eq!((first["id"].clone(), &first["number"]), (again["id"].clone(), &json!("东衡公示〔2026〕1号")));
    assert_eq!(first["last_day"], "2026-11-09");
    let many =
        futures_util::future::join_all((0..20).map(|_| village.clerk.post("/v1/notices", notice(&village, Some(1)))));
    let mut numbers: Vec<String> =
        many.await.into_iter().map(|one| one.ok()["number"].as_str().unwrap().to_owned()).collect();
    let mut wanted: Vec<String> = (2..=21).map(|number| format!("东衡公示〔2026〕{number}号")).collect();
    numbers.sort();
    wanted.sort();
    assert_eq!(numbers, wanted);
    let path = format!("/v1/notices/{}", id(&first));
    let response = app.http.get(app.url(&path)).send().await.unwrap();
    let tag = response.headers()["etag"].to_str().unwrap().to_owned();
    let known = app.http.get(app.url(&path)).header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(known.status(), 304);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_would_end_on_the_national_day_hangs_until_the_first_working_day() {
    let app = TestApp::start_at("2026-09-25T02:00:00Z".parse().unwrap()).await;
    let village = Village::found(&app).await;
    let hangs = village.clerk.post("/v1/notices", notice(&village, Some(7))).await.ok();
    assert_eq!(
        (&hangs["last_day"], &hangs["period_to"]),
        (&json!("2026-10-08"), &json!("2026-10-09T00:00:00+08:00")),
        "{hangs}"
    );
    app.pass(TimeDelta::hours(13 * 24 + 13)).await;
    let path = format!("/v1/notices/{}", id(&hangs));
    let objection = json!({ "text": "太亮" });
    let late = village.villager(&app, "00007").await;
    late.post(&format!("{path}/objections"), objection.clone()).await.ok();
    app.pass(TimeDelta::hours(1)).await;
    assert_eq!(late.post(&format!("{path}/objections"), objection).await.refused(), "period_over");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_concluded_only_when_every_objection_is_answered() {
    let (app, village) = scene().await;
    let hangs = village.clerk.post("/v1/notices", notice(&village, None)).await.ok();
    let path = format!("/v1/notices/{}", id(&hangs));
    let objections = format!("{path}/objections");
    let objector = village.villager(&app, "00007").await;
    let against = json!({ "text": "太亮" });
    assert_eq!(village.neighbour(&app).await.post(&objections, against.clone()).await.refused(), "not_allowed");
    for _ in 0..3 {
        objector.post(&objections, against.clone()).await.ok();
    }
    assert_eq!(objector.post(&objections, against).await.refused(), "too_many_objections");
    let public = app.get(&path).await.ok();
    let first = &public["objection_list"][0];
    assert_eq!(
        (&first["name"], &first["is_mine"], first.get("person_id")),
        (&json!("费**"), &json!(false), None),
        "{first}"
    );
    let list = village.clerk.get(&objections).await.ok();
    assert_eq!(list[0]["name"], "费海荣");
    let revised = |version: i32| json!({ "version": version, "title": "路灯方案（改）", "text": "新全文", "reason": "按意见改", "period_days": 5 });
    assert_eq!(village.council_chair.post(&format!("{path}/revise"), revised(1)).await.refused(), "mandate_needed");
    assert_eq!(village.clerk.post(&format!("{path}/revise"), revised(2)).await.refused(), "changed");
    app.pass(TimeDelta::days(3)).await;
    let new = village.clerk.post(&format!("{path}/revise"), revised(1)).await.ok();
    assert_eq!(
        (&new["version"], new["versions"].as_array().map(Vec::len), &new["last_day"]),
        (&json!(2), Some(2), &json!("2026-11-10"))
    );
    app.pass(TimeDelta::days(10)).await;
    assert_eq!(app.get(&path).await.ok()["state"], "published", "three questions are open");
    let answer = json!({ "answer": "会调暗" });
    for objection in list.as_array().unwrap() {
        let path = format!("/v1/objections/{}/answer", id(objection));
        assert_eq!(village.council_chair.post(&path, answer.clone()).await.refused(), "not_allowed");
        village.clerk.post(&path, answer.clone()).await.ok();
        assert_eq!(village.clerk.post(&path, answer.clone()).await.refused(), "wrong_state");
    }
    app.settle().await;
    assert_eq!(app.get(&path).await.ok()["state"], "concluded");
    assert_eq!(
        village.clerk.post(&format!("{path}/withdraw"), json!({ "reason": "x" })).await.refused(),
        "wrong_state"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_hangs_on_paper_with_a_code_that_leads_to_it() {
    let (app, village) = scene().await;
    let hangs = village.clerk.post("/v1/notices", notice(&village, None)).await.ok();
    let path = format!("/notices/{}", id(&hangs));
    let paper = async || {
        app.settle().await;
        app.http.get(app.url(&format!("{path}/poster"))).send().await.unwrap().text().await.unwrap()
    };
    let first = paper().await;
    for words in
        [hangs["number"].as_str().unwrap(), "路灯方案", "全文", "<svg", &app.url(&path), "最晚 2026年11月9日 当天"]
    {
        assert!(first.contains(words), "{words}: {first}");
    }
    let digest = hangs["versions"][0]["digest"].as_str().unwrap();
    assert!(first.contains(digest), "{first}");
    let drawn = |page: &str| page.split_once("<svg").unwrap().1.split_once("</svg>").unwrap().0.to_owned();
    let other = village.clerk.post("/v1/notices", notice(&village, None)).await.ok();
    let elsewhere = app.http.get(app.url(&format!("/notices/{}/poster", id(&other)))).send().await.unwrap();
    assert_ne!(drawn(&elsewhere.text().await.unwrap()), drawn(&first), "each has a code of its own");
    // what was changed hangs with another fingerprint, what was taken down says so
    let revised = json!({ "version": 1, "title": "路灯方案（改）", "text": "新全文", "reason": "按意见改" });
    let new = village.clerk.post(&format!("/v1{path}/revise"), revised).await.ok();
    let second = paper().await;
    assert!(second.contains(new["versions"][0]["digest"].as_str().unwrap()) && !second.contains(digest), "{second}");
    village.clerk.post(&format!("/v1{path}/withdraw"), json!({ "reason": "印错了" })).await.ok();
    let last = paper().await;
    assert!(last.contains("印错了") && !last.contains("有不同意见的"), "{last}");
    let nothing = app.http.get(app.url(&format!("/notices/{}/poster", Uuid::now_v7()))).send().await.unwrap();
    assert_eq!(nothing.status(), 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_asks_residents_to_confirm_and_counts_each_once() {
    let (app, village) = scene().await;
    let plain = village.clerk.post("/v1/notices", notice(&village, None)).await.ok();
    let mut asking = notice(&village, None);
    asking["must_read"] = json!(true);
    let asking = village.clerk.post("/v1/notices", asking).await.ok();
    let path = format!("/v1/notices/{}", id(&asking));
    let reader = village.villager(&app, "00007").await;
    let confirm = format!("{path}/confirmations");
    let first = reader.post(&confirm, json!(null)).await.ok();
    app.clock.advance(TimeDelta::minutes(5));
    assert_eq!(reader.post(&confirm, json!(null)).await.ok(), first, "again is the first answer");
    assert_eq!(app.get(&path).await.ok()["confirmed"], 1);
    assert_eq!(village.neighbour(&app).await.post(&confirm, json!(null)).await.refused(), "not_allowed");
    let other = format!("/v1/notices/{}/confirmations", id(&plain));
    assert_eq!(reader.post(&other, json!(null)).await.refused(), "wrong_state");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_ends_with_a_photo_by_its_owner_and_tells_when_it_is_late() {
    let (app, village) = scene().await;
    let task = |owner: PersonId, days: Option<u32>, on: Option<&str>| json!({ "area_code": village.area, "owner_id": owner, "title": "修灯", "working_days": days, "due_on": on });
    let villager = village.villager(&app, "00007").await;
    let (clerk, chair) = (&village.clerk, &village.chair);
    assert_eq!(villager.post("/v1/tasks", task(villager.person, Some(1), None)).await.refused(), "not_allowed");
    assert_eq!(
        chair.post("/v1/tasks", task(villager.person, Some(1), None)).await.status,
        422,
        "who has no seat takes none"
    );
    assert_eq!(
        chair.post("/v1/tasks", task(clerk.person, Some(1), Some("2026-11-04"))).await.status,
        422,
        "one time, not two"
    );
    let given = chair.post("/v1/tasks", task(clerk.person, Some(1), None)).await.ok();
    let path = format!("/v1/tasks/{}", id(&given));
    assert_eq!(clerk.get("/v1/me/tasks").await.ok().as_array().map(Vec::len), Some(1));
    assert_eq!(village.neighbour(&app).await.get(&path).await.refused(), "not_found");
    app.pass(TimeDelta::days(3)).await;
    assert_eq!(clerk.get(&path).await.ok()["is_overdue"], true);
    let photo = clerk.upload(PHOTO.to_vec()).await.ok();
    let proof = |photos: &[&Value]| json!({ "proof": "好了", "photos": photos });
    let done = format!("{path}/done");
    assert_eq!(clerk.post(&done, proof(&[])).await.status, 422);
    assert_eq!(chair.post(&done, proof(&[&photo["id"]])).await.refused(), "not_allowed");
    clerk.post(&done, proof(&[&photo["id"]])).await.ok();
    assert_eq!(clerk.post(&done, proof(&[&photo["id"]])).await.refused(), "wrong_state");
    assert_eq!(clerk.get("/v1/me/tasks").await.ok(), json!([]));
    app.stop().await;
}

/// Deadlines in working days need the year's free days; a month before they run out, the operator is told.
#[tokio::test]
async fn a_calendar_that_ends_soon_shows_in_readyz() {
    for (day, known) in [("2027-11-30T01:00:00Z", true), ("2027-12-03T01:00:00Z", false)] {
        let app = TestApp::start_at(day.parse().unwrap()).await;
        let ready = app.get("/readyz").await;
        assert_eq!(ready.status, 200, "{}", ready.body);
        assert_eq!(ready.body["parts"]["calendar"], json!(known), "{day}: {}", ready.body);
        // a full disk of whoever tests counts, too
        let is_well = known && ready.body["parts"]["disk"]["ok"] == json!(true);
        assert_eq!(ready.body["status"], if is_well { "ok" } else { "degraded" }, "{day}: {}", ready.body);
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_alike_is_told_from_thirty_people_on_and_never_by_name() {
    let (app, village) = scene().await;
    let matter = json!({ "area_code": village.area, "title": "修桥", "summary": "村口的桥要修一修。" });
    let matter = village.chair.post("/v1/matters", matter).await.ok();
    let statements = [
        ("title", "修桥，您怎么看"),
        ("questions[0].title", "先修桥，路缓一缓"),
        ("questions[0].kind", "stance"),
        ("questions[1].title", "先修路，桥缓一缓"),
        ("questions[1].kind", "stance"),
        ("questions[2].title", "花多少钱要公开"),
        ("questions[2].kind", "stance"),
    ];
    let (status, said) =
        county::form(&village.clerk, &format!("/desk/matters/{}/survey", id(&matter)), &statements).await;
    assert_eq!(status, 303, "{said}");
    let forms = village.clerk.get(&format!("/v1/forms?subject_id={}", id(&matter))).await.ok();
    let survey = &forms[0];
    assert_eq!(survey["questions"][0]["options"], json!(["同意", "不同意", "不好说"]));
    let path = format!("/v1/forms/{}", id(survey));
    let mut answered = Vec::new();
    for number in 1..=30 {
        let who = village.villager(&app, &format!("{number:05}")).await;
        let (bridge, road) = if number <= 18 { ("同意", "不同意") } else { ("不同意", "同意") };
        let answers = json!({ "answers": { "q1": bridge, "q2": road, "q3": "同意" } });
        assert_eq!(who.get(&path).await.ok().get("opinions"), None, "of {} nothing is told", number - 1);
        who.post(&format!("{path}/answers"), answers).await.ok();
        answered.push(who);
    }
    let told = answered[0].get(&path).await.ok();
    let groups: Vec<_> = told["opinions"]["groups"].as_array().unwrap().iter().map(|one| &one["people"]).collect();
    assert_eq!(groups, [18, 12], "{told}");
    assert_eq!(told["opinions"]["common"][0]["title"], "花多少钱要公开");
    let page = String::from_utf8(answered[0].download(&format!("/forms/{}", id(survey))).await.1).unwrap();
    assert!(page.contains("大家的看法分成 2 群") && page.contains("每一群至少 100% 同意"), "{page}");
    let asked = village.villager(&app, "00040").await.download(&format!("/forms/{}", id(survey))).await.1;
    assert!(!String::from_utf8(asked).unwrap().contains("大家的看法"), "not before one has said the own");
    let desk = String::from_utf8(village.clerk.download(&format!("/desk/forms/{}", id(survey))).await.1).unwrap();
    assert!(desk.contains("大家的看法分成 2 群"));
    // until somebody answers they are not read again, however many look
    let raw = Raw::open(app.folder.path()).await;
    assert_eq!(raw.execute("UPDATE answers SET data = '?'").await, 30);
    raw.close().await;
    assert_eq!(village.villager(&app, "00040").await.get(&path).await.ok()["opinions"], told["opinions"]);
    let record = app.get(&format!("/v1/matters/{}/record", id(&matter))).await.ok();
    assert!(record.to_string().contains(&told["results"].to_string()), "nor for who is nobody: {record}");
    app.stop().await;
}
