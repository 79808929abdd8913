//! The only place where a `seq` is born.
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, Set, sea_query::Expr};
use serde_json::Value;
use uuid::Uuid;

use super::super::{
    grams,
    rows::{entry, stream},
    rules::SAID,
    sealing,
};
use crate::{
    broker::Bell,
    error::{Error, Result},
    ids::{BodyId, PersonId, StreamId},
    store::Tx,
};

const PREVIEW: usize = 40;

/// What is to be appended.
pub(super) struct NewEntry {
    pub(super) kind: &'static str,
    /// First words for the list; `None`: it counts for nobody as unread and leaves the list as it is.
    pub(super) preview: Option<String>,
    pub(super) body: Value,
    pub(super) sender: Option<PersonId>,
    pub(super) body_id: Option<BodyId>,
    pub(super) client_id: Uuid,
    pub(super) reply_to: Option<i64>,
    pub(super) target_seq: Option<i64>,
}

impl NewEntry {
    /// What the system shows.
    pub(super) fn shown(kind: &'static str, preview: String, body: Value) -> Self {
        Self { preview: Some(preview), ..Self::quiet(kind, body) }
    }

    /// What changes something without being news.
    pub(super) fn quiet(kind: &'static str, body: Value) -> Self {
        let client_id = Uuid::now_v7();
        Self { kind, preview: None, body, sender: None, body_id: None, client_id, reply_to: None, target_seq: None }
    }
}

/// Gives the next `seq`, and the next `no` if it counts, and inserts. The row lock of the stream makes commit order the
/// order of `seq`.
pub(super) async fn append(tx: &Tx, stream_id: StreamId, new: NewEntry) -> Result<(i64, i64)> {
    let now = tx.now();
    let preview = new.preview.as_deref().map(shortened);
    let mut update = stream::Entity::update_many()
        .col_expr(stream::Column::LastSeq, Expr::col(stream::Column::LastSeq).add(1))
        .filter(stream::Column::Id.eq(stream_id));
    if let Some(preview) = &preview {
        // what will be sealed is not written in clear even for a moment
        let in_clear =
            Expr::case(stream::Column::KeyId.is_null(), Expr::value(preview.clone())).finally(Expr::value(""));
        update = update
            .col_expr(stream::Column::LastNo, Expr::col(stream::Column::LastNo).add(1))
            .col_expr(stream::Column::LastAt, Expr::value(now))
            .col_expr(stream::Column::LastPreview, in_clear.into());
    }
    let moved = update.exec_with_returning(tx).await?;
    let stream = moved.into_iter().next().ok_or_else(|| Error::broken("append to a stream that is not there"))?;
    let body = match stream.key_id {
        None => new.body.to_string(),
        Some(key) => sealing::seal(tx, &stream, key, (&new.body, preview.as_deref())).await?,
    };
    let row = entry::ActiveModel {
        stream_id: Set(stream_id),
        seq: Set(stream.last_seq),
        no: Set(stream.last_no),
        kind: Set(new.kind.to_owned()),
        sender_id: Set(new.sender),
        body_id: Set(new.body_id),
        client_id: Set(new.client_id),
        reply_to: Set(new.reply_to),
        body: Set(body),
        created_at: Set(now),
        target_seq: Set(new.target_seq),
        state: Set(SAID.to_owned()),
        rev: Set(0),
        is_pinned: Set(false),
    };
    entry::Entity::insert(row).exec_without_returning(tx).await?;
    if stream.key_id.is_none() && grams::KINDS.contains(&new.kind) {
        grams::remember(tx, stream_id, stream.last_seq).await?;
    }
    tx.ring(Bell::Stream { id: stream_id, seq: stream.last_seq });
    Ok((stream.last_seq, stream.last_no))
}

fn shortened(words: &str) -> String {
    words.chars().filter(|c| !c.is_control()).take(PREVIEW).collect()
}
