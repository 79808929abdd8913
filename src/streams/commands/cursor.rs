//! How far somebody has read, and how a conversation is kept in the own list.
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{
    queries,
    rows::{entry, membership},
};
use crate::{
    actor::Actor,
    error::Result,
    ids::{PersonId, StreamId},
    store::Tx,
};

/// What of a conversation somebody does not want to be told of. A notice that must be read is told all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Mute {
    Nothing,
    /// All but what addresses the person.
    Messages,
    Everything,
}

impl Mute {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Messages => "messages",
            Self::Everything => "everything",
        }
    }
}

/// How a conversation is kept; what is left out stays as it is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetOptions {
    /// What the person does not want to be told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mute: Option<Mute>,
    /// On top of the list?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_pinned: Option<bool>,
}

/// Moves the read cursor forward; never back, never past the end.
///
/// # Errors
/// `not_found` when the stream is not the actor's to read.
pub async fn read(tx: &Tx, actor: &Actor, stream_id: StreamId, seq: i64) -> Result<()> {
    let (stream, _) = queries::readable(tx, actor, stream_id).await?;
    let seq = seq.clamp(0, stream.last_seq);
    let no = match entry::Entity::find_by_id((stream_id, seq)).one(tx).await? {
        Some(row) => row.no,
        None => 0,
    };
    move_to(tx, (actor.person, stream_id), (seq, no)).await
}

/// Keeps a conversation on top, or quiet.
///
/// # Errors
/// `not_found` when the stream is not the actor's to read.
pub async fn set_options(tx: &Tx, actor: &Actor, stream: StreamId, options: SetOptions) -> Result<()> {
    queries::readable(tx, actor, stream).await?;
    require_row(tx, (actor.person, stream)).await?;
    let mut update = membership::Entity::update_many()
        .filter(membership::Column::PersonId.eq(actor.person))
        .filter(membership::Column::StreamId.eq(stream));
    if let Some(mute) = options.mute {
        update = update.col_expr(membership::Column::Mute, Expr::value(mute.as_str()));
    }
    if let Some(is_pinned) = options.is_pinned {
        update = update.col_expr(membership::Column::PinnedAt, Expr::value(is_pinned.then(|| tx.now())));
    }
    if options.mute.is_some() || options.is_pinned.is_some() {
        update.exec(tx).await?;
    }
    Ok(())
}

/// Notes that these people were addressed here.
pub(super) async fn mention(tx: &Tx, stream: StreamId, people: &[PersonId], seq: i64) -> Result<()> {
    for person in people {
        require_row(tx, (*person, stream)).await?;
    }
    membership::Entity::update_many()
        .col_expr(membership::Column::LastMentionSeq, Expr::value(seq))
        .filter(membership::Column::StreamId.eq(stream))
        .filter(membership::Column::PersonId.is_in(people.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}

pub(super) async fn move_to(tx: &Tx, whose: (PersonId, StreamId), (seq, no): (i64, i64)) -> Result<()> {
    let moved = membership::Entity::update_many()
        .col_expr(membership::Column::ReadSeq, Expr::value(seq))
        .col_expr(membership::Column::ReadNo, Expr::value(no))
        .filter(membership::Column::PersonId.eq(whose.0))
        .filter(membership::Column::StreamId.eq(whose.1))
        .filter(membership::Column::ReadSeq.lt(seq))
        .exec(tx)
        .await?;
    if moved.rows_affected > 0 || membership::Entity::find_by_id(whose).one(tx).await?.is_some() {
        return Ok(());
    }
    row_of(tx, whose, (seq, no)).insert(tx).await?;
    Ok(())
}

/// In a channel, a forum or a discussion the row is made when there is something to keep in it.
async fn require_row(tx: &Tx, whose: (PersonId, StreamId)) -> Result<()> {
    if membership::Entity::find_by_id(whose).one(tx).await?.is_none() {
        row_of(tx, whose, (0, 0)).insert(tx).await?;
    }
    Ok(())
}

fn row_of(tx: &Tx, whose: (PersonId, StreamId), (seq, no): (i64, i64)) -> membership::ActiveModel {
    membership::ActiveModel {
        person_id: Set(whose.0),
        stream_id: Set(whose.1),
        role: Set("reader".to_owned()),
        read_seq: Set(seq),
        read_no: Set(no),
        joined_at: Set(tx.now()),
        left_at: Set(None),
        ..fresh()
    }
}

/// Nothing set, nothing pinned, never addressed.
pub(super) fn fresh() -> membership::ActiveModel {
    membership::ActiveModel {
        last_mention_seq: Set(0),
        mute: Set(Mute::Nothing.as_str().to_owned()),
        pinned_at: Set(None),
        ..Default::default()
    }
}
