//! What others ask of one's own bodies, in a list of what is to be done: no words are opened for it.
use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    Suggestion, about, assists, extensions, hidings, offers,
    rows::suggestion,
    rules::{self, SuggestionKind},
};
use crate::{
    actor::Actor,
    bodies, clock,
    error::Result,
    ids::{BodyId, SuggestionId},
};

/// Listed at once, of each thing that is asked.
pub(super) const SHOWN: u64 = 100;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// To take a voice.
    Offer,
    /// To do a part of what it wants.
    Part,
    /// To give it more days.
    Days,
    /// Whether it stays hidden, to which its author objects.
    Hiding,
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

/// The bodies for which the actor speaks.
pub(super) fn spoken_for(actor: &Actor) -> Vec<BodyId> {
    actor.seats.iter().filter(|seat| rules::speaks(seat)).map(|seat| seat.body_id).collect()
}

/// Neither the actor's own voice nor one that is about the actor.
pub(super) fn of_others(actor: &Actor) -> Condition {
    about::not_about(actor).add(suggestion::Column::AuthorId.ne(actor.person))
}

/// What is asked about each of these voices, beside it; of a voice about which nothing is asked any more, nothing.
pub(super) fn beside<R: Clone>(
    voices: Vec<Suggestion>,
    rows: &[R],
    of: impl Fn(&R) -> SuggestionId,
) -> Vec<(R, Suggestion)> {
    let paired = |voice: Suggestion| {
        let row = rows.iter().find(|row| of(row) == voice.id);
        row.map(|row| (row.clone(), voice))
    };
    voices.into_iter().filter_map(paired).collect()
}

/// Voices about which a body is asked for which the actor speaks, the most urgent first, 100 at most; `asked`: the column that
/// names the body.
pub(super) async fn voices(
    db: &impl ConnectionTrait,
    actor: &Actor,
    asked: suggestion::Column,
) -> Result<Vec<Suggestion>> {
    let mine = spoken_for(actor);
    if mine.is_empty() {
        return Ok(Vec::new());
    }
    let waiting = suggestion::Entity::find().filter(asked.is_in(mine)).filter(of_others(actor));
    Ok(waiting.order_by_asc(suggestion::Column::AnswerDueAt).limit(SHOWN).all(db).await?)
}

/// What is asked of bodies for which the actor speaks, 100 of each at most: to take a voice, to do a part, to give more days,
/// to say whether one stays hidden.
///
/// # Errors
/// When the database cannot be read.
pub async fn waiting(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<Waiting>> {
    let offers = offers::waiting(db, actor).await?.into_iter().map(|(_, voice)| (What::Offer, voice));
    let parts = assists::waiting(db, actor).await?.into_iter().map(|(_, voice)| (What::Part, voice));
    let days = extensions::waiting(db, actor).await?.into_iter().map(|(_, voice)| (What::Days, voice));
    let hidden = hidings::waiting(db, actor).await?.into_iter().map(|(_, voice)| (What::Hiding, voice));
    let asked: Vec<(What, Suggestion)> = offers.chain(parts).chain(days).chain(hidden).collect();
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
