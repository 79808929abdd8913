//! The county's desk: counts that name nobody, failed work done again once, and a private voice only for a reason.
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use chrono::TimeDelta;
use liusheng::{
    bodies::{self, By},
    county::{
        Means,
        commands::{Failed, redrive},
        queries,
        rules::Band,
    },
    error::{Code, Error},
    events::Reaction,
    live::Hub,
    suggestions::{self, Inspect, Inspected},
};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::support::{Somebody, TestApp, Village, person_of};

const COUNTY: &str = "330521";

/// Somebody of the next village, in the county's office.
pub(crate) async fn operator(app: &TestApp) -> Somebody {
    let founded = serde_json::from_value(json!({ "kind": "county_office", "name": "德清县民政局", "areas": [COUNTY] }));
    let founded = founded.unwrap();
    let body = app.app.store.write(move |tx| Box::pin(bodies::found_body(tx, By::Operator, founded))).await.unwrap();
    let person = person_of(&app.app, "330521103203", "00003").await;
    let seat = serde_json::from_value(json!({ "person_id": person, "role": "clerk" })).unwrap();
    let id = body.body.id;
    app.app.store.write(move |tx| Box::pin(bodies::take_seat(tx, By::Operator, (id, seat)))).await.unwrap();
    app.settle().await;
    Somebody::signed_in(app, person).await
}

/// A page of the desk, as a browser asks for it.
async fn page(who: &Somebody, path: &str) -> (u16, String) {
    let asked = who.request(reqwest::Method::GET, path).header("accept", "text/html").send().await.unwrap();
    (asked.status().as_u16(), asked.text().await.unwrap())
}

/// A form of the desk: status, and where it leads or what it shows.
pub(crate) async fn form(who: &Somebody, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let body: String = fields
        .iter()
        .map(|(name, value)| {
            let value: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
            format!("{name}={value}")
        })
        .collect::<Vec<_>>()
        .join("&");
    let request = who.request(reqwest::Method::POST, path).header("accept", "text/html");
    let sent = request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap();
    let status = sent.status().as_u16();
    let place = sent.headers().get("location").map(|place| place.to_str().unwrap().to_owned());
    (status, place.unwrap_or(sent.text().await.unwrap()))
}

async fn speak(author: &Somebody, visibility: &str, text: &str) -> Value {
    let voice = json!({ "kind": "complaint", "visibility": visibility, "text": text, "place": "老桥" });
    author.post("/v1/suggestions", voice).await.ok()
}

const PAGES: [&str; 5] = [
    "/desk/county",
    "/desk/county/areas",
    "/desk/county/bodies?area=330521103202",
    "/desk/county/failures",
    "/desk/county/voices",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_county_s_desk_is_there_for_those_who_run_the_county_and_for_nobody_else() {
    let (app, village) = Village::start().await;
    let operator = operator(&app).await;
    for path in PAGES {
        let (status, shown) = page(&operator, path).await;
        assert_eq!(status, 200, "{path}: {shown}");
        assert!(!shown.contains('⟦'), "{path} lacks a sentence");
        for (who, other) in [
            ("chair", &village.chair),
            ("clerk", &village.clerk),
            ("secretary", &village.secretary),
            ("town", &village.town),
            ("supervisor", &village.supervisor),
        ] {
            assert_eq!(page(other, path).await.0, 403, "{who} {path}");
        }
        assert_eq!(page(&village.villager(&app, "00007").await, path).await.0, 403, "{path}: no seat at all");
        let nobody = app.http.get(app.url(path)).header("accept", "text/html").send().await.unwrap();
        assert_eq!(nobody.status(), 303, "{path}: asked to sign in");
    }
    for (path, fields) in [
        ("/desk/county/failures/letters", &[][..]),
        ("/desk/county/failures/deliveries", &[]),
        ("/desk/county/failures/letter", &[("reaction", "suggestions.tell_author"), ("number", "1")]),
        ("/desk/county/voices", &[("number", "1"), ("reason", "因为我想看一看这条留言说了什么")]),
    ] {
        assert_eq!(form(&village.town, path, fields).await.0, 403, "{path}");
    }
    // the seat ends, and so does the desk
    let (_, shown) = page(&operator, "/desk").await;
    assert!(shown.contains("/desk/county"), "a door leads there");
    assert!(shown.contains("href=\"/desk/county/overdue\""), "what is late in the county is one step away");
    assert!(!page(&operator, "/desk/county").await.1.contains("in-process"), "no word of the program's");
    assert!(!page(&village.chair, "/desk").await.1.contains("/desk/county"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_add_up_and_those_of_voices_are_bands() {
    let (app, village) = Village::start().await;
    let author = village.villager(&app, "00007").await;
    speak(&author, "town", "只给镇里").await;
    app.settle().await;
    let db = app.app.store.read();
    let alone = queries::overview(db, &village.area, app.app.now()).await.unwrap();
    assert_eq!(alone.whole.voices, Band::Zero, "that somebody of the village spoke to the town is not told");
    for n in 0..3 {
        speak(&author, "handlers", &format!("第{n}条，不公开")).await;
    }
    app.settle().await;
    let county = queries::overview(db, COUNTY, app.app.now()).await.unwrap();
    assert_eq!(county.parts.len(), 13, "towns");
    assert_eq!(county.whole.people, 62);
    assert_eq!(county.parts.iter().map(|line| line.people).sum::<i64>(), 62);
    assert_eq!(county.whole.bodies, 6);
    let town = queries::overview(db, "330521103", app.app.now()).await.unwrap();
    let own = town.parts.iter().find(|line| line.area.code == village.area).unwrap();
    assert_eq!((own.people, own.bodies), (59, 5));
    assert_eq!(own.voices, Band::Between(1, 4), "three, but not so that it is told");
    assert_eq!((town.whole.voices, own.late_voices), (Band::Between(1, 4), Band::Zero), "with the one for the town");
    app.pass(TimeDelta::days(30)).await;
    let town = queries::overview(db, "330521103", app.app.now()).await.unwrap();
    let own = town.parts.iter().find(|line| line.area.code == village.area).unwrap();
    assert_eq!((own.late_voices, own.voices), (Band::Between(1, 4), Band::Between(1, 4)));
    assert_eq!(queries::overview(db, "999999", app.app.now()).await.unwrap_err().code(), Code::NotFound);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_say_who_sits_until_when_and_whose_term_is_over() {
    let (app, village) = Village::start().await;
    let committee = village.committee;
    let term = json!({ "number": 1, "starts_on": "2022-01-15", "ends_on": "2026-12-31" });
    let term = serde_json::from_value(term).unwrap();
    let term =
        app.app.store.write(move |tx| Box::pin(bodies::open_term(tx, By::Operator, (committee, term)))).await.unwrap();
    let newcomer = person_of(&app.app, &village.area, "00007").await;
    let seat = json!({ "person_id": newcomer, "role": "member", "term_id": term.id });
    let seat = serde_json::from_value(seat).unwrap();
    app.app.store.write(move |tx| Box::pin(bodies::take_seat(tx, By::Operator, (committee, seat)))).await.unwrap();
    app.settle().await;
    let db = app.app.store.read();
    let seated = queries::bodies_of(db, &village.area, app.app.now()).await.unwrap();
    let own = seated.iter().find(|one| one.view.body.id == committee).unwrap();
    let of = |person| own.view.seats.iter().find(|seat| seat.person_id == person).unwrap();
    assert_eq!(own.until(of(newcomer)).unwrap().to_string(), "2026-12-31", "a seat ends with its term");
    assert_eq!(own.until(of(village.chair.person)), None);
    let ending = queries::ending(db, COUNTY, app.app.now()).await.unwrap();
    assert_eq!(
        ending.iter().map(|one| (one.name.as_str(), one.is_over)).collect::<Vec<_>>(),
        [("东衡村村民委员会", false)]
    );
    app.pass(TimeDelta::days(60)).await;
    let ending = queries::ending(db, COUNTY, app.app.now()).await.unwrap();
    assert!(ending[0].is_over);
    assert!(queries::ending(db, "330521104", app.app.now()).await.unwrap().is_empty(), "another town's");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_voice_is_opened_for_a_reason_that_its_author_reads() {
    let (app, village) = Village::start().await;
    let operator = operator(&app).await;
    let author = village.villager(&app, "00007").await;
    let photo = author.upload(include_bytes!("../data/media/lamp.m4a").to_vec()).await.ok();
    let voice = json!({ "kind": "complaint", "visibility": "handlers", "text": "村里有人收了钱", "place": "老桥",
        "media": [photo["id"]] });
    let voice = author.post("/v1/suggestions", voice).await.ok();
    let (id, number) = (voice["id"].as_str().unwrap().to_owned(), voice["number"].as_str().unwrap().to_owned());
    let clip = photo["url"].as_str().unwrap().to_owned();
    app.settle().await;

    let closed = async |when: &str| {
        for path in [format!("/v1/suggestions/{id}"), clip.clone()] {
            assert_eq!(operator.download(&path).await.0, 404, "{when}: {path}");
        }
        for path in
            [format!("/suggestions/{id}"), format!("/desk/suggestions/{id}"), format!("/desk/county/voices/{id}")]
        {
            assert_eq!(page(&operator, &path).await.0, 404, "{when}: {path}");
        }
        for path in PAGES {
            let shown = page(&operator, path).await.1;
            assert!(!shown.contains("收了钱") && !shown.contains("老桥"), "{when}: {path}");
        }
        assert_eq!(operator.get("/v1/suggestions?scope=desk").await.ok()["items"], json!([]), "{when}");
    };
    closed("without a reason").await;

    let reason = "信访局转来举报，要核实是不是同一件事";
    for (number, reason, wrong) in
        [(number.as_str(), "看看", "太短"), ("330521-1", reason, "没有这一项"), ("", "", "这里要填")]
    {
        let (status, shown) = form(&operator, "/desk/county/voices", &[("number", number), ("reason", reason)]).await;
        assert_eq!(status, 422);
        assert!(shown.contains(wrong), "{wrong}: {shown}");
    }
    closed("after a refusal").await;

    let open = [("number", number.as_str()), ("reason", reason), ("client_id", "0190a000-0000-7000-8000-000000000001")];
    let (status, place) = form(&operator, "/desk/county/voices", &open).await;
    assert_eq!((status, place.clone()), (303, format!("/desk/county/voices/{id}")));
    assert_eq!(form(&operator, "/desk/county/voices", &open).await, (303, place.clone()), "sent twice, done once");
    let (status, shown) = page(&operator, &place).await;
    assert_eq!(status, 200);
    assert!(shown.contains("村里有人收了钱") && shown.contains(reason));
    let full = author.get("/v1/me").await.ok()["name"].as_str().unwrap().to_owned();
    assert!(!shown.contains(&full), "the author's name stays masked");
    assert_eq!(operator.download(&clip).await.0, 200, "what belongs to it");
    assert_eq!(page(&operator, &format!("/desk/suggestions/{id}")).await.0, 404, "it is not theirs to handle");
    assert_eq!(operator.get(&format!("/v1/suggestions/{id}")).await.status, 404);
    let thread = author.get(&format!("/v1/suggestions/{id}")).await.ok()["stream_id"].as_str().unwrap().to_owned();
    assert_eq!(operator.get(&format!("/v1/streams/{thread}/entries?after=0")).await.status, 404, "nor to talk in");

    app.settle().await;
    let seen = author.get(&format!("/v1/suggestions/{id}")).await.ok();
    let readings = seen["readings"].as_array().unwrap();
    assert_eq!(readings.len(), 1);
    assert_eq!((readings[0]["reason"].as_str(), readings[0]["times"].as_i64()), (Some(reason), Some(1)));
    assert_eq!(readings[0]["body_name"], "德清县民政局");
    assert!(page(&author, &format!("/suggestions/{id}")).await.1.contains(reason));
    let mailbox = author.get("/v1/sync").await.ok().to_string();
    assert!(mailbox.contains("县里的工作人员打开了您的留言"), "{mailbox}");
    // who handles it learns nothing of it
    let clerk = village.clerk.get(&format!("/v1/suggestions/{id}")).await.ok();
    assert!(clerk.get("readings").is_none() && !clerk.to_string().contains("信访局"), "{clerk}");
    // in the log: that, who and when, never why
    let select = "SELECT data FROM events WHERE kind = 'suggestion.inspected'";
    let statement = Statement::from_string(app.app.store.read().get_database_backend(), select);
    let rows = app.app.store.read().query_all_raw(statement).await.unwrap();
    assert_eq!(rows.len(), 1);
    let data: String = rows[0].try_get_by_index(0).unwrap();
    assert!(!data.contains("信访") && data.contains("day"), "{data}");

    app.pass(TimeDelta::days(1)).await;
    closed("the day after").await;
    // another day, another reason; both stay
    let again = [("number", number.as_str()), ("reason", "复核昨天的情况，结论要写进报告")];
    assert_eq!(form(&operator, "/desk/county/voices", &again).await.0, 303);
    let seen = author.get(&format!("/v1/suggestions/{id}")).await.ok();
    let with_reason = seen["readings"].as_array().unwrap().iter().filter(|one| one["reason"].is_string());
    assert_eq!(with_reason.count(), 2, "{seen}");
    assert!(page(&operator, "/desk/county/voices").await.1.contains(reason), "operators see one another's reasons");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_reasons_at_once_are_all_kept() {
    let (app, village) = Village::start().await;
    let operator = operator(&app).await;
    let author = village.villager(&app, "00007").await;
    let voice = speak(&author, "handlers", "不公开").await;
    let (id, number) = (voice["id"].as_str().unwrap(), voice["number"].as_str().unwrap());
    let reasons: Vec<String> = (0..8).map(|n| format!("第{n}个理由，写得足够长了吧")).collect();
    let opening = reasons.iter().map(|reason| {
        let fields = [("number", number.to_owned()), ("reason", reason.clone())];
        let operator = &operator;
        async move {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            // one that comes between another's read and write is told to come again
            for _ in 0..50 {
                if form(operator, "/desk/county/voices", &fields).await.0 == 303 {
                    return;
                }
            }
            panic!("never taken");
        }
    });
    futures_util::future::join_all(opening).await;
    let seen = author.get(&format!("/v1/suggestions/{id}")).await.ok();
    let kept = seen["readings"][0]["reason"].as_str().unwrap();
    assert!(reasons.iter().all(|reason| kept.contains(reason)), "{kept}");
    assert_eq!(seen["readings"][0]["times"], 8);
    app.stop().await;
}

static REPAIRED: AtomicBool = AtomicBool::new(false);
static RAN: AtomicUsize = AtomicUsize::new(0);

/// A reaction that fails until its cause is repaired, and then counts how often it ran.
async fn picky() -> liusheng::error::Result<()> {
    if !REPAIRED.load(Ordering::SeqCst) {
        return Err(Error::broken("the cause is not repaired"));
    }
    RAN.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_work_is_done_again_once_by_whoever_asks_first() {
    let app = TestApp::start().await;
    Village::found(&app).await;
    let operator = operator(&app).await;
    app.settle().await;
    let actor = liusheng::actor::Actor {
        person: operator.person,
        session: liusheng::ids::SessionId::new(),
        name: String::new(),
        area: "330521103203".to_owned(),
        seats: bodies::seats_of(app.app.store.read(), operator.person, app.app.now()).await.unwrap(),
        phone_listed_at: None,
    };
    let means = Means {
        hub: Hub::new(1, 25),
        reactions: Arc::new(vec![Reaction { name: "test.picky", run: |_, _| Box::pin(picky()) }]),
    };
    let put = "INSERT INTO dead_letters (reaction, number, error, at) VALUES \
        ('test.picky', 1, 'as broken as can be', '2026-11-02 00:00:00+00:00')";
    let putting =
        app.app.store.write(move |tx| Box::pin(async move { Ok(tx.execute_unprepared(put).await?.rows_affected()) }));
    assert_eq!(putting.await.unwrap(), 1);
    let (_, shown) = page(&operator, "/desk/county/failures").await;
    assert!(shown.contains("test.picky"), "{shown}");
    let work = || Failed::Letter("test.picky".to_owned(), 1);
    let still = redrive(&app.app, &actor, &means, work()).await.unwrap();
    assert_eq!((still.through, still.left), (0, 1), "the cause is there, and so is the letter");
    assert_eq!(
        redrive(&app.app, &actor, &means, Failed::Letter("nobody".into(), 1)).await.unwrap_err().code(),
        Code::NotFound
    );

    REPAIRED.store(true, Ordering::SeqCst);
    let at_once = (0..8).map(|_| redrive(&app.app, &actor, &means, work()));
    for done in futures_util::future::join_all(at_once).await {
        assert_eq!(done.unwrap().left, 0);
    }
    assert_eq!(RAN.load(Ordering::SeqCst), 1, "the reaction ran once for eight who asked");
    let shown = page(&operator, "/desk/county/failures").await.1;
    assert!(!shown.contains("test.picky"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_anyway_needs_no_reason_and_leaves_no_trace() {
    let (app, village) = Village::start().await;
    let operator = operator(&app).await;
    let author = village.villager(&app, "00007").await;
    let voice = speak(&author, "public", "公开的").await;
    let (id, number) = (voice["id"].as_str().unwrap(), voice["number"].as_str().unwrap());
    let fields = [("number", number), ("reason", "想看看这条公开的留言办得怎么样")];
    assert_eq!(form(&operator, "/desk/county/voices", &fields).await, (303, format!("/desk/suggestions/{id}")));
    assert_eq!(page(&operator, &format!("/desk/suggestions/{id}")).await.0, 200);
    let inspect = Inspect { number: number.to_owned(), reason: fields[1].1.to_owned() };
    let actor_less = liusheng::actor::Actor {
        person: village.chair.person,
        session: liusheng::ids::SessionId::new(),
        name: String::new(),
        area: village.area.clone(),
        seats: bodies::seats_of(app.app.store.read(), village.chair.person, app.app.now()).await.unwrap(),
        phone_listed_at: None,
    };
    let refused: liusheng::error::Result<Inspected> = app
        .app
        .store
        .write(move |tx| Box::pin(async move { suggestions::inspect(tx, &actor_less, inspect).await }))
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::NotFound, "a chair of a village does not inspect");
    assert!(author.get(&format!("/v1/suggestions/{id}")).await.ok().get("readings").is_none());
    app.stop().await;
}
