//! 流动票箱: boxes that are carried to those who cannot come, approved by the town and each watched by three at least
//! (浙江选举办法, article 24); pure.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::paper::MAX_BOXES;

/// 三名以上监票人.
pub const LEAST_WATCHERS: usize = 3;
/// More is a list of something else.
pub const MOST_WATCHERS: usize = 10;

/// The boxes that are carried in one vote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MobileBoxes {
    /// Who of the town approved them, and when; everybody reads it. 2 to 60 characters.
    #[schema(min_length = 2, max_length = 60)]
    pub approved: String,
    /// Each of them.
    #[schema(min_items = 1, max_items = 20)]
    pub boxes: Vec<MobileBox>,
}

/// One box that is carried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MobileBox {
    /// Its number among all boxes.
    #[serde(rename = "box")]
    #[schema(minimum = 1, maximum = 20)]
    pub number: i32,
    /// 监票人: who go with it and answer for it, by name; everybody reads it.
    #[schema(min_items = 3, max_items = 10)]
    pub watchers: Vec<String>,
}

impl MobileBox {
    /// Is it one that can be?
    #[must_use]
    pub fn is_known(&self) -> bool {
        (1..=MAX_BOXES).contains(&self.number)
    }

    /// Do enough go with it, each named once?
    #[must_use]
    pub fn is_watched(&self) -> bool {
        let names: Vec<&str> = self.watchers.iter().map(|name| name.trim()).collect();
        let is_once = |at: usize, name: &&str| !names.iter().take(at).any(|before| before == name);
        (LEAST_WATCHERS..=MOST_WATCHERS).contains(&names.len())
            && names.iter().enumerate().all(|(at, name)| is_once(at, name))
    }
}

impl MobileBoxes {
    /// Their numbers, as they are kept with the vote; the names stand beside the article.
    #[must_use]
    pub fn kept(&self) -> String {
        self.boxes.iter().map(|one| one.number.to_string()).collect::<Vec<_>>().join(",")
    }
}

/// The numbers that were kept.
#[must_use]
pub fn numbers(kept: Option<&str>) -> Vec<i32> {
    kept.unwrap_or_default().split(',').filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carried(number: i32, names: &[&str]) -> MobileBox {
        MobileBox { number, watchers: names.iter().map(|name| (*name).to_owned()).collect() }
    }

    #[test]
    fn three_go_with_a_box_and_each_is_somebody_else() {
        assert!(carried(2, &["甲", "乙", "丙"]).is_watched());
        for wrong in [&["甲", "乙"][..], &["甲", "乙", "甲 "], &[], &["甲"; 11]] {
            assert!(!carried(2, wrong).is_watched(), "{wrong:?}");
        }
        assert!(carried(20, &[]).is_known() && !carried(0, &[]).is_known() && !carried(21, &[]).is_known());
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let all = MobileBoxes { approved: "镇里".to_owned(), boxes: vec![carried(2, &[]), carried(11, &[])] };
        assert_eq!(numbers(Some(&all.kept())), [2, 11]);
        assert!(numbers(None).is_empty());
    }
}
