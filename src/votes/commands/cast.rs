//! Casting: one unit of work, few statements, the same receipt however often the same ballot comes.
use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, Set, SqlErr,
    sea_query::{Expr, ExprTrait, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    clock,
    error::{Code, Error, Result},
    ids::{MeetingId, PersonId, VoteId},
    keys::{Keys, sha256_hex},
    meetings,
    store::Tx,
    votes::{
        queries,
        rows::{envelope, roll_entry, vote},
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
    /// A random UUID made by the client once per ballot: sending again is the same ballot, also after closing.
    pub cast_id: Uuid,
    /// The choice; it cannot be changed.
    pub choice: Choice,
}

/// A ballot that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    /// The vote.
    pub vote: VoteId,
    /// The ballot.
    pub cast_id: Uuid,
    /// Digest of what is on it.
    pub hash: String,
    /// When it was taken.
    pub at: DateTime<Utc>,
}

/// The signed promise that a ballot is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BallotReceipt {
    /// The vote.
    pub vote_id: VoteId,
    /// The ballot.
    pub cast_id: Uuid,
    /// SHA-256, hex, over `liusheng-ballot-1 LF vote LF cast_id LF choice`.
    pub ballot_hash: String,
    /// When it was taken.
    pub cast_at: DateTime<FixedOffset>,
    /// Which key signed.
    pub key_id: String,
    /// Ed25519 over `liusheng-receipt-1 LF vote LF cast_id LF ballot_hash LF cast_at` (UTC, milliseconds, `Z`).
    pub signature: String,
}

/// What is known when a ballot arrives.
#[derive(FromQueryResult)]
struct Slot {
    state: String,
    opens_at: DateTime<Utc>,
    closes_at: DateTime<Utc>,
    meeting_id: Option<MeetingId>,
    number: Option<i32>,
    channel: Option<String>,
    known_elector: Option<i32>,
    known_hash: Option<String>,
    known_at: Option<DateTime<Utc>>,
}

/// Digest of a ballot's canonical text.
#[must_use]
pub fn digest(vote: VoteId, ballot: &CastBallot) -> String {
    sha256_hex(format!("liusheng-ballot-1\n{vote}\n{}\n{}", ballot.cast_id, ballot.choice.as_str()).as_bytes())
}

/// Signs the receipt of a ballot; outside the unit of work, because the writer has better things to do.
///
/// # Errors
/// When there is no signing key.
pub fn sign(keys: &Keys, cast: Cast) -> Result<BallotReceipt> {
    let at = cast.at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let statement = format!("liusheng-receipt-1\n{}\n{}\n{}\n{at}", cast.vote, cast.cast_id, cast.hash);
    let (key_id, signature) = keys.sign(statement.as_bytes())?;
    Ok(BallotReceipt {
        vote_id: cast.vote,
        cast_id: cast.cast_id,
        ballot_hash: cast.hash,
        cast_at: clock::local(cast.at),
        key_id,
        signature,
    })
}

/// Takes a ballot, once an elector.
///
/// # Errors
/// `not_found`; `not_on_roll`; `cast_id_conflict` when that id holds another ballot; `vote_not_open`, `vote_closed`;
/// `already_cast`.
pub async fn cast(tx: &Tx, person: PersonId, vote: VoteId, ballot: CastBallot) -> Result<Cast> {
    let slot = slot(tx, person, vote, ballot.cast_id).await?.ok_or(Code::NotFound)?;
    let number = slot.number.ok_or(Code::NotOnRoll)?;
    let hash = digest(vote, &ballot);
    if let (Some(elector), Some(known_hash), Some(at)) = (slot.known_elector, &slot.known_hash, slot.known_at) {
        let is_same = elector == number && *known_hash == hash;
        return if is_same {
            Ok(Cast { vote, cast_id: ballot.cast_id, hash, at })
        } else {
            Err(Code::CastIdConflict.into())
        };
    }
    // the time is read after the rows: on the one writer nothing closes the vote from here to the commit
    let at = tx.now();
    if at < slot.opens_at {
        return Err(Code::VoteNotOpen.into());
    }
    if slot.state != queries::OPEN || at >= slot.closes_at {
        return Err(Code::VoteClosed.into());
    }
    if slot.channel.as_deref() != Some(queries::NOT_CAST) {
        return Err(Code::AlreadyCast.into());
    }
    insert(tx, vote, number, &ballot, (&hash, at)).await?;
    mark(tx, vote, number).await?;
    if let Some(meeting) = slot.meeting_id {
        meetings::commands::attend_by_phone(tx, meeting, person).await?;
    }
    Ok(Cast { vote, cast_id: ballot.cast_id, hash, at })
}

/// Vote, roll entry and envelope in one statement.
async fn slot(tx: &Tx, person: PersonId, id: VoteId, cast_id: Uuid) -> Result<Option<Slot>> {
    let own_entry = Expr::col((roll_entry::Entity, roll_entry::Column::VoteId))
        .equals((vote::Entity, vote::Column::Id))
        .and(Expr::col((roll_entry::Entity, roll_entry::Column::PersonId)).eq(person));
    let this_envelope = Expr::col((envelope::Entity, envelope::Column::VoteId))
        .equals((vote::Entity, vote::Column::Id))
        .and(Expr::col((envelope::Entity, envelope::Column::CastId)).eq(cast_id));
    let select = Query::select()
        .column((vote::Entity, vote::Column::State))
        .column((vote::Entity, vote::Column::OpensAt))
        .column((vote::Entity, vote::Column::ClosesAt))
        .column((vote::Entity, vote::Column::MeetingId))
        .column((roll_entry::Entity, roll_entry::Column::Number))
        .column((roll_entry::Entity, roll_entry::Column::Channel))
        .expr_as(Expr::col((envelope::Entity, envelope::Column::ElectorNumber)), "known_elector")
        .expr_as(Expr::col((envelope::Entity, envelope::Column::BallotHash)), "known_hash")
        .expr_as(Expr::col((envelope::Entity, envelope::Column::CastAt)), "known_at")
        .from(vote::Entity)
        .left_join(roll_entry::Entity, own_entry)
        .left_join(envelope::Entity, this_envelope)
        .and_where(Expr::col((vote::Entity, vote::Column::Id)).eq(id))
        .to_owned();
    let row = tx.query_one(&select).await?;
    Ok(row.map(|row| Slot::from_query_result(&row, "")).transpose()?)
}

/// The unique keys are the guard; the look beforehand only finds the right words.
async fn insert(
    tx: &Tx,
    vote: VoteId,
    number: i32,
    ballot: &CastBallot,
    (hash, at): (&str, DateTime<Utc>),
) -> Result<()> {
    let row = envelope::ActiveModel {
        vote_id: Set(vote),
        cast_id: Set(ballot.cast_id),
        elector_number: Set(number),
        rev: Set(1),
        choice: Set(Some(ballot.choice.as_str().to_owned())),
        sealed: Set(None),
        ballot_hash: Set(hash.to_owned()),
        cast_at: Set(at),
    };
    let inserted = envelope::Entity::insert(row).exec_without_returning(tx).await;
    inserted.map(drop).map_err(|error| match error.sql_err() {
        // SQLite names the columns, PostgreSQL the key
        Some(SqlErr::UniqueConstraintViolation(key)) if key.contains("cast_id") || key.contains("envelopes_pkey") => {
            Code::CastIdConflict.into()
        }
        Some(SqlErr::UniqueConstraintViolation(_)) => Code::AlreadyCast.into(),
        _ => Error::from(error),
    })
}

async fn mark(tx: &Tx, vote: VoteId, number: i32) -> Result<()> {
    let marked = roll_entry::Entity::update_many()
        .col_expr(roll_entry::Column::Channel, Expr::value(queries::ONLINE))
        .filter(roll_entry::Column::VoteId.eq(vote))
        .filter(roll_entry::Column::Number.eq(number))
        .filter(roll_entry::Column::Channel.eq(queries::NOT_CAST))
        .exec(tx)
        .await?;
    if marked.rows_affected == 1 { Ok(()) } else { Err(Code::AlreadyCast.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_holds_for_one_vote_one_ballot_one_choice() {
        let vote = VoteId::new();
        let ballot = CastBallot { cast_id: Uuid::now_v7(), choice: Choice::For };
        let digest_of = |vote, cast_id, choice| digest(vote, &CastBallot { cast_id, choice });
        let own = digest(vote, &ballot);
        assert_eq!(own, digest_of(vote, ballot.cast_id, Choice::For));
        assert_ne!(own, digest_of(vote, ballot.cast_id, Choice::Against));
        assert_ne!(own, digest_of(vote, Uuid::now_v7(), Choice::For));
        assert_ne!(own, digest_of(VoteId::new(), ballot.cast_id, Choice::For));
    }

    #[test]
    fn a_receipt_is_signed_and_says_nothing_of_the_person() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(folder.path()).unwrap();
        let cast = Cast { vote: VoteId::new(), cast_id: Uuid::now_v7(), hash: "00".into(), at: DateTime::UNIX_EPOCH };
        let receipt = sign(&keys, cast.clone()).unwrap();
        let statement = format!("liusheng-receipt-1\n{}\n{}\n00\n1970-01-01T00:00:00.000Z", cast.vote, cast.cast_id);
        assert!(keys.signed(&receipt.key_id, statement.as_bytes(), &receipt.signature));
        assert_eq!(sign(&keys, cast).unwrap(), receipt, "the same receipt again");
    }
}
