//! The desk's log-in: a password and a code from an authenticator app, set up by somebody signed in by SMS who holds a seat.
//!
//! # Why
//! Tries are counted for the number and the network, known or not, so that the answer tells nothing; whoever is locked
//! out by somebody else's tries still signs in by SMS. A code of the app is good once: its step only moves forward.
use std::net::IpAddr;

use chrono::TimeDelta;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, Set, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    passwords, proof,
    rows::{credential, desk_try, recovery_code, session},
    sessions::{self, Carrier, NewSession, OpenSession},
    sign_in::{readable_phone, sharing},
    totp,
    wechat::require_fresh_code,
};
use crate::{
    actor::Actor,
    app::App,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::PersonId,
    keys::Keys,
    store::Tx,
};

/// Tries within this time for one number.
const TRIES: u64 = 5;
const WITHIN: TimeDelta = TimeDelta::minutes(15);
/// Tries within this time from one network.
const TRIES_FROM_ADDRESS: u64 = 50;
/// People with a password who share a number.
const MANY: usize = 3;
const RECOVERY_CODES: usize = 8;
const RECOVERY_LENGTH: usize = 12;
const ACTIVE: &str = "active";
const PENDING: &str = "pending";

/// Sets up a password.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPassword {
    /// 8 to 128 characters, letters and digits.
    #[schema(min_length = 8, max_length = 128)]
    pub password: String,
}

/// The second factor, to be put into an app; shown once.
#[derive(Clone, Serialize, ToSchema)]
pub struct SecondFactor {
    /// Base32.
    pub secret: String,
    /// The same as a link.
    pub otpauth: String,
}

/// Proves that the app has it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmPassword {
    /// Six digits from the app.
    pub code: String,
}

/// Signs in at the desk.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeskSignIn {
    /// The number on the roster.
    pub phone: String,
    /// The password.
    pub password: String,
    /// Six digits from the app, or a recovery code.
    pub code: String,
}

/// Begins: keeps the password and a fresh second factor, not good yet. Whoever finds a log-in open gets no way in of their own:
/// a code by SMS was taken a moment ago.
///
/// # Errors
/// `not_allowed` without a seat, `sms_sign_in_needed`, `invalid_fields`.
pub async fn set_password(app: &App, actor: &Actor, input: SetPassword) -> Result<SecondFactor> {
    require_enrolment(app, actor).await?;
    require_fresh_code(app, actor).await?;
    let mut checks = Checks::default();
    checks.text("password", &input.password, 8..=128);
    let has = |test: fn(&char) -> bool| input.password.chars().any(|c| test(&c));
    checks.require(has(|c| c.is_alphabetic()) && has(|c| c.is_numeric()), "password", "weak_password");
    checks.done()?;
    let hash = passwords::hash(&input.password).await?;
    let secret = totp::base32(&app.keys.fresh_bytes(20)?);
    let sealed = app.keys.seal(&purpose(actor.person), &secret)?;
    let person = actor.person;
    let keeping = app.store.write(move |tx| {
        Box::pin(async move {
            credential::Entity::delete_by_id((person, PENDING.to_owned())).exec(tx).await?;
            let row = credential::ActiveModel {
                person_id: Set(person),
                state: Set(PENDING.to_owned()),
                password_hash: Set(hash),
                totp_sealed: Set(sealed),
                last_step: Set(0),
                made_at: Set(tx.now()),
            };
            row.insert(tx).await?;
            Ok(())
        })
    });
    keeping.await?;
    Ok(SecondFactor { otpauth: totp::otpauth(&secret), secret })
}

fn purpose(person: PersonId) -> String {
    format!("totp {person}")
}

async fn require_enrolment(app: &App, actor: &Actor) -> Result<()> {
    if actor.seats.is_empty() {
        return Err(Code::NotAllowed.into());
    }
    let row = session::Entity::find_by_id(actor.session).one(app.store.read()).await?.ok_or(Code::SessionEnded)?;
    if row.how.is_some() { Err(Code::SmsSignInNeeded.into()) } else { Ok(()) }
}

/// Ends setting it up: with a code of the app it is good, and what was there before is not. Gives recovery codes, once. The person
/// is told. Records `desk_password.set`.
///
/// # Errors
/// As [`set_password`]; `code_wrong`; `wrong_state` when nothing was begun.
pub async fn confirm_password(app: &App, actor: &Actor, input: ConfirmPassword) -> Result<Vec<String>> {
    require_enrolment(app, actor).await?;
    let codes = recovery_codes(&app.keys)?;
    let (person, given) = (actor.person, codes.clone());
    app.store.write(move |tx| Box::pin(async move { activate(tx, person, &input.code, &given).await })).await?;
    Ok(codes)
}

async fn activate(tx: &Tx, person: PersonId, code: &str, recovery: &[String]) -> Result<()> {
    let pending =
        credential::Entity::find_by_id((person, PENDING.to_owned())).one(tx).await?.ok_or(Code::WrongState)?;
    let secret = tx.keys().unseal(&purpose(person), &pending.totp_sealed)?;
    let step = totp::step_of(&totp::from_base32(&secret), code.trim(), tx.now(), 0).ok_or(Code::CodeWrong)?;
    credential::Entity::delete_by_id((person, ACTIVE.to_owned())).exec(tx).await?;
    let active = credential::Entity::update_many()
        .col_expr(credential::Column::State, Expr::value(ACTIVE))
        .col_expr(credential::Column::LastStep, Expr::value(step))
        .filter(credential::Column::PersonId.eq(person))
        .filter(credential::Column::State.eq(PENDING))
        .exec(tx)
        .await?;
    if active.rows_affected != 1 {
        return Err(Code::WrongState.into());
    }
    recovery_code::Entity::delete_many().filter(recovery_code::Column::PersonId.eq(person)).exec(tx).await?;
    for code in recovery {
        let row = recovery_code::ActiveModel {
            person_id: Set(person),
            code_hmac: Set(recovery_hmac(tx.keys(), person, code)),
        };
        row.insert(tx).await?;
    }
    events::record(tx, Happening::new(Kind::DeskPasswordSet, person).by(person)).await?;
    Ok(())
}

fn recovery_codes(keys: &Keys) -> Result<Vec<String>> {
    (0..RECOVERY_CODES).map(|_| keys.fresh_letters(RECOVERY_LENGTH)).collect()
}

fn recovery_hmac(keys: &Keys, person: PersonId, code: &str) -> String {
    let bare: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    keys.lookup("recovery", &format!("{person} {}", bare.to_ascii_uppercase()))
}

/// Signs in at the desk.
///
/// # Errors
/// `code_wrong` whatever is wrong, `code_too_many`, `busy`, `invalid_fields` for what is no number.
pub async fn sign_in_desk(
    app: &App,
    address: Option<IpAddr>,
    told: DeskSignIn,
    carrier: Carrier,
) -> Result<OpenSession> {
    let phone_hmac = app.keys.lookup("phone", &readable_phone(&told.phone)?);
    let from = (phone_hmac.clone(), proof::address_hmac(&app.keys, address));
    app.store.write(move |tx| Box::pin(note_try(tx, from))).await?;
    let Some(person) = fitting(app, &phone_hmac, &told.password).await? else { return Err(Code::CodeWrong.into()) };
    let (days, code) = (app.config.session_days, told.code);
    let entering = app.store.write(move |tx| {
        Box::pin(async move {
            if !second_factor_holds(tx, person, &code).await? {
                return Err(Code::CodeWrong.into());
            }
            desk_try::Entity::delete_many().filter(desk_try::Column::PhoneHmac.eq(phone_hmac)).exec(tx).await?;
            let device = crate::text::say("people-desk-device");
            let open = sessions::open_session(tx, NewSession { person, carrier, device, days }).await?;
            sessions::note_how(tx, open.session, "desk").await?;
            Ok(open)
        })
    });
    entering.await
}

async fn note_try(tx: &Tx, (phone, address): (String, String)) -> Result<()> {
    let since = desk_try::Column::At.gt(tx.now() - WITHIN);
    let tries = |which: Condition| desk_try::Entity::find().filter(since.clone()).filter(which).count(tx);
    let by_phone = Condition::all().add(desk_try::Column::PhoneHmac.eq(&phone));
    let by_address = Condition::all().add(desk_try::Column::AddressHmac.eq(&address));
    if tries(by_phone).await? >= TRIES || tries(by_address).await? >= TRIES_FROM_ADDRESS {
        return Err(Code::CodeTooMany.after_secs(WITHIN.num_seconds().unsigned_abs()));
    }
    let row = desk_try::ActiveModel {
        id: Set(Uuid::now_v7()),
        phone_hmac: Set(phone),
        address_hmac: Set(address),
        at: Set(tx.now()),
    };
    row.insert(tx).await?;
    Ok(())
}

/// Who of those with this number has this password and holds a seat now. Without anybody it takes as long.
async fn fitting(app: &App, phone_hmac: &str, password: &str) -> Result<Option<PersonId>> {
    let db = app.store.read();
    let people: Vec<PersonId> = sharing(db, phone_hmac).await?.into_iter().map(|person| person.id).collect();
    let kept = credential::Entity::find()
        .filter(credential::Column::PersonId.is_in(people))
        .filter(credential::Column::State.eq(ACTIVE))
        .all(db)
        .await?;
    if kept.is_empty() {
        passwords::fits(password, None).await?;
    }
    for row in kept.into_iter().take(MANY) {
        let is_theirs = passwords::fits(password, Some(&row.password_hash)).await?;
        if is_theirs && (app.seats_of)(db, &[(row.person_id, app.now())]).await?.iter().any(|held| !held.is_empty()) {
            return Ok(Some(row.person_id));
        }
    }
    Ok(None)
}

async fn second_factor_holds(tx: &Tx, person: PersonId, told: &str) -> Result<bool> {
    let Some(row) = credential::Entity::find_by_id((person, ACTIVE.to_owned())).one(tx).await? else {
        return Ok(false);
    };
    let secret = totp::from_base32(&tx.keys().unseal(&purpose(person), &row.totp_sealed)?);
    if let Some(step) = totp::step_of(&secret, told.trim(), tx.now(), row.last_step) {
        let spent = credential::Entity::update_many()
            .col_expr(credential::Column::LastStep, Expr::value(step))
            .filter(credential::Column::PersonId.eq(person))
            .filter(credential::Column::State.eq(ACTIVE))
            .filter(credential::Column::LastStep.lt(step))
            .exec(tx)
            .await?;
        return Ok(spent.rows_affected == 1);
    }
    let spent = recovery_code::Entity::delete_by_id((person, recovery_hmac(tx.keys(), person, told))).exec(tx).await?;
    Ok(spent.rows_affected == 1)
}

/// Takes the passwords and second factors of these people away: they are set up anew by the phone that they have.
pub(super) async fn forget(tx: &Tx, people: &[PersonId]) -> Result<()> {
    let whose = people.iter().copied();
    credential::Entity::delete_many().filter(credential::Column::PersonId.is_in(whose.clone())).exec(tx).await?;
    recovery_code::Entity::delete_many().filter(recovery_code::Column::PersonId.is_in(whose)).exec(tx).await?;
    Ok(())
}

/// Forgets tries that no limit looks at any more.
pub(super) async fn forget_tries(tx: &Tx) -> Result<u64> {
    let old = desk_try::Column::At.lt(tx.now() - WITHIN);
    Ok(desk_try::Entity::delete_many().filter(old).exec(tx).await?.rows_affected)
}
