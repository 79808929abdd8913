//! How well bodies answered and what they did, as one table: a row for each, by their names.
use std::collections::BTreeMap;

use super::work::{self, BodyWork, GroupWork};
use crate::{
    app::App,
    error::Result,
    ids::BodyId,
    suggestions::by_body::{self, BodyFigures},
    table::{Format, whole, xlsx::Cell},
    text,
};

/// Columns of how well a body answered: a service group answers nothing.
const FIGURES: usize = 6;

/// What is known of one body; of fewer than five nothing is.
#[derive(Default)]
struct Known {
    figures: Option<BodyFigures>,
    work: Option<BodyWork>,
}

/// The table of an area and a period.
///
/// # Errors
/// `not_found` for an unknown area; `invalid_fields` for what is no period, not over, or over for five years.
pub(super) async fn table(app: &App, (area, period): (&str, &str), format: Format) -> Result<Vec<u8>> {
    let mut known: BTreeMap<(String, BodyId), Known> = BTreeMap::new();
    for one in by_body::by_body(app, (area, period)).await? {
        let key = (one.body_name.clone(), one.body_id);
        known.entry(key).or_default().figures = Some(one);
    }
    for one in work::work(app, (area, period)).await? {
        let key = (one.body_name.clone(), one.body_id);
        known.entry(key).or_default().work = Some(one);
    }
    whole(format, heads(), known.into_iter().flat_map(|((name, _), known)| lines(period, name, &known)))
}

fn heads() -> Vec<Cell> {
    let keys = [
        "period",
        "body",
        "left",
        "answered",
        "on-time",
        "solved",
        "satisfied",
        "median",
        "consults",
        "services",
        "people",
    ];
    keys.map(|key| Cell::from(text::word("figures-table", key))).to_vec()
}

/// That of a body, and below it one of each service group.
fn lines(period: &str, name: String, known: &Known) -> Vec<Vec<Cell>> {
    let groups = known.work.as_ref().map(|work| work.groups.as_slice()).unwrap_or_default();
    let of_groups: Vec<Vec<Cell>> = groups.iter().map(|group| line_of_group(period, (&name, group))).collect();
    [line(period, name, known)].into_iter().chain(of_groups).collect()
}

fn line_of_group(period: &str, (body, group): (&str, &GroupWork)) -> Vec<Cell> {
    let of = group.service_group.clone().unwrap_or_else(|| text::say("figures-table-no-group"));
    let heads = [period.to_owned(), format!("{body} · {of}")].into_iter();
    let not_asked = std::iter::repeat_n(String::new(), FIGURES);
    let numbers = [group.consults, group.services, group.people].map(Cell::Number);
    heads.chain(not_asked).map(Cell::from).chain(numbers).collect()
}

fn line(period: &str, name: String, known: &Known) -> Vec<Cell> {
    let (figures, work) = (known.figures.as_ref(), known.work.as_ref());
    let numbers = [
        figures.map(|one| one.left_at_least),
        figures.map(|one| one.answered_percent),
        figures.and_then(|one| one.on_time_percent),
        figures.and_then(|one| one.solved_percent),
        figures.and_then(|one| one.satisfied_percent),
        figures.and_then(|one| one.median_days),
        work.map(|one| one.consults),
        work.and_then(|one| one.services_at_least),
        work.and_then(|one| one.people_at_least),
    ];
    let number = |one: Option<i64>| one.map_or_else(|| Cell::from(String::new()), Cell::Number);
    [Cell::from(period.to_owned()), Cell::from(name)].into_iter().chain(numbers.map(number)).collect()
}
