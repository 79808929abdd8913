//! Whom those look at first who announce an elected village committee: one person for two posts, and kin beside kin; or chosen
//! representatives: two of one household.
use chrono::TimeDelta;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    CLOSED, OVERTURNED, candidate, is_committee_election, is_selection,
    kinds::{ELECTIONS, SELECTIONS},
    options_of,
    results::kept,
};
use crate::{
    error::Result,
    ids::HouseholdId,
    people::{self, queries::Named},
    text,
    votes::rows::vote,
};

/// Each post is a vote of its own, and 另行选举 is within so many days: these votes make one committee.
const DAYS: i64 = 30;
/// Votes of one committee at most.
const MAX_POSTS: u64 = 50;

/// Somebody who was chosen, and for what; the home of the only one of that name in the village.
struct Chosen {
    name: String,
    home: Option<HouseholdId>,
    question: String,
    is_of_this: bool,
}

/// What to look at before it is announced who was chosen by this vote, in Chinese; nothing where it is none for a village
/// committee or its representatives, or chose nobody. Of kin only those of one household are known here, and told only where
/// homes are: a roster is nothing for who lives elsewhere.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn conflicts(db: &impl ConnectionTrait, row: &vote::Model, tells_homes: bool) -> Result<Vec<String>> {
    let is_of_committee = is_committee_election(&row.preset);
    if !(is_of_committee || is_selection(&row.preset)) || row.settlement.as_deref() == Some(OVERTURNED) {
        return Ok(Vec::new());
    }
    let chosen = chosen(db, row, tells_homes).await?;
    if !chosen.iter().any(|one| one.is_of_this) {
        return Ok(Vec::new());
    }
    let mut told = Vec::new();
    for (at, one) in chosen.iter().enumerate() {
        for other in chosen.iter().skip(at + 1).filter(|other| one.is_of_this || other.is_of_this) {
            let key = if is_of_committee { between(one, other) } else { of_one_home(one, other) };
            told.extend(key.map(|key| sentence(key, (one, other))));
        }
    }
    if is_of_committee {
        told.push(text::say("vote-conflict-kin"));
    }
    Ok(told)
}

/// Everybody chosen for that committee, or as representatives about that time, and not overturned, in the order of the votes.
async fn chosen(db: &impl ConnectionTrait, row: &vote::Model, tells_homes: bool) -> Result<Vec<Chosen>> {
    let days = TimeDelta::days(DAYS);
    let alike = if is_selection(&row.preset) { SELECTIONS } else { ELECTIONS };
    let posts = vote::Entity::find()
        .filter(vote::Column::AreaCode.eq(row.area_code.as_str()))
        .filter(vote::Column::Preset.starts_with(alike))
        .filter(vote::Column::State.eq(CLOSED))
        .filter(vote::Column::Result.is_not_null())
        .filter(vote::Column::ClosesAt.between(row.closes_at - days, row.closes_at + days))
        .order_by_asc(vote::Column::ClosesAt)
        .order_by_asc(vote::Column::Id)
        .limit(MAX_POSTS);
    let mut all = Vec::new();
    for post in posts.all(db).await? {
        if post.settlement.as_deref() == Some(OVERTURNED) {
            continue;
        }
        let Some(elected) = kept(&post)?.choice else { continue };
        let is_elected = |key: &String| elected.elected.contains(key);
        for option in options_of(post.options.as_deref())?.into_iter().filter(|option| is_elected(&option.key)) {
            all.push(Chosen {
                home: if tells_homes { home(db, &row.area_code, &option.text).await? } else { None },
                name: option.text,
                question: post.question.clone(),
                is_of_this: post.id == row.id,
            });
        }
    }
    Ok(all)
}

/// What stands between two of them: one name, which may be a namesake's, or one household.
fn between(one: &Chosen, other: &Chosen) -> Option<&'static str> {
    if one.name == other.name {
        return Some("vote-conflict-posts");
    }
    let is_one_home = one.home.is_some() && one.home == other.home;
    is_one_home.then_some("vote-conflict-household")
}

/// Of one household one is chosen, whoever chose them (浙江实施办法, article 20).
fn of_one_home(one: &Chosen, other: &Chosen) -> Option<&'static str> {
    (one.home.is_some() && one.home == other.home).then_some("vote-conflict-representatives")
}

async fn home(db: &impl ConnectionTrait, area: &str, name: &str) -> Result<Option<HouseholdId>> {
    match candidate(db, area, name).await? {
        Named::One(id) => Ok(people::queries::person(db, id).await?.map(|person| person.household)),
        Named::Nobody | Named::Several => Ok(None),
    }
}

fn sentence(key: &str, (one, other): (&Chosen, &Chosen)) -> String {
    let blanks = [
        ("name", one.name.as_str().into()),
        ("other", other.name.as_str().into()),
        ("post", one.question.as_str().into()),
        ("other_post", other.question.as_str().into()),
    ];
    text::say_with(key, &blanks)
}
