//! Annulling: a vote with a wrong question, or with two keys lost, is stopped by hand; a reason is published, a count never.
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Secrecy, boxes,
    close::{self, take_out_superseded},
    conclude::{Ending, conclude},
};
use crate::{
    actor::Actor,
    board::{self, lsb1},
    error::{Checks, Code, Result},
    ids::VoteId,
    store::Tx,
    votes::{
        office,
        queries::{self, Annulled, VoteView},
        rows::{envelope, vote},
        sealed,
    },
};

/// Why a vote is annulled.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnnulVote {
    /// Why; published. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
    /// By whose permission; published. 2 to 100 characters.
    #[schema(min_length = 2, max_length = 100)]
    pub authority: String,
}

/// Annuls a vote that has no result yet: who cast is parted from the ballots as at any end, nobody's choice is told, and
/// the matter is free for another vote. On the board of one that rests since a backup was loaded nothing is signed. Recorded:
/// `vote.closed`.
///
/// # Errors
/// `not_found`; `not_allowed` without the right to bend a matter's path, and once somebody has counted what is in a box for everybody
/// but the office above; `invalid_fields`; `wrong_state` when it has a result.
pub async fn annul(tx: &Tx, actor: &Actor, (id, input): (VoteId, AnnulVote)) -> Result<VoteView> {
    let before = queries::row(tx, id).await?;
    require(tx, actor, &before).await?;
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=200);
    checks.text("authority", &input.authority, 2..=100);
    checks.done()?;
    if !is_annullable(&before.state) {
        return Err(Code::WrongState.into());
    }
    let mut vote = close::enter(tx, &before, queries::ANNULLED).await?.ok_or(Code::WrongState)?;
    if vote.has_board && !board::queries::is_signable(tx, id).await? {
        vote = without_board(tx, vote).await?;
    }
    let has_begun = matches!(before.state.as_str(), queries::OPEN | queries::POSTED | queries::COUNTING_PAPER);
    if has_begun && vote.has_board {
        if vote.secrecy == Secrecy::Secret.as_str() {
            sealed::strip(tx, &vote).await?;
        } else {
            let void = take_out_superseded(tx, id).await?;
            let told = void.iter().map(|hash| lsb1::void_entry(&id.to_string(), hash)).collect();
            board::commands::close(tx, id, told).await?;
        }
    }
    let why = Annulled { reason: input.reason.trim().to_owned(), authority: input.authority.trim().to_owned() };
    conclude(tx, &vote, Ending::Annulled(why, actor.person)).await?;
    boxes::forget(tx, &vote).await?;
    queries::vote(tx, id).await
}

/// Whoever knows what is in the boxes would annul what does not please.
pub(super) async fn require(tx: &Tx, actor: &Actor, vote: &vote::Model) -> Result<()> {
    // what was counted after a backup nobody sees here
    let may_be_counted = vote.has_paper && vote.restored_at.is_some();
    if !may_be_counted && !queries::paper::is_begun(tx, vote.id).await? {
        return office::require_bend(actor, vote);
    }
    let is_free = office::stands_above(actor, vote) && !office::is_voted_on(vote, actor.person);
    if is_free { Ok(()) } else { Err(Code::NotAllowed.into()) }
}

/// The key that signed its board is lost with its file, or the board came out of a backup and more may have been signed since: it
/// ends where it stands, and whose a sealed ballot was goes with the ballot, and with it the order in which they were cast.
async fn without_board(tx: &Tx, vote: vote::Model) -> Result<vote::Model> {
    board::commands::give_up(tx, vote.id).await?;
    let is_secret = vote.secrecy == Secrecy::Secret.as_str();
    if is_secret {
        envelope::Entity::delete_many().filter(envelope::Column::VoteId.eq(vote.id)).exec(tx).await?;
        sealed::write_roll_anew(tx, vote.id).await?;
    }
    let mut change = vote.into_active_model();
    change.has_board = Set(false);
    change.links_left = Set(is_secret);
    Ok(change.update(tx).await?)
}

/// Is there no result yet?
#[must_use]
pub fn is_annullable(state: &str) -> bool {
    queries::runs(state) || matches!(state, queries::COUNTING_PAPER | queries::COUNTING)
}
