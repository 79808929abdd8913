//! Canaries: a phone, an identity number, private words and a clip are nowhere to be found by who has the disk.
use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use chrono::TimeDelta;
use liusheng::backup;
use ring::agreement::{ECDH_P256, EphemeralPrivateKey};
use serde_json::{Value, json};
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt, reload};

use crate::support::{Raw, Somebody, TestApp, Village, import};

/// Of 费海荣 in `roster_small.csv`.
const PHONE: &str = "19500000007";
/// Somebody's identity number there.
const ID: &str = "330599197012161037";
/// Claimed in the test; on no roster.
const CLAIMED: &str = "19612340077";
const WORDS: &str = "金丝雀说：会计家的围墙占了路";
const PLACE: &str = "金丝雀家东头";
const SAID: &str = "金丝雀补充：昨天又砌了一段";
const ANSWERED: &str = "金丝雀您好，我们去看过了";
/// Of a mediation: what it is about, who else, what was agreed, what was found afterwards.
const MEDIATED: [&str; 4] = ["金丝雀和邻居争宅基地", "金丝雀的外村邻居", "金丝雀让出半米墙基", "金丝雀家的墙退好了"];
/// Which of many options are chosen in a secret vote that the server seals; and as they may lie about.
const CHOSEN: [&str; 3] = ["47", "53", "59"];
const CHOICES: [&str; 4] = ["47\",\"53\",\"59", "47,53,59", "47\", \"53\", \"59", "choice=47&choice=53&choice=59"];
const CLIP: &[u8] = include_bytes!("../../data/media/lamp.m4a");
const PNG: &[u8] = include_bytes!("../../data/media/clear.png");

/// The same secret as it may lie about: UTF-8, UTF-16 both ways, hex, base64 at every offset.
fn guises(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![secret.to_vec()];
    if let Ok(text) = std::str::from_utf8(secret) {
        all.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        all.push(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
        all.push(serde_json::to_string(text).unwrap().trim_matches('"').as_bytes().to_vec());
        let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        all.push(escaped.into_bytes());
    }
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    all.push(hex.to_ascii_uppercase().into_bytes());
    all.push(hex.into_bytes());
    for offset in 0..3 {
        let padded = [&vec![0; offset][..], secret].concat();
        for engine in [&STANDARD as &dyn Fn2, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.code(&padded);
            // the first group depends on what stands before, the last on what stands after
            let inner = text.trim_end_matches('=');
            let inner = &inner[if offset == 0 { 0 } else { 4 }..inner.len() - 4];
            if inner.len() >= 8 {
                all.push(inner.as_bytes().to_vec());
            }
        }
    }
    all
}

/// Any base64.
trait Fn2 {
    fn code(&self, bytes: &[u8]) -> String;
}

impl<E: Engine> Fn2 for E {
    fn code(&self, bytes: &[u8]) -> String {
        self.encode(bytes)
    }
}

fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    Wanted::of([("it".to_owned(), secret)]).held_by(bytes).is_some()
}

/// Secrets in all their guises, by the two bytes that each begins with: what is searched is gone through once.
struct Wanted(Vec<Vec<(Vec<u8>, String)>>);

impl Wanted {
    fn of<'a>(secrets: impl IntoIterator<Item = (String, &'a [u8])>) -> Self {
        let mut by_head = vec![Vec::new(); 1 << 16];
        for (name, secret) in secrets {
            for guise in guises(secret) {
                by_head[head(&guise)].push((guise, name.clone()));
            }
        }
        Self(by_head)
    }

    /// The name of one that is there.
    fn held_by(&self, bytes: &[u8]) -> Option<&str> {
        (1..bytes.len()).map(|end| &bytes[end - 1..]).find_map(|rest| {
            let here = self.0[head(rest)].iter().find(|(guise, _)| rest.starts_with(guise));
            here.map(|(_, name)| name.as_str())
        })
    }
}

fn head(bytes: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([bytes[0], bytes[1]]))
}

/// Some bytes from the middle of a file, which no header shares.
fn sample(file: &[u8]) -> &[u8] {
    &file[file.len() / 2..file.len() / 2 + 24]
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

/// A secret vote among many options, open: three keys are made, which nobody needs here.
async fn secret_vote(app: &TestApp, village: &Village) -> String {
    let matter = village.matter_to_decide(app, "选一块地").await;
    let options: Vec<String> = (1..=64).map(|n| format!("第{n}块")).collect();
    let vote = json!({ "matter_id": matter, "question": "选哪几块？", "preset": "village_assembly_person",
        "secrecy": "secret", "allows_revote": true, "options": options, "max_choices": 3,
        "closes_at": app.app.now() + TimeDelta::days(3) });
    let vote = village.chair.post("/v1/votes", vote).await.ok()["id"].as_str().unwrap().to_owned();
    let dice = ring::rand::SystemRandom::new();
    for (trustee, holder) in
        [("committee", &village.chair), ("supervision", &village.supervisor), ("town", &village.town)]
    {
        let key = EphemeralPrivateKey::generate(&ECDH_P256, &dice).unwrap();
        let public = URL_SAFE_NO_PAD.encode(key.compute_public_key().unwrap());
        let made = json!({ "trustee": trustee, "public_key": public });
        holder.post(&format!("/v1/votes/{vote}/keys"), made).await.ok();
    }
    vote
}

/// A ballot that the server seals (系统代封), by the API and by the pages, and others that are refused.
async fn sealed_by_server(app: &TestApp, village: &Village, canary: &Somebody) {
    let vote = secret_vote(app, village).await;
    let ballots = format!("/v1/votes/{vote}/ballots");
    let ballot = |choices: &[&str]| json!({ "cast_id": uuid::Uuid::new_v4(), "choices": choices });
    let receipt = canary.post_once(&ballots, "ballot", ballot(&CHOSEN)).await.ok();
    assert_eq!(receipt["sealed_by"], "server");
    let too_many = [CHOSEN.as_slice(), &["61"]].concat();
    let refused = canary.post(&ballots, ballot(&too_many)).await;
    assert!(!holds(refused.body.to_string().as_bytes(), CHOICES[0].as_bytes()), "{}", refused.body);
    assert_eq!(refused.refused(), "invalid_fields");
    assert_eq!(village.neighbour(app).await.post(&ballots, ballot(&CHOSEN)).await.refused(), "not_on_roll");
    for (form, more) in [("confirm", String::new()), ("ballots", format!("&cast_id={}", uuid::Uuid::new_v4()))] {
        let sent = canary.request(reqwest::Method::POST, &format!("/votes/{vote}/{form}"));
        let sent =
            sent.header("sec-fetch-site", "same-origin").header("content-type", "application/x-www-form-urlencoded");
        let status = sent.body(format!("{}{more}", CHOICES[3])).send().await.unwrap().status().as_u16();
        assert!([200, 303].contains(&status), "{form}: {status}");
    }
}

/// A mediation from its beginning to what was found afterwards, and a refusal on the way.
async fn mediated(app: &TestApp, village: &Village, canary: &Somebody) {
    let [about, other, agreement, found] = MEDIATED;
    let person = crate::support::person_of(&app.app, &village.area, "00010").await;
    let seat = json!({ "person_id": person, "role": "legal_officer" });
    village.town.post(&format!("/v1/bodies/{}/seats", village.committee), seat).await.ok();
    app.settle().await;
    let lawyer = Somebody::signed_in(app, person).await;
    let name = canary.get("/v1/me").await.ok()["name"].clone();
    let opened = json!({ "area_code": village.area, "about": about,
        "parties": [{ "person_id": canary.person, "name": name }, { "name": other }] });
    let id = lawyer.post_once("/v1/mediations", "mediation", opened).await.ok()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/mediations/{id}");
    let ended = |state: &str| {
        json!({ "state": state, "outcome": agreement, "agreement": agreement,
        "follow_up_on": "2026-11-03" })
    };
    assert_eq!(lawyer.post_once(&format!("{path}/end"), "a", ended("failed")).await.refused(), "invalid_fields");
    lawyer.post_once(&format!("{path}/end"), "b", ended("agreed")).await.ok();
    lawyer.post_once(&format!("{path}/follow-ups"), "c", json!({ "text": found })).await.ok();
    let read = canary.get(&path).await.ok().to_string();
    assert!(MEDIATED.iter().all(|said| read.contains(said)), "its parties read all of it: {read}");
}

/// What is kept for requests that are sent twice is sealed, whatever it says.
async fn answers_are_sealed(app: &TestApp) {
    let raw = Raw::open(app.folder.path()).await;
    let rows = raw.rows("SELECT answer FROM idempotency_keys").await;
    raw.close().await;
    let kept: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    assert!(kept.len() >= 5, "{} answers are kept", kept.len());
    for answer in kept {
        assert!(serde_json::from_str::<Value>(&answer).is_err(), "an answer is kept in clear: {answer}");
    }
}

/// Everything that is logged, as JSON lines at the level debug.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_search_finds_a_secret_in_every_guise() {
    let secret = PHONE.as_bytes();
    let engines = [STANDARD.encode([b"a", secret, b"bc"].concat()), URL_SAFE_NO_PAD.encode([b"ab", secret].concat())];
    let hex: String = secret.iter().map(|byte| format!("{byte:02X}")).collect();
    let wide: Vec<u8> = PHONE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for text in [engines[0].as_bytes(), engines[1].as_bytes(), hex.as_bytes(), &wide, secret] {
        assert!(holds(&[b"before ", text, b" after"].concat(), secret), "{}", String::from_utf8_lossy(text));
    }
    assert!(!holds(b"19500000008", secret));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_is_nowhere_in_clear() {
    let log = Log::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt::layer().json().with_writer(move || writer.clone());
    let (level, hearing) = reload::Layer::new(LevelFilter::DEBUG);
    let everything = tracing_subscriber::registry().with(level).with(lines);
    // another test of this binary may have been first; then its lines go elsewhere and this part proves nothing
    let is_logging = tracing::subscriber::set_global_default(everything).is_ok();

    let (app, village) = Village::start().await;
    let canary = Somebody::by_phone(&app, PHONE, None).await;
    let photo = canary.upload(PNG.to_vec()).await.ok();
    let clip = canary.upload(CLIP.to_vec()).await.ok();
    let voice = json!({ "kind": "complaint", "visibility": "handlers", "text": WORDS, "place": PLACE,
        "media": [photo["id"], clip["id"]] });
    let voice = canary.post_once("/v1/suggestions", "canary", voice).await.ok();
    let id = voice["id"].as_str().unwrap();
    app.settle().await;
    let thread = voice["stream_id"].as_str().unwrap();
    let message = json!({ "client_id": uuid::Uuid::now_v7(), "text": SAID });
    canary.post_once(&format!("/v1/streams/{thread}/messages"), "said", message).await.ok();
    village.clerk.get(&format!("/v1/suggestions/{id}")).await.ok();
    village.clerk.post(&format!("/v1/suggestions/{id}/accept"), json!(null)).await.ok();
    village.clerk.post_once(&format!("/v1/suggestions/{id}/answers"), "a", json!({ "text": ANSWERED })).await.ok();
    app.settle().await;
    canary.post(&format!("/v1/suggestions/{id}/rating"), json!({ "rating": 5, "text": WORDS })).await.ok();
    mediated(&app, &village, &canary).await;
    let matter = village.matter_to_decide(&app, "修路").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(3)).await;
    let ballot = json!({ "cast_id": uuid::Uuid::new_v4(), "choice": "for" });
    canary.post(&format!("/v1/votes/{vote}/ballots"), ballot).await.ok();
    sealed_by_server(&app, &village, &canary).await;
    let asked = json!({ "area_code": village.area, "name": "费海荣", "id_last_six": ID[12..], "phone": CLAIMED });
    crate::support::answer(app.http.post(app.url("/v1/claims")).json(&asked)).await.ok();
    canary.post("/v1/me/corrections", json!({ "field": "other", "wanted": WORDS })).await.ok();
    // refusals carry what was typed nowhere
    canary.post("/v1/login", json!({ "phone": PHONE, "code": "000000" })).await;
    import(&app.app, include_bytes!("../../data/roster_small.csv").to_vec()).await;
    app.settle().await;

    // all of it is there for who may read it, so that not finding it means something
    let read = canary.get(&format!("/v1/suggestions/{id}")).await.ok();
    assert_eq!((read["text"].as_str(), read["place"].as_str()), (Some(WORDS), Some(PLACE)));
    assert_eq!(read["answers"][0]["text"], ANSWERED);
    assert_eq!(canary.download(clip["url"].as_str().unwrap()).await.1, CLIP);
    let entries = canary.get(&format!("/v1/streams/{thread}/entries")).await.ok();
    assert!(entries.to_string().contains(SAID), "{entries}");
    let mine = canary.get("/v1/suggestions?scope=mine").await.ok();
    assert_eq!(mine["items"][0]["text"], WORDS);
    let again = json!({ "kind": "complaint", "visibility": "handlers", "text": WORDS, "place": PLACE,
        "media": [photo["id"], clip["id"]] });
    assert_eq!(canary.post_once("/v1/suggestions", "canary", again).await.ok()["id"], voice["id"]);

    answers_are_sealed(&app).await;
    let metrics = app.http.get(app.url("/metrics")).send().await.unwrap().text().await.unwrap();
    let seen = app.http.get(app.url(&format!("/v1/media/{}", clip["id"].as_str().unwrap()))).send().await.unwrap();
    assert_eq!(seen.status(), 401);
    let media_dir = app.app.config.media_dir();
    let mut searched: Vec<(String, Vec<u8>)> = vec![("metrics".into(), metrics.into_bytes())];
    searched.extend(redis_dump(&app.app.config.redis_url).await.into_iter().map(|bytes| ("redis".to_owned(), bytes)));
    let mut everywhere = Vec::new();
    files(app.folder.path(), &mut everywhere);
    assert!(everywhere.iter().any(|path| path.starts_with(&media_dir)));
    let has_log = everywhere.iter().any(|path| path.to_string_lossy().ends_with("-wal"));
    assert!(has_log || !app.folder.is_sqlite(), "{everywhere:?}");
    // every row of either database, and every file
    let backup = tempfile::tempdir().unwrap();
    let copied = backup.path().join("copy");
    assert!(backup::make(&app.app.config, &copied, false, &app.clock).await.is_ok_and(|made| made.is_whole));
    files(&copied, &mut everywhere);
    assert!(everywhere.iter().any(|path| path.ends_with("rows/suggestions.jsonl")));
    for path in everywhere {
        let bytes = std::fs::read(&path).unwrap();
        // the trial's own SMS file is what a provider's line would be; and it shows that the search finds what is there
        if path.ends_with("sms.txt") {
            assert!(holds(&bytes, PHONE.as_bytes()) && holds(&bytes, CLAIMED.as_bytes()));
        } else {
            searched.push((path.display().to_string(), bytes));
        }
    }
    if is_logging {
        let lines = std::mem::take(&mut *log.0.lock().unwrap());
        assert!(String::from_utf8_lossy(&lines).contains("answered"), "the log was not heard");
        searched.push(("log".into(), lines));
        // whoever comes after in this process need not write down every line
        hearing.reload(LevelFilter::OFF).unwrap();
    }
    let secrets = [PHONE, ID, CLAIMED, WORDS, PLACE, SAID, ANSWERED].map(|text| (text.to_owned(), text.as_bytes()));
    let clips = [("the clip".to_owned(), sample(CLIP)), ("the photo".to_owned(), sample(PNG))];
    let choices = CHOICES.map(|text| (format!("the choice as {text}"), text.as_bytes()));
    let mediated = MEDIATED.map(|text| (text.to_owned(), text.as_bytes()));
    let wanted = Wanted::of(secrets.iter().chain(&clips).chain(&choices).chain(&mediated).cloned());
    for (name, bytes) in &searched {
        assert_eq!(wanted.held_by(bytes), None, "what {name} holds");
    }
    app.stop().await;
}

/// Every key and value of the Redis that the server uses, if any.
async fn redis_dump(url: &str) -> Option<Vec<u8>> {
    if url.is_empty() {
        return None;
    }
    let client = redis::Client::open(url).unwrap();
    let mut line = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut line).await.unwrap();
    let mut dump = Vec::new();
    for key in keys {
        let value: Option<Vec<u8>> = redis::cmd("DUMP").arg(&key).query_async(&mut line).await.unwrap();
        dump.extend_from_slice(key.as_bytes());
        dump.extend(value.unwrap_or_default());
    }
    Some(dump)
}
