//! The calendar of an election on the desk: for the secretary of the council, and who fills its seats.
use std::collections::HashMap;

use super::frame::Clerk;
use crate::{
    app::App,
    bodies::{
        BodyKind, BodyView,
        elections::{self, ElectionView, SetElection, SetElectionDay},
        rules::ElectionStep,
    },
    error::Result,
    ids::{BodyId, TermId},
    pages::fields::Fields,
};

/// An election, and whether the clerk may change its days.
pub(super) struct Election {
    /// As it is now.
    pub(super) view: ElectionView,
    /// May the clerk?
    pub(super) may_set: bool,
}

/// The newest election of each of these bodies that has one.
pub(super) async fn of(app: &App, clerk: &Clerk, here: &[BodyView]) -> Result<HashMap<BodyId, Election>> {
    let mut found = HashMap::new();
    for view in here.iter().filter(|view| matches!(view.body.kind, BodyKind::Council | BodyKind::Federation)) {
        let history = elections::history(app.store.read(), view.body.id).await?;
        if let Some(election) = history.into_iter().find_map(|term| term.election) {
            let may_set = elections::may_set(&clerk.actor, &view.body);
            found.insert(view.body.id, Election { view: election, may_set });
        }
    }
    Ok(found)
}

/// Keeps the days of one, and what of it is done.
pub(super) async fn keep(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let term: TermId = fields.required("term_id")?;
    let mut days = Vec::new();
    for step in ElectionStep::ALL {
        let day = fields.required(&format!("day.{}", step.as_str()))?;
        days.push(SetElectionDay { step, day, is_done: fields.has("done", step.as_str()) });
    }
    let input = SetElection { days, reason: fields.text("reason").to_owned(), seen_at: fields.optional("seen_at")? };
    let actor = clerk.actor.clone();
    app.store.write(move |tx| Box::pin(async move { elections::set(tx, &actor, (term, input)).await })).await.map(drop)
}
