//! What changed between two versions of a text, sentence by sentence.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// More comparisons are not made: then all of the old is shown as gone and all of the new as new.
const MOST: usize = 250_000;

/// What became of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// In both.
    Kept,
    /// In the newer alone.
    Added,
    /// In the older alone.
    Removed,
}

/// A piece of text and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// What became of it.
    pub fate: Fate,
    /// The text, its line break included.
    pub text: String,
}

/// The pieces of both in reading order. Those kept and added make the newer text, those kept and removed the older one.
#[must_use]
pub fn between(older: &str, newer: &str) -> Vec<Change> {
    let (old, new) = (pieces(older), pieces(newer));
    let head = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
    let (old, new) = (old.split_at(head), new.split_at(head));
    let tail = old.1.iter().rev().zip(new.1.iter().rev()).take_while(|(one, other)| one == other).count();
    let (old_middle, end) = old.1.split_at(old.1.len() - tail);
    let (new_middle, _) = new.1.split_at(new.1.len() - tail);
    let mut found = Vec::new();
    found.extend(old.0.iter().map(|piece| change(Fate::Kept, piece)));
    found.extend(compared(old_middle, new_middle));
    found.extend(end.iter().map(|piece| change(Fate::Kept, piece)));
    found
}

fn change(fate: Fate, text: &str) -> Change {
    Change { fate, text: text.to_owned() }
}

/// Sentences and lines, each with what ends it.
fn pieces(text: &str) -> Vec<&str> {
    text.split_inclusive(['\n', '\u{3002}', '\u{ff1b}', '\u{ff01}', '\u{ff1f}']).collect()
}

/// By the longest common subsequence.
fn compared(old: &[&str], new: &[&str]) -> Vec<Change> {
    let gone = || old.iter().map(|piece| change(Fate::Removed, piece));
    let come = || new.iter().map(|piece| change(Fate::Added, piece));
    if old.len().saturating_mul(new.len()) > MOST {
        return gone().chain(come()).collect();
    }
    let width = new.len() + 1;
    // how many pieces the rests have in common, from the end
    let mut common = vec![0_u16; (old.len() + 1) * width];
    let at = |i: usize, j: usize| i * width + j;
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let best = if old.get(i) == new.get(j) {
                common.get(at(i + 1, j + 1)).copied().unwrap_or_default() + 1
            } else {
                let (down, right) = (common.get(at(i + 1, j)), common.get(at(i, j + 1)));
                down.max(right).copied().unwrap_or_default()
            };
            if let Some(cell) = common.get_mut(at(i, j)) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    loop {
        match (old.get(i), new.get(j)) {
            (Some(one), Some(other)) if one == other => {
                found.push(change(Fate::Kept, one));
                (i, j) = (i + 1, j + 1);
            }
            (Some(one), Some(_)) if common.get(at(i + 1, j)) >= common.get(at(i, j + 1)) => {
                found.push(change(Fate::Removed, one));
                i += 1;
            }
            (Some(one), None) => {
                found.push(change(Fate::Removed, one));
                i += 1;
            }
            (_, Some(other)) => {
                found.push(change(Fate::Added, other));
                j += 1;
            }
            (None, None) => return found,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(changes: &[Change], left_out: Fate) -> String {
        changes.iter().filter(|one| one.fate != left_out).map(|one| one.text.as_str()).collect()
    }

    #[test]
    fn a_changed_sentence_is_shown_beside_what_stays() {
        let changes = between("装三盏灯。由村里出钱。五月动工。", "装五盏灯。由村里出钱。五月动工。");
        let fates: Vec<(Fate, &str)> = changes.iter().map(|one| (one.fate, one.text.as_str())).collect();
        let wanted = [
            (Fate::Removed, "装三盏灯。"),
            (Fate::Added, "装五盏灯。"),
            (Fate::Kept, "由村里出钱。"),
            (Fate::Kept, "五月动工。"),
        ];
        assert_eq!(fates, wanted);
        assert!(between("", "").is_empty());
    }

    #[test]
    fn what_is_too_long_to_compare_is_shown_whole() {
        let (old, new) = ("甲。".repeat(600), "乙。".repeat(600));
        let changes = between(&old, &new);
        assert_eq!((of(&changes, Fate::Added), of(&changes, Fate::Removed)), (old, new));
    }

    proptest! {
        #[test]
        fn both_texts_can_be_read_from_the_changes(old in "[甲乙丙。\n]{0,60}", new in "[甲乙丙。\n]{0,60}") {
            let changes = between(&old, &new);
            prop_assert_eq!(of(&changes, Fate::Added), old);
            prop_assert_eq!(of(&changes, Fate::Removed), new);
        }
    }
}
