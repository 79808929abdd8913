//! The words of a voice that is not public: sealed by a key of its own, gone when that key is.
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::Expr};

use super::{
    Suggestion, assists, cosign_sheets, cosigns, downgrades, extensions, referrals,
    rows::{answer, suggestion},
    rules::{SuggestionState, Visibility},
    withdrawals,
};
use crate::{
    error::{Code, Result},
    ids::{DataKeyId, PersonId, StreamId, SuggestionId},
    keys::Keys,
    seals::{self, queries::Opened},
    store::Tx,
    streams, suspensions, text,
};

/// Words as they are kept.
pub(super) struct Kept {
    pub(super) key_id: Option<DataKeyId>,
    pub(super) text: String,
    pub(super) place: String,
}

/// The words of a new voice as they are kept. `said`: text and place.
pub(super) async fn seal_new(tx: &Tx, author: PersonId, seen_by: Visibility, said: (&str, &str)) -> Result<Kept> {
    if seen_by == Visibility::Public {
        return Ok(Kept { key_id: None, text: said.0.to_owned(), place: said.1.to_owned() });
    }
    let (key, id) = seals::commands::make(tx, author).await?;
    Ok(Kept { key_id: Some(id), text: key.seal_text("text", said.0)?, place: key.seal_text("place", said.1)? })
}

/// More words about a voice, as they are kept.
///
/// # Errors
/// `erased` when its author had it erased.
pub(super) async fn seal(tx: &Tx, of: &Suggestion, place: &str, said: &str) -> Result<String> {
    let Some(id) = of.key_id else { return Ok(said.to_owned()) };
    let key = seals::queries::open(tx, tx.keys(), id).await?.ok_or(Code::Erased)?;
    key.seal_text(place, said)
}

/// The words that go with a rating, as they are kept; who is suspended says none where everybody reads them.
///
/// # Errors
/// `speaking_suspended`; `erased`.
pub(super) async fn with_rating(tx: &Tx, author: PersonId, of: &Suggestion, said: &str) -> Result<Option<String>> {
    if said.is_empty() {
        return Ok(None);
    }
    if of.visibility == Visibility::Public {
        suspensions::require_speech(tx, author).await?;
    }
    seal(tx, of, "rating", said).await.map(Some)
}

/// These voices with their words as they were said.
pub(super) async fn open(db: &impl ConnectionTrait, keys: &Keys, mut rows: Vec<Suggestion>) -> Result<Vec<Suggestion>> {
    let opened = seals::queries::open_all(db, keys, rows.iter().filter_map(|row| row.key_id)).await?;
    for row in &mut rows {
        let key = row.key_id;
        row.text = opened.text(key, "text", &row.text)?.unwrap_or_else(|| text::say("erased"));
        row.place = opened.text(key, "place", &row.place)?.unwrap_or_default();
    }
    Ok(rows)
}

/// Answers to one voice with their words, and those of their ratings.
pub(super) async fn open_answers(
    db: &impl ConnectionTrait,
    keys: &Keys,
    of: &Suggestion,
    answers: &mut [answer::Model],
) -> Result<()> {
    let opened = seals::queries::open_all(db, keys, of.key_id).await?;
    for row in answers {
        row.text = opened.text(of.key_id, "answer", &row.text)?.unwrap_or_else(|| text::say("erased"));
        row.rating_text = match &row.rating_text {
            Some(said) => opened.text(of.key_id, "rating", said)?,
            None => None,
        };
    }
    Ok(())
}

/// The keys of these voices, read at once.
pub(super) async fn keys_of(db: &impl ConnectionTrait, keys: &Keys, voices: &[&Suggestion]) -> Result<Opened> {
    let ids: Vec<DataKeyId> = voices.iter().filter_map(|voice| voice.key_id).collect();
    seals::queries::open_all(db, keys, ids).await
}

/// One text about a voice as it was written; `kept`: what it is, and as it is kept.
pub(super) fn said(opened: &Opened, of: &Suggestion, (place, kept): (&str, &str)) -> Result<String> {
    Ok(opened.text(of.key_id, place, kept)?.unwrap_or_else(|| text::say("erased")))
}

/// Voices whose words can still be read: nobody is reminded to answer what its author had erased.
pub(super) fn is_kept() -> Condition {
    let key = Expr::col((suggestion::Entity, suggestion::Column::KeyId));
    Condition::any().add(suggestion::Column::KeyId.is_null()).add(seals::queries::is_kept(key))
}

/// What others are still asked about voices of this person ends: nobody is to answer what nobody can read.
async fn end_asked(tx: &Tx, author: PersonId) -> Result<()> {
    let waiting = suggestion::Entity::find()
        .filter(suggestion::Column::AuthorId.eq(author))
        .filter(suggestion::Column::Visibility.ne(Visibility::Public))
        .filter(suggestion::Column::State.is_in([SuggestionState::Submitted, SuggestionState::Accepted]))
        .all(tx)
        .await?;
    for row in waiting {
        let row = referrals::end_offer(tx, None, row).await?;
        let row = extensions::end_open(tx, row).await?;
        assists::end_open(tx, None, &row).await?;
    }
    Ok(())
}

/// Makes unreadable what this person said in private: keys are destroyed, what was kept before voices were sealed is
/// blanked, what others are asked about it ends. Public words stay, they are the village's record, without the name. Says
/// which voices it were.
///
/// # Errors
/// When the database refuses.
pub async fn erase_of(tx: &Tx, author: PersonId) -> Result<Vec<SuggestionId>> {
    cosign_sheets::erase_photos(tx, author).await?;
    cosigns::leave_all(tx, author).await?;
    end_asked(tx, author).await?;
    let private: Vec<(SuggestionId, StreamId, Option<DataKeyId>)> = suggestion::Entity::find()
        .select_only()
        .columns([suggestion::Column::Id, suggestion::Column::StreamId, suggestion::Column::KeyId])
        .filter(suggestion::Column::AuthorId.eq(author))
        .filter(suggestion::Column::Visibility.ne(Visibility::Public))
        .into_tuple()
        .all(tx)
        .await?;
    let keys: Vec<DataKeyId> = private.iter().filter_map(|(_, _, key)| *key).collect();
    seals::commands::destroy(tx, &keys).await?;
    let in_clear = private.iter().filter(|(_, _, key)| key.is_none());
    let (voices, threads): (Vec<SuggestionId>, Vec<StreamId>) = in_clear.map(|(id, stream, _)| (*id, *stream)).unzip();
    for some in voices.chunks(500) {
        let blank =
            suggestion::ActiveModel { text: Set(text::say("erased")), place: Set(String::new()), ..Default::default() };
        let which = suggestion::Column::Id.is_in(some.iter().copied());
        suggestion::Entity::update_many().set(blank).filter(which).exec(tx).await?;
        referrals::blank(tx, some).await?;
        extensions::blank(tx, some).await?;
        assists::blank(tx, some).await?;
        withdrawals::blank(tx, some).await?;
        downgrades::blank(tx, some).await?;
        answer::Entity::update_many()
            .col_expr(answer::Column::Text, Expr::value(text::say("erased")))
            .col_expr(answer::Column::RatingText, Expr::value(None::<String>))
            .filter(answer::Column::SuggestionId.is_in(some.iter().copied()))
            .exec(tx)
            .await?;
    }
    for some in threads.chunks(500) {
        streams::blank(tx, some).await?;
    }
    Ok(private.into_iter().map(|(id, _, _)| id).collect())
}
