//! What others ask of one's own bodies, in a list of what is to be done: no words are opened for it.
use chrono::{DateTime, FixedOffset};
use sea_orm::ConnectionTrait;

use super::{Suggestion, assists, extensions, offers, rules::SuggestionKind};
use crate::{actor::Actor, bodies, clock, error::Result};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// To take a voice.
    Offer,
    /// To do a part of what it wants.
    Part,
    /// To give it more days.
    Days,
}

/// That something is asked.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// What.
    pub what: What,
    /// The voice's number.
    pub number: String,
    /// What is wanted.
    pub kind: SuggestionKind,
    /// The body responsible.
    pub owner_body_name: String,
    /// The voice is to be answered before this moment.
    pub answer_due_at: DateTime<FixedOffset>,
}

/// What is asked of bodies for which the actor speaks, 100 of each at most: to take a voice, to do a part, to give more days.
///
/// # Errors
/// When the database cannot be read.
pub async fn waiting(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<Waiting>> {
    let offers = offers::waiting(db, actor).await?.into_iter().map(|(_, voice)| (What::Offer, voice));
    let parts = assists::waiting(db, actor).await?.into_iter().map(|(_, voice)| (What::Part, voice));
    let days = extensions::waiting(db, actor).await?.into_iter().map(|(_, voice)| (What::Days, voice));
    let asked: Vec<(What, Suggestion)> = offers.chain(parts).chain(days).collect();
    let names = bodies::queries::names(db, asked.iter().map(|(_, voice)| voice.body_id).collect()).await?;
    let show = |(what, voice): (What, Suggestion)| Waiting {
        what,
        number: voice.number,
        kind: voice.kind,
        owner_body_name: names.get(&voice.body_id).cloned().unwrap_or_default(),
        answer_due_at: clock::local(voice.answer_due_at),
    };
    Ok(asked.into_iter().map(show).collect())
}
