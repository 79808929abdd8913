//! Reads of accounts.
use std::collections::HashSet;

use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    rows::{account, consent},
    rules::{self, Moment},
};
use crate::{
    clock,
    error::Result,
    gateways::wechat::{Wechat, WechatApp},
    ids::{PersonId, WechatAccountId},
    people::{self, audience::Among},
};

/// An account of WeChat, as its owner sees it. Not its openid.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, PartialEq, Eq)]
pub struct AccountView {
    /// Its id here.
    pub id: WechatAccountId,
    /// Of the official account or of the Mini Program.
    pub app: WechatApp,
    /// Since when.
    pub bound_at: Option<DateTime<FixedOffset>>,
    /// Are messages sent there?
    pub is_on: bool,
}

impl From<account::Model> for AccountView {
    fn from(row: account::Model) -> Self {
        Self {
            id: row.id,
            app: WechatApp::parse(&row.app).unwrap_or(WechatApp::Official),
            bound_at: row.bound_at.map(clock::local),
            is_on: row.off_why.is_none(),
        }
    }
}

/// A person's accounts, newest first, 20 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn of_person(db: &impl ConnectionTrait, person: PersonId) -> Result<Vec<AccountView>> {
    Ok(rows_of(db, person).await?.into_iter().map(AccountView::from).collect())
}

pub(super) async fn rows_of(db: &impl ConnectionTrait, person: PersonId) -> Result<Vec<account::Model>> {
    let rows = account::Entity::find()
        .filter(account::Column::PersonId.eq(person))
        .filter(stands())
        .order_by_desc(account::Column::BoundAt)
        .order_by_desc(account::Column::Id)
        .limit(20);
    Ok(rows.all(db).await?)
}

/// Templates to ask a person's consent for at this moment, three at most: not what is consented to already, nor what the
/// person has said no to within 90 days. None without a bound account that follows.
///
/// # Errors
/// When the database cannot be read.
pub async fn to_ask(
    db: &impl ConnectionTrait,
    wechat: &Wechat,
    (person, moment): (PersonId, Moment),
    now: DateTime<Utc>,
) -> Result<Vec<String>> {
    let mut wanted: Vec<String> = Vec::new();
    for template in wechat.to_consent(WechatApp::Official).filter(|one| moment.asks(&one.name)) {
        if !wanted.contains(&template.id) {
            wanted.push(template.id.clone());
        }
    }
    if wanted.is_empty() {
        return Ok(wanted);
    }
    let rows = rows_of(db, person).await?;
    let account = rows.iter().find(|row| row.app == WechatApp::Official.as_str() && row.off_why.is_none());
    let Some(account) = account else { return Ok(Vec::new()) };
    let known = consent::Entity::find().filter(consent::Column::AccountId.eq(account.id)).all(db).await?;
    let is_asked = |id: &String| {
        let Some(row) = known.iter().find(|row| row.template == *id) else { return true };
        let is_enough = row.remaining >= rules::ENOUGH || (row.is_long_term && row.remaining > 0);
        !is_enough && row.refused_at.is_none_or(|at| at < now - rules::NO_NAGGING)
    };
    Ok(wanted.into_iter().filter(is_asked).take(rules::ASKED_AT_ONCE).collect())
}

/// One account.
///
/// # Errors
/// When the database cannot be read.
pub async fn row(db: &impl ConnectionTrait, id: WechatAccountId) -> Result<Option<account::Model>> {
    match account::Entity::find_by_id(id).one(db).await? {
        Some(row) => standing(db, row).await.map(Some),
        None => Ok(None),
    }
}

/// An account as it stands: nobody's, once whoever it was bound to has another phone than the one that proved it. Else whoever
/// has the old phone, or a number that was written down wrongly, would go on signing in and reading by it.
pub(super) async fn standing(db: &impl ConnectionTrait, row: account::Model) -> Result<account::Model> {
    let Some(person) = row.person_id else { return Ok(row) };
    let is_theirs = people::queries::phone_digest(db, person).await? == row.phone_hmac;
    Ok(account::Model { person_id: row.person_id.filter(|_| is_theirs), ..row })
}

/// The same of many: is the account still its owner's?
pub(super) fn stands() -> Expr {
    let column = |column: account::Column| Expr::col((account::Entity, column));
    people::queries::has_phone_of(column(account::Column::PersonId), column(account::Column::PhoneHmac))
}

/// Those of these people who can be told something in WeChat, as far as the ledger says: somebody follows, consented to
/// anything, or spoke within two days.
///
/// # Errors
/// When the database cannot be read.
pub async fn tellable(db: &impl ConnectionTrait, among: &Among, now: DateTime<Utc>) -> Result<HashSet<PersonId>> {
    let consented = Query::select()
        .column(consent::Column::AccountId)
        .from(consent::Entity)
        .and_where(consent::Column::Remaining.gt(0).or(consent::Column::IsLongTerm.eq(true)))
        .to_owned();
    let talks = account::Column::WindowLeft.gt(0).and(account::Column::WindowEndsAt.gt(now));
    let rows = account::Entity::find()
        .select_only()
        .column(account::Column::PersonId)
        .filter(among.holds(account::Column::PersonId))
        .filter(stands())
        .filter(account::Column::OffWhy.is_null())
        .filter(
            Condition::any()
                .add(account::Column::IsFollowing.eq(true))
                .add(talks)
                .add(account::Column::Id.in_subquery(consented)),
        );
    Ok(rows.into_tuple::<Option<PersonId>>().all(db).await?.into_iter().flatten().collect())
}
