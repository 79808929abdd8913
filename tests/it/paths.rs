//! By which path a matter goes: the short one by charter, 四议两公开, and what the law reserves to the assembly.
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Raw, Somebody, TestApp, Village, id, person_of};

const PHOTO: &[u8] = include_bytes!("../data/media/clear.png");
const SOURCE: &str = "2026年1月5日村民会议通过的《小事简办章程》";

fn raised(village: &Village, template: &str, item: Option<&str>) -> Value {
    json!({ "area_code": village.area, "title": "修水池", "summary": "修水池，请大家商量。", "template": template,
        "reserved_item": item })
}

async fn adopt(village: &Village) -> String {
    let charter =
        json!({ "area_code": village.area, "template": "short", "adopted_on": "2026-01-05", "source": SOURCE });
    id(&village.chair.post("/v1/charters", charter).await.ok())
}

/// What is missing before the matter may move on.
async fn missing(who: &Somebody, matter: &str) -> Vec<String> {
    let refused = who.post(&format!("/v1/matters/{matter}/advance"), json!({})).await;
    assert_eq!(refused.body["code"], "evidence_missing");
    let missing = refused.body["more"]["missing"].as_array().unwrap_or_else(|| panic!("{}", refused.body));
    missing.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

async fn advance(who: &Somebody, matter: &str) -> Value {
    who.post(&format!("/v1/matters/{matter}/advance"), json!({})).await.ok()
}

/// A notice about the matter that hangs its days; the clock moves on.
async fn publish(app: &TestApp, village: &Village, (matter, title): (&str, &str)) {
    let notice = json!({ "area_code": village.area, "matter_id": matter, "title": title, "text": "全文。",
        "period_days": 5 });
    village.clerk.post("/v1/notices", notice).await.ok();
    app.settle().await;
    app.pass(TimeDelta::days(12)).await;
    app.settle().await;
}

async fn carried_out(app: &TestApp, village: &Village, matter: &str) {
    let task = json!({ "area_code": village.area, "matter_id": matter, "owner_id": village.clerk.person,
        "title": "动工", "working_days": 5 });
    let task = id(&village.chair.post("/v1/tasks", task).await.ok());
    let photo = village.clerk.upload(PHOTO.to_vec()).await.ok();
    let proof = json!({ "proof": "修好了", "photos": [photo["id"]] });
    village.clerk.post(&format!("/v1/tasks/{task}/done"), proof).await.ok();
    let report = json!({ "text": "水池已经修好，花了三千元，大家满意。" });
    village.chair.post(&format!("/v1/matters/{matter}/report"), report).await.ok();
    app.settle().await;
}

/// A meeting of a body about the matter, with minutes; who calls it signs in, and so do the others.
async fn meet(app: &TestApp, who: &Somebody, (matter, body): (&str, Value), others: &[&Somebody]) {
    let meeting = json!({ "area_code": "330521103202", "body_id": body, "audience": "members", "matter_id": matter,
        "title": "商议", "agenda": "一、水池", "place": "会议室", "starts_at": app.app.now() + TimeDelta::hours(1) });
    let meeting = id(&who.post("/v1/meetings", meeting).await.ok());
    app.pass(TimeDelta::hours(1)).await;
    for one in [who].iter().chain(others) {
        one.post(&format!("/v1/meetings/{meeting}/attendances"), json!({})).await.ok();
    }
    let minutes = json!({ "minutes": "说了水池的事",
        "resolutions": [{ "text": "同意", "votes_for": others.len() + 1 }] });
    who.post(&format!("/v1/meetings/{meeting}/minutes"), minutes).await.ok();
    app.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_short_path_is_for_small_things_of_a_village_whose_rules_allow_it() {
    let (app, village) = Village::start().await;
    let raise = |item| raised(&village, "short", item);
    assert_eq!(village.chair.post("/v1/matters", raise(None)).await.refused(), "template_not_allowed");
    // nobody else writes a charter, and not one of tomorrow or for a path that needs none
    let charter = |template: &str, day: &str| json!({ "area_code": village.area, "template": template, "adopted_on": day, "source": SOURCE });
    assert_eq!(village.clerk.post("/v1/charters", charter("short", "2026-01-05")).await.refused(), "not_allowed");
    for wrong in [charter("short", "2099-01-01"), charter("short", "0900-01-01"), charter("six_stages", "2026-01-05")] {
        assert_eq!(village.chair.post("/v1/charters", wrong).await.refused(), "invalid_fields");
    }
    let charter = adopt(&village).await;
    assert_eq!(village.chair.post("/v1/matters", raise(Some("homesteads"))).await.refused(), "template_not_allowed");
    let matter = village.chair.post("/v1/matters", raise(None)).await.ok();
    assert_eq!(matter["charter"]["source"], SOURCE);
    let stages: Vec<_> = matter["stages"].as_array().unwrap().iter().map(|one| one["stage"].clone()).collect();
    assert_eq!(stages, ["raise", "publicise", "evaluate"]);
    let matter = id(&matter);
    assert_eq!(advance(&village.chair, &matter).await["stage"], "publicise");
    publish(&app, &village, (&matter, "修水池")).await;
    let shown = app.get(&format!("/v1/matters/{matter}")).await.ok();
    assert_eq!(shown["stage"], "evaluate", "the period is over, and nobody objected");

    // ended, it allows nothing new; what is under way keeps its path
    let end = format!("/v1/charters/{charter}/end");
    assert_eq!(village.clerk.post(&end, json!(null)).await.refused(), "not_allowed");
    village.chair.post(&end, json!(null)).await.ok();
    assert_eq!(village.chair.post(&end, json!(null)).await.refused(), "wrong_state");
    assert_eq!(village.chair.post("/v1/matters", raise(None)).await.refused(), "template_not_allowed");
    carried_out(&app, &village, &matter).await;
    assert_eq!(missing(&village.supervisor, &matter).await, ["rating"]);
    let listed = app.get(&format!("/v1/charters?area={}", village.area)).await.ok();
    assert!(listed[0]["ended_at"].is_string(), "{listed}");
    let page = village.chair.download("/desk/charters").await;
    assert!(page.0 == 200 && String::from_utf8_lossy(&page.1).contains("小事简办章程"));
    let page = village.clerk.download(&format!("/desk/matters/{matter}")).await;
    assert!(page.0 == 200 && String::from_utf8_lossy(&page.1).contains("小事简办章程"));
    app.stop().await;
}

/// A rating by these people, each with this mark, closed.
async fn rated(village: &Village, (matter, people): (&str, &[Somebody]), mark: i64) {
    let form = json!({ "subject_id": matter, "area_code": village.area, "purpose": "rating", "title": "满意度",
        "questions": [{ "id": "mark", "title": "几分？", "kind": "scale", "required": true }] });
    let form = id(&village.clerk.post("/v1/forms", form).await.ok());
    for one in people {
        one.post(&format!("/v1/forms/{form}/answers"), json!({ "answers": { "mark": mark } })).await.ok();
    }
    village.clerk.post(&format!("/v1/forms/{form}/close"), json!(null)).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_asks_again_until_the_rating_fits() {
    let (app, village) = Village::start().await;
    adopt(&village).await;
    let matter = id(&village.chair.post("/v1/matters", raised(&village, "short", None)).await.ok());
    advance(&village.chair, &matter).await;
    publish(&app, &village, (&matter, "修水池")).await;
    carried_out(&app, &village, &matter).await;
    let mut people = Vec::new();
    for number in ["00007", "00008", "00010"] {
        people.push(village.villager(&app, number).await);
    }
    rated(&village, (&matter, &people[..2]), 5).await;
    assert_eq!(missing(&village.supervisor, &matter).await, ["rating"], "two are too few");
    app.pass(TimeDelta::minutes(1)).await;
    rated(&village, (&matter, &people), 2).await;
    assert_eq!(missing(&village.supervisor, &matter).await, ["rectification"]);
    app.pass(TimeDelta::minutes(1)).await;
    rated(&village, (&matter, &people), 5).await;
    assert_eq!(missing(&village.supervisor, &matter).await, ["rectification"], "asked again until it fits");
    // whoever looks after another has no answer read
    app.settle().await;
    let path = format!("/v1/matters/{matter}");
    let seen = app.get(&path).await.ok()["stages"].clone();
    let raw = Raw::open(app.folder.path()).await;
    assert_eq!(raw.execute("UPDATE answers SET data = '?' || data").await, 8);
    assert_eq!(app.get(&path).await.ok()["stages"], seen);
    raw.execute("UPDATE answers SET data = substr(data, 2)").await;
    raw.close().await;
    app.pass(TimeDelta::minutes(1)).await;
    carried_out(&app, &village, &matter).await;
    assert_eq!(advance(&village.supervisor, &matter).await["state"], "closed");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_law_reserves_needs_a_legal_officer_s_note() {
    let (app, village) = Village::start().await;
    let matter = village.chair.post("/v1/matters", raised(&village, "six_stages", Some("land_contracts"))).await.ok();
    assert!(matter["reserved"]["decided_by"].as_str().unwrap().contains("村民会议"), "{matter}");
    let matter = id(&matter);
    let lawyer = person_of(&app.app, &village.area, "00010").await;
    let seat = json!({ "person_id": lawyer, "role": "legal_officer" });
    village.town.post(&format!("/v1/bodies/{}/seats", village.committee), seat).await.ok();
    app.settle().await;
    let lawyer = Somebody::signed_in(&app, lawyer).await;
    let notes = format!("/v1/matters/{matter}/legality-notes");
    let note = |is_lawful: bool| json!({ "is_lawful": is_lawful, "text": "依土地承包法。" });
    assert_eq!(lawyer.post(&notes, note(true)).await.refused(), "wrong_state", "not asked for yet");
    let by = json!({ "stage": "raise", "authority": "镇政府同意", "reason": "测试走近路" });
    village.chair.post(&format!("/v1/matters/{matter}/skip"), by).await.ok();
    let by = json!({ "stage": "deliberate", "authority": "镇政府同意", "reason": "测试走近路" });
    let skip = village.chair.post(&format!("/v1/matters/{matter}/skip"), by).await;
    assert_eq!(skip.refused(), "evidence_missing", "no authority stands above the note");
    let others = [&village.secretary];
    meet(&app, &village.council_chair, (&matter, json!(village.council)), &others).await;
    assert_eq!(missing(&village.chair, &matter).await, ["legality"]);
    assert_eq!(village.chair.post(&notes, note(true)).await.refused(), "not_allowed", "not by who wants it");
    lawyer.post(&notes, note(false)).await.ok();
    assert_eq!(missing(&village.chair, &matter).await, ["legality_lawful"]);
    let form = lawyer.download(&format!("/desk/matters/{matter}")).await;
    assert!(form.0 == 200 && String::from_utf8_lossy(&form.1).contains("/legality\""), "the form for it");
    lawyer.post(&notes, note(true)).await.ok();
    assert_eq!(advance(&village.chair, &matter).await["stage"], "publicise");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_legal_officer_finds_unlawful_goes_on_by_a_named_authority_alone() {
    let (app, village) = Village::start().await;
    let matter = id(&village.chair.post("/v1/matters", raised(&village, "six_stages", None)).await.ok());
    let lawyer = person_of(&app.app, &village.area, "00010").await;
    let seat = json!({ "person_id": lawyer, "role": "legal_officer" });
    village.town.post(&format!("/v1/bodies/{}/seats", village.committee), seat).await.ok();
    app.settle().await;
    let lawyer = Somebody::signed_in(&app, lawyer).await;
    let skip = format!("/v1/matters/{matter}/skip");
    let by = |stage: &str| json!({ "stage": stage, "authority": "镇政府同意", "reason": "抢险要紧" });
    village.chair.post(&skip, by("raise")).await.ok();
    let others = [&village.secretary];
    meet(&app, &village.council_chair, (&matter, json!(village.council)), &others).await;
    let note = json!({ "is_lawful": false, "text": "占了基本农田。" });
    lawyer.post(&format!("/v1/matters/{matter}/legality-notes"), note).await.ok();
    assert_eq!(missing(&village.chair, &matter).await, ["legality_lawful"], "and nothing else");
    let overridden = village.chair.post(&skip, by("deliberate")).await.ok();
    assert_eq!(overridden["stage"], "publicise");
    let record = app.get(&format!("/v1/matters/{matter}/record")).await.ok().to_string();
    assert!(["占了基本农田", "镇政府同意", "抢险要紧"].iter().all(|words| record.contains(words)), "{record}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_deliberations_and_two_publications_to_the_end() {
    let (app, village) = Village::start().await;
    let matter = id(&village.chair.post("/v1/matters", raised(&village, "four_deliberations", None)).await.ok());
    let opinions = format!("/v1/matters/{matter}/opinions");
    let agree = json!({ "agree": true, "text": "提议修水池。" });
    // the committee's word is not the party branch's
    village.chair.post(&opinions, agree.clone()).await.ok();
    assert_eq!(missing(&village.chair, &matter).await, ["proposal"]);
    village.branch_chair.post(&opinions, agree).await.ok();
    assert_eq!(advance(&village.chair, &matter).await["stage"], "deliberate");
    assert_eq!(missing(&village.chair, &matter).await, ["meeting_village_committee"]);
    meet(&app, &village.chair, (&matter, json!(village.committee)), &[]).await;
    assert_eq!(advance(&village.chair, &matter).await["stage"], "review");
    assert_eq!(missing(&village.chair, &matter).await, ["meeting_party_branch"]);
    meet(&app, &village.branch_chair, (&matter, json!(village.branch)), &[]).await;
    assert_eq!(advance(&village.chair, &matter).await["stage"], "decide");
    let call = json!({ "area_code": village.area, "body_id": village.committee, "audience": "villagers",
        "matter_id": matter, "title": "村民会议", "agenda": "表决水池", "place": "文化礼堂",
        "starts_at": app.app.now() + TimeDelta::days(10) + TimeDelta::hours(1) });
    let meeting = id(&village.chair.post("/v1/meetings", call).await.ok());
    app.pass(TimeDelta::days(10) + TimeDelta::hours(2)).await;
    let vote = json!({ "matter_id": matter, "question": "是否同意修水池？", "preset": "village_assembly_person",
        "meeting_id": meeting, "challenge_days": 1, "closes_at": app.app.now() + TimeDelta::hours(6) });
    let vote = id(&village.chair.post("/v1/votes", vote).await.ok());
    for number in 1..=56 {
        let person = person_of(&app.app, &village.area, &format!("{number:05}")).await;
        let ballot = json!({ "cast_id": Uuid::now_v7(), "choice": "for" });
        // the children among them are refused
        Somebody::signed_in(&app, person).await.post(&format!("/v1/votes/{vote}/ballots"), ballot).await;
    }
    app.pass(TimeDelta::hours(6)).await;
    app.pass(TimeDelta::days(2)).await;
    app.settle().await;
    assert_eq!(app.get(&format!("/v1/matters/{matter}")).await.ok()["stage"], "evaluate");
    for title in ["决议公开", "决议再公开"] {
        publish(&app, &village, (&matter, title)).await;
    }
    carried_out(&app, &village, &matter).await;
    assert_eq!(missing(&village.supervisor, &matter).await, ["notices"], "what came of it is published after it came");
    publish(&app, &village, (&matter, "实施结果公开")).await;
    assert_eq!(advance(&village.supervisor, &matter).await["state"], "closed");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leads_committee_and_branch_proposes_for_the_branch_and_a_town_s_branch_does_not() {
    let (app, village) = Village::start().await;
    let matter = id(&village.chair.post("/v1/matters", raised(&village, "four_deliberations", None)).await.ok());
    let opinions = format!("/v1/matters/{matter}/opinions");
    let agree = json!({ "agree": true, "text": "提议修水池。" });
    // a branch of the town covers the village, too
    let branch = json!({ "kind": "party_branch", "name": "洛舍镇机关党支部", "areas": ["330521103"] });
    let branch = id(&village.town.post("/v1/bodies", branch).await.ok());
    let seat = |person| json!({ "person_id": person, "role": "chair" });
    let of_town = village.villager(&app, "00010").await;
    village.town.post(&format!("/v1/bodies/{branch}/seats"), seat(of_town.person)).await.ok();
    app.settle().await;
    of_town.post(&opinions, agree.clone()).await.ok();
    assert_eq!(missing(&village.chair, &matter).await, ["proposal"], "not the village's own");
    // 书记、主任一肩挑: the seat in the committee is the older one
    village.end_seat_of(&app, village.branch_chair.person).await;
    village.town.post(&format!("/v1/bodies/{}/seats", village.branch), seat(village.chair.person)).await.ok();
    app.settle().await;
    village.chair.post(&opinions, agree).await.ok();
    assert_eq!(advance(&village.chair, &matter).await["stage"], "deliberate");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_register_is_a_table_of_every_matter_of_the_area() {
    let (app, village) = Village::start().await;
    // more than are read at once
    for number in 0..105 {
        let matter =
            json!({ "area_code": village.area, "title": format!("=第{number}件,事"), "summary": "大家商量。" });
        village.chair.post("/v1/matters", matter).await.ok();
    }
    let (status, bytes) = village.chair.download(&format!("/v1/register?area={}", village.area)).await;
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!((status, text.starts_with("\u{feff}编号,")), (200, true), "{text}");
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let titles: std::collections::BTreeSet<&str> = rows.iter().map(|row| &row[2]).collect();
    assert_eq!((rows.len(), titles.len()), (105, 105), "each once");
    assert_eq!((&rows[0][2], &rows[104][2]), ("'=第104件,事", "'=第0件,事"), "the newest first, and no formula");
    // the same as a workbook, read by somebody else's program
    let (status, book) = village.chair.download(&format!("/v1/register?format=xlsx&area={}", village.area)).await;
    assert_eq!(
        (status, sheet_of(&book)),
        (200, (106, "=第104件,事".to_owned())),
        "a head and every row, and no formula"
    );
    let wrong = app.get("/v1/register?format=pdf").await;
    assert_eq!(wrong.status, 400, "{}", wrong.body);
    let elsewhere = app.http.get(app.url("/v1/register?area=330521104")).send().await.unwrap();
    assert_eq!(elsewhere.text().await.unwrap().lines().count(), 1, "the head alone");
    app.stop().await;
}

/// How many rows a workbook has, and the third cell of its second row, as another implementation reads it.
fn sheet_of(book: &[u8]) -> (usize, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), book).unwrap();
    let read = "import sys, zipfile, xml.etree.ElementTree as xml\n\
        book = zipfile.ZipFile(sys.argv[1])\n\
        assert book.testzip() is None\n\
        for part in book.namelist(): xml.fromstring(book.read(part))\n\
        main = '{http://schemas.openxmlformats.org/spreadsheetml/2006/main}'\n\
        rows = xml.fromstring(book.read('xl/worksheets/sheet1.xml')).findall(main + 'sheetData/' + main + 'row')\n\
        places = [[cell.get('r') for cell in row] for row in rows]\n\
        assert [row.get('r') for row in rows] == [str(n + 1) for n in range(len(rows))]\n\
        assert places[1] == [letter + '2' for letter in 'ABCDEFGHIJKLMNO'], places[1]\n\
        print(len(rows), rows[1][2].find(main + 'is/' + main + 't').text)";
    let mut python = std::process::Command::new("python3");
    let said = python.args(["-c", read]).arg(file.path()).env("PYTHONIOENCODING", "utf-8").output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let said = String::from_utf8(said.stdout).unwrap();
    let (rows, cell) = said.trim_end().split_once(' ').unwrap();
    (rows.parse().unwrap(), cell.to_owned())
}
