//! What was found at the end, by invariant.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    super::{
        order::out_of_order,
        phone::Phone,
        recalled::{holds, rows},
    },
    people::Known,
    world::{Talk, World},
};
use crate::{
    simulation::{
        device::{Device, Rules},
        fetch,
        judge::Judge,
    },
    support::Raw,
};

/// Each line begins with the invariant that it breaks.
#[derive(Default)]
pub(super) struct Verdict {
    pub(super) wrong: Vec<String>,
}

impl Verdict {
    pub(super) fn add(&mut self, wrong: String) {
        self.wrong.push(wrong);
    }

    /// Through each server: what stands in the log, what each device holds, what the list says.
    pub(super) async fn judge(&mut self, world: &World, talk: &Talk, known: &Known, held: &[(usize, usize, Phone)]) {
        let truth = known.truth().clone();
        let phones = held.iter().filter(|(_, number, _)| *number == talk.number);
        let devices: Vec<(usize, &Device)> = phones.map(|(person, _, phone)| (*person, &phone.device)).collect();
        let mut shown: Option<BTreeMap<i64, Value>> = None;
        for (node, address) in world.addresses().into_iter().enumerate() {
            let people: Vec<_> = talk.people.iter().map(|who| who.at(address)).collect();
            let Some(reader) = people.last() else { continue };
            // what every device holds was compared at the first one
            let asked = if node == 0 { people.len() } else { 1 };
            let judge = Judge { stream: &talk.stream, reader, people: &people[..asked], truth: &truth };
            for wrong in judge.judge(&devices).await {
                self.add(if node == 0 { wrong } else { format!("I12: the other server: {wrong}") });
            }
            let mut fresh = Device::default();
            fetch(&mut fresh, Rules::ALL, reader, &talk.stream).await;
            let is_pinned = |(seq, entry): (&i64, &Value)| (entry["is_pinned"] == json!(true)).then_some(*seq);
            let pinned: BTreeSet<i64> = fresh.entries.iter().filter_map(is_pinned).collect();
            if pinned != known.pinned() {
                self.add(format!("I8: server {node}: {pinned:?} are pinned instead of {:?}", known.pinned()));
            }
            if *shown.get_or_insert_with(|| fresh.entries.clone()) != fresh.entries {
                self.add(format!("I8: server {node} shows another conversation than the first"));
            }
        }
        if let Some((before, after)) = out_of_order(&known.history()) {
            self.add(format!("I3: {before:?} was answered before {after:?} was begun"));
        }
    }

    /// Ends the servers, and looks into the database and their logs.
    pub(super) async fn close(&mut self, world: &World, talks: &[Arc<Known>]) {
        let (log, wrong) = world.end().await;
        self.wrong.extend(wrong);
        let raw = Raw::open(world.data_dir()).await;
        let holes = "SELECT count(*) FROM streams s WHERE s.last_seq <> (SELECT count(*) FROM entries e WHERE e.stream_id = s.id) \
            OR s.last_seq <> (SELECT coalesce(max(e.seq), 0) FROM entries e WHERE e.stream_id = s.id)";
        let holes = raw.one::<i64>(holes).await;
        raw.close().await;
        if holes != 0 {
            self.add(format!("I2: {holes} streams with a hole"));
        }
        let mut places = rows(world.data_dir());
        places.push(("log".to_owned(), log));
        for known in talks {
            for text in &known.truth().recalled {
                if let Some((name, _)) = places.iter().find(|(_, all)| holds(all, text)) {
                    self.wrong.push(format!("I5: {name} holds {text}"));
                }
            }
        }
    }
}
