//! Who belongs to a stream: coming, going, another role.
//!
//! # Why
//! A stream that a phone does not follow yet cannot tell it that it should. So whatever changes about a person's places is
//! an entry of kind `member` in the person's own mailbox, written in the same unit of work: the mailbox is followed by
//! every open socket of that person, and a lost bell is made good there as for any other entry. Who has no mailbox never
//! had a socket: [`subscribed`] opens it before the first.
use std::collections::BTreeSet;

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{Expr, OnConflict},
};
use serde_json::json;

use super::{
    super::{
        queries::{self, Followed},
        rows::{membership, stream},
        rules::{FORMER, GIVEN_TODAY, HANDLER_TODAY, HANDLERS, LEADER, MEMBER, StreamKind, chain_of_areas},
    },
    append::{NewEntry, append},
    channel, cursor, mailbox,
};
use crate::{
    actor::Actor,
    app::App,
    bodies,
    broker::Bell,
    clock,
    error::{Code, Result},
    ids::{BodyId, PersonId, StreamId},
    store::Tx,
};

/// Rights of a day that are ended in one unit of work.
const END_AT_ONCE: u64 = 100;

/// Makes the person belong to the stream, with nothing read; once more changes only the role.
///
/// # Errors
/// When the database refuses.
pub async fn join(tx: &Tx, stream: StreamId, person: PersonId, role: &str) -> Result<()> {
    join_at(tx, stream, (person, role), None).await
}

/// The same, with everything read that was said before, also while somebody was away: a newcomer is not greeted by hundreds of red dots.
///
/// # Errors
/// `not_found` when there is no such stream.
pub async fn join_now(tx: &Tx, stream: StreamId, person: PersonId, role: &str) -> Result<()> {
    let row = stream::Entity::find_by_id(stream).one(tx).await?.ok_or(Code::NotFound)?;
    join_at(tx, stream, (person, role), Some((row.last_seq, row.last_no))).await
}

/// The person no longer belongs to the stream.
///
/// # Errors
/// When the database refuses.
pub async fn part(tx: &Tx, stream: StreamId, person: PersonId) -> Result<()> {
    membership::Entity::update_many()
        .col_expr(membership::Column::LeftAt, Expr::value(tx.now()))
        .col_expr(membership::Column::ChangedAt, Expr::value(tx.now()))
        .filter(membership::Column::PersonId.eq(person))
        .filter(membership::Column::StreamId.eq(stream))
        .exec(tx)
        .await?;
    tell(tx, stream, (person, FORMER), false).await
}

/// Leaves a group for good, for everybody there to see. If nobody else leads it, who has been there longest does from now on.
///
/// # Errors
/// When the database refuses.
pub async fn leave_group(tx: &Tx, group: StreamId, person: PersonId) -> Result<()> {
    succeed(tx, group, person).await?;
    post_member(tx, group, person, (person, "left")).await?;
    part(tx, group, person).await
}

async fn succeed(tx: &Tx, group: StreamId, person: PersonId) -> Result<()> {
    let there = membership::Entity::find()
        .filter(membership::Column::StreamId.eq(group))
        .filter(membership::Column::LeftAt.is_null())
        .filter(membership::Column::Role.is_in([LEADER, MEMBER]))
        .order_by_asc(membership::Column::JoinedAt)
        .order_by_asc(membership::Column::PersonId)
        .all(tx)
        .await?;
    let leads = there.iter().any(|row| row.person_id == person && row.role == LEADER);
    let mut others = there.iter().filter(|row| row.person_id != person);
    let heir = match others.clone().any(|row| row.role == LEADER) {
        false if leads => others.next(),
        _ => None,
    };
    let Some(heir) = heir else { return Ok(()) };
    post_member(tx, group, person, (heir.person_id, "leads")).await?;
    join(tx, group, heir.person_id, LEADER).await
}

/// Shows in the stream that somebody came, left or was named its leader; counts for nobody as unread.
///
/// # Errors
/// When the database refuses.
pub async fn post_member(tx: &Tx, stream: StreamId, by: PersonId, (person, change): (PersonId, &str)) -> Result<()> {
    let body = json!({ "person_id": person, "change": change });
    append(tx, stream, NewEntry { sender: Some(by), ..NewEntry::quiet("member", body) }).await?;
    Ok(())
}

/// What a socket of the actor follows: everything on the own list, and the mailbox and the channel of the own village,
/// which are opened where there are none: what comes there first must find its listeners.
///
/// # Errors
/// When the database fails.
pub async fn subscribed(app: &App, actor: &Actor) -> Result<Vec<Followed>> {
    let (own, is_whole) = queries::own(&app.store, actor).await?;
    if is_whole {
        return Ok(own);
    }
    let (person, areas) = (actor.person, chain_of_areas(&actor.area));
    let open = app.store.write(move |tx| {
        Box::pin(async move {
            mailbox(tx, person).await?;
            for area in &areas {
                channel(tx, area).await?;
            }
            Ok(())
        })
    });
    open.await?;
    Ok(queries::own(&app.store, actor).await?.0)
}

/// From now on it is this body's: its seats handle it. Whoever handled it for the body before is no longer in it, and every
/// phone of theirs is told so.
///
/// # Errors
/// When the database refuses.
pub async fn give(tx: &Tx, stream: StreamId, body: BodyId) -> Result<()> {
    let handled = membership::Entity::find()
        .filter(membership::Column::StreamId.eq(stream))
        .filter(membership::Column::Role.is_in(HANDLERS))
        .filter(membership::Column::LeftAt.is_null())
        .all(tx)
        .await?;
    for row in handled {
        join(tx, stream, row.person_id, FORMER).await?;
    }
    stream::Entity::update_many()
        .col_expr(stream::Column::BodyId, Expr::value(body))
        .col_expr(stream::Column::ChangedAt, Expr::value(tx.now()))
        .filter(stream::Column::Id.eq(stream))
        .exec(tx)
        .await?;
    Ok(())
}

/// By what the person did, a discussion is on the own list from now on.
pub(super) async fn came(tx: &Tx, stream: StreamId, person: PersonId) -> Result<()> {
    tell(tx, stream, (person, "reader"), false).await
}

/// Just these rows.
pub(super) fn these(rows: &[membership::Model]) -> Condition {
    rows.iter().fold(Condition::any(), |all, row| {
        all.add(membership::Column::PersonId.eq(row.person_id).and(membership::Column::StreamId.eq(row.stream_id)))
    })
}

/// Whoever opened a private thread belongs to it for that day only: the next reading is an opening again, and recorded.
/// Ends some of these rights; how many.
///
/// # Errors
/// When the database refuses.
pub async fn end_of_day(tx: &Tx) -> Result<u64> {
    let today = clock::start_of_day(clock::local_date(tx.now()));
    let ended = membership::Entity::find()
        .filter(membership::Column::Role.is_in([HANDLER_TODAY, GIVEN_TODAY]))
        .filter(membership::Column::JoinedAt.lt(today))
        .limit(END_AT_ONCE)
        .all(tx)
        .await?;
    if ended.is_empty() {
        return Ok(0);
    }
    membership::Entity::update_many()
        .col_expr(membership::Column::Role, Expr::value(FORMER))
        .col_expr(membership::Column::ChangedAt, Expr::value(tx.now()))
        .filter(these(&ended))
        .exec(tx)
        .await?;
    for row in &ended {
        tell(tx, row.stream_id, (row.person_id, FORMER), false).await?;
    }
    Ok(ended.len() as u64)
}

async fn join_at(tx: &Tx, stream: StreamId, (person, role): (PersonId, &str), read: Option<(i64, i64)>) -> Result<()> {
    let (read_seq, read_no) = read.unwrap_or_default();
    let before = membership::Entity::find_by_id((person, stream)).one(tx).await?;
    let before = before.filter(|row| row.left_at.is_none());
    let row = membership::ActiveModel {
        person_id: Set(person),
        stream_id: Set(stream),
        role: Set(role.to_owned()),
        read_seq: Set(read_seq),
        read_no: Set(read_no),
        joined_at: Set(tx.now()),
        left_at: Set(None),
        changed_at: Set(tx.now()),
        ..cursor::fresh()
    };
    let mut again = OnConflict::columns([membership::Column::PersonId, membership::Column::StreamId]);
    again.update_columns([
        membership::Column::Role,
        membership::Column::LeftAt,
        membership::Column::JoinedAt,
        membership::Column::ChangedAt,
    ]);
    if read.is_some() && before.is_none() {
        again.update_columns([membership::Column::ReadSeq, membership::Column::ReadNo]);
    }
    membership::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    match before {
        Some(row) if row.role == role => Ok(()),
        before => tell(tx, stream, (person, role), before.is_some_and(|row| row.role != FORMER)).await,
    }
}

/// Tells who serves in a body of its new stream: theirs by their seat, and no phone that is connected knows of it.
pub(super) async fn tell_seats(tx: &Tx, stream: StreamId, body: BodyId) -> Result<()> {
    let seats = bodies::queries::members_of(tx, body, tx.now()).await?;
    let people: BTreeSet<PersonId> = seats.into_iter().map(|seat| seat.person_id).collect();
    for person in people {
        tell(tx, stream, (person, "seat"), false).await?;
    }
    Ok(())
}

/// Tells every phone of the person, on whichever server.
async fn tell(tx: &Tx, stream: StreamId, (person, role): (PersonId, &str), was_there: bool) -> Result<()> {
    tx.ring(Bell::Membership { person, stream });
    let Some(mailbox) = queries::find(tx, StreamKind::Mailbox, &person.to_string()).await? else { return Ok(()) };
    if mailbox == stream {
        return Ok(());
    }
    let body = match role {
        FORMER => json!({ "stream_id": stream, "change": "left" }),
        _ if was_there => json!({ "stream_id": stream, "change": "changed", "role": role }),
        _ => json!({ "stream_id": stream, "change": "joined", "role": role }),
    };
    append(tx, mailbox, NewEntry::quiet("member", body)).await?;
    Ok(())
}
