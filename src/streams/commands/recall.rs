//! Taking back what was said, taking it away, pinning it.
//!
//! # Why
//! What was taken back or taken away is kept nowhere, not even sealed for an appeal. A recall is a promise to its sender,
//! and a store of everything that people regretted is the first thing a lawsuit, a thief or a nosy clerk would ask for.
//! Where there is something to judge, somebody has reported it, and then its words are kept with the report, sealed, before
//! anybody can take them away; whoever leads a conversation and takes something away without a report does so with a
//! reason that everybody there reads.
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    super::{
        grams, queries,
        rows::{entry, stream},
        rules::{Access, RECALL_WITHIN, RECALLED, REMOVED, SAID, moderates},
        sealing,
    },
    Sent,
    append::{NewEntry, append},
    list_rows::blank_rows,
    say::MEDIA_KIND,
};
use crate::{
    actor::Actor,
    error::{Checks, Code, Result},
    ids::{PersonId, StreamId},
    media,
    store::Tx,
    text,
};

const MAX_REASON: usize = 200;
const MESSAGE: &str = "message";
/// What a person says: taken back by its sender, reported by others. The rest of a list is for its own module to take away.
pub(in super::super) const SPOKEN: [&str; 2] = [MESSAGE, "chain"];

/// Tells every phone that has them: the words that were sealed here are gone, and are to be forgotten.
pub(in super::super) async fn post_erased(tx: &Tx, stream: StreamId) -> Result<()> {
    append(tx, stream, NewEntry::quiet("erased", json!({}))).await?;
    Ok(())
}

/// Takes a message back.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecallMessage {
    /// Why; 2 to 200 characters, needed for what somebody else said. Everybody there reads it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 200)]
    pub reason: String,
}

/// Pins a message, or takes the pin out.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PinMessage {
    /// On top for everybody?
    pub is_pinned: bool,
}

/// Takes a message or a list back: the own within two minutes, that of somebody else by who leads the conversation, with a reason.
/// Its words and files are gone for good, everywhere; that something was said here stays.
///
/// # Errors
/// `not_found`; `not_allowed`; `recall_too_late`; `invalid_fields` without a reason.
pub async fn recall(tx: &Tx, actor: &Actor, (id, seq, input): (StreamId, i64, RecallMessage)) -> Result<Sent> {
    let (stream, said, may_moderate) = said(tx, actor, (id, seq, &SPOKEN)).await?;
    if said.state != SAID {
        return Ok(Sent { seq: said.rev, no: said.no, dup: true });
    }
    let is_own = said.sender_id == Some(actor.person);
    if is_own && tx.now() - said.created_at <= RECALL_WITHIN {
        return take(tx, (&stream, said), (actor.person, json!({ "state": RECALLED }))).await;
    }
    if !may_moderate {
        return Err(if is_own { Code::RecallTooLate } else { Code::NotAllowed }.into());
    }
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=MAX_REASON);
    checks.done()?;
    take(tx, (&stream, said), (actor.person, json!({ "state": REMOVED, "reason": input.reason.trim() }))).await
}

/// Takes away what was reported, decided by somebody who need not belong to the conversation. What was taken back before
/// stays as it is.
///
/// # Errors
/// `not_found`.
pub async fn remove_reported(tx: &Tx, by: PersonId, (id, seq, reason): (StreamId, i64, &str)) -> Result<()> {
    let stream = stream::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let said = entry::Entity::find_by_id((id, seq)).one(tx).await?.ok_or(Code::NotFound)?;
    if said.state == SAID {
        take(tx, (&stream, said), (by, json!({ "state": REMOVED, "reason": reason }))).await?;
    }
    Ok(())
}

async fn take(tx: &Tx, (stream, said): (&stream::Model, entry::Model), (by, body): (PersonId, Value)) -> Result<Sent> {
    let (id, seq, state) = (said.stream_id, said.seq, body["state"].as_str().unwrap_or(REMOVED).to_owned());
    erase_files(tx, stream, &said).await?;
    if stream.key_id.is_none() {
        grams::forget(tx, &said).await?;
    }
    let entry = NewEntry { sender: Some(by), target_seq: Some(seq), ..NewEntry::quiet("recall", body.clone()) };
    let (rev, no) = append(tx, id, entry).await?;
    if said.kind != MESSAGE {
        blank_rows(tx, (id, seq, None), rev).await?;
    }
    entry::Entity::update_many()
        .col_expr(entry::Column::Body, Expr::value(body.to_string()))
        .col_expr(entry::Column::State, Expr::value(state.as_str()))
        .col_expr(entry::Column::Rev, Expr::value(rev))
        .col_expr(entry::Column::IsPinned, Expr::value(false))
        .filter(entry::Column::StreamId.eq(id))
        .filter(entry::Column::Seq.eq(seq))
        .exec(tx)
        .await?;
    if said.no == stream.last_no {
        // the list of streams shows the newest; what is left of it says nothing
        let words = text::say(if state == RECALLED { "preview-recalled" } else { "preview-removed" });
        sealing::set_preview(tx, stream, &words).await?;
    }
    Ok(Sent { seq: rev, no, dup: false })
}

/// Pins a message for everybody, or takes the pin out. Once more changes nothing.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not lead the conversation; `wrong_state` for a message that was taken back.
pub async fn pin(tx: &Tx, actor: &Actor, (id, seq, input): (StreamId, i64, PinMessage)) -> Result<Sent> {
    let (_, said, may_moderate) = said(tx, actor, (id, seq, &[MESSAGE])).await?;
    if !may_moderate {
        return Err(Code::NotAllowed.into());
    }
    if said.state != SAID {
        return Err(Code::WrongState.into());
    }
    if said.is_pinned == input.is_pinned {
        return Ok(Sent { seq: said.rev, no: said.no, dup: true });
    }
    let body = json!({ "is_pinned": input.is_pinned });
    let entry = NewEntry { sender: Some(actor.person), target_seq: Some(seq), ..NewEntry::quiet("pin", body) };
    let (rev, no) = append(tx, id, entry).await?;
    entry::Entity::update_many()
        .col_expr(entry::Column::IsPinned, Expr::value(input.is_pinned))
        .col_expr(entry::Column::Rev, Expr::value(rev))
        .filter(entry::Column::StreamId.eq(id))
        .filter(entry::Column::Seq.eq(seq))
        .exec(tx)
        .await?;
    Ok(Sent { seq: rev, no, dup: false })
}

/// Something that was said or shown where the actor may write, and whether the actor leads the conversation.
async fn said(
    tx: &Tx,
    actor: &Actor,
    (id, seq, kinds): (StreamId, i64, &[&str]),
) -> Result<(stream::Model, entry::Model, bool)> {
    let place = queries::place(tx, actor, id).await?;
    let found = entry::Entity::find_by_id((id, seq)).one(tx).await?;
    let said = found.filter(|row| kinds.contains(&row.kind.as_str())).ok_or(Code::NotFound)?;
    if place.access != Access::Write {
        return Err(Code::NotAllowed.into());
    }
    let leads = moderates(&place.stream, actor, place.role());
    Ok((place.stream, said, leads))
}

async fn erase_files(tx: &Tx, stream: &stream::Model, said: &entry::Model) -> Result<()> {
    let body = sealing::open_body(tx, stream, said).await?;
    // what was reported waits for the decision: it is not the conversation's any more
    media::commands::erase(tx, MEDIA_KIND, &queries::media_of(&body)).await
}
