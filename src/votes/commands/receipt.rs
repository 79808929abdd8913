//! Receipts: the signed promise that a ballot is counted, with who sealed it.
use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    board::lsb1::{self, Signed},
    clock,
    error::Result,
    ids::VoteId,
    keys::Keys,
};

/// Who closed the envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SealedBy {
    /// The elector's own phone: the choice never left it.
    Phone,
    /// 系统代封: the server, in memory; whoever runs it could have looked.
    Server,
}

impl SealedBy {
    pub(in crate::votes) fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Server => "server",
        }
    }

    pub(in crate::votes) fn parse(text: &str) -> Option<Self> {
        [Self::Phone, Self::Server].into_iter().find(|one| one.as_str() == text)
    }
}

/// A ballot that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    /// The vote.
    pub vote: VoteId,
    /// The ballot.
    pub cast_id: Uuid,
    /// Digest of what is on it, or of its envelope.
    pub hash: String,
    /// When it was taken, to the second.
    pub at: DateTime<Utc>,
    /// Who sealed it; absent for an open one, and after the end.
    pub sealed_by: Option<SealedBy>,
}

/// The signed promise that a ballot is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BallotReceipt {
    /// The vote.
    pub vote_id: VoteId,
    /// The ballot.
    pub cast_id: Uuid,
    /// Its digest, in hex. Open: SHA-256 over `LSB1-ballot NUL {"c":[choice],"cast_id","poll"}` in canonical JSON; sealed:
    /// over the envelope.
    pub ballot_hash: String,
    /// When it was taken.
    pub cast_at: DateTime<FixedOffset>,
    /// The same as signed: UTC, seconds.
    pub accepted: String,
    /// Its digest is on the public board within so many seconds.
    pub promise_s: u64,
    /// Who sealed a secret ballot; `server` is the weaker promise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed_by: Option<SealedBy>,
    /// Which key signed: that of the board, which the manifest names.
    pub key_id: String,
    /// Ed25519, in hex, over `LSB1-receipt NUL {"accepted","cast_id","h","poll","promise_s"}` in canonical JSON; `h` is
    /// `ballot_hash`, `poll` is `vote_id`.
    pub signature: String,
}

impl BallotReceipt {
    /// 系统代封?
    #[must_use]
    pub fn is_sealed_by_server(&self) -> bool {
        self.sealed_by == Some(SealedBy::Server)
    }
}

/// Signs the receipt of a ballot with the key of its board; outside the unit of work, because the writer has better things to
/// do.
///
/// # Errors
/// When there is no such key.
pub fn sign(keys: &Keys, key_id: String, cast: Cast) -> Result<BallotReceipt> {
    let accepted = lsb1::moment(cast.at);
    let told = lsb1::receipt(&cast.vote.to_string(), (&cast.cast_id.to_string(), &cast.hash), &accepted);
    let signature = lsb1::hex(&keys.sign_by(&key_id, &lsb1::statement(Signed::Receipt, &told))?);
    Ok(BallotReceipt {
        vote_id: cast.vote,
        cast_id: cast.cast_id,
        ballot_hash: cast.hash,
        cast_at: clock::local(cast.at),
        accepted,
        promise_s: lsb1::PROMISE_SECS,
        sealed_by: cast.sealed_by,
        key_id,
        signature,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_signed_and_says_nothing_of_the_person() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(folder.path()).unwrap();
        let (vote, cast_id, at) = (VoteId::new(), Uuid::new_v4(), DateTime::UNIX_EPOCH);
        let cast = Cast { vote, cast_id, hash: "00".into(), at, sealed_by: None };
        let (key_id, key) = keys.signer().unwrap();
        let receipt = sign(&keys, key_id.clone(), cast.clone()).unwrap();
        let told = serde_json::json!({
            "accepted": "1970-01-01T00:00:00Z", "cast_id": cast_id, "h": "00", "poll": vote, "promise_s": 60,
        });
        assert!(lsb1::is_signed(&lsb1::hex(&key), Signed::Receipt, &told, &receipt.signature));
        assert_eq!(sign(&keys, key_id, cast).unwrap(), receipt, "the same receipt again");
    }
}
