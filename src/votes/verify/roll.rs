//! The roll of an archive: frozen with its root, changed by entries of the board alone; pure.
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Board, Checked, list, require};
use crate::board::{
    lsb1::{self, hex, jcs},
    tree,
};

/// Who may have cast.
pub(super) struct Roll {
    tags: BTreeSet<String>,
    /// Numbers that were given, from 1.
    last: u64,
    struck: BTreeSet<u64>,
}

/// The frozen roll, which is that of the manifest and of the board.
pub(super) fn roll(archive: &Value, board: &Board<'_>) -> Checked<Roll> {
    let electors = list(&archive["roll"], "roll")?;
    let (mut leaves, mut tags) = (Vec::new(), BTreeSet::new());
    for (number, elector) in (1_u64..).zip(electors) {
        let (tag, unit) = (elector["tag"].as_str().ok_or("roll")?, elector["u"].as_str().ok_or("roll")?);
        // one vote each: nothing here weighs
        require(*elector == lsb1::elector_entry(number, tag, unit, 1), "roll")?;
        require(tags.insert(tag.to_owned()), "roll")?;
        leaves.push(tree::leaf(jcs(elector).as_bytes()));
    }
    let (last, root) = (leaves.len() as u64, hex(&tree::root(&leaves)));
    require(board.manifest["roll"] == json!({ "n": last, "root": root }), "roll")?;
    require(board.entries.get(1) == Some(&lsb1::roll_entry(&board.poll, last, &root)), "roll")?;
    Ok(Roll { tags, last, struck: BTreeSet::new() })
}

impl Roll {
    /// Those on it.
    pub(super) fn on_roll(&self) -> u64 {
        self.last - self.struck.len() as u64
    }

    /// Is this one on it?
    pub(super) fn holds(&self, number: u64) -> bool {
        (1..=self.last).contains(&number) && !self.struck.contains(&number)
    }

    /// Makes the changes that the board tells, in their order; says whether there were any. Numbers go on without a gap,
    /// nobody is added twice, only who is on it is struck and only who was struck is restored.
    pub(super) fn amend(&mut self, board: &Board<'_>) -> Checked<bool> {
        let mut is_amended = false;
        for entry in board.of("amend") {
            is_amended = true;
            let number = entry["n"].as_u64().ok_or("amend")?;
            require(entry["sha256"].as_str().and_then(lsb1::unhex_hash).is_some(), "amend")?;
            let fields = entry.as_object().map_or(0, serde_json::Map::len);
            match entry["op"].as_str() {
                Some("add") => {
                    let (tag, unit) = (entry["tag"].as_str().ok_or("amend")?, entry["u"].as_str());
                    let is_whole = unit.is_some() && entry["w"] == 1 && fields == 9;
                    require(is_whole && number == self.last + 1 && self.tags.insert(tag.to_owned()), "amend")?;
                    self.last = number;
                }
                Some("strike") => {
                    require(fields == 6 && self.holds(number), "amend")?;
                    self.struck.insert(number);
                }
                Some("restore") => require(fields == 6 && self.struck.remove(&number), "amend")?,
                _ => return Err("amend"),
            }
        }
        Ok(is_amended)
    }
}
