//! What a restored database does not know: by a head that was published, by files that no row names, by what it replaced.
use std::{collections::HashSet, time::Duration};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Stop,
    manifest::{Log, MediaFile},
    refused, told,
};
use crate::{
    clock,
    error::{Error, Result},
    events::{self, Head},
    keys::{Keys, install_tls},
    shelf::Shelf,
    store::Store,
};

/// As `/v1/log/head` gives it, or the head alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    Whole { head: Head },
    Alone(Head),
}

/// Reads a published head from a file or an address.
pub(super) async fn published(source: &str) -> std::result::Result<Head, Stop> {
    let bytes = if source.starts_with("http://") || source.starts_with("https://") {
        fetch(source).await.map_err(|error| unreadable(source, &error))?
    } else {
        std::fs::read(source).map_err(|error| unreadable(source, &error))?
    };
    let read: Source = serde_json::from_slice(&bytes).map_err(|error| unreadable(source, &error))?;
    Ok(match read {
        Source::Whole { head } | Source::Alone(head) => head,
    })
}

fn unreadable(source: &str, error: &dyn std::fmt::Display) -> Stop {
    refused("restore-head-unreadable", &[("source", source.to_owned()), ("error", error.to_string())])
}

async fn fetch(address: &str) -> std::result::Result<Vec<u8>, reqwest::Error> {
    install_tls();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_secs(10));
    Ok(http.build()?.get(address).send().await?.error_for_status()?.bytes().await?.to_vec())
}

/// A file of media that the backup does not have: when it was made.
pub(super) async fn files_beyond(shelf: &Shelf, media: &[MediaFile]) -> Result<Vec<DateTime<Utc>>> {
    let known: HashSet<_> = media.iter().map(|file| file.path.as_str()).collect();
    let lying = shelf.list(None).await?;
    let unknown = lying.iter().filter(|file| !known.contains(file.name.as_str()));
    let mut times: Vec<_> = unknown.filter_map(|file| made_at(&file.name)).collect();
    times.sort_unstable();
    Ok(times)
}

/// The name of a file is an id, and an id holds its time. The small picture of a photo does not count.
fn made_at(name: &str) -> Option<DateTime<Utc>> {
    let id: Uuid = name.rsplit('/').next()?.parse().ok()?;
    let (secs, nanos) = id.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(secs).ok()?, nanos)
}

/// What is known beside the published head.
pub(super) struct Known<'a> {
    pub(super) log: &'a Log,
    pub(super) replaced: Option<u64>,
    pub(super) unknown: &'a [DateTime<Utc>],
}

/// What is newer elsewhere, a sentence for each place looked at.
pub(super) async fn lines(store: &Store, keys: &Keys, known: Known<'_>, head: Option<&Head>) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    match head {
        Some(head) => {
            if !events::is_signed(keys, head) {
                lines.push(told("newer-head-not-ours", &[]));
            }
            lines.push(against(store, known.log, head).await?);
        }
        None => lines.push(told("newer-no-head", &[("events", known.log.number.to_string())])),
    }
    let total = known.log.number.unsigned_abs() + known.log.waiting;
    if let Some(replaced) = known.replaced {
        let missing = replaced.saturating_sub(total);
        lines.push(told("newer-replaced", &[("missing", missing.to_string()), ("since", since(known.log))]));
    }
    if let (Some(first), Some(last)) = (known.unknown.first(), known.unknown.last()) {
        let count = known.unknown.len().to_string();
        lines.push(told("newer-files", &[("count", count), ("first", time(*first)), ("last", time(*last))]));
    }
    Ok(lines)
}

async fn against(store: &Store, log: &Log, head: &Head) -> Result<String> {
    let number = ("number", head.number.to_string());
    if head.number > log.number {
        let missing = ("missing", (head.number - log.number).to_string());
        let blanks = [number, missing, ("since", since(log)), ("until", time(head.at.with_timezone(&Utc)))];
        return Ok(told("newer-events-missing", &blanks));
    }
    let own = events::event_at(store.read(), head.number).await?.ok_or_else(|| Error::broken("an event is missing"))?;
    Ok(told(if own.0 == head.hash { "newer-nothing-missing" } else { "newer-another-history" }, &[number]))
}

/// From when on events may be missing.
fn since(log: &Log) -> String {
    log.last_at.map_or_else(|| told("newer-since-ever", &[]), time)
}

/// As people in the county read it.
pub(super) fn time(at: DateTime<Utc>) -> String {
    clock::local(at).format("%Y-%m-%d %H:%M:%S").to_string()
}
