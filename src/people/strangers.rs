//! Identity numbers of a roster that the county knows as somebody else's, or of somebody who is on another roster.
//!
//! # Why
//! Whoever brings in rosters could find out by trying whose identity number is known in the county. So a number means somebody of
//! another village only together with the name: a line with another name comes in like any other, without its number, and nobody
//! becomes two people by it. One of the two is wrong; the county hears of it, who may look at both. That somebody of this name
//! and number is on another roster is refused, because only that village can let them go, and the county hears of that, too.
use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};

use super::{matching::Listed, off_roster::MARK, rows::person};
use crate::{
    app::App,
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::PersonId,
    store::Tx,
};

/// Of very many so many are named: that is enough to look at both rosters, and what the event is for.
const NAMED: usize = 50;
/// Why somebody is refused who is on another roster.
const FOREIGN: &str = "on_other_roster";

/// Takes whoever is elsewhere and has another name than the line with their number off those that are known, and the number off
/// the line; from whom no roster ever had, who was entered by somebody with that number, a roster takes it. Gives who they are.
///
/// # Errors
/// When the database refuses.
pub(super) async fn set_apart(
    tx: &Tx,
    (area, listed): (&str, &mut [Listed]),
    known: &mut Vec<person::Model>,
) -> Result<Vec<PersonId>> {
    let elsewhere = known.iter().filter(|old| old.area_code != area);
    let elsewhere: HashMap<String, (PersonId, String, bool)> = elsewhere
        .filter_map(|old| Some((old.id_hmac.clone()?, (old.id, old.name.clone(), old.roster_number.starts_with(MARK)))))
        .collect();
    let (mut others, mut giving) = (HashSet::new(), Vec::new());
    for line in listed.iter_mut() {
        let Some((id, name, is_of_no_roster)) = line.id_hmac.as_ref().and_then(|number| elsewhere.get(number)) else {
            continue;
        };
        if *name == line.row.name {
            continue;
        }
        others.insert(*id);
        if *is_of_no_roster {
            giving.push(*id);
        } else {
            line.id_hmac = None;
        }
    }
    if !giving.is_empty() {
        let gives = person::Entity::update_many().col_expr(person::Column::IdHmac, Expr::value(None::<String>));
        gives.filter(person::Column::Id.is_in(giving)).exec(tx).await?;
    }
    known.retain(|old| !others.contains(&old.id));
    Ok(others.into_iter().collect())
}

/// Somebody whom another village counts among its own cannot be counted here; who has left there can, and stays the
/// same person: the voice left there is still theirs.
///
/// # Errors
/// `roster_invalid`.
pub(super) fn refuse_foreign(
    (area, listed): (&str, &[Listed]),
    found: &[Option<usize>],
    known: &[person::Model],
) -> Result<()> {
    let mut checks = Checks::default();
    for (line, at) in listed.iter().zip(found) {
        let old = at.and_then(|at| known.get(at));
        if old.is_some_and(|old| old.area_code != area && old.left_on.is_none()) && checks.count() < 50 {
            checks.wrong(format!("line {}, column id_no", line.row.line), FOREIGN);
        }
    }
    checks.done_as(Code::RosterInvalid)
}

/// Writes down for the county whose numbers a roster had under another name. Records `number.disputed`.
///
/// # Errors
/// When the database refuses.
pub(super) async fn tell(tx: &Tx, (area, by): (&str, Option<PersonId>), others: &[PersonId]) -> Result<()> {
    if others.is_empty() {
        return Ok(());
    }
    record(tx, (area, by), told(area, others)).await
}

/// How many they are, and the first of them.
fn told(area: &str, others: &[PersonId]) -> Value {
    let first = others.get(..NAMED).unwrap_or(others);
    json!({ "area": area, "count": others.len(), "people": first })
}

/// The same of a roster that was refused for people of another, in a unit of its own. Records `number.disputed`.
///
/// # Errors
/// When the database refuses.
pub(super) async fn tell_refused(
    app: &App,
    (area, by): (String, Option<PersonId>),
    refused: Option<&Error>,
) -> Result<()> {
    let Some(Error::Refused(refusal)) = refused else { return Ok(()) };
    let count = refusal.fields.iter().filter(|field| field.code == FOREIGN).count();
    if count == 0 {
        return Ok(());
    }
    let data = json!({ "area": area, "count": count, "refused": true });
    app.store.write(move |tx| Box::pin(async move { record(tx, (&area, by), data).await })).await
}

async fn record(tx: &Tx, (area, by): (&str, Option<PersonId>), data: Value) -> Result<()> {
    let happening = Happening { actor: by, ..Happening::new(Kind::NumberDisputed, area) };
    events::record(tx, happening.at(area).with(data)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_whose_number_is_disputed_an_event_names_some_and_counts_all() {
        let few: Vec<PersonId> = (0..3).map(|_| PersonId::new()).collect();
        assert_eq!(told("1", &few), json!({ "area": "1", "count": 3, "people": few }));
        let many: Vec<PersonId> = (0..5_000).map(|_| PersonId::new()).collect();
        assert_eq!(told("1", &many), json!({ "area": "1", "count": 5_000, "people": many[..NAMED] }));
    }
}
