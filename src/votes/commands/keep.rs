//! Writing down ballots that were found good: envelopes, marks on the roll, the board's promise, who was there by it.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Set,
    sea_query::{Expr, OnConflict, Query},
};
use uuid::Uuid;

use super::{
    Cast, Paper,
    slot::{Casting, Slot},
    telling,
};
use crate::{
    board::commands::{Promise, TOGETHER, promise},
    error::{Code, Result},
    ids::{PersonId, VoteId},
    meetings,
    store::{Tx, padded},
    votes::{
        queries,
        rows::{envelope, roll_entry},
    },
};

/// A ballot that may be taken, with the rows by which that was found.
pub(super) struct Good {
    pub(super) casting: Casting,
    pub(super) cast: Cast,
    pub(super) is_secret: bool,
    pub(super) now: DateTime<Utc>,
    pub(super) paper: Paper,
    pub(super) slot: Slot,
}

impl Good {
    fn promise(&self, few_wait: &HashSet<VoteId>) -> Promise<'_> {
        let (vote, hash) = (self.cast.vote, self.cast.hash.as_str());
        let secret_until = self.is_secret.then_some(self.slot.closes_at);
        let is_no_crowd = self.slot.newest.is_some() || few_wait.contains(&vote);
        Promise { vote, hash, secret_until, is_no_crowd }
    }
}

/// Takes ballots of different electors, by as many statements as one takes, and says which: of the others the key is
/// another's, and nothing is written.
///
/// # Errors
/// `already_cast` when a mark holds against what was read; then nothing of them may be kept.
pub(super) async fn keep(tx: &Tx, all: &[Good]) -> Result<HashSet<(VoteId, Uuid)>> {
    let kept = insert(tx, all).await?;
    let all: Vec<&Good> = all.iter().filter(|good| kept.contains(&(good.cast.vote, good.cast.cast_id))).collect();
    let is_news = |good: &&Good| good.slot.has_not_cast() || good.slot.cast_by != good.casting.by();
    let news: Vec<&Good> = all.iter().copied().filter(is_news).collect();
    mark(tx, &news).await?;
    let few_wait = few_wait(tx, &all).await?;
    let on_board = all.iter().filter(|good| good.slot.has_board);
    let promises: Vec<Promise<'_>> = on_board.map(|good| good.promise(&few_wait)).collect();
    promise(tx, promises).await?;
    // whoever casts again signed in the first time. In a secret vote all who cast sign in together at the end, and those for
    // whom others cast are told together: the order of both would be that of the ballots
    attend(tx, news.iter().copied().filter(|good| !good.is_secret)).await?;
    for good in news.into_iter().filter(|good| !good.is_secret) {
        telling::tell_of(tx, (good.cast.vote, &good.slot.area_code), good.casting).await?;
    }
    Ok(kept)
}

/// The unique keys are the guard; the look beforehand only finds the right words.
async fn insert(tx: &Tx, all: &[Good]) -> Result<HashSet<(VoteId, Uuid)>> {
    let rows = all.iter().map(|Good { cast, casting, paper, slot, .. }| envelope::ActiveModel {
        vote_id: Set(cast.vote),
        cast_id: Set(cast.cast_id),
        elector_number: Set(casting.number),
        rev: Set(slot.newest.unwrap_or(0) + 1),
        choice: Set(paper.open.as_ref().map(|ballot| ballot.marks().join(","))),
        sealed: Set(paper.sealed.as_ref().map(|(text, _)| text.clone())),
        ballot_hash: Set(cast.hash.clone()),
        cast_at: Set(cast.at),
        sealed_by: Set(cast.sealed_by.map(|by| by.as_str().to_owned())),
        is_over: Set(false),
    });
    let mut insert =
        envelope::Entity::insert_many(rows).on_conflict(OnConflict::new().do_nothing().to_owned()).into_query();
    insert.returning(Query::returning().columns([envelope::Column::VoteId, envelope::Column::CastId]));
    let rows = tx.query_all(&insert).await?;
    let kept = rows.iter().map(|row| Ok((row.try_get("", "vote_id")?, row.try_get("", "cast_id")?)));
    kept.collect()
}

/// How an elector's place on the roll changes: the vote, from which channel, to which, cast by whom.
type Change<'a> = (VoteId, &'a str, &'static str, Option<PersonId>);

async fn mark(tx: &Tx, news: &[&Good]) -> Result<()> {
    let mut alike: HashMap<Change<'_>, Vec<i32>> = HashMap::new();
    for Good { cast, casting, slot, .. } in news.iter().copied() {
        let before = slot.channel.as_deref().unwrap_or(queries::NOT_CAST);
        alike.entry((cast.vote, before, casting.channel(), casting.by())).or_default().push(casting.number);
    }
    for ((vote, before, channel, by), electors) in alike {
        let count = electors.len() as u64;
        let marked = roll_entry::Entity::update_many()
            // of the two parts of the table the database plans and looks for the one alone
            .filter(roll_entry::Column::IsOver.eq(false))
            .col_expr(roll_entry::Column::Channel, Expr::value(channel))
            .col_expr(roll_entry::Column::CastBy, Expr::value(by))
            .col_expr(roll_entry::Column::IsTold, Expr::value(false))
            .filter(roll_entry::Column::VoteId.eq(vote))
            .filter(roll_entry::Column::Number.is_in(padded(electors)))
            .filter(roll_entry::Column::Channel.eq(before))
            .exec(tx)
            .await?;
        if marked.rows_affected != count {
            return Err(Code::AlreadyCast.into());
        }
    }
    Ok(())
}

/// The secret votes in which fewer have still to cast than go on the board together: if what is there went without them, the
/// last of them would be alone.
async fn few_wait(tx: &Tx, all: &[&Good]) -> Result<HashSet<VoteId>> {
    let votes: HashSet<VoteId> = all.iter().filter(|good| good.is_secret).map(|good| good.cast.vote).collect();
    let mut few = HashSet::new();
    for vote in votes {
        let waiting = roll_entry::Entity::find()
            .select_only()
            .column(roll_entry::Column::Number)
            .filter(roll_entry::Column::VoteId.eq(vote))
            .filter(roll_entry::Column::IsOver.eq(false))
            .filter(roll_entry::Column::Channel.eq(queries::NOT_CAST))
            .limit(u64::from(TOGETHER));
        let waiting: Vec<i32> = waiting.into_tuple().all(tx).await?;
        if waiting.len() < usize::from(TOGETHER) {
            few.insert(vote);
        }
    }
    Ok(few)
}

async fn attend(tx: &Tx, all: impl Iterator<Item = &Good>) -> Result<()> {
    let mut there: HashMap<_, Vec<(PersonId, PersonId)>> = HashMap::new();
    for good in all {
        if let Some(meeting) = good.slot.meeting_id {
            there.entry((meeting, good.now)).or_default().push((good.casting.attends(), good.casting.caster));
        }
    }
    for ((meeting, now), people) in there {
        meetings::commands::attend_by_phone(tx, meeting, &people, now).await?;
    }
    Ok(())
}
