//! What may still be sent to an account: taken by a send within the unit that decides to send, given back when certainly
//! nothing went out, gone when WeChat says so.
//!
//! # Why
//! A consent that is taken earlier is lost to whatever ends the send in between (read, withdrawn, the night); one that is
//! taken later may be taken twice. So [`Ways`] is looked at and taken from in the unit of the claim, after every other
//! question. A worker that dies after it leaves the consent spent: nobody knows whether WeChat has the message. What a person
//! says in between is newer: a no is not undone by what is given back, nor a yes by what WeChat says of an earlier send.
mod many;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, Set,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

pub(super) use self::many::settle;
use super::{
    queries,
    reports::Report,
    rows::{account, consent, send},
    rules,
};
use crate::{
    error::Result,
    gateways::{
        Outcome,
        wechat::{Wechat, WechatApp, messages::Way},
    },
    ids::{PersonId, WechatAccountId},
    store::Tx,
};

/// Taken, and not heard of since.
pub(super) const TAKEN: &str = "taken";
/// WeChat may have it.
const SPENT: &str = "spent";
/// WeChat has it: it said so, and in a conversation no more than that.
pub(super) const OUT: &str = "out";
/// Nothing went out: given back, or gone at WeChat.
const VOID: &str = "void";

/// A send that may begin: somebody's account, the way to it, and what was taken for it.
#[derive(Clone, Debug)]
pub struct Ticket {
    pub(super) account: WechatAccountId,
    pub(super) app: WechatApp,
    pub(super) openid_sealed: String,
    pub(super) way: Way,
    /// A consent that is counted down.
    pub(super) counted: Option<String>,
    /// The template by which it goes.
    template: Option<String>,
    /// The letter and which try it is; answers in a conversation have none.
    letter: Option<(Uuid, i32)>,
    /// What a person says after this is newer.
    found_at: DateTime<Utc>,
}

/// Accounts of several people with what the ledger still allows.
#[derive(Debug)]
pub struct Ways {
    accounts: HashMap<PersonId, Vec<account::Model>>,
    consents: HashMap<(WechatAccountId, String), i32>,
}

impl Ways {
    /// Looks at these people's accounts.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn of(tx: &Tx, people: &[PersonId]) -> Result<Self> {
        let rows = account::Entity::find()
            .filter(account::Column::PersonId.is_in(people.iter().copied()))
            .filter(queries::stands())
            .filter(account::Column::OffWhy.is_null())
            .order_by_desc(account::Column::BoundAt)
            .order_by_desc(account::Column::Id)
            .all(tx)
            .await?;
        let consents = consent::Entity::find()
            .filter(consent::Column::AccountId.is_in(rows.iter().map(|row| row.id)))
            .filter(consent::Column::Remaining.gt(0))
            .all(tx)
            .await?;
        let consents = consents.into_iter().map(|row| ((row.account_id, row.template), row.remaining)).collect();
        let mut ways = Self { accounts: HashMap::new(), consents };
        for row in rows {
            if let Some(person) = row.person_id {
                ways.accounts.entry(person).or_default().push(row);
            }
        }
        Ok(ways)
    }

    /// The first way to somebody: the newest account, in the conversation while its window is open, otherwise by a
    /// consent, otherwise by a template message. `None`: there is none now.
    #[must_use]
    pub fn to(&self, wechat: &Wechat, (person, template): (PersonId, &str), now: DateTime<Utc>) -> Option<Ticket> {
        self.accounts.get(&person)?.iter().find_map(|row| self.by(wechat, (row, template), now))
    }

    fn by(&self, wechat: &Wechat, (row, name): (&account::Model, &str), now: DateTime<Utc>) -> Option<Ticket> {
        let app = WechatApp::parse(&row.app).filter(|app| wechat.account(*app).is_some())?;
        let ticket = |way, template: Option<String>, counted| Ticket {
            account: row.id,
            app,
            openid_sealed: row.openid_sealed.clone(),
            way,
            counted,
            template,
            letter: None,
            found_at: now,
        };
        if is_open(row, now) {
            return Some(ticket(Way::Conversation, None, None));
        }
        let template = wechat.template(app, name)?;
        let has_consent = || self.consents.contains_key(&(row.id, template.id.clone()));
        let is_allowed = match template.way {
            Way::Subscription => has_consent(),
            Way::Template => row.is_following,
            Way::Conversation => false,
        };
        let counted = (template.way == Way::Subscription && !template.is_long_term).then(|| template.id.clone());
        is_allowed.then(|| ticket(template.way, Some(template.id.clone()), counted))
    }
}

/// Does the account's conversation take a message?
pub(super) fn is_open(row: &account::Model, now: DateTime<Utc>) -> bool {
    row.window_left > 0 && row.window_ends_at.is_some_and(|until| until > now)
}

impl Ticket {
    /// By which of our accounts.
    #[must_use]
    pub fn app(&self) -> WechatApp {
        self.app
    }

    /// By which interface.
    #[must_use]
    pub fn way(&self) -> Way {
        self.way
    }

    /// Both of these.
    #[must_use]
    pub fn road(&self) -> (WechatApp, Way) {
        (self.app, self.way)
    }

    /// Does it go by a template, and not in the conversation?
    #[must_use]
    pub fn is_templated(&self) -> bool {
        self.template.is_some()
    }

    /// For an answer in the conversation of an account.
    pub(super) fn answer(row: &account::Model, app: WechatApp, now: DateTime<Utc>) -> Self {
        Self {
            account: row.id,
            app,
            openid_sealed: row.openid_sealed.clone(),
            way: Way::Conversation,
            counted: None,
            template: None,
            letter: None,
            found_at: now,
        }
    }

    /// Takes it from the ledger, for one try of a letter. `None`: another was faster, and nothing is left.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn take(mut self, tx: &Tx, letter: Option<(Uuid, i32)>) -> Result<Option<Self>> {
        let is_taken = match (self.way, &self.counted) {
            (Way::Conversation, _) => take_window(tx, self.account).await?,
            (_, Some(template)) => take_consent(tx, self.account, template).await?,
            (_, None) => true,
        };
        if !is_taken {
            return Ok(None);
        }
        self.letter = letter;
        if let Some((id, tries)) = letter {
            let row = send::ActiveModel {
                id: Set(id),
                tries: Set(tries),
                account_id: Set(self.account),
                way: Set(self.way.as_str().to_owned()),
                template: Set(self.template.clone()),
                is_counted: Set(self.counted.is_some()),
                state: Set(TAKEN.to_owned()),
                msgid: Set(None),
                reported: Set(None),
                taken_at: Set(tx.now()),
            };
            use send::Column as C;
            let again = [
                C::Tries,
                C::AccountId,
                C::Way,
                C::Template,
                C::IsCounted,
                C::State,
                C::Msgid,
                C::Reported,
                C::TakenAt,
            ];
            let newest = OnConflict::column(C::Id).update_columns(again).to_owned();
            send::Entity::insert(row).on_conflict(newest).exec_without_returning(tx).await?;
        }
        Ok(Some(self))
    }

    /// Nothing went out: what was taken is given back; nothing is left when WeChat says so. Says whether this way is shut from
    /// now on, so that it is not taken for the same once more.
    async fn unsent(&self, tx: &Tx, end: &Outcome) -> Result<bool> {
        let is_denied = matches!(end, Outcome::Never { why: "no_consent" | "window_closed", .. });
        let is_ours = match self.letter {
            Some(at) => ended(tx, at, VOID).await?,
            None => true,
        };
        // otherwise another try has taken since, or it was given back already
        if is_ours && is_denied {
            return self.is_gone(tx).await;
        }
        if is_ours {
            give_back(tx, self.account, (self.way, self.counted.as_deref()), self.found_at).await?;
        }
        if let Outcome::AddressOff { why, .. } = end {
            super::commands::switch_off(tx, self.account, why).await?;
            return Ok(true);
        }
        Ok(false)
    }

    /// WeChat knows better how much is left of this way: nothing but what was given since. Says whether the ledger knows now:
    /// of a template that asks for no consent it cannot, and that would be taken again and again.
    async fn is_gone(&self, tx: &Tx) -> Result<bool> {
        match (self.way, &self.template) {
            (Way::Conversation, _) => {
                account::Entity::update_many()
                    .col_expr(account::Column::WindowLeft, Expr::value(0))
                    .filter(account::Column::Id.eq(self.account))
                    // one that somebody opened since by speaking ends later
                    .filter(account::Column::WindowEndsAt.lte(self.found_at + rules::SAID.1))
                    .exec(tx)
                    .await?;
                Ok(true)
            }
            (Way::Subscription, Some(template)) => {
                no_consent(tx, (self.account, template), self.found_at).await.map(|()| true)
            }
            _ => Ok(false),
        }
    }
}

/// None of this template was left at a time: only what was given since is. Of no other anything is changed.
pub(super) async fn no_consent(
    tx: &Tx,
    (id, template): (WechatAccountId, &str),
    known_at: DateTime<Utc>,
) -> Result<()> {
    consent::Entity::update_many()
        .col_expr(consent::Column::Remaining, Expr::value(0))
        .col_expr(consent::Column::IsLongTerm, Expr::value(false))
        .filter(consent::Column::AccountId.eq(id))
        .filter(consent::Column::Template.eq(template))
        .filter(consent::Column::GivenAt.is_null().or(consent::Column::GivenAt.lte(known_at)))
        .exec(tx)
        .await?;
    Ok(())
}

/// Takes one message from the open window.
async fn take_window(tx: &Tx, id: WechatAccountId) -> Result<bool> {
    let taken = account::Entity::update_many()
        .col_expr(account::Column::WindowLeft, Expr::col(account::Column::WindowLeft).sub(1))
        .filter(account::Column::Id.eq(id))
        .filter(account::Column::WindowLeft.gt(0))
        .filter(account::Column::WindowEndsAt.gt(tx.now()))
        .exec(tx)
        .await?;
    Ok(taken.rows_affected == 1)
}

/// Takes one consent.
async fn take_consent(tx: &Tx, id: WechatAccountId, template: &str) -> Result<bool> {
    let taken = consent::Entity::update_many()
        .col_expr(consent::Column::Remaining, Expr::col(consent::Column::Remaining).sub(1))
        .filter(consent::Column::AccountId.eq(id))
        .filter(consent::Column::Template.eq(template))
        .filter(consent::Column::Remaining.gt(0))
        .exec(tx)
        .await?;
    Ok(taken.rows_affected == 1)
}

/// Ends what a try took, once; `false` when it is not that try's any more.
async fn ended(tx: &Tx, (id, tries): (Uuid, i32), state: &str) -> Result<bool> {
    let ended = send::Entity::update_many()
        .col_expr(send::Column::State, Expr::value(state))
        .filter(send::Column::Id.eq(id))
        .filter(send::Column::Tries.eq(tries))
        .filter(send::Column::State.eq(TAKEN))
        .exec(tx)
        .await?;
    Ok(ended.rows_affected == 1)
}

/// Never more than WeChat takes, and nothing that the person has said no to since.
async fn give_back(
    tx: &Tx,
    id: WechatAccountId,
    (way, counted): (Way, Option<&str>),
    taken_at: DateTime<Utc>,
) -> Result<()> {
    if way == Way::Conversation {
        account::Entity::update_many()
            .col_expr(account::Column::WindowLeft, Expr::col(account::Column::WindowLeft).add(1))
            .filter(account::Column::Id.eq(id))
            .filter(account::Column::WindowLeft.lt(rules::SAID.0))
            .exec(tx)
            .await?;
    }
    if let Some(template) = counted {
        consent::Entity::update_many()
            .col_expr(consent::Column::Remaining, Expr::col(consent::Column::Remaining).add(1))
            .filter(consent::Column::AccountId.eq(id))
            .filter(consent::Column::Template.eq(template))
            .filter(consent::Column::RefusedAt.is_null().or(consent::Column::RefusedAt.lt(taken_at)))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// For these tries nobody was called: what they took is given back.
///
/// # Errors
/// When the database refuses.
pub async fn not_called(tx: &Tx, tries: &[(Uuid, i32)]) -> Result<()> {
    if tries.is_empty() {
        return Ok(());
    }
    let known: HashSet<(Uuid, i32)> = tries.iter().copied().collect();
    let rows = send::Entity::find()
        .filter(send::Column::Id.is_in(tries.iter().map(|(id, _)| *id)))
        .filter(send::Column::State.eq(TAKEN))
        .all(tx)
        .await?;
    for row in rows.into_iter().filter(|row| known.contains(&(row.id, row.tries))) {
        if !ended(tx, (row.id, row.tries), VOID).await? {
            continue;
        }
        let way = [Way::Conversation, Way::Subscription, Way::Template].into_iter().find(|way| way.as_str() == row.way);
        let counted = row.template.filter(|_| row.is_counted);
        if let Some(way) = way {
            give_back(tx, row.account_id, (way, counted.as_deref()), row.taken_at).await?;
        }
    }
    Ok(())
}

/// What WeChat reported of these letters so far.
///
/// # Errors
/// When the database cannot be read.
pub async fn reported(tx: &Tx, letters: &[Uuid]) -> Result<HashMap<Uuid, Report>> {
    if letters.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = send::Entity::find()
        .filter(send::Column::Id.is_in(letters.iter().copied()))
        .filter(send::Column::Reported.is_not_null());
    let rows = rows.all(tx).await?.into_iter();
    Ok(rows.filter_map(|row| Some((row.id, Report::parse(&row.reported?)?))).collect())
}
