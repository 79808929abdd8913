//! Failed work, done again by whoever runs the county; who asked for it is in the log.
use serde_json::json;
use uuid::Uuid;

use super::Means;
use crate::{
    actor::Actor,
    app::App,
    delivery,
    error::{Code, Error, Result},
    events::{self, Happening, Kind},
    ids::DeliveryId,
    inbox,
    rights::{self, Right},
};

/// Which failed work is done again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// What one reaction could not do with one event.
    Letter(String, i64),
    /// All of these.
    Letters,
    /// One delivery that was given up.
    Delivery(DeliveryId),
    /// All of these.
    Deliveries,
    /// A message to the account of WeChat that could not be taken.
    Message(Uuid),
    /// All of these.
    Messages,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redriven {
    /// Went through; of deliveries and messages: is queued again.
    pub through: u64,
    /// Failed once more.
    pub left: u64,
}

/// Does failed work again. Records `work.redriven` before it begins.
///
/// # Errors
/// `not_found` without the right, and for work that is not there.
pub async fn redrive(app: &App, actor: &Actor, means: &Means, work: Failed) -> Result<Redriven> {
    let area = rights::areas_with(actor, Right::OperateCounty).into_iter().next().ok_or(Code::NotFound)?;
    let (what, which) = match &work {
        Failed::Letter(reaction, number) => ("letter", format!("{reaction} {number}")),
        Failed::Letters => ("letters", "all".to_owned()),
        Failed::Delivery(id) => ("delivery", id.to_string()),
        Failed::Deliveries => ("deliveries", "all".to_owned()),
        Failed::Message(id) => ("message", id.to_string()),
        Failed::Messages => ("messages", "all".to_owned()),
    };
    if matches!(&work, Failed::Letter(reaction, _) if !means.reactions.iter().any(|known| known.name == reaction)) {
        return Err(Code::NotFound.into());
    }
    let happening = Happening::new(Kind::WorkRedriven, which).at(area).by(actor.person).with(json!({ "what": what }));
    app.store.write(move |tx| Box::pin(async move { events::record(tx, happening).await.map(drop) })).await?;
    match work {
        Failed::Letter(reaction, number) => {
            match events::redrive_letter(&app.store, &means.reactions, (&reaction, number)).await {
                Ok(()) => Ok(Redriven { through: 1, left: 0 }),
                Err(error) => still_failing(&error, &reaction, number),
            }
        }
        Failed::Letters => {
            let (through, left) = events::redrive(&app.store, &means.reactions).await?;
            Ok(Redriven { through: through as u64, left })
        }
        Failed::Delivery(id) => {
            delivery::commands::redrive_one(&app.store, id).await?;
            Ok(Redriven { through: 1, left: 0 })
        }
        Failed::Deliveries => {
            let through = delivery::commands::redrive(&app.store).await?;
            Ok(Redriven { through, left: 0 })
        }
        Failed::Message(id) => Ok(Redriven { through: inbox::commands::redrive(app, Some(id)).await?, left: 0 }),
        Failed::Messages => Ok(Redriven { through: inbox::commands::redrive(app, None).await?, left: 0 }),
    }
}

/// The letter is still there, and so is its reason.
fn still_failing(error: &Error, reaction: &str, number: i64) -> Result<Redriven> {
    tracing::warn!(%error, reaction, number, "a dead letter failed once more");
    Ok(Redriven { through: 0, left: 1 })
}
