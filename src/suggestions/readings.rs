//! The one way in which a handler gets to see a voice that is not public: it is written down first, for the author to see.
use std::collections::HashSet;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QuerySelect, Set, sea_query::Expr,
};
use serde_json::json;

use super::{
    Suggestion,
    commands::record,
    inspections,
    queries::{self, SuggestionReadingView, SuggestionView},
    referrals,
    rows::reading,
    rules::{self, Sight, Visibility},
};
use crate::{
    actor::{Actor, HeldSeat},
    app::App,
    clock,
    error::{Code, Result},
    events::{self, Kind},
    ids::{PersonId, SuggestionId},
    people,
    store::Tx,
    streams::{self, GIVEN_TODAY, HANDLER_TODAY},
    text,
};

/// What a handler opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// The voice itself: counts each time.
    Voice,
    /// A photo or clip of it, which comes in many requests: makes sure that the day is written down.
    Attachment,
}

/// Lets the actor see the voice: at once what is one's own or public, written down what is not.
///
/// # Errors
/// `not_found` for whoever may not see it.
pub(super) async fn let_in(app: &App, actor: &Actor, row: &Suggestion, what: Opening) -> Result<()> {
    match rules::sight(row.visibility, rules::standing(actor, row)) {
        Sight::Hidden => inspections::let_in(app, actor, row, what).await,
        Sight::Own => open_as_author(app, actor, row).await,
        Sight::Public => Ok(()),
        Sight::Logged => open_as_handler(app, actor, row, what).await,
    }
}

/// Writes down who opened the voice on which day and how often, and lets the handler into its thread. Records
/// `suggestion.read` once a day.
async fn open_as_handler(app: &App, actor: &Actor, row: &Suggestion, what: Opening) -> Result<()> {
    if what == Opening::Attachment && was_noted_today(app, actor, row).await? {
        return Ok(());
    }
    let (actor, row) = (actor.clone(), row.clone());
    app.store.write(move |tx| Box::pin(async move { write_down(tx, &actor, &row).await })).await
}

async fn was_noted_today(app: &App, actor: &Actor, row: &Suggestion) -> Result<bool> {
    let today = (row.id, actor.person, clock::local_date(app.now()));
    Ok(reading::Entity::find_by_id(today).one(app.store.read()).await?.is_some())
}

/// Which of these voices this person has opened.
pub(super) async fn opened_by(
    db: &impl ConnectionTrait,
    person: PersonId,
    voices: Vec<SuggestionId>,
) -> Result<HashSet<SuggestionId>> {
    let opened = reading::Entity::find()
        .select_only()
        .column(reading::Column::SuggestionId)
        .filter(reading::Column::PersonId.eq(person))
        .filter(reading::Column::SuggestionId.is_in(voices));
    Ok(opened.into_tuple::<SuggestionId>().all(db).await?.into_iter().collect())
}

/// Nobody answers what is not public without having opened it.
///
/// # Errors
/// `not_found` for who has not.
pub(super) async fn require_read(db: &impl ConnectionTrait, person: PersonId, row: &Suggestion) -> Result<()> {
    let is_read = row.visibility == Visibility::Public || !opened_by(db, person, vec![row.id]).await?.is_empty();
    if is_read { Ok(()) } else { Err(Code::NotFound.into()) }
}

/// Writes down that a handler opened, beside a public voice, what is for handlers alone. Records `suggestion.read` once a day.
///
/// # Errors
/// `not_found` for whoever does not handle it.
pub(super) async fn note(app: &App, actor: &Actor, row: &Suggestion) -> Result<()> {
    if was_noted_today(app, actor, row).await? {
        return Ok(());
    }
    let (actor, row) = (actor.clone(), row.clone());
    let noting = app.store.write(move |tx| {
        Box::pin(async move {
            let seat = rules::handling_seat(&actor, &row).ok_or(Code::NotFound)?;
            count(tx, (&actor, seat), &row).await
        })
    });
    noting.await
}

async fn write_down(tx: &Tx, actor: &Actor, row: &Suggestion) -> Result<()> {
    let seat = rules::handling_seat(actor, row).ok_or(Code::NotFound)?;
    let role = if row.assignee_id == Some(actor.person) { GIVEN_TODAY } else { HANDLER_TODAY };
    // what went up is read by who had it below, and answered and talked about above
    if seat.body_id == row.body_id {
        streams::commands::join(tx, row.stream_id, actor.person, role).await?;
    }
    count(tx, (actor, seat), row).await
}

/// The first opening of a day is written down, each further one counted.
async fn count(tx: &Tx, (actor, seat): (&Actor, &HeldSeat), row: &Suggestion) -> Result<()> {
    if count_again(tx, row, actor.person).await? {
        return Ok(());
    }
    insert(tx, row, (actor.person, seat.body_name.clone())).await?;
    record(tx, Kind::SuggestionRead, row, Some(actor), json!({ "day": clock::local_date(tx.now()) })).await
}

/// One time more today, if it is not the first.
async fn count_again(tx: &Tx, row: &Suggestion, person: PersonId) -> Result<bool> {
    let again = reading::Entity::update_many()
        .col_expr(reading::Column::Times, Expr::col(reading::Column::Times).add(1))
        .filter(reading::Column::SuggestionId.eq(row.id))
        .filter(reading::Column::PersonId.eq(person))
        .filter(reading::Column::Day.eq(clock::local_date(tx.now())))
        .exec(tx)
        .await?;
    Ok(again.rows_affected > 0)
}

async fn insert(tx: &Tx, row: &Suggestion, (person, body_name): (PersonId, String)) -> Result<()> {
    let first = reading::ActiveModel {
        suggestion_id: Set(row.id),
        person_id: Set(person),
        day: Set(clock::local_date(tx.now())),
        body_name: Set(body_name),
        first_at: Set(tx.now()),
        times: Set(1),
        reason: Set(None),
    };
    first.insert(tx).await?;
    Ok(())
}

/// That its author opens what was taken down by an own log-in is written down once: its code opens nothing from then on.
/// Records `suggestion.read`.
async fn open_as_author(app: &App, actor: &Actor, row: &Suggestion) -> Result<()> {
    if row.taken_by.is_none() || was_opened_by_author(app.store.read(), row).await? {
        return Ok(());
    }
    let (actor, row) = (actor.clone(), row.clone());
    let data = json!({ "day": clock::local_date(app.now()) });
    let opening = app
        .store
        .write(move |tx| Box::pin(async move { record(tx, Kind::SuggestionRead, &row, Some(&actor), data).await }));
    opening.await
}

async fn was_opened_by_author(db: &impl ConnectionTrait, row: &Suggestion) -> Result<bool> {
    events::has_done(db, row.author_id, (Kind::SuggestionRead, &row.id.to_string())).await
}

/// Does its code still open what was taken down for somebody on a roster? Not once it went up or was passed on, where whoever
/// took it down is not responsible any more, and not once its author has opened it by an own log-in.
///
/// # Errors
/// `not_found`.
pub async fn is_open_to_code(db: &impl ConnectionTrait, id: SuggestionId) -> Result<bool> {
    let row = queries::row(db, id).await?.ok_or(Code::NotFound)?;
    let has_gone = row.level > 0 || (row.handed > 0 && referrals::was_passed_on(db, &row).await?);
    Ok(!has_gone && !was_opened_by_author(db, &row).await?)
}

/// What was taken down, as its code shows it: its text, how far it has come, the answers and when it was opened so; for who is
/// on no roster and has no other way, the thread, too, and what the author may do.
///
/// # Errors
/// `not_found`.
pub async fn open_by_code(
    app: &App,
    author: &Actor,
    (id, is_read_only): (SuggestionId, bool),
) -> Result<SuggestionView> {
    app.store.write(move |tx| Box::pin(write_down_code(tx, id))).await?;
    let (db, now) = (app.store.read(), app.now());
    let row = queries::row(db, id).await?.ok_or(Code::NotFound)?;
    let readings = by_code(db, &row).await?;
    let mut view = queries::view(db, &app.keys, (author, now), row).await?;
    if is_read_only {
        (view.can, view.stream_id, view.rating_text, view.next_body_name) = (Vec::new(), None, None, None);
        view.answers.iter_mut().for_each(|answer| answer.rating_text = None);
    }
    Ok(SuggestionView { readings, referrals: Vec::new(), extensions: Vec::new(), assists: Vec::new(), ..view })
}

/// The voice of somebody for whom it was taken down, opened by its code: nobody knows by whom, and it is written down that it
/// was. Records `suggestion.read` once a day.
async fn write_down_code(tx: &Tx, id: SuggestionId) -> Result<()> {
    let row = queries::row(tx, id).await?.ok_or(Code::NotFound)?;
    if count_again(tx, &row, row.author_id).await? {
        return Ok(());
    }
    insert(tx, &row, (row.author_id, text::say("suggestion-by-code"))).await?;
    record(tx, Kind::SuggestionRead, &row, None, json!({ "day": clock::local_date(tx.now()) })).await
}

/// Who opened it, newest day first.
pub(super) async fn of_voice(db: &impl ConnectionTrait, of: &Suggestion) -> Result<Vec<SuggestionReadingView>> {
    shown(db, of, Condition::all()).await
}

/// When it was opened by its code, for those who handle it.
pub(super) async fn by_code(db: &impl ConnectionTrait, of: &Suggestion) -> Result<Vec<SuggestionReadingView>> {
    shown(db, of, Condition::all().add(reading::Column::PersonId.eq(of.author_id))).await
}

async fn shown(db: &impl ConnectionTrait, of: &Suggestion, which: Condition) -> Result<Vec<SuggestionReadingView>> {
    let rows = reading::Entity::find()
        .filter(reading::Column::SuggestionId.eq(of.id))
        .filter(which)
        .order_by_desc(reading::Column::FirstAt)
        .all(db)
        .await?;
    let openers = rows.iter().map(|row| row.person_id).filter(|person| *person != of.author_id);
    let names = people::queries::names(db, openers.collect()).await?;
    let show = |row: reading::Model| SuggestionReadingView {
        person_name: names.get(&row.person_id).cloned().unwrap_or_default(),
        body_name: row.body_name,
        day: row.day,
        first_at: clock::local(row.first_at),
        times: row.times,
        reason: row.reason,
    };
    Ok(rows.into_iter().map(show).collect())
}
