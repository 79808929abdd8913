//! Ballots that many cast at the same moment, by as many statements as one is cast with.
use std::collections::{HashMap, HashSet};

use super::{
    Cast, Paper,
    cast::{Look, cast, look_at},
    keep::keep,
    slot::own_slots,
};
use crate::{
    error::Result,
    ids::{PersonId, VoteId},
    store::{Store, Tx},
};

/// A ballot on its way, of an elector who casts it.
struct Handed {
    person: PersonId,
    vote: VoteId,
    paper: Paper,
}

/// Takes a ballot, together with others that are cast at the moment, and answers after the commit.
///
/// # Errors
/// Those of [`cast`].
pub async fn hand_in(store: &Store, (person, vote): (PersonId, VoteId), paper: Paper) -> Result<Cast> {
    // a ballot for another hangs on more rows
    if paper.elector.is_none() {
        let handed = Handed { person, vote, paper: paper.clone() };
        if let Some(cast) = store.write_together(handed, |tx, all| Box::pin(cast_all(tx, all))).await? {
            return Ok(cast);
        }
    }
    store.write(move |tx| Box::pin(async move { cast(tx, person, vote, paper).await })).await
}

/// Each as [`cast`] would answer; `None` for what is there already, and for what is not decided by the elector's own place on
/// the roll, or by what another of these ballots brings: it is cast by itself.
async fn cast_all(tx: &Tx, all: &[Handed]) -> Result<Vec<Result<Option<Cast>>>> {
    let mut by_vote: HashMap<VoteId, Vec<&Handed>> = HashMap::new();
    for one in all {
        by_vote.entry(one.vote).or_default().push(one);
    }
    let mut slots = HashMap::new();
    for (vote, handed) in by_vote {
        let people = handed.iter().map(|one| one.person).collect();
        let own = own_slots(tx, vote, people).await?;
        slots.extend(own.into_iter().map(|(person, slot)| ((vote, person), slot)));
    }
    // the time is read after the rows: on the one writer nothing closes the vote from here to the commit
    let now = tx.now();
    let (mut outcomes, mut good, mut places) = (Vec::with_capacity(all.len()), Vec::new(), Vec::new());
    let mut ids = HashSet::new();
    for (place, Handed { person, vote, paper }) in all.iter().enumerate() {
        // a second one of the same elector finds no place here any more
        let Some(slot) = slots.remove(&(*vote, *person)) else {
            outcomes.push(Ok(None));
            continue;
        };
        let has_cast = slot.newest.is_some();
        outcomes.push(match look_at(slot, None, (*person, *vote, paper), now) {
            Ok(Look::New(new)) if ids.insert((*vote, paper.cast_id)) => {
                places.push(place);
                good.push(*new);
                Ok(good.last().map(|new| new.cast.clone()))
            }
            Ok(_) => Ok(None),
            Err(refused) if refused.code().status().is_server_error() => return Err(refused),
            // it may be one that is there, which is answered as it was the first time
            Err(_) if has_cast => Ok(None),
            Err(refused) => Err(refused),
        });
    }
    let kept = if good.is_empty() { HashSet::new() } else { keep(tx, &good).await? };
    for (place, good) in places.into_iter().zip(&good) {
        let is_kept = kept.contains(&(good.cast.vote, good.cast.cast_id));
        if let Some(outcome) = outcomes.get_mut(place).filter(|_| !is_kept) {
            *outcome = Ok(None);
        }
    }
    Ok(outcomes)
}
