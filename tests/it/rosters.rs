//! The roster at the desk: what a clerk is given to fill in is what is taken.
use reqwest::Method;
use serde_json::json;

use crate::support::{Village, answer};

const ROSTER: &str = include_str!("../data/roster_small.csv");

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_fills_in_the_blank_roster_of_the_desk() {
    let (app, village) = Village::start().await;
    let blank = String::from_utf8(village.clerk.download("/desk/roster/blank").await.1).unwrap();
    assert!(blank.starts_with("\u{feff}编号,户号,村代码,组,姓名"), "{blank}");
    assert_eq!(village.secretary.download("/desk/roster/blank").await.0, 403);
    let page = String::from_utf8(village.clerk.download("/desk/roster").await.1).unwrap();
    assert!(page.contains("/desk/roster/blank"));
    let people: String = ROSTER.lines().skip(1).map(|line| format!("{line}\n")).collect();
    let sent = village.clerk.request(Method::POST, &format!("/v1/areas/{}/roster", village.area));
    let sent = sent.header("content-type", "text/csv; charset=utf-8").body(format!("{blank}{people}"));
    let done = answer(sent).await.ok();
    assert_eq!((&done["added"], &done["changed"], &done["left"]), (&json!(0), &json!(0), &json!(0)), "{done}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_roster_has_the_numbers_of_those_who_are_on_none() {
    let (app, village) = Village::start().await;
    let send = async |roster: String| {
        let sent = village.clerk.request(Method::POST, &format!("/v1/areas/{}/roster", village.area));
        answer(sent.header("content-type", "text/csv; charset=utf-8").body(roster)).await
    };
    // by a mark in front a resident would be a guest, or somebody whose identity number another roster takes
    for (number, household) in [("#59", "H022"), ("＠59", "H022"), ("00059", "#"), ("00059", "@1")] {
        let sent = send(ROSTER.replace("\n00059,H022,", &format!("\n{number},{household},"))).await;
        assert_eq!(sent.body["errors"][0]["code"], "bad_characters", "{number} {household}: {}", sent.body);
        assert_eq!(sent.refused(), "roster_invalid");
    }
    let sent = send(ROSTER.replace("\n00059,H022,", "\n59-#,H022,")).await;
    assert_eq!(sent.ok()["changed"], 1, "elsewhere they are like others");
    app.stop().await;
}
