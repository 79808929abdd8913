//! Whether somebody has said the same already: shown before a public voice is left, so that it need not be said twice.
use std::{cmp::Reverse, collections::HashSet};

use chrono::TimeDelta;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    queries::{Shown, SuggestionSummary, public_of, summaries},
    rows::suggestion,
    rules::SuggestionState,
};
use crate::{
    actor::Actor,
    app::App,
    error::{Checks, Result},
};

/// Voices that are looked through, the newest.
const LOOKED_AT: u64 = 300;
/// How old they may be.
const DAYS: i64 = 180;
/// Shown at most: what fits on a phone.
const SHOWN: usize = 3;
/// Of a hundred pairs of signs of the shorter of two texts, how many must be in the other, too.
const ALIKE_PERCENT: usize = 40;
/// Fewer pairs than this say nothing.
const LEAST_PAIRS: usize = 3;

/// What somebody is about to say.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AboutToSay {
    /// The words; up to 2,000 characters.
    #[schema(max_length = 2000)]
    pub text: String,
    /// Where; up to 100 characters.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub place: String,
}

/// Public voices of the own village that are not over and say much the same, the most alike first; 3 at most.
///
/// # Errors
/// `invalid_fields`.
pub async fn similar(app: &App, actor: &Actor, about: &AboutToSay) -> Result<Vec<SuggestionSummary>> {
    let mut checks = Checks::default();
    checks.text("text", &about.text, 0..=2000);
    checks.text("place", &about.place, 0..=100);
    checks.done()?;
    let db = app.store.read();
    let asked = pairs(&format!("{} {}", about.text, about.place));
    if asked.len() < LEAST_PAIRS {
        return Ok(Vec::new());
    }
    let rows = suggestion::Entity::find()
        .filter(public_of(&actor.area))
        .filter(suggestion::Column::AuthorId.ne(actor.person))
        .filter(suggestion::Column::State.is_not_in([SuggestionState::Rated, SuggestionState::Withdrawn]))
        .filter(suggestion::Column::CreatedAt.gt(app.now() - TimeDelta::days(DAYS)))
        .order_by_desc(suggestion::Column::CreatedAt)
        .limit(LOOKED_AT)
        .all(db)
        .await?;
    let mut alike: Vec<_> = rows
        .into_iter()
        .map(|row| (percent(&asked, &pairs(&format!("{} {}", row.text, row.place))), row))
        .filter(|(percent, _)| *percent >= ALIKE_PERCENT)
        .collect();
    alike.sort_by_key(|(percent, _)| Reverse(*percent));
    alike.truncate(SHOWN);
    summaries(db, alike.into_iter().map(|(_, row)| row).collect(), Shown::PublicOnly).await
}

/// Signs that follow one another; Chinese needs no more to be compared (see `streams`, which searches by them).
fn pairs(text: &str) -> HashSet<(char, char)> {
    let words = text.split(|sign: char| !sign.is_alphanumeric());
    words.flat_map(|word| word.chars().zip(word.chars().skip(1))).collect()
}

fn percent(one: &HashSet<(char, char)>, other: &HashSet<(char, char)>) -> usize {
    let shorter = one.len().min(other.len());
    if shorter < LEAST_PAIRS {
        return 0;
    }
    one.intersection(other).count() * 100 / shorter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_in_other_words_is_alike_and_something_else_is_not() {
        let alike = |one: &str, other: &str| percent(&pairs(one), &pairs(other)) >= ALIKE_PERCENT;
        assert!(alike("桥头的路灯坏了，晚上看不见", "桥头路灯坏了三天了"));
        assert!(alike("3组晒谷场旁边的水沟堵了", "晒谷场水沟堵了，一下雨就漫出来"));
        assert!(!alike("桥头的路灯坏了", "希望礼堂多放几场电影"));
        assert!(!alike("好", "好的"), "two signs say nothing");
        assert!(!alike("", ""));
    }
}
