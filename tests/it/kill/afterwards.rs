//! After the kills: every promise against the file, read past the server, and against what people see.
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    time::{Duration, Instant},
};

use liusheng::{
    ids::StreamId,
    keys::{DataKey, Keys, sha256_hex},
};
use sea_orm::TryGetableMany;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Promise, Sender, Wish, clip};
use crate::support::{Raw, Somebody};

async fn scalar(database: &Raw, select: &str) -> i64 {
    database.one(select).await
}

async fn rows<T: TryGetableMany>(database: &Raw, select: &str) -> Vec<T> {
    database.rows(select).await.iter().map(|row| T::try_get_many_by_index(row).unwrap()).collect()
}

/// Waits until every event has its number and every reaction has seen it.
pub(crate) async fn followed(data_dir: &Path) {
    let database = Raw::open(data_dir).await;
    let began = Instant::now();
    let behind = "SELECT (SELECT number FROM chain_heads) - coalesce((SELECT min(number) FROM reaction_cursors), 0)";
    loop {
        let unnumbered = scalar(&database, "SELECT count(*) FROM events WHERE number IS NULL").await;
        let behind = scalar(&database, behind).await;
        if unnumbered == 0 && behind == 0 {
            assert_eq!(scalar(&database, "SELECT count(*) FROM dead_letters").await, 0, "a reaction failed");
            return;
        }
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{unnumbered} events without a number, {behind} not followed"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Rows of what was promised.
struct Found {
    /// Id, digest, owner, the voice it is attached to.
    media: Vec<(Uuid, String, Uuid, Option<String>)>,
    /// Id, text, author.
    voices: Vec<(Uuid, String, Uuid)>,
    /// Client's id, sender, stream, place.
    messages: Vec<(Uuid, Uuid, Uuid, i64)>,
    /// Ballot, choice, number on the roll.
    ballots: Vec<(Uuid, String, i64)>,
}

impl Found {
    async fn read(database: &Raw) -> Self {
        Self {
            media: rows(database, "SELECT id, sha256, owner_id, subject_id FROM media").await,
            voices: rows(database, "SELECT id, text, author_id FROM suggestions").await,
            messages: rows(database, "SELECT client_id, sender_id, stream_id, seq FROM entries WHERE kind = 'message'")
                .await,
            ballots: rows(database, "SELECT cast_id, choice, CAST(elector_number AS BIGINT) FROM envelopes").await,
        }
    }

    /// How often this promise is kept: once is right.
    fn times(&self, promise: &Promise, who: Uuid) -> (&'static str, usize) {
        let answer = |field: &str| promise.answer[field].as_str().and_then(|id| id.parse::<Uuid>().ok());
        match &promise.wish {
            Wish::Clip { number, .. } => {
                let digest = sha256_hex(&clip(*number));
                let same: Vec<_> = self.media.iter().filter(|row| row.1 == digest).collect();
                let is_right = same.iter().all(|row| Some(row.0) == answer("id") && row.2 == who);
                ("clip", if is_right { same.len() } else { 0 })
            }
            Wish::Voice { text, media, .. } => {
                let same: Vec<_> = self.voices.iter().filter(|row| row.1 == *text).collect();
                let is_right = same.iter().all(|row| Some(row.0) == answer("id") && row.2 == who);
                let has_clip = media.iter().all(|clip| self.is_attached(clip, &promise.answer["id"]));
                ("voice", if is_right && has_clip { same.len() } else { 0 })
            }
            Wish::Message { stream, client_id, .. } => {
                let same: Vec<_> = self.messages.iter().filter(|row| row.0 == *client_id && row.1 == who).collect();
                let is_right =
                    same.iter().all(|row| row.2 == stream.0 && Some(row.3) == promise.answer["seq"].as_i64());
                ("message", if is_right { same.len() } else { 0 })
            }
            Wish::Ballot { cast_id, choice, .. } => {
                ("ballot", self.ballots.iter().filter(|row| row.0 == *cast_id && row.1 == *choice).count())
            }
        }
    }

    fn is_attached(&self, clip: &str, voice: &Value) -> bool {
        let row = self.media.iter().find(|row| row.0.to_string() == clip);
        row.and_then(|row| row.3.as_deref()) == voice.as_str()
    }
}

/// What is not there exactly once, by reading the file past the server.
pub(crate) async fn in_the_database(promises: &[Promise], senders: &[Sender], data_dir: &Path) -> Vec<String> {
    let database = Raw::open(data_dir).await;
    let found = Found::read(&database).await;
    let mut lost = Vec::new();
    let mut promised: BTreeMap<&str, usize> = BTreeMap::new();
    for promise in promises {
        let who = senders.iter().find(|one| one.number == promise.sender).unwrap().who.person.0;
        let (kind, times) = found.times(promise, who);
        *promised.entry(kind).or_default() += 1;
        if times != 1 {
            lost.push(format!("{kind} is kept {times} times: {:?}", promise.wish));
        }
    }
    // whatever is there was asked for, and everything that was asked for has been promised by now
    let kept = [
        ("clip", found.media.len()),
        ("voice", found.voices.len()),
        ("message", found.messages.len()),
        ("ballot", found.ballots.len()),
    ];
    println!("{kept:?}");
    for (kind, count) in kept {
        // of a kind that a crowded machine never came to, nothing was promised
        let promised = promised.get(kind).copied().unwrap_or_default();
        if promised != count {
            lost.push(format!("{kind}: {promised} promised, {count} kept"));
        }
    }
    let mut electors: Vec<i64> = found.ballots.iter().map(|row| row.2).collect();
    electors.sort_unstable();
    electors.dedup();
    if electors.len() != found.ballots.len() {
        lost.push(format!("{} ballots of {} electors", found.ballots.len(), electors.len()));
    }
    let marked = scalar(&database, "SELECT count(*) FROM roll_entries WHERE channel = 'online'").await;
    if usize::try_from(marked) != Ok(electors.len()) {
        lost.push(format!("{marked} electors are marked on the roll, {} have a ballot", electors.len()));
    }
    lost.extend(files_of(&found, &keys_of(&database, data_dir).await, data_dir));
    lost.extend(streams_with_a_gap(&database).await);
    lost.extend(cards_of_voices(&database, &found).await);
    lost
}

/// The key of each photo and clip, unwrapped as the server does.
async fn keys_of(database: &Raw, data_dir: &Path) -> HashMap<Uuid, DataKey> {
    let select = "SELECT media.id, data_keys.id, wrapped FROM media JOIN data_keys ON data_keys.id = media.key_id";
    let wrapped: Vec<(Uuid, Uuid, String)> = rows(database, select).await;
    let keys = Keys::load_or_make(data_dir).unwrap();
    let open = |(media, id, text): (Uuid, Uuid, String)| (media, keys.open_data_key(&id.to_string(), &text).unwrap());
    wrapped.into_iter().map(open).collect()
}

/// Every row of media has its file, whole. A file without a row is garbage of a kill and no loss.
fn files_of(found: &Found, keys: &HashMap<Uuid, DataKey>, data_dir: &Path) -> Vec<String> {
    let mut files = HashMap::new();
    let mut folders = vec![data_dir.join("media")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                files.insert(entry.file_name().to_string_lossy().into_owned(), entry.path());
            }
        }
    }
    let mut lost = Vec::new();
    for (id, digest, ..) in &found.media {
        let file = files.remove(&id.simple().to_string());
        let opened = file.and_then(|file| keys.get(id)?.open_file("file", std::fs::read(file).unwrap()).ok());
        if opened.is_none_or(|bytes| sha256_hex(&bytes) != *digest) {
            lost.push(format!("the file of clip {id} is not there or not whole"));
        }
    }
    println!("{} files of media belong to nothing", files.len());
    lost
}

/// Every stream counts from 1 without a gap.
async fn streams_with_a_gap(database: &Raw) -> Vec<String> {
    let select = "SELECT s.id, s.last_seq, s.last_no, count(e.seq), coalesce(min(e.seq), 1), coalesce(max(e.seq), 0), \
        coalesce(max(e.no), 0) FROM streams s LEFT JOIN entries e ON e.stream_id = s.id GROUP BY s.id";
    let streams: Vec<(Uuid, i64, i64, i64, i64, i64, i64)> = rows(database, select).await;
    let has_gap = |(_, last_seq, last_no, count, first, last, no): &(Uuid, i64, i64, i64, i64, i64, i64)| {
        *first != 1 || last != count || last != last_seq || no != last_no
    };
    let wrong = streams.iter().filter(|stream| has_gap(stream));
    wrong
        .map(|(id, last_seq, _, count, first, last, _)| {
            format!("stream {id}: {count} entries from {first} to {last}, head {last_seq}")
        })
        .collect()
}

/// Reactions ran exactly once for each event: one card in the thread, one in the office.
async fn cards_of_voices(database: &Raw, found: &Found) -> Vec<String> {
    let bodies: Vec<(String,)> = rows(database, "SELECT body FROM entries WHERE kind = 'card'").await;
    let mut cards: HashMap<(String, String), usize> = HashMap::new();
    for (body,) in bodies {
        let body: Value = serde_json::from_str(&body).unwrap();
        let word = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
        *cards.entry((word("card"), word("link"))).or_default() += 1;
    }
    let mut wrong = Vec::new();
    for (id, ..) in &found.voices {
        for code in ["suggestion_received", "office_suggestion_new"] {
            let times = cards.get(&(code.to_owned(), format!("/suggestions/{id}"))).copied().unwrap_or_default();
            if times != 1 {
                wrong.push(format!("voice {id} has {times} cards {code}"));
            }
        }
    }
    wrong
}

/// What people do not see exactly once.
pub(crate) async fn over_the_api(promises: &[Promise], senders: &[Sender], vote: &str) -> Vec<String> {
    let mut lost = Vec::new();
    let mut own: HashMap<usize, Vec<Value>> = HashMap::new();
    let mut entries: HashMap<StreamId, Vec<Value>> = HashMap::new();
    let mut cast = 0;
    for Promise { sender, wish, answer } in promises {
        let sender = senders.iter().find(|one| one.number == *sender).unwrap();
        match wish {
            Wish::Clip { number, .. } => {
                let (status, bytes) =
                    sender.who.download(&format!("/v1/media/{}", answer["id"].as_str().unwrap())).await;
                if status != 200 || sha256_hex(&bytes) != sha256_hex(&clip(*number)) {
                    lost.push(format!("clip {number} comes back with {status} and {} bytes", bytes.len()));
                }
            }
            Wish::Voice { text, .. } => {
                if !own.contains_key(&sender.number) {
                    own.insert(sender.number, pages(&sender.who, "/v1/suggestions?scope=mine&limit=100").await);
                }
                let same: Vec<_> = own[&sender.number].iter().filter(|voice| voice["text"] == json!(text)).collect();
                if same.len() != 1 || same[0]["id"] != answer["id"] {
                    lost.push(format!("voice {text:?} is in its author's list {} times", same.len()));
                }
            }
            Wish::Message { stream, text, .. } => {
                if !entries.contains_key(stream) {
                    entries.insert(*stream, all_entries(&sender.who, *stream, &mut lost).await);
                }
                let same: Vec<_> =
                    entries[stream].iter().filter(|entry| entry["body"]["text"] == json!(text)).collect();
                if same.len() != 1 || same[0]["seq"] != answer["seq"] {
                    lost.push(format!("message {text:?} is in its stream {} times", same.len()));
                }
            }
            Wish::Ballot { elector, cast_id, choice } => {
                cast += 1;
                lost.extend(receipt(&sender.electors[*elector], vote, (cast_id, choice), answer).await);
            }
        }
    }
    let seen = senders[0].who.get(&format!("/v1/votes/{vote}")).await.ok();
    if seen["cast"] != json!(cast) {
        lost.push(format!("{cast} ballots were promised, the vote says {}", seen["cast"]));
    }
    lost
}

/// The receipt is there again, the same ballot gives the same one, and a second ballot is refused.
async fn receipt(who: &Somebody, vote: &str, (cast_id, choice): (&Uuid, &str), promised: &Value) -> Option<String> {
    let mine = who.get(&format!("/v1/votes/{vote}/me")).await.ok();
    let path = format!("/v1/votes/{vote}/ballots");
    let again = who.post(&path, json!({ "cast_id": cast_id, "choice": choice })).await;
    let second = who.post(&path, json!({ "cast_id": Uuid::new_v4(), "choice": choice })).await;
    let is_kept = mine["receipt"] == *promised && again.body == *promised && second.body["code"] == "already_cast";
    (!is_kept).then(|| format!("ballot {cast_id}: {mine}, then {}, then {}", again.body, second.body))
}

async fn pages(who: &Somebody, path: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut next = String::new();
    loop {
        let page = who.get(&format!("{path}{next}")).await.ok();
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => return all,
        }
    }
}

async fn all_entries(who: &Somebody, stream: StreamId, lost: &mut Vec<String>) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let page = who.get(&format!("/v1/streams/{stream}/entries?after={}&limit=100", all.len())).await.ok();
        let page = page["entries"].as_array().unwrap().clone();
        if page.is_empty() {
            return all;
        }
        for entry in page {
            if entry["seq"] != json!(all.len() + 1) {
                lost.push(format!("stream {stream}: {} follows {}", entry["seq"], all.len()));
                return all;
            }
            all.push(entry);
        }
    }
}
