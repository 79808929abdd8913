//! The only place where a `seq` is born.
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, Set, sea_query::Expr};
use serde_json::Value;
use uuid::Uuid;

use super::super::{
    Stream, grams,
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

/// One entry; gives its `seq` and its `no`.
pub(super) async fn append(tx: &Tx, stream: StreamId, new: NewEntry) -> Result<(i64, i64)> {
    let places = append_all(tx, stream, vec![new]).await?;
    places.first().copied().ok_or_else(|| Error::broken("an entry without a place"))
}

/// Gives each the next `seq`, and the next `no` if it counts, and inserts them in this order. The row lock of the stream
/// makes commit order the order of `seq`.
pub(super) async fn append_all(tx: &Tx, stream_id: StreamId, new: Vec<NewEntry>) -> Result<Vec<(i64, i64)>> {
    let now = tx.now();
    let stream = moved(tx, stream_id, &new).await?;
    let news = new.iter().filter(|one| one.preview.is_some()).count();
    let mut seq = stream.last_seq - i64::try_from(new.len()).unwrap_or(i64::MAX);
    let mut no = stream.last_no - i64::try_from(news).unwrap_or(i64::MAX);
    let (mut rows, mut places, mut to_find) = (Vec::new(), Vec::new(), Vec::new());
    for one in new {
        seq += 1;
        no += i64::from(one.preview.is_some());
        let preview = one.preview.as_deref().map(shortened);
        let body = match stream.key_id {
            None => one.body.to_string(),
            Some(key) => sealing::seal(tx, (stream_id, seq), key, (&one.body, preview.as_deref())).await?,
        };
        if stream.key_id.is_none() && grams::KINDS.contains(&one.kind) {
            to_find.push(seq);
        }
        places.push((seq, no));
        rows.push(entry::ActiveModel {
            stream_id: Set(stream_id),
            seq: Set(seq),
            no: Set(no),
            kind: Set(one.kind.to_owned()),
            sender_id: Set(one.sender),
            body_id: Set(one.body_id),
            client_id: Set(one.client_id),
            reply_to: Set(one.reply_to),
            body: Set(body),
            created_at: Set(now),
            target_seq: Set(one.target_seq),
            state: Set(SAID.to_owned()),
            rev: Set(0),
            is_pinned: Set(false),
        });
    }
    entry::Entity::insert_many(rows).exec_without_returning(tx).await?;
    grams::remember(tx, stream_id, &to_find).await?;
    tx.ring(Bell::Stream { id: stream_id, seq: stream.last_seq });
    Ok(places)
}

/// The stream as it is with these entries.
async fn moved(tx: &Tx, id: StreamId, new: &[NewEntry]) -> Result<Stream> {
    let plus = |column, count: usize| Expr::col(column).add(i64::try_from(count).unwrap_or(i64::MAX));
    let mut update = stream::Entity::update_many()
        .col_expr(stream::Column::LastSeq, plus(stream::Column::LastSeq, new.len()))
        .col_expr(stream::Column::ChangedAt, Expr::value(tx.now()))
        .filter(stream::Column::Id.eq(id));
    let previews: Vec<&str> = new.iter().filter_map(|one| one.preview.as_deref()).collect();
    if let Some(newest) = previews.last() {
        // what will be sealed is not written in clear even for a moment
        let in_clear =
            Expr::case(stream::Column::KeyId.is_null(), Expr::value(shortened(newest))).finally(Expr::value(""));
        update = update
            .col_expr(stream::Column::LastNo, plus(stream::Column::LastNo, previews.len()))
            .col_expr(stream::Column::LastAt, Expr::value(tx.now()))
            .col_expr(stream::Column::LastPreview, in_clear.into());
    }
    let moved = update.exec_with_returning(tx).await?;
    moved.into_iter().next().ok_or_else(|| Error::broken("append to a stream that is not there"))
}

fn shortened(words: &str) -> String {
    words.chars().filter(|c| !c.is_control()).take(PREVIEW).collect()
}
