//! Starting, closing and taking back lists, adding, changing and taking away one's own row.
use std::collections::HashSet;

use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, Set, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    queries,
    rows::{chain, chain_row},
    rules,
};
use crate::{
    actor::Actor,
    clock,
    error::{Checks, Code, Result},
    ids::{HouseholdId, StreamId},
    moderation, people,
    store::Tx,
    streams::{
        self, Access, StreamKind,
        commands::{Posting, RecallMessage, Sent},
    },
    text,
    wordlist::WordList,
};

/// Conversations in which people make lists.
pub const KINDS: [StreamKind; 4] = [StreamKind::Channel, StreamKind::Discussion, StreamKind::Forum, StreamKind::Group];

/// A row of a list without fields.
const NO_CELLS: &str = "[]";

/// A list to start.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartChain {
    /// Made by the client once per list: sending again is the same list.
    pub client_id: Uuid,
    /// What it is about; 2 to 60 characters.
    #[schema(min_length = 2, max_length = 60)]
    pub title: String,
    /// How a row may look; up to 60 characters.
    #[serde(default)]
    #[schema(max_length = 60)]
    pub example: String,
    /// Places; 1 to 500, 500 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 500)]
    pub max_rows: Option<i32>,
    /// No rows from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<DateTime<FixedOffset>>,
    /// Has each person a row, or each household?
    #[serde(default)]
    pub slot: Slot,
    /// What else a row says, by name: up to six fields, 20 characters each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 6)]
    pub fields: Vec<String>,
}

/// Who has a row of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Slot {
    #[default]
    Person,
    /// One for all who live together; each of them may change it.
    Household,
}

impl Slot {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Household => "household",
        }
    }
}

/// One's own row.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutRow {
    /// Up to 60 characters.
    #[serde(default)]
    #[schema(max_length = 60)]
    pub text: String,
    /// How many people, pieces, portions; 1 to 999.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 999)]
    pub quantity: i32,
    /// What stands in the list's own fields, in their order; up to 60 characters each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 6)]
    pub cells: Vec<String>,
}

fn one() -> i32 {
    1
}

/// Starts a list. The same `client_id` again gives the first answer, with `dup`.
///
/// # Errors
/// As [`streams::commands::post`]; `invalid_fields`, also for words that are not shown unseen.
pub async fn start(tx: &Tx, words: &WordList, actor: &Actor, (stream, input): (StreamId, StartChain)) -> Result<Sent> {
    let (title, example) = (input.title.trim(), input.example.trim());
    let closes_at = input.closes_at.map(|at| at.with_timezone(&Utc));
    let max_rows = input.max_rows.unwrap_or(rules::MAX_ROWS);
    let fields: Vec<&str> = input.fields.iter().map(|name| name.trim()).collect();
    let mut checks = Checks::default();
    checks.text("title", title, 2..=rules::MAX_TITLE);
    checks.text("example", example, 0..=rules::MAX_TEXT);
    checks.require((1..=rules::MAX_ROWS).contains(&max_rows), "max_rows", "out_of_range");
    if let Some(at) = closes_at {
        checks.require(at > tx.now(), "closes_at", "out_of_range");
        checks.day("closes_at", clock::local_date(at));
    }
    let differ = fields.iter().collect::<HashSet<_>>().len() == fields.len();
    checks.require(fields.len() <= rules::MAX_FIELDS && differ, "fields", "out_of_range");
    for name in &fields {
        checks.text("fields", name, 1..=rules::MAX_NAME);
    }
    checks.done()?;
    moderation::commands::require_free(tx, actor, stream).await?;
    let shown = [("title", title.to_owned()), ("example", example.to_owned()), ("fields", fields.join("\n"))];
    moderation::commands::require_fit(tx, words, actor, (stream, &shown)).await?;
    let preview = text::say_with("preview-chain", &[("title", title.into())]);
    let body = json!({
        "text": title, "example": example, "max_rows": max_rows, "closes_at": input.closes_at,
        "slot": input.slot, "fields": fields,
    });
    let posting = Posting { client_id: input.client_id, preview: Some(preview), ..Posting::quiet("chain", body) };
    let sent = streams::commands::post(tx, actor, (stream, &KINDS, Access::Write), posting).await?;
    if !sent.dup {
        let row = chain::ActiveModel {
            stream_id: Set(stream),
            seq: Set(sent.seq),
            started_by: Set(actor.person),
            title: Set(title.to_owned()),
            example: Set(example.to_owned()),
            max_rows: Set(max_rows),
            last_row: Set(0),
            closes_at: Set(closes_at),
            closed_at: Set(None),
            slot: Set(input.slot.as_str().to_owned()),
            fields: Set(json!(fields).to_string()),
        };
        row.insert(tx).await?;
    }
    Ok(sent)
}

/// Adds the own row, or that of the household, or changes it; the same once more changes nothing. Whoever started the list
/// sees that it concerns them.
///
/// # Errors
/// `not_found`; `period_over`; `chain_full`; `invalid_fields`; `speaking_suspended`.
pub async fn put_row(
    tx: &Tx,
    list: &WordList,
    actor: &Actor,
    (stream, seq, input): (StreamId, i64, PutRow),
) -> Result<Sent> {
    let chain = queries::readable(tx, actor, (stream, seq)).await?;
    let (words, cells) = checked(&chain, &input)?;
    rules::require_open(&chain, tx.now())?;
    moderation::commands::require_free(tx, actor, stream).await?;
    let shown = [("text", words.clone()), ("cells", input.cells.join("\n"))];
    moderation::commands::require_fit(tx, list, actor, (stream, &shown)).await?;
    let (known, household) = own(tx, actor, &chain).await?;
    let standing = known.as_ref().filter(|row| row.removed_at.is_none());
    if standing.is_some_and(|row| row.text == words && row.quantity == input.quantity && row.cells == cells) {
        return Ok(Sent { seq, no: 0, dup: true });
    }
    if standing.is_none() && taken(tx, (stream, seq)).await? >= chain.max_rows.unsigned_abs().into() {
        return Err(Code::ChainFull.into());
    }
    let row_no = known.as_ref().map_or(chain.last_row + 1, |row| row.row_no);
    let change = if standing.is_some() { "changed" } else { "added" };
    let row = chain_row::ActiveModel {
        stream_id: Set(stream),
        seq: Set(seq),
        person_id: Set(actor.person),
        row_no: Set(row_no),
        text: Set(words.clone()),
        quantity: Set(input.quantity),
        removed_at: Set(None),
        created_at: Set(known.as_ref().map_or_else(|| tx.now(), |row| row.created_at)),
        household_id: Set(household),
        cells: Set(cells.clone()),
    };
    if let Some(known) = &known {
        // by the key it had: in a household another one may take it over
        chain_row::Entity::update_many().set(row).filter(place_of(known)).exec(tx).await?;
    } else {
        row.insert(tx).await?;
        chain::Entity::update_many()
            .col_expr(chain::Column::LastRow, Expr::value(row_no))
            .filter(chain::Column::StreamId.eq(stream))
            .filter(chain::Column::Seq.eq(seq))
            .exec(tx)
            .await?;
    }
    let mut body = json!({ "change": change, "row_no": row_no, "text": words, "quantity": input.quantity });
    if let Some(fields) = body.as_object_mut().filter(|_| cells != NO_CELLS) {
        fields.insert("cells".to_owned(), serde_json::from_str(&cells).unwrap_or_default());
    }
    let sent = tell(tx, actor, (stream, seq), (body, true)).await?;
    if change == "changed" {
        streams::commands::blank_rows(tx, (stream, seq, Some(row_no)), sent.seq).await?;
    }
    if chain.started_by != actor.person {
        streams::commands::concern(tx, (stream, sent.seq), &[chain.started_by]).await?;
    }
    Ok(sent)
}

/// Takes the own row away, or that of the household; its place is free again. Once more changes nothing.
///
/// # Errors
/// `not_found`; `period_over`.
pub async fn remove_row(tx: &Tx, actor: &Actor, (stream, seq): (StreamId, i64)) -> Result<()> {
    let chain = queries::readable(tx, actor, (stream, seq)).await?;
    rules::require_open(&chain, tx.now())?;
    let (known, _) = own(tx, actor, &chain).await?;
    let Some(known) = known.filter(|row| row.removed_at.is_none()) else { return Ok(()) };
    let row_no = known.row_no;
    let mut row: chain_row::ActiveModel = known.into();
    row.removed_at = Set(Some(tx.now()));
    row.text = Set(String::new());
    row.cells = Set(NO_CELLS.to_owned());
    row.update(tx).await?;
    let sent = tell(tx, actor, (stream, seq), (json!({ "change": "removed", "row_no": row_no }), false)).await?;
    streams::commands::blank_rows(tx, (stream, seq, Some(row_no)), sent.seq).await
}

/// What is to stand in a row: its words, and its cells as a JSON list, one for each field.
fn checked(chain: &chain::Model, input: &PutRow) -> Result<(String, String)> {
    let words = input.text.trim();
    let fields: Vec<String> = serde_json::from_str(&chain.fields).unwrap_or_default();
    let mut cells: Vec<&str> = input.cells.iter().map(|cell| cell.trim()).collect();
    let mut checks = Checks::default();
    checks.text("text", words, 0..=rules::MAX_TEXT);
    checks.require((1..=rules::MAX_QUANTITY).contains(&input.quantity), "quantity", "out_of_range");
    checks.require(cells.len() <= fields.len(), "cells", "out_of_range");
    for cell in &cells {
        checks.text("cells", cell, 0..=rules::MAX_TEXT);
    }
    checks.done()?;
    cells.resize(fields.len(), "");
    Ok((words.to_owned(), json!(cells).to_string()))
}

/// The row that the actor may change, taken away or not, and the household whose it is.
async fn own(tx: &Tx, actor: &Actor, chain: &chain::Model) -> Result<(Option<chain_row::Model>, Option<HouseholdId>)> {
    let rows = chain_row::Entity::find()
        .filter(chain_row::Column::StreamId.eq(chain.stream_id))
        .filter(chain_row::Column::Seq.eq(chain.seq));
    if chain.slot != Slot::Household.as_str() {
        return Ok((rows.filter(chain_row::Column::PersonId.eq(actor.person)).one(tx).await?, None));
    }
    let household = people::queries::person(tx, actor.person).await?.ok_or(Code::NotFound)?.household;
    let known = rows.filter(chain_row::Column::HouseholdId.eq(household)).one(tx).await?;
    // whoever moved to another household meanwhile keeps the row in which the own name stands
    match known {
        None => {
            let own = chain_row::Entity::find_by_id((chain.stream_id, chain.seq, actor.person)).one(tx).await?;
            let household = own.as_ref().map_or(Some(household), |row| row.household_id);
            Ok((own, household))
        }
        Some(known) => {
            let holds_another = known.person_id != actor.person
                && chain_row::Entity::find_by_id((chain.stream_id, chain.seq, actor.person)).one(tx).await?.is_some();
            if holds_another { Err(Code::NotAllowed.into()) } else { Ok((Some(known), Some(household))) }
        }
    }
}

fn place_of(row: &chain_row::Model) -> Condition {
    Condition::all()
        .add(chain_row::Column::StreamId.eq(row.stream_id))
        .add(chain_row::Column::Seq.eq(row.seq))
        .add(chain_row::Column::PersonId.eq(row.person_id))
}

/// Closes the list: for who started it, and who leads the conversation. Once more changes nothing.
///
/// # Errors
/// `not_found`; `not_allowed`.
pub async fn close(tx: &Tx, actor: &Actor, (stream, seq): (StreamId, i64)) -> Result<()> {
    let chain = queries::readable(tx, actor, (stream, seq)).await?;
    if !queries::keeps(tx, actor, &chain).await? {
        return Err(Code::NotAllowed.into());
    }
    if chain.closed_at.is_some() {
        return Ok(());
    }
    let mut row: chain::ActiveModel = chain.into();
    row.closed_at = Set(Some(tx.now()));
    row.update(tx).await?;
    tell(tx, actor, (stream, seq), (json!({ "change": "closed" }), false)).await?;
    Ok(())
}

/// Takes back a message or a list, as [`streams::commands::recall`]; of a list nothing is left but that it was there.
///
/// # Errors
/// As there.
pub async fn take_back(tx: &Tx, actor: &Actor, (stream, seq, input): (StreamId, i64, RecallMessage)) -> Result<Sent> {
    let sent = streams::commands::recall(tx, actor, (stream, seq, input)).await?;
    blank(tx, (stream, seq)).await?;
    Ok(sent)
}

/// Takes the words of a list and of its rows away and closes it; nothing where there is no list.
///
/// # Errors
/// When the database refuses.
pub async fn blank(tx: &Tx, (stream, seq): (StreamId, i64)) -> Result<()> {
    let gone = chain::Entity::update_many()
        .col_expr(chain::Column::Title, Expr::value(""))
        .col_expr(chain::Column::Example, Expr::value(""))
        .col_expr(chain::Column::Fields, Expr::value(NO_CELLS))
        .col_expr(chain::Column::ClosedAt, Expr::value(tx.now()))
        .filter(chain::Column::StreamId.eq(stream))
        .filter(chain::Column::Seq.eq(seq))
        .exec(tx)
        .await?;
    if gone.rows_affected == 0 {
        return Ok(());
    }
    chain_row::Entity::update_many()
        .col_expr(chain_row::Column::Text, Expr::value(""))
        .col_expr(chain_row::Column::Cells, Expr::value(NO_CELLS))
        .col_expr(chain_row::Column::RemovedAt, Expr::value(tx.now()))
        .filter(chain_row::Column::StreamId.eq(stream))
        .filter(chain_row::Column::Seq.eq(seq))
        .exec(tx)
        .await?;
    Ok(())
}

async fn taken(tx: &Tx, (stream, seq): (StreamId, i64)) -> Result<u64> {
    let rows = chain_row::Entity::find()
        .filter(chain_row::Column::StreamId.eq(stream))
        .filter(chain_row::Column::Seq.eq(seq))
        .filter(chain_row::Column::RemovedAt.is_null());
    Ok(rows.count(tx).await?)
}

async fn tell(
    tx: &Tx,
    actor: &Actor,
    (stream, seq): (StreamId, i64),
    (body, is_speech): (serde_json::Value, bool),
) -> Result<Sent> {
    let posting = Posting { target_seq: Some(seq), is_speech, ..Posting::quiet(streams::commands::ROW, body) };
    streams::commands::post(tx, actor, (stream, &KINDS, Access::Read), posting).await
}
