//! A guest's voice: left with a proven phone or written down by a handler; read, answered and rated with its claim code.
use std::net::IpAddr;

use chrono::TimeDelta;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use uuid::Uuid;

pub use super::told::{AskGuestCode, GuestVoice, LeaveGuestVoice, RecordGuestVoice, TakeDownVoice};
use super::{
    author,
    rows::{guest_try, guest_voice},
    rules,
};
use crate::{
    actor::Actor,
    app::App,
    areas,
    bodies::{self, Right},
    error::{Checks, Code, Result},
    ids::{PersonId, SessionId},
    keys::Keys,
    people::{
        self,
        proof::{self, Number},
    },
    store::Tx,
    streams::{self, commands::SendMessage},
    suggestions::{
        self, RateSuggestion, ReplyWish, SubmitSuggestion, SuggestionView, Visibility,
        leaving::Taken,
        withdrawals::{self, WithdrawSuggestion},
    },
    text,
};

const MAX_NAME: usize = 30;

fn about(area: &str) -> String {
    format!("guest {area}")
}

/// Sends a code to the phone.
///
/// # Errors
/// `sms_unavailable`, `invalid_fields`, `not_found` for what is no village, `code_too_soon`, `code_too_many`.
pub async fn ask_code(app: &App, address: Option<IpAddr>, asked: AskGuestCode) -> Result<()> {
    proof::require_sms(app)?;
    let number = proof::number(&app.keys, &asked.phone)?;
    let from = proof::address_hmac(&app.keys, address);
    let shares = (app.config.codes_per_address_and_day, app.config.codes_per_day);
    let to = number.clone();
    let noting = app.store.write(move |tx| {
        Box::pin(async move {
            require_village(tx, &asked.area_code).await?;
            proof::note(tx, &to, &about(&asked.area_code), (&from, shares)).await
        })
    });
    proof::send(app, &number, noting.await?);
    Ok(())
}

async fn require_village(tx: &Tx, area: &str) -> Result<()> {
    let area = areas::get(tx, area).await?;
    if area.level.is_village() && area.valid_to.is_none() { Ok(()) } else { Err(Code::NotFound.into()) }
}

/// How an attempt ended; not an error inside the unit, because a counted try must be committed.
enum Left {
    Here(GuestVoice),
    WrongCode,
}

/// Leaves a voice. Records `suggestion.submitted`.
///
/// # Errors
/// `code_wrong`, `invalid_fields`, `too_many_requests` after three that day, `no_body_responsible`.
pub async fn leave(app: &App, told: LeaveGuestVoice) -> Result<GuestVoice> {
    let number = proof::number(&app.keys, &told.phone)?;
    let LeaveGuestVoice { area_code, code, name, kind, category, urgency, text, place, .. } = told;
    let said = RecordGuestVoice { area_code, name, kind, category, urgency, text, place };
    check(&said)?;
    let leaving = app.store.write(move |tx| {
        Box::pin(async move {
            if !proof::holds(tx, &number, &about(&said.area_code), &code).await? {
                return Ok(Left::WrongCode);
            }
            let since = tx.now() - TimeDelta::days(1);
            let callers = people::guests_by(tx, &number.proof_hmac).await?;
            let today = guest_voice::Entity::find()
                .filter(guest_voice::Column::PersonId.is_in(callers))
                .filter(guest_voice::Column::LeftAt.gt(since))
                .count(tx)
                .await?;
            if today >= rules::VOICES_A_DAY {
                return Err(Code::TooManyRequests.after_secs(24 * 3600));
            }
            write(tx, said, Some(&number), None).await.map(Left::Here)
        })
    });
    match leaving.await? {
        Left::Here(voice) => Ok(voice),
        Left::WrongCode => Err(Code::CodeWrong.into()),
    }
}

fn check(said: &RecordGuestVoice) -> Result<()> {
    let mut checks = Checks::default();
    checks.text("name", &said.name, 0..=MAX_NAME);
    checks.text("text", &said.text, 1..=2000);
    checks.text("place", &said.place, 0..=100);
    checks.done()
}

/// Writes down the voice of somebody who is there, without a phone. Records `suggestion.submitted`.
///
/// # Errors
/// `not_allowed` for others than handlers there; `invalid_fields`.
pub async fn record(tx: &Tx, actor: &Actor, said: RecordGuestVoice) -> Result<GuestVoice> {
    let seat = bodies::require(actor, Right::HandleSuggestions, &said.area_code)?;
    check(&said)?;
    write(tx, said, None, Some(Taken { by: actor.person, body: seat.body_id })).await
}

/// Takes down the voice of somebody on the roster, who has no phone or would rather tell it. It is that person's, who is
/// told by a way that is not the clerk's. Records `suggestion.submitted`.
///
/// # Errors
/// `not_allowed` for others than handlers there, and for the own voice; `not_found` for who is on no roster;
/// `invalid_fields`.
pub async fn take_down(tx: &Tx, actor: &Actor, (person, said): (PersonId, TakeDownVoice)) -> Result<GuestVoice> {
    // who takes nothing down anywhere does not learn who is on a roster
    if bodies::areas_with(actor, Right::HandleSuggestions).is_empty() {
        return Err(Code::NotAllowed.into());
    }
    let author = people::person(tx, person).await?.filter(|one| one.left_on.is_none()).ok_or(Code::NotFound)?;
    let seat = bodies::require(actor, Right::HandleSuggestions, &author.area)?;
    if author.id == actor.person {
        return Err(Code::NotAllowed.into());
    }
    let taken = Taken { by: actor.person, body: seat.body_id };
    let voice = SubmitSuggestion {
        kind: said.kind,
        visibility: Visibility::Handlers,
        text: said.text,
        place: said.place,
        about_person_id: None,
        category: said.category,
        urgency: said.urgency,
        reply_wish: said.reply_wish,
        media: Vec::new(),
        is_flagged: false,
    };
    let author = guest(author.id, author.name, author.area);
    keep(tx, &author, (voice, Some(taken))).await
}

async fn write(tx: &Tx, said: RecordGuestVoice, phone: Option<&Number>, by: Option<Taken>) -> Result<GuestVoice> {
    require_village(tx, &said.area_code).await?;
    let name = match said.name.trim() {
        "" => text::say("guest-nameless"),
        name => name.to_owned(),
    };
    let person = author::of(tx, (&said.area_code, &name), phone).await?;
    let guest = guest(person, name, said.area_code);
    let voice = SubmitSuggestion {
        kind: said.kind,
        visibility: Visibility::Handlers,
        text: said.text,
        place: said.place,
        about_person_id: None,
        category: said.category,
        urgency: said.urgency,
        reply_wish: ReplyWish::Here,
        media: Vec::new(),
        is_flagged: false,
    };
    keep(tx, &guest, (voice, by)).await
}

/// The voice, and the code that opens it.
async fn keep(tx: &Tx, author: &Actor, (voice, by): (SubmitSuggestion, Option<Taken>)) -> Result<GuestVoice> {
    let left = match by {
        Some(taken) => suggestions::leaving::take_down(tx, author, (taken, voice)).await?,
        None => suggestions::commands::submit(tx, author, voice).await?,
    };
    let code = tx.keys().fresh_letters(rules::LENGTH)?;
    let row = guest_voice::ActiveModel {
        suggestion_id: Set(left.id),
        person_id: Set(author.person),
        code_hmac: Set(hmac(tx.keys(), &code)),
        recorded_by: Set(by.map(|taken| taken.by)),
        left_at: Set(tx.now()),
    };
    row.insert(tx).await?;
    Ok(GuestVoice { number: left.number, claim_code: rules::grouped(&code) })
}

fn hmac(keys: &Keys, code: &str) -> String {
    keys.lookup("guest-claim", code)
}

/// The author of one voice, without a log-in.
fn guest(person: PersonId, name: String, area: String) -> Actor {
    Actor { person, session: SessionId(Uuid::nil()), name, area, seats: Vec::new(), phone_listed_at: None }
}

/// Who holds a claim code, and for which voice.
struct Holder {
    actor: Actor,
    row: guest_voice::Model,
    /// Taken down for somebody on a roster: the clerk has seen the code, and the author speaks by an own log-in.
    is_read_only: bool,
}

/// Who holds this claim code; a wrong one is counted for the network it came from, one that opens nothing any more is not.
async fn holder(app: &App, address: Option<IpAddr>, told: &str) -> Result<Holder> {
    let from = proof::address_hmac(&app.keys, address);
    let since = guest_try::Column::At.gt(app.now() - TimeDelta::days(1));
    let wrong = guest_try::Entity::find().filter(guest_try::Column::AddressHmac.eq(&from)).filter(since);
    if wrong.count(app.store.read()).await? >= rules::WRONG_A_DAY {
        return Err(Code::CodeTooMany.after_secs(3600));
    }
    let code = rules::bare(told).unwrap_or_default();
    let found = guest_voice::Entity::find()
        .filter(guest_voice::Column::CodeHmac.eq(hmac(&app.keys, &code)))
        .one(app.store.read())
        .await?;
    let Some(row) = found else {
        app.store.write(move |tx| Box::pin(count_wrong(tx, from))).await?;
        return Err(Code::ClaimCodeWrong.into());
    };
    let person = people::person(app.store.read(), row.person_id).await?.ok_or(Code::ClaimCodeWrong)?;
    let is_read_only = row.recorded_by.is_some() && !person.is_guest();
    if is_read_only && !suggestions::is_open_to_code(app.store.read(), row.suggestion_id).await? {
        return Err(Code::ClaimCodeWrong.into());
    }
    Ok(Holder { actor: guest(person.id, person.name, person.area), row, is_read_only })
}

/// The same, for who speaks by the code: not for somebody on a roster, who has an own log-in.
async fn author(app: &App, address: Option<IpAddr>, told: &str) -> Result<Holder> {
    let holder = holder(app, address, told).await?;
    if holder.is_read_only { Err(Code::NotAllowed.into()) } else { Ok(holder) }
}

async fn count_wrong(tx: &Tx, address: String) -> Result<()> {
    let row = guest_try::ActiveModel { id: Set(Uuid::now_v7()), address_hmac: Set(address), at: Set(tx.now()) };
    row.insert(tx).await?;
    Ok(())
}

/// The voice with its answers, and what was said in its thread; of what was taken down for somebody on a roster, not the
/// thread. That what was taken down was opened is written down for those who handle it: the clerk has seen the code, too.
///
/// # Errors
/// `claim_code_wrong`, also once it opens nothing any more; `code_too_many`.
pub async fn read(app: &App, address: Option<IpAddr>, told: &str) -> Result<(SuggestionView, Vec<streams::EntryView>)> {
    let Holder { actor, row, is_read_only } = holder(app, address, told).await?;
    let view = match row.recorded_by {
        Some(_) => suggestions::open_by_code(app, &actor, (row.suggestion_id, is_read_only)).await?,
        None => suggestions::queries::open(app, &actor, row.suggestion_id).await?,
    };
    let said = match view.stream_id {
        Some(stream) => streams::queries::entries(app, stream, streams::queries::Span::After(0), 300).await?,
        None => Vec::new(),
    };
    Ok((view, said))
}

/// Says more. The same `client_id` again is the same message.
///
/// # Errors
/// As [`read`]; `not_allowed` for what was taken down for somebody on a roster; `invalid_fields`, `too_many_requests`.
pub async fn reply(app: &App, address: Option<IpAddr>, told: &str, (client_id, text): (Uuid, String)) -> Result<()> {
    let Holder { actor, row, .. } = author(app, address, told).await?;
    app.rates.write(actor.person)?;
    let (_, stream) = suggestions::author_of(app.store.read(), row.suggestion_id).await?.ok_or(Code::NotFound)?;
    let message = SendMessage::words(client_id, text);
    let sending = app
        .store
        .write(move |tx| Box::pin(async move { streams::commands::send(tx, &actor, (stream, message)).await }));
    sending.await?;
    Ok(())
}

/// Rates the answer; "not solved" opens the voice again.
///
/// # Errors
/// As [`read`]; `not_allowed` for what was taken down for somebody on a roster; `wrong_state`, `invalid_fields`.
pub async fn rate(app: &App, address: Option<IpAddr>, told: &str, rating: RateSuggestion) -> Result<()> {
    let Holder { actor, row, .. } = author(app, address, told).await?;
    let rating = app.store.write(move |tx| {
        Box::pin(async move { suggestions::commands::rate(tx, &actor, (row.suggestion_id, rating)).await })
    });
    rating.await?;
    Ok(())
}

/// Takes the voice back: nobody is to deal with it any more.
///
/// # Errors
/// As [`read`]; `not_allowed` for what was taken down for somebody on a roster; `wrong_state`, `not_yours_alone`,
/// `invalid_fields`.
pub async fn withdraw(app: &App, address: Option<IpAddr>, told: &str, why: WithdrawSuggestion) -> Result<()> {
    let Holder { actor, row, .. } = author(app, address, told).await?;
    let withdrawing = app
        .store
        .write(move |tx| Box::pin(async move { withdrawals::withdraw(tx, &actor, (row.suggestion_id, why)).await }));
    withdrawing.await?;
    Ok(())
}

/// Forgets wrong claim codes that no limit looks at any more.
///
/// # Errors
/// When the database fails.
pub async fn due(tx: &Tx) -> Result<u64> {
    let old = guest_try::Column::At.lt(tx.now() - TimeDelta::days(1));
    Ok(guest_try::Entity::delete_many().filter(old).exec(tx).await?.rows_affected)
}
