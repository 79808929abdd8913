//! Signing out: here, or everywhere at once.
use sea_orm::{ColumnTrait, Condition};

use super::{rows::session, sessions};
use crate::{actor::Actor, app::App, error::Result, ids::SessionId};

/// Ends the actor's log-in.
///
/// # Errors
/// When the database fails.
pub async fn sign_out(app: &App, actor: &Actor) -> Result<()> {
    let which = Condition::all().add(session::Column::Id.eq(actor.session));
    let ended = app.store.write(move |tx| Box::pin(sessions::end(tx, which, "logout"))).await?;
    forget(app, &ended);
    Ok(())
}

/// Ends every log-in of the actor.
///
/// # Errors
/// When the database fails.
pub async fn sign_out_everywhere(app: &App, actor: &Actor) -> Result<()> {
    let person = actor.person;
    let ending = app
        .store
        .write(move |tx| Box::pin(async move { sessions::end_all_of(tx, &[person], "logout_everywhere").await }));
    forget(app, &ending.await?);
    Ok(())
}

/// The bell comes later; whoever signed out must be out when the answer comes.
pub(super) fn forget(app: &App, ended: &[SessionId]) {
    for session in ended {
        app.actors.invalidate(session);
    }
}
