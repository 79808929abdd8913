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
    sign_out, tickets,
};
use crate::{
    app::{App, network},
    error::{Checks, Code, Error, Result},
    ids::PersonId,
    keys::same,
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
    /// Have it spoken in a call instead of written, for who cannot read it.
    #[serde(default)]
    pub spoken: bool,
}

/// Signs in with a code.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Which code: the `login_id` of the answer to asking for it. Tries at other codes of the number leave it alone.
    pub login_id: Uuid,
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

/// Notes a code and sends it to the number if the roster knows it; the caller cannot tell. Gives the code's name, which
/// only the one who asked is told: without it nobody can try, and so burn, the code.
///
/// # Errors
/// `sms_unavailable`, `invalid_fields`, `code_too_soon`, `code_too_many`, `sms_budget_spent`.
pub async fn ask_code(app: &App, address: Option<IpAddr>, wanted: AskCode) -> Result<Uuid> {
    if !app.gateways.sms.is_set_up() {
        return Err(Code::SmsUnavailable.into());
    }
    let phone = readable_phone(&wanted.phone)?;
    let phone_hmac = app.keys.lookup("phone", &phone);
    // random, not of its time: it must not be guessed
    let (id, code) = (Uuid::new_v4(), app.keys.fresh_code()?);
    let new = NewCode {
        id,
        code_hmac: codes::keep(&app.keys, id, &phone_hmac, &code),
        address_hmac: app.keys.lookup("address", &address.map(|one| network(one).to_string()).unwrap_or_default()),
        phone_hmac: phone_hmac.clone(),
        shares: (app.config.codes_per_address_and_day, app.config.codes_per_day),
        is_sent: false,
    };
    app.store.write(move |tx| Box::pin(note_code(tx, new))).await?;
    // after the commit, and not waited for: who is known must show neither in the answer nor in its time
    let (app, spoken) = (app.clone(), wanted.spoken);
    tokio::spawn(async move {
        if let Err(error) = send_if_known(&app, (id, &code), (&phone, spoken), &phone_hmac).await {
            tracing::error!(%error, "a one-time code was not sent");
        }
    });
    Ok(id)
}

pub(super) fn readable_phone(text: &str) -> Result<String> {
    rules::phone(text).ok_or_else(|| Error::field("phone", "not_a_phone"))
}

pub(super) struct NewCode {
    pub(super) id: Uuid,
    pub(super) phone_hmac: String,
    pub(super) address_hmac: String,
    pub(super) code_hmac: String,
    /// What one network, and the whole county, may ask for in a day.
    pub(super) shares: (u64, u64),
    /// It goes out in any case; others are counted when they do.
    pub(super) is_sent: bool,
}

pub(super) async fn note_code(tx: &Tx, new: NewCode) -> Result<()> {
    let (now, since) = (tx.now(), login_code::Column::SentAt.gt(tx.now() - codes::DAY));
    let to_number =
        login_code::Entity::find().filter(login_code::Column::PhoneHmac.eq(&new.phone_hmac)).filter(since.clone());
    let of_number = to_number.all(tx).await?.into_iter();
    let from_network = login_code::Column::AddressHmac.eq(&new.address_hmac);
    let from_network = login_code::Entity::find().filter(from_network).filter(since).count(tx).await?;
    let asked = codes::Asked {
        for_number: of_number.map(|row| (row.sent_at, row.address_hmac == new.address_hmac)).collect(),
        from_network: (from_network, new.shares.0),
        went_out: (went_out(tx).await?, new.shares.1),
    };
    codes::may_send(&asked, now)?;
    let row = login_code::ActiveModel {
        id: Set(new.id),
        phone_hmac: Set(new.phone_hmac),
        address_hmac: Set(new.address_hmac),
        code_hmac: Set(new.code_hmac),
        tries: Set(0),
        sent_at: Set(now),
        expires_at: Set(now + TimeDelta::seconds(codes::CODE_SECS)),
        used_at: Set(None),
        is_sent: Set(new.is_sent),
    };
    row.insert(tx).await?;
    Ok(())
}

/// Codes of the last day that cost something: those of known numbers.
async fn went_out(tx: &Tx) -> Result<u64> {
    let sent = login_code::Entity::find().filter(login_code::Column::IsSent.eq(true));
    Ok(sent.filter(login_code::Column::SentAt.gt(tx.now() - codes::DAY)).count(tx).await?)
}

async fn send_if_known(
    app: &App,
    (id, code): (Uuid, &str),
    (phone, spoken): (&str, bool),
    phone_hmac: &str,
) -> Result<()> {
    if sharing(app.store.read(), phone_hmac).await?.is_empty() {
        return Ok(());
    }
    let budget = app.config.codes_per_day;
    if app.store.write(move |tx| Box::pin(take_from_budget(tx, id, budget))).await? {
        let sms = &app.gateways.sms;
        if spoken { sms.speak_code(phone, code).await? } else { sms.send_code(phone, code).await? }
    }
    Ok(())
}

/// Asked again here, because many may have been noted since.
async fn take_from_budget(tx: &Tx, id: Uuid, budget: u64) -> Result<bool> {
    if went_out(tx).await? >= budget {
        return Ok(false);
    }
    login_code::Entity::update_many()
        .col_expr(login_code::Column::IsSent, Expr::value(true))
        .filter(login_code::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(true)
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
        login_id: told.login_id,
        phone_hmac: app.keys.lookup("phone", &phone),
        code,
        person: told.person_id,
        carrier,
        device: device.trim().to_owned(),
        days: app.config.session_days,
    };
    match app.store.write(move |tx| Box::pin(enter(tx, entry))).await? {
        Entered::In(session) => Ok(session),
        Entered::Wrong => Err(Code::CodeWrong.into()),
        Entered::Choose(people) => Err(choice(&people)),
    }
}

struct Entry {
    login_id: Uuid,
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

async fn enter(tx: &Tx, entry: Entry) -> Result<Entered> {
    let Some(row) = try_code(tx, &entry).await? else { return Ok(Entered::Wrong) };
    let people = sharing(tx, &entry.phone_hmac).await?;
    let fits = same(&row.code_hmac, &codes::keep(tx.keys(), row.id, &entry.phone_hmac, &entry.code));
    let chosen = match entry.person {
        Some(id) => people.iter().find(|person| person.id == id),
        None => people.first(),
    };
    let Some(person) = chosen.filter(|_| fits) else { return Ok(Entered::Wrong) };
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
    Ok(Entered::In(sessions::open_session(tx, new).await?))
}

pub(super) async fn count_try(tx: &Tx, id: Uuid) -> Result<()> {
    login_code::Entity::update_many()
        .col_expr(login_code::Column::Tries, Expr::col(login_code::Column::Tries).add(1))
        .filter(login_code::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// The code that is tried, if it is good. The try is counted before anything is compared: however many come at once, no
/// more than five are compared.
async fn try_code(tx: &Tx, entry: &Entry) -> Result<Option<login_code::Model>> {
    let counted = login_code::Entity::update_many()
        .col_expr(login_code::Column::Tries, Expr::col(login_code::Column::Tries).add(1))
        .filter(login_code::Column::Id.eq(entry.login_id))
        .filter(login_code::Column::PhoneHmac.eq(&entry.phone_hmac))
        .filter(login_code::Column::UsedAt.is_null())
        .filter(login_code::Column::ExpiresAt.gt(tx.now()))
        .filter(login_code::Column::Tries.lt(codes::MAX_TRIES))
        .exec(tx)
        .await?;
    if counted.rows_affected != 1 {
        return Ok(None);
    }
    Ok(login_code::Entity::find_by_id(entry.login_id).one(tx).await?)
}

fn choice(people: &[person::Model]) -> Error {
    let listed: Vec<_> =
        people.iter().zip(told_apart(people)).map(|(person, name)| json!({ "id": person.id, "name": name })).collect();
    Code::PersonChoiceNeeded.with(json!({ "people": listed }))
}

/// The people of one phone, told apart by surname and last character; by the whole name only where that does not do.
pub(super) fn told_apart(people: &[person::Model]) -> Vec<String> {
    let masked: Vec<String> = people.iter().map(|person| first_and_last(&person.name)).collect();
    let alike = |name: &String| masked.iter().filter(|other| *other == name).count() > 1;
    people.iter().zip(&masked).map(|(person, name)| if alike(name) { &person.name } else { name }.clone()).collect()
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
    let days = app.config.session_days;
    let renewed = app.store.write(move |tx| Box::pin(async move { sessions::renew(tx, &token, days).await })).await?;
    match renewed {
        Renewal::Renewed(open) => Ok(open),
        Renewal::Reused(session) => {
            sign_out::forget(app, &[session]);
            Err(Code::RefreshReused.into())
        }
        Renewal::Ended => Err(Code::SessionEnded.into()),
    }
}

/// Forgets spent tickets, and codes that no limit looks at any more: numbers are not kept, not even as digests, longer than needed.
///
/// # Errors
/// When the database fails.
pub async fn due(tx: &Tx) -> Result<u64> {
    let is_old = login_code::Column::SentAt.lt(tx.now() - codes::DAY);
    // what was asked for before the clock was put back would be the last minute's until it is that late again
    let is_ahead = login_code::Column::SentAt.gt(tx.now() + codes::AHEAD);
    let old = login_code::Entity::find().filter(is_old.or(is_ahead)).limit(FORGET_BATCH).all(tx).await?;
    let others = tickets::forget(tx).await? + desk_login::forget_tries(tx).await?;
    if old.is_empty() {
        return Ok(others);
    }
    let ids = old.into_iter().map(|row| row.id);
    let gone = login_code::Entity::delete_many().filter(login_code::Column::Id.is_in(ids)).exec(tx).await?;
    Ok(gone.rows_affected + others)
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
