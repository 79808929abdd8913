//! Consents given and withdrawn; accounts asked to be closed, kept, and closed.
use chrono::TimeDelta;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    ClosingView, ConsentView, corrections, queries,
    rows::{closing, consent},
    rules::{CLOSING_DAYS, ClosingState, ConsentPurpose, VERSION},
};
use crate::{
    actor::Actor,
    app::App,
    bodies, claims, delivery,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{PersonId, SessionId},
    inbox, media, moderation, people, skills,
    store::Tx,
    streams, suggestions, wechat,
};

const AT_ONCE: u64 = 20;

/// A consent given or withdrawn.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeConsent {
    /// What for.
    pub purpose: ConsentPurpose,
    /// Given, or withdrawn.
    pub is_given: bool,
}

/// A wish to close the account.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskClosing {
    /// Must be true: private words and clips cannot be brought back.
    pub understood: bool,
}

/// Writes down a consent or its withdrawal; withdrawn consent to voice clips makes them unreadable. Records
/// `consent.changed`. The same again is not written again.
///
/// # Errors
/// When the database refuses.
pub async fn change_consent(tx: &Tx, actor: &Actor, input: ChangeConsent) -> Result<Vec<ConsentView>> {
    let before = queries::is_given(tx, actor.person, input.purpose).await?;
    if before == Some(input.is_given) {
        return queries::consents(tx, actor.person).await;
    }
    let row = consent::ActiveModel {
        id: Set(Uuid::now_v7()),
        person_id: Set(actor.person),
        purpose: Set(input.purpose),
        is_given: Set(input.is_given),
        version: Set(VERSION.to_owned()),
        channel: Set("page".to_owned()),
        at: Set(tx.now()),
    };
    row.insert(tx).await?;
    if input.purpose == ConsentPurpose::VoiceClips && !input.is_given {
        media::erase_clips_of(tx, actor.person).await?;
    }
    if input.purpose == ConsentPurpose::SmsNotices {
        delivery::preferences::allow_sms_news(tx, actor.person, input.is_given).await?;
    }
    let data = json!({ "purpose": input.purpose, "given": input.is_given });
    events::record(tx, Happening::new(Kind::ConsentChanged, actor.person).by(actor.person).with(data)).await?;
    queries::consents(tx, actor.person).await
}

/// Asks for the account to be closed; it is in a week. Asked again, the first asking counts. Records
/// `account.closing_asked`.
///
/// # Errors
/// `seat_held` for whoever still holds a seat; `invalid_fields`.
pub async fn ask_closing(tx: &Tx, actor: &Actor, input: AskClosing) -> Result<ClosingView> {
    let mut checks = Checks::default();
    checks.require(input.understood, "understood", "required");
    checks.done()?;
    if !bodies::queries::seats_of(tx, actor.person, tx.now()).await?.is_empty() {
        return Err(Code::SeatHeld.into());
    }
    if let Some(waiting) = queries::closing(tx, actor.person).await? {
        return Ok(waiting);
    }
    let row = closing::ActiveModel {
        id: Set(Uuid::now_v7()),
        person_id: Set(actor.person),
        state: Set(ClosingState::Waiting),
        asked_at: Set(tx.now()),
        due_at: Set(tx.now() + TimeDelta::days(CLOSING_DAYS)),
        ended_at: Set(None),
    };
    row.insert(tx).await?;
    events::record(tx, Happening::new(Kind::ClosingAsked, actor.person).by(actor.person)).await?;
    queries::closing(tx, actor.person).await?.ok_or_else(|| Code::Changed.into())
}

/// Keeps the account after all. Records `account.closing_ended`.
///
/// # Errors
/// `wrong_state` when nothing was asked.
pub async fn cancel_closing(tx: &Tx, actor: &Actor, (): ()) -> Result<()> {
    end(tx, actor.person, ClosingState::Cancelled).await?;
    let data = json!({ "why": "cancelled" });
    events::record(tx, Happening::new(Kind::ClosingEnded, actor.person).by(actor.person).with(data)).await?;
    Ok(())
}

/// Ends what waits; one of two who do so at once is refused.
async fn end(tx: &Tx, person: PersonId, state: ClosingState) -> Result<()> {
    let ended = closing::ActiveModel { state: Set(state), ended_at: Set(Some(tx.now())), ..Default::default() };
    let done = closing::Entity::update_many()
        .set(ended)
        .filter(closing::Column::PersonId.eq(person))
        .filter(closing::Column::State.eq(ClosingState::Waiting))
        .exec(tx)
        .await?;
    if done.rows_affected > 0 { Ok(()) } else { Err(Code::WrongState.into()) }
}

/// Closes the accounts whose days are over: each in one unit of work, its files after the commit, however often it takes. Says how
/// many.
///
/// # Errors
/// When the database fails.
pub async fn due(app: &App) -> Result<u64> {
    let due = closing::Entity::find()
        .filter(closing::Column::State.eq(ClosingState::Waiting))
        .filter(closing::Column::DueAt.lte(app.now()))
        .order_by_asc(closing::Column::DueAt)
        .limit(AT_ONCE)
        .all(app.store.read())
        .await?;
    let mut count = 0;
    for row in due {
        match app.store.write(move |tx| Box::pin(close(tx, row.person_id))).await {
            Ok(sessions) => {
                count += 1;
                sessions.into_iter().for_each(|session| app.actors.invalidate(session));
            }
            // another worker was first
            Err(error) if error.code() == Code::WrongState => {}
            // one that cannot be closed holds up no other
            Err(error) => tracing::error!(closing = %row.id, %error, "an account to close"),
        }
    }
    clear(app).await?;
    Ok(count)
}

/// Destroyed keys must leave the database's files, too, and what they sealed its shelf. It is noted with the closing, so that it
/// is tried until it works: a backup or a long reader may be in the way, a bucket may be away, or the process may end. The keys
/// go first: that is quick, and what still lies on the shelf is noise from then on. Where they cannot go yet the files do.
async fn clear(app: &App) -> Result<()> {
    let waits = [ClosingState::Clearing, ClosingState::Removing];
    let left = closing::Entity::find().filter(closing::Column::State.is_in(waits)).all(app.store.read()).await?;
    let clearing: Vec<_> = left.iter().filter(|row| row.state == ClosingState::Clearing).map(|row| row.id).collect();
    let written_back = if clearing.is_empty() { Ok(()) } else { app.store.write_back(&["data_keys"]).await };
    if written_back.is_ok() {
        go_on(app, clearing, (ClosingState::Clearing, ClosingState::Removing)).await?;
    }
    let mut gone = Vec::new();
    for row in &left {
        let at = row.ended_at.unwrap_or(row.due_at);
        if media::removal::remove_erased(app, (row.person_id, at)).await? {
            gone.push(row.id);
        }
    }
    go_on(app, gone, (ClosingState::Removing, ClosingState::Done)).await?;
    written_back
}

async fn go_on(app: &App, ids: Vec<Uuid>, (from, to): (ClosingState, ClosingState)) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let change = closing::Entity::update_many()
        .col_expr(closing::Column::State, Expr::value(to))
        .filter(closing::Column::Id.is_in(ids))
        .filter(closing::Column::State.eq(from));
    app.store.write(move |tx| Box::pin(async move { Ok(change.exec(tx).await?) })).await?;
    Ok(())
}

/// Records `account.closed`; or `account.closing_ended` for who has taken a seat meanwhile.
/// Gives the sessions that ended.
async fn close(tx: &Tx, person: PersonId) -> Result<Vec<SessionId>> {
    if !bodies::queries::seats_of(tx, person, tx.now()).await?.is_empty() {
        end(tx, person, ClosingState::Held).await?;
        let data = json!({ "why": "seat_held" });
        events::record(tx, Happening::new(Kind::ClosingEnded, person).with(data)).await?;
        return Ok(Vec::new());
    }
    end(tx, person, ClosingState::Clearing).await?;
    let voices = suggestions::erase_of(tx, person).await?;
    let answers = suggestions::answers_to(tx, &voices).await?;
    let answers: Vec<String> = answers.into_iter().map(|answer| answer.to_string()).collect();
    let voices: Vec<String> = voices.into_iter().map(|voice| voice.to_string()).collect();
    let private: Vec<String> =
        streams::leave_all(tx, person).await?.into_iter().map(|stream| stream.to_string()).collect();
    let held: Vec<String> =
        moderation::commands::erase_of(tx, person).await?.into_iter().map(|held| held.to_string()).collect();
    let attached = [
        (suggestions::commands::SUBJECT_KIND, &*voices),
        (media::ANSWER, &*answers),
        (streams::commands::MEDIA_KIND, &*private),
        (moderation::commands::MEDIA_KIND, &*held),
    ];
    let files = media::erase_of(tx, person, &attached).await?;
    let mailbox = streams::queries::find(tx, streams::StreamKind::Mailbox, &person.to_string()).await?;
    streams::blank(tx, &Vec::from_iter(mailbox)).await?;
    claims::commands::drop_of(tx, person).await?;
    corrections::blank_of(tx, person).await?;
    inbox::forget(tx, person).await?;
    skills::forget(tx, person).await?;
    wechat::forget(tx, person).await?;
    delivery::preferences::forget(tx, person).await?;
    let sessions = people::close_account(tx, person).await?;
    let data = json!({ "voices": voices.len(), "files": files });
    events::record(tx, Happening::new(Kind::AccountClosed, person).with(data)).await?;
    Ok(sessions)
}
