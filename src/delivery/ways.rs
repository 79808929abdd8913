//! By which way WeChat reaches each of those who are told now: looked at, and taken from its ledger after every other
//! question, within the unit that claims.
use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    claim::{Sight, Verdict},
    disturb, letters,
    rows::delivery,
    rules::ladder::Channel,
};
use crate::{
    error::{Error, Result},
    gateways::wechat::Wechat,
    ids::{DeliveryId, PersonId},
    store::Tx,
    wechat::ledger::{Ticket, Ways as Accounts},
};

const NO_WAY: &str = "no_wechat";
/// Another way is looked for so soon.
const AGAIN: TimeDelta = TimeDelta::seconds(5);

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

    /// Finds the way to each of those who are to be told; who has none now is not, and why.
    pub(super) fn find(
        &mut self,
        now: DateTime<Utc>,
        (rows, sight): (&[delivery::Model], &Sight),
        verdicts: &mut [(usize, Verdict)],
    ) -> Result<()> {
        let Some((wechat, accounts)) = &self.wechat else { return Ok(()) };
        for (place, verdict) in verdicts.iter_mut().filter(|(_, verdict)| *verdict == Verdict::Send) {
            let row = &rows[*place];
            let (told, _, _) = sight.near(row)?;
            let person: PersonId = row.target_id.parse().map_err(Error::broken)?;
            match accounts.to(wechat, (person, &letters::template(told)), now) {
                Some(ticket) => drop(self.found.insert(row.id, ticket)),
                None => *verdict = Verdict::Not(why_none(row)),
            }
        }
        Ok(())
    }

    /// Takes the ways that were found, of those who are still to be told. Whose way another took meanwhile is looked at
    /// once more, and was not disturbed.
    pub(super) async fn take(
        &mut self,
        tx: &Tx,
        rows: &[delivery::Model],
        verdicts: &mut [(usize, Verdict)],
    ) -> Result<()> {
        if self.wechat.is_none() {
            return Ok(());
        }
        let mut taken = HashMap::new();
        let mut lost: Vec<DeliveryId> = Vec::new();
        for (place, verdict) in verdicts.iter_mut().filter(|(_, verdict)| *verdict == Verdict::Send) {
            let row = &rows[*place];
            let ticket = match self.found.remove(&row.id) {
                Some(found) => found.take(tx, Some((row.id.0, row.tries))).await?,
                None => None,
            };
            if let Some(ticket) = ticket {
                taken.insert(row.id, ticket);
            } else {
                *verdict = Verdict::Later(tx.now() + AGAIN, NO_WAY);
                lost.push(row.id);
            }
        }
        self.found = taken;
        disturb::give_back(tx, lost).await
    }

    /// The way that was found for a delivery.
    pub(super) fn found(&self, id: DeliveryId) -> Option<&Ticket> {
        self.found.get(&id)
    }

    /// What was taken for a delivery.
    pub(super) fn ticket(&mut self, id: DeliveryId) -> Option<Ticket> {
        self.found.remove(&id)
    }
}

/// A try before this one may know better why.
fn why_none(row: &delivery::Model) -> &'static str {
    let known = ["no_consent", "window_closed", "refuses", "not_following"];
    known.into_iter().find(|why| row.reason.as_deref() == Some(why)).unwrap_or(NO_WAY)
}
