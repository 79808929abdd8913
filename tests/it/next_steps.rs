//! What pages say comes next: to who spoke, to who is not known by the number, to who answered and who published.
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use crate::{
    county::form,
    support::{Somebody, Village, id},
};

async fn page(who: &Somebody, path: &str) -> String {
    String::from_utf8(who.download(path).await.1).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_spoke_reads_how_it_stands_in_a_sentence() {
    let (app, village) = Village::start().await;
    let (ann, bob) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
    assert!(page(&ann, "/suggestions?of=village").await.contains("村里还没有大家都能看的留言"));
    let voice = json!({ "kind": "help", "visibility": "public", "text": "桥头的灯不亮" });
    let voice = id(&ann.post("/v1/suggestions", voice).await.ok());
    app.settle().await;
    let (own, desk) = (format!("/suggestions/{voice}"), format!("/desk/suggestions/{voice}"));
    let shown = page(&ann, &own).await;
    assert!(shown.contains("已经送到") && shown.contains("有了进展会告诉您"), "{shown}");
    assert!(!page(&bob, &own).await.contains("已经送到"), "nobody has promised anything to others");
    assert!(page(&ann, "/suggestions").await.contains("期限 11月4日"), "the list says until when, too");
    assert!(!page(&bob, "/suggestions?of=village").await.contains("期限"));
    village.clerk.post(&format!("/v1/suggestions/{voice}/accept"), json!(null)).await.ok();
    assert!(page(&ann, &own).await.contains("正在办，最晚"));
    assert!(!page(&village.clerk, &desk).await.contains("等留言的人打分"));
    village.clerk.post(&format!("/v1/suggestions/{voice}/answers"), json!({ "text": "明天来修。" })).await.ok();
    let shown = page(&ann, &own).await;
    assert!(shown.contains("答复了，请看下面") && !shown.contains("有了进展会告诉您"), "{shown}");
    assert!(page(&village.clerk, &desk).await.contains("等留言的人打分"), "what the clerk waits for");
    ann.post(&format!("/v1/suggestions/{voice}/rating"), json!({ "rating": 1 })).await.ok();
    assert!(page(&village.clerk, "/desk").await.contains("满意率</small><b>–</b>"), "one is no figure");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_published_is_led_to_paper_and_loudspeaker() {
    let (app, village) = Village::start().await;
    let fields = [("area", village.area.as_str()), ("title", "停水"), ("text", "明天停水。"), ("period_days", "7")];
    let (status, place) = form(&village.chair, "/desk/notices", &fields).await;
    assert_eq!(status, 303, "{place}");
    let shown = page(&village.chair, &place).await;
    for next in ["/poster\"", "/script\"", "/reach\""] {
        assert!(shown.contains(next), "{next} {shown}");
    }
    assert!(shown.contains("没有手机的人靠公开栏和广播"), "{shown}");
    let listed = page(&village.chair, "/desk/notices").await;
    assert!(listed.contains("2026年11月3日 – 2026年11月9日"), "the days that hang on the board: {listed}");
    // whose number the village does not have is not left in front of a field for a code that never comes
    let asked = app.http.request(Method::POST, app.url("/login/code")).header("sec-fetch-site", "same-origin");
    let asked = asked.header("content-type", "application/x-www-form-urlencoded").body("phone=19999999999");
    let shown = asked.send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("href=\"/claim\"") && shown.contains("href=\"/guest\""), "{shown}");
    app.stop().await;
}

/// Two clerks at two desks need not open each voice to see that the other has it.
#[tokio::test(flavor = "multi_thread")]
async fn lists_of_voices_say_what_presses_and_who_was_given_it() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00007").await;
    let speak = async |urgency: &str| {
        let voice = json!({ "kind": "help", "visibility": "handlers", "text": "煤气味很重", "urgency": urgency });
        format!("/v1/suggestions/{}", id(&ann.post("/v1/suggestions", voice).await.ok()))
    };
    let (voice, _) = (speak("ordinary").await, speak("urgent").await);
    for path in ["/desk", "/desk/suggestions"] {
        let shown = page(&village.clerk, path).await;
        assert_eq!((shown.matches("<small>紧急</small>").count(), shown.contains("已交给")), (1, false), "{shown}");
    }
    village.clerk.post(&format!("{voice}/accept"), json!(null)).await.ok();
    let chair = json!({ "person_id": village.chair.person });
    village.clerk.post(&format!("{voice}/assign"), chair).await.ok();
    for path in ["/desk", "/desk/suggestions"] {
        let shown = page(&village.clerk, path).await;
        assert!(shown.contains("已交给") && !shown.contains("已交给办"), "{shown}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_more_than_fits_is_told_that_there_is_more() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00007").await;
    let voice = json!({ "kind": "help", "visibility": "handlers", "text": "路灯坏了" });
    for n in 1..=50 {
        ann.post("/v1/suggestions", voice.clone()).await.ok();
        if n == 49 {
            assert!(!page(&village.clerk, "/desk").await.contains("只列出最急的"));
        }
    }
    assert!(page(&village.clerk, "/desk").await.contains("只列出最急的 50 条留言"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_that_has_begun_is_not_to_come_and_its_minutes_have_the_day() {
    let (app, village) = Village::start().await;
    let call = json!({ "area_code": village.area, "body_id": village.committee, "audience": "representatives",
        "title": "村民代表会议", "agenda": "表决", "place": "文化礼堂", "starts_at": app.app.now() + TimeDelta::days(4) });
    village.chair.post("/v1/meetings", call).await.ok();
    let ann = village.villager(&app, "00007").await;
    assert!(page(&ann, "/meetings").await.contains("将要召开"));
    app.pass(TimeDelta::days(4) + TimeDelta::minutes(10)).await;
    let (ann, chair) =
        (Somebody::signed_in(&app, ann.person).await, Somebody::signed_in(&app, village.chair.person).await);
    let shown = page(&ann, "/meetings").await;
    assert!(shown.contains("时间已到") && !shown.contains("将要召开"), "{shown}");
    let desk = page(&chair, "/desk").await;
    assert!(desk.contains("还没有写纪要") && !desk.contains("超期 1 天"), "not late on its own day: {desk}");
    app.pass(TimeDelta::days(1)).await;
    assert!(page(&Somebody::signed_in(&app, village.chair.person).await, "/desk").await.contains("超期 1 天"));
    app.stop().await;
}
