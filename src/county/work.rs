//! What each body did over a month or a year: how often it took counsel, how often it served, and how many people.
//!
//! # Why
//! A council answers no voices; what it does is to meet, to say what it holds of a matter, and what it writes down that it did,
//! by its service groups. All of that is on public record and is counted as it is. Of answers, parts and tasks, and of the people
//! they were for, fewer than five are not shown and more are rounded down to fives, as in `suggestions::by_body`, for the same reason. No body is ranked: they come by name.
use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::App,
    areas,
    bodies::{self, rules::CouncilFunction},
    clock,
    error::Result,
    ids::BodyId,
    matters, meetings,
    suggestions::{self, Served, by_body},
    tasks,
};

/// Of fewer nothing is shown.
const FEWEST: i64 = 5;

/// What one body did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BodyWork {
    /// The body.
    pub body_id: BodyId,
    /// Its name.
    pub body_name: String,
    /// 参事次数: meetings that it held, opinions that it gave, and advice that it wrote down.
    pub consults: i64,
    /// 服务次数: at least so many voices answered, parts done and tasks finished; a multiple of five, absent of fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub services_at_least: Option<i64>,
    /// 受惠人数: at least so many people whose voices it answered; a multiple of five, absent of fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people_at_least: Option<i64>,
    /// What a council wrote down that it did, by its service groups; what it did as a whole comes first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupWork>,
}

/// What one service group of a council did, as the council wrote it down: public word by word, and counted as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupWork {
    /// The group; absent: the council as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_group: Option<String>,
    /// 参事次数: advice.
    pub consults: i64,
    /// 服务次数: everything else.
    pub services: i64,
    /// 受惠人数: for how many people, taken together.
    pub people: i64,
}

/// What bodies did in an area and below it in a month (`2026-11`) or a year (`2026`) that is over, by their names; ten minutes
/// old at most.
///
/// # Errors
/// `not_found` for an unknown area; `invalid_fields` for what is no period, not over, or over for five years.
pub async fn work(app: &App, (area, text): (&str, &str)) -> Result<Vec<BodyWork>> {
    let (from, to) = by_body::past(text, app.now())?;
    let db = app.store.read();
    areas::get(db, area).await?;
    app.counted.figures(format!("work {area} {from} {to}"), || counted(db, (area, from, to))).await
}

async fn counted(db: &impl ConnectionTrait, (area, from, to): (&str, NaiveDate, NaiveDate)) -> Result<Vec<BodyWork>> {
    let time = (area, clock::start_of_day(from), clock::start_of_day(to));
    let mut consults: HashMap<BodyId, i64> = HashMap::new();
    let held = meetings::queries::held::held_by_body(db, time).await?;
    for (body, times) in held.into_iter().chain(matters::queries::opinions_by_body(db, time).await?) {
        *consults.entry(body).or_default() += times;
    }
    let mut served = suggestions::served(db, (area, from, to)).await?;
    for (body, times) in tasks::queries::done_by_body(db, time).await? {
        served.entry(body).or_default().services += times;
    }
    let groups = by_group(db, (area, from, to)).await?;
    for (body, groups) in &groups {
        *consults.entry(*body).or_default() += groups.iter().map(|one| one.consults).sum::<i64>();
    }
    let all: Vec<BodyId> = consults.keys().chain(served.keys()).copied().collect();
    let names = bodies::queries::names(db, all).await?;
    let show = |(body_id, body_name): (BodyId, String)| {
        let Served { services, people } = served.get(&body_id).copied().unwrap_or_default();
        let one = BodyWork {
            consults: consults.get(&body_id).copied().unwrap_or_default(),
            services_at_least: at_least(services),
            people_at_least: at_least(people),
            groups: groups.get(&body_id).cloned().unwrap_or_default(),
            body_id,
            body_name,
        };
        // not even which body it was that did so little
        (one.consults > 0 || one.services_at_least.is_some() || !one.groups.is_empty()).then_some(one)
    };
    let mut shown: Vec<BodyWork> = names.into_iter().filter_map(show).collect();
    shown.sort_by(|one, other| one.body_name.cmp(&other.body_name).then(one.body_id.0.cmp(&other.body_id.0)));
    Ok(shown)
}

async fn by_group(
    db: &impl ConnectionTrait,
    time: (&str, NaiveDate, NaiveDate),
) -> Result<HashMap<BodyId, Vec<GroupWork>>> {
    let mut groups: HashMap<BodyId, BTreeMap<Option<String>, GroupWork>> = HashMap::new();
    for one in bodies::services::counted(db, time).await? {
        let of_body = groups.entry(one.body).or_default();
        let group = of_body.entry(one.group).or_default();
        match one.function {
            CouncilFunction::Advice => group.consults += one.times,
            _ => group.services += one.times,
        }
        group.people += one.people;
    }
    let named = |(service_group, work): (Option<String>, GroupWork)| GroupWork { service_group, ..work };
    Ok(groups.into_iter().map(|(body, of_body)| (body, of_body.into_iter().map(named).collect())).collect())
}

fn at_least(count: i64) -> Option<i64> {
    (count >= FEWEST).then(|| count - count % FEWEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_few_nothing_is_shown_and_of_more_whole_fives() {
        assert_eq!([0, 4, 5, 9, 10].map(at_least), [None, None, Some(5), Some(5), Some(10)]);
    }
}
