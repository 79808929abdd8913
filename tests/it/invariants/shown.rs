//! All that a phone shows of a group: its entries, its lists, its members, its row in the list of streams.
use std::collections::{BTreeMap, BTreeSet};

use liusheng::ids::PersonId;
use serde_json::{Map, Value, json};

use crate::{
    simulation::{
        device::{Device, Rules},
        fetch,
    },
    support::Somebody,
};

/// Entries that people count.
const COUNTED: [&str; 4] = ["message", "chain", "card", "edit"];
/// Follows from entries for everybody but who acts; preview and time come with the list.
const COUNTERS: [&str; 5] = ["epoch", "last_seq", "last_no", "read_seq", "unread"];

/// What somebody sees at one moment.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) device: Device,
    /// By place: rows by number, and whether it is closed.
    lists: BTreeMap<i64, (BTreeMap<i64, Value>, bool)>,
    /// By person: the role.
    members: BTreeMap<String, String>,
    row: Map<String, Value>,
}

impl Shown {
    pub(super) async fn to(who: &Somebody, stream: &str) -> Self {
        let mut device = Device::default();
        fetch(&mut device, Rules::ALL, who, stream).await;
        let mut lists = BTreeMap::new();
        for seq in device.entries.iter().filter(|(_, entry)| entry["kind"] == "chain").map(|(seq, _)| *seq) {
            let list = who.get(&format!("/v1/streams/{stream}/chains/{seq}")).await.ok();
            let rows = list["rows"].as_array().unwrap().iter();
            let rows: BTreeMap<i64, Value> = rows.map(|row| (row["row_no"].as_i64().unwrap(), row.clone())).collect();
            assert_eq!(list["total"], json!(rows.values().map(|row| row["quantity"].as_i64().unwrap()).sum::<i64>()));
            lists.insert(seq, (rows, !list["closed_at"].is_null()));
        }
        let found = who.get(&format!("/v1/streams/{stream}/members")).await;
        let members = found.body["members"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let members = members.iter().map(|one| (text(&one["id"]), text(&one["role"]))).collect();
        let list = who.get("/v1/sync").await.ok();
        let row = list["streams"].as_array().unwrap().iter().find(|row| row["id"] == json!(stream)).unwrap();
        Self { device, lists, members, row: row.as_object().unwrap().clone() }
    }

    pub(super) fn entries(&self) -> &BTreeMap<i64, Value> {
        &self.device.entries
    }

    /// What of the row in the list is another.
    pub(super) fn columns_unlike(&self, other: &Self) -> BTreeSet<String> {
        self.row
            .iter()
            .filter(|(name, value)| other.row.get(*name) != Some(value))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Takes into lists, members and counters what the entries beyond `seen` say.
    pub(super) fn follow(&mut self, seen: i64, me: PersonId) {
        let new: Vec<Value> = self.device.entries.range(seen + 1..).map(|(_, entry)| entry.clone()).collect();
        for entry in new {
            let body = &entry["body"];
            match entry["kind"].as_str().unwrap() {
                "chain" => drop(self.lists.insert(entry["seq"].as_i64().unwrap(), (BTreeMap::new(), false))),
                "chain_row" => self.change_list(&entry),
                "member" => self.change_members(body["person_id"].as_str().unwrap(), body["change"].as_str().unwrap()),
                _ => {}
            }
            if COUNTED.iter().any(|kind| entry["kind"] == *kind) {
                let is_own = entry["sender"]["id"] == json!(me);
                let unread = self.row["unread"].as_i64().unwrap();
                self.row["unread"] = json!(if is_own { 0 } else { unread + 1 });
                if is_own {
                    self.row["read_seq"] = entry["seq"].clone();
                }
            }
            self.row["last_seq"] = entry["seq"].clone();
            self.row["last_no"] = entry["no"].clone();
        }
    }

    fn change_list(&mut self, entry: &Value) {
        let body = &entry["body"];
        let (rows, is_closed) = self.lists.get_mut(&entry["target_seq"].as_i64().unwrap()).unwrap();
        match body["change"].as_str().unwrap() {
            "closed" => *is_closed = true,
            "removed" => drop(rows.remove(&body["row_no"].as_i64().unwrap())),
            _ => {
                let mut row = json!({ "row_no": body["row_no"], "person_id": entry["sender"]["id"],
                    "name": entry["sender"]["name"], "text": body["text"], "quantity": body["quantity"] });
                if body["cells"].is_array() {
                    row["cells"] = body["cells"].clone();
                }
                rows.insert(body["row_no"].as_i64().unwrap(), row);
            }
        }
    }

    fn change_members(&mut self, person: &str, change: &str) {
        match change {
            "joined" => drop(self.members.insert(person.to_owned(), "member".to_owned())),
            "leads" => drop(self.members.insert(person.to_owned(), "leader".to_owned())),
            _ => drop(self.members.remove(person)),
        }
    }

    #[track_caller]
    pub(super) fn require_same(&self, other: &Self, what: &str) {
        assert_eq!(self.device.entries, other.device.entries, "{what}");
        assert_eq!(self.lists, other.lists, "{what}");
        assert_eq!(self.members, other.members, "{what}");
        let counters = |shown: &Self| COUNTERS.map(|column| shown.row[column].clone());
        assert_eq!(counters(self), counters(other), "{what}: {COUNTERS:?}");
    }
}
