//! Whether somebody has said the same already, or one said so oneself: shown before a voice is left, so that it need not be said
//! twice.
use std::{cmp::Reverse, collections::HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Suggestion,
    queries::{Shown, SuggestionSummary, public_of, summaries},
    rows::suggestion,
    rules::SuggestionState,
    words,
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

/// A voice that says much the same.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SimilarVoice {
    /// As in a list; one's own with its words, whoever else sees it.
    #[serde(flatten)]
    pub summary: SuggestionSummary,
    /// Is it one's own?
    pub is_own: bool,
}

/// Voices that are not over and say much the same: one's own, whoever sees them, and then the public ones of the own village, the
/// most alike first; 3 at most.
///
/// # Errors
/// `invalid_fields`.
pub async fn similar(app: &App, actor: &Actor, about: &AboutToSay) -> Result<Vec<SimilarVoice>> {
    let mut checks = Checks::default();
    checks.text("text", &about.text, 0..=2000);
    checks.text("place", &about.place, 0..=100);
    checks.done()?;
    let db = app.store.read();
    let asked = pairs(&format!("{} {}", about.text, about.place));
    if asked.len() < LEAST_PAIRS {
        return Ok(Vec::new());
    }
    let (is_mine, is_anothers) =
        (suggestion::Column::AuthorId.eq(actor.person), suggestion::Column::AuthorId.ne(actor.person));
    let mine = words::open(db, &app.keys, newest(db, (Condition::all().add(is_mine), app.now())).await?).await?;
    let mine = alike(&asked, mine, SHOWN);
    let others = newest(db, (public_of(&actor.area).add(is_anothers), app.now())).await?;
    let others = alike(&asked, others, SHOWN - mine.len());
    let mine = summaries(db, mine, Shown::All).await?.into_iter().map(|summary| SimilarVoice { summary, is_own: true });
    let others = summaries(db, others, Shown::PublicOnly).await?;
    let others = others.into_iter().map(|summary| SimilarVoice { summary, is_own: false });
    Ok(mine.chain(others).collect())
}

/// The newest of these that are not over.
async fn newest(db: &impl ConnectionTrait, (which, now): (Condition, DateTime<Utc>)) -> Result<Vec<Suggestion>> {
    let rows = suggestion::Entity::find()
        .filter(which)
        .filter(suggestion::Column::State.is_not_in([SuggestionState::Rated, SuggestionState::Withdrawn]))
        .filter(suggestion::Column::CreatedAt.gt(now - TimeDelta::days(DAYS)))
        .order_by_desc(suggestion::Column::CreatedAt)
        .limit(LOOKED_AT);
    Ok(rows.all(db).await?)
}

/// Those that say much the same, the most alike first, so many at most.
fn alike(asked: &HashSet<(char, char)>, rows: Vec<Suggestion>, most: usize) -> Vec<Suggestion> {
    let mut alike: Vec<_> = rows
        .into_iter()
        .map(|row| (percent(asked, &pairs(&format!("{} {}", row.text, row.place))), row))
        .filter(|(percent, _)| *percent >= ALIKE_PERCENT)
        .collect();
    alike.sort_by_key(|(percent, _)| Reverse(*percent));
    alike.truncate(most);
    alike.into_iter().map(|(_, row)| row).collect()
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
