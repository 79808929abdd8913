//! Asking for a phone, deciding about it, and telling both phones.
use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    ClaimHow, ClaimState,
    rows::{claim, claim_try},
    rules,
};
use crate::{
    actor::Actor,
    app::App,
    bodies::{self, Right},
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    gateways::sms::SmsNotice,
    ids::{ClaimId, PersonId},
    people::{
        self,
        claims::{self as roster},
        proof::{self, Number},
    },
    store::Tx,
};

const MAX_NAME: usize = 30;
const MAX_REASON: usize = 200;
const AT_ONCE: u64 = 100;
/// How long it is tried to tell a phone.
const TOLD_WITHIN: TimeDelta = TimeDelta::days(3);
/// What was not told waits so long, and others have their turn.
const AGAIN: TimeDelta = TimeDelta::minutes(10);

/// Who somebody says they are.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskClaim {
    /// Twelve digits.
    pub area_code: String,
    /// As on the roster.
    #[schema(max_length = 30)]
    pub name: String,
    /// The last six characters of the identity number.
    pub id_last_six: String,
    /// The phone to be bound; a code is sent to it.
    pub phone: String,
}

/// The same with the code.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmClaim {
    /// Twelve digits.
    pub area_code: String,
    /// As on the roster.
    #[schema(max_length = 30)]
    pub name: String,
    /// The last six characters of the identity number.
    pub id_last_six: String,
    /// The phone to be bound.
    pub phone: String,
    /// Six digits.
    pub code: String,
}

impl ConfirmClaim {
    fn asked(&self) -> AskClaim {
        let Self { area_code, name, id_last_six, phone, .. } = self.clone();
        AskClaim { area_code, name, id_last_six, phone }
    }
}

/// Somebody came to the office.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimAtOffice {
    /// The phone to be bound.
    pub phone: String,
}

/// What the office says.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideClaim {
    /// Bind the phone?
    pub approve: bool,
    /// Why not; 2 to 200 characters, needed when refusing.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub reason: String,
}

/// What a claim means, read and checked.
struct Meant {
    area: String,
    digest: String,
    number: Number,
}

fn read(app: &App, told: &AskClaim) -> Result<Meant> {
    let mut checks = Checks::default();
    checks.text("name", &told.name, 2..=MAX_NAME);
    let is_village = told.area_code.len() == 12 && told.area_code.bytes().all(|byte| byte.is_ascii_digit());
    checks.require(is_village, "area_code", "not_an_area_code");
    let last_six = people::rules::last_six(&told.id_last_six);
    checks.require(last_six.is_some(), "id_last_six", "not_six_characters");
    checks.require(people::rules::phone(&told.phone).is_some(), "phone", "not_a_phone");
    checks.done()?;
    let digest = roster::digest(&app.keys, &told.area_code, &told.name, &last_six.unwrap_or_default());
    Ok(Meant { area: told.area_code.clone(), digest, number: proof::number(&app.keys, &told.phone)? })
}

/// Notes a try and sends a code to the phone, whoever is meant.
///
/// # Errors
/// `sms_unavailable`, `invalid_fields`, `code_too_soon`, `code_too_many`.
pub async fn ask(app: &App, address: Option<IpAddr>, told: AskClaim) -> Result<()> {
    proof::require_sms(app)?;
    let Meant { digest, number, .. } = read(app, &told)?;
    let address = proof::address_hmac(&app.keys, address);
    let shares = (app.config.codes_per_address_and_day, app.config.codes_per_day);
    let asked = number.clone();
    let noting = app.store.write(move |tx| {
        Box::pin(async move {
            note_try(tx, &asked, &address).await?;
            proof::note(tx, &asked, &digest, (&address, shares)).await
        })
    });
    proof::send(app, &number, noting.await?);
    Ok(())
}

async fn note_try(tx: &Tx, number: &Number, address: &str) -> Result<()> {
    let since = claim_try::Column::At.gt(tx.now() - TimeDelta::days(1));
    let tries = || claim_try::Entity::find().filter(since.clone());
    let by_phone = tries().filter(claim_try::Column::PhoneHmac.eq(&number.proof_hmac)).count(tx).await?;
    let by_address = tries().filter(claim_try::Column::AddressHmac.eq(address)).count(tx).await?;
    rules::may_try((by_phone, by_address))?;
    let row = claim_try::ActiveModel {
        id: Set(Uuid::now_v7()),
        phone_hmac: Set(number.proof_hmac.clone()),
        address_hmac: Set(address.to_owned()),
        at: Set(tx.now()),
    };
    row.insert(tx).await?;
    Ok(())
}

/// Takes the code; if somebody is meant, the office has something to decide. The answer does not tell. Records
/// `claim.asked`.
///
/// # Errors
/// `code_wrong`, `invalid_fields`.
pub async fn confirm(app: &App, told: ConfirmClaim) -> Result<()> {
    let Meant { area, digest, number } = read(app, &told.asked())?;
    let confirming = app.store.write(move |tx| {
        Box::pin(async move {
            // not an error inside the unit: a counted try must be committed
            if !proof::holds(tx, &number, &digest, &told.code).await? {
                return Ok(false);
            }
            if let Some(person) = roster::meant(tx, &digest, &number.hmac).await? {
                wait(tx, (person, &area), &number, None).await?;
            }
            Ok(true)
        })
    });
    if confirming.await? { Ok(()) } else { Err(Code::CodeWrong.into()) }
}

/// Writes a claim down, once for a person and a phone, and not too many for a person.
async fn wait(tx: &Tx, (person, area): (PersonId, &str), number: &Number, by: Option<PersonId>) -> Result<()> {
    let waiting = claim::Entity::find()
        .filter(claim::Column::PersonId.eq(person))
        .filter(claim::Column::State.eq(ClaimState::Waiting))
        .all(tx)
        .await?;
    if waiting.len() as u64 >= rules::WAITING || waiting.iter().any(|row| row.phone_hmac == number.hmac) {
        return Ok(());
    }
    let how = if by.is_some() { ClaimHow::Office } else { ClaimHow::Phone };
    let row = claim::ActiveModel {
        id: Set(ClaimId::new()),
        area_code: Set(area.to_owned()),
        person_id: Set(person),
        how: Set(how),
        phone_sealed: Set(Some(tx.keys().seal("phone", &number.digits)?)),
        phone_hmac: Set(number.hmac.clone()),
        old_phone_sealed: Set(None),
        state: Set(ClaimState::Waiting),
        asked_by: Set(by),
        asked_at: Set(tx.now()),
        due_at: Set(tx.calendar().add_working_days(tx.now(), rules::DECIDE_WORKING_DAYS)),
        decided_by: Set(None),
        decided_at: Set(None),
        reason: Set(None),
        told_at: Set(None),
        tell_again_at: Set(None),
    };
    let row = row.insert(tx).await?;
    record(tx, Kind::ClaimAsked, &row, by).await
}

/// Writes down at the office that somebody who is there has another phone; another seat holder decides. Records
/// `claim.asked`.
///
/// # Errors
/// `not_found` for somebody on no roster, `not_allowed`, `second_person_needed` about oneself, `invalid_fields`.
pub async fn write_down(tx: &Tx, actor: &Actor, (id, input): (PersonId, ClaimAtOffice)) -> Result<()> {
    let person = people::person(tx, id).await?.filter(|person| person.left_on.is_none()).ok_or(Code::NotFound)?;
    bodies::require(actor, Right::ImportRoster, &person.area)?;
    rules::may_decide(actor.person, id, None)?;
    let number = proof::number(tx.keys(), &input.phone)?;
    if roster::has_phone(tx, id, &number.hmac).await? {
        return Err(Code::WrongState.into());
    }
    wait(tx, (id, &person.area), &number, Some(actor.person)).await
}

/// Decides: binds the phone, or says why not. Records `claim.approved` or `claim.refused`.
///
/// # Errors
/// `not_found` for whoever does not keep the roster there, `second_person_needed`, `wrong_state`, also to approve that of who is
/// another village's by now, `invalid_fields`.
pub async fn decide(tx: &Tx, actor: &Actor, (id, input): (ClaimId, DecideClaim)) -> Result<()> {
    let mut checks = Checks::default();
    let least = if input.approve { 0 } else { 2 };
    checks.text("reason", &input.reason, least..=MAX_REASON);
    let row = claim::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    bodies::require(actor, Right::ImportRoster, &row.area_code).map_err(|_| Code::NotFound)?;
    checks.done()?;
    rules::may_decide(actor.person, row.person_id, row.asked_by)?;
    // the office that knows its people gives nobody the log-in of another's
    let home = people::person(tx, row.person_id).await?.map(|one| one.area);
    if input.approve && home.as_ref() != Some(&row.area_code) {
        return Err(Code::WrongState.into());
    }
    let state = if input.approve { ClaimState::Approved } else { ClaimState::Refused };
    let reason = Some(input.reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    let decided = claim::ActiveModel { decided_by: Set(Some(actor.person)), reason: Set(reason), ..ended(tx, state) };
    settle(tx, &row, decided).await?;
    if !input.approve {
        return record(tx, Kind::ClaimRefused, &row, Some(actor.person)).await;
    }
    let sealed = row.phone_sealed.clone().ok_or(Code::WrongState)?;
    let old = roster::bind_phone(tx, row.person_id, (sealed, row.phone_hmac.clone())).await?;
    claim::Entity::update_many()
        .col_expr(claim::Column::OldPhoneSealed, Expr::value(old))
        .filter(claim::Column::Id.eq(id))
        .exec(tx)
        .await?;
    record(tx, Kind::ClaimApproved, &row, Some(actor.person)).await
}

fn ended(tx: &Tx, state: ClaimState) -> claim::ActiveModel {
    claim::ActiveModel { state: Set(state), decided_at: Set(Some(tx.now())), ..Default::default() }
}

/// One of two who decide at once is refused.
async fn settle(tx: &Tx, row: &claim::Model, decided: claim::ActiveModel) -> Result<()> {
    let done = claim::Entity::update_many()
        .set(decided)
        .filter(claim::Column::Id.eq(row.id))
        .filter(claim::Column::State.eq(ClaimState::Waiting))
        .exec(tx)
        .await?;
    if done.rows_affected == 1 { Ok(()) } else { Err(Code::WrongState.into()) }
}

async fn record(tx: &Tx, kind: Kind, row: &claim::Model, by: Option<PersonId>) -> Result<()> {
    let data = json!({ "how": row.how, "person": row.person_id });
    let happening = Happening { actor: by, ..Happening::new(kind, row.id) };
    events::record(tx, happening.at(&row.area_code).with(data)).await?;
    Ok(())
}

/// Ends claims that nobody decided, and forgets old tries. Records `claim.refused`.
///
/// # Errors
/// When the database fails.
pub async fn due(tx: &Tx) -> Result<u64> {
    let late = claim::Entity::find()
        .filter(claim::Column::State.eq(ClaimState::Waiting))
        .filter(claim::Column::DueAt.lte(tx.now()))
        .limit(AT_ONCE)
        .all(tx)
        .await?;
    for row in &late {
        settle(tx, row, ended(tx, ClaimState::Expired)).await?;
        record(tx, Kind::ClaimRefused, row, None).await?;
    }
    let old = claim_try::Column::At.lt(tx.now() - TimeDelta::days(1));
    let gone = claim_try::Entity::delete_many().filter(old).exec(tx).await?;
    Ok(late.len() as u64 + gone.rows_affected)
}

/// Tells the phones of decided claims until we end, then forgets their numbers. A phone may be told twice when the process is
/// killed between the two; it is never told less than once while there is a provider.
///
/// # Errors
/// When the database fails.
pub async fn tell(app: &App, stop: &CancellationToken) -> Result<()> {
    let untold = claim::Entity::find()
        .select_only()
        .column(claim::Column::Id)
        .filter(is_untold(app.now()))
        .order_by_asc(claim::Column::DecidedAt)
        .limit(AT_ONCE);
    let untold: Vec<ClaimId> = untold.into_tuple().all(app.store.read()).await?;
    for id in untold.into_iter().take_while(|_| !stop.is_cancelled()) {
        let Some(row) = app.store.write(move |tx| Box::pin(take(tx, id))).await? else { continue };
        let given_up = row.decided_at.is_some_and(|at| at < app.now() - TOLD_WITHIN);
        match tell_one(app, &row).await {
            Err(error) if !given_up && error.code() == Code::SmsUnavailable => {}
            Err(error) if !given_up => tracing::warn!(%error, "a phone was not told"),
            outcome => {
                if outcome.is_err() {
                    tracing::error!("a phone could not be told of a decided claim");
                }
                app.store.write(move |tx| Box::pin(forget_numbers(tx, row.id))).await?;
            }
        }
    }
    Ok(())
}

fn is_untold(now: DateTime<Utc>) -> Expr {
    let (told_at, again_at) = (claim::Column::ToldAt, claim::Column::TellAgainAt);
    let is_open = told_at.is_null().and(claim::Column::DecidedAt.is_not_null());
    is_open.and(again_at.is_null().or(again_at.lte(now)))
}

/// Before it is told, so that of two workers who look at the same moment one tells it.
async fn take(tx: &Tx, id: ClaimId) -> Result<Option<claim::Model>> {
    let again = claim::ActiveModel { tell_again_at: Set(Some(tx.now() + AGAIN)), ..Default::default() };
    let taken = claim::Entity::update_many().set(again).filter(claim::Column::Id.eq(id)).filter(is_untold(tx.now()));
    Ok(taken.exec_with_returning(tx).await?.into_iter().next())
}

async fn tell_one(app: &App, row: &claim::Model) -> Result<()> {
    let number = |sealed: &Option<String>| sealed.as_deref().map(|text| app.keys.unseal("phone", text)).transpose();
    if let Some(old) = number(&row.old_phone_sealed)? {
        app.gateways.sms.send_notice(&old, SmsNotice::PhoneReplaced).await?;
        // not again and again, though the other cannot be told
        let (id, told) = (row.id, claim::ActiveModel { old_phone_sealed: Set(None), ..Default::default() });
        app.store.write(move |tx| Box::pin(note(tx, id, told))).await?;
    }
    if let Some(new) = number(&row.phone_sealed)? {
        let notice = if row.state == ClaimState::Approved { SmsNotice::PhoneBound } else { SmsNotice::ClaimRefused };
        app.gateways.sms.send_notice(&new, notice).await?;
    }
    Ok(())
}

async fn note(tx: &Tx, id: ClaimId, what: claim::ActiveModel) -> Result<()> {
    claim::Entity::update_many().set(what).filter(claim::Column::Id.eq(id)).exec(tx).await?;
    Ok(())
}

async fn forget_numbers(tx: &Tx, id: ClaimId) -> Result<()> {
    let told = claim::ActiveModel {
        told_at: Set(Some(tx.now())),
        phone_sealed: Set(None),
        phone_hmac: Set(String::new()),
        old_phone_sealed: Set(None),
        ..Default::default()
    };
    note(tx, id, told).await
}

/// Ends what waits for somebody who closes the account.
///
/// # Errors
/// When the database fails.
pub async fn drop_of(tx: &Tx, person: PersonId) -> Result<()> {
    let dropped = claim::ActiveModel {
        phone_sealed: Set(None),
        phone_hmac: Set(String::new()),
        ..ended(tx, ClaimState::Refused)
    };
    claim::Entity::update_many()
        .set(dropped)
        .filter(claim::Column::PersonId.eq(person))
        .filter(claim::Column::State.eq(ClaimState::Waiting))
        .exec(tx)
        .await?;
    Ok(())
}
