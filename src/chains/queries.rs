//! Reads of lists.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rows::{chain, chain_row};
use crate::{
    actor::Actor,
    app::App,
    clock,
    error::{Code, Result},
    ids::{HouseholdId, PersonId, StreamId},
    people, streams,
    table::{Format, whole, xlsx::Cell},
    text,
};

/// A list with its rows.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ChainView {
    /// What it is about.
    pub title: String,
    /// How a row may look.
    pub example: String,
    /// Places.
    pub max_rows: i32,
    /// No rows from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<DateTime<FixedOffset>>,
    /// Closed by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime<FixedOffset>>,
    /// Has each person a row, or each household?
    pub slot: String,
    /// What else a row says, by name.
    pub fields: Vec<String>,
    /// The reader may close it and fetch it as a table: who started it and who leads the conversation.
    pub is_keeper: bool,
    /// Sum of the quantities.
    pub total: i64,
    /// In the order in which they were added.
    pub rows: Vec<ChainRowView>,
}

/// One row.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ChainRowView {
    /// Its number; the number of a row that was taken away does not come again.
    pub row_no: i32,
    /// Whose, as `sender.id` beside what that person says there.
    pub person_id: PersonId,
    /// The reader's own.
    #[serde(skip)]
    pub is_mine: bool,
    /// Masked.
    pub name: String,
    /// What was written.
    pub text: String,
    /// How many.
    pub quantity: i32,
    /// What stands in the list's own fields, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<String>,
    /// Of the own household, where each has a row.
    #[serde(skip)]
    pub household: Option<HouseholdId>,
}

/// The list, if the actor may read the conversation.
///
/// # Errors
/// `not_found` otherwise.
pub(super) async fn readable(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (stream, seq): (StreamId, i64),
) -> Result<chain::Model> {
    streams::queries::readable(db, actor, stream).await?;
    Ok(chain::Entity::find_by_id((stream, seq)).one(db).await?.ok_or(Code::NotFound)?)
}

/// Has the actor started it, or leads the conversation?
pub(super) async fn keeps(db: &impl ConnectionTrait, actor: &Actor, chain: &chain::Model) -> Result<bool> {
    Ok(chain.started_by == actor.person || streams::queries::leads(db, actor, chain.stream_id).await?)
}

/// The list as everybody in the conversation sees it.
///
/// # Errors
/// `not_found`.
pub async fn view(app: &App, actor: &Actor, place: (StreamId, i64)) -> Result<ChainView> {
    let db = app.store.read();
    let (stream, _) = streams::queries::readable(db, actor, place.0).await?;
    let chain = chain::Entity::find_by_id(place).one(db).await?.ok_or(Code::NotFound)?;
    let is_keeper = keeps(db, actor, &chain).await?;
    let mut rows = rows(db, &chain).await?;
    for row in &mut rows {
        row.is_mine = row.person_id == actor.person;
        row.name = people::mask_name(&row.name);
        row.person_id = streams::speaks_as(&app.keys, &stream, row.person_id);
    }
    Ok(ChainView {
        title: chain.title,
        example: chain.example,
        max_rows: chain.max_rows,
        closes_at: chain.closes_at.map(clock::local),
        closed_at: chain.closed_at.map(clock::local),
        slot: chain.slot,
        fields: serde_json::from_str(&chain.fields).unwrap_or_default(),
        is_keeper,
        total: rows.iter().map(|row| i64::from(row.quantity)).sum(),
        rows,
    })
}

/// What stands in the rows of this list, a line each; nothing where there is no list.
///
/// # Errors
/// When the database cannot be read.
pub async fn words(db: &impl ConnectionTrait, place: (StreamId, i64)) -> Result<Vec<String>> {
    let Some(chain) = chain::Entity::find_by_id(place).one(db).await? else { return Ok(Vec::new()) };
    let line = |row: ChainRowView| format!("{}. {} {}", row.row_no, row.text, row.cells.join(" "));
    Ok(rows(db, &chain).await?.into_iter().map(line).collect())
}

/// How many rows each of these lists of a conversation has.
///
/// # Errors
/// When the database cannot be read.
pub async fn taken(db: &impl ConnectionTrait, stream: StreamId, seqs: Vec<i64>) -> Result<HashMap<i64, i64>> {
    if seqs.is_empty() {
        return Ok(HashMap::new());
    }
    let mut taken: HashMap<i64, i64> = seqs.iter().map(|seq| (*seq, 0)).collect();
    let counted = chain_row::Entity::find()
        .select_only()
        .column(chain_row::Column::Seq)
        .column_as(chain_row::Column::PersonId.count(), "rows")
        .filter(chain_row::Column::StreamId.eq(stream))
        .filter(chain_row::Column::Seq.is_in(seqs))
        .filter(chain_row::Column::RemovedAt.is_null())
        .group_by(chain_row::Column::Seq);
    taken.extend(counted.into_tuple::<(i64, i64)>().all(db).await?);
    Ok(taken)
}

/// The list as a table with full names, for who started it and who leads the conversation. Cells that a spreadsheet would
/// take for a formula begin with an apostrophe.
///
/// # Errors
/// `not_found`; `not_allowed`.
pub(super) async fn export(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (place, format): ((StreamId, i64), Format),
) -> Result<Vec<u8>> {
    let chain = readable(db, actor, place).await?;
    if !keeps(db, actor, &chain).await? {
        return Err(Code::NotAllowed.into());
    }
    let fields: Vec<String> = serde_json::from_str(&chain.fields).unwrap_or_default();
    let households = households(db, &chain).await?;
    let mut head = vec![text::say("chain-head-row"), text::say("chain-head-name")];
    head.extend(households.as_ref().map(|_| text::say("chain-head-household")));
    head.extend(["chain-head-text", "chain-head-quantity"].map(text::say));
    head.extend(fields.iter().cloned());
    let line = |row: ChainRowView| {
        let mut cells = vec![Cell::Number(i64::from(row.row_no)), row.name.into()];
        if let Some(numbers) = &households {
            cells.push(row.household.and_then(|id| numbers.get(&id).cloned()).unwrap_or_default().into());
        }
        cells.extend([row.text.into(), Cell::Number(i64::from(row.quantity))]);
        cells.extend((0..fields.len()).map(|place| row.cells.get(place).cloned().unwrap_or_default().into()));
        cells
    };
    whole(format, head.into_iter().map(Cell::from).collect(), rows(db, &chain).await?.into_iter().map(line))
}

/// Numbers of households, where each has a row. In a conversation of more than one village they are left out.
async fn households(db: &impl ConnectionTrait, chain: &chain::Model) -> Result<Option<HashMap<HouseholdId, String>>> {
    if chain.slot == "person" {
        return Ok(None);
    }
    let area = streams::queries::area(db, chain.stream_id).await?;
    people::queries::household_numbers(db, &area.unwrap_or_default()).await.map(Some)
}

/// With full names.
async fn rows(db: &impl ConnectionTrait, chain: &chain::Model) -> Result<Vec<ChainRowView>> {
    let rows = chain_row::Entity::find()
        .filter(chain_row::Column::StreamId.eq(chain.stream_id))
        .filter(chain_row::Column::Seq.eq(chain.seq))
        .filter(chain_row::Column::RemovedAt.is_null())
        .order_by_asc(chain_row::Column::RowNo)
        .all(db)
        .await?;
    let names = people::queries::names(db, rows.iter().map(|row| row.person_id).collect()).await?;
    let shown = |row: chain_row::Model| ChainRowView {
        row_no: row.row_no,
        name: names.get(&row.person_id).cloned().unwrap_or_default(),
        person_id: row.person_id,
        is_mine: false,
        text: row.text,
        quantity: row.quantity,
        cells: serde_json::from_str(&row.cells).unwrap_or_default(),
        household: row.household_id,
    };
    Ok(rows.into_iter().map(shown).collect())
}
