//! Finding words: every two characters that follow one another in what was said, and every single one, stand in a table,
//! the same way on both databases. Sealed conversations are left out: an index of them would say what they say.
//!
//! Chinese has no blanks between words, so an index of words misses most of them, and one of three characters misses every
//! word of two (礼堂, 路灯). What a query finds is compared with the words themselves afterwards, so it is exact.
use std::collections::BTreeSet;

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{Expr, OnConflict, Query},
};
use serde_json::Value;

use super::{
    rows::{entry, gram, gram_due},
    rules::SAID,
};
use crate::{
    error::Result,
    ids::StreamId,
    store::{Tx, by_key, key_column},
};

/// Kinds of entry in which words are found.
pub(super) const KINDS: [&str; 3] = ["message", "card", "chain"];
/// Entries taken in hand at once: a thousand pairs or two, so that nobody waits long for the writer.
const AT_ONCE: u64 = 20;
const ROWS: usize = 500;

/// Words as they are compared: without case, full-width letters and figures as narrow ones, no blanks.
pub(super) fn plain(words: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    };
    words.chars().map(narrow).flat_map(char::to_lowercase).filter(|c| !c.is_whitespace() && !c.is_control()).collect()
}

/// Every two characters that follow one another, and every single one, each once.
pub(super) fn grams(plain: &str) -> BTreeSet<String> {
    let all: Vec<char> = plain.chars().collect();
    let two = all.windows(2).map(|two| two.iter().collect());
    two.chain(all.iter().map(char::to_string)).collect()
}

/// What must all stand in an entry for these words to stand there.
pub(super) fn to_look_for(plain: &str) -> BTreeSet<String> {
    let mut grams = grams(plain);
    if plain.chars().nth(1).is_some() {
        grams.retain(|gram| gram.chars().nth(1).is_some());
    }
    grams
}

/// What is found of an entry.
pub(super) fn words(body: &Value) -> String {
    let word = |name: &str| body[name].as_str().unwrap_or_default();
    plain(&format!("{}\n{}", word("title"), word("text")))
}

/// Remembers that the words of these entries are to be taken in.
pub(super) async fn remember(tx: &Tx, stream_id: StreamId, seqs: &[i64]) -> Result<()> {
    if seqs.is_empty() {
        return Ok(());
    }
    let rows = seqs.iter().map(|seq| gram_due::ActiveModel { stream_id: Set(stream_id), seq: Set(*seq) });
    // a place comes a second time only in a stream that was put back to an older state
    let again = OnConflict::new().do_nothing().to_owned();
    gram_due::Entity::insert_many(rows).on_conflict(again).exec_without_returning(tx).await?;
    Ok(())
}

/// What was taken back is not found any more.
pub(super) async fn forget(tx: &Tx, said: &entry::Model) -> Result<()> {
    gram_due::Entity::delete_by_id((said.stream_id, said.seq)).exec(tx).await?;
    let body: Value = serde_json::from_str(&said.body).unwrap_or_default();
    let grams: Vec<String> = grams(&words(&body)).into_iter().collect();
    for some in grams.chunks(ROWS) {
        gram::Entity::delete_many()
            .filter(gram::Column::StreamId.eq(said.stream_id))
            .filter(gram::Column::Gram.is_in(some))
            .filter(gram::Column::Seq.eq(said.seq))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Nothing that was said in these streams is found any more.
pub(super) async fn forget_all(tx: &Tx, streams: &[StreamId]) -> Result<()> {
    gram_due::Entity::delete_many().filter(gram_due::Column::StreamId.is_in(streams.iter().copied())).exec(tx).await?;
    gram::Entity::delete_many().filter(gram::Column::StreamId.is_in(streams.iter().copied())).exec(tx).await?;
    Ok(())
}

/// Was something said whose words are not taken in yet? For who would take the writer's turn for it.
///
/// # Errors
/// When the database cannot be read.
pub async fn is_waiting(db: &impl ConnectionTrait) -> Result<bool> {
    Ok(gram_due::Entity::find().limit(1).one(db).await?.is_some())
}

/// Takes in words that were said since the last time.
///
/// # Errors
/// When the database refuses.
pub async fn due(tx: &Tx) -> Result<u64> {
    let waiting = gram_due::Entity::find()
        .order_by_asc(gram_due::Column::StreamId)
        .order_by_asc(gram_due::Column::Seq)
        .limit(AT_ONCE)
        .all(tx)
        .await?;
    let Some(last) = waiting.last() else { return Ok(0) };
    let said = Query::select()
        .column((entry::Entity, entry::Column::Body))
        .from(entry::Entity)
        .and_where(Expr::col((entry::Entity, entry::Column::StreamId)).eq(key_column(1)))
        .and_where(Expr::col((entry::Entity, entry::Column::Seq)).eq(key_column(2)))
        .and_where(Expr::col((entry::Entity, entry::Column::State)).eq(SAID))
        .to_owned();
    let mut rows = Vec::new();
    let places = waiting.iter().map(|one| (one.stream_id, one.seq)).collect();
    for row in tx.query_all(&by_key(places, 2, said)).await? {
        let Some(body) = row.try_get::<Option<String>>("", "found")? else { continue };
        let (stream_id, seq): (StreamId, i64) = (row.try_get("", "column1")?, row.try_get("", "column2")?);
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        rows.extend(grams(&words(&body)).into_iter().map(|gram| gram::ActiveModel {
            stream_id: Set(stream_id),
            gram: Set(gram),
            seq: Set(seq),
        }));
    }
    for some in rows.chunks(ROWS) {
        let again = OnConflict::new().do_nothing().to_owned();
        gram::Entity::insert_many(some.to_vec()).on_conflict(again).exec_without_returning(tx).await?;
    }
    // one unit of work at a time: nothing came in before them
    let done = Condition::any()
        .add(gram_due::Column::StreamId.lt(last.stream_id))
        .add(gram_due::Column::StreamId.eq(last.stream_id).and(gram_due::Column::Seq.lte(last.seq)));
    gram_due::Entity::delete_many().filter(done).exec(tx).await?;
    Ok(waiting.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_characters_are_a_word() {
        let found: Vec<String> = grams(&plain("上海 东边A１")).into_iter().collect();
        assert_eq!(found.len(), 5 + 6, "{found:?}");
        for gram in ["上海", "海东", "东边", "边a", "a1", "上", "1"] {
            assert!(found.iter().any(|own| own == gram), "{gram} in {found:?}");
        }
        assert_eq!(to_look_for("上海").into_iter().collect::<Vec<_>>(), ["上海"]);
        assert_eq!(to_look_for("一").into_iter().collect::<Vec<_>>(), ["一"]);
        assert!(to_look_for("").is_empty());
    }
}
