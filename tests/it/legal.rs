//! Legal officers 法制村官: when they are there, what they are asked, and what they write down.
mod contracts;

use chrono::TimeDelta;
use liusheng::{clock, ids::PersonId};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    county,
    support::{Answer, Somebody, TestApp, Village, answer, cards_in, count, person_of},
};

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap_or_else(|| panic!("no id in {value}"))
}

/// Somebody of the village as a legal officer of its committee, with the seat.
async fn officer(app: &TestApp, village: &Village) -> (Somebody, String) {
    let person = person_of(&app.app, &village.area, "00010").await;
    let seat = json!({ "person_id": person, "role": "legal_officer" });
    let seat = village.town.post(&format!("/v1/bodies/{}/seats", village.committee), seat).await.ok();
    app.settle().await;
    (Somebody::signed_in(app, person).await, id(&seat).to_owned())
}

async fn put(who: &Somebody, path: &str, input: &Value) -> Answer {
    answer(who.request(Method::PUT, path).json(input)).await
}

async fn page(who: &Somebody, path: &str) -> String {
    String::from_utf8(who.download(path).await.1).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn residents_see_when_the_officer_is_there_and_what_was_answered_to_others() {
    let (app, village) = Village::start().await;
    let (lawyer, seat) = officer(&app, &village).await;
    let officers = format!("/v1/areas/{}/legal-officers", village.area);
    let path = format!("/v1/seats/{seat}/legal-desk");
    let desk = |villages: Value| json!({ "place": "村委会二楼", "hours": "每周三上午", "villages": villages });
    assert_eq!(app.get(&officers).await.ok()[0].get("hours"), None, "nothing was said yet");
    for who in [&village.council_chair, &village.villager(&app, "00007").await] {
        assert_eq!(put(who, &path, &desk(json!([]))).await.refused(), "not_allowed");
    }
    for wrong in [desk(json!(["330521103203"])), desk(json!([village.area, village.area])), desk(json!(["330521103"]))]
    {
        assert_eq!(put(&lawyer, &path, &wrong).await.refused(), "invalid_fields", "{wrong}");
    }
    put(&lawyer, &path, &desk(json!([village.area]))).await.ok();
    put(&village.clerk, &path, &desk(json!([]))).await.ok();
    let shown = app.get(&officers).await.ok();
    assert_eq!((&shown[0]["hours"], &shown[0]["villages"]), (&json!("每周三上午"), &json!([])));
    // a question of law is a voice, which the clerk gives to the officer
    let asker = village.villager(&app, "00008").await;
    let question = json!({ "kind": "consult", "visibility": "public", "text": "宅基地能卖给外村人吗？" });
    let voice = id(&asker.post("/v1/suggestions", question).await.ok()).to_owned();
    let step = |step: &str| format!("/v1/suggestions/{voice}/{step}");
    village.clerk.post(&step("accept"), json!(null)).await.ok();
    village.clerk.post(&step("assign"), json!({ "person_id": lawyer.person })).await.ok();
    lawyer.post(&step("answers"), json!({ "text": "不能，只能卖给本集体成员。" })).await.ok();
    let neighbour = page(&village.villager(&app, "00007").await, "/legal").await;
    assert!(neighbour.contains("每周三上午") && neighbour.contains("只能卖给本集体成员"), "{neighbour}");
    let visitor = app.http.get(app.url(&format!("/legal?area={}", village.area))).send().await.unwrap();
    let visitor = visitor.text().await.unwrap();
    assert!(visitor.contains("每周三上午") && !visitor.contains("宅基地"), "what is asked is the village's: {visitor}");
    let speak = page(&asker, "/speak?kind=consult").await;
    assert!(speak.contains("value=\"consult\" checked"), "the way to ask");
    // who is there no longer is not named
    village.town.post(&format!("/v1/seats/{seat}/end"), json!(null)).await.ok();
    assert_eq!(app.get(&officers).await.ok(), json!([]));
    assert_eq!(put(&village.clerk, &path, &desk(json!([]))).await.refused(), "wrong_state");
    app.stop().await;
}

const PAPER: &[u8] = include_bytes!("../data/media/clear.png");

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_is_answered_once_and_read_by_its_body_and_the_officer_alone() {
    let (app, village) = Village::start().await;
    let matter = json!({ "area_code": village.area, "title": "山塘出租", "summary": "把山塘租出去。" });
    let matter = id(&village.chair.post("/v1/matters", matter).await.ok()).to_owned();
    let asked = |photos: Value| {
        json!({ "area_code": village.area, "body_id": village.committee, "matter_id": matter, "title": "山塘租赁合同",
            "text": "租期三十年。", "photos": photos })
    };
    let reviews = "/v1/contract-reviews";
    let nobody = village.clerk.post(reviews, asked(json!([]))).await;
    assert_eq!(nobody.body["errors"][0]["code"], "no_legal_officer", "{}", nobody.body);
    let (lawyer, _) = officer(&app, &village).await;
    for who in [&village.council_chair, &village.supervisor, &village.villager(&app, "00007").await, &lawyer] {
        assert_eq!(who.post(reviews, asked(json!([]))).await.refused(), "not_allowed", "not in the committee's name");
    }
    let photo = id(&village.clerk.upload(PAPER.to_vec()).await.ok()).to_owned();
    let first = village.clerk.post_once(reviews, "contract-1", asked(json!([photo]))).await.ok();
    let again = village.clerk.post_once(reviews, "contract-1", asked(json!([photo]))).await.ok();
    assert_eq!(first, again, "sent twice, asked once");
    let path = format!("{reviews}/{}", id(&first));
    let picture = first["photos"][0]["url"].as_str().unwrap().to_owned();
    app.settle().await;
    assert!(cards_in(&app, lawyer.person, "mailbox").await.contains(&"contract_review_asked".to_owned()));
    assert!(page(&lawyer, "/desk").await.contains("山塘租赁合同"), "and has it on the list");
    for who in [&village.chair, &lawyer] {
        assert_eq!(who.get(&path).await.ok()["text"], "租期三十年。");
        assert_eq!(who.download(&picture).await.0, 200);
    }
    for who in [&village.council_chair, &village.supervisor, &village.town, &village.villager(&app, "00008").await] {
        assert_eq!(who.get(&path).await.refused(), "not_found");
        assert_eq!((who.download(&picture).await.0, who.download(&format!("/v1/media/{photo}")).await.0), (404, 404));
        assert_eq!(who.get(reviews).await.ok(), json!([]));
    }
    let opinion = json!({ "outcome": "to_change", "text": "租期不得超过二十年。" });
    let answer = format!("{path}/opinion");
    assert_eq!(village.chair.post(&answer, opinion.clone()).await.refused(), "not_allowed", "not by who wants it");
    assert_eq!(village.supervisor.post(&answer, opinion.clone()).await.refused(), "not_found");
    let said = lawyer.post(&answer, opinion.clone()).await.ok();
    assert_eq!(said["opinion"]["text"], "租期不得超过二十年。");
    assert_eq!(lawyer.post(&answer, opinion).await.refused(), "wrong_state", "once");
    assert!(cards_in(&app, village.chair.person, "office").await.contains(&"contract_reviewed".to_owned()));
    assert!(page(&village.chair, &format!("/desk/legal/contracts/{}", id(&first))).await.contains("二十年"));
    assert!(
        page(&village.chair, &format!("/desk/matters/{matter}")).await.contains("二十年"),
        "and so does its matter"
    );
    let council = page(&village.council_chair, &format!("/desk/matters/{matter}")).await;
    assert!(!council.contains("山塘租赁合同"), "for its body: {council}");
    // beside the matter everybody reads whether it may be signed, and nothing else
    let public = app.http.get(app.url(&format!("/matters/{matter}"))).send().await.unwrap().text().await.unwrap();
    assert!(public.contains("山塘租赁合同") && public.contains("改了再签"), "{public}");
    assert!(!public.contains("二十年") && !public.contains("三十年"), "{public}");
    assert!(!page(&lawyer, "/desk").await.contains("山塘租赁合同"), "done");
    // who photographed it and sits there no more has seen it
    village.end_seat_of(&app, village.clerk.person).await;
    let own = format!("/v1/media/{photo}");
    assert_eq!((village.clerk.download(&picture).await.0, village.clerk.download(&own).await.0), (404, 404));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_contract_is_late_is_said_once_to_who_sent_it_and_to_the_officer() {
    let (app, village) = Village::start().await;
    let (lawyer, _) = officer(&app, &village).await;
    let asked = |title: &str| json!({ "area_code": village.area, "body_id": village.committee, "title": title, "text": "甲方、乙方。" });
    let answered = village.clerk.post("/v1/contract-reviews", asked("鱼塘合同")).await.ok();
    village.clerk.post("/v1/contract-reviews", asked("山塘合同")).await.ok();
    let sound = json!({ "outcome": "sound", "text": "可以签。" });
    lawyer.post(&format!("/v1/contract-reviews/{}/opinion", id(&answered)), sound).await.ok();
    let told = async || {
        let (office, own) =
            (cards_in(&app, village.chair.person, "office").await, cards_in(&app, lawyer.person, "mailbox").await);
        [office, own].map(|cards| cards.iter().filter(|card| *card == "contract_overdue").count())
    };
    app.pass(TimeDelta::days(4)).await;
    assert_eq!(told().await, [0, 0], "not before the fifth working day is over");
    app.pass(TimeDelta::days(6)).await;
    assert_eq!(told().await, [1, 1], "and not of what was answered");
    app.pass(TimeDelta::days(6)).await;
    assert_eq!(told().await, [1, 1], "once");
    let clerk = Somebody::signed_in(&app, village.clerk.person).await;
    let list = page(&clerk, "/desk/legal/contracts").await;
    assert_eq!(list.matches("tag late").count(), 1, "{list}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_of_the_town_finds_contracts_by_village_and_those_that_wait_first() {
    let (app, village) = Village::start().await;
    let bodies = app.get("/v1/areas/330521103/bodies").await.ok();
    let office = bodies["items"].as_array().unwrap().iter().find(|body| body["kind"] == "town_office").unwrap();
    let person = person_of(&app.app, &village.area, "00010").await;
    let seat = json!({ "person_id": person, "role": "legal_officer" });
    village.town.post(&format!("/v1/bodies/{}/seats", id(office)), seat).await.ok();
    app.settle().await;
    let lawyer = Somebody::signed_in(&app, person).await;
    let asked = |title: &str| json!({ "area_code": village.area, "body_id": village.committee, "title": title, "text": "甲方、乙方。" });
    village.clerk.post("/v1/contract-reviews", asked("鱼塘合同")).await.ok();
    app.clock.advance(TimeDelta::minutes(1));
    let newer = village.clerk.post("/v1/contract-reviews", asked("山塘合同")).await.ok();
    let sound = json!({ "outcome": "sound", "text": "可以签。" });
    lawyer.post(&format!("/v1/contract-reviews/{}/opinion", id(&newer)), sound).await.ok();
    for (area, found) in [
        ("", vec!["鱼塘合同", "山塘合同"]),
        ("?area=330521103", vec!["鱼塘合同", "山塘合同"]),
        ("?area=330521103202", vec!["鱼塘合同", "山塘合同"]),
        ("?area=330521103203", vec![]),
    ] {
        let listed = lawyer.get(&format!("/v1/contract-reviews{area}")).await.ok();
        let titles: Vec<&str> = listed.as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap()).collect();
        assert_eq!(titles, found, "{area}");
        let shown = page(&lawyer, &format!("/desk/legal/contracts{area}")).await;
        assert_eq!(shown.contains("鱼塘合同"), !found.is_empty(), "{area}: {shown}");
    }
    app.stop().await;
}

/// A mediation between two of the village and somebody from outside.
async fn opened(village: &Village, lawyer: &Somebody, parties: &[&Somebody]) -> String {
    let mut named = Vec::new();
    for one in parties {
        named.push(json!({ "person_id": one.person, "name": one.get("/v1/me").await.ok()["name"] }));
    }
    named.push(json!({ "name": "外村的陈师傅" }));
    let new = json!({ "area_code": village.area, "about": "两家为排水沟争吵。", "parties": named });
    let first = lawyer.post_once("/v1/mediations", "m-1", new.clone()).await.ok();
    let again = lawyer.post_once("/v1/mediations", "m-1", new).await.ok();
    assert_eq!(id(&first), id(&again), "sent twice, opened once");
    id(&first).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mediation_is_there_for_its_parties_and_its_officer_alone() {
    let (app, village) = Village::start().await;
    let (lawyer, seat) = officer(&app, &village).await;
    let (one, other) = (village.villager(&app, "00007").await, village.villager(&app, "00016").await);
    let new = |parties: Value| json!({ "area_code": village.area, "about": "排水沟", "parties": parties });
    assert_eq!(village.chair.post("/v1/mediations", new(json!([]))).await.refused(), "not_allowed");
    let stranger = village.neighbour(&app).await.person;
    let known = json!({ "person_id": one.person, "name": "费海荣" });
    for wrong in [
        json!([known]),
        json!([known, known]),
        json!([known, { "person_id": lawyer.person, "name": "欧阳水根" }]),
        json!([known, { "person_id": stranger, "name": "邻村甲" }]),
        // whoever has the id alone does not learn whose it is
        json!([known, { "person_id": other.person, "name": "" }]),
        json!([known, { "person_id": other.person, "name": "费海荣" }]),
    ] {
        let refused = lawyer.post("/v1/mediations", new(wrong.clone())).await;
        assert!(!refused.body.to_string().contains("费海荣"), "{}", refused.body);
        assert_eq!(refused.refused(), "invalid_fields", "{wrong}");
    }
    app.settle().await;
    let written = ["events", "entries"].map(|table| format!("SELECT count(*) FROM {table}"));
    let mut before = Vec::new();
    for select in &written {
        before.push(count(app.folder.path(), select).await);
    }
    let path = format!("/v1/mediations/{}", opened(&village, &lawyer, &[&one, &other]).await);
    app.settle().await;
    for (select, before) in written.iter().zip(before) {
        assert_eq!(count(app.folder.path(), select).await, before, "nothing is told of it: {select}");
    }
    // whatever their office: nobody else knows of it
    let colleague = person_of(&app.app, &village.area, "00013").await;
    let also = json!({ "person_id": colleague, "role": "legal_officer" });
    village.town.post(&format!("/v1/bodies/{}/seats", village.committee), also).await.ok();
    let colleague = Somebody::signed_in(&app, colleague).await;
    let household = village.villager(&app, "00008").await;
    for who in [&village.chair, &village.clerk, &village.supervisor, &village.town, &colleague, &household] {
        assert_eq!(who.get(&path).await.refused(), "not_found");
        assert_eq!(who.post(&format!("{path}/end"), json!({ "state": "withdrawn" })).await.refused(), "not_found");
        assert_eq!(who.get("/v1/mediations").await.ok(), json!([]));
    }
    // a party reads all of it, and does nothing but withdraw
    assert_eq!(one.get(&path).await.ok()["parties"][2], json!({ "name": "外村的陈师傅", "is_resident": false }));
    assert!(page(&one, "/").await.contains("正在进行的调解") && page(&one, "/legal").await.contains("排水沟"));
    assert!(!page(&household, "/").await.contains("正在进行的调解"));
    let agreed = json!({ "state": "agreed", "agreement": "沟改到路边。" });
    assert_eq!(other.post(&format!("{path}/end"), agreed).await.refused(), "not_allowed");
    let taken = one.get("/v1/me/export").await.ok();
    assert!(taken["mediations"].to_string().contains("排水沟"), "taken along by whose it is: {}", taken["mediations"]);
    assert!(!lawyer.get("/v1/me/export").await.ok().to_string().contains("排水沟"), "and not by who holds it");
    // who sits there no more holds it no more; the parties still have it
    village.town.post(&format!("/v1/seats/{seat}/end"), json!(null)).await.ok();
    let before = Somebody::signed_in(&app, lawyer.person).await;
    assert_eq!(before.get(&path).await.refused(), "not_found");
    assert_eq!(before.get("/v1/mediations").await.ok(), json!([]));
    let left = other.post(&format!("{path}/end"), json!({ "state": "withdrawn" })).await.ok();
    assert_eq!(left["state"], "withdrawn");
    assert_eq!(one.post(&format!("{path}/end"), json!({ "state": "withdrawn" })).await.refused(), "wrong_state");
    app.stop().await;
}

/// Neither by what is opened again and again, nor by what is found each time.
async fn nobody_s_list_is_filled((app, village): (&TestApp, &Village), lawyer: &Somebody, party: &Somebody) {
    let parties = json!([{ "person_id": party.person, "name": "费海荣" }, { "name": "某人" }]);
    let new = json!({ "area_code": village.area, "about": "又是排水沟", "parties": parties });
    let mut last = String::new();
    for _ in 1..5 {
        last = id(&lawyer.post("/v1/mediations", new.clone()).await.ok()).to_owned();
    }
    let sixth = lawyer.post("/v1/mediations", new).await;
    assert!(sixth.body.to_string().contains("too_often"), "{}", sixth.body);
    let path = format!("/v1/mediations/{last}");
    let day = clock::local_date(app.app.now()).to_string();
    let agreed = json!({ "state": "agreed", "agreement": "沟改到路边。", "follow_up_on": day });
    lawyer.post(&format!("{path}/end"), agreed).await.ok();
    let (again, found) = (format!("{path}/follow-ups"), json!({ "text": "还没改。", "next_on": day }));
    for _ in 1..20 {
        lawyer.post(&again, found.clone()).await.ok();
    }
    let more = lawyer.post(&again, found).await;
    assert!(more.body.to_string().contains("too_often"), "{}", more.body);
    assert_eq!(lawyer.post(&again, json!({ "text": "改好了。" })).await.ok()["follow_ups"][19]["text"], "改好了。");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agreement_is_looked_at_again_on_its_day() {
    let (app, village) = Village::start().await;
    let (lawyer, _) = officer(&app, &village).await;
    let typed = [("area_code", village.area.as_str()), ("about", "排水沟"), ("name.0", "甲"), ("name.1", "乙")];
    let nameless = [&typed[..], &[("number.2", "00007")]].concat();
    let (status, form) = county::form(&lawyer, "/desk/legal/mediations", &nameless).await;
    assert!(
        status == 422 && form.contains("open-name.2-wrong"),
        "a number alone is no party, and none is left out: {form}"
    );
    let one = village.villager(&app, "00007").await;
    let case = opened(&village, &lawyer, &[&one]).await;
    let path = format!("/v1/mediations/{case}");
    let photo = id(&lawyer.upload(PAPER.to_vec()).await.ok()).to_owned();
    let day = |days: i64| (clock::local_date(app.app.now()) + TimeDelta::days(days)).to_string();
    let end = |state: &str, photos: Value, on: Option<String>| json!({ "state": state, "outcome": "各让一步。", "photos": photos, "follow_up_on": on });
    for wrong in [
        end("agreed", json!([]), None),
        end("failed", json!([photo]), None),
        end("failed", json!([]), Some(day(3))),
        end("agreed", json!([photo]), Some(day(-1))),
        end("agreed", json!([photo]), Some(day(400))),
    ] {
        assert_eq!(lawyer.post(&format!("{path}/end"), wrong.clone()).await.refused(), "invalid_fields", "{wrong}");
    }
    let ended = lawyer.post(&format!("{path}/end"), end("agreed", json!([photo]), Some(day(3)))).await.ok();
    let picture = ended["photos"][0]["url"].as_str().unwrap();
    for (who, status) in [(&one, 200), (&lawyer, 200), (&village.chair, 404), (&village.town, 404)] {
        assert_eq!(who.download(picture).await.0, status);
        assert_eq!(who.download(&format!("/v1/media/{photo}")).await.0, 404, "there is one way to it");
    }
    app.pass(TimeDelta::days(2)).await;
    let todo = async |who: PersonId| page(&Somebody::signed_in(&app, who).await, "/desk").await;
    assert!(!todo(lawyer.person).await.contains("调解回访"), "not before");
    app.pass(TimeDelta::days(1)).await;
    let desk = todo(lawyer.person).await;
    assert!(desk.contains("调解回访") && !desk.contains("排水沟"), "on the day, without a word of it: {desk}");
    assert!(!todo(village.chair.person).await.contains("调解回访"));
    let lawyer = Somebody::signed_in(&app, lawyer.person).await;
    let again = format!("{path}/follow-ups");
    let one = Somebody::signed_in(&app, one.person).await;
    assert_eq!(one.post(&again, json!({ "text": "还没改。" })).await.refused(), "not_allowed");
    lawyer.post(&again, json!({ "text": "只改了一半。", "next_on": day(10) })).await.ok();
    assert!(!todo(lawyer.person).await.contains("调解回访"), "until the next time");
    lawyer.post(&again, json!({ "text": "改好了。" })).await.ok();
    let read = one.get(&path).await.ok();
    assert_eq!((read["follow_ups"].as_array().map(Vec::len), read.get("follow_up_on")), (Some(2), None));
    assert_eq!(lawyer.post(&again, json!({ "text": "还要看。" })).await.refused(), "wrong_state");
    nobody_s_list_is_filled((&app, &village), &lawyer, &one).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hours_of_a_year_tell_on_no_day_who_was_mediated_with() {
    let (app, village) = Village::start().await;
    let (lawyer, _) = officer(&app, &village).await;
    let mine = "/v1/me/legal-hours";
    let spent = |day: &str, work: &str, minutes: i32| json!({ "area_code": village.area, "day": day, "work": work, "minutes": minutes });
    assert_eq!(put(&village.clerk, mine, &spent("2026-11-02", "duty", 60)).await.refused(), "not_allowed");
    let mut wordy = spent("2026-11-02", "mediation", 60);
    wordy["note"] = json!("两家为排水沟");
    let elsewhere = json!({ "area_code": "330521103203", "day": "2026-11-02", "work": "duty", "minutes": 60 });
    assert_eq!(put(&lawyer, mine, &elsewhere).await.refused(), "not_allowed");
    for wrong in
        [wordy, spent("2026-11-03", "duty", 60), spent("2025-10-01", "duty", 60), spent("2026-11-02", "duty", 1441)]
    {
        assert_eq!(put(&lawyer, mine, &wrong).await.refused(), "invalid_fields", "{wrong}");
    }
    for (day, work, minutes) in [
        ("2026-11-02", "duty", 120),
        ("2026-11-02", "duty", 150),
        ("2026-10-30", "mediation", 40),
        ("2026-10-29", "mediation", 50),
        ("2026-10-28", "lecture", 90),
        ("2026-10-28", "lecture", 0), // the month is over: the line stays, and says so
        ("2025-12-31", "duty", 30),
    ] {
        put(&lawyer, mine, &spent(day, work, minutes)).await.ok();
    }
    let path = format!("/v1/areas/{}/legal-hours", village.area);
    assert_eq!(village.villager(&app, "00007").await.get(&path).await.refused(), "not_allowed");
    let works = json!([{ "work": "duty", "minutes": 150 }, { "work": "mediation", "minutes": 90 }]);
    for (who, days) in [(&lawyer, 4), (&village.chair, 2), (&village.town, 2)] {
        let year = who.get(&path).await.ok();
        let sums = &year["officers"][0];
        assert_eq!((&sums["minutes"], &sums["late_minutes"], &sums["works"]), (&json!(240), &json!(90), &works));
        let lines = year["lines"].as_array().unwrap();
        assert_eq!(lines.iter().filter(|line| line["day"].is_string()).count(), days, "{year}");
    }
    // whoever looks every day does not see on which of them it grew: a month is told when it is over
    put(&lawyer, mine, &spent("2026-11-02", "mediation", 35)).await.ok();
    assert_eq!(village.chair.get(&path).await.ok()["officers"][0]["works"], works);
    assert_eq!(lawyer.get(&path).await.ok()["officers"][0]["minutes"], 275);
    let table = village.town.download("/v1/areas/330521103/legal-hours/table?year=2026").await;
    let table = String::from_utf8(table.1).unwrap();
    assert!(table.contains("2026-11-02,") && table.contains("2026,") && table.contains("调解"), "{table}");
    assert!(!table.contains("2026-10-30") && !table.contains("2025"), "{table}");
    assert_eq!(village.town.get(&format!("{path}?year=2025")).await.ok()["lines"].as_array().map(Vec::len), Some(1));
    let hours = page(&village.chair, "/desk/legal/hours").await;
    assert!(hours.contains("4 小时 0 分") && hours.contains("其中 1 小时 30 分是过了当月才补记"), "{hours}");
    app.stop().await;
}
