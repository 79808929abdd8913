//! 留言台账: the voices that somebody handles as a table, read and sent a page at a time, so that no number of them is ever in
//! memory. Words and masked names stand there of what is public alone, as in the list: a file leaves no trace when it is read.
use bytes::Bytes;
use chrono::{DateTime, FixedOffset, NaiveTime, TimeDelta};
use futures_util::{Stream, stream};
use sea_orm::ActiveEnum;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Scope, SuggestionSummary, SuggestionsQuery, list};
use crate::{
    actor::Actor,
    app::App,
    areas,
    error::Result,
    page::Page,
    suggestions::rules::SuggestionState,
    table::{Format, sent, xlsx::Cell},
    text,
};

/// Rows read at once.
const AT_ONCE: u64 = 100;

/// Which of the voices that one handles.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VoicesQuery {
    /// Only those in this state.
    pub state: Option<SuggestionState>,
    /// As what it is sent; `csv` when absent.
    #[serde(default)]
    #[param(inline)]
    pub format: Format,
}

/// Every voice that the actor handles, the newest first, one row each. The caller has seen to it that there is a desk.
pub(in crate::suggestions) fn register(
    app: App,
    actor: Actor,
    query: VoicesQuery,
) -> impl Stream<Item = Result<Bytes>> {
    let pages = stream::try_unfold(Some(None), move |place| {
        let (app, actor) = (app.clone(), actor.clone());
        async move {
            let Some(cursor) = place else { return Ok(None) };
            let wanted = SuggestionsQuery { scope: Scope::Desk, state: query.state, cursor, limit: Some(AT_ONCE) };
            let Page { items, next_cursor } = list(app.store.read(), &app.keys, &actor, wanted).await?;
            let codes = items.iter().map(|voice| voice.area_code.clone()).collect();
            let names = areas::names(app.store.read(), codes).await?;
            let name = |voice: &SuggestionSummary| names.get(&voice.area_code).cloned().unwrap_or_default();
            let rows = items.into_iter().map(|voice| line(name(&voice), voice)).collect();
            Ok(Some((rows, next_cursor.map(Some))))
        }
    });
    sent(query.format, heads(), pages)
}

fn heads() -> Vec<Cell> {
    let keys = [
        "number",
        "area",
        "kind",
        "category",
        "urgency",
        "visibility",
        "text",
        "place",
        "author",
        "state",
        "body",
        "left",
        "accept-due",
        "accepted",
        "answer-due",
        "answered",
        "overdue",
        "level",
        "cosigns",
        "rating",
    ];
    keys.map(|key| Cell::from(text::word("voices", key))).to_vec()
}

fn line(area: String, voice: SuggestionSummary) -> Vec<Cell> {
    let word = |of: &str, code: String| text::word(of, &code);
    let words = [
        voice.number,
        area,
        word("suggestion-kind", voice.kind.to_value()),
        word("suggestion-category", voice.category.to_value()),
        word("suggestion-urgency", voice.urgency.to_value()),
        word("suggestion-visibility", voice.visibility.to_value()),
        voice.text.unwrap_or_default(),
        voice.place.unwrap_or_default(),
        voice.author_name.unwrap_or_default(),
        word("suggestion-state", voice.state.to_value()),
        voice.body_name,
        moment(voice.created_at),
        until(voice.accept_due_at),
        voice.accepted_at.map(moment).unwrap_or_default(),
        until(voice.answer_due_at),
        voice.answered_at.map(moment).unwrap_or_default(),
        voice.overdue.map(|which| word("voices-overdue", which.to_value())).unwrap_or_default(),
    ];
    let rating = voice.rating.map_or_else(|| Cell::from(String::new()), |stars| Cell::Number(stars.into()));
    let numbers = [Cell::Number(voice.level.into()), Cell::Number(voice.cosigns.into()), rating];
    words.map(Cell::from).into_iter().chain(numbers).collect()
}

fn moment(at: DateTime<FixedOffset>) -> String {
    at.format("%Y-%m-%d %H:%M").to_string()
}

/// A deadline is 24:00 of a day; nobody reads 00:00 of the next one as "until".
fn until(at: DateTime<FixedOffset>) -> String {
    if at.time() == NaiveTime::MIN { format!("{} 24:00", (at - TimeDelta::days(1)).date_naive()) } else { moment(at) }
}
