//! The call itself: to which address, and how it ended.
use super::{claim::Taken, rules::ladder::Channel, settle::End, stops::Stop};
use crate::{
    app::App,
    gateways::{Address, Letter, Outcome},
    wechat::{self, ledger::Ticket},
};

/// Sends one; answers with how it ended and the provider's number.
pub(super) async fn call(app: &App, channel: Channel, (taken, letter): (&Taken, &Letter)) -> (End, i32) {
    let letter = Letter { id: taken.row.id.to_string(), ..letter.clone() };
    let road = taken.ticket.as_ref().map(Ticket::road);
    let (outcome, is_shut) = match (channel, taken.reach.phone.clone()) {
        (Channel::Sms, Some(phone)) => (app.gateways.send(&Address::Phone(phone), &letter, app.now()).await, false),
        // taken by the claim, and given back when nothing went out by who keeps the ledger
        (Channel::Wechat, _) => match taken.ticket.clone() {
            Some(ticket) => wechat::send::by(app, ticket, &letter).await,
            None => return (End::Never("no_wechat"), 0),
        },
        _ => return (End::Never("no_address"), 0),
    };
    let status = i32::try_from(outcome.status()).unwrap_or_default();
    let end = match outcome {
        Outcome::Sent { .. } => End::Sent,
        Outcome::TryAgain { after_secs, .. } => End::TryAgain(after_secs),
        Outcome::Unknown => End::Unknown,
        // the ledger knows now that this way is shut: another is looked for, with every question asked once more. Where it
        // learned nothing, the same way would be found again
        Outcome::Never { why, .. } | Outcome::AddressOff { why, .. } if is_shut => End::OtherWay(why),
        Outcome::Never { why, .. } | Outcome::AddressOff { why, .. } | Outcome::Held { why, .. } => End::Never(why),
        Outcome::Broken { why, after_secs, .. } => End::Stopped(Stop::of(why, (&taken.row.kind, road), after_secs)),
    };
    (end, status)
}
