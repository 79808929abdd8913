//! The register of matters as a table: read and sent a page at a time, so that no size of it is ever in memory.
use bytes::Bytes;
use futures_util::{Stream, stream};
use serde::Deserialize;
use utoipa::IntoParams;

use super::views::{MatterSummary, MattersQuery, list};
use crate::{app::App, error::Result, page::Page, table, text};

/// Rows read at once.
const AT_ONCE: u64 = 100;

/// Of which area.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RegisterQuery {
    /// Code of an area; everything below it counts. All when absent.
    pub area: Option<String>,
}

/// Where the table is.
enum Place {
    Head,
    After(Option<String>),
    End,
}

/// Every matter of an area, the newest first, one line each.
pub fn register(app: App, area: Option<String>) -> impl Stream<Item = Result<Bytes>> {
    stream::try_unfold(Place::Head, move |place| {
        let (app, area) = (app.clone(), area.clone());
        async move {
            let cursor = match place {
                Place::Head => {
                    let head = [table::START.to_vec(), table::lines([heads()])?].concat();
                    return Ok(Some((head.into(), Place::After(None))));
                }
                Place::After(cursor) => cursor,
                Place::End => return Ok(None),
            };
            let query = MattersQuery { area, cursor, limit: Some(AT_ONCE), ..MattersQuery::default() };
            let Page { items, next_cursor } = list(app.store.read(), query).await?;
            let lines = table::lines(items.into_iter().map(line))?;
            let next = next_cursor.map_or(Place::End, |cursor| Place::After(Some(cursor)));
            Ok(Some((lines.into(), next)))
        }
    })
}

fn heads() -> Vec<String> {
    let keys = ["number", "area", "title", "summary", "state", "stage", "raised", "due", "overdue", "moved"];
    keys.map(|key| text::say(&format!("register-{key}"))).to_vec()
}

fn line(matter: MatterSummary) -> Vec<String> {
    let day = |at: chrono::DateTime<chrono::FixedOffset>| at.date_naive().to_string();
    vec![
        table::cell(&matter.number),
        table::cell(&matter.area_name),
        table::cell(&matter.title),
        table::cell(&matter.summary),
        matter.state_name,
        matter.stage_name,
        day(matter.created_at),
        matter.stage_due_at.map(day).unwrap_or_default(),
        if matter.is_overdue { text::say("register-is-overdue") } else { String::new() },
        day(matter.updated_at),
    ]
}
