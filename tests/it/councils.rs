//! What a council is beside its seats: its form, the service groups in which its members work, what it did, and its charter.
use chrono::TimeDelta;
use liusheng::{clock, streams::commands::mailbox};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    county,
    support::{Somebody, TestApp, Village, answer, id, person_of},
};

const NEXT: &str = "330521103203";

/// Three things that the village's council did.
pub(crate) async fn at_work(app: &TestApp, village: &Village) {
    let done = json!({ "done_on": clock::local_date(app.app.now()), "function": "customs", "text": "写春联" });
    for _ in 0..3 {
        village.council_chair.post(&format!("/v1/bodies/{}/services", village.council), done.clone()).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_of_a_council_stands_wherever_it_is_shown_and_fits_its_villages() {
    let (app, village) = Village::start().await;
    let found = |kind: &str, form: &str, areas: Value| json!({ "kind": kind, "name": "溪谷参事会", "areas": areas, "form": form });
    let both = json!([village.area, NEXT]);
    for wrong in [
        found("council", "single_village", both.clone()),
        found("council", "joint_villages", json!([NEXT])),
        found("federation", "rural_community", json!([NEXT])),
    ] {
        assert_eq!(village.town.post("/v1/bodies", wrong.clone()).await.refused(), "invalid_fields", "{wrong}");
    }
    let council = village.town.post("/v1/bodies", found("council", "joint_villages", both)).await.ok();
    assert_eq!(council["form"], "joint_villages");
    let path = format!("/v1/bodies/{}/registration", id(&council));
    let put =
        async |who: &Somebody, form: &str| answer(who.request(Method::PUT, &path).json(&json!({ "form": form }))).await;
    assert_eq!(put(&village.council_chair, "village_enterprise").await.refused(), "not_allowed");
    assert_eq!(put(&village.town, "single_village").await.refused(), "invalid_fields");
    assert_eq!(put(&village.town, "village_enterprise").await.ok()["form"], "village_enterprise");
    let listed = app.get(&format!("/v1/areas/{NEXT}/bodies")).await.ok();
    let shown = listed["items"].as_array().unwrap().iter().find(|one| one["id"] == council["id"]);
    assert_eq!(shown.unwrap()["form"], "village_enterprise", "{listed}");
    // a phone, and the desk, where it is changed, too
    let phone = app.http.get(app.url(&format!("/bodies/{}", id(&council)))).send().await.unwrap().text().await.unwrap();
    assert!(phone.contains("村企片区"), "{phone}");
    let fields = [("area", village.area.as_str()), ("body_id", &id(&council)), ("form", "rural_community")];
    assert_eq!(county::form(&village.town, "/desk/bodies/registration", &fields).await.0, 303);
    let desk = village.town.download(&format!("/desk/bodies?area={}", village.area)).await.1;
    let desk = String::from_utf8(desk).unwrap();
    assert!(desk.contains("乡贤参事会 · 农村社区 ·") && desk.contains("改了：形式"), "{desk}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_which_service_group_a_member_works_is_said_with_the_seat_or_later() {
    let (app, village) = Village::start().await;
    let seats = |body: &str| format!("/v1/bodies/{body}/seats");
    let (council, committee) = (village.council.to_string(), village.committee.to_string());
    let person = person_of(&app.app, &village.area, "00049").await;
    let member = |group: &str| json!({ "person_id": person, "role": "member", "service_group": group });
    assert_eq!(village.town.post(&seats(&committee), member("公益事业组")).await.refused(), "invalid_fields");
    assert_eq!(village.town.post(&seats(&council), member(&"组".repeat(21))).await.refused(), "invalid_fields");
    let seat = village.town.post(&seats(&council), member("公益事业组")).await.ok();
    assert_eq!(seat["service_group"], "公益事业组");
    let path = format!("/v1/seats/{}/service-group", id(&seat));
    let put = async |who: &Somebody, input: Value| answer(who.request(Method::PUT, &path).json(&input)).await;
    let other = json!({ "service_group": "环境整治组" });
    assert_eq!(put(&village.council_chair, other.clone()).await.refused(), "not_allowed");
    assert_eq!(put(&village.town, json!({ "service_group": "" })).await.refused(), "invalid_fields");
    assert_eq!(put(&village.town, other).await.ok()["service_group"], "环境整治组");
    let phone = app.http.get(app.url(&format!("/bodies/{council}"))).send().await.unwrap().text().await.unwrap();
    assert!(phone.contains("服务小组：环境整治组") && !phone.contains("公益事业组"), "{phone}");
    // and at the desk, where nothing typed is no group
    let path = format!("/desk/bodies?area={}", village.area);
    let desk = async || String::from_utf8(village.town.download(&path).await.1).unwrap();
    let shown = desk().await;
    assert!(shown.contains("服务小组：环境整治组") && shown.contains("改了：成员的服务小组"), "{shown}");
    let fields = [("area", village.area.as_str()), ("seat_id", &id(&seat)), ("service_group", "")];
    assert_eq!(county::form(&village.town, "/desk/bodies/service-group", &fields).await.0, 303);
    assert!(!desk().await.contains("环境整治组"));
    village.town.post(&format!("/v1/seats/{}/end", id(&seat)), json!(null)).await.ok();
    let gone =
        answer(village.town.request(Method::PUT, &format!("/v1/seats/{}/service-group", id(&seat))).json(&json!({})));
    assert_eq!(gone.await.refused(), "wrong_state");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_council_did_is_public_and_counted_by_its_service_groups() {
    let (app, village) = Village::start().await;
    let council = village.council.to_string();
    let path = format!("/v1/bodies/{council}/services");
    let person = person_of(&app.app, &village.area, "00049").await;
    let member = json!({ "person_id": person, "role": "member", "service_group": "公益事业组" });
    village.town.post(&format!("/v1/bodies/{council}/seats"), member).await.ok();
    let today = clock::local_date(app.app.now());
    let done = |more: Value| {
        let mut done = json!({ "done_on": today, "function": "order", "text": "给老人量血压", "people": 30 });
        done.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        done
    };
    for who in [&village.member, &village.chair, &village.town] {
        assert_eq!(who.post(&path, done(json!({}))).await.refused(), "not_allowed");
    }
    let tomorrow = json!({ "done_on": today + TimeDelta::days(1) });
    for wrong in [tomorrow, json!({ "people": -1 }), json!({ "text": "一" }), json!({ "service_group": "没有的组" })]
    {
        assert_eq!(village.secretary.post(&path, done(wrong)).await.refused(), "invalid_fields");
    }
    for function in ["customs", "advice"] {
        let of_group = json!({ "function": function, "service_group": "公益事业组" });
        village.secretary.post(&path, done(of_group)).await.ok();
    }
    let typed = today.to_string();
    let fields = [
        ("body_id", council.as_str()),
        ("done_on", typed.as_str()),
        ("function", "opinions"),
        ("service_group", "公益事业组"),
        ("text", "走访了一遍"),
        ("people", ""),
    ];
    assert_eq!(county::form(&village.council_chair, "/desk/services/record", &fields).await.0, 303);
    // what was wrong stands there with the reason, and counts for nobody
    let wrong = id(&village.council_chair.post(&path, done(json!({ "people": 500 }))).await.ok());
    let withdraw = format!("/v1/services/{wrong}/withdraw");
    let reason = json!({ "reason": "人数写错了" });
    assert_eq!(village.member.post(&withdraw, reason.clone()).await.refused(), "not_allowed");
    village.secretary.post(&withdraw, reason.clone()).await.ok();
    assert_eq!(village.council_chair.post(&withdraw, reason).await.refused(), "wrong_state");
    assert_eq!(app.get(&path).await.ok().as_array().map(Vec::len), Some(4));
    let read = async |path: String| app.http.get(app.url(&path)).send().await.unwrap().text().await.unwrap();
    let phone = read(format!("/bodies/{council}")).await;
    assert!(["走访了一遍", "维护公序良俗", "人数写错了"].iter().all(|words| phone.contains(words)), "{phone}");
    app.clock.advance(TimeDelta::days(30));
    counted(&app, &village, read).await;
    app.stop().await;
}

/// In the figures, on their page and in their table.
async fn counted(app: &TestApp, village: &Village, read: impl AsyncFn(String) -> String) {
    let work = app.get(&format!("/v1/areas/{}/body-work", village.area)).await.ok();
    let council = json!(village.council.to_string());
    let work = work.as_array().unwrap().iter().find(|one| one["body_id"] == council).unwrap();
    let of_group = json!([{ "service_group": "公益事业组", "consults": 1, "services": 2, "people": 60 }]);
    assert_eq!((&work["groups"], &work["consults"]), (&of_group, &json!(1)), "{work}");
    let shown = read(format!("/figures?area={}", village.area)).await;
    assert!(shown.contains("公益事业组") && shown.contains("60 人次"), "{shown}");
    let table = read(format!("/v1/areas/{}/body-table", village.area)).await;
    assert!(table.contains("· 公益事业组"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_charter_of_a_council_is_followed_by_its_next_version_and_all_are_read() {
    let (app, village) = Village::start().await;
    let council = village.council.to_string();
    let path = format!("/v1/bodies/{council}/charter");
    let put = async |who: &Somebody, input: Value| answer(who.request(Method::PUT, &path).json(&input)).await;
    let charter = |version: i32, text: &str| json!({ "version": version, "text": text, "adopted_on": "2026-03-01", "source": "成立大会" });
    let first = "第一条 本会为村里出主意。\n第二条 会长任期三年。";
    assert_eq!(app.get(&path).await.refused(), "not_found");
    for who in [&village.member, &village.town, &village.chair] {
        assert_eq!(put(who, charter(0, first)).await.refused(), "not_allowed");
    }
    assert_eq!(put(&village.secretary, charter(0, "太短")).await.refused(), "invalid_fields");
    let mut late = charter(0, first);
    late["adopted_on"] = json!(clock::local_date(app.app.now()) + TimeDelta::days(1));
    assert_eq!(put(&village.secretary, late).await.refused(), "invalid_fields", "adopted already");
    assert_eq!(put(&village.secretary, charter(0, first)).await.ok()["version"], 1);
    assert_eq!(put(&village.secretary, charter(0, first)).await.ok()["version"], 1, "sent twice, written once");
    assert_eq!(put(&village.secretary, charter(1, first)).await.refused(), "invalid_fields", "nothing is changed");
    let second = "第一条 本会为村里出主意。\n第二条 会长任期五年。";
    assert_eq!(put(&village.council_chair, charter(0, second)).await.refused(), "changed", "somebody was quicker");
    let fields = [
        ("body_id", council.as_str()),
        ("version", "1"),
        ("text", second),
        ("adopted_on", "2026-05-01"),
        ("source", "会员大会"),
    ];
    assert_eq!(county::form(&village.council_chair, "/desk/services/charter", &fields).await.0, 303);
    assert_eq!(app.get(&format!("{path}?version=1")).await.ok()["text"], first);
    assert_eq!(app.get(&format!("{path}?version=3")).await.refused(), "not_found");
    let read = async |path: String| app.http.get(app.url(&path)).send().await.unwrap().text().await.unwrap();
    let shown = read(format!("/bodies/{council}/charter")).await;
    assert!(shown.contains("<del>") && shown.contains("<ins>") && shown.contains("会员大会"), "{shown}");
    assert!(read(format!("/bodies/{council}")).await.contains(&format!("/bodies/{council}/charter")));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_recommended_is_checked_by_the_party_and_known_to_few() {
    let (app, village) = Village::start().await;
    let council = village.council.to_string();
    let path = format!("/v1/bodies/{council}/recommendations");
    let resident = village.villager(&app, "00007").await;
    let reason = || json!({ "reason": "办过茶厂，愿意带大家种茶" });
    let other = json!({ "name": "邻组的老茶农", "reason": "手艺好" });
    assert_eq!(village.neighbour(&app).await.post(&path, reason()).await.refused(), "not_allowed", "lives elsewhere");
    assert_eq!(resident.post(&path, json!({ "reason": "" })).await.refused(), "invalid_fields");
    let own = resident.post(&path, reason()).await.ok();
    assert_eq!((&own["route"], &own["state"]), (&json!("self_nominated"), &json!("waiting")));
    assert_eq!(resident.post(&path, reason()).await.refused(), "invalid_fields", "once");
    let fields = [("name", "邻组的老茶农"), ("reason", "手艺好")];
    assert_eq!(county::form(&resident, &format!("/bodies/{council}/recommendations"), &fields).await.0, 303);
    let (status, page) = county::form(&resident, &format!("/bodies/{council}/recommendations"), &fields).await;
    assert!(status == 422 && page.contains("value=\"手艺好\""), "the words are kept: {status} {page}");
    let by_branch = village.branch_chair.post(&path, other).await.ok();
    assert_eq!(by_branch["route"], "selected");
    // who recommended sees the own ones; who leads, checks or fills seats sees everybody
    let seen = async |who: &Somebody| who.get(&path).await.ok().as_array().map(Vec::len);
    assert_eq!(seen(&resident).await, Some(2));
    for (who, count) in [
        (&village.council_chair, 3),
        (&village.branch_chair, 3),
        (&village.town, 3),
        (&village.chair, 0),
        (&village.member, 0),
    ] {
        assert_eq!(seen(who).await, Some(count));
    }
    decided(&app, &village, (&resident, &id(&own))).await;
    taken_down(&app, &village, &resident).await;
    app.stop().await;
}

/// A council of two villages, which have one branch.
#[tokio::test(flavor = "multi_thread")]
async fn who_checks_for_two_villages_of_a_council_hears_of_it_once() {
    let (app, village) = Village::start().await;
    let found = async |kind: &str| {
        let new = json!({ "kind": kind, "name": "溪谷联合组织", "areas": [village.area, NEXT] });
        id(&village.town.post("/v1/bodies", new).await.ok())
    };
    let (council, branch) = (found("council").await, found("party_branch").await);
    let checker = village.villager(&app, "00010").await;
    let seat = json!({ "person_id": checker.person, "role": "chair" });
    village.town.post(&format!("/v1/bodies/{branch}/seats"), seat).await.ok();
    let made = json!({ "name": "邻组的老茶农", "reason": "手艺好" });
    village.villager(&app, "00007").await.post(&format!("/v1/bodies/{council}/recommendations"), made).await.ok();
    app.settle().await;
    let all = told(&app, &checker).await;
    assert_eq!(all.matches("有人推荐会员").count(), 1, "{all}");
    app.stop().await;
}

/// First by the party's organisation, then by who fills the seats; who recommended is told.
async fn decided(app: &TestApp, village: &Village, (resident, own): (&Somebody, &str)) {
    let council = village.council.to_string();
    app.settle().await;
    assert!(told(app, &village.branch_chair).await.contains("有人推荐会员"));
    let decide = format!("/v1/recommendations/{own}/decide");
    let outcome = |outcome: &str, note: &str| json!({ "outcome": outcome, "note": note });
    for who in [&village.council_chair, &village.chair, &village.town, resident] {
        assert_eq!(who.post(&decide, outcome("fit", "")).await.refused(), "not_allowed");
    }
    assert_eq!(village.town.post(&decide, outcome("seated", "")).await.refused(), "wrong_state", "not checked yet");
    assert_eq!(village.branch_chair.post(&decide, outcome("unfit", "")).await.refused(), "invalid_fields", "says why");
    assert_eq!(village.branch_chair.post(&decide, outcome("withdrawn", "")).await.refused(), "invalid_fields");
    let typed = |outcome, note| {
        [("body_id", council.as_str()), ("recommendation_id", own), ("outcome", outcome), ("note", note)]
    };
    let refused = county::form(&village.branch_chair, "/desk/recommendations/decide", &typed("unfit", "一")).await;
    assert!(refused.0 == 422 && refused.1.contains("value=\"一\""), "too short, and kept: {refused:?}");
    let fields = typed("fit", "");
    assert_eq!(county::form(&village.branch_chair, "/desk/recommendations/decide", &fields).await.0, 303);
    assert_eq!(village.town.post(&decide, outcome("seated", "")).await.ok()["state"], "seated");
    let withdraw = format!("/v1/recommendations/{own}/withdraw");
    assert_eq!(resident.post(&withdraw, json!(null)).await.refused(), "wrong_state", "it is decided");
    app.settle().await;
    assert!(told(app, resident).await.contains("已经任职"));
}

/// Whom others recommend hears of it and takes it down; who recommended does not check it; who is under age sees no form.
async fn taken_down(app: &TestApp, village: &Village, resident: &Somebody) {
    let path = format!("/v1/bodies/{}/recommendations", village.council);
    let made = json!({ "name": "费海荣", "reason": "会带徒弟" });
    let made = id(&village.branch_chair.post(&path, made).await.ok());
    app.settle().await;
    assert!(told(app, resident).await.contains("有人推荐您做"));
    let list = resident.get(&path).await.ok();
    let seen = list.as_array().unwrap().iter().find(|one| one["id"] == json!(made)).unwrap();
    assert_eq!((&seen["is_about_me"], &seen["recommended_by_name"]), (&json!(true), &json!("")), "not by whom");
    let again = id(&resident.post(&path, json!({ "name": "施金泉", "reason": "再干一届" })).await.ok());
    for (who, by) in [(&village.council_chair, ""), (&village.town, "费海荣")] {
        let list = who.get(&path).await.ok();
        let seen = list.as_array().unwrap().iter().find(|one| one["id"] == json!(again)).unwrap();
        assert_eq!(seen["recommended_by_name"], by, "nor whoever sees who recommended all the others");
    }
    let page = format!("/bodies/{}", village.council);
    let read = async |who: &Somebody| String::from_utf8(who.download(&page).await.1).unwrap();
    let form = format!("action=\"{page}/recommendations\"");
    let shown = read(resident).await;
    assert!(shown.contains("有人推荐了我") && shown.contains("会带徒弟") && shown.contains(&form), "{shown}");
    assert!(!read(&village.villager(app, "00055").await).await.contains(&form), "could only be refused");
    let kept = resident.get("/v1/me/export").await.ok()["rows"]["recommendations"].clone();
    let is_it = |row: &Value| row["id"] == json!(made) && row.get("recommended_by").is_none();
    assert!(kept.as_array().unwrap().iter().any(is_it), "{kept}");
    let decide = format!("/v1/recommendations/{made}/decide");
    let fit = village.branch_chair.post(&decide, json!({ "outcome": "fit" })).await;
    assert_eq!(fit.refused(), "not_allowed", "two different people");
    let withdraw = format!("/v1/recommendations/{made}/withdraw");
    assert_eq!(village.council_chair.post(&withdraw, json!(null)).await.refused(), "not_allowed");
    assert_eq!(resident.post(&withdraw, json!(null)).await.ok()["state"], "withdrawn");
}

/// What stands in somebody's mailbox.
async fn told(app: &TestApp, who: &Somebody) -> String {
    let person = who.person;
    let open = app.app.store.write(move |tx| Box::pin(async move { mailbox(tx, person).await }));
    let mailbox = open.await.unwrap();
    who.get(&format!("/v1/streams/{mailbox}/entries?limit=100")).await.ok().to_string()
}
