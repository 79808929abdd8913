//! That somebody holds a phone, proven by a code, without a log-in: for who is not on a roster by that phone yet.
use std::net::IpAddr;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};
use uuid::Uuid;

use super::{
    codes,
    rows::login_code,
    rules,
    sign_in::{NewCode, count_try, note_code, readable_phone},
};
use crate::{
    app::{App, network},
    error::{Code, Result},
    keys::{Keys, same},
    store::Tx,
};

/// A phone number as it is looked up and kept.
#[derive(Clone, Debug)]
pub struct Number {
    /// Eleven digits; not to be kept.
    pub digits: String,
    /// By which people with this phone are found.
    pub hmac: String,
    /// By which codes are found that prove it for this purpose; apart from those of the log-in.
    pub proof_hmac: String,
}

/// Reads a number.
///
/// # Errors
/// `invalid_fields`, naming `phone`.
pub fn number(keys: &Keys, text: &str) -> Result<Number> {
    let digits = readable_phone(text)?;
    Ok(Number { hmac: keys.lookup("phone", &digits), proof_hmac: keys.lookup("proof-phone", &digits), digits })
}

/// Keyed digest of the network that somebody asks from.
#[must_use]
pub fn address_hmac(keys: &Keys, address: Option<IpAddr>) -> String {
    keys.lookup("address", &address.map(|one| network(one).to_string()).unwrap_or_default())
}

/// Notes a code for this number and purpose within the limits; gives it, to be sent after the commit.
///
/// # Errors
/// `code_too_soon`, `code_too_many`, `sms_budget_spent`.
pub async fn note(tx: &Tx, number: &Number, about: &str, (address, shares): (&str, (u64, u64))) -> Result<String> {
    let (id, code) = (Uuid::now_v7(), tx.keys().fresh_code()?);
    let new = NewCode {
        id,
        code_hmac: codes::keep(tx.keys(), id, &subject(number, about), &code),
        address_hmac: address.to_owned(),
        phone_hmac: number.proof_hmac.clone(),
        shares,
        is_sent: true,
    };
    note_code(tx, new).await?;
    Ok(code)
}

/// What a code is bound to: it proves the number for one purpose only.
fn subject(number: &Number, about: &str) -> String {
    format!("{} {about}", number.proof_hmac)
}

/// Sends a code; not waited for.
pub fn send(app: &App, number: &Number, code: String) {
    let (app, digits) = (app.clone(), number.digits.clone());
    tokio::spawn(async move {
        if let Err(error) = app.gateways.sms.send_code(&digits, &code).await {
            tracing::error!(%error, "a one-time code was not sent");
        }
    });
}

/// Does this code prove the number for this purpose? A code proves once; a wrong one is counted.
///
/// # Errors
/// When the database refuses.
pub async fn holds(tx: &Tx, number: &Number, about: &str, code: &str) -> Result<bool> {
    let code: String = rules::half_width(code).chars().filter(|c| !c.is_whitespace()).collect();
    let newest = login_code::Entity::find()
        .filter(login_code::Column::PhoneHmac.eq(&number.proof_hmac))
        .order_by_desc(login_code::Column::SentAt)
        .order_by_desc(login_code::Column::Id)
        .one(tx)
        .await?;
    let good = newest.filter(|row| row.used_at.is_none() && row.expires_at > tx.now() && row.tries < codes::MAX_TRIES);
    let Some(row) = good else { return Ok(false) };
    if !same(&row.code_hmac, &codes::keep(tx.keys(), row.id, &subject(number, about), &code)) {
        count_try(tx, row.id).await?;
        return Ok(false);
    }
    let used = login_code::Entity::update_many()
        .col_expr(login_code::Column::UsedAt, Expr::value(tx.now()))
        .filter(login_code::Column::Id.eq(row.id))
        .filter(login_code::Column::UsedAt.is_null())
        .exec(tx)
        .await?;
    Ok(used.rows_affected == 1)
}

/// Is anything there to send codes?
///
/// # Errors
/// `sms_unavailable`.
pub fn require_sms(app: &App) -> Result<()> {
    if app.gateways.sms.is_set_up() { Ok(()) } else { Err(Code::SmsUnavailable.into()) }
}
