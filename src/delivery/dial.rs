//! The call itself: to which address, and how it ended.
use super::{claim::Taken, rules::ladder::Channel, settle::End, stops::Stop};
use crate::{
    app::App,
    gateways::{Address, Letter, Outcome},
    wechat,
};

/// Sends one; answers with how it ended and the provider's number.
pub(super) async fn call(app: &App, channel: Channel, (taken, letter): (Taken, &Letter)) -> (End, i32) {
    let letter = Letter { id: taken.row.id.to_string(), ..letter.clone() };
    let outcome = match (channel, taken.reach.phone.clone()) {
        (Channel::Sms, Some(phone)) => app.gateways.send(&Address::Phone(phone), &letter, app.now()).await,
        (Channel::Wechat, _) => match taken.row.target_id.parse() {
            // the consent is taken, and given back when nothing went out, by who keeps the ledger
            Ok(person) => wechat::send::tell(app, person, &letter).await.unwrap_or(Outcome::Unknown),
            Err(_) => return (End::Never("no_address"), 0),
        },
        _ => return (End::Never("no_address"), 0),
    };
    let status = i32::try_from(outcome.status()).unwrap_or_default();
    let end = match outcome {
        Outcome::Sent { .. } => End::Sent,
        Outcome::TryAgain { after_secs, .. } => End::TryAgain(after_secs),
        Outcome::Unknown => End::Unknown,
        Outcome::Never { why, .. } | Outcome::AddressOff { why, .. } | Outcome::Held { why, .. } => End::Never(why),
        Outcome::Broken { why, after_secs, .. } => End::Stopped(Stop::of(why, &taken.row.kind, after_secs)),
    };
    (end, status)
}
