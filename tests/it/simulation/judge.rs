//! What must hold at the end, whatever happened on the way.
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    device::{Device, Rules},
    run::fetch,
    truth::Truth,
};
use crate::support::Somebody;

/// Entries that people count, by kind and not by `no`.
const COUNTED: [&str; 4] = ["message", "chain", "card", "edit"];

/// Compares what was acknowledged, what the server holds and what devices hold.
pub(crate) struct Judge<'a> {
    pub(crate) stream: &'a str,
    /// Who may read all of it.
    pub(crate) reader: &'a Somebody,
    /// In the order of the truth.
    pub(crate) people: &'a [Somebody],
    pub(crate) truth: &'a Truth,
}

impl Judge<'_> {
    /// Everything that is wrong, each with the name of what it breaks; devices come with the number of their owner.
    pub(crate) async fn judge(&self, devices: &[(usize, &Device)]) -> Vec<String> {
        let log = self.paged().await;
        let mut found = vec![self.once(&log), self.whole(&log).await, self.silent("the log", &log)];
        for (number, who) in self.people.iter().enumerate() {
            let mut fresh = Device::default();
            fetch(&mut fresh, Rules::ALL, who, self.stream).await;
            if self.truth.is_member[number] {
                found.push(same("I4: sync and entries", &fresh.entries, &log));
                found.push(self.counted(number, &log).await);
            } else if !fresh.entries.is_empty() {
                found.push(Err(format!("I4: {number} is no member and reads {}", fresh.entries.len())));
            }
            for (_, device) in devices.iter().filter(|(owner, _)| *owner == number) {
                if device.epoch != fresh.epoch {
                    found.push(Err(format!("I4: epoch {} instead of {}", device.epoch, fresh.epoch)));
                }
                found.push(same("I4", &device.entries, &fresh.entries));
                found.push(self.silent("a device", &device.entries));
            }
        }
        found.into_iter().filter_map(Result::err).collect()
    }

    /// I1: what was asked for is there once, unless it was taken back or a restore may have taken it.
    fn once(&self, log: &BTreeMap<i64, Value>) -> Result<(), String> {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for text in
            log.values().filter(|entry| entry["kind"] == "message").filter_map(|entry| entry["body"]["text"].as_str())
        {
            *times.entry(text).or_default() += 1;
        }
        if let Some((text, times)) = times.iter().find(|(_, times)| **times > 1) {
            return Err(format!("I1: {text} is there {times} times"));
        }
        for (text, (_, seq)) in &self.truth.said {
            let stands = log.get(seq).is_some_and(|entry| entry["body"]["text"] == json!(text));
            if !stands && !self.truth.recalled.contains(text) {
                return Err(format!("I1: {text} was acknowledged at {seq} and is not there"));
            }
        }
        Ok(())
    }

    /// I2: places from 1 to the end that the list names, which is not before what was acknowledged.
    async fn whole(&self, log: &BTreeMap<i64, Value>) -> Result<(), String> {
        let row = self.row_of(self.reader).await.ok_or("I2: the reader without the stream")?;
        let last = row["last_seq"].as_i64().unwrap();
        if last < self.truth.last_seq || !log.keys().copied().eq(1..=last) {
            return Err(format!("I2: {} places up to {last}, {} acknowledged", log.len(), self.truth.last_seq));
        }
        Ok(())
    }

    /// I5: no word of what was taken back.
    fn silent(&self, what: &str, entries: &BTreeMap<i64, Value>) -> Result<(), String> {
        let all: String = entries.values().map(Value::to_string).collect();
        match self.truth.recalled.iter().find(|text| all.contains(*text)) {
            Some(text) => Err(format!("I5: {text} was taken back and {what} shows it")),
            None => Ok(()),
        }
    }

    /// I6 and I7: the cursor is the furthest that was read, unread is what one counts by hand behind it.
    async fn counted(&self, number: usize, log: &BTreeMap<i64, Value>) -> Result<(), String> {
        let row = self.row_of(&self.people[number]).await.ok_or("I6, I7: a member without the stream")?;
        let read = self.truth.read[number];
        let is_counted = |entry: &&Value| COUNTED.iter().any(|kind| entry["kind"] == *kind);
        let unread = log.range(read + 1..).map(|(_, entry)| entry).filter(is_counted).count();
        if row["read_seq"] != json!(read) || row["unread"] != json!(unread) {
            return Err(format!("I6, I7: read {read} and {unread} unread by hand, the list says {row}"));
        }
        Ok(())
    }

    /// The stream in somebody's list.
    async fn row_of(&self, who: &Somebody) -> Option<Value> {
        row_of(who, self.stream).await
    }

    /// The whole stream, page by page.
    async fn paged(&self) -> BTreeMap<i64, Value> {
        let mut entries = BTreeMap::new();
        loop {
            let after = entries.keys().next_back().copied().unwrap_or(0);
            let page =
                self.reader.get(&format!("/v1/streams/{}/entries?after={after}&limit=100", self.stream)).await.ok();
            let page = page["entries"].as_array().unwrap().clone();
            if page.is_empty() {
                return entries;
            }
            entries.extend(page.into_iter().map(|entry| (entry["seq"].as_i64().unwrap(), entry)));
        }
    }
}

/// A stream in somebody's list.
pub(super) async fn row_of(who: &Somebody, stream: &str) -> Option<Value> {
    let list = who.get("/v1/sync").await.ok();
    list["streams"].as_array().unwrap().iter().find(|row| row["id"] == json!(stream)).cloned()
}

fn same(what: &str, found: &BTreeMap<i64, Value>, wanted: &BTreeMap<i64, Value>) -> Result<(), String> {
    if found == wanted {
        return Ok(());
    }
    let differs = |seq: &&i64| found.get(seq) != wanted.get(seq);
    let first = found.keys().chain(wanted.keys()).filter(differs).min().copied().unwrap_or(0);
    let show = |entry: Option<&Value>| entry.map_or_else(|| "nothing".to_owned(), Value::to_string);
    Err(format!("{what}: at {first} {} instead of {}", show(found.get(&first)), show(wanted.get(&first))))
}
