//! How well bodies answer, for everybody and without naming anybody; and what is late, for who runs the county.
use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};

use crate::{
    county::operator,
    support::{Somebody, Village},
};

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_a_body_are_public_and_nothing_is_shown_of_a_few() {
    let (app, village) = Village::start().await;
    let path = format!("/v1/areas/{}/body-figures", village.area);
    let mut authors = Vec::new();
    for n in 7..13 {
        authors.push(village.villager(&app, &format!("{n:05}")).await);
    }
    let left = async |author: &Somebody, more: Value| {
        let mut voice = json!({ "kind": "help", "visibility": "handlers", "text": "灯坏了" });
        voice.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let voice = author.post("/v1/suggestions", voice).await.ok();
        format!("/v1/suggestions/{}", voice["id"].as_str().unwrap())
    };
    let mut voices = Vec::new();
    for author in &authors {
        voices.push(left(author, json!({})).await);
    }
    // of the town four, and five more about somebody
    for author in &authors[..4] {
        left(author, json!({ "visibility": "town" })).await;
    }
    for author in &authors[..5] {
        left(author, json!({ "kind": "complaint", "about_person_id": village.clerk.person })).await;
    }
    app.clock.advance(TimeDelta::days(2));
    for (n, voice) in voices.iter().enumerate().take(5) {
        let clerk = Somebody::signed_in(&app, village.clerk.person).await;
        clerk.post(&format!("{voice}/accept"), json!(null)).await.ok();
        clerk.post(&format!("{voice}/answers"), json!({ "text": "好了" })).await.ok();
        let rating = json!({ "rating": if n == 0 { 3 } else { 5 } });
        authors[n].post(&format!("{voice}/rating"), rating).await.ok();
    }
    for unfinished in ["2026-11", "2026", "2027-01"] {
        let refused = app.get(&format!("{path}?period={unfinished}")).await;
        assert_eq!(refused.refused(), "invalid_fields", "{unfinished} is not over");
    }
    app.clock.advance(TimeDelta::days(30));
    let shown = app.get(&path).await.ok();
    let one = &shown[0];
    assert_eq!((&one["left_at_least"], &one["answered_percent"]), (&json!(5), &json!(80)), "{shown}");
    assert_eq!((&one["solved_percent"], &one["satisfied_percent"]), (&json!(100), &json!(80)));
    assert_eq!((&one["on_time_percent"], &one["median_days"]), (&json!(80), &json!(2)), "five of six in time");
    // of four it is not even said which body it was, and what is about somebody is counted nowhere
    let of_town = app.get("/v1/areas/330521103/body-figures").await.ok();
    assert_eq!(of_town.as_array().map(Vec::len), Some(1), "{of_town}");
    assert_eq!(app.get(&format!("{path}?period=2026-10")).await.ok(), json!([]));
    for bad in ["2026-13", "x", "2026-11-02", "", "2026-4294967295", "2021-11", "2020"] {
        assert_eq!(app.get(&format!("{path}?period={bad}")).await.refused(), "invalid_fields", "{bad}");
    }
    // the village's own desk does not count them either
    let areas = [village.area.clone()];
    let counted = liusheng::suggestions::figures(&app.app, &areas).await.unwrap();
    assert_eq!((counted.left, counted.answered, counted.overdue), (6, 5, 1));
    let page = app.http.get(app.url(&format!("/figures?area={}", village.area))).header("accept", "text/html");
    let page = page.send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("80%"), "{page}");
    // nobody types a month
    for choice in
        ["<option value=\"2026-11\" selected>2026年11月<", "<option value=\"2025-12\">", "<option value=\"2025\">"]
    {
        assert!(page.contains(choice), "{choice}: {page}");
    }
    app.stop().await;
}

/// Whoever asks for them again gets what was worked out before: no scan of the table for each page.
#[tokio::test(flavor = "multi_thread")]
async fn figures_are_worked_out_once_in_a_while() {
    let (app, village) = Village::start().await;
    let path = format!("/v1/areas/{}/body-figures?period=2026-11", village.area);
    let author = village.villager(&app, "00007").await;
    for _ in 0..5 {
        let voice = json!({ "kind": "help", "visibility": "public", "text": "灯坏了" });
        author.post("/v1/suggestions", voice).await.ok();
    }
    app.clock.advance(TimeDelta::days(30));
    let shown = app.get(&path).await.ok();
    assert_eq!(shown[0]["left_at_least"], 5);
    let hidden = "UPDATE suggestions SET about_person_id = author_id".to_owned();
    assert_eq!(crate::accused::past_commands(&app, hidden).await.unwrap(), 5);
    assert_eq!(app.get(&path).await.ok(), shown, "within ten minutes");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_county_sees_everything_that_is_late_and_no_word_of_it() {
    let (app, village) = Village::start().await;
    let (county, author) = (operator(&app).await, village.villager(&app, "00007").await);
    for visibility in ["public", "handlers", "town"] {
        let voice = json!({ "kind": "complaint", "visibility": visibility, "text": "桥墩裂了" });
        author.post("/v1/suggestions", voice).await.ok();
    }
    let notice = json!({ "area_code": village.area, "title": "晒谷", "text": "全文", "period_days": 1 });
    let notice = village.clerk.post("/v1/notices", notice).await.ok()["id"].as_str().unwrap().to_owned();
    author.post(&format!("/v1/notices/{notice}/objections"), json!({ "text": "灰太大" })).await.ok();
    let path = "/v1/areas/330521/late-suggestions";
    assert_eq!(county.get(path).await.ok(), json!({ "items": [], "more": 0 }), "nothing is late yet");
    app.pass(TimeDelta::days(20)).await;
    let county = Somebody::signed_in(&app, county.person).await;
    let late = county.get(path).await.ok();
    let items = late["items"].as_array().unwrap();
    assert_eq!((items.len(), &late["more"]), (3, &json!(0)), "{late}");
    assert!(!late.to_string().contains("裂"), "{late}");
    let of_town: Vec<_> = items.iter().filter(|one| one["area_code"] == "330521103").collect();
    assert_eq!((of_town.len(), &of_town[0]["number"]), (1, &json!("")), "which village it was is not said");
    let clerk = Somebody::signed_in(&app, village.clerk.person).await;
    assert_eq!(clerk.get(path).await.refused(), "not_allowed");
    let page = county.request(reqwest::Method::GET, "/desk/county/overdue").header("accept", "text/html");
    let page = page.send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("超期的留言（3）") && !page.contains("裂"));
    let due = DateTime::parse_from_rfc3339(items[0]["due_at"].as_str().unwrap()).unwrap();
    let days = (app.app.now() - due.to_utc()).num_days() + 1;
    let told = page.split("已超 ").nth(1).unwrap();
    assert!(told.starts_with(&format!("{days} 天")), "the first day counts, as on the desk of who is late: {told}");
    assert!(page.contains("别的超期（1）") && page.contains("异议没有答复") && !page.contains("灰太大"), "{page}");
    // more than are listed are counted all the same
    let columns = "area_code, author_id, kind, visibility, text, place, state, body_id, stream_id, accept_due_at, \
         answer_due_at, calendar_version, created_at, updated_at";
    let id = if app.folder.is_sqlite() { "randomblob(16)" } else { "gen_random_uuid()" };
    let copies = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 210) \
         INSERT INTO suggestions (id, number, {columns}) SELECT {id}, 'copy ' || i, {columns} FROM suggestions, n \
         WHERE visibility = 'public'"
    );
    assert_eq!(crate::accused::past_commands(&app, copies).await.unwrap(), 210);
    let late = county.get(path).await.ok();
    assert_eq!((late["items"].as_array().map(Vec::len), &late["more"]), (Some(200), &json!(13)));
    let page = county.request(reqwest::Method::GET, "/desk/county/overdue").header("accept", "text/html");
    let page = page.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("超期的留言（213）") && page.contains("另有 13 条"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_for_who_has_the_voice_and_its_lateness_for_who_was_late() {
    let (app, village) = Village::start().await;
    let author = village.villager(&app, "00007").await;
    for _ in 0..5 {
        let voice = json!({ "kind": "help", "visibility": "public", "text": "灯坏了" });
        author.post("/v1/suggestions", voice).await.ok();
    }
    let late = "UPDATE suggestions SET answered_at = created_at, rating = 5, \
         late_body_id = (SELECT id FROM bodies WHERE name = '洛舍镇人民政府')";
    assert_eq!(crate::accused::past_commands(&app, late.to_owned()).await.unwrap(), 5);
    app.clock.advance(TimeDelta::days(30));
    let shown = app.get(&format!("/v1/areas/{}/body-figures?period=2026-11", village.area)).await.ok();
    let of = |name: &str| {
        let bodies = shown.as_array().unwrap();
        bodies
            .iter()
            .find(|one| one["body_name"] == name)
            .map(|one| (&one["answered_percent"], &one["satisfied_percent"]))
    };
    assert_eq!(of("东衡村村民委员会"), Some((&json!(100), &json!(100))), "{shown}");
    assert_eq!(of("洛舍镇人民政府"), Some((&json!(0), &Value::Null)), "{shown}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_bodies_did_is_counted_and_of_a_few_people_nothing_is_shown() {
    let (app, village) = Village::start().await;
    let answered = async |n: usize| {
        let author = village.villager(&app, &format!("{n:05}")).await;
        let voice = json!({ "kind": "help", "visibility": "handlers", "text": "灯坏了" });
        let voice = author.post("/v1/suggestions", voice).await.ok();
        let path = format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
        village.clerk.post(&format!("{path}/accept"), json!(null)).await.ok();
        village.clerk.post(&format!("{path}/answers"), json!({ "text": "好了" })).await.ok();
    };
    for n in 7..11 {
        answered(n).await;
    }
    // whose voices were answered twice is one person
    answered(7).await;
    answered(8).await;
    let council = village.council;
    let meeting = json!({ "area_code": village.area, "body_id": council, "audience": "members", "title": "商议",
        "agenda": "一、水池", "place": "会议室", "starts_at": app.app.now() + TimeDelta::hours(1) });
    let meeting = village.council_chair.post("/v1/meetings", meeting).await.ok();
    let meeting = format!("/v1/meetings/{}", meeting["id"].as_str().unwrap());
    app.pass(TimeDelta::hours(1)).await;
    village.council_chair.post(&format!("{meeting}/attendances"), json!({})).await.ok();
    village.council_chair.post(&format!("{meeting}/minutes"), json!({ "minutes": "说了水池的事" })).await.ok();
    let path = format!("/v1/areas/{}/body-work", village.area);
    assert_eq!(app.get(&format!("{path}?period=2026-11")).await.refused(), "invalid_fields", "it is not over");
    app.clock.advance(TimeDelta::days(30));
    let of = |shown: &Value, name: &str| {
        let one = shown.as_array().unwrap().iter().find(|one| one["body_name"] == name).unwrap().clone();
        (one["consults"].clone(), one["services_at_least"].clone(), one["people_at_least"].clone())
    };
    for code in [village.area.as_str(), "330521103", "330521"] {
        let shown = app.get(&format!("/v1/areas/{code}/body-work?period=2026-11")).await.ok();
        assert_eq!(
            of(&shown, "东衡村村民委员会"),
            (json!(0), json!(5), Value::Null),
            "six answers, four people: {shown}"
        );
        assert_eq!(of(&shown, "东衡村乡贤参事会"), (json!(1), Value::Null, Value::Null), "{shown}");
    }
    assert_eq!(app.get(&format!("{path}?period=2026-10")).await.ok(), json!([]));
    let page = app.http.get(app.url(&format!("/figures?area={}&period=2026-11", village.area)));
    let page = page.header("accept", "text/html").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("参事次数") && page.contains("5 次以上"), "{page}");
    // both in one table, by name; what is of fewer than five is an empty cell
    let table = format!("/v1/areas/{}/body-table", village.area);
    assert!(page.contains(&format!("{table}?period=2026-11")), "{page}");
    assert_eq!(app.get(&format!("{table}?period=2027-01")).await.refused(), "invalid_fields", "it is not over");
    let (status, bytes) = village.clerk.download(&format!("{table}?period=2026-11")).await;
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!((status, text.starts_with("\u{feff}统计时间,")), (200, true), "{text}");
    let rows: Vec<_> = csv::Reader::from_reader(text.as_bytes()).records().map(Result::unwrap).collect();
    let row = |name: &str| rows.iter().find(|row| &row[1] == name).unwrap().iter().collect::<Vec<_>>();
    assert_eq!(row("东衡村村民委员会")[8..], ["0", "5", ""]);
    assert_eq!(row("东衡村乡贤参事会")[2..], ["", "", "", "", "", "", "1", "", ""]);
    let (status, book) = village.clerk.download(&format!("{table}?period=2026-11&format=xlsx")).await;
    assert_eq!((status, book.starts_with(b"PK")), (200, true));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_handles_voices_has_them_as_a_table_without_the_words_of_private_ones() {
    let (app, village) = Village::start().await;
    let author = village.villager(&app, "00007").await;
    let mut last = Value::Null;
    // more than are read at once
    for n in 0..103 {
        let visibility = if n % 2 == 0 { "public" } else { "handlers" };
        let voice = json!({ "kind": "help", "visibility": visibility, "text": format!("=第{n}盏灯") });
        last = author.post("/v1/suggestions", voice).await.ok();
    }
    let answered = format!("/v1/suggestions/{}", last["id"].as_str().unwrap());
    village.clerk.post(&format!("{answered}/accept"), json!(null)).await.ok();
    village.clerk.post(&format!("{answered}/answers"), json!({ "text": "修好了" })).await.ok();
    let path = "/v1/suggestion-register";
    assert_eq!(author.get(path).await.refused(), "not_allowed");
    let table = async |path: &str| {
        let (status, bytes) = village.clerk.download(path).await;
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!((status, text.starts_with("\u{feff}编号,")), (200, true), "{text}");
        csv::Reader::from_reader(text.as_bytes()).records().map(Result::unwrap).collect::<Vec<_>>()
    };
    let rows = table(path).await;
    let numbers: std::collections::BTreeSet<&str> = rows.iter().map(|row| &row[0]).collect();
    assert_eq!((rows.len(), numbers.len()), (103, 103), "each once");
    for row in &rows {
        let is_public = row[5].starts_with("全村");
        assert_eq!(
            (row[6].starts_with("'=第"), row[8].is_empty()),
            (is_public, !is_public),
            "no formula, no secret: {row:?}"
        );
        assert!(row[12].ends_with(" 24:00") && row[14].ends_with(" 24:00"), "{row:?}");
    }
    let rows = table(&format!("{path}?state=answered")).await;
    assert_eq!((rows.len(), Some(&rows[0][0]), rows[0][15].is_empty()), (1, last["number"].as_str(), false));
    let (status, book) = village.clerk.download(&format!("{path}?format=xlsx")).await;
    assert_eq!((status, book.starts_with(b"PK")), (200, true));
    let desk = village.clerk.request(reqwest::Method::GET, "/desk/suggestions").header("accept", "text/html");
    assert!(desk.send().await.unwrap().text().await.unwrap().contains(path));
    app.stop().await;
}

/// What everybody may read is found from a page that everybody sees.
#[tokio::test(flavor = "multi_thread")]
async fn what_everybody_may_read_is_linked_from_what_they_see() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00007").await;
    for (page, link) in [
        ("/matters", format!("href=\"/figures?area={}\"", village.area)),
        ("/matters", format!("href=\"/legal?area={}\"", village.area)),
        ("/privacy", "href=\"/log\"".to_owned()),
        ("/", "href=\"/legal\"".to_owned()),
    ] {
        let shown = String::from_utf8(ann.download(page).await.1).unwrap();
        assert!(shown.contains(&link), "{page} without {link}: {shown}");
    }
    let visitor = app.http.get(app.url("/matters")).send().await.unwrap().text().await.unwrap();
    assert!(visitor.contains("href=\"/figures\""), "{visitor}");
    app.stop().await;
}

/// Whoever solves nothing must not look as if nothing had been left there.
#[tokio::test(flavor = "multi_thread")]
async fn what_went_up_unsolved_stays_in_the_figures_of_who_did_not_solve_it() {
    let (app, village) = Village::start().await;
    for n in 7..13 {
        let author = village.villager(&app, &format!("{n:05}")).await;
        let voice = json!({ "kind": "help", "visibility": "handlers", "text": "灯坏了" });
        let voice = author.post("/v1/suggestions", voice).await.ok();
        let voice = format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
        village.clerk.post(&format!("{voice}/accept"), json!(null)).await.ok();
        for _ in 0..2 {
            village.clerk.post(&format!("{voice}/answers"), json!({ "text": "好了" })).await.ok();
            author.post(&format!("{voice}/rating"), json!({ "rating": 1 })).await.ok();
        }
    }
    app.clock.advance(TimeDelta::days(30));
    let shown = app.get(&format!("/v1/areas/{}/body-figures", village.area)).await.ok();
    let of = |name: &str| shown.as_array().unwrap().iter().find(|one| one["body_name"] == name).unwrap().clone();
    let (below, above) = (of("东衡村村民委员会"), of("洛舍镇人民政府"));
    assert_eq!((&below["answered_percent"], &below["solved_percent"]), (&json!(100), &json!(0)), "{shown}");
    assert_eq!((&below["left_at_least"], below.get("median_days")), (&json!(5), None), "no days are known of them");
    assert_eq!((&above["left_at_least"], &above["answered_percent"]), (&json!(5), &json!(0)), "{shown}");
    app.stop().await;
}

/// What is promised beside voices has days, too: they stand on the same screen, without a name.
#[tokio::test(flavor = "multi_thread")]
async fn the_county_sees_what_else_is_late() {
    let (app, village) = Village::start().await;
    let county = operator(&app).await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let author = village.villager(&app, "00007").await;
    let vote = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person",
        "closes_at": app.app.now() + TimeDelta::days(6) });
    let vote = village.chair.post("/v1/votes", vote).await.ok()["id"].as_str().unwrap().to_owned();
    let wrong = json!({ "kind": "wrong", "about": { "name": "俞美娟" }, "reason": "大家都知道" });
    author.post(&format!("/v1/votes/{vote}/roll/objections"), wrong).await.ok();
    author.post("/v1/me/corrections", json!({ "field": "name", "wanted": "费海容" })).await.ok();
    let screen = async || {
        let county = Somebody::signed_in(&app, county.person).await;
        String::from_utf8(county.download("/desk/county/overdue").await.1).unwrap()
    };
    assert!(screen().await.contains("别的超期（0）"));
    app.pass(TimeDelta::days(4)).await;
    let shown = screen().await;
    assert!(shown.contains("别的超期（1）") && shown.contains("对名册的异议没有处理"), "{shown}");
    app.pass(TimeDelta::days(24)).await;
    let shown = screen().await;
    assert!(shown.contains("更正名册") && !shown.contains("费海容") && !shown.contains("费海荣"), "{shown}");
    app.stop().await;
}
