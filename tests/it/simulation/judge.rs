//! What must hold at the end of a run, whatever happened in it.
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    device::{Device, Rules},
    run::{Run, fetch},
};
use crate::support::Somebody;

/// Entries that people count, by kind and not by `no`.
const COUNTED: [&str; 3] = ["message", "chain", "card"];

impl Run<'_> {
    /// The first thing that is wrong.
    pub(crate) async fn judge(&self) -> Result<(), String> {
        let log = self.paged(&self.scene.village.chair).await;
        self.once(&log)?;
        if !log.keys().copied().eq(1..=self.truth.last_seq) {
            return Err(format!("I2: {:?} instead of 1 to {}", log.keys(), self.truth.last_seq));
        }
        for (number, who) in self.scene.people.iter().enumerate() {
            let mut fresh = Device::default();
            fetch(&mut fresh, Rules::ALL, who, &self.stream).await;
            if self.truth.is_member[number] {
                same("I4: sync and entries", &fresh.entries, &log)?;
                self.counted(number, &log).await?;
            } else if !fresh.entries.is_empty() {
                return Err(format!("{number} is no member and reads {}", fresh.entries.len()));
            }
            for phone in self.phones.iter().filter(|phone| phone.owner == number) {
                if phone.device.epoch != fresh.epoch {
                    return Err(format!("I4: epoch {} instead of {}", phone.device.epoch, fresh.epoch));
                }
                same("I4", &phone.device.entries, &fresh.entries)?;
                self.silent(&phone.device.entries)?;
            }
        }
        self.silent(&log)
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
        let standing = self.truth.said.keys().filter(|text| !self.truth.recalled.contains(*text));
        match standing.into_iter().find(|text| !times.contains_key(text.as_str())) {
            Some(text) => Err(format!("I1: {text} was acknowledged and is not there")),
            None => Ok(()),
        }
    }

    /// I5: no word of what was taken back.
    fn silent(&self, entries: &BTreeMap<i64, Value>) -> Result<(), String> {
        let all: String = entries.values().map(Value::to_string).collect();
        match self.truth.recalled.iter().find(|text| all.contains(*text)) {
            Some(text) => Err(format!("I5: {text} was taken back and is still shown")),
            None => Ok(()),
        }
    }

    /// I6 and I7: the cursor is the furthest that was read, unread is what one counts by hand behind it.
    async fn counted(&self, number: usize, log: &BTreeMap<i64, Value>) -> Result<(), String> {
        let row = self.row_of(&self.scene.people[number]).await.ok_or("a member without the stream")?;
        let read = self.truth.read[number];
        let is_counted = |entry: &&Value| COUNTED.iter().any(|kind| entry["kind"] == *kind);
        let unread = log.range(read + 1..).map(|(_, entry)| entry).filter(is_counted).count();
        if row["read_seq"] != json!(read) || row["unread"] != json!(unread) {
            return Err(format!("I6, I7: read {read} and {unread} unread by hand, the list says {row}"));
        }
        Ok(())
    }

    /// The whole stream, page by page.
    async fn paged(&self, who: &Somebody) -> BTreeMap<i64, Value> {
        let mut entries = BTreeMap::new();
        loop {
            let after = entries.keys().next_back().copied().unwrap_or(0);
            let page = who.get(&format!("/v1/streams/{}/entries?after={after}&limit=100", self.stream)).await.ok();
            let page = page["entries"].as_array().unwrap().clone();
            if page.is_empty() {
                return entries;
            }
            entries.extend(page.into_iter().map(|entry| (entry["seq"].as_i64().unwrap(), entry)));
        }
    }
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
