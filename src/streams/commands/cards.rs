//! What the system shows in a stream, and shows otherwise when it has changed.
use fluent_bundle::FluentValue;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{
        grams,
        rows::{entry, stream},
        rules::SAID,
        sealing,
    },
    append::{NewEntry, append},
};
use crate::{
    error::{Code, Result},
    ids::StreamId,
    store::Tx,
    text,
};

/// What the system shows: a line that leads somewhere.
#[derive(Clone)]
pub struct Card {
    /// Stable name of the kind of card.
    pub code: &'static str,
    /// Head line, in Chinese.
    pub title: String,
    /// One or two sentences, in Chinese.
    pub text: String,
    /// Path of the page it leads to.
    pub link: String,
}

impl Card {
    pub(super) fn body(&self) -> Value {
        json!({ "card": self.code, "title": self.title, "text": self.text, "link": self.link })
    }

    /// The card of which two sentences speak, `KEY-title` and `KEY-text`, each with what it needs of the blanks.
    #[must_use]
    pub fn worded((code, key): (&'static str, &str), blanks: &[(&str, FluentValue<'_>)], link: String) -> Self {
        let [title, text] = [format!("{key}-title"), format!("{key}-text")].map(|key| text::say_with(&key, blanks));
        Self { code, title, text, link }
    }
}

/// Shows a card to all who read the stream.
///
/// # Errors
/// When the database refuses.
pub async fn post_card(tx: &Tx, stream: StreamId, card: Card) -> Result<i64> {
    post_card_of(tx, stream, (Uuid::now_v7(), card)).await
}

/// The same for a card that may be edited: by the id of what it is about.
///
/// # Errors
/// When the database refuses.
pub async fn post_card_of(tx: &Tx, stream: StreamId, (subject, card): (Uuid, Card)) -> Result<i64> {
    let body = card.body();
    let entry = NewEntry { client_id: subject, ..NewEntry::shown("card", card.title, body) };
    Ok(append(tx, stream, entry).await?.0)
}

/// Shows another card in the place of the one about this; that it changed is an entry, and news. What it said before stays
/// to be seen in that entry. Where there is none the card is posted.
///
/// # Errors
/// When the database refuses.
pub async fn edit_card(tx: &Tx, stream_id: StreamId, (subject, card): (Uuid, Card)) -> Result<i64> {
    let shown = entry::Entity::find()
        .filter(entry::Column::SenderId.is_null())
        .filter(entry::Column::ClientId.eq(subject))
        .filter(entry::Column::StreamId.eq(stream_id))
        .filter(entry::Column::Kind.eq("card"))
        .filter(entry::Column::State.eq(SAID))
        .order_by_desc(entry::Column::Seq);
    let Some(shown) = shown.one(tx).await? else { return post_card_of(tx, stream_id, (subject, card)).await };
    let stream = stream::Entity::find_by_id(stream_id).one(tx).await?.ok_or(Code::NotFound)?;
    let before = sealing::open_body(tx, &stream, &shown).await?;
    let mut body = card.body();
    if let Some(fields) = body.as_object_mut() {
        fields.insert("edits".to_owned(), json!(before["edits"].as_i64().unwrap_or(0) + 1));
    }
    if stream.key_id.is_none() {
        grams::forget(tx, &shown).await?;
        grams::remember(tx, stream_id, &[shown.seq]).await?;
    }
    let told = json!({ "body": body, "before": { "title": before["title"], "text": before["text"] } });
    let entry = NewEntry { target_seq: Some(shown.seq), ..NewEntry::shown("edit", card.title, told) };
    let (rev, _) = append(tx, stream_id, entry).await?;
    let kept = match stream.key_id {
        None => body.to_string(),
        Some(key) => sealing::seal(tx, (stream_id, shown.seq), key, (&body, None)).await?,
    };
    entry::Entity::update_many()
        .col_expr(entry::Column::Body, Expr::value(kept))
        .col_expr(entry::Column::Rev, Expr::value(rev))
        .filter(entry::Column::StreamId.eq(stream_id))
        .filter(entry::Column::Seq.eq(shown.seq))
        .exec(tx)
        .await?;
    Ok(rev)
}
