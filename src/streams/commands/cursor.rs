//! How far somebody has read and received, and how a conversation is kept in the own list.
//!
//! # Why
//! A moved cursor is told to the person's other devices by an entry of the mailbox, so that their dots and banners go. One
//! for a stream in two seconds at most: what moves on within them is told by `due` as soon as they are over. Only what
//! changes what is shown is told: reading the mailbox itself would otherwise never end. Cursors are not gathered in memory
//! before they are written: the writer has units of many people share a commit as it is, and an answer keeps its meaning.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Select, Set,
    sea_query::{Alias, Expr, OnConflict},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    super::{
        queries,
        rows::{entry, membership, stream},
        rules::{StreamKind, chain_of_areas},
    },
    append::{NewEntry, append},
    belonging,
};
use crate::{
    actor::Actor,
    error::{Checks, Code, Result},
    ids::{BodyId, PersonId, StreamId},
    people::Resident,
    store::Tx,
};

/// The mailbox hears of a stream's cursor once within this time.
const ECHO_AGAIN_AFTER: TimeDelta = TimeDelta::seconds(2);
/// Cursors told in one unit of work.
const ECHOES: u64 = 100;
/// So long may a mute last that ends by itself.
const LONGEST_MUTE: TimeDelta = TimeDelta::days(366);

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
    /// With `mute`: until when; for good when absent. A year ahead at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mute_until: Option<DateTime<FixedOffset>>,
    /// On top of the list?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_pinned: Option<bool>,
}

/// Moves the read cursor forward; never back, never past the end.
///
/// # Errors
/// `not_found` when the stream is not the actor's to read.
pub async fn read(tx: &Tx, actor: &Actor, stream_id: StreamId, seq: i64) -> Result<()> {
    let place = queries::place(tx, actor, stream_id).await?;
    let seq = seq.clamp(0, place.stream.last_seq);
    if seq == 0 || place.member.as_ref().is_some_and(|row| row.read_seq >= seq) {
        return Ok(());
    }
    let no = if seq == place.stream.last_seq {
        place.stream.last_no
    } else {
        entry::Entity::find_by_id((stream_id, seq)).one(tx).await?.map_or(0, |row| row.no)
    };
    // the count began at the end for who came later, and never goes back
    let no = place.member.as_ref().map_or(no, |row| Ord::max(no, row.read_no));
    let (read_no, mentioned, echoed_at) = place.member.as_ref().map_or((0, 0, None), |row| {
        (row.read_no, if row.last_mention_seq > row.read_seq { row.last_mention_seq } else { 0 }, row.echoed_at)
    });
    let is_shown = no > read_no || mentioned > 0;
    let echo = match echoed_at {
        _ if !is_shown => None,
        Some(at) if tx.now() - at < ECHO_AGAIN_AFTER => Some(false),
        _ => Some(true),
    };
    move_to(tx, (actor.person, stream_id), (seq, no), echo).await?;
    if place.is_first() {
        belonging::came(tx, stream_id, actor.person).await?;
    }
    if echo == Some(true) {
        tell(tx, (actor.person, stream_id), (seq, no)).await?;
    }
    Ok(())
}

/// Some device of the actor has everything up to this seq; never less than before.
///
/// # Errors
/// `not_found` when the stream is not the actor's to read.
pub async fn receive(tx: &Tx, actor: &Actor, stream_id: StreamId, seq: i64) -> Result<()> {
    let place = queries::place(tx, actor, stream_id).await?;
    let seq = seq.clamp(0, place.stream.last_seq);
    // a row would put a discussion on the list of who only looked in
    let has_row_by_use = place.stream.kind == StreamKind::Discussion.as_str();
    if place.member.is_none() && (seq == 0 || has_row_by_use) {
        return Ok(());
    }
    let mut row = row_of(tx, (actor.person, stream_id), (0, 0));
    row.recv_seq = Set(seq);
    let further = Expr::col((membership::Entity, membership::Column::RecvSeq)).lt(seq);
    let again =
        OnConflict::columns(KEY).update_column(membership::Column::RecvSeq).action_and_where(further).to_owned();
    membership::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    Ok(())
}

/// Keeps a conversation on top, or quiet.
///
/// # Errors
/// `not_found` when the stream is not the actor's to read; `invalid_fields`.
pub async fn set_options(tx: &Tx, actor: &Actor, stream: StreamId, options: SetOptions) -> Result<()> {
    let until = options.mute_until.map(|at| at.with_timezone(&Utc));
    let (now, mut checks) = (tx.now(), Checks::default());
    let is_ahead = until.is_none_or(|at| at > now && at <= now + LONGEST_MUTE);
    let is_muting = options.mute.is_some_and(|mute| mute != Mute::Nothing);
    checks.require(is_ahead && (until.is_none() || is_muting), "mute_until", "out_of_range");
    checks.done()?;
    let place = queries::place(tx, actor, stream).await?;
    require_row(tx, (actor.person, stream)).await?;
    if place.is_first() {
        belonging::came(tx, stream, actor.person).await?;
    }
    let mut update = membership::Entity::update_many()
        .col_expr(membership::Column::ChangedAt, Expr::value(now))
        .filter(membership::Column::PersonId.eq(actor.person))
        .filter(membership::Column::StreamId.eq(stream));
    if let Some(mute) = options.mute {
        update = update
            .col_expr(membership::Column::Mute, Expr::value(mute.as_str()))
            .col_expr(membership::Column::MuteUntil, Expr::value(until));
    }
    if let Some(is_pinned) = options.is_pinned {
        update = update.col_expr(membership::Column::PinnedAt, Expr::value(is_pinned.then_some(now)));
    }
    update.exec(tx).await?;
    Ok(())
}

/// Notes that these people were addressed here. To whom it is the first word here, what was said before is no news.
pub(super) async fn mention(tx: &Tx, stream: StreamId, people: &[PersonId], seq: i64) -> Result<()> {
    let row = stream::Entity::find_by_id(stream).one(tx).await?.ok_or(Code::NotFound)?;
    let there = queries::belonging(tx, stream).await?;
    let new: Vec<PersonId> = people.iter().copied().filter(|person| !there.contains_key(person)).collect();
    let said = entry::Entity::find_by_id((stream, seq)).one(tx).await?.map_or(0, |said| said.no);
    let known = OnConflict::columns(KEY).do_nothing().to_owned();
    let rows = people.iter().map(|person| row_of(tx, (*person, stream), (0, Ord::max(said - 1, 0))));
    membership::Entity::insert_many(rows).on_conflict(known).exec_without_returning(tx).await?;
    if row.kind == StreamKind::Discussion.as_str() {
        for person in new {
            belonging::came(tx, stream, person).await?;
        }
    }
    membership::Entity::update_many()
        .col_expr(membership::Column::LastMentionSeq, Expr::value(seq))
        .col_expr(membership::Column::ChangedAt, Expr::value(tx.now()))
        .filter(membership::Column::StreamId.eq(stream))
        .filter(membership::Column::PersonId.is_in(people.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}

/// What the sender says is read by the sender; every device hears it as the entry that it is.
pub(super) async fn own(tx: &Tx, whose: (PersonId, StreamId), place: (i64, i64)) -> Result<()> {
    move_to(tx, whose, place, None).await
}

/// The same for several people at once: the furthest place of each.
pub(super) async fn own_all(tx: &Tx, places: HashMap<(PersonId, StreamId), (i64, i64)>) -> Result<()> {
    if places.is_empty() {
        return Ok(());
    }
    let furthest = Expr::col((membership::Entity, membership::Column::ReadSeq))
        .lt(Expr::col((Alias::new("excluded"), membership::Column::ReadSeq)));
    let again = OnConflict::columns(KEY).update_columns(MOVED).action_and_where(furthest).to_owned();
    let rows = places.into_iter().map(|(whose, place)| row_of(tx, whose, place));
    membership::Entity::insert_many(rows).on_conflict(again).exec_without_returning(tx).await?;
    Ok(())
}

/// `echo`: the mailbox is told now, or soon; it need not be told at all.
async fn move_to(tx: &Tx, whose: (PersonId, StreamId), place: (i64, i64), echo: Option<bool>) -> Result<()> {
    let mut row = row_of(tx, whose, place);
    let mut columns = MOVED.to_vec();
    match echo {
        Some(true) => {
            row.echoed_at = Set(Some(tx.now()));
            row.is_echo_due = Set(false);
            columns.extend([membership::Column::EchoedAt, membership::Column::IsEchoDue]);
        }
        Some(false) => {
            row.is_echo_due = Set(true);
            columns.push(membership::Column::IsEchoDue);
        }
        None => {}
    }
    let further = Expr::col((membership::Entity, membership::Column::ReadSeq)).lt(place.0);
    let again = OnConflict::columns(KEY).update_columns(columns).action_and_where(further).to_owned();
    membership::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    Ok(())
}

/// What was said in the channels of the own area before somebody came is no news to them. Only the count begins at the end:
/// the place read stays where it is, for nobody has read a notice by coming, and who must be told of it still is.
pub(super) async fn begin(tx: &Tx, person: &Resident) -> Result<()> {
    let channels = stream::Entity::find()
        .filter(stream::Column::Kind.eq(StreamKind::Channel.as_str()))
        .filter(stream::Column::SubjectId.is_in(chain_of_areas(&person.area)));
    begin_in(tx, person.id, channels).await
}

/// The same in the work stream and the forum of a body, for who takes a seat there.
///
/// # Errors
/// When the database refuses.
pub async fn begin_in_body(tx: &Tx, body: BodyId, person: PersonId) -> Result<()> {
    let own = stream::Entity::find()
        .filter(stream::Column::Kind.is_in([StreamKind::Office.as_str(), StreamKind::Forum.as_str()]))
        .filter(stream::Column::SubjectId.eq(body.to_string()));
    begin_in(tx, person, own).await
}

async fn begin_in(tx: &Tx, person: PersonId, streams: Select<stream::Entity>) -> Result<()> {
    let spoken = streams.filter(stream::Column::LastNo.gt(0)).all(tx).await?;
    let rows = spoken.into_iter().map(|row| row_of(tx, (person, row.id), (0, row.last_no)));
    let rows: Vec<membership::ActiveModel> = rows.collect();
    if rows.is_empty() {
        return Ok(());
    }
    let known = OnConflict::columns(KEY).do_nothing().to_owned();
    membership::Entity::insert_many(rows).on_conflict(known).exec_without_returning(tx).await?;
    Ok(())
}

/// Tells some of the mailboxes how far was read within the last seconds; how many.
///
/// # Errors
/// When the database refuses.
pub async fn due(tx: &Tx) -> Result<u64> {
    let waiting = membership::Entity::find()
        // as the index says it: only so it is used
        .filter(Expr::cust("is_echo_due = TRUE"))
        .filter(membership::Column::EchoedAt.lte(tx.now() - ECHO_AGAIN_AFTER))
        .limit(ECHOES)
        .all(tx)
        .await?;
    if waiting.is_empty() {
        return Ok(0);
    }
    let mailboxes = queries::mailboxes(tx, waiting.iter().map(|row| row.person_id)).await?;
    for row in &waiting {
        if let Some(mailbox) = mailboxes.get(&row.person_id) {
            append(tx, *mailbox, moved((row.stream_id, row.read_seq, row.read_no))).await?;
        }
    }
    membership::Entity::update_many()
        .col_expr(membership::Column::EchoedAt, Expr::value(tx.now()))
        .col_expr(membership::Column::IsEchoDue, Expr::value(false))
        .filter(belonging::these(&waiting))
        .exec(tx)
        .await?;
    Ok(waiting.len() as u64)
}

async fn tell(tx: &Tx, (person, stream): (PersonId, StreamId), (seq, no): (i64, i64)) -> Result<()> {
    let Some(mailbox) = queries::find(tx, StreamKind::Mailbox, &person.to_string()).await? else { return Ok(()) };
    append(tx, mailbox, moved((stream, seq, no))).await?;
    Ok(())
}

/// What the mailbox says of it.
fn moved((stream, seq, no): (StreamId, i64, i64)) -> NewEntry {
    NewEntry::quiet("cursor", json!({ "stream_id": stream, "seq": seq, "no": no }))
}

const MOVED: [membership::Column; 3] =
    [membership::Column::ReadSeq, membership::Column::ReadNo, membership::Column::ChangedAt];
const KEY: [membership::Column; 2] = [membership::Column::PersonId, membership::Column::StreamId];

/// In a channel, a forum or a discussion the row is made when there is something to keep in it.
async fn require_row(tx: &Tx, whose: (PersonId, StreamId)) -> Result<()> {
    let known = OnConflict::columns(KEY).do_nothing().to_owned();
    membership::Entity::insert(row_of(tx, whose, (0, 0))).on_conflict(known).exec_without_returning(tx).await?;
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
        changed_at: Set(tx.now()),
        ..fresh()
    }
}

/// Nothing set, nothing pinned, never addressed.
pub(super) fn fresh() -> membership::ActiveModel {
    membership::ActiveModel {
        last_mention_seq: Set(0),
        mute: Set(Mute::Nothing.as_str().to_owned()),
        pinned_at: Set(None),
        recv_seq: Set(0),
        mute_until: Set(None),
        echoed_at: Set(None),
        is_echo_due: Set(false),
        ..Default::default()
    }
}
