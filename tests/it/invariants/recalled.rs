//! I5: what was taken back is in no answer, no row, no line of the log and never was in Redis.
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use liusheng::clock::Clock;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    kill::SETTINGS,
    simulation::{
        device::{Device, Rules},
        fetch,
    },
    support::{Process, Raw, Socket, Somebody, TestApp, Village, cookie_of, free_port, run},
};

const CANARIES: [&str; 3] = ["金丝雀说了气话", "金丝雀骂了人", "金丝雀的杨梅"];

/// Every command that Redis is given, from now on until it is closed.
struct Monitor {
    line: TcpStream,
    heard: JoinHandle<Vec<u8>>,
}

impl Monitor {
    /// `None` without a Redis.
    fn of(url: Option<&str>) -> Option<Self> {
        let authority = url?.trim_start_matches("redis://").split('/').next()?.to_owned();
        let mut line = TcpStream::connect(authority).unwrap();
        line.write_all(b"MONITOR\r\n").unwrap();
        let mut reading = line.try_clone().unwrap();
        let heard = std::thread::spawn(move || {
            let mut heard = Vec::new();
            reading.read_to_end(&mut heard).ok();
            heard
        });
        Some(Self { line, heard })
    }

    /// Bytes that are no plain letters are told as `\xe9`.
    fn close(self) -> String {
        self.line.shutdown(std::net::Shutdown::Both).unwrap();
        String::from_utf8_lossy(&self.heard.join().unwrap()).into_owned()
    }
}

/// The words as they may stand in text: plain, escaped in JSON, escaped by Redis; neither escapes plain letters.
fn guises(words: &str) -> [String; 3] {
    let escaped = |escape: fn(char) -> String| -> String {
        words.chars().map(|one| if one.is_ascii() { one.to_string() } else { escape(one) }).collect()
    };
    let json = escaped(|one| one.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect());
    let bytes = escaped(|one| one.to_string().bytes().map(|byte| format!("\\x{byte:02x}")).collect());
    [words.to_owned(), json, bytes]
}

pub(super) fn holds(text: &str, words: &str) -> bool {
    guises(words).iter().any(|guise| text.contains(guise))
}

/// Everything of both databases, row by row, as a backup writes it.
pub(super) fn rows(data_dir: &Path) -> Vec<(String, String)> {
    let outside = tempfile::tempdir().unwrap();
    let copy = outside.path().join("copy");
    let made = run(data_dir, &["backup", copy.to_str().unwrap()], &[]);
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
    let files = std::fs::read_dir(copy.join("rows")).unwrap().map(|file| file.unwrap().path());
    files.map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap())).collect()
}

/// The index of words holds two characters at a time, so it is asked for two that nobody else says.
async fn indexed(data_dir: &Path) -> i64 {
    let raw = Raw::open(data_dir).await;
    let count = raw.one("SELECT count(*) FROM grams WHERE gram = '金丝'").await;
    raw.close().await;
    count
}

struct Talk {
    stream: String,
    chair: Somebody,
    ann: Somebody,
    bob: Somebody,
    /// Of Bob, for pages.
    cookie: String,
    said: Vec<i64>,
}

impl Talk {
    fn path(&self, rest: &str) -> String {
        format!("/v1/streams/{}/{rest}", self.stream)
    }

    /// Says it all: quoted, addressed, pinned, the newest line of the list, twice.
    async fn say(&mut self) {
        for words in CANARIES {
            let message = json!({ "client_id": Uuid::now_v7(), "text": words, "mentions": [self.bob.person] });
            let path = self.path("messages");
            let sent = self.ann.post(&path, message.clone()).await.ok();
            assert_eq!(self.ann.post(&path, message).await.ok()["dup"], true);
            let seq = sent["seq"].as_i64().unwrap();
            if words != CANARIES[2] {
                let reply = json!({ "client_id": Uuid::now_v7(), "text": "您说什么？", "reply_to": seq });
                self.bob.post(&path, reply).await.ok();
            }
            let pin = self.path(&format!("messages/{seq}/pin"));
            self.chair.post(&pin, json!({ "is_pinned": true })).await.ok();
            self.said.push(seq);
        }
    }

    /// Everything that can be asked about it.
    async fn answers(&self) -> Vec<(String, String)> {
        let mut paths = vec!["/v1/sync".to_owned(), self.path("entries"), self.path("members")];
        paths.extend(self.said.iter().map(|seq| self.path(&format!("messages/{seq}/receipts"))));
        paths.push("/metrics".to_owned());
        let mut answers = Vec::new();
        for who in [&self.chair, &self.ann, &self.bob] {
            for path in &paths {
                let (_, bytes) = who.download(path).await;
                answers.push((path.clone(), String::from_utf8_lossy(&bytes).into_owned()));
            }
            let have = json!({ "have": { self.stream.as_str(): { "epoch": "", "seq": 0 } } });
            answers.push(("sync".to_owned(), who.post("/v1/sync", have).await.ok().to_string()));
        }
        for page in ["/".to_owned(), format!("/streams/{}", self.stream)] {
            let asked = reqwest::Client::new()
                .get(format!("http://{}{page}", self.bob.address()))
                .header("cookie", &self.cookie);
            answers.push((page, asked.send().await.unwrap().text().await.unwrap()));
        }
        answers
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i5_what_was_taken_back_is_nowhere() {
    let app = TestApp::start_at(Clock::system().now() - TimeDelta::minutes(1)).await;
    let village = Village::found(&app).await;
    let (ann, bob) = (village.villager(&app, "00007").await, village.villager(&app, "00011").await);
    let group = json!({ "body_id": village.committee, "title": "修桥小组", "people": [ann.person, bob.person] });
    let stream = village.chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
    let chair = village.chair.clone();
    let cookie = format!("ls_session={}", cookie_of(&app.app, bob.person).await);
    let house = app.close().await;
    // the real program, whose whole log can be read
    let outside = tempfile::tempdir().unwrap();
    let log = outside.path().join("server.log");
    let port = free_port();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let redis = crate::support::any_redis_url();
    let mut settings = SETTINGS.to_vec();
    settings.retain(|(key, _)| *key != "LIUSHENG_LOG_LEVEL");
    settings.push(("LIUSHENG_LOG_LEVEL", "debug"));
    settings.extend(redis.as_deref().map(|url| ("LIUSHENG_REDIS_URL", url)));
    let server = Process::serve(house.path(), port, &settings, &log).await;
    let monitor = Monitor::of(redis.as_deref());
    let [chair, ann, bob] = [chair, ann, bob].map(|who| who.at(address));
    let mut talk = Talk { stream, chair, ann, bob, cookie, said: Vec::new() };
    let mut socket = Socket::connect_to(address, &talk.bob.token(), json!({})).await;
    let mut device = Device::default();
    talk.say().await;
    fetch(&mut device, Rules::ALL, &talk.bob, &talk.stream).await;

    // all of it is there, so that not finding it means something
    let shown =
        |answers: &[(String, String)], words: &str| answers.iter().filter(|(_, text)| holds(text, words)).count();
    let before = (talk.answers().await, rows(house.path()));
    for words in CANARIES {
        assert!(shown(&before.0, words) > 3 && shown(&before.1, words) > 0, "{words}");
    }
    assert!(
        before.0.iter().any(|(path, text)| path == "/" && holds(text, CANARIES[2])),
        "the home page shows the newest"
    );
    // words are taken in after a while
    let began = Instant::now();
    while indexed(house.path()).await < 3 {
        assert!(began.elapsed() < Duration::from_secs(10), "the words are not found");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let mut newest = 0;
    for (number, seq) in talk.said.iter().enumerate() {
        let (by, reason) = if number == 1 { (&talk.chair, "辱骂他人") } else { (&talk.ann, "") };
        let recall = talk.path(&format!("messages/{seq}/recall"));
        newest = by.post(&recall, json!({ "reason": reason })).await.ok()["seq"].as_i64().unwrap();
        by.post(&recall, json!({ "reason": reason })).await.ok();
    }
    let channel = format!("s:{}", talk.stream);
    socket.until_offset(&channel, newest).await;
    fetch(&mut device, Rules::ALL, &talk.bob, &talk.stream).await;

    let mut after = talk.answers().await;
    after.extend(rows(house.path()));
    after.push(("device".to_owned(), device.entries.values().map(Value::to_string).collect()));
    // whoever comes back from the very beginning
    let from = json!({ &channel: { "recover": true, "epoch": device.epoch, "offset": 0 } });
    let back = Socket::connect_to(address, &talk.bob.token(), from).await;
    after.push(("recovery".to_owned(), json!(back.entries).to_string()));
    assert_eq!(back.offsets(&channel), (1..=newest).collect::<Vec<_>>());
    tokio::time::sleep(Duration::from_millis(200)).await;
    let said = server.said();
    assert!(said.contains(&talk.stream) || said.contains("messages"), "the log was not heard");
    after.push(("log".to_owned(), said));
    if let Some(monitor) = monitor {
        let heard = monitor.close();
        assert!(heard.contains(&talk.stream), "nobody rang");
        after.push(("redis".to_owned(), heard));
    }
    assert_eq!(indexed(house.path()).await, 0, "the index of words holds what was taken back");
    println!("{} places searched", after.len());
    for (name, text) in &after {
        for words in CANARIES {
            assert!(!holds(text, words), "{name} holds {words}");
        }
    }
    assert_eq!(server.terminate().code(), Some(0));
}

#[tokio::test]
async fn i5_what_was_taken_back_lies_in_no_file_of_ours() {
    let app = TestApp::start().await;
    if !app.folder.is_sqlite() {
        // a server of its own recycles its log by itself: see deploy/LIMITS.md
        return app.stop().await;
    }
    let village = Village::found(&app).await;
    let ann = village.villager(&app, "00007").await;
    let group = json!({ "body_id": village.committee, "title": "修桥小组", "people": [ann.person] });
    let stream = village.chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
    let messages = format!("/v1/streams/{stream}/messages");
    let message = json!({ "client_id": Uuid::now_v7(), "text": CANARIES[0] });
    let seq = ann.post(&messages, message).await.ok()["seq"].as_i64().unwrap();
    let is_there = || {
        let file = |name: &str| std::fs::read(app.folder.path().join(name)).unwrap_or_default();
        // the log first: what goes from it into the file meanwhile is found there
        let bytes = [file("liusheng.db-wal"), file("liusheng.db")].concat();
        bytes.windows(CANARIES[0].len()).any(|window| window == CANARIES[0].as_bytes())
    };
    assert!(is_there());
    ann.post(&format!("{messages}/{seq}/recall"), json!({ "reason": "" })).await.ok();
    // every minute
    app.app.store.empty_log().await.unwrap();
    assert!(!is_there());
    app.stop().await;
}
