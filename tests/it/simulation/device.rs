//! A device: what it keeps of one stream, and by which rule it takes what comes.
use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Characters of what is answered.
const QUOTED: usize = 60;

/// Each can be switched off, to see that without it devices differ from the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// A message that is sent again carries the `client_id` of the first time.
    pub(crate) keeps_client_id: bool,
    /// An entry beyond the next place waits until what is missing was fetched.
    pub(crate) sees_gaps: bool,
    /// An entry at or before the own place is not taken a second time.
    pub(crate) skips_known: bool,
    /// A recall is an entry like any other; off: it is told, but as nothing.
    pub(crate) hears_recalls: bool,
    /// Another epoch is another log: what was kept is forgotten.
    pub(crate) compares_epochs: bool,
    /// The list of heads is looked at now and then.
    pub(crate) compares_heads: bool,
    /// A restore begins a new epoch.
    pub(crate) bumps_epoch: bool,
}

impl Rules {
    /// As proposed.
    pub(crate) const ALL: Self = Self {
        keeps_client_id: true,
        sees_gaps: true,
        skips_known: true,
        hears_recalls: true,
        compares_epochs: true,
        compares_heads: true,
        bumps_epoch: true,
    };
}

/// What a device has of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Device {
    pub(crate) epoch: String,
    /// It has 1 up to this.
    pub(crate) have: i64,
    pub(crate) entries: BTreeMap<i64, Value>,
    /// What came from beyond a gap.
    waiting: BTreeMap<i64, Value>,
    is_doubtful: bool,
}

impl Device {
    /// Takes an entry that came by itself, under the epoch of the subscription.
    pub(crate) fn hear(&mut self, rules: Rules, epoch: &str, entry: Value) {
        if rules.compares_epochs && epoch != self.epoch {
            self.is_doubtful = true;
            return;
        }
        self.take(rules, entry);
        while let Some(next) = self.waiting.remove(&(self.have + 1)) {
            self.take(rules, next);
        }
        let have = self.have;
        self.waiting.retain(|seq, _| *seq > have);
    }

    /// Something is missing: fetch.
    pub(crate) fn is_behind(&self) -> bool {
        self.is_doubtful || !self.waiting.is_empty()
    }

    /// What is sent with `POST /v1/sync` for this stream.
    pub(crate) fn position(&self) -> Value {
        json!({ "epoch": self.epoch, "seq": self.have })
    }

    /// Takes the answer of `POST /v1/sync` for this stream; `true`: what stands before it is to be read, when somebody
    /// looks. Nothing at all: it is not to be read.
    pub(crate) fn fetched(&mut self, rules: Rules, missed: Option<&Value>) -> bool {
        let Some(missed) = missed else {
            *self = Self::default();
            return false;
        };
        self.is_doubtful = false;
        if missed["reset"] == json!(true) && (rules.compares_epochs || self.epoch.is_empty()) {
            *self = Self::default();
        }
        missed["epoch"].as_str().unwrap().clone_into(&mut self.epoch);
        if missed["limited"] == json!(true) {
            // there is a gap before what is handed over: what was kept may have changed in it
            let epoch = std::mem::take(&mut self.epoch);
            let first = missed["entries"][0]["seq"].as_i64();
            let have = first.map_or_else(|| missed["last_seq"].as_i64().unwrap(), |seq| seq - 1);
            *self = Self { epoch, have, ..Self::default() };
        }
        for entry in missed["entries"].as_array().unwrap() {
            self.take(rules, entry.clone());
        }
        let have = self.have;
        self.waiting.retain(|seq, _| *seq > have);
        missed["limited"] == json!(true)
    }

    /// The place before which it has nothing, though there is something.
    pub(crate) fn begins_at(&self) -> Option<i64> {
        let first = self.entries.first_key_value().map_or(self.have + 1, |(seq, _)| *seq);
        Some(first).filter(|seq| *seq > 1)
    }

    /// Takes what stands before, as somebody who scrolls back.
    pub(crate) fn scrolled(&mut self, older: &Value) -> bool {
        let older = older["entries"].as_array().unwrap();
        self.entries.extend(older.iter().map(|entry| (entry["seq"].as_i64().unwrap(), entry.clone())));
        !older.is_empty()
    }

    /// Epoch and newest place in a list of heads are those of this device.
    pub(crate) fn is_at(&self, head: &Value) -> bool {
        head["epoch"] == json!(self.epoch) && head["last_seq"] == json!(self.have)
    }

    fn take(&mut self, rules: Rules, entry: Value) {
        let seq = entry["seq"].as_i64().unwrap();
        if rules.skips_known && seq <= self.have {
            return;
        }
        if rules.sees_gaps && seq > self.have + 1 {
            self.waiting.insert(seq, entry);
            return;
        }
        self.have = self.have.max(seq);
        self.apply(rules, entry);
    }

    /// Old state and one entry give the new state.
    fn apply(&mut self, rules: Rules, mut entry: Value) {
        let seq = entry["seq"].as_i64().unwrap();
        // the socket says which vocabulary it speaks
        entry.as_object_mut().unwrap().remove("v");
        let target = entry["target_seq"].as_i64();
        match (entry["kind"].as_str(), target) {
            (Some("recall"), Some(target)) if rules.hears_recalls => self.recall(target, seq, &entry["body"]),
            (Some("edit"), Some(target)) => self.edit(target, seq, &entry["body"]["body"]),
            (Some("chain_row"), Some(list)) => self.change_row(list, seq, &entry["body"]),
            (Some("pin"), Some(target)) => self.pin(target, seq, entry["body"]["is_pinned"] == json!(true)),
            _ => {}
        }
        self.entries.insert(seq, entry);
    }

    /// The entry that this one changes, unless it was fetched as it was even later.
    fn target(&mut self, target: i64, seq: i64) -> Option<&mut Value> {
        self.entries.get_mut(&target).filter(|entry| entry["rev"].as_i64().unwrap_or(0) < seq)
    }

    fn recall(&mut self, target: i64, seq: i64, body: &Value) {
        if let Some(entry) = self.target(target, seq) {
            entry["state"] = body["state"].clone();
            entry["body"] = body.clone();
            entry["rev"] = json!(seq);
            entry.as_object_mut().unwrap().remove("is_pinned");
        }
        self.blank_rows(target, seq, |_| true);
        for reply in self.entries.values_mut().filter(|entry| entry["reply_to"] == json!(target)) {
            reply["quote"]["text"] = json!("");
        }
    }

    /// What a row said before it was changed or taken out is nowhere any more.
    fn change_row(&mut self, list: i64, seq: i64, body: &Value) {
        if body["change"] == "changed" || body["change"] == "removed" {
            self.blank_rows(list, seq, |told| told["row_no"] == body["row_no"]);
        }
    }

    fn blank_rows(&mut self, list: i64, seq: i64, is_this: impl Fn(&Value) -> bool) {
        for told in self.entries.values_mut().filter(|told| told["kind"] == "chain_row" && told["target_seq"] == list) {
            let is_older = told["seq"].as_i64() < Some(seq) && told["rev"].as_i64().unwrap_or(0) < seq;
            if is_older && is_this(&told["body"]) && !told["body"]["text"].is_null() {
                told["body"] = json!({ "change": told["body"]["change"], "row_no": told["body"]["row_no"] });
                told["rev"] = json!(seq);
            }
        }
    }

    fn edit(&mut self, target: i64, seq: i64, body: &Value) {
        if let Some(entry) = self.target(target, seq) {
            entry["body"] = body.clone();
            entry["rev"] = json!(seq);
        }
        let words: String = body["text"].as_str().unwrap_or_default().chars().take(QUOTED).collect();
        for reply in self.entries.values_mut().filter(|entry| entry["reply_to"] == json!(target)) {
            reply["quote"]["text"] = json!(words);
        }
    }

    fn pin(&mut self, target: i64, seq: i64, is_pinned: bool) {
        let Some(entry) = self.target(target, seq) else { return };
        entry["rev"] = json!(seq);
        let fields = entry.as_object_mut().unwrap();
        fields.remove("is_pinned");
        if is_pinned {
            fields.insert("is_pinned".to_owned(), json!(true));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(seq: i64, text: &str) -> Value {
        json!({ "v": 1, "seq": seq, "no": seq, "kind": "message", "body": { "text": text } })
    }

    fn texts(device: &Device) -> Vec<String> {
        let bodies = device.entries.values().map(|entry| &entry["body"]);
        bodies.map(|body| body["text"].as_str().unwrap_or("-").to_owned()).collect()
    }

    #[test]
    fn what_is_known_is_skipped_and_a_gap_waits() {
        let mut device = Device { epoch: "1".to_owned(), ..Device::default() };
        for seq in [1, 1, 3, 4] {
            device.hear(Rules::ALL, "1", said(seq, &seq.to_string()));
        }
        assert_eq!((device.have, device.is_behind()), (1, true));
        device.hear(Rules::ALL, "1", said(2, "2"));
        assert_eq!(
            (device.have, device.is_behind(), texts(&device)),
            (4, false, vec!["1", "2", "3", "4"].into_iter().map(str::to_owned).collect())
        );
        device.hear(Rules::ALL, "2", said(5, "5"));
        assert_eq!((device.have, device.is_behind()), (4, true), "another log is not ours");
    }

    #[test]
    fn a_recall_takes_the_words_and_their_quotes() {
        let mut device = Device { epoch: "1".to_owned(), ..Device::default() };
        let mut reply = said(2, "对");
        reply["reply_to"] = json!(1);
        reply["quote"] = json!({ "text": "错话" });
        let recall = json!({ "seq": 3, "no": 2, "kind": "recall", "target_seq": 1, "body": { "state": "recalled" } });
        for entry in [said(1, "错话"), reply, recall] {
            device.hear(Rules::ALL, "1", entry);
        }
        assert!(!json!(device.entries.values().collect::<Vec<_>>()).to_string().contains("错话"));
        assert_eq!(device.entries[&1]["rev"], 3);
    }
}
