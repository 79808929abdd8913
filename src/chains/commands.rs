//! Starting and closing lists, adding, changing and taking away one's own row.
use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set, sea_query::Expr};
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
    error::{Checks, Code, Result},
    ids::StreamId,
    store::Tx,
    streams::{
        self, Access, StreamKind,
        commands::{Posting, Sent},
    },
    text,
};

/// Conversations in which people make lists.
pub const KINDS: [StreamKind; 4] = [StreamKind::Channel, StreamKind::Discussion, StreamKind::Forum, StreamKind::Group];

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
}

fn one() -> i32 {
    1
}

/// Starts a list. The same `client_id` again gives the first answer, with `dup`.
///
/// # Errors
/// As [`streams::commands::post`]; `invalid_fields`.
pub async fn start(tx: &Tx, actor: &Actor, (stream, input): (StreamId, StartChain)) -> Result<Sent> {
    let (title, example) = (input.title.trim(), input.example.trim());
    let closes_at = input.closes_at.map(|at| at.with_timezone(&Utc));
    let max_rows = input.max_rows.unwrap_or(rules::MAX_ROWS);
    let mut checks = Checks::default();
    checks.text("title", title, 2..=rules::MAX_TITLE);
    checks.text("example", example, 0..=rules::MAX_TEXT);
    checks.require((1..=rules::MAX_ROWS).contains(&max_rows), "max_rows", "out_of_range");
    checks.require(closes_at.is_none_or(|at| at > tx.now()), "closes_at", "out_of_range");
    checks.done()?;
    let preview = text::say_with("preview-chain", &[("title", title.into())]);
    let body = json!({ "text": title, "example": example, "max_rows": max_rows, "closes_at": input.closes_at });
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
        };
        row.insert(tx).await?;
    }
    Ok(sent)
}

/// Adds the own row or changes it; the same once more changes nothing.
///
/// # Errors
/// `not_found`; `period_over`; `chain_full`; `invalid_fields`; `speaking_suspended`.
pub async fn put_row(tx: &Tx, actor: &Actor, (stream, seq, input): (StreamId, i64, PutRow)) -> Result<Sent> {
    let words = input.text.trim();
    let mut checks = Checks::default();
    checks.text("text", words, 0..=rules::MAX_TEXT);
    checks.require((1..=rules::MAX_QUANTITY).contains(&input.quantity), "quantity", "out_of_range");
    checks.done()?;
    let chain = queries::readable(tx, actor, (stream, seq)).await?;
    rules::require_open(&chain, tx.now())?;
    let known = chain_row::Entity::find_by_id((stream, seq, actor.person)).one(tx).await?;
    let standing = known.as_ref().filter(|row| row.removed_at.is_none());
    if standing.is_some_and(|row| row.text == words && row.quantity == input.quantity) {
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
        text: Set(words.to_owned()),
        quantity: Set(input.quantity),
        removed_at: Set(None),
        created_at: Set(known.as_ref().map_or_else(|| tx.now(), |row| row.created_at)),
    };
    if known.is_some() {
        row.update(tx).await?;
    } else {
        row.insert(tx).await?;
        chain::Entity::update_many()
            .col_expr(chain::Column::LastRow, Expr::value(row_no))
            .filter(chain::Column::StreamId.eq(stream))
            .filter(chain::Column::Seq.eq(seq))
            .exec(tx)
            .await?;
    }
    let body = json!({ "change": change, "row_no": row_no, "text": words, "quantity": input.quantity });
    tell(tx, actor, (stream, seq), body).await
}

/// Takes the own row away; its place is free again. Once more changes nothing.
///
/// # Errors
/// `not_found`; `period_over`.
pub async fn remove_row(tx: &Tx, actor: &Actor, (stream, seq): (StreamId, i64)) -> Result<()> {
    let chain = queries::readable(tx, actor, (stream, seq)).await?;
    rules::require_open(&chain, tx.now())?;
    let known = chain_row::Entity::find_by_id((stream, seq, actor.person)).one(tx).await?;
    let Some(known) = known.filter(|row| row.removed_at.is_none()) else { return Ok(()) };
    let row_no = known.row_no;
    let mut row: chain_row::ActiveModel = known.into();
    row.removed_at = Set(Some(tx.now()));
    row.text = Set(String::new());
    row.update(tx).await?;
    tell(tx, actor, (stream, seq), json!({ "change": "removed", "row_no": row_no })).await?;
    Ok(())
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
    tell(tx, actor, (stream, seq), json!({ "change": "closed" })).await?;
    Ok(())
}

async fn taken(tx: &Tx, (stream, seq): (StreamId, i64)) -> Result<u64> {
    let rows = chain_row::Entity::find()
        .filter(chain_row::Column::StreamId.eq(stream))
        .filter(chain_row::Column::Seq.eq(seq))
        .filter(chain_row::Column::RemovedAt.is_null());
    Ok(rows.count(tx).await?)
}

async fn tell(tx: &Tx, actor: &Actor, (stream, seq): (StreamId, i64), body: serde_json::Value) -> Result<Sent> {
    let posting = Posting { target_seq: Some(seq), ..Posting::quiet("chain_row", body) };
    streams::commands::post(tx, actor, (stream, &KINDS, Access::Read), posting).await
}
