//! Signing out: here, or everywhere at once.
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, sea_query::Expr};

use super::{desk_login, rows::session, sessions};
use crate::{actor::Actor, app::App, error::Result, ids::SessionId, store::Tx};

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

/// Ends every log-in of the actor, and what was set up for the desk: whoever does this may fear that it was somebody else.
///
/// # Errors
/// When the database fails.
pub async fn sign_out_everywhere(app: &App, actor: &Actor) -> Result<()> {
    let person = actor.person;
    let ending = app.store.write(move |tx| {
        Box::pin(async move {
            desk_login::forget(tx, &[person]).await?;
            sessions::end_all_of(tx, &[person], "logout_everywhere").await
        })
    });
    forget(app, &ending.await?);
    Ok(())
}

/// Ends every log-in of everybody, without an event for each; says how many.
///
/// # Errors
/// When the database fails.
pub async fn end_every_session(tx: &Tx, why: &str) -> Result<u64> {
    let ended = session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(tx.now()))
        .col_expr(session::Column::EndedWhy, Expr::value(why))
        .filter(session::Column::EndedAt.is_null())
        .exec(tx)
        .await?;
    Ok(ended.rows_affected)
}

/// The bell comes later; whoever signed out must be out when the answer comes.
pub(super) fn forget(app: &App, ended: &[SessionId]) {
    for session in ended {
        app.actors.invalidate(*session);
    }
}
