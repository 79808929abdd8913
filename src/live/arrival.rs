//! Who comes, and what that person follows: by one reading, together with all who come at the same moment.
//!
//! # Why
//! What somebody follows is read when the hub knows the connection: whoever is let into a conversation before that is heard of
//! by nobody. But two readings one after the other, each shared with others, are two waits and twice the statements for
//! everybody who comes. So it is read ahead, and counts if no bell has told that person of a change since; else it is read again.
use futures_util::future::BoxFuture;

use super::hub::Means;
use crate::{
    actor::Actor,
    error::Result,
    ids::{PersonId, SessionId},
    people::{self, Asked, LogIn},
    store::InTime,
    streams::{
        commands,
        queries::{self, Followed, Own},
    },
};

/// What was read ahead, and how many changes of belonging this server had heard of before.
pub(super) struct Ahead {
    own: Own,
    changes: u64,
}

/// Whose log-in it is; with what that person follows, where both had to be read.
pub(super) async fn come(means: &Means, (person, session): (PersonId, SessionId)) -> Result<(Actor, Option<Ahead>)> {
    let Means { app, hub, .. } = means;
    if let Some(actor) = app.actors.get(session).filter(|actor| actor.person == person) {
        return Ok((actor, None));
    }
    let (rights, changes) = (app.actors.changes(), hub.changes(person));
    let (log_in, own) = app.store.read_together(Asked::of(app, session), read).await?;
    let actor = people::taken(app, log_in, person, rights)?;
    Ok((actor, Some(Ahead { own, changes })))
}

/// What the actor follows. The hub knows the connection by now: what changes from here on it is told.
pub(super) async fn followed(means: &Means, actor: &Actor, ahead: Option<Ahead>) -> Result<Vec<Followed>> {
    let Means { app, hub, .. } = means;
    match ahead.filter(|ahead| ahead.changes == hub.changes(actor.person)) {
        Some(ahead) => commands::made_whole(app, actor, ahead.own).await,
        None => commands::subscribed(app, actor).await,
    }
}

/// Of each of these log-ins whose it is and what that person follows.
fn read<'d>(db: &'d InTime, asked: &'d [Asked]) -> BoxFuture<'d, Result<Vec<(Option<LogIn>, Own)>>> {
    Box::pin(async move {
        let found = people::log_ins(db, asked).await?;
        let actors: Vec<&Actor> = found.iter().flatten().map(|log_in| &log_in.actor).collect();
        let mut own = queries::own_of(db, &actors).await?.into_iter();
        let with_own = |log_in: Option<LogIn>| {
            let own = log_in.as_ref().and_then(|_| own.next()).unwrap_or_default();
            (log_in, own)
        };
        Ok(found.into_iter().map(with_own).collect())
    })
}
