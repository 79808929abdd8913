//! Redis wiped every two seconds under load: doorbells and queue forget, and nothing is lost or told twice.
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, extract::State, http::HeaderMap, routing::post};
use liusheng::{events, gateways::webhook, ids::StreamId, streams};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::support::{OwnRedis, Socket, Somebody, TestApp, Village, is_full_run, monday, redis_url};

const WEBHOOKS: usize = 2;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn time() -> Duration {
    Duration::from_secs(if is_full_run() { 30 } else { 12 })
}

/// What came to the receivers: by address and `webhook-id`, how often.
#[derive(Clone, Default)]
struct Received(Arc<Mutex<BTreeMap<(String, String), usize>>>);

async fn receive(
    State(received): State<Received>,
    uri: axum::http::Uri,
    headers: HeaderMap,
    body: String,
) -> &'static str {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let id = header("webhook-id");
    let wanted = webhook::sign(SECRET, &id, &header("webhook-timestamp"), &body);
    assert!(header("webhook-signature").split(' ').any(|one| one == wanted), "a signature that does not fit");
    *received.0.lock().unwrap().entry((uri.path().to_owned(), id)).or_default() += 1;
    "ok"
}

async fn receiver(received: &Received) -> SocketAddr {
    let router = Router::new().route("/{name}", post(receive)).with_state(received.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// The newest place in each channel, once nobody speaks any more.
type Ends = Arc<Mutex<Option<BTreeMap<String, i64>>>>;

/// A phone that listens, and comes back where it was when it is sent away.
struct Phone {
    who: Somebody,
    discussion: StreamId,
    heard: BTreeMap<String, Vec<i64>>,
    came_back: usize,
}

impl Phone {
    /// Listens until it has heard everything up to `ends`, once that is known, or for 15 seconds more.
    async fn listen(mut self, address: SocketAddr, ends: Ends) -> Self {
        let mut epochs: BTreeMap<String, String> = BTreeMap::new();
        let mut known_since = None;
        loop {
            let mut socket = self.connect(address, &mut epochs).await;
            while socket.closed.is_none() {
                socket.listen(Duration::from_millis(100)).await;
                let Some(ends) = ends.lock().unwrap().clone() else { continue };
                let since = *known_since.get_or_insert_with(Instant::now);
                let place =
                    |channel: &str| socket.offsets(channel).last().copied().unwrap_or_else(|| self.place(channel));
                let has_all = ends.iter().all(|(channel, seq)| place(channel) >= *seq);
                if has_all || since.elapsed() > Duration::from_secs(15) {
                    self.keep(&socket);
                    return self;
                }
            }
            self.keep(&socket);
            self.came_back += 1;
        }
    }

    fn place(&self, channel: &str) -> i64 {
        self.heard.get(channel).and_then(|heard| heard.last()).copied().unwrap_or(0)
    }

    /// Connects and goes on where it was in every channel it has heard of.
    async fn connect(&self, address: SocketAddr, epochs: &mut BTreeMap<String, String>) -> Socket {
        let at = |channel: &str| match epochs.get(channel) {
            Some(epoch) => json!({ "recover": true, "epoch": epoch, "offset": self.place(channel) }),
            None => json!({}),
        };
        let discussion = format!("s:{}", self.discussion);
        let others = epochs.keys().filter(|channel| **channel != discussion);
        let subs: serde_json::Map<String, Value> = others.map(|channel| (channel.clone(), at(channel))).collect();
        let position = at(&discussion);
        let mut socket = Socket::connect_to(address, &self.who.token(), Value::Object(subs)).await;
        let mut subscribed = socket.connected["subs"].as_object().cloned().unwrap_or_default();
        let joined = socket.subscribe(&discussion, position).await;
        subscribed.insert(discussion, joined["subscribe"].clone());
        for (channel, sub) in subscribed {
            epochs.insert(channel, sub["epoch"].as_str().unwrap_or_default().to_owned());
        }
        socket
    }

    fn keep(&mut self, socket: &Socket) {
        for channel in socket.entries.keys() {
            self.heard.entry(channel.clone()).or_default().extend(socket.offsets(channel));
        }
    }
}

/// Somebody who speaks until it is over.
fn speak(who: Somebody, stream: StreamId, is_over: Arc<AtomicBool>) -> JoinHandle<usize> {
    tokio::spawn(async move {
        let mut count = 0;
        while !is_over.load(Ordering::SeqCst) {
            let message = json!({ "client_id": Uuid::now_v7(), "text": format!("第{count}句") });
            who.post(&format!("/v1/streams/{stream}/messages"), message).await.ok();
            count += 1;
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        count
    })
}

fn publish(clerk: Somebody, area: String, is_over: Arc<AtomicBool>) -> JoinHandle<usize> {
    tokio::spawn(async move {
        let mut count = 0;
        while !is_over.load(Ordering::SeqCst) {
            let notice =
                json!({ "area_code": area, "title": format!("公示{count}"), "text": "全文。", "period_days": 7 });
            clerk.post_once("/v1/notices", &Uuid::now_v7().to_string(), notice).await.ok();
            count += 1;
            tokio::time::sleep(Duration::from_millis(120)).await;
        }
        count
    })
}

/// Wipes every two seconds, and every other time cuts off whoever listens.
fn wipe(url: String, is_over: Arc<AtomicBool>) -> JoinHandle<usize> {
    tokio::spawn(async move {
        let mut redis = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
        let mut count = 0;
        while !is_over.load(Ordering::SeqCst) {
            let _: () = redis::cmd("FLUSHALL").query_async(&mut redis).await.unwrap();
            if count % 2 == 1 {
                let _: i64 =
                    redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("pubsub").query_async(&mut redis).await.unwrap();
            }
            count += 1;
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        count
    })
}

/// A village on a Redis of its own, with two webhooks.
async fn set_up(redis: &OwnRedis, received: &Received) -> (TestApp, Village) {
    let url = redis.url.clone();
    let app = TestApp::start_with(monday(), move |config| config.redis_url = url).await;
    let village = Village::found(&app).await;
    let address = receiver(received).await;
    for name in 0..WEBHOOKS {
        let webhook = json!({ "url": format!("http://{address}/{name}"), "secret": SECRET });
        village.chair.post(&format!("/v1/areas/{}/webhooks", village.area), webhook).await.ok();
    }
    (app, village)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i9_a_wiped_redis_loses_and_doubles_nothing() {
    let Some(_) = redis_url("redis_wipe: FLUSHALL under load") else { return };
    let Some(redis) = OwnRedis::start() else { return };
    let received = Received::default();
    let (app, village) = set_up(&redis, &received).await;
    let area = village.area.clone();
    let channel = app
        .app
        .store
        .write(move |tx| Box::pin(async move { streams::commands::channel(tx, &area).await }))
        .await
        .unwrap();
    let matter = json!({ "area_code": village.area, "title": "修桥", "summary": "村口的桥要修一修。" });
    let matter = village.chair.post("/v1/matters", matter).await.ok();
    let discussion = village.discussion(&app, matter["id"].as_str().unwrap()).await;
    app.settle().await;

    let (is_over, ends) = (Arc::new(AtomicBool::new(false)), Ends::default());
    let mut phones = Vec::new();
    for number in ["00002", "00003", "00005", "00006", "00008", "00009"] {
        let who = village.villager(&app, number).await;
        // what was there before it has read
        let heard =
            heads(&app, &[channel, discussion]).await.into_iter().map(|(channel, seq)| (channel, (1..=seq).collect()));
        let phone = Phone { who, discussion, heard: heard.collect(), came_back: 0 };
        phones.push(tokio::spawn(phone.listen(app.address, Arc::clone(&ends))));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let speakers = [
        (&village.chair, channel),
        (&village.clerk, channel),
        (&village.council_chair, discussion),
        (&village.secretary, discussion),
    ];
    let speaking = speakers.map(|(who, stream)| speak(who.clone(), stream, Arc::clone(&is_over)));
    let publishing = publish(village.clerk.clone(), village.area.clone(), Arc::clone(&is_over));
    let wiping = wipe(redis.url.clone(), Arc::clone(&is_over));
    tokio::time::sleep(time()).await;
    is_over.store(true, Ordering::SeqCst);

    let wiped = wiping.await.unwrap();
    let published = publishing.await.unwrap();
    let mut said = 0;
    for one in speaking {
        said += one.await.unwrap();
    }
    app.settle().await;
    let newest = heads(&app, &[channel, discussion]).await;
    *ends.lock().unwrap() = Some(newest.clone());
    let mut came_back = 0;
    for phone in phones {
        let phone = phone.await.unwrap();
        came_back += phone.came_back;
        for (channel, seq) in &newest {
            let heard = &phone.heard[channel];
            let wrong = heard.iter().zip(1..).find(|(heard, wanted)| *heard != wanted);
            assert_eq!((wrong, heard.last()), (None, Some(seq)), "each entry once, in order: {} of {seq}", heard.len());
        }
    }
    // the first stage of the matter was told, too
    let delivered = all_delivered(&app, &received, (published + 1) * WEBHOOKS).await;
    println!(
        "{wiped} wipes, {said} messages, {published} notices, {delivered} deliveries, phones came back {came_back} times"
    );
    assert!(wiped >= 5 && said > 100 && published > 20);
    let backlog = events::backlog(&app.app.store, app.app.now()).await.unwrap();
    assert_eq!((backlog.unsequenced, backlog.behind, backlog.dead_letters), (0, 0, 0));
    app.stop().await;
}

async fn heads(app: &TestApp, ids: &[StreamId]) -> BTreeMap<String, i64> {
    let heads = streams::queries::heads(app.app.store.read(), ids.to_vec()).await.unwrap();
    heads.into_iter().map(|(id, (seq, _))| (format!("s:{id}"), seq)).collect()
}

/// Every delivery was sent, each by one try, and came in once; a lost job costs a sweep.
async fn all_delivered(app: &TestApp, received: &Received, wanted: usize) -> usize {
    let began = Instant::now();
    while received.0.lock().unwrap().len() < wanted && began.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // what would come twice has had time to
    tokio::time::sleep(Duration::from_secs(4)).await;
    let rows =
        all(app, "SELECT id, state, (SELECT count(*) FROM attempts a WHERE a.delivery_id = d.id) FROM deliveries d")
            .await;
    assert_eq!(rows.len(), wanted, "one delivery for each event and address");
    let wrong: Vec<_> = rows.iter().filter(|(_, state, tries)| state != "sent" || *tries != 1).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let came = received.0.lock().unwrap().clone();
    let twice: Vec<_> = came.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let ids: BTreeSet<String> = rows.into_iter().map(|(id, ..)| id).collect();
    let came: BTreeSet<String> = came.into_keys().map(|(_, id)| id.replace('-', "")).collect();
    assert_eq!(came, ids, "what came is what was planned");
    ids.len()
}

async fn all(app: &TestApp, select: &str) -> Vec<(String, String, i64)> {
    let read = app.app.store.read();
    let rows = read.query_all_raw(Statement::from_string(read.get_database_backend(), select)).await.unwrap();
    let row = |row: &sea_orm::QueryResult| {
        (
            row.try_get_by_index::<Uuid>(0).unwrap().simple().to_string(),
            row.try_get_by_index(1).unwrap(),
            row.try_get_by_index(2).unwrap(),
        )
    };
    rows.iter().map(row).collect()
}

/// Redis is away altogether: everything goes on, more slowly, and nothing has to be started again when it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i9_without_redis_everything_goes_on() {
    let Some(_) = redis_url("redis_wipe: Redis away under load") else { return };
    let Some(mut redis) = OwnRedis::start() else { return };
    let received = Received::default();
    let (app, village) = set_up(&redis, &received).await;
    let area = village.area.clone();
    let channel = app
        .app
        .store
        .write(move |tx| Box::pin(async move { streams::commands::channel(tx, &area).await }))
        .await
        .unwrap();
    let villager = village.villager(&app, "00007").await;
    let mut socket = Socket::connect(&app, &villager.token(), json!({})).await;
    redis.kill();
    let ready = app.get("/readyz").await;
    assert_eq!((ready.status, &ready.body["status"]), (200, &json!("degraded")), "{}", ready.body);

    let message = json!({ "client_id": Uuid::now_v7(), "text": "没有钟也听得到" });
    village.clerk.post(&format!("/v1/streams/{channel}/messages"), message).await.ok();
    let notice = json!({ "area_code": village.area, "title": "公示", "text": "全文。", "period_days": 7 });
    village.clerk.post("/v1/notices", notice.clone()).await.ok();
    socket.until("message without a bell", |data| data["body"]["text"] == "没有钟也听得到").await;
    all_delivered(&app, &received, WEBHOOKS).await;

    // the phone's own new thread: nobody could ring that it belongs to it now
    let voice = json!({ "kind": "suggestion", "visibility": "public", "text": "桥头的路灯坏了", "place": "桥头" });
    let voice = villager.post("/v1/suggestions", voice).await.ok();
    let link = json!(format!("/suggestions/{}", voice["id"].as_str().unwrap()));
    redis.revive();
    village.clerk.post("/v1/notices", notice).await.ok();
    all_delivered(&app, &received, 2 * WEBHOOKS).await;
    assert_eq!(app.get("/readyz").await.body["parts"]["broker"]["ok"], true);
    // a ping is 25 seconds away at most
    socket.until_in(Duration::from_secs(32), "card of the new thread", |data| data["body"]["link"] == link).await;
    app.stop().await;
}
