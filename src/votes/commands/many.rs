//! Ballots that many cast at the same moment, by as many statements as one is cast with.
use std::collections::{HashMap, HashSet};

use sea_orm::{
    ConnectionTrait,
    sea_query::{Expr, ExprTrait, Query},
};
use uuid::Uuid;

use super::{
    Cast, Paper,
    cast::{Look, cast, look_at},
    keep::keep,
    slot::own_slots,
};
use crate::{
    error::Result,
    ids::{PersonId, VoteId},
    store::{Store, Tx, by_key, key_column, padded},
    votes::rows::envelope,
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
    let (mut slots, mut known) = (HashMap::new(), HashSet::new());
    for (vote, handed) in by_vote {
        let people = handed.iter().map(|one| one.person).collect();
        let own = own_slots(tx, vote, people).await?;
        // an id of somebody else's, too: its key would refuse it, and all others of the unit with it
        let ids = handed.iter().map(|one| one.paper.cast_id).collect();
        known.extend(are_there(tx, vote, ids).await?.into_iter().map(|cast_id| (vote, cast_id)));
        slots.extend(own.into_iter().map(|(person, slot)| ((vote, person), slot)));
    }
    // the time is read after the rows: on the one writer nothing closes the vote from here to the commit
    let now = tx.now();
    let (mut outcomes, mut good, mut ids) = (Vec::with_capacity(all.len()), Vec::new(), HashSet::new());
    for Handed { person, vote, paper } in all {
        // a second one of the same elector finds no place here any more
        let Some(slot) = slots.remove(&(*vote, *person)) else {
            outcomes.push(Ok(None));
            continue;
        };
        if known.contains(&(*vote, paper.cast_id)) {
            outcomes.push(Ok(None));
            continue;
        }
        let found = look_at(slot, None, (*person, *vote, paper), now);
        outcomes.push(match found {
            Ok(Look::New(new)) if ids.insert((*vote, paper.cast_id)) => {
                good.push(*new);
                Ok(good.last().map(|new| new.cast.clone()))
            }
            Ok(_) => Ok(None),
            Err(refused) if refused.code().status().is_server_error() => return Err(refused),
            Err(refused) => Err(refused),
        });
    }
    if !good.is_empty() {
        keep(tx, &good).await?;
    }
    Ok(outcomes)
}

/// Which of these ballots, one at least, are there.
async fn are_there(tx: &Tx, vote: VoteId, ids: Vec<Uuid>) -> Result<Vec<Uuid>> {
    let same = Query::select()
        .column((envelope::Entity, envelope::Column::CastId))
        .from(envelope::Entity)
        .and_where(Expr::col((envelope::Entity, envelope::Column::VoteId)).eq(vote))
        .and_where(Expr::col((envelope::Entity, envelope::Column::CastId)).eq(key_column(1)))
        .to_owned();
    let rows = tx.query_all(&by_key(padded(ids), 1, same)).await?;
    let found = rows.iter().map(|row| row.try_get::<Option<Uuid>>("", "found"));
    Ok(found.collect::<std::result::Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}
