//! Log-ins on devices: opened, renewed, ended. Each ends once, with a reason, and its sockets close with it.
//!
//! # Why
//! A refresh token is not stored, not even hashed: it names its session and its place in the row of tokens, under a MAC
//! of ours. So any older token of a session is told from a forged one, however old it is: its use means that two hold
//! the log-in, and the log-in ends. A token newer than the row can only come from after a backup; it is taken.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde_json::json;

use super::rows::session;
use crate::{
    broker::Bell,
    error::Result,
    events::{self, Happening, Kind},
    ids::{PersonId, SessionId},
    keys::{Keys, same},
    store::{Store, Tx},
};

/// A log-in that is used is noted, and prolonged, once an hour at most.
const NOTED_EVERY: TimeDelta = TimeDelta::hours(1);

/// What carries the log-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Access and refresh tokens, for apps and scripts.
    Tokens,
    /// A cookie, for pages.
    Cookie,
}

/// A log-in to open.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Whose.
    pub person: PersonId,
    /// By what it is carried.
    pub carrier: Carrier,
    /// What the device calls itself.
    pub device: String,
    /// Days that it lasts without being used.
    pub days: i64,
}

/// A log-in just opened or renewed.
#[derive(Clone, Debug)]
pub struct OpenSession {
    /// Whose.
    pub person: PersonId,
    /// The session.
    pub session: SessionId,
    /// The refresh token or the cookie's value: shown once, never stored.
    pub secret: String,
}

/// Opens a log-in.
///
/// # Errors
/// When the database fails.
pub async fn open_session(tx: &Tx, new: NewSession) -> Result<OpenSession> {
    let (keys, id, now) = (tx.keys(), SessionId::new(), tx.now());
    let (secret, cookie_hmac, refresh_number) = match new.carrier {
        Carrier::Tokens => (refresh_token(keys, id, 1), None, Some(1)),
        Carrier::Cookie => {
            let secret = keys.fresh_secret()?;
            let hmac = cookie_hmac(keys, &secret);
            (secret, Some(hmac), None)
        }
    };
    let row = session::ActiveModel {
        id: Set(id),
        person_id: Set(new.person),
        cookie_hmac: Set(cookie_hmac),
        refresh_number: Set(refresh_number),
        created_at: Set(now),
        seen_at: Set(now),
        expires_at: Set(now + TimeDelta::days(new.days)),
        ended_at: Set(None),
        ended_why: Set(None),
        device: Set(new.device),
        how: Set(None),
    };
    row.insert(tx).await?;
    let data = json!({ "session": id });
    events::record(tx, Happening::new(Kind::SignedIn, new.person).by(new.person).with(data)).await?;
    Ok(OpenSession { person: new.person, session: id, secret })
}

pub(super) fn cookie_hmac(keys: &Keys, secret: &str) -> String {
    keys.lookup("cookie", secret)
}

fn refresh_token(keys: &Keys, session: SessionId, number: i32) -> String {
    let name = format!("{session}.{number}");
    let mac = keys.lookup("refresh", &name);
    format!("{name}.{mac}")
}

/// Session and number of a refresh token that is ours.
fn read_refresh_token(keys: &Keys, token: &str) -> Option<(SessionId, i32)> {
    let (name, mac) = token.rsplit_once('.').filter(|_| token.len() < 200)?;
    if !same(&keys.lookup("refresh", name), mac) {
        return None;
    }
    let (session, number) = name.split_once('.')?;
    Some((session.parse().ok()?, number.parse().ok()?))
}

/// How an attempt to renew ended.
pub(super) enum Renewal {
    /// A new token; the old one is spent.
    Renewed(OpenSession),
    /// The token was spent already: the log-in has ended for everybody who holds it.
    Reused(SessionId),
    /// Not a token of a log-in that lasts.
    Ended,
}

/// Spends a refresh token and gives the next.
pub(super) async fn renew(tx: &Tx, token: &str, days: i64) -> Result<Renewal> {
    let Some((id, number)) = read_refresh_token(tx.keys(), token) else { return Ok(Renewal::Ended) };
    let row = session::Entity::find_by_id(id).filter(lasting(tx.now())).one(tx).await?;
    let Some((row, newest)) = row.and_then(|row| row.refresh_number.map(|newest| (row, newest))) else {
        return Ok(Renewal::Ended);
    };
    if number < newest {
        end(tx, Condition::all().add(session::Column::Id.eq(id)), "refresh_reused").await?;
        return Ok(Renewal::Reused(id));
    }
    let next = number.saturating_add(1);
    let spent = session::Entity::update_many()
        .col_expr(session::Column::RefreshNumber, Expr::value(next))
        .col_expr(session::Column::SeenAt, Expr::value(tx.now()))
        .col_expr(session::Column::ExpiresAt, Expr::value(tx.now() + TimeDelta::days(days)))
        .filter(session::Column::Id.eq(id))
        .filter(session::Column::RefreshNumber.eq(newest))
        .filter(session::Column::EndedAt.is_null())
        .exec(tx)
        .await?;
    if spent.rows_affected != 1 {
        return Ok(Renewal::Ended);
    }
    Ok(Renewal::Renewed(OpenSession { person: row.person_id, session: id, secret: refresh_token(tx.keys(), id, next) }))
}

/// Neither ended nor expired.
pub(super) fn lasting(now: DateTime<Utc>) -> Condition {
    Condition::all().add(session::Column::EndedAt.is_null()).add(session::Column::ExpiresAt.gt(now))
}

/// Ends those of these log-ins that have not ended, and says which they were.
pub(super) async fn end(tx: &Tx, which: Condition, why: &str) -> Result<Vec<SessionId>> {
    let open = session::Entity::find().filter(which).filter(session::Column::EndedAt.is_null()).all(tx).await?;
    let mut ended = Vec::with_capacity(open.len());
    for row in open {
        let done = session::Entity::update_many()
            .col_expr(session::Column::EndedAt, Expr::value(tx.now()))
            .col_expr(session::Column::EndedWhy, Expr::value(why))
            .filter(session::Column::Id.eq(row.id))
            .filter(session::Column::EndedAt.is_null())
            .exec(tx)
            .await?;
        if done.rows_affected == 1 {
            let happening = Happening::new(Kind::SessionEnded, row.id).by(row.person_id);
            events::record(tx, happening.with(json!({ "why": why }))).await?;
            tx.ring(Bell::SessionEnded { session: row.id });
            ended.push(row.id);
        }
    }
    Ok(ended)
}

/// Ends every log-in of these people.
pub(super) async fn end_all_of(tx: &Tx, people: &[PersonId], why: &str) -> Result<Vec<SessionId>> {
    let whose = session::Column::PersonId.is_in(people.iter().copied());
    end(tx, Condition::all().add(whose), why).await
}

/// This log-in was opened by something else than a code by SMS: `desk` (password and second factor), `wechat`.
pub(super) async fn note_how(tx: &Tx, id: SessionId, how: &str) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::How, Expr::value(how))
        .filter(session::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// What devices called themselves is forgotten.
pub(super) async fn blank_devices(tx: &Tx, person: PersonId) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::Device, Expr::value(""))
        .filter(session::Column::PersonId.eq(person))
        .exec(tx)
        .await?;
    Ok(())
}

/// Notes that a log-in is in use, at most once an hour; the request that it came with does not wait for it.
pub(super) fn note_use(store: &Store, (id, seen_at): (SessionId, DateTime<Utc>), now: DateTime<Utc>, days: i64) {
    if now - seen_at < NOTED_EVERY {
        return;
    }
    let store = store.clone();
    tokio::spawn(async move {
        let noted = store.write(move |tx| Box::pin(note(tx, id, days))).await;
        if let Err(error) = noted {
            tracing::warn!(%error, "a log-in's use was not noted");
        }
    });
}

async fn note(tx: &Tx, id: SessionId, days: i64) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::SeenAt, Expr::value(tx.now()))
        .col_expr(session::Column::ExpiresAt, Expr::value(tx.now() + TimeDelta::days(days)))
        .filter(session::Column::Id.eq(id))
        .filter(lasting(tx.now()))
        .exec(tx)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_is_read_only_if_it_is_ours() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(folder.path()).unwrap();
        let id = SessionId::new();
        let token = refresh_token(&keys, id, 7);
        assert_eq!(read_refresh_token(&keys, &token), Some((id, 7)));
        assert_eq!(read_refresh_token(&keys, &token.replacen(".7.", ".8.", 1)), None);
        assert_eq!(read_refresh_token(&keys, &token[..token.len() - 1]), None);
        for bad in ["", ".", "..", "a.b.c", &"x".repeat(5000)] {
            assert_eq!(read_refresh_token(&keys, bad), None, "{bad}");
        }
    }
}
