//! Who asked within the last seconds, by log-in. What was read before somebody's rights changed is not kept after that.
//!
//! # Why
//! Every request needs it. A reading takes some milliseconds, more with many others: a log-in may end while one is under way
//! that still finds it, and would be let in again by what is put here afterwards. Hence changes are counted.
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use moka::sync::Cache;

use crate::{
    actor::Actor,
    ids::{PersonId, SessionId},
};

const KEPT: Duration = Duration::from_secs(3);
const MOST: u64 = 50_000;

/// Actors by log-in, each for three seconds.
pub struct Actors {
    kept: Cache<SessionId, Actor>,
    changes: AtomicU64,
}

impl Default for Actors {
    fn default() -> Self {
        let kept = Cache::builder().max_capacity(MOST).time_to_live(KEPT).support_invalidation_closures().build();
        Self { kept, changes: AtomicU64::default() }
    }
}

impl Actors {
    /// Whose log-in it is, as it was read within the last three seconds.
    #[must_use]
    pub fn get(&self, session: SessionId) -> Option<Actor> {
        self.kept.get(&session)
    }

    /// How many changes there were: to be asked before an actor is read.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Keeps an actor, unless something has changed since so many changes.
    pub fn keep(&self, actor: Actor, changes: u64) {
        let session = actor.session;
        self.kept.insert(session, actor);
        // asked afterwards: whatever changes from here on finds it and drops it
        if self.changes() != changes {
            self.kept.invalidate(&session);
        }
    }

    /// A log-in has ended.
    pub fn invalidate(&self, session: SessionId) {
        self.changed();
        self.kept.invalidate(&session);
    }

    /// The seats or the home of somebody have changed.
    pub fn invalidate_person(&self, person: PersonId) {
        self.changed();
        if let Err(error) = self.kept.invalidate_entries_if(move |_, actor| actor.person == person) {
            tracing::error!(%error, "actor cache");
        }
    }

    /// Those of anybody may have.
    pub fn invalidate_all(&self) {
        self.changed();
        self.kept.invalidate_all();
    }

    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let (person, session) = (PersonId::new(), SessionId::new());
        let actor = || Actor { person, session, name: String::new(), area: String::new(), seats: Vec::new() };
        let changes: [fn(&Actors, &Actor); 3] = [
            |actors, actor| actors.invalidate(actor.session),
            |actors, actor| actors.invalidate_person(actor.person),
            |actors, _| actors.invalidate_all(),
        ];
        for change in changes {
            let actors = Actors::default();
            let before = actors.changes();
            actors.keep(actor(), before);
            assert!(actors.get(session).is_some());
            change(&actors, &actor());
            assert!(actors.get(session).is_none(), "what is kept is dropped");
            actors.keep(actor(), before);
            assert!(actors.get(session).is_none(), "it was being read when that changed");
        }
    }
}
