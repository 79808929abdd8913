//! Log-in from the Mini Program: who it is by WeChat's code, whose it is by the phone that WeChat vouches for.
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{commands, rows::log_in, rules};
use crate::{
    actor::Actor,
    app::App,
    error::{Code, Error, Result},
    gateways::wechat::{
        Account, Failure, WechatApp,
        decide::{Action, decide},
    },
    ids::PersonId,
    people::{self, Carrier, NewSession, OpenSession},
    store::Tx,
};

/// Opens the Mini Program's log-in.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MiniLogIn {
    /// From `wx.login`; good once.
    #[schema(max_length = 200)]
    pub js_code: String,
    /// From the button `getPhoneNumber`: binds the account to who has this number on the roster. Not needed once bound.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub phone_code: Option<String>,
    /// Older Mini Programs hand over the number sealed instead.
    #[serde(default)]
    #[schema(max_length = 4000)]
    pub encrypted_data: Option<String>,
    /// Belongs to it.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub iv: Option<String>,
}

/// Who it is, where several people share the number.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MiniChoice {
    /// From `person_choice_needed`.
    pub ticket: String,
    /// One of the people it named.
    pub person_id: PersonId,
}

/// Consents that somebody gave in the Mini Program (`wx.requestSubscribeMessage`).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MiniConsents {
    /// Ids of the templates that were accepted; at most 3.
    #[schema(max_items = 3)]
    pub accepted: Vec<String>,
}

/// What WeChat says no to, in our words.
fn refused(failure: &Failure) -> Error {
    match decide(failure) {
        Action::LogInAgain | Action::LogInRefused => Code::CodeWrong.into(),
        _ => {
            tracing::error!(%failure, "Mini Program log-in");
            Code::Busy.after_secs(5)
        }
    }
}

/// In, if the account is bound or the phone says whose it is.
///
/// # Errors
/// `wechat_not_set_up`; `code_wrong` for a code that WeChat does not know (any more); `wechat_not_bound`
/// when it is nobody's yet; `person_choice_needed` with a ticket when several share the number; `busy`.
pub async fn log_in(app: &App, told: MiniLogIn) -> Result<OpenSession> {
    let mini = app.gateways.wechat.mini.as_ref().ok_or(Code::WechatNotSetUp)?;
    let known = mini.known_by_js_code(&told.js_code).await.map_err(|failure| refused(&failure))?;
    let phone = match (&told.phone_code, &told.encrypted_data, &told.iv) {
        (Some(code), _, _) => Some(mini.phone_by_code(code).await.map_err(|failure| refused(&failure))?),
        (None, Some(sealed), Some(iv)) => Some(mini.phone_in(&known, iv, sealed).ok_or(Code::CodeWrong)?),
        _ => None,
    };
    let phone_hmac = phone.and_then(|phone| people::rules::phone(&phone)).map(|phone| app.keys.lookup("phone", &phone));
    let (secret, days) = (app.keys.fresh_letters(32)?, app.config.session_days);
    let secret_hmac = app.keys.lookup("wechat state", &secret);
    let entering = app.store.write(move |tx| Box::pin(enter(tx, (known.openid, phone_hmac), (secret_hmac, days))));
    match entering.await? {
        Entered::In(open) => Ok(open),
        Entered::Choose(people) => Err(Code::PersonChoiceNeeded.with(json!({ "ticket": secret, "people": people }))),
    }
}

enum Entered {
    In(OpenSession),
    Choose(Vec<serde_json::Value>),
}

async fn enter(
    tx: &Tx,
    (openid, phone_hmac): (String, Option<String>),
    (secret_hmac, days): (String, i64),
) -> Result<Entered> {
    let account = commands::seen(tx, WechatApp::Mini, &openid).await?;
    let bound = match account.person_id {
        Some(id) => people::person(tx, id).await?.filter(|person| person.left_on.is_none()),
        None => None,
    };
    if let Some(person) = bound {
        return opened(tx, person.id, days).await.map(Entered::In);
    }
    let phone_hmac = phone_hmac.ok_or(Code::WechatNotBound)?;
    let sharing = people::sharing_phone(tx, &phone_hmac).await?;
    match sharing.as_slice() {
        [] => Err(Code::WechatNotBound.into()),
        [(only, _)] => {
            commands::bind(tx, account.id, *only).await?;
            opened(tx, *only, days).await.map(Entered::In)
        }
        several => {
            let row = log_in::ActiveModel {
                id: Set(Uuid::new_v4()),
                secret_hmac: Set(secret_hmac),
                browser_hmac: Set(String::new()),
                return_to: Set(String::new()),
                turns: Set(0),
                account_id: Set(Some(account.id)),
                phone_hmac: Set(Some(phone_hmac)),
                returned_at: Set(None),
                created_at: Set(tx.now()),
            };
            row.insert(tx).await?;
            let named = several.iter().map(|(id, name)| json!({ "id": id, "name": name }));
            Ok(Entered::Choose(named.collect()))
        }
    }
}

async fn opened(tx: &Tx, person: PersonId, days: i64) -> Result<OpenSession> {
    let new = NewSession { person, carrier: Carrier::Tokens, device: String::new(), days };
    people::open_wechat_session(tx, new).await
}

/// Takes the choice of who shares the number.
///
/// # Errors
/// `code_wrong` for a ticket that was used or is too old, or somebody who does not share the number.
pub async fn choose(app: &App, told: MiniChoice) -> Result<OpenSession> {
    let secret_hmac = app.keys.lookup("wechat state", &told.ticket);
    let days = app.config.session_days;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let rows = log_in::Entity::update_many()
                    .col_expr(log_in::Column::ReturnedAt, Expr::value(tx.now()))
                    .filter(log_in::Column::SecretHmac.eq(secret_hmac))
                    .filter(log_in::Column::PhoneHmac.is_not_null())
                    .filter(log_in::Column::ReturnedAt.is_null())
                    .filter(log_in::Column::CreatedAt.gt(tx.now() - rules::LOG_IN))
                    .exec_with_returning(tx)
                    .await?;
                let row = rows.into_iter().next().ok_or(Code::CodeWrong)?;
                let (account, phone) = row.account_id.zip(row.phone_hmac).ok_or(Code::CodeWrong)?;
                let sharing = people::sharing_phone(tx, &phone).await?;
                let (person, _) = sharing.into_iter().find(|(id, _)| *id == told.person_id).ok_or(Code::CodeWrong)?;
                commands::bind(tx, account, person).await?;
                opened(tx, person, days).await
            })
        })
        .await
}

/// Notes consents given in the Mini Program, for the actor's account there. Only templates of the settings count, and of
/// those that WeChat itself does not tell us of, one each: more are known when they were used.
///
/// # Errors
/// `wechat_not_bound` when the actor has no account there.
pub async fn consent(app: &App, actor: &Actor, told: MiniConsents) -> Result<()> {
    let (person, gateways) = (actor.person, app.gateways.clone());
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let rows = super::queries::rows_of(tx, person).await?;
                let row = rows.iter().find(|row| row.app == WechatApp::Mini.as_str()).ok_or(Code::WechatNotBound)?;
                if gateways.wechat.callback(WechatApp::Mini).is_some() {
                    // WeChat's own event is on its way, and counts
                    return Ok(());
                }
                commands::claimed(tx, &gateways.wechat, (row, &told.accepted)).await
            })
        })
        .await
}

/// The account, for who needs its calls.
///
/// # Errors
/// `wechat_not_set_up`.
pub fn official(app: &App) -> Result<&Account> {
    app.gateways.wechat.official.as_ref().ok_or_else(|| Code::WechatNotSetUp.into())
}
