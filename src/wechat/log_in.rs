//! Log-in inside WeChat's browser: to WeChat, back with a code, and then in, or on to the proof of the phone.
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Set, sea_query::Expr,
};
use uuid::Uuid;

use super::{commands::seen, queries, rows::log_in, rules};
use crate::{
    app::App,
    error::{Code, Error, Result},
    gateways::wechat::{
        WechatApp,
        decide::{Action, decide},
    },
    ids::{PersonId, WechatAccountId},
    people::{self, Carrier, NewSession, OpenSession},
    store::Tx,
};

/// How somebody came back.
pub enum Back {
    /// The account is bound: in.
    In(OpenSession, String),
    /// The account is nobody's yet: to the proof of the phone, and then there.
    Unbound,
    /// A read-only snapshot of a page: the openid is made up.
    Snapshot,
    /// Did not want to, or WeChat did not want: on as a guest.
    Guest(String),
    /// The code was old or used: once more.
    Again(String),
}

/// Begins: gives the address at WeChat. `browser` is the secret in the browser's cookie.
///
/// # Errors
/// `wechat_not_set_up`; `too_many_requests` when this browser goes round.
pub async fn begin(app: &App, browser: &str, return_to: &str) -> Result<String> {
    let secret = app.keys.fresh_letters(32)?;
    let public_url = app.config.public_url.trim_end_matches('/');
    let back = format!("{public_url}/wechat/back");
    let url = app.gateways.wechat.log_in_url(&back, &secret).ok_or(Code::WechatNotSetUp)?;
    let (secret_hmac, browser_hmac) = (app.keys.lookup("wechat state", &secret), browser_hmac(app, browser));
    let return_to = return_to.to_owned();
    app.store.write(move |tx| Box::pin(noted(tx, (secret_hmac, browser_hmac), return_to))).await?;
    Ok(url)
}

fn browser_hmac(app: &App, browser: &str) -> String {
    app.keys.lookup("wechat browser", browser)
}

async fn noted(tx: &Tx, (secret_hmac, browser_hmac): (String, String), return_to: String) -> Result<()> {
    let round = log_in::Entity::find()
        .filter(log_in::Column::BrowserHmac.eq(&browser_hmac))
        .filter(log_in::Column::CreatedAt.gt(tx.now() - rules::ROUND))
        .count(tx)
        .await?;
    let turns = i32::try_from(round).unwrap_or(i32::MAX);
    if turns >= rules::TURNS {
        return Err(Code::TooManyRequests.after_secs(60));
    }
    let row = log_in::ActiveModel {
        id: Set(Uuid::new_v4()),
        secret_hmac: Set(secret_hmac),
        browser_hmac: Set(browser_hmac),
        return_to: Set(return_to),
        turns: Set(turns),
        account_id: Set(None),
        phone_hmac: Set(None),
        returned_at: Set(None),
        created_at: Set(tx.now()),
    };
    row.insert(tx).await?;
    Ok(())
}

/// Somebody comes back from WeChat. The state is good once, for this browser.
///
/// # Errors
/// `invalid_request` for a state that is not this browser's, was used or is too old; `busy` when WeChat does not answer.
pub async fn come_back(app: &App, browser: &str, state: &str, code: Option<&str>) -> Result<Back> {
    let (secret_hmac, browser_hmac) = (app.keys.lookup("wechat state", state), browser_hmac(app, browser));
    let row = app.store.write(move |tx| Box::pin(returned(tx, secret_hmac, browser_hmac))).await?;
    let row = row.ok_or(Code::InvalidRequest)?;
    let official = app.gateways.wechat.official.as_ref().ok_or(Code::WechatNotSetUp)?;
    let Some(code) = code.filter(|code| !code.is_empty()) else { return Ok(Back::Guest(row.return_to)) };
    let known = match official.known_by_code(code).await {
        Ok(known) if known.is_snapshot => return Ok(Back::Snapshot),
        Ok(known) => known,
        Err(failure) => {
            return match decide(&failure) {
                Action::LogInAgain => Ok(Back::Again(row.return_to)),
                Action::LogInRefused => Ok(Back::Guest(row.return_to)),
                _ => {
                    tracing::error!(%failure, "WeChat log-in");
                    Err(Code::Busy.after_secs(5))
                }
            };
        }
    };
    let days = app.config.session_days;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let account = seen(tx, WechatApp::Official, &known.openid).await?;
                let person = match account.person_id {
                    Some(id) => people::person(tx, id).await?.filter(|person| person.left_on.is_none()),
                    None => None,
                };
                let Some(person) = person else {
                    remember(tx, row.id, account.id).await?;
                    return Ok(Back::Unbound);
                };
                let new = NewSession { person: person.id, carrier: Carrier::Cookie, device: String::new(), days };
                let open = people::open_wechat_session(tx, new).await?;
                Ok(Back::In(open, row.return_to))
            })
        })
        .await
}

async fn returned(tx: &Tx, secret_hmac: String, browser_hmac: String) -> Result<Option<log_in::Model>> {
    let rows = log_in::Entity::update_many()
        .col_expr(log_in::Column::ReturnedAt, Expr::value(tx.now()))
        .filter(log_in::Column::SecretHmac.eq(secret_hmac))
        .filter(log_in::Column::BrowserHmac.eq(browser_hmac))
        .filter(log_in::Column::ReturnedAt.is_null())
        .filter(log_in::Column::CreatedAt.gt(tx.now() - rules::LOG_IN))
        .exec_with_returning(tx)
        .await?;
    Ok(rows.into_iter().next())
}

pub(super) async fn remember(tx: &Tx, id: Uuid, account: WechatAccountId) -> Result<()> {
    log_in::Entity::update_many()
        .col_expr(log_in::Column::AccountId, Expr::value(account))
        .filter(log_in::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// The account with which this browser came back lately and which waits for this person's proof of a phone; and where to go then.
/// Once it is somebody else's it waits no more: who has the same phone in hand next would take it along, and read what its owner
/// says in it from then on.
///
/// # Errors
/// When the database cannot be read.
pub async fn waiting(app: &App, browser: &str, person: PersonId) -> Result<Option<(WechatAccountId, String)>> {
    let row = log_in::Entity::find()
        .filter(log_in::Column::BrowserHmac.eq(browser_hmac(app, browser)))
        .filter(log_in::Column::AccountId.is_not_null())
        .filter(log_in::Column::ReturnedAt.gt(app.now() - rules::LOG_IN))
        .order_by_desc(log_in::Column::ReturnedAt)
        .one(app.store.read())
        .await?;
    let Some((row, id)) = row.and_then(|row| row.account_id.map(|id| (row, id))) else { return Ok(None) };
    let account = queries::row(app.store.read(), id).await?.ok_or_else(|| Error::broken("an account that was seen"))?;
    if let Some(other) = account.person_id.filter(|owner| *owner != person)
        && people::person(app.store.read(), other).await?.is_some_and(|one| one.left_on.is_none())
    {
        return Ok(None);
    }
    Ok(Some((account.id, row.return_to)))
}
