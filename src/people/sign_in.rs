//! Signing in with a one-time code: the same work and the same answer whether a number is known or not.
use std::net::IpAddr;

use chrono::TimeDelta;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Set,
    sea_query::{Expr, ExprTrait},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    codes, desk_login,
    rows::{login_code, person},
    rules,
    sessions::{self, Carrier, NewSession, OpenSession, Renewal},
    sign_out,
};
use crate::{
    app::{App, network},
    error::{Checks, Code, Error, Result},
    ids::PersonId,
    keys::Keys,
    store::Tx,
};

/// Old codes are forgotten this many at a time.
const FORGET_BATCH: u64 = 100;

/// Wants a code.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskCode {
    /// A mobile number of the mainland, however it is written.
    pub phone: String,
}

/// Signs in with a code.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The number that the code was sent to.
    pub phone: String,
    /// Six digits.
    pub code: String,
    /// Who it is, where several people share the number.
    #[serde(default)]
    pub person_id: Option<PersonId>,
    /// What the device calls itself, shown in the list of log-ins.
    #[serde(default)]
    #[schema(max_length = 60)]
    pub device: Option<String>,
}

/// Notes a code and sends it to the number if the roster knows it; the caller cannot tell.
///
/// # Errors
/// `sms_unavailable`, `invalid_fields`, `code_too_soon`, `code_too_many`.
pub async fn ask_code(app: &App, address: Option<IpAddr>, wanted: AskCode) -> Result<()> {
    if !app.sms.is_set_up() {
        return Err(Code::SmsUnavailable.into());
    }
    let phone = readable_phone(&wanted.phone)?;
    let phone_hmac = app.keys.lookup("phone", &phone);
    let (id, code) = (Uuid::now_v7(), app.keys.fresh_code()?);
    let new = NewCode {
        id,
        code_hmac: codes::keep(&app.keys, id, &phone_hmac, &code),
        address_hmac: app.keys.lookup("address", &address.map(|one| network(one).to_string()).unwrap_or_default()),
        phone_hmac: phone_hmac.clone(),
        per_address: app.config.codes_per_address_and_day,
    };
    app.store.write(move |tx| Box::pin(note_code(tx, new))).await?;
    // after the commit, and not waited for: who is known must show neither in the answer nor in its time
    let app = app.clone();
    tokio::spawn(async move {
        if let Err(error) = send_if_known(&app, &phone, &phone_hmac, &code).await {
            tracing::error!(%error, "a one-time code was not sent");
        }
    });
    Ok(())
}

pub(super) fn readable_phone(text: &str) -> Result<String> {
    rules::phone(text).ok_or_else(|| {
        let mut checks = Checks::default();
        checks.wrong("phone", "not_a_phone");
        checks.done().err().unwrap_or_else(|| Code::InvalidFields.into())
    })
}

pub(super) struct NewCode {
    pub(super) id: Uuid,
    pub(super) phone_hmac: String,
    pub(super) address_hmac: String,
    pub(super) code_hmac: String,
    pub(super) per_address: u64,
}

pub(super) async fn note_code(tx: &Tx, new: NewCode) -> Result<()> {
    let (now, since) = (tx.now(), login_code::Column::SentAt.gt(tx.now() - codes::DAY));
    let to_number =
        login_code::Entity::find().filter(login_code::Column::PhoneHmac.eq(&new.phone_hmac)).filter(since.clone());
    let sent: Vec<_> = to_number.all(tx).await?.into_iter().map(|row| row.sent_at).collect();
    let from_address = login_code::Column::AddressHmac.eq(&new.address_hmac);
    let from_address = login_code::Entity::find().filter(from_address).filter(since).count(tx).await?;
    codes::may_send(&sent, (from_address, new.per_address), now)?;
    let row = login_code::ActiveModel {
        id: Set(new.id),
        phone_hmac: Set(new.phone_hmac),
        address_hmac: Set(new.address_hmac),
        code_hmac: Set(new.code_hmac),
        tries: Set(0),
        sent_at: Set(now),
        expires_at: Set(now + TimeDelta::seconds(codes::CODE_SECS)),
        used_at: Set(None),
    };
    row.insert(tx).await?;
    Ok(())
}

async fn send_if_known(app: &App, phone: &str, phone_hmac: &str, code: &str) -> Result<()> {
    if sharing(app.store.read(), phone_hmac).await?.is_empty() {
        return Ok(());
    }
    app.sms.send_code(phone, code).await
}

/// Who on the rosters has this number now.
pub(super) async fn sharing(db: &impl ConnectionTrait, phone_hmac: &str) -> Result<Vec<person::Model>> {
    let people = person::Entity::find()
        .filter(person::Column::PhoneHmac.eq(phone_hmac))
        .filter(person::Column::LeftOn.is_null())
        .order_by_asc(person::Column::BirthDate)
        .order_by_asc(person::Column::Id)
        .limit(50);
    Ok(people.all(db).await?)
}

/// Checks the code and opens a log-in.
///
/// # Errors
/// `code_wrong` for a wrong, used, burnt or expired code and for an unknown number alike; `person_choice_needed` with
/// the people to choose from, while the code stays good.
pub async fn sign_in(app: &App, told: SignIn, carrier: Carrier) -> Result<OpenSession> {
    let phone = readable_phone(&told.phone)?;
    let device = told.device.unwrap_or_default();
    let mut checks = Checks::default();
    checks.text("device", &device, 0..=60);
    checks.done()?;
    let code: String = rules::half_width(&told.code).chars().filter(|c| !c.is_whitespace()).collect();
    if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Code::CodeWrong.into());
    }
    let entry = Entry {
        phone_hmac: app.keys.lookup("phone", &phone),
        code,
        person: told.person_id,
        carrier,
        device: device.trim().to_owned(),
        days: app.config.session_days,
    };
    let keys = app.keys.clone();
    let entered = app.store.write(move |tx| Box::pin(async move { enter(tx, &keys, entry).await })).await?;
    match entered {
        Entered::In(session) => Ok(session),
        Entered::Wrong => Err(Code::CodeWrong.into()),
        Entered::Choose(people) => Err(choice(&people)),
    }
}

struct Entry {
    phone_hmac: String,
    code: String,
    person: Option<PersonId>,
    carrier: Carrier,
    device: String,
    days: i64,
}

/// Not an error inside the unit: a counted try must be committed.
enum Entered {
    In(OpenSession),
    Choose(Vec<person::Model>),
    Wrong,
}

async fn enter(tx: &Tx, keys: &Keys, entry: Entry) -> Result<Entered> {
    let newest = login_code::Entity::find()
        .filter(login_code::Column::PhoneHmac.eq(&entry.phone_hmac))
        .order_by_desc(login_code::Column::SentAt)
        .order_by_desc(login_code::Column::Id)
        .one(tx)
        .await?;
    let people = sharing(tx, &entry.phone_hmac).await?;
    let good = newest.filter(|row| row.used_at.is_none() && row.expires_at > tx.now() && row.tries < codes::MAX_TRIES);
    let Some(row) = good else { return Ok(Entered::Wrong) };
    let fits = codes::same(&row.code_hmac, &codes::keep(keys, row.id, &entry.phone_hmac, &entry.code));
    let chosen = match entry.person {
        Some(id) => people.iter().find(|person| person.id == id),
        None => people.first(),
    };
    let Some(person) = chosen.filter(|_| fits) else {
        count_try(tx, row.id).await?;
        return Ok(Entered::Wrong);
    };
    if entry.person.is_none() && people.len() > 1 {
        return Ok(Entered::Choose(people));
    }
    let used = login_code::Entity::update_many()
        .col_expr(login_code::Column::UsedAt, Expr::value(tx.now()))
        .filter(login_code::Column::Id.eq(row.id))
        .filter(login_code::Column::UsedAt.is_null())
        .exec(tx)
        .await?;
    if used.rows_affected != 1 {
        return Ok(Entered::Wrong);
    }
    let new = NewSession { person: person.id, carrier: entry.carrier, device: entry.device, days: entry.days };
    Ok(Entered::In(sessions::open_session(tx, keys, new).await?))
}

pub(super) async fn count_try(tx: &Tx, id: Uuid) -> Result<()> {
    login_code::Entity::update_many()
        .col_expr(login_code::Column::Tries, Expr::col(login_code::Column::Tries).add(1))
        .filter(login_code::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// The people of one phone, told apart by surname and last character; by the whole name only where that does not do.
fn choice(people: &[person::Model]) -> Error {
    let masked: Vec<String> = people.iter().map(|person| first_and_last(&person.name)).collect();
    let alike = |name: &String| masked.iter().filter(|other| *other == name).count() > 1;
    let listed: Vec<_> = people
        .iter()
        .zip(&masked)
        .map(|(person, name)| json!({ "id": person.id, "name": if alike(name) { &person.name } else { name } }))
        .collect();
    Code::PersonChoiceNeeded.with(json!({ "people": listed }))
}

fn first_and_last(name: &str) -> String {
    let length = name.chars().count();
    let hidden = length.saturating_sub(2);
    let shown = |at: usize| at == 0 || at + 1 == length;
    let stars = |(at, c): (usize, char)| if shown(at) { Some(c) } else { (at <= 2).then_some('*') };
    if hidden == 0 { name.to_owned() } else { name.chars().enumerate().filter_map(stars).collect() }
}

/// Spends a refresh token and gives the next one.
///
/// # Errors
/// `refresh_reused` for a spent token, and then the log-in has ended; `session_ended` for any other that is not good.
pub async fn refresh(app: &App, token: String) -> Result<OpenSession> {
    let (keys, days) = (app.keys.clone(), app.config.session_days);
    let renewed =
        app.store.write(move |tx| Box::pin(async move { sessions::renew(tx, &keys, &token, days).await })).await?;
    match renewed {
        Renewal::Renewed(open) => Ok(open),
        Renewal::Reused(session) => {
            sign_out::forget(app, &[session]);
            Err(Code::RefreshReused.into())
        }
        Renewal::Ended => Err(Code::SessionEnded.into()),
    }
}

/// Forgets codes that no limit looks at any more: numbers are not kept, not even as digests, longer than needed.
///
/// # Errors
/// When the database fails.
pub async fn due(tx: &Tx) -> Result<u64> {
    let old = login_code::Entity::find()
        .filter(login_code::Column::SentAt.lt(tx.now() - codes::DAY))
        .limit(FORGET_BATCH)
        .all(tx)
        .await?;
    let tries = desk_login::forget_tries(tx).await?;
    if old.is_empty() {
        return Ok(tries);
    }
    let ids = old.into_iter().map(|row| row.id);
    let gone = login_code::Entity::delete_many().filter(login_code::Column::Id.is_in(ids)).exec(tx).await?;
    Ok(gone.rows_affected + tries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_told_apart_without_showing_names() {
        for (name, shown) in
            [("谭桂香", "谭*香"), ("蔡勇", "蔡勇"), ("谭", "谭"), ("欧阳震华", "欧**华"), ("阿不都热依木", "阿**木")]
        {
            assert_eq!(first_and_last(name), shown);
        }
    }
}
