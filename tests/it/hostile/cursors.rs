//! Lists asked for in ways that no client asks: absurd limits, cursors bent, cursors of others and of other lists.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use chrono::TimeDelta;
use liusheng::server;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Somebody, TestApp, Village, is_done_before};

const AREA: &str = "330521103202";

/// Paths of all lists that are paged, with what else they need; and a thing for those that are below one.
async fn lists(app: &TestApp, village: &Village) -> Vec<String> {
    let description: Value = serde_json::from_str(&server::openapi().unwrap()).unwrap();
    let matter = json!({ "area_code": AREA, "title": "修桥", "summary": "村口的桥要修一修。" });
    let matter = village.chair.post("/v1/matters", matter).await.ok()["id"].as_str().unwrap().to_owned();
    let notice = json!({ "area_code": AREA, "title": "公示", "text": "全文", "must_read": true });
    let notice = village.clerk.post("/v1/notices", notice).await.ok()["id"].as_str().unwrap().to_owned();
    app.settle().await;
    let to_decide = village.matter_to_decide(app, "铺路").await;
    let vote = village.open_vote(app, &to_decide, TimeDelta::hours(2)).await;
    app.pass(TimeDelta::hours(3)).await;
    // doors are gone to only as long as a vote is open
    let to_decide = village.matter_to_decide(app, "路灯").await;
    let open = village.open_vote(app, &to_decide, TimeDelta::hours(2)).await;
    let channel = village.clerk.get("/v1/sync").await.ok()["streams"][0]["id"].as_str().unwrap().to_owned();
    let mut found = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        let parameters = item["get"]["parameters"].as_array().cloned().unwrap_or_default();
        if !parameters.iter().any(|one| one["name"] == "limit") {
            continue;
        }
        let id = match path.as_str() {
            path if path.contains("notices") => &notice,
            path if path.contains("doors") => &open,
            _ => &vote,
        };
        let path = path
            .replace("{code}", AREA)
            .replace("{stream_id}", &channel)
            .replace("{id}", id)
            .replace("{about}", "vote");
        let query = match path.as_str() {
            "/v1/suggestions" => "scope=mine".to_owned(),
            "/v1/forms" => format!("subject_id={matter}"),
            "/v1/tasks" => format!("matter_id={matter}"),
            "/v1/matters" | "/v1/meetings" | "/v1/notices" => format!("area={AREA}"),
            _ => "x=".to_owned(),
        };
        // a query of nothing is one unknown field too many for some
        found.push(if query == "x=" { format!("{path}?") } else { format!("{path}?{query}&") });
    }
    found
}

fn is_problem(answer: &Answer) -> bool {
    answer.body["code"].as_str().is_some_and(|code| !code.is_empty())
}

#[tokio::test(flavor = "multi_thread")]
async fn absurd_limits_and_bent_cursors_are_refused_and_never_a_fault() {
    let (app, village) = Village::start().await;
    let lists = lists(&app, &village).await;
    assert!(lists.len() >= 8, "{lists:?}");
    let place = |millis: i64| B64.encode([&millis.to_be_bytes()[..], Uuid::now_v7().as_bytes()].concat());
    let good = place(1_764_000_000_000);
    let mut cursors: Vec<String> =
        ["", "a", "!!!!", "%00", "null", "%27%20OR%201=1--", "../../etc/passwd", "%F0%A0%AE%B7", "0", "-1"]
            .map(str::to_owned)
            .to_vec();
    cursors.extend(
        [i64::MIN, -1, i64::MAX, 253_402_300_800_000, 8_210_266_876_799_999, -8_334_601_228_800_000].map(place),
    );
    cursors.extend([1, 100, 2_000].map(|length| "A".repeat(length)));
    cursors.push(format!("{good}="));
    cursors.push(good[..good.len() - 1].to_owned());
    cursors.push(good.clone() + &good);
    let limits = [
        "-1",
        "0",
        "101",
        "1000",
        "1000000000",
        "1e3",
        "a",
        "1.5",
        "",
        "%2B1",
        "0x10",
        "18446744073709551616",
        "1%00",
        "１",
    ];
    let (mut wrong, mut tried) = (Vec::new(), 0);
    let is_second = is_done_before("three of four flipped bits in each list; the next list has others");
    for (number, list) in lists.iter().enumerate() {
        for limit in limits {
            let answer = village.clerk.get(&format!("{list}limit={limit}")).await;
            tried += 1;
            // `+1` is a number to most, and a board gives a thousand leaves at once
            let is_taken = limit == "%2B1" || list.contains("/board/") && ["101", "1000"].contains(&limit);
            let is_fine = answer.status == 400 && is_problem(&answer) || (is_taken && answer.status == 200);
            if !is_fine {
                wrong.push(format!("{list}limit={limit}: {} {}", answer.status, answer.body));
            }
        }
        for cursor in &cursors {
            let answer = village.clerk.get(&format!("{list}cursor={cursor}")).await;
            tried += 1;
            if answer.status != 400 || !is_problem(&answer) {
                wrong.push(format!("{list}cursor={cursor}: {} {}", answer.status, answer.body));
            }
        }
        // a flipped bit is another place, or none: never a fault
        let (first, step) = if is_second { (number % 4, 4) } else { (0, 1) };
        for bit in (first..192).step_by(step) {
            let mut bytes = B64.decode(&good).unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let answer = village.clerk.get(&format!("{list}cursor={}", B64.encode(&bytes))).await;
            tried += 1;
            if ![200, 400].contains(&answer.status) {
                wrong.push(format!("{list} bit {bit}: {} {}", answer.status, answer.body));
            }
        }
        for twice in
            ["limit=5&limit=6", "limit=5&order=phone_sealed", "limit=5&sort=-phone", "phone[like]=138", "filter=x"]
        {
            let answer = village.clerk.get(&format!("{list}{twice}")).await;
            tried += 1;
            if answer.status != 400 || !is_problem(&answer) {
                wrong.push(format!("{list}{twice}: {} {}", answer.status, answer.body));
            }
        }
    }
    println!("{tried} questions to {} lists", lists.len());
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    app.stop().await;
}

/// Everything that a list gives when it is walked from this place on.
async fn walk(who: &Somebody, list: &str, cursor: &str) -> Vec<Value> {
    who.get(&format!("{list}cursor={cursor}")).await.ok()["items"].as_array().unwrap().clone()
}

/// A place says where, never what: with another's place one gets one's own things.
#[tokio::test(flavor = "multi_thread")]
async fn another_s_cursor_opens_nothing_of_another() {
    let (app, village) = Village::start().await;
    let (one, other) = (village.villager(&app, "00007").await, village.villager(&app, "00010").await);
    for who in [&one, &other] {
        for n in 0..4 {
            let voice = json!({ "kind": "help", "visibility": "handlers", "text": format!("第{n}句"), "place": "" });
            who.post("/v1/suggestions", voice).await.ok();
            Somebody::signed_in(&app, who.person).await;
        }
    }
    let mine = "/v1/suggestions?scope=mine&";
    let page = one.get(&format!("{mine}limit=1")).await.ok();
    let place = page["next_cursor"].as_str().unwrap();
    let own: Vec<Value> = other.get(mine).await.ok()["items"].as_array().unwrap().clone();
    for voice in walk(&other, mine, place).await {
        assert!(own.iter().any(|known| known["id"] == voice["id"]), "{voice}");
    }
    let sessions = other.get("/v1/sessions?").await.ok();
    let place = one.get("/v1/sessions?limit=1").await.ok()["next_cursor"].as_str().unwrap().to_owned();
    for session in walk(&other, "/v1/sessions?", &place).await {
        assert!(sessions["items"].as_array().unwrap().iter().any(|known| known["id"] == session["id"]), "{session}");
    }
    // a place of another list, and one whose row is gone, are places all the same
    for session in walk(&other, "/v1/sessions?", page["next_cursor"].as_str().unwrap()).await {
        assert!(sessions["items"].as_array().unwrap().iter().any(|known| known["id"] == session["id"]), "{session}");
    }
    assert_eq!(app.get(&format!("/v1/sessions?cursor={place}")).await.refused(), "not_signed_in");
    app.stop().await;
}
