//! Sends that end at the same moment, written down by as many statements as one.
//!
//! # Why
//! A provider's answers come as they went out, dozens at once. What was taken was marked before the call, by letter and try:
//! each is still ended by its own try alone, once, and whoever waits for it is answered after the commit.
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter,
    sea_query::{CaseStatement, Expr},
};
use uuid::Uuid;

use super::{OUT, SPENT, TAKEN, Ticket};
use crate::{
    error::Result,
    gateways::Outcome,
    ids::WechatAccountId,
    store::{Store, Tx, padded},
    wechat::{reports, rows::send},
};

/// How a send by a taken way ended.
struct Ended {
    ticket: Ticket,
    end: Outcome,
}

/// A letter that WeChat has, or may have.
#[derive(Clone)]
struct Gone {
    letter: (Uuid, i32),
    account: WechatAccountId,
    msgid: Option<String>,
}

/// Writes down how a send ended, together with others that end at the moment. Says whether this way is shut from now on, so
/// that it is not taken for the same once more.
///
/// # Errors
/// When the database refuses.
pub(in crate::wechat) async fn settle(store: &Store, ticket: Ticket, end: Outcome) -> Result<bool> {
    store.write_together(Ended { ticket, end }, |tx, all| Box::pin(settle_all(tx, all))).await
}

async fn settle_all(tx: &Tx, all: &[Ended]) -> Result<Vec<Result<bool>>> {
    let (mut outcomes, mut out, mut spent) = (Vec::with_capacity(all.len()), Vec::new(), Vec::new());
    for Ended { ticket, end } in all {
        let gone = |letter, msgid| Gone { letter, account: ticket.account, msgid };
        let is_shut = match (end, ticket.letter) {
            (Outcome::Sent { id, .. }, Some(letter)) => {
                // an answer in a conversation is taken without being named
                out.push(gone(letter, Some(id.clone()).filter(|id| !id.is_empty())));
                false
            }
            (Outcome::Unknown, Some(letter)) => {
                spent.push(gone(letter, None));
                false
            }
            (Outcome::Sent { .. } | Outcome::Unknown, None) => false,
            _ => ticket.unsent(tx, end).await?,
        };
        outcomes.push(Ok(is_shut));
    }
    are_gone(tx, OUT, &out).await?;
    are_gone(tx, SPENT, &spent).await?;
    let named = out.iter().filter_map(|one| Some((one.letter.0, one.account, one.msgid.as_deref()?)));
    // a report may have come before us
    reports::catch_up(tx, named.collect()).await?;
    Ok(outcomes)
}

/// Ends what these tries took, each once and with its own name; nothing of what is another try's by now.
async fn are_gone(tx: &Tx, state: &str, all: &[Gone]) -> Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    let all = padded(all.to_vec());
    let is_of =
        |(id, tries): (Uuid, i32)| Condition::all().add(send::Column::Id.eq(id)).add(send::Column::Tries.eq(tries));
    let names = all
        .iter()
        .fold(CaseStatement::new(), |names, one| names.case(is_of(one.letter), Expr::value(one.msgid.clone())));
    let any = all.iter().fold(Condition::any(), |any, one| any.add(is_of(one.letter)));
    send::Entity::update_many()
        .col_expr(send::Column::State, Expr::value(state))
        .col_expr(send::Column::Msgid, names.into())
        .filter(any)
        .filter(send::Column::State.eq(TAKEN))
        .exec(tx)
        .await?;
    Ok(())
}
