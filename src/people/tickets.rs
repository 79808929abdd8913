//! Tickets: made over an authenticated request, good for one socket within half a minute, for pages and apps that can put
//! no header on a socket and should not hand their access token around.
use chrono::DateTime;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set};

use super::{asking, rows::spent_ticket, tokens};
use crate::{
    actor::Actor,
    app::App,
    error::{Code, Error, Result},
    ids::{PersonId, SessionId},
    store::Tx,
};

const FORGET_BATCH: u64 = 500;

/// A ticket for the log-in of the one who asks.
///
/// # Errors
/// When the key file holds no token key.
pub(super) fn make(app: &App, actor: &Actor) -> Result<String> {
    tokens::mint_ticket(&app.keys, &app.clock, actor.person, actor.session)
}

/// Was it good once, so that whoever hands it in has only to ask for another: a token or a ticket of ours whose time is over,
/// or a ticket that is spent? Asked of what was refused.
#[must_use]
pub fn is_used_up(app: &App, text: &str) -> bool {
    tokens::check_ticket(&app.keys, app.now(), text).is_ok() || tokens::is_over(&app.keys, app.now(), text)
}

/// Spends a ticket: whose it is, and the log-in that it was made for.
///
/// # Errors
/// `not_signed_in` for one that does not hold or was spent, `session_ended` when its log-in has ended.
pub async fn spend_ticket(app: &App, ticket: &str) -> Result<(PersonId, SessionId)> {
    let (bearer, id) = tokens::check_ticket(&app.keys, app.now(), ticket)?;
    asking::actor_of_session(app, bearer.person, bearer.session).await?;
    let until = DateTime::from_timestamp(bearer.expires_at + 60, 0).ok_or_else(|| Error::broken("a ticket's end"))?;
    let row = spent_ticket::ActiveModel { id: Set(id), expires_at: Set(until) };
    let spent = app.store.write(move |tx| Box::pin(note(tx, row))).await?;
    if spent { Ok((bearer.person, bearer.session)) } else { Err(Code::NotSignedIn.into()) }
}

/// The key decides among many at once.
async fn note(tx: &Tx, row: spent_ticket::ActiveModel) -> Result<bool> {
    let insert = spent_ticket::Entity::insert(row).on_conflict_do_nothing_on([spent_ticket::Column::Id]);
    Ok(matches!(insert.exec_without_returning(tx).await?, sea_orm::TryInsertResult::Inserted(1)))
}

/// Forgets what would not hold any more.
pub(super) async fn forget(tx: &Tx) -> Result<u64> {
    let old = spent_ticket::Entity::find().filter(spent_ticket::Column::ExpiresAt.lt(tx.now())).limit(FORGET_BATCH);
    let ids: Vec<_> = old.all(tx).await?.into_iter().map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    let gone = spent_ticket::Entity::delete_many().filter(spent_ticket::Column::Id.is_in(ids)).exec(tx).await?;
    Ok(gone.rows_affected)
}
