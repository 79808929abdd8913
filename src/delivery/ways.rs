//! By which way WeChat reaches each of those who are told now: looked at, and taken from its ledger after every other
//! question, within the unit that claims.
use std::collections::HashMap;

use super::{
    letters,
    rows::{announcement, delivery},
    rules::ladder::Channel,
};
use crate::{
    error::Result,
    gateways::wechat::Wechat,
    ids::{DeliveryId, PersonId},
    store::Tx,
    wechat::ledger::{Ticket, Ways as Accounts},
};

/// The ways of those who are claimed; channels without a ledger have all of theirs.
pub(super) struct Ways<'a> {
    wechat: Option<(&'a Wechat, Accounts)>,
    found: HashMap<DeliveryId, Ticket>,
}

impl<'a> Ways<'a> {
    /// Looks at these people's accounts, where the channel has any.
    pub(super) async fn look(tx: &Tx, wechat: &'a Wechat, (channel, people): (Channel, &[PersonId])) -> Result<Self> {
        let wechat = match channel {
            Channel::Wechat => Some((wechat, Accounts::of(tx, people).await?)),
            _ => None,
        };
        Ok(Self { wechat, found: HashMap::new() })
    }

    /// Why there is no way to a person now; `None`: there is one.
    pub(super) fn missing(
        &mut self,
        tx: &Tx,
        row: &delivery::Model,
        (person, told): (PersonId, &announcement::Model),
    ) -> Option<&'static str> {
        let (wechat, accounts) = self.wechat.as_ref()?;
        match accounts.to(wechat, (person, &letters::template(told)), tx.now()) {
            Some(ticket) => {
                self.found.insert(row.id, ticket);
                None
            }
            // a try before this one may know better why
            None => Some(match row.reason.as_deref() {
                Some("no_consent") => "no_consent",
                Some("window_closed") => "window_closed",
                Some("refuses") => "refuses",
                Some("not_following") => "not_following",
                _ => "no_wechat",
            }),
        }
    }

    /// Takes the way that was found. `false`: another delivery of this very claim took the last of it.
    pub(super) async fn take(&mut self, tx: &Tx, row: &delivery::Model) -> Result<bool> {
        let Some(found) = self.found.remove(&row.id) else { return Ok(self.wechat.is_none()) };
        let Some(ticket) = found.take(tx, Some((row.id.0, row.tries))).await? else { return Ok(false) };
        self.found.insert(row.id, ticket);
        Ok(true)
    }

    /// What was taken for a delivery.
    pub(super) fn ticket(&mut self, id: DeliveryId) -> Option<Ticket> {
        self.found.remove(&id)
    }
}
