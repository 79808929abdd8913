//! The archive of a vote: everything that anybody needs to check it without us, in one JSON file.
use serde_json::{Value, json};

use super::{commands, queries, rows::vote};
use crate::{
    app::{App, Written},
    board::{self, HeadView, queries::Published},
    error::{Code, Error, Result},
    ids::VoteId,
};

/// The name of the format.
pub const FORMAT: &str = "LSB1-archive";

/// The archive of a vote that has its result, written once for all who ask until the board grows: a result that was settled is
/// one more entry.
///
/// # Errors
/// `not_found`; `wrong_state` while there is no result.
pub async fn archive(app: &App, id: VoteId) -> Result<Written> {
    let db = app.store.read();
    let vote = queries::row(db, id).await?;
    if !vote.has_board {
        return Err(Code::NotFound.into());
    }
    let published = board::queries::published(db, id).await?.ok_or(Code::WrongState)?;
    let head = board::queries::newest(db, id).await?;
    app.counted.archive((id.0, head.root), || read_whole(app, vote, published)).await
}

async fn read_whole(app: &App, vote: vote::Model, published: Published) -> Result<Value> {
    let (db, id) = (app.store.read(), vote.id);
    let manifest = board::queries::manifest(db, id).await?;
    let roll = commands::roll_leaves(db, &vote).await?;
    let leaves = board::queries::leaves(db, id).await?;
    let entries = leaves.iter().map(|leaf| read(leaf)).collect::<Result<Vec<_>>>()?;
    let heads: Vec<Value> = board::queries::heads(db, id).await?.iter().map(head).collect();
    let envelopes: Vec<String> = board::queries::kept(db, id).await?.into_iter().map(|kept| kept.sealed).collect();
    let is_sealed = published.plaintexts.is_some();
    Ok(json!({
        "entries": entries,
        "envelopes": is_sealed.then_some(envelopes),
        "format": FORMAT,
        "heads": heads,
        "manifest": manifest.value()?,
        "plaintexts": published.plaintexts.as_deref().map(read).transpose()?,
        "result": read(&published.result)?,
        "result_sig": published.signature,
        "roll": roll,
        "v": 1,
    }))
}

fn read(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(Error::broken)
}

fn head(view: &HeadView) -> Value {
    json!({ "head": { "n": view.n, "poll": view.vote_id, "root": view.root, "t": view.t }, "sig": view.sig })
}
