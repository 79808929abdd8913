//! The public board and the sealed ballots: secret votes from the keys to the archive, and three who check it.
mod after;
mod apart;
mod archives;
mod browser;
mod charters;
mod choices;
mod closed;
mod collective;
mod composition;
mod counters;
mod daily;
mod ends;
mod households;
mod inside;
mod mixed;
mod mobile;
mod of_group;
mod off_roster;
mod paper;
mod posts;
mod proofs;
mod proxies;
mod recalls;
mod residents;
mod restored;
mod rolls;
mod rotated;
mod secrecy;
mod selections;
mod sequencer;
mod struck;
mod turns;
mod unseen;
mod votes;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use liusheng::board::sealing::Trustee;
use serde_json::{Value, json};

use crate::support::{Somebody, TestApp, Village};

/// Whole numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn shuffled<T>(&mut self, mut items: Vec<T>) -> Vec<T> {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
        items
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Feeds lines to a script and reads as many lines back.
fn piped(mut command: Command, lines: &[Value]) -> Vec<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let writing = std::thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    assert!(output.status.success());
    let told: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(told.len(), lines.len());
    told
}

/// What the browser's scripts say.
fn by_browser(what: &str, lines: &[Value]) -> Vec<String> {
    let mut command = Command::new("node");
    command.arg(root().join("tests/verify/batch.mjs")).arg(root().join("web/assets")).arg(what);
    piped(command, lines)
}

/// What the independent script says.
fn by_python(lines: &[Value]) -> Vec<String> {
    let mut command = Command::new("python3");
    command.arg(root().join("tests/verify/batch.py")).arg(root().join("deploy/verify/verify_vote.py"));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    piped(command, lines)
}

/// A trustee's key pair, made by the browser's script: public and private.
fn key_pairs(count: usize) -> Vec<(String, String)> {
    let made = by_browser("key", &vec![Value::Null; count]);
    let read = |line: &String| {
        let pair: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| pair[name].as_str().unwrap().to_owned();
        (text("publicKey"), text("privateKey"))
    };
    made.iter().map(read).collect()
}

/// A secret vote with the keys of its three trustees.
struct Sealed {
    id: String,
    /// Private, in the order of the trustees.
    keys: Vec<String>,
}

impl Sealed {
    /// Opens one by the API: the committee asks, the three make their keys.
    async fn open(app: &TestApp, village: &Village, matter: &str, more: Value) -> Self {
        let mut vote = json!({
            "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person", "secrecy": "secret",
            "closes_at": app.app.now() + chrono::TimeDelta::days(2),
        });
        vote.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let vote = village.chair.post("/v1/votes", vote).await.ok();
        assert_eq!(vote["state"], "waiting_keys");
        let id = vote["id"].as_str().unwrap().to_owned();
        let pairs = key_pairs(3);
        let holders = [&village.chair, &village.supervisor, &village.town];
        for ((trustee, (public, _)), holder) in Trustee::ALL.into_iter().zip(&pairs).zip(holders) {
            let key = json!({ "trustee": trustee, "public_key": public });
            holder.post(&format!("/v1/votes/{id}/keys"), key).await.ok();
        }
        Self { id, keys: pairs.into_iter().map(|(_, private)| private).collect() }
    }

    fn path(&self, end: &str) -> String {
        format!("/v1/votes/{}{end}", self.id)
    }

    /// As the phone needs it.
    async fn manifest(&self, app: &TestApp) -> String {
        app.http.get(app.url(&self.path("/manifest"))).send().await.unwrap().text().await.unwrap()
    }

    /// The two private keys, handed in together.
    fn two(&self, one: usize, other: usize) -> Value {
        let handed = |n: usize| json!({ "trustee": Trustee::ALL[n], "private_key": self.keys[n] });
        json!({ "keys": [handed(one), handed(other)] })
    }
}

/// Calls the villagers to a meeting about a matter, as far ahead as the law asks.
async fn assembly(app: &TestApp, village: &Village, matter: &str) -> String {
    let starts = app.app.now() + chrono::TimeDelta::days(10) + chrono::TimeDelta::hours(3);
    let call = json!({ "area_code": village.area, "body_id": village.committee, "audience": "villagers", "matter_id": matter,
        "title": "村民会议", "agenda": "表决", "place": "文化礼堂", "starts_at": starts });
    village.chair.post("/v1/meetings", call).await.ok()["id"].as_str().unwrap().to_owned()
}

/// Casts an envelope.
async fn cast(who: &Somebody, vote: &Sealed, cast_id: uuid::Uuid, sealed: &str) -> crate::support::Answer {
    who.post(&vote.path("/envelopes"), json!({ "cast_id": cast_id, "sealed": sealed })).await
}

fn envelope(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
