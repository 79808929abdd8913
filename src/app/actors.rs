//! Who asked within the last seconds, by log-in. What was read before somebody's rights changed is not kept after that.
//!
//! # Why
//! Every request needs it. A reading takes some milliseconds, more with many others: a log-in may end while one is under way
//! that still finds it, and would be let in again by what is put here afterwards. Hence changes are counted. And everybody
//! who connects is put here for three seconds and mostly not asked for: a table under a lock costs less than a cache that
//! keeps account of what is used how often.
use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    actor::Actor,
    ids::{PersonId, SessionId},
};

const KEPT: Duration = Duration::from_secs(3);
const MOST: usize = 50_000;
/// Of fewer nobody looks whose time is over.
const FEW: usize = 1000;

/// Actors by log-in, each for three seconds.
#[derive(Default)]
pub struct Actors {
    kept: Mutex<Kept>,
    changes: AtomicU64,
}

#[derive(Default)]
struct Kept {
    actors: HashMap<SessionId, (Instant, Actor)>,
    /// When there are so many it is looked whose time is over.
    full: usize,
}

impl Kept {
    /// Those whose time is over; everybody, where too many ask.
    fn forget(&mut self) {
        self.actors.retain(|_, (at, _)| at.elapsed() < KEPT);
        if self.actors.len() >= MOST {
            self.actors.clear();
        }
        self.full = (2 * self.actors.len()).clamp(FEW, MOST);
        self.actors.shrink_to(self.full);
    }
}

impl Actors {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose log-in it is, as it was read within the last three seconds.
    #[must_use]
    pub fn get(&self, session: SessionId) -> Option<Actor> {
        let kept = self.kept();
        let (at, actor) = kept.actors.get(&session)?;
        (at.elapsed() < KEPT).then(|| actor.clone())
    }

    /// How many changes there were: to be asked before an actor is read.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Keeps an actor, unless something has changed since so many changes.
    pub fn keep(&self, actor: Actor, changes: u64) {
        let mut kept = self.kept();
        // under the lock: whatever changes from here on finds it and drops it
        if self.changes() != changes {
            return;
        }
        if kept.actors.len() >= kept.full {
            kept.forget();
        }
        kept.actors.insert(actor.session, (Instant::now(), actor));
    }

    /// A log-in has ended.
    pub fn invalidate(&self, session: SessionId) {
        self.changed();
        self.kept().actors.remove(&session);
    }

    /// The seats or the home of somebody have changed.
    pub fn invalidate_person(&self, person: PersonId) {
        self.changed();
        self.kept().actors.retain(|_, (_, actor)| actor.person != person);
    }

    /// Those of anybody may have.
    pub fn invalidate_all(&self) {
        self.changed();
        self.kept().actors.clear();
    }

    /// Forgets who asked before; called every minute.
    pub fn sweep(&self) {
        self.kept().forget();
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
        let actor = || Actor {
            person,
            session,
            name: String::new(),
            area: String::new(),
            seats: Vec::new(),
            phone_listed_at: None,
        };
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

    #[test]
    fn whoever_asked_before_is_forgotten_and_the_others_are_not() {
        let actors = Actors::default();
        let of = |session| Actor {
            person: PersonId::new(),
            session,
            name: String::new(),
            area: String::new(),
            seats: Vec::new(),
            phone_listed_at: None,
        };
        let old: Vec<SessionId> = (0..FEW).map(|_| SessionId::new()).collect();
        for session in &old {
            let at = Instant::now().checked_sub(KEPT).unwrap();
            actors.kept().actors.insert(*session, (at, of(*session)));
        }
        assert!(old.iter().all(|session| actors.get(*session).is_none()), "their three seconds are over");
        let newest = SessionId::new();
        actors.keep(of(newest), actors.changes());
        assert_eq!(actors.kept().actors.len(), 1);
        actors.sweep();
        assert!(actors.get(newest).is_some());
        for _ in 0..=MOST {
            actors.keep(of(SessionId::new()), actors.changes());
            assert!(actors.kept().actors.len() <= MOST, "more than there is room for");
        }
    }
}
