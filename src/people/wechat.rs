//! What `wechat` needs of log-ins: one opened by a bound account; and, for whatever makes another way in, whether a code by SMS
//! was taken a moment ago.
use chrono::TimeDelta;
use sea_orm::EntityTrait;

use super::{
    rows::session,
    sessions::{self, NewSession, OpenSession},
    sign_in,
};
use crate::{
    actor::Actor,
    app::App,
    error::{Code, Result},
    ids::PersonId,
    store::Tx,
};

/// How long the proof of a phone lets somebody bind an account, or set up a password.
const FRESH: TimeDelta = TimeDelta::minutes(15);

/// Opens a log-in for whom an account of WeChat belongs to.
///
/// # Errors
/// When the database fails.
pub async fn open_wechat_session(tx: &Tx, new: NewSession) -> Result<OpenSession> {
    let open = sessions::open_session(tx, new).await?;
    sessions::note_how(tx, open.session, "wechat").await?;
    Ok(open)
}

/// Was this log-in opened by a code by SMS, and lately?
///
/// # Errors
/// `sms_sign_in_needed` when not.
pub async fn require_fresh_code(app: &App, actor: &Actor) -> Result<()> {
    let row = session::Entity::find_by_id(actor.session).one(app.store.read()).await?.ok_or(Code::SessionEnded)?;
    let is_fresh = row.how.is_none() && app.now() - row.created_at < FRESH;
    if is_fresh { Ok(()) } else { Err(Code::SmsSignInNeeded.into()) }
}

/// Who on the rosters has this number, with names masked so far that a family can be told apart.
///
/// # Errors
/// When the database fails.
pub async fn sharing_phone(tx: &Tx, phone_hmac: &str) -> Result<Vec<(PersonId, String)>> {
    let people = sign_in::sharing(tx, phone_hmac).await?;
    let names = sign_in::told_apart(&people);
    Ok(people.iter().map(|person| person.id).zip(names).collect())
}
