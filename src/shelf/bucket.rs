//! A shelf that is a bucket of an object store: five requests of S3, signed, each answered in time or given up.
use std::{path::Path, sync::Arc, time::Duration};

use futures_util::StreamExt;
use reqwest::{Body, RequestBuilder, Response, StatusCode, header};
use rusty_s3::{Bucket as Address, Credentials, S3Action, UrlStyle};
use tokio::{
    io::AsyncWriteExt,
    sync::{Semaphore, SemaphorePermit, watch},
};
use tokio_util::io::ReaderStream;

use super::{
    Lying, Part,
    ailing::{Ailing, Call},
    listing::{self, Page},
    parts::{Said, cut},
    patience::{Tried, Trouble, Trying, patiently},
};
use crate::{
    config::Config,
    error::{Code, Error, Result},
    keys::install_tls,
};

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// Nothing comes for so long.
const SILENCE: Duration = Duration::from_secs(10);
/// And no word after all was sent, some of which may still be on its way out of this machine.
const NO_WORD: Duration = Duration::from_secs(15);
/// How long a signed address can be used: made anew for each try, by the clock that the store compares, not by ours.
const SIGNED_FOR: Duration = Duration::from_secs(300);
/// When whoever asked in vain should come again.
const AGAIN_SECS: u64 = 10;
/// More than any file that we keep.
const LONGEST: usize = 32 * 1024 * 1024;
/// Files that are fetched into memory at once: whoever is beyond waits, but no longer than this.
const FETCHED_AT_ONCE: usize = 32;
const TURN: Duration = Duration::from_secs(5);
/// What is asked for to see whether a kind of call works again.
const SAMPLE: &str = "doctor/again";
/// A list of a thousand names, or what is wrong, in XML.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;

/// A bucket, or what is below one prefix in it.
#[derive(Clone)]
pub struct Bucket {
    address: Arc<Address>,
    credentials: Arc<Credentials>,
    /// Empty, or with a slash at its end.
    prefix: String,
    http: reqwest::Client,
    /// While something is sent nothing comes: that is no silence.
    sending: reqwest::Client,
    turns: Arc<Semaphore>,
    ailing: Ailing,
}

impl Bucket {
    pub(super) fn open(config: &Config, name: &str, prefix: &str) -> Result<Self> {
        let wrong = |what: &dyn std::fmt::Debug| Error::broken(format!("settings: media_s3_endpoint: {what:?}"));
        let endpoint = config.media_s3_endpoint.parse().map_err(|error| wrong(&error))?;
        let style = if config.media_s3_path_style { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let address = Address::new(endpoint, style, name.to_owned(), config.media_s3_region.clone());
        install_tls();
        // neither another address nor a proxy: both would see what is sent
        let client = || {
            let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
            client.no_proxy().connect_timeout(CONNECT_WITHIN)
        };
        let unusable = |error: reqwest::Error| Error::broken(error.without_url());
        Ok(Self {
            address: Arc::new(address.map_err(|error| wrong(&error))?),
            credentials: Arc::new(Credentials::new(&config.media_s3_key_id, &config.media_s3_key_secret)),
            prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") },
            http: client().read_timeout(SILENCE).build().map_err(unusable)?,
            sending: client().build().map_err(unusable)?,
            turns: Arc::new(Semaphore::new(FETCHED_AT_ONCE)),
            ailing: Ailing::default(),
        })
    }

    pub(super) fn trouble(&self) -> Option<String> {
        self.ailing.said()
    }

    /// Refuses what could not be put there a moment ago.
    pub(super) fn takes(&self) -> Result<()> {
        if self.ailing.is_fresh(Call::Put) {
            return Err(Code::MediaUnavailable.after_secs(AGAIN_SECS));
        }
        Ok(())
    }

    /// What failed when it was asked last is asked again.
    pub(super) async fn is_well(&self) -> bool {
        let key = &self.key(SAMPLE);
        for call in self.ailing.calls() {
            let asked = match call {
                Call::Put => {
                    let put = self.ask(call, || {
                        let address = self.address.put_object(Some(&self.credentials), key).sign(SIGNED_FOR);
                        Box::pin(found(self.http.put(address).body("x")))
                    });
                    let put = put.await.map(drop);
                    drop(self.remove(SAMPLE).await);
                    put
                }
                Call::Get => self.ask(call, || Box::pin(self.fetch(key))).await.map(drop),
                Call::Delete => self.remove(SAMPLE).await,
                Call::List => self.list(Some("doctor")).await.map(drop),
                Call::Look => self.is_public(SAMPLE).await.map(drop),
            };
            if asked.is_err() {
                return false;
            }
        }
        true
    }

    pub(super) async fn put(&self, from: &Path, name: &str) -> Result<()> {
        let key = &self.key(name);
        self.ask(Call::Put, || Box::pin(self.send(from, key))).await
    }

    /// In pieces, from the disk. A slow line takes its time; one that was silent for long is not tried again.
    async fn send(&self, from: &Path, key: &str) -> Tried<()> {
        let file = tokio::fs::File::open(from).await?;
        let length = file.metadata().await?.len();
        let address = self.address.put_object(Some(&self.credentials), key).sign(SIGNED_FOR);
        let (moves, moved) = watch::channel(());
        let pieces = ReaderStream::new(file).inspect(move |_| moves.send_replace(()));
        let request = self.sending.put(address).header(header::CONTENT_LENGTH, length).body(Body::wrap_stream(pieces));
        tokio::select! {
            answer = found(request) => {
                answer?.map(drop).ok_or_else(|| Trouble::Lasting("no place for a file".to_owned()))
            }
            () = silence(moved, (SILENCE, NO_WORD)) => Err(Trouble::Lasting("silent while a file was sent".to_owned())),
        }
    }

    pub(super) async fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let key = &self.key(name);
        let _turn = self.turn().await?;
        self.ask(Call::Get, || Box::pin(self.fetch(key))).await
    }

    /// That many wait is no trouble of the bucket's.
    async fn turn(&self) -> Result<SemaphorePermit<'_>> {
        let turn = tokio::time::timeout(TURN, self.turns.acquire()).await;
        turn.map_err(|_| Code::Busy.after_secs(AGAIN_SECS))?.map_err(Error::broken)
    }

    async fn fetch(&self, key: &str) -> Tried<Option<Vec<u8>>> {
        match found(self.get(key)).await? {
            Some(answer) => Ok(Some(whole(answer, LONGEST).await?)),
            None => Ok(None),
        }
    }

    pub(super) async fn part(&self, name: &str, (from, most): (u64, u64)) -> Result<Option<Part>> {
        let key = &self.key(name);
        let _turn = self.turn().await?;
        self.ask(Call::Get, || Box::pin(self.fetch_part(key, (from, most)))).await
    }

    async fn fetch_part(&self, key: &str, (from, most): (u64, u64)) -> Tried<Option<Part>> {
        let wanted = format!("bytes={from}-{}", from.saturating_add(most).saturating_sub(1));
        let Some(answer) = found(self.get(key).header(header::RANGE, wanted)).await? else { return Ok(None) };
        let is_part = answer.status() == StatusCode::PARTIAL_CONTENT;
        let said =
            answer.headers().get(header::CONTENT_RANGE).and_then(|said| said.to_str().ok()?.parse::<Said>().ok());
        let bytes = whole(answer, LONGEST).await?;
        match said {
            Some(Said { first, length }) if is_part && first == from => Ok(Some(Part { bytes, length })),
            _ if is_part => Err(unreadable()),
            // it gives what it has, whatever was asked
            _ => Ok(Some(cut(&bytes, (from, most)))),
        }
    }

    pub(super) async fn copy_out(&self, name: &str, to: &Path) -> Result<bool> {
        let (key, temporary) = (&self.key(name), &to.with_extension("new"));
        if let Some(folder) = to.parent() {
            tokio::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).await?;
        }
        let is_there = self.ask(Call::Get, || Box::pin(self.fetch_to(key, temporary))).await?;
        if is_there {
            tokio::fs::rename(temporary, to).await?;
        }
        Ok(is_there)
    }

    /// In pieces, to the disk.
    async fn fetch_to(&self, key: &str, to: &Path) -> Tried<bool> {
        let Some(mut answer) = found(self.get(key)).await? else { return Ok(false) };
        let mut options = tokio::fs::OpenOptions::new();
        let mut file = options.create(true).write(true).truncate(true).mode(0o600).open(to).await?;
        while let Some(piece) = answer.chunk().await? {
            file.write_all(&piece).await?;
        }
        file.flush().await?;
        file.sync_all().await?;
        Ok(true)
    }

    pub(super) async fn remove(&self, name: &str) -> Result<()> {
        let key = &self.key(name);
        self.ask(Call::Delete, || {
            let address = self.address.delete_object(Some(&self.credentials), key).sign(SIGNED_FOR);
            Box::pin(found(self.http.delete(address)))
        })
        .await
        .map(drop)
    }

    pub(super) async fn list(&self, folder: Option<&str>) -> Result<Vec<Lying>> {
        let under = &format!("{}{}", self.prefix, folder.map_or_else(String::new, |folder| format!("{folder}/")));
        let (mut lying, mut next) = (Vec::new(), None::<String>);
        loop {
            let page = self.ask(Call::List, || Box::pin(self.page(under, next.as_deref()))).await?;
            for file in page.files {
                let Some(name) = file.name.strip_prefix(&self.prefix).map(str::to_owned) else { continue };
                lying.push(Lying { name, ..file });
            }
            next = page.next;
            if next.is_none() {
                return Ok(lying);
            }
        }
    }

    async fn page(&self, under: &str, next: Option<&str>) -> Tried<Page> {
        // the file without a name is the bucket itself
        let mut action = self.address.get_object(Some(&self.credentials), "");
        let query = action.query_mut();
        query.insert("list-type", "2");
        query.insert("prefix", under);
        if let Some(next) = next {
            query.insert("continuation-token", next);
        }
        let answer = found(self.http.get(action.sign(SIGNED_FOR))).await?;
        let answer = answer.ok_or_else(|| Trouble::Lasting("no list".to_owned()))?;
        let text = String::from_utf8(whole(answer, LONGEST_ANSWER).await?).map_err(|_| unreadable())?;
        listing::page(&text).ok_or_else(unreadable)
    }

    pub(super) async fn is_public(&self, name: &str) -> Result<bool> {
        let address = self.address.get_object(None, &self.key(name)).sign(SIGNED_FOR);
        let asked = || self.http.get(address.clone()).send();
        self.ask(Call::Look, || {
            let asked = asked();
            Box::pin(async move { Ok(asked.await?.status().is_success()) })
        })
        .await
    }

    fn get(&self, key: &str) -> RequestBuilder {
        self.http.get(self.address.get_object(Some(&self.credentials), key).sign(SIGNED_FOR))
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn ask<'a, T>(&self, call: Call, work: impl Fn() -> Trying<'a, T>) -> Result<T> {
        let (what, outcome) = (call.as_str(), patiently(call, work).await);
        let said = match &outcome {
            Err(Trouble::Passing(said) | Trouble::Lasting(said)) => Some(said.clone()),
            Ok(_) | Err(Trouble::Ours(_)) => None,
        };
        let well = if said.is_none() { "yes" } else { "no" };
        metrics::counter!("media_store_calls_total", "what" => what, "well" => well).increment(1);
        if let Some(said) = &said {
            tracing::error!(what, said, "the bucket of photos and clips");
        }
        if !matches!(outcome, Err(Trouble::Ours(_))) {
            self.ailing.note(call, said);
        }
        outcome.map_err(|trouble| match trouble {
            Trouble::Ours(error) => error,
            Trouble::Passing(_) | Trouble::Lasting(_) => Code::MediaUnavailable.after_secs(AGAIN_SECS),
        })
    }
}

/// Ends when nothing has moved for so long, or no word came for so long after all was sent.
async fn silence(mut moved: watch::Receiver<()>, (quiet, no_word): (Duration, Duration)) {
    loop {
        match tokio::time::timeout(quiet, moved.changed()).await {
            Ok(Ok(())) => {}
            // all was sent
            Ok(Err(_)) => return tokio::time::sleep(no_word).await,
            Err(_) => return,
        }
    }
}

fn unreadable() -> Trouble {
    Trouble::Lasting("an answer that is none of S3's".to_owned())
}

/// Sends a request: what there is, or nothing when the store knows no such file.
async fn found(request: RequestBuilder) -> Tried<Option<Response>> {
    let answer = request.send().await?;
    let status = answer.status();
    if status.is_success() {
        return Ok(Some(answer));
    }
    let text = whole(answer, LONGEST_ANSWER).await.unwrap_or_default();
    let code = code(&String::from_utf8_lossy(&text));
    if status == StatusCode::NOT_FOUND && code == "NoSuchKey" {
        return Ok(None);
    }
    let said = format!("{} {code}", status.as_u16());
    let is_passing = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
        || matches!(code.as_str(), "RequestTimeout" | "SlowDown");
    Err(if is_passing { Trouble::Passing(said) } else { Trouble::Lasting(said) })
}

/// The code of what is wrong; nothing else of it, which may name keys and signatures.
fn code(answer: &str) -> String {
    let said = answer.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    said.map_or_else(String::new, |(code, _)| code.chars().filter(char::is_ascii_alphanumeric).take(60).collect())
}

async fn whole(mut answer: Response, most: usize) -> Tried<Vec<u8>> {
    let announced = answer.content_length().and_then(|length| usize::try_from(length).ok());
    let mut bytes = Vec::with_capacity(announced.unwrap_or_default().min(most));
    while let Some(piece) = answer.chunk().await? {
        if bytes.len() + piece.len() > most {
            return Err(Trouble::Lasting("more than we ever put there".to_owned()));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_refusal_only_its_code_is_told() {
        let answer = "<?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIA</AWSAccessKeyId>\
            <StringToSign>AWS4</StringToSign></Error>";
        assert_eq!(code(answer), "SignatureDoesNotMatch");
        assert_eq!(code("<Code>a\nb c</Code>"), "abc");
        assert_eq!((code("<html>"), code("<Code>open")), (String::new(), String::new()));
    }

    #[tokio::test]
    async fn a_slow_line_is_not_a_silent_one() {
        let (moves, moved) = watch::channel(());
        let watching = tokio::spawn(silence(moved, (Duration::from_secs(2), Duration::from_millis(10))));
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(300)).await;
            moves.send_replace(());
        }
        assert!(!watching.is_finished(), "it moved all the time");
        tokio::time::timeout(Duration::from_secs(20), watching).await.unwrap().unwrap();
        drop(moves);
    }

    /// Nobody listens at its address.
    fn nowhere() -> Bucket {
        let mut config = Config::defaults().unwrap();
        config.media_s3_endpoint = "http://127.0.0.1:9".to_owned();
        config.media_s3_region = "us-east-1".to_owned();
        config.media_s3_path_style = true;
        Bucket::open(&config, "photos", "").unwrap()
    }

    #[tokio::test]
    async fn whoever_waits_too_long_for_a_turn_is_told_so_and_the_bucket_is_not_blamed() {
        let bucket = nowhere();
        let all = bucket.turns.acquire_many(u32::try_from(FETCHED_AT_ONCE).unwrap()).await.unwrap();
        assert_eq!(bucket.read("x").await.unwrap_err().code(), Code::Busy);
        assert_eq!(bucket.trouble(), None);
        drop(all);
        assert_eq!(bucket.read("x").await.unwrap_err().code(), Code::MediaUnavailable);
        assert!(bucket.trouble().is_some_and(|said| said.starts_with("get: ")));
        assert!(bucket.takes().is_ok(), "what failed was another kind of call");
    }
}
