//! What WeChat reports of a send after it took it: matched to the send whichever of the two is written down first.
use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::Expr};
use uuid::Uuid;

use super::{
    ledger,
    rows::{receipt, send},
    rules,
};
use crate::{
    error::Result,
    ids::WechatAccountId,
    store::{Tx, padded},
};

const FORGET_BATCH: u64 = 500;
/// Longer names are none of WeChat's.
const LONGEST_ID: usize = 64;

/// How a send ended after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// It is on the phone.
    Arrived,
    /// The person has switched messages off, all of them.
    Blocked,
    /// The person does not consent to this template.
    Refused,
    /// It did not arrive.
    Failed,
}

impl Report {
    /// Stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::Blocked => "blocked",
            Self::Refused => "refused",
            Self::Failed => "not_arrived",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Arrived, Self::Blocked, Self::Refused, Self::Failed].into_iter().find(|known| known.as_str() == text)
    }
}

/// Which of these tries of letters WeChat took, named or not: they are out, whatever else is known of them.
///
/// # Errors
/// When the database cannot be read.
pub async fn taken_by_wechat(tx: &Tx, tries: &[(Uuid, i32)]) -> Result<HashSet<Uuid>> {
    if tries.is_empty() {
        return Ok(HashSet::new());
    }
    let known: HashMap<Uuid, i32> = tries.iter().copied().collect();
    let rows = send::Entity::find()
        .filter(send::Column::Id.is_in(known.keys().copied()))
        // of before this was told apart it is known by the name alone
        .filter(Condition::any().add(send::Column::State.eq(ledger::OUT)).add(send::Column::Msgid.is_not_null()))
        .all(tx)
        .await?;
    Ok(rows.into_iter().filter(|row| known.get(&row.id) == Some(&row.tries)).map(|row| row.id).collect())
}

/// Notes a report for an account. Gives the letter when its send is known, and no report of it was before: the first
/// stands. A report that belongs to nothing (yet) waits apart, in nobody's way.
///
/// # Errors
/// When the database refuses.
pub async fn note(tx: &Tx, account: WechatAccountId, (msgid, report): (&str, Report)) -> Result<Option<Uuid>> {
    if msgid.is_empty() || msgid.len() > LONGEST_ID {
        return Ok(None);
    }
    let known = send::Entity::find()
        .filter(send::Column::AccountId.eq(account))
        .filter(send::Column::Msgid.eq(msgid))
        .one(tx)
        .await?;
    let Some(known) = known else {
        let row = receipt::ActiveModel {
            account_id: Set(account),
            msgid: Set(msgid.to_owned()),
            reported: Set(report.as_str().to_owned()),
            at: Set(tx.now()),
        };
        let once = [receipt::Column::AccountId, receipt::Column::Msgid];
        receipt::Entity::insert(row).on_conflict_do_nothing_on(once).exec_without_returning(tx).await?;
        return Ok(None);
    };
    let id = known.id;
    Ok(write(tx, &known, report).await?.then_some(id))
}

/// Writes the first report of a send. Who refused it consents to nothing by that template any more; of what else was
/// consented to it says nothing.
async fn write(tx: &Tx, row: &send::Model, report: Report) -> Result<bool> {
    let written = send::Entity::update_many()
        .col_expr(send::Column::Reported, Expr::value(report.as_str()))
        .filter(send::Column::Id.eq(row.id))
        .filter(send::Column::Reported.is_null())
        .exec(tx)
        .await?;
    if written.rows_affected != 1 {
        return Ok(false);
    }
    if let (Report::Refused, Some(template)) = (report, &row.template) {
        ledger::no_consent(tx, (row.account_id, template), row.taken_at).await?;
    }
    Ok(true)
}

/// These sends are written down now: a report that came before one of them finds it.
pub(super) async fn catch_up(tx: &Tx, sends: Vec<(Uuid, WechatAccountId, &str)>) -> Result<()> {
    if sends.is_empty() {
        return Ok(());
    }
    let is_of = |account: WechatAccountId, msgid: &str| {
        Condition::all().add(receipt::Column::AccountId.eq(account)).add(receipt::Column::Msgid.eq(msgid))
    };
    let sends = padded(sends);
    let any = sends.iter().fold(Condition::any(), |any, (_, account, msgid)| any.add(is_of(*account, msgid)));
    for waiting in receipt::Entity::find().filter(any).all(tx).await? {
        let is_its = |one: &&(Uuid, WechatAccountId, &str)| one.1 == waiting.account_id && one.2 == waiting.msgid;
        let Some((id, ..)) = sends.iter().find(is_its) else { continue };
        let row = send::Entity::find_by_id(*id).one(tx).await?;
        if let (Some(row), Some(report)) = (row, Report::parse(&waiting.reported)) {
            write(tx, &row, report).await?;
        }
        receipt::Entity::delete_by_id((waiting.account_id, waiting.msgid)).exec(tx).await?;
    }
    Ok(())
}

/// Forgets sends of which WeChat will report nothing any more, and reports that belonged to nothing.
pub(super) async fn due(tx: &Tx) -> Result<u64> {
    let old = send::Entity::find()
        .filter(send::Column::TakenAt.lt(tx.now() - rules::REPORTED_WITHIN))
        .limit(FORGET_BATCH)
        .all(tx)
        .await?;
    let ids: Vec<Uuid> = old.into_iter().map(|row| row.id).collect();
    let mut gone = 0;
    if !ids.is_empty() {
        gone += send::Entity::delete_many().filter(send::Column::Id.is_in(ids)).exec(tx).await?.rows_affected;
    }
    let old = receipt::Entity::find()
        .filter(receipt::Column::At.lt(tx.now() - rules::REPORTED_WITHIN))
        .limit(FORGET_BATCH)
        .all(tx)
        .await?;
    for row in old {
        gone += receipt::Entity::delete_by_id((row.account_id, row.msgid)).exec(tx).await?.rows_affected;
    }
    Ok(gone)
}
