//! Cards for many are posted in pieces: a unit writes few of them, none is lost or shown twice, and nobody sees the later first.
use liusheng::{
    error::{Error, Result},
    ids::PersonId,
    store::Tx,
    streams::commands::{Card, Reader, cards_due, post_to_each},
};
use uuid::Uuid;

use super::*;
use crate::{
    asked_above::roster_of,
    support::{Raw, import},
};

/// More than two pieces.
const MANY: u64 = 230;
/// A village with nobody in it yet.
const LARGE: &str = "330521103204";

fn card(code: &'static str) -> Card {
    Card { code, title: "开会".to_owned(), text: "明天开会。".to_owned(), link: "/meetings".to_owned() }
}

async fn rows_in(tx: &Tx, table: &'static str) -> Result<usize> {
    let select = Query::select().expr(Expr::value(1)).from(table).to_owned();
    Ok(tx.query_all(&select).await?.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_for_many_is_posted_in_pieces_each_once_and_in_order() {
    let scene = Scene::set().await;
    let (app, store) = (&scene.app, &scene.app.app.store);
    assert_eq!(import(&app.app, roster_of(LARGE, MANY)).await as u64, MANY);
    let found = scene.rows(&format!("SELECT id FROM people WHERE area_code = '{LARGE}'")).await;
    let people: Vec<PersonId> = found.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    let readers: Vec<Reader> = people.iter().copied().map(Reader::Person).collect();
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let twice: Vec<Reader> = readers.iter().chain(&readers).copied().collect();
    let (posted, waiting) = store
        .write(move |tx| {
            Box::pin(async move {
                let before = rows_in(tx, "entries").await?;
                post_to_each(tx, twice, (first, card("first"))).await?;
                Ok((rows_in(tx, "entries").await? - before, rows_in(tx, "card_readers").await?))
            })
        })
        .await
        .unwrap();
    assert_eq!((posted, waiting as u64), (0, MANY), "one unit writes down who is told, each once, and posts nothing");
    // a few, who could be told at once, were there not an earlier card for them
    let few = readers[..3].to_vec();
    store.write(move |tx| Box::pin(post_to_each(tx, few, (second, card("second"))))).await.unwrap();
    for _ in 0..60 {
        // one that dies before its commit leaves nothing
        let broken_off = store.write(|tx| {
            Box::pin(async move {
                cards_due(tx).await?;
                Err::<(), _>(Error::broken("killed before the commit"))
            })
        });
        assert!(broken_off.await.is_err());
        let posted = store.write(|tx| Box::pin(cards_due(tx))).await.unwrap();
        assert!(posted <= 100, "{posted} in one unit");
        if posted == 0 {
            break;
        }
    }
    let raw = Raw::open(app.folder.path()).await;
    let shown = "SELECT s.subject_id, e.body FROM entries e JOIN streams s ON s.id = e.stream_id \
        WHERE s.kind = 'mailbox' AND e.kind = 'card' AND e.body LIKE '%明天开会%' ORDER BY e.stream_id, e.seq";
    let mut cards: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in raw.rows(shown).await {
        let body: Value = serde_json::from_str(&row.try_get_by_index::<String>(1).unwrap()).unwrap();
        let whose = row.try_get_by_index(0).unwrap();
        cards.entry(whose).or_default().push(body["card"].as_str().unwrap().to_owned());
    }
    assert_eq!(cards.len() as u64, MANY, "everybody");
    for (number, person) in people.iter().enumerate() {
        let wanted: &[&str] = if number < 3 { &["first", "second"] } else { &["first"] };
        assert_eq!(cards[&person.to_string()], wanted, "each once, the earlier first");
    }
    let left = "SELECT (SELECT count(*) FROM card_readers) + (SELECT count(*) FROM card_rounds)";
    assert_eq!(raw.one::<i64>(left).await, 0, "nothing is left of it");
    raw.close().await;
    scene.app.stop().await;
}
