//! What is said in a sealed stream: sealed as it is appended, opened as it is read, gone when its key is.
use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};

use super::{
    Stream, commands, grams,
    rows::{entry, membership, stream},
    rules::{AUTHOR, LEADER, MEMBER, StreamKind},
};
use crate::{
    app::App,
    error::{Code, Error, Result},
    ids::{DataKeyId, PersonId, StreamId},
    keys::DataKey,
    seals::{self, queries::Opened},
    store::Tx,
    text,
};

/// A field that no message and no card has: what stands in it is sealed.
const SEALED: &str = "sealed";
/// What is left of an entry whose key was destroyed.
const ERASED: &str = "erased";

/// The body of a new entry as it is kept; the stream's preview, if it changes, is sealed along with it. `said`: body and
/// preview.
pub(super) async fn seal(
    tx: &Tx,
    (stream, seq): (StreamId, i64),
    key: DataKeyId,
    said: (&Value, Option<&str>),
) -> Result<String> {
    let Some(key) = seals::queries::open(tx, tx.keys(), key).await? else {
        // after its author closed the account the thread goes on, but nothing can be kept in it
        return Ok(json!({ ERASED: true }).to_string());
    };
    if let Some(preview) = said.1 {
        stream::Entity::update_many()
            .col_expr(stream::Column::LastPreview, Expr::value(key.seal_text("preview", preview)?))
            .filter(stream::Column::Id.eq(stream))
            .exec(tx)
            .await?;
    }
    let sealed = key.seal_text(&place(stream, seq), &said.0.to_string())?;
    Ok(json!({ SEALED: sealed }).to_string())
}

/// The list shows these words from now on.
pub(super) async fn set_preview(tx: &Tx, row: &Stream, words: &str) -> Result<()> {
    let kept = match row.key_id {
        None => words.to_owned(),
        Some(key) => match seals::queries::open(tx, tx.keys(), key).await? {
            Some(key) => key.seal_text("preview", words)?,
            None => return Ok(()),
        },
    };
    stream::Entity::update_many()
        .col_expr(stream::Column::LastPreview, Expr::value(kept))
        .filter(stream::Column::Id.eq(row.id))
        .exec(tx)
        .await?;
    Ok(())
}

/// The body of one entry.
pub(super) async fn open_body(tx: &Tx, stream: &Stream, row: &entry::Model) -> Result<Value> {
    let key = match stream.key_id {
        Some(key) => seals::queries::open(tx, tx.keys(), key).await?,
        None => None,
    };
    let kept = serde_json::from_str(&row.body).unwrap_or_default();
    opened(row, kept, key.as_ref())
}

/// What somebody says now must be kept: not where the key was destroyed.
pub(super) async fn require_open(tx: &Tx, row: &Stream) -> Result<()> {
    match row.key_id {
        Some(key) if seals::queries::open(tx, tx.keys(), key).await?.is_none() => Err(Code::Erased.into()),
        _ => Ok(()),
    }
}

/// An entry cannot be moved to another stream or another place in it.
fn place(stream: StreamId, seq: i64) -> String {
    format!("entry {stream} {seq}")
}

/// Bodies of entries, in their order.
pub(super) async fn open_bodies(app: &App, rows: &[entry::Model]) -> Result<Vec<Value>> {
    let kept: Vec<Value> = rows.iter().map(|row| serde_json::from_str(&row.body).unwrap_or_default()).collect();
    let sealed = rows.iter().zip(&kept).filter(|(_, body)| body.get(SEALED).is_some());
    let sealed: HashSet<StreamId> = sealed.map(|(row, _)| row.stream_id).collect();
    if sealed.is_empty() {
        return rows.iter().zip(kept).map(|(row, body)| opened(row, body, None)).collect();
    }
    let db = app.store.read();
    let streams = stream::Entity::find().filter(stream::Column::Id.is_in(sealed)).all(db).await?;
    let of: HashMap<StreamId, DataKeyId> =
        streams.into_iter().filter_map(|row| row.key_id.map(|key| (row.id, key))).collect();
    let keys = seals::queries::open_all(db, &app.keys, of.values().copied()).await?;
    let key = |row: &entry::Model| of.get(&row.stream_id).and_then(|id| keys.key(*id));
    rows.iter().zip(kept).map(|(row, body)| opened(row, body, key(row))).collect()
}

fn opened(row: &entry::Model, body: Value, key: Option<&DataKey>) -> Result<Value> {
    match (body.get(SEALED).and_then(Value::as_str), key) {
        (Some(sealed), Some(key)) => {
            let opened = key.open_text(&place(row.stream_id, row.seq), sealed)?;
            serde_json::from_str(&opened).map_err(Error::broken)
        }
        (Some(_), None) => Ok(erased()),
        (None, _) if body.get(ERASED).is_some() => Ok(erased()),
        (None, _) => Ok(body),
    }
}

fn erased() -> Value {
    json!({ ERASED: true, "text": text::say("erased") })
}

/// Opens the previews of those of these streams that are sealed.
pub(super) async fn open_previews(app: &App, rows: Vec<&mut Stream>) -> Result<()> {
    let keys = rows.iter().filter_map(|row| row.key_id);
    let opened = seals::queries::open_all(app.store.read(), &app.keys, keys).await?;
    show_previews(&opened, rows)
}

/// The same, with the keys at hand.
pub(super) fn show_previews<'a>(opened: &Opened, rows: impl IntoIterator<Item = &'a mut Stream>) -> Result<()> {
    for row in rows {
        let preview = opened.text(row.key_id, "preview", &row.last_preview)?;
        row.last_preview = preview.unwrap_or_else(|| text::say("erased"));
    }
    Ok(())
}

/// Somebody goes for good: leaves every group; what was said in the own private conversations becomes unreadable. Gives
/// those, for what is attached to them.
///
/// # Errors
/// When the database refuses.
pub async fn leave_all(tx: &Tx, person: PersonId) -> Result<Vec<StreamId>> {
    let own = membership::Entity::find().filter(membership::Column::PersonId.eq(person));
    let own = own.filter(membership::Column::LeftAt.is_null()).all(tx).await?;
    let with = |roles: &[&str]| -> Vec<StreamId> {
        own.iter().filter(|row| roles.contains(&row.role.as_str())).map(|row| row.stream_id).collect()
    };
    for group in with(&[LEADER, MEMBER]) {
        commands::leave_group(tx, group, person).await?;
    }
    let private = stream::Entity::find()
        .filter(stream::Column::Id.is_in(with(&[AUTHOR])))
        .filter(stream::Column::KeyId.is_not_null())
        .all(tx)
        .await?;
    let contacts = private.iter().filter(|row| row.kind == StreamKind::Contact.as_str());
    seals::commands::destroy(tx, &contacts.filter_map(|row| row.key_id).collect::<Vec<_>>()).await?;
    for row in &private {
        commands::post_erased(tx, row.id).await?;
    }
    Ok(private.into_iter().map(|row| row.id).collect())
}

/// Takes the words out of entries that were kept in clear: those of streams that are not sealed but should have been.
///
/// # Errors
/// When the database refuses.
pub async fn blank(tx: &Tx, streams: &[StreamId]) -> Result<()> {
    entry::Entity::update_many()
        .col_expr(entry::Column::Body, Expr::value(json!({ ERASED: true }).to_string()))
        .filter(entry::Column::StreamId.is_in(streams.iter().copied()))
        .exec(tx)
        .await?;
    grams::forget_all(tx, streams).await?;
    stream::Entity::update_many()
        .col_expr(stream::Column::LastPreview, Expr::value(""))
        .col_expr(stream::Column::ChangedAt, Expr::value(tx.now()))
        .filter(stream::Column::Id.is_in(streams.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}
