//! Words of a row of a list that was changed or taken out: nowhere any more, though that it stood here stays.
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};

use super::super::rows::entry;
use crate::{error::Result, ids::StreamId, store::Tx};

/// Kind of an entry that tells of a row.
pub const ROW: &str = "chain_row";

/// Takes the words out of what was told before the entry `rev` of this row of a list, or of all its rows. What each of them
/// told of (added, changed) stays, so that it makes no difference to a phone whether it hears of them before or after.
///
/// # Errors
/// When the database refuses.
pub async fn blank_rows(tx: &Tx, (stream, list, row_no): (StreamId, i64, Option<i32>), rev: i64) -> Result<()> {
    let mut told = entry::Entity::find()
        .filter(entry::Column::StreamId.eq(stream))
        .filter(entry::Column::Seq.gt(list))
        .filter(entry::Column::Seq.lt(rev))
        .filter(entry::Column::TargetSeq.eq(list))
        .filter(entry::Column::Kind.eq(ROW));
    if let Some(number) = row_no {
        told = told.filter(entry::Column::Body.contains(format!("\"row_no\":{number}")));
    }
    for one in told.all(tx).await? {
        let body: Value = serde_json::from_str(&one.body).unwrap_or_default();
        let is_this = row_no.is_none_or(|number| body["row_no"] == json!(number));
        if !is_this || body["text"].is_null() {
            continue;
        }
        let left = json!({ "change": body["change"], "row_no": body["row_no"] });
        entry::Entity::update_many()
            .col_expr(entry::Column::Body, Expr::value(left.to_string()))
            .col_expr(entry::Column::Rev, Expr::value(rev))
            .filter(entry::Column::StreamId.eq(stream))
            .filter(entry::Column::Seq.eq(one.seq))
            .exec(tx)
            .await?;
    }
    Ok(())
}
