//! 换人点票: who counted a box and does not come back holds up nothing: two people who counted nothing in it, one of them of
//! the supervision committee or the office above, set that count aside, with a reason that everybody reads.
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::boxes::may_count;
use crate::{
    actor::Actor,
    bodies,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{PersonId, VoteId},
    store::Tx,
    votes::{
        office::{is_apart, stands_in},
        queries::{
            self,
            paper::{self, PaperView},
        },
        rows::{paper_count, paper_replacement, vote},
    },
};

/// Whose count of a box is set aside.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaceCounter {
    /// Which box, from 1.
    #[serde(rename = "box")]
    #[schema(minimum = 1, maximum = 20)]
    pub box_number: i32,
    /// Who counted it, and is replaced.
    pub counter_id: PersonId,
    /// Why; published without a name. 2 to 200 characters. The second person sends it as it was read.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
}

/// Who may replace somebody, and whether that may be now.
async fn enter(tx: &Tx, actor: &Actor, (id, input): (VoteId, &ReplaceCounter)) -> Result<vote::Model> {
    let vote = queries::going(tx, id).await?;
    if !may_count(actor, &vote) {
        return Err(Code::NotAllowed.into());
    }
    if vote.state != queries::COUNTING_PAPER {
        return Err(Code::WrongState.into());
    }
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=200);
    checks.done()?;
    let counts = paper_count::Entity::find()
        .filter(paper_count::Column::VoteId.eq(id))
        .filter(paper_count::Column::BoxNumber.eq(input.box_number))
        .all(tx)
        .await?;
    if !counts.iter().any(|one| one.counted_by == input.counter_id) {
        return Err(Code::NotFound.into());
    }
    // whoever counted it would set aside who counted otherwise
    if counts.iter().any(|one| one.counted_by == actor.person) {
        return Err(Code::SecondPersonNeeded.into());
    }
    Ok(vote)
}

/// Says that somebody's count of a box is to be set aside; it holds once a second person has confirmed it. Another reason takes
/// the place of the one before.
///
/// # Errors
/// `not_found` for who counted nothing in that box; `not_allowed` for who neither counts nor stands in for the office;
/// `wrong_state` unless the paper waits to be counted, or when it was confirmed; `second_person_needed` for who counted the box;
/// `vote_restored`; `invalid_fields`.
pub async fn propose(tx: &Tx, actor: &Actor, (id, input): (VoteId, ReplaceCounter)) -> Result<PaperView> {
    enter(tx, actor, (id, &input)).await?;
    let key = (id, input.box_number, input.counter_id);
    if let Some(before) = paper_replacement::Entity::find_by_id(key).one(tx).await? {
        if before.confirmed_at.is_some() {
            return Err(Code::WrongState.into());
        }
        paper_replacement::Entity::delete_by_id(key).exec(tx).await?;
    }
    let row = paper_replacement::ActiveModel {
        vote_id: Set(id),
        box_number: Set(input.box_number),
        counter_id: Set(input.counter_id),
        reason: Set(input.reason.trim().to_owned()),
        proposed_by: Set(actor.person),
        proposed_at: Set(tx.now()),
        confirmed_by: Set(None),
        confirmed_at: Set(None),
    };
    paper_replacement::Entity::insert(row).exec_without_returning(tx).await?;
    paper::paper(tx, actor, id).await
}

/// Confirms it: from now on that count is set aside, its counter is told so, and somebody else counts. Recorded:
/// `vote.counter_replaced`.
///
/// # Errors
/// Those of [`propose`]; `wrong_state` when nothing was proposed; `second_person_needed` for who proposed it, and while neither
/// of the two is of the supervision committee or the office above and does not run the vote; `changed` when the reason is another than was read.
pub async fn confirm(tx: &Tx, actor: &Actor, (id, input): (VoteId, ReplaceCounter)) -> Result<PaperView> {
    let vote = enter(tx, actor, (id, &input)).await?;
    let key = (id, input.box_number, input.counter_id);
    let before = paper_replacement::Entity::find_by_id(key).one(tx).await?.ok_or(Code::WrongState)?;
    if before.confirmed_by == Some(actor.person) {
        // sent again because the answer was lost
        return paper::paper(tx, actor, id).await;
    }
    if before.proposed_by == actor.person {
        return Err(Code::SecondPersonNeeded.into());
    }
    if before.reason != input.reason.trim() {
        return Err(Code::Changed.into());
    }
    let first = bodies::seats_of(tx, before.proposed_by, tx.now()).await?;
    if !stands_in(actor, &vote) && !is_apart(&first, &vote) {
        return Err(Code::SecondPersonNeeded.into());
    }
    let confirmed = paper_replacement::Entity::update_many()
        .col_expr(paper_replacement::Column::ConfirmedBy, Expr::value(actor.person))
        .col_expr(paper_replacement::Column::ConfirmedAt, Expr::value(tx.now()))
        .filter(paper_replacement::Column::VoteId.eq(id))
        .filter(paper_replacement::Column::BoxNumber.eq(input.box_number))
        .filter(paper_replacement::Column::CounterId.eq(input.counter_id))
        .filter(paper_replacement::Column::ConfirmedAt.is_null())
        .exec(tx)
        .await?;
    if confirmed.rows_affected != 1 {
        return Err(Code::WrongState.into());
    }
    let happening = Happening::new(Kind::CounterReplaced, id).at(&vote.area_code).by(actor.person);
    events::record(tx, happening.with(json!({ "box": input.box_number, "counter": input.counter_id }))).await?;
    paper::paper(tx, actor, id).await
}
