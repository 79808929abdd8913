//! Telling a person something in WeChat: by which account and in which way, with what the ledger still allows.
use super::{
    commands::{openid, settle_ledger, switch_off, take_consent, take_window},
    queries,
    rows::account,
};
use crate::{
    app::App,
    error::Result,
    gateways::{
        Address, Letter, Outcome,
        wechat::{WechatApp, messages::Way},
    },
    ids::{PersonId, WechatAccountId},
};

/// The person has no account that can be told this way now.
const NO_WAY: Outcome = Outcome::Never { status: 0, why: "no_wechat" };

/// Tells a person: in the conversation while its window is open, otherwise by a consent, otherwise by a template message.
/// The next way is tried only when the one before certainly sent nothing. Gives how it ended; the ledger is settled.
///
/// # Errors
/// When the database fails.
pub async fn tell(app: &App, person: PersonId, letter: &Letter) -> Result<Outcome> {
    let mut last = NO_WAY;
    for row in queries::rows_of(app.store.read(), person).await? {
        if row.off_why.is_some() {
            continue;
        }
        for way in [Way::Conversation, Way::Subscription, Way::Template] {
            match by(app, &row, way, letter).await? {
                // not this way
                None => {}
                Some(Outcome::Never { status, why }) => last = Outcome::Never { status, why },
                Some(end @ Outcome::AddressOff { .. }) => {
                    last = end;
                    break;
                }
                Some(end) => return Ok(end),
            }
        }
    }
    Ok(last)
}

/// Answers an account, bound or not, in the conversation alone.
///
/// # Errors
/// When the database fails.
pub async fn reply(app: &App, row: &account::Model, letter: &Letter) -> Result<Outcome> {
    Ok(by(app, row, Way::Conversation, letter).await?.unwrap_or(NO_WAY))
}

/// One way; `None` when the account or the ledger does not allow it.
async fn by(app: &App, row: &account::Model, way: Way, letter: &Letter) -> Result<Option<Outcome>> {
    let Some(of) = WechatApp::parse(&row.app) else { return Ok(None) };
    if app.gateways.wechat.account(of).is_none() {
        return Ok(None);
    }
    let template = app.gateways.wechat.template(of, &letter.template);
    let (id, consent) = (row.id, template.filter(|template| template.way == way).map(|template| template.id.clone()));
    let allowed = match way {
        Way::Conversation => {
            // somebody else's sees it only when there is something to take
            let is_open = row.window_left > 0 && row.window_ends_at.is_some_and(|until| until > app.now());
            is_open && app.store.write(move |tx| Box::pin(take_window(tx, id))).await?
        }
        Way::Subscription => match consent.clone() {
            Some(template) => {
                app.store.write(move |tx| Box::pin(async move { take_consent(tx, id, &template).await })).await?
            }
            None => false,
        },
        Way::Template => consent.is_some() && row.is_following,
    };
    if !allowed {
        return Ok(None);
    }
    let to = Address::Wechat { app: of, openid: openid(&app.keys, row)?, way };
    let end = app.gateways.send(&to, letter, app.now()).await;
    settle(app, (id, way), consent, &end).await?;
    Ok(Some(end))
}

/// What was taken is given back when nothing can have gone out; nothing is left when WeChat says so.
async fn settle(app: &App, (id, way): (WechatAccountId, Way), template: Option<String>, end: &Outcome) -> Result<()> {
    let spent = match end {
        Outcome::Sent { .. } | Outcome::Unknown => return Ok(()),
        Outcome::Never { why, .. } => *why == "no_consent" || *why == "window_closed",
        Outcome::AddressOff { .. } => true,
        Outcome::TryAgain { .. } | Outcome::Held { .. } | Outcome::Broken { .. } => false,
    };
    let off = match end {
        Outcome::AddressOff { why, .. } => Some(*why),
        _ => None,
    };
    app.store
        .write(move |tx| {
            Box::pin(async move {
                if let Some(why) = off {
                    switch_off(tx, id, why).await?;
                }
                match way {
                    Way::Conversation => settle_ledger(tx, id, None, spent).await,
                    Way::Subscription => settle_ledger(tx, id, template.as_deref(), spent).await,
                    Way::Template => Ok(()),
                }
            })
        })
        .await
}
