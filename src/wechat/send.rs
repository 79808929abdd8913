//! Telling somebody something in WeChat: by a way that was taken from the ledger.
use super::{
    ledger::{self, Ticket},
    rows::account,
};
use crate::{
    app::App,
    error::Result,
    gateways::{Address, Letter, Outcome, wechat::WechatApp},
    keys::Keys,
};

/// Nothing was sent, and nothing can be.
const NO_WAY: Outcome = Outcome::Never { status: 0, why: "no_wechat" };

/// What an openid is sealed for.
pub(super) const SEALED_FOR: &str = "openid";

/// Sends a letter by a way that was taken, and settles the ledger; says how it ended, and whether the ledger knows now that
/// this way is shut. When the ledger cannot be written, what was taken stays taken: that costs a message, never a doubled
/// one.
pub async fn by(app: &App, ticket: Ticket, letter: &Letter) -> (Outcome, bool) {
    let end = match opened(&app.keys, &ticket) {
        Ok(openid) => {
            let to = Address::Wechat { app: ticket.app, openid, way: ticket.way };
            app.gateways.send(&to, letter, app.now()).await
        }
        Err(error) => {
            tracing::error!(%error, "an openid cannot be read");
            NO_WAY
        }
    };
    let settled = ledger::settle(&app.store, ticket, end.clone()).await;
    let is_shut = settled.unwrap_or_else(|error| {
        tracing::error!(%error, "the ledger of WeChat was not settled");
        false
    });
    (end, is_shut)
}

fn opened(keys: &Keys, ticket: &Ticket) -> Result<String> {
    keys.unseal(SEALED_FOR, &ticket.openid_sealed)
}

/// Answers an account, bound or not, in the conversation alone.
///
/// # Errors
/// When the database fails.
pub async fn reply(app: &App, row: &account::Model, letter: &Letter) -> Result<Outcome> {
    let Some(of) = WechatApp::parse(&row.app).filter(|of| app.gateways.wechat.account(*of).is_some()) else {
        return Ok(NO_WAY);
    };
    let ticket = Ticket::answer(row, of, app.now());
    let taken = app.store.write(move |tx| Box::pin(ticket.take(tx, None))).await?;
    match taken {
        Some(ticket) => Ok(by(app, ticket, letter).await.0),
        None => Ok(NO_WAY),
    }
}
