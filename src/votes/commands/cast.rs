//! Casting: what becomes of a ballot, and the same receipt however often the same one comes.
use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    actor::Actor,
    board::{self, lsb1, sealing},
    error::{Checks, Code, Error, Result},
    ids::{PersonId, VoteId},
    keys::sha256_hex,
    people,
    store::Tx,
    votes::{
        commands::{
            Cast, SealedBy, Secrecy,
            keep::{Good, keep},
            slot::{Casting, Slot, again, find_slot},
        },
        queries,
        rows::envelope,
        rules::Question,
    },
};

/// What one may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// 同意
    For,
    /// 不同意
    Against,
    /// 弃权
    Abstain,
}

impl Choice {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::For => "for",
            Self::Against => "against",
            Self::Abstain => "abstain",
        }
    }

    /// The choice of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::For, Self::Against, Self::Abstain].into_iter().find(|choice| choice.as_str() == text)
    }
}

/// A ballot.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CastBallot {
    /// A random UUID (version 4) made by the client once per ballot: sending again is the same ballot, also after closing.
    pub cast_id: Uuid,
    /// The choice about a motion; it cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
    /// Keys of the options chosen, where the vote chooses among options; none of them is an abstention.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 30)]
    pub choices: Option<Vec<String>>,
    /// The number on the roll of the elector for whom it is cast, by a checked proxy or as the alternate of a household;
    /// absent: for oneself, or for the own household.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elector: Option<i32>,
}

impl CastBallot {
    /// What stands on it: one word about a motion, or the options chosen.
    #[must_use]
    pub fn marks(&self) -> Vec<String> {
        let one = self.choice.map(|choice| choice.as_str().to_owned());
        one.into_iter().chain(self.choices.iter().flatten().cloned()).collect()
    }

    /// Fits what was asked: a word for a motion, options for a choice.
    ///
    /// # Errors
    /// `ballot_kind`; `invalid_fields` for too many, unknown or repeated options.
    pub(in crate::votes) fn fits(&self, question: Option<&Question>) -> Result<()> {
        let Some(question) = question else {
            let is_word = self.choice.is_some() && self.choices.is_none();
            return if is_word { Ok(()) } else { Err(Code::BallotKind.into()) };
        };
        let choices = self.choices.as_ref().filter(|_| self.choice.is_none()).ok_or(Code::BallotKind)?;
        let mut checks = Checks::default();
        checks.require(choices.len() <= question.max_choices, "choices", "too_many_choices");
        checks.require(question.is_valid(choices) || choices.len() > question.max_choices, "choices", "invalid");
        checks.done()
    }
}

/// A ballot as it is kept: what is on it, or the envelope in which it is.
#[derive(Clone, Debug)]
pub struct Paper {
    pub(super) cast_id: Uuid,
    pub(super) elector: Option<i32>,
    pub(super) open: Option<CastBallot>,
    pub(super) sealed: Option<(String, SealedBy)>,
    pub(super) hash: String,
    /// Since when the phone by which it comes is one that a roster put in the place of another.
    phone_listed_at: Option<DateTime<Utc>>,
}

impl Paper {
    /// An open (记名) ballot.
    #[must_use]
    pub fn open(vote: VoteId, ballot: &CastBallot) -> Self {
        let hash = digest(vote, ballot);
        let (cast_id, elector, open) = (ballot.cast_id, ballot.elector, Some(ballot.clone()));
        Self { cast_id, elector, open, sealed: None, hash, phone_listed_at: None }
    }

    /// A sealed one, of this elector or of the caster.
    #[must_use]
    pub fn sealed((cast_id, elector): (Uuid, Option<i32>), envelope: &[u8], by: SealedBy) -> Self {
        let sealed = Some((sealing::written(envelope), by));
        Self { cast_id, elector, open: None, sealed, hash: sha256_hex(envelope), phone_listed_at: None }
    }

    /// As it comes by the phone of somebody.
    #[must_use]
    pub fn by(self, actor: &Actor) -> Self {
        Self { phone_listed_at: actor.phone_listed_at, ..self }
    }

    pub(super) fn sealed_by(&self) -> Option<SealedBy> {
        self.sealed.as_ref().map(|(_, by)| *by)
    }
}

/// Digest of an open ballot.
#[must_use]
pub fn digest(vote: VoteId, ballot: &CastBallot) -> String {
    lsb1::ballot_digest(&vote.to_string(), &ballot.cast_id.to_string(), &ballot.marks())
}

/// Takes a ballot; a later one of the same elector takes its place where the vote allows it.
///
/// Cast for another, it is told to whom it concerns: of an open ballot at once, of a secret one with many others.
/// Recorded: `vote.cast_for`.
///
/// # Errors
/// `not_found`; `not_on_roll`; `proxy_not_allowed` for who may not cast for this elector; `paper_required` where everybody votes
/// on paper; `ballot_kind` for an open ballot
/// in a secret vote or the reverse; `invalid_fields` for what cannot stand on it, and for an id of a secret one that is not
/// random; `cast_id_conflict` when that
/// id holds another ballot; `vote_not_open`, `vote_closed`; `vote_restored` while it rests; `phone_unproven` by a phone that a roster put in the place of another
/// since the roll was drawn up;
/// `paper_issued`; `already_cast`, of an elector for whom another cast with `more.cast_by`.
pub async fn cast(tx: &Tx, person: PersonId, vote: VoteId, paper: Paper) -> Result<Cast> {
    let slot = find_slot(tx, person, vote, &paper).await?;
    let known = envelope::Entity::find_by_id((vote, paper.cast_id)).one(tx).await?;
    // the time is read after the rows: on the one writer nothing closes the vote from here to the commit
    match look_at(slot, known, (person, vote, &paper), tx.now())? {
        Look::Before(cast) => Ok(cast),
        Look::After => taken_before(tx, vote, &paper).await,
        Look::Taken(casting, cast_by) => Err(told_by_whom(tx, casting, cast_by).await),
        Look::New(good) => {
            // the id is free: it is the elector's own next place that somebody holds
            if keep(tx, std::slice::from_ref(&*good)).await?.is_empty() {
                Err(Code::AlreadyCast.into())
            } else {
                Ok(good.cast)
            }
        }
    }
}

/// What becomes of a ballot.
pub(super) enum Look {
    /// It was cast before.
    Before(Cast),
    /// It comes after the end.
    After,
    /// The elector has cast, or somebody for the elector.
    Taken(Casting, Option<PersonId>),
    New(Box<Good>),
}

/// Decides by what is there.
///
/// # Errors
/// Those of [`cast`] that are no [`Look`].
pub(super) fn look_at(
    slot: Slot,
    known: Option<envelope::Model>,
    (person, vote, paper): (PersonId, VoteId, &Paper),
    now: DateTime<Utc>,
) -> Result<Look> {
    let (number, elector) = slot.number.zip(slot.elector).ok_or(Code::NotOnRoll)?;
    if slot.is_struck() {
        return Err(Code::NotOnRoll.into());
    }
    let rank = slot.rank(person).ok_or(Code::ProxyNotAllowed)?;
    let casting = Casting { number, elector, caster: person, home: slot.home(), rank };
    if slot.secrecy == Secrecy::Paper.as_str() {
        return Err(Code::PaperRequired.into());
    }
    let is_secret = slot.secrecy == Secrecy::Secret.as_str();
    if is_secret != paper.sealed.is_some() {
        return Err(Code::BallotKind.into());
    }
    if let Some(ballot) = &paper.open {
        ballot.fits(slot.question()?.as_ref())?;
    }
    if let Some(known) = known {
        return again(known, number, paper).map(Look::Before);
    }
    if slot.restored_at.is_some() {
        return Err(Code::VoteRestored.into());
    }
    if matches!(slot.state.as_str(), queries::WAITING_KEYS | queries::POSTED) || now < slot.opens_at {
        return Err(Code::VoteNotOpen.into());
    }
    if slot.has_sheet() && slot.state == queries::OPEN && now < slot.closes_at {
        return Err(Code::PaperIssued.into());
    }
    if slot.state != queries::OPEN || now >= slot.closes_at {
        return Ok(Look::After);
    }
    if !slot.is_free(rank) {
        return Ok(Look::Taken(casting, slot.cast_by));
    }
    // everybody reads the ids of a secret vote in the end: one that holds a time would say when it was cast
    if is_secret && paper.cast_id.get_version_num() != 4 {
        return Err(Error::field("cast_id", "not_random"));
    }
    // whoever brings rosters in could vote for those who never log in, and nobody would be told
    if paper.phone_listed_at.is_some_and(|at| at >= slot.created_at) {
        return Err(Code::PhoneUnproven.into());
    }
    let at = now.trunc_subsecs(0);
    let cast = Cast { vote, cast_id: paper.cast_id, hash: paper.hash.clone(), at, sealed_by: paper.sealed_by() };
    Ok(Look::New(Box::new(Good { casting, cast, is_secret, now, paper: paper.clone(), slot })))
}

/// The same for everybody but the one who knows it: that a ballot of this elector is there, and who cast it.
async fn told_by_whom(tx: &Tx, casting: Casting, cast_by: Option<PersonId>) -> Error {
    let by = cast_by.unwrap_or(casting.elector);
    if by == casting.caster {
        return Code::AlreadyCast.into();
    }
    match people::names(tx, vec![by]).await {
        Ok(mut names) => {
            let name = people::mask_name(&names.remove(&by).unwrap_or_default());
            Code::AlreadyCast.with(serde_json::json!({ "cast_by": name }))
        }
        Err(error) => error,
    }
}

/// After the end nobody knows any more whose a sealed ballot was, nor in which second it came; who has the envelope gets a receipt
/// again, of the moment at which it came onto the board, until everybody has them. Sealing twice never gives the same envelope:
/// what the server sealed is known by its id, which nobody else was told. An open ballot keeps its row and is answered from it; one
/// in whose place another came has none after the end, and is on the board still: who has its id and its choice cast it.
async fn taken_before(tx: &Tx, vote: VoteId, paper: &Paper) -> Result<Cast> {
    let found = match paper.sealed_by() {
        Some(by) => {
            let kept = board::queries::kept_as(tx, vote, paper.cast_id).await?;
            let is_own = |kept: &board::commands::Kept| by == SealedBy::Server || kept.hash == paper.hash;
            kept.filter(|(kept, _)| is_own(kept)).map(|(kept, at)| (kept.hash, at))
        }
        None => board::queries::on_board_at(tx, vote, &paper.hash).await?.map(|at| (paper.hash.clone(), at)),
    };
    let (hash, on_board) = found.ok_or(Code::VoteClosed)?;
    // what the end put there was taken before it
    let on_board = on_board.parse::<DateTime<Utc>>().map_err(Error::broken)?;
    let at = Ord::min(on_board, queries::row(tx, vote).await?.closes_at);
    Ok(Cast { vote, cast_id: paper.cast_id, hash, at, sealed_by: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_holds_for_one_vote_one_ballot_one_choice() {
        let vote = VoteId::new();
        let of = |cast_id, choice| CastBallot { cast_id, choice: Some(choice), choices: None, elector: None };
        let ballot = of(Uuid::now_v7(), Choice::For);
        let digest_of = |vote, cast_id, choice| digest(vote, &of(cast_id, choice));
        let own = digest(vote, &ballot);
        assert_eq!(own, digest_of(vote, ballot.cast_id, Choice::For));
        assert_ne!(own, digest_of(vote, ballot.cast_id, Choice::Against));
        assert_ne!(own, digest_of(vote, Uuid::now_v7(), Choice::For));
        assert_ne!(own, digest_of(VoteId::new(), ballot.cast_id, Choice::For));
    }
}
