//! Reads of accounts.
use std::collections::HashSet;

use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Query,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rows::{account, consent};
use crate::{
    clock,
    error::Result,
    gateways::wechat::WechatApp,
    ids::{PersonId, WechatAccountId},
    people::audience::Among,
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
        .order_by_desc(account::Column::BoundAt)
        .order_by_desc(account::Column::Id)
        .limit(20);
    Ok(rows.all(db).await?)
}

/// One account.
///
/// # Errors
/// When the database cannot be read.
pub async fn row(db: &impl ConnectionTrait, id: WechatAccountId) -> Result<Option<account::Model>> {
    Ok(account::Entity::find_by_id(id).one(db).await?)
}

/// How many sends of each template these accounts consented to, for who plans.
///
/// # Errors
/// When the database cannot be read.
pub async fn consents(
    db: &impl ConnectionTrait,
    ids: &[WechatAccountId],
) -> Result<Vec<(WechatAccountId, String, i32)>> {
    let rows = consent::Entity::find()
        .filter(consent::Column::AccountId.is_in(ids.iter().copied()))
        .filter(consent::Column::Remaining.gt(0));
    Ok(rows.all(db).await?.into_iter().map(|row| (row.account_id, row.template, row.remaining)).collect())
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
        .filter(account::Column::OffWhy.is_null())
        .filter(
            Condition::any()
                .add(account::Column::IsFollowing.eq(true))
                .add(talks)
                .add(account::Column::Id.in_subquery(consented)),
        );
    Ok(rows.into_tuple::<Option<PersonId>>().all(db).await?.into_iter().flatten().collect())
}
