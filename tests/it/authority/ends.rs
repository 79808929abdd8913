//! Rights end: with the term, with the seat, with the roster; on calls and on sockets that are open, within five seconds.
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures_util::future::join_all;
use liusheng::{
    broker::Bell,
    config::Config,
    server::{self, Role, Server},
    streams,
};
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    Chaos, Harm, Raw, Socket, Somebody, TestApp, Village, import, is_postgres, monday, person_of, redis_url,
};

/// What rights may last after they have ended.
const WITHIN: Duration = Duration::from_secs(5);

const ROSTER: &str = include_str!("../../data/roster_small.csv");

async fn office(app: &TestApp, village: &Village) -> String {
    let body = village.committee;
    let open = app.app.store.write(move |tx| Box::pin(async move { streams::commands::office(tx, body).await }));
    open.await.unwrap().to_string()
}

/// Waits until the socket has lost its rights: closed, and not let into the stream when it comes back.
async fn until_out(socket: &mut Socket, app: &TestApp, who: &Somebody, stream: &str, began: Instant) {
    let code = tokio::time::timeout(WITHIN.saturating_sub(began.elapsed()), socket.until_closed()).await;
    let code = code.unwrap_or_else(|_| panic!("the socket was open {:?} later", began.elapsed()));
    assert!([3011, 3500].contains(&code), "closed with {code}");
    let back = Socket::connect(app, &who.token(), json!({})).await;
    assert!(back.connected["subs"].get(format!("s:{stream}")).is_none(), "{}", back.connected);
}

/// Calls until they are refused with this code.
async fn until_refused(who: &Somebody, path: &str, code: &str, began: Instant) {
    loop {
        let answer = who.get(path).await;
        if answer.status >= 400 {
            assert_eq!(answer.body["code"], json!(code));
            return;
        }
        assert!(began.elapsed() < WITHIN, "{path} was answered {:?} later: {}", began.elapsed(), answer.body);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A seat that ends goes from the open socket, from calls over it, from calls beside it, and from the next log-in.
#[tokio::test(flavor = "multi_thread")]
async fn a_seat_that_ends_ends_the_socket_and_the_calls() {
    let (app, village) = Village::start().await;
    let office = office(&app, &village).await;
    let clerk = village.clerk.clone();
    let mut socket = Socket::connect(&app, &clerk.token(), json!({})).await;
    assert!(socket.connected["subs"].get(format!("s:{office}")).is_some());
    let began = Instant::now();
    village.end_seat_of(&app, clerk.person).await;
    until_out(&mut socket, &app, &clerk, &office, began).await;
    until_refused(&clerk, &format!("/v1/streams/{office}/entries"), "not_found", began).await;
    until_refused(&clerk, &format!("/v1/areas/{}/people", village.area), "not_allowed", began).await;
    // a voice that comes now is told to the office, and not to who sat there
    let mut back = Socket::connect(&app, &clerk.token(), json!({})).await;
    let voice = json!({ "kind": "help", "visibility": "handlers", "text": "请看" });
    village.villager(&app, "00010").await.post("/v1/suggestions", voice).await.ok();
    app.settle().await;
    back.listen(Duration::from_millis(500)).await;
    assert!(back.offsets(&format!("s:{office}")).is_empty());
    app.stop().await;
}

/// No bell rings at midnight: the last day of a term is the last day of what it gave.
#[tokio::test(flavor = "multi_thread")]
async fn a_term_that_is_over_ends_the_socket_and_the_calls() {
    let (app, village) = Village::start().await;
    let office = office(&app, &village).await;
    let term = json!({ "number": 12, "starts_on": "2026-11-01", "ends_on": "2026-11-02" });
    let term = village.town.post(&format!("/v1/bodies/{}/terms", village.committee), term).await.ok();
    let person = person_of(&app.app, &village.area, "00049").await;
    let seat = json!({ "person_id": person, "role": "clerk", "term_id": term["id"] });
    village.town.post(&format!("/v1/bodies/{}/seats", village.committee), seat).await.ok();
    let clerk = Somebody::signed_in(&app, person).await;
    let cookie_like = village.villager(&app, "00010").await;
    // to the last minute of the last day; the token that the socket brings holds longer than that
    app.clock.advance(TimeDelta::hours(14) + TimeDelta::minutes(58));
    clerk.get(&format!("/v1/areas/{}/people", village.area)).await.ok();
    let mut socket = Socket::connect(&app, &clerk.token(), json!({})).await;
    let mut other = Socket::connect(&app, &cookie_like.token(), json!({})).await;
    assert!(socket.connected["subs"].get(format!("s:{office}")).is_some());
    app.clock.advance(TimeDelta::minutes(3));
    let began = Instant::now();
    let path = format!("/v1/areas/{}/people", village.area);
    let (mut on_socket, calls) = (Box::pin(until_out(&mut socket, &app, &clerk, &office, began)), async {
        until_refused(&clerk, &path, "not_allowed", began).await;
    });
    tokio::join!(&mut on_socket, calls);
    drop(on_socket);
    // who held nothing is left alone
    other.listen(Duration::from_millis(300)).await;
    assert_eq!(other.closed, None);
    app.stop().await;
}

/// The bell is lost: the log says it nevertheless.
#[tokio::test(flavor = "multi_thread")]
async fn a_seat_that_ended_elsewhere_without_a_bell_ends_the_socket() {
    let (app, village) = Village::start().await;
    let office = office(&app, &village).await;
    let clerk = village.clerk.clone();
    let mut socket = Socket::connect(&app, &clerk.token(), json!({})).await;
    // another process on the same database, whose bells do not reach this one
    let mut config = app.app.config.as_ref().clone();
    config.redis_url = String::new();
    let (other, _rung) = server::open(config, app.clock.clone(), false).await.unwrap();
    let began = Instant::now();
    let (person, body) = (clerk.person, village.committee);
    let seats = village.town.get(&format!("/v1/areas/{}/bodies", village.area)).await.ok();
    let seat = seat_of(&seats, &body.to_string(), &person.to_string());
    let ending = other.store.write(move |tx| {
        Box::pin(liusheng::bodies::end_seat(tx, liusheng::bodies::By::Operator, seat.parse().unwrap()))
    });
    ending.await.unwrap();
    until_out(&mut socket, &app, &clerk, &office, began).await;
    until_refused(&clerk, &format!("/v1/areas/{}/people", village.area), "not_allowed", began).await;
    app.stop().await;
}

/// A clerk who listens to the office at another server on the same database, which hears no bell and reads over a net of
/// its own.
struct Elsewhere {
    app: TestApp,
    village: Village,
    net: Chaos,
    second: Server,
    clerk: Somebody,
    office: String,
    socket: Socket,
}

impl Elsewhere {
    async fn set() -> Self {
        // connections are lost here: as many as a server has
        let readers = Config::defaults().unwrap().database_readers;
        let (app, village) = Village::start_with(monday(), |config| config.database_readers = readers).await;
        let office = office(&app, &village).await;
        let (net, second) = app.behind_a_net(Role::Api).await;
        let clerk = village.clerk.clone();
        let mut socket = Socket::connect_to(second.address, &clerk.token(), json!({})).await;
        assert!(socket.connected["subs"].get(format!("s:{office}")).is_some());
        // that server has looked at the log: it does every second
        socket.listen(Duration::from_secs(2)).await;
        Self { app, village, net, second, clerk, office, socket }
    }

    async fn end_seat(&self) {
        self.village.end_seat_of(&self.app, self.clerk.person).await;
    }

    /// Whoever reads this table waits until it is given back.
    async fn held(&self, table: &str) -> (Raw, DatabaseTransaction) {
        let raw = Raw::open(self.app.folder.path()).await;
        let held = raw.held(table).await;
        (raw, held)
    }

    /// What waits for a table that is held is never answered there.
    async fn swallow(&mut self, (raw, held): (Raw, DatabaseTransaction)) {
        self.socket.listen(Duration::from_millis(1400)).await;
        self.net.set(Harm::Forget);
        self.socket.listen(Duration::from_millis(200)).await;
        held.rollback().await.unwrap();
        raw.close().await;
        self.net.set(Harm::None);
    }

    /// Whoever comes back gets in, and not into the office.
    async fn is_out(&self) {
        let back = Socket::connect_to(self.second.address, &self.clerk.token(), json!({})).await;
        let subs = &back.connected["subs"];
        assert!(subs.is_object() && subs.get(format!("s:{}", self.office)).is_none(), "{subs}");
    }

    async fn stop(self) {
        // what waits for an answer that was swallowed waits no more
        self.net.set(Harm::Cut);
        self.second.stop().await;
        self.app.stop().await;
    }
}

/// A server that could read nothing while a seat ended, and heard no bell, looks at what it missed as soon as it can.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_seat_that_ended_while_nothing_could_be_read_ends_the_socket_afterwards() {
    if !is_postgres("ends: a server that lost its database for a while") {
        return;
    }
    let mut there = Elsewhere::set().await;
    there.net.set(Harm::Cut);
    there.end_seat().await;
    there.socket.listen(Duration::from_secs(3)).await;
    assert_eq!(there.socket.closed, None, "it cannot know yet, and sends nobody away who may be good");
    there.net.set(Harm::None);
    // a database is found again within ten seconds
    let closed = tokio::time::timeout(Duration::from_secs(10) + WITHIN, there.socket.until_closed()).await;
    assert_eq!(closed.expect("what could not be read is read afterwards"), 3011);
    there.is_out().await;
    there.stop().await;
}

/// The network swallows an answer and tells nobody: the server that waits for it does not wait for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_seat_that_ended_while_an_answer_was_swallowed_ends_the_socket_afterwards() {
    if !is_postgres("ends: a network that swallows an answer of the database") {
        return;
    }
    let mut there = Elsewhere::set().await;
    // where the log ends is asked every second: the question of this second waits for its answer when the net forgets it
    let log = there.held("chain_heads").await;
    there.swallow(log).await;
    there.end_seat().await;
    // ten seconds for the answer, and three for each other connection of the time before
    there.socket.listen(Duration::from_secs(60)).await;
    assert_eq!(there.socket.closed, Some(3011), "an answer that never comes is waited for");
    there.is_out().await;
    there.stop().await;
}

/// The same when every connection to the database waits for an answer: what was given up is given back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_seat_that_ended_while_all_answers_were_swallowed_ends_the_socket_afterwards() {
    if !is_postgres("ends: a network that swallows all answers of the database") {
        return;
    }
    let mut there = Elsewhere::set().await;
    let entries = there.held("entries").await;
    let (http, token) = (reqwest::Client::new(), there.clerk.token());
    let path = format!("http://{}/v1/streams/{}/entries", there.second.address, there.office);
    let ask = || {
        let (asking, began) = (http.get(&path).bearer_auth(&token).send(), Instant::now());
        async move { (asking.await.unwrap().status().as_u16(), began.elapsed()) }
    };
    // three times as many as a server has connections
    let asked: Vec<_> = (0..24).map(|_| tokio::spawn(ask())).collect();
    there.swallow(entries).await;
    there.end_seat().await;
    // fifteen seconds for an answer, twelve until the connection is given up
    there.socket.listen(Duration::from_secs(60)).await;
    assert_eq!(there.socket.closed, Some(3011), "what was given up is never given back");
    let answers = tokio::time::timeout(Duration::from_secs(40), join_all(asked)).await.expect("no call hangs");
    // who only found no connection was told so after three seconds
    let too_late = answers.into_iter().map(Result::unwrap).filter(|(_, took)| *took > Duration::from_secs(10));
    let too_late: Vec<u16> = too_late.map(|(status, _)| status).collect();
    assert!(too_late.contains(&503), "nobody waited for what was swallowed: {too_late:?}");
    there.stop().await;
}

/// The log was read, and then who it was about could not be: that is tried again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_seat_that_could_not_be_looked_up_is_looked_up_again() {
    if !is_postgres("ends: a table that is held while seats are looked up") {
        return;
    }
    let mut there = Elsewhere::set().await;
    // it hears of the end when nobody can read what seats there are: readers wait two seconds for a table
    there.net.set(Harm::Silence);
    there.end_seat().await;
    let (raw, seats) = there.held("seats").await;
    there.net.set(Harm::None);
    there.socket.listen(Duration::from_millis(4500)).await;
    assert_eq!(there.socket.closed, None, "it cannot know yet, and sends nobody away who may be good");
    seats.rollback().await.unwrap();
    raw.close().await;
    there.socket.listen(WITHIN).await;
    assert_eq!(there.socket.closed, Some(3011), "a look that failed is not repeated");
    there.stop().await;
}

fn seat_of(bodies: &Value, body: &str, person: &str) -> String {
    let body = bodies["items"].as_array().unwrap().iter().find(|one| one["id"] == body).unwrap();
    let seat = body["seats"].as_array().unwrap().iter().find(|one| one["person_id"] == person).unwrap();
    seat["id"].as_str().unwrap().to_owned()
}

/// Whoever is no longer on the roster is out at once, with every socket.
#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_the_roster_is_out() {
    let (app, village) = Village::start().await;
    let villager = village.villager(&app, "00010").await;
    let mut socket = Socket::connect(&app, &villager.token(), json!({})).await;
    assert!(socket.connected.is_object());
    let without: String =
        ROSTER.lines().filter(|line| !line.starts_with("00010,")).map(|line| format!("{line}\n")).collect();
    // the next of the household stands at its head
    let without = without.replace(
        "邱小妹,女,1976-01-05,330599197601051020,19500000011,配偶",
        "邱小妹,女,1976-01-05,330599197601051020,19500000011,户主",
    );
    let began = Instant::now();
    import(&app.app, without).await;
    let code = tokio::time::timeout(WITHIN, socket.until_closed()).await.expect("closed in time");
    assert_eq!(code, 3500, "does not come back");
    until_refused(&villager, "/v1/me", "session_ended", began).await;
    let back = Socket::connect(&app, &villager.token(), json!({})).await;
    assert_eq!(back.refused["code"], 101);
    app.stop().await;
}

/// A role goes and another seat in the same body stays: what the role opened is closed again.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_goes_takes_what_it_opened() {
    let (app, village) = Village::start().await;
    let clerk = village.clerk.clone();
    let second = json!({ "person_id": clerk.person, "role": "grid_worker" });
    village.town.post(&format!("/v1/bodies/{}/seats", village.committee), second).await.ok();
    let author = village.villager(&app, "00010").await;
    let voice = json!({ "kind": "help", "visibility": "handlers", "text": "请看" });
    let voice = author.post("/v1/suggestions", voice).await.ok()["id"].as_str().unwrap().to_owned();
    let opened = clerk.get(&format!("/v1/suggestions/{voice}")).await.ok();
    let thread = opened["stream_id"].as_str().unwrap().to_owned();
    clerk.get(&format!("/v1/streams/{thread}/entries")).await.ok();
    village.end_seat_of(&app, clerk.person).await;
    let began = Instant::now();
    until_refused(&clerk, &format!("/v1/streams/{thread}/entries"), "not_found", began).await;
    until_refused(&clerk, &format!("/v1/suggestions/{voice}"), "not_found", began).await;
    let say = json!({ "client_id": Uuid::now_v7(), "text": "还在" });
    assert_eq!(clerk.post(&format!("/v1/streams/{thread}/messages"), say).await.refused(), "not_found");
    app.stop().await;
}

/// A call over a socket asks anew who calls: the seat went, and the close has not come yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_over_an_open_socket_is_refused_after_the_log_in_ended() {
    let (app, village) = Village::start().await;
    let villager = village.villager(&app, "00010").await;
    let mut socket = Socket::connect(&app, &villager.token(), json!({})).await;
    villager.post("/v1/logout", json!(null)).await;
    // either the close was faster, or the call is refused
    let answer = socket.rpc("sync", json!({})).await;
    assert!(answer["rpc"].is_null(), "{answer}");
    app.stop().await;
}

/// The same on another server of the same database; its bells come through Redis.
#[tokio::test(flavor = "multi_thread")]
async fn a_seat_that_ends_ends_the_socket_at_another_server() {
    let Some(_) = redis_url("rights that end at another server") else { return };
    let (app, village) = Village::start().await;
    let office = office(&app, &village).await;
    let config = app.app.config.as_ref().clone();
    let (other, rung) = server::open(config, app.clock.clone(), false).await.unwrap();
    let second = server::start(other, rung, Role::Api).await.unwrap();
    let clerk = village.clerk.clone();
    let mut socket = Socket::connect_to(second.address, &clerk.token(), json!({})).await;
    assert!(socket.connected["subs"].get(format!("s:{office}")).is_some());
    let began = Instant::now();
    village.end_seat_of(&app, clerk.person).await;
    until_out(&mut socket, &app, &clerk, &office, began).await;
    let there = Socket::connect_to(second.address, &clerk.token(), json!({})).await;
    assert!(there.connected["subs"].get(format!("s:{office}")).is_none());
    second.stop().await;
    // a bell of that kind is known to the broker
    app.app.broker.ring(&[Bell::RightsChanged { person: clerk.person }]).await.unwrap();
    app.stop().await;
}
