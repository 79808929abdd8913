//! Casting at the same moment: the plain ballots of several electors by as many statements as one costs.
use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use uuid::Uuid;

use super::{Paper, cast, row_of};
use crate::{
    app::App,
    board,
    error::{Error, Result},
    ids::{MeetingId, PersonId, VoteId},
    meetings,
    store::{Tx, padded},
    votes::{
        commands::{Cast, Secrecy},
        queries,
        rows::{envelope, roll_entry, vote},
    },
};

/// A ballot on its way.
struct Piece {
    person: PersonId,
    vote: VoteId,
    paper: Paper,
}

/// Takes a ballot, together with what others cast at the moment; what is not somebody's own plain ballot, or is refused, is cast
/// by itself.
///
/// # Errors
/// As [`cast`].
pub async fn cast_with_others(app: &App, person: PersonId, vote: VoteId, paper: Paper) -> Result<Cast> {
    let piece = Piece { person, vote, paper: paper.clone() };
    match app.store.write_together(piece, |tx, all| Box::pin(take_all(tx, all))).await? {
        Some(taken) => Ok(taken),
        None => app.store.write(move |tx| Box::pin(cast(tx, person, vote, paper))).await,
    }
}

/// What becomes of each; `None`: it is to be cast by itself.
async fn take_all(tx: &Tx, all: &[Piece]) -> Result<Vec<Result<Option<Cast>>>> {
    let known = Known::of(tx, all).await?;
    // read after the rows: on the one writer nothing closes a vote from here to the commit
    let now = tx.now();
    let (mut plain, mut numbers, mut ids) = (Vec::new(), HashSet::new(), HashSet::new());
    for (place, piece) in all.iter().enumerate() {
        let Some((vote, entry)) = known.place(piece, now)? else { continue };
        // of two of one elector, or with one id, the second is looked at when the first is there
        if numbers.insert((vote.id, entry.number)) && ids.insert((vote.id, piece.paper.cast_id)) {
            plain.push(Plain { place, piece, vote, entry });
        }
    }
    if !plain.is_empty() {
        write(tx, &plain, now).await?;
    }
    let at = now.trunc_subsecs(0);
    let mut taken: HashMap<usize, Cast> = plain.iter().map(|one| (one.place, one.taken(at))).collect();
    Ok((0..all.len()).map(|place| Ok(taken.remove(&place))).collect())
}

/// Somebody's own ballot in a vote that takes it.
struct Plain<'a> {
    place: usize,
    piece: &'a Piece,
    vote: &'a vote::Model,
    entry: &'a roll_entry::Model,
}

impl Plain<'_> {
    fn is_first(&self) -> bool {
        self.entry.channel == queries::NOT_CAST
    }

    fn taken(&self, at: DateTime<Utc>) -> Cast {
        let Paper { cast_id, hash, .. } = &self.piece.paper;
        let sealed_by = self.piece.paper.sealed_by();
        Cast { vote: self.vote.id, cast_id: *cast_id, hash: hash.clone(), at, sealed_by }
    }
}

/// Everything that must be known about several ballots, read at once.
struct Known {
    votes: HashMap<VoteId, vote::Model>,
    entries: HashMap<(VoteId, PersonId), roll_entry::Model>,
    /// Ids of ballots that are there.
    cast: HashSet<(VoteId, Uuid)>,
}

impl Known {
    async fn of(tx: &Tx, all: &[Piece]) -> Result<Self> {
        let votes: HashSet<VoteId> = all.iter().map(|one| one.vote).collect();
        let votes = padded(votes.into_iter().collect::<Vec<_>>());
        let people = padded(all.iter().map(|one| one.person).collect::<Vec<_>>());
        let ids = padded(all.iter().map(|one| one.paper.cast_id).collect::<Vec<_>>());
        let rows = vote::Entity::find().filter(vote::Column::Id.is_in(votes.clone())).all(tx).await?;
        let entries = roll_entry::Entity::find()
            .filter(roll_entry::Column::VoteId.is_in(votes.clone()))
            .filter(roll_entry::Column::PersonId.is_in(people))
            .all(tx)
            .await?;
        let cast: Vec<(VoteId, Uuid)> = envelope::Entity::find()
            .select_only()
            .columns([envelope::Column::VoteId, envelope::Column::CastId])
            .filter(envelope::Column::VoteId.is_in(votes))
            .filter(envelope::Column::CastId.is_in(ids))
            .into_tuple()
            .all(tx)
            .await?;
        Ok(Self {
            votes: rows.into_iter().map(|row| (row.id, row)).collect(),
            entries: entries.into_iter().map(|row| ((row.vote_id, row.person_id), row)).collect(),
            cast: cast.into_iter().collect(),
        })
    }

    /// The vote and the place on its roll, where a person casts the own ballot for the first time, or again where one may.
    fn place(&self, piece: &Piece, now: DateTime<Utc>) -> Result<Option<(&vote::Model, &roll_entry::Model)>> {
        let entry = self.entries.get(&(piece.vote, piece.person));
        let Some((vote, entry)) = self.votes.get(&piece.vote).zip(entry) else { return Ok(None) };
        let paper = &piece.paper;
        let is_open = vote.state == queries::OPEN && vote.opens_at <= now && now < vote.closes_at;
        let is_own = paper.elector.is_none() && !queries::is_of_households(&vote.preset);
        let is_of_its_kind = match paper.sealed {
            Some(_) => vote.secrecy == Secrecy::Secret.as_str(),
            None => vote.secrecy == Secrecy::Open.as_str(),
        };
        let is_again = entry.channel == queries::ONLINE && entry.cast_by.is_none() && vote.allows_revote;
        let is_free = entry.channel == queries::NOT_CAST || is_again;
        let is_new = !self.cast.contains(&(piece.vote, paper.cast_id));
        if !(is_open && is_own && is_of_its_kind && is_free && is_new) {
            return Ok(None);
        }
        let fits = match &paper.open {
            Some(ballot) => ballot.fits(queries::question_of(vote)?.as_ref()).is_ok(),
            None => true,
        };
        Ok(fits.then_some((vote, entry)))
    }
}

/// Envelopes, marks on the roll, promises to the board, who is at the meeting: as for one.
async fn write(tx: &Tx, plain: &[Plain<'_>], now: DateTime<Utc>) -> Result<()> {
    let newest = newest(tx, plain).await?;
    let at = now.trunc_subsecs(0);
    let rows = plain.iter().map(|one| {
        let number = one.entry.number;
        let before = newest.get(&(one.vote.id, number)).copied().unwrap_or(0);
        row_of(one.vote.id, (number, before + 1), &one.piece.paper, at)
    });
    envelope::Entity::insert_many(rows).exec_without_returning(tx).await?;
    mark(tx, plain).await?;
    let promised = plain.iter().filter(|one| one.vote.has_board);
    let promised = promised.map(|one| (one.vote.id, one.piece.paper.hash.clone())).collect();
    board::commands::promise_all(tx, promised).await?;
    // in a secret vote all who cast sign in together at the end
    let mut present: BTreeMap<MeetingId, Vec<(PersonId, PersonId)>> = BTreeMap::new();
    for one in plain.iter().filter(|one| one.piece.paper.sealed.is_none()) {
        if let Some(meeting) = one.vote.meeting_id {
            present.entry(meeting).or_default().push((one.piece.person, one.piece.person));
        }
    }
    for (meeting, people) in present {
        meetings::commands::attend_by_phone(tx, meeting, &people, now).await?;
    }
    Ok(())
}

/// The last revisions of those who cast again.
async fn newest(tx: &Tx, plain: &[Plain<'_>]) -> Result<HashMap<(VoteId, i32), i32>> {
    let again: Vec<&Plain<'_>> = plain.iter().filter(|one| !one.is_first()).collect();
    if again.is_empty() {
        return Ok(HashMap::new());
    }
    let votes: HashSet<VoteId> = again.iter().map(|one| one.vote.id).collect();
    let numbers: Vec<i32> = again.iter().map(|one| one.entry.number).collect();
    let last: Vec<(VoteId, i32, i32)> = envelope::Entity::find()
        .select_only()
        .columns([envelope::Column::VoteId, envelope::Column::ElectorNumber])
        .column_as(envelope::Column::Rev.max(), "newest")
        .filter(envelope::Column::VoteId.is_in(padded(votes.into_iter().collect::<Vec<_>>())))
        .filter(envelope::Column::ElectorNumber.is_in(padded(numbers)))
        .group_by(envelope::Column::VoteId)
        .group_by(envelope::Column::ElectorNumber)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(last.into_iter().map(|(vote, number, rev)| ((vote, number), rev)).collect())
}

/// From the channel that was read: whoever was first has it, and then all of them are cast by themselves.
async fn mark(tx: &Tx, plain: &[Plain<'_>]) -> Result<()> {
    let mut first: BTreeMap<VoteId, Vec<i32>> = BTreeMap::new();
    for one in plain.iter().filter(|one| one.is_first()) {
        first.entry(one.vote.id).or_default().push(one.entry.number);
    }
    for (vote, numbers) in first {
        let count = numbers.len() as u64;
        let marked = roll_entry::Entity::update_many()
            .col_expr(roll_entry::Column::Channel, Expr::value(queries::ONLINE))
            .col_expr(roll_entry::Column::CastBy, Expr::value(None::<PersonId>))
            .col_expr(roll_entry::Column::IsTold, Expr::value(false))
            .filter(roll_entry::Column::VoteId.eq(vote))
            .filter(roll_entry::Column::Number.is_in(padded(numbers)))
            .filter(roll_entry::Column::Channel.eq(queries::NOT_CAST))
            .exec(tx)
            .await?;
        if marked.rows_affected != count {
            return Err(Error::broken("a ballot beside its mark on the roll"));
        }
    }
    Ok(())
}
