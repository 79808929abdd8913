//! The register of matters as a table: read and sent a page at a time, so that no size of it is ever in memory.
use bytes::Bytes;
use futures_util::{Stream, stream};
use serde::Deserialize;
use utoipa::IntoParams;

use super::views::{MatterSummary, MattersQuery, list};
use crate::{
    actor::covers,
    app::App,
    error::Result,
    page::Page,
    table::{Format, sent, xlsx::Cell},
    tasks::queries::{Sum, sums},
    text,
};

/// Rows read at once.
const AT_ONCE: u64 = 100;

/// Of which area.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RegisterQuery {
    /// Code of an area; everything below it counts. All when absent.
    pub area: Option<String>,
    /// As what it is sent; `csv` when absent.
    #[serde(default)]
    #[param(inline)]
    pub format: Format,
}

/// Every matter of an area, the newest first, one row each.
pub fn register(app: App, query: RegisterQuery) -> impl Stream<Item = Result<Bytes>> {
    let RegisterQuery { area, format } = query;
    let pages = stream::try_unfold(Some(None), move |place| {
        let (app, area) = (app.clone(), area.clone());
        async move {
            let Some(cursor) = place else { return Ok(None) };
            let query = MattersQuery { area, cursor, limit: Some(AT_ONCE), ..MattersQuery::default() };
            let Page { items, next_cursor } = list(app.store.read(), query).await?;
            let money = sums(app.store.read(), items.iter().map(|matter| matter.id).collect()).await?;
            let rows = items.into_iter().map(|matter| line(matter, &money)).collect();
            Ok(Some((rows, next_cursor.map(Some))))
        }
    });
    sent(format, heads(), pages)
}

fn heads() -> Vec<Cell> {
    let keys = [
        "number",
        "area",
        "title",
        "summary",
        "state",
        "stage",
        "raised",
        "due",
        "overdue",
        "moved",
        "budget",
        "spent",
        "estimate",
        "source",
        "responsible",
    ];
    keys.map(|key| Cell::from(text::word("register", key))).to_vec()
}

fn line(matter: MatterSummary, money: &[Sum]) -> Vec<Cell> {
    // what was done in other villages in the name of this matter is none of it
    let own = |sum: &&Sum| sum.matter == matter.id && covers(&matter.area_code, &sum.area);
    let total = |fen: fn(&Sum) -> i64| {
        let lines: Vec<i64> = money.iter().filter(own).map(fen).collect();
        if lines.is_empty() { Cell::from(String::new()) } else { Cell::Hundredths(lines.iter().sum()) }
    };
    let (budget, spent) = (total(|sum| sum.budget_fen), total(|sum| sum.spent_fen));
    let estimate = matter.budget.as_ref().map_or_else(|| Cell::from(String::new()), |one| Cell::Hundredths(one.fen));
    let source = Cell::from(matter.budget.map(|one| one.source).unwrap_or_default());
    let responsible = matter.responsible.map(|one| format!("{} {} {}", one.body_name, one.role_name, one.name));
    let day = |at: chrono::DateTime<chrono::FixedOffset>| at.date_naive().to_string();
    let words = [
        matter.number,
        matter.area_name,
        matter.title,
        matter.summary,
        matter.state_name,
        matter.stage_name,
        day(matter.created_at),
        matter.stage_due_at.map(day).unwrap_or_default(),
        if matter.is_overdue { text::say("register-is-overdue") } else { String::new() },
        day(matter.updated_at),
    ];
    words
        .map(Cell::from)
        .into_iter()
        .chain([budget, spent, estimate, source, responsible.unwrap_or_default().into()])
        .collect()
}
