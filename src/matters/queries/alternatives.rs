//! Other ways of doing it that people put beside the plan of a matter, and what became of each.
use std::collections::HashMap;

use sea_orm::ConnectionTrait;

use super::{
    Standing,
    stays::{EvidenceView, Names, piece},
};
use crate::{
    error::Result,
    events::{Event, Kind},
    ids::{MatterId, PersonId},
    matters::rows::evidence,
    streams::{self, Side, StreamKind},
};

/// As evidence is kept of an answer; its subject is the `seq` of what it answers.
pub(in crate::matters) const ALTERNATIVE: &str = "alternative";

/// Those that stand in the discussion: where, and who put it there.
pub(in crate::matters) async fn alternatives(db: &impl ConnectionTrait, id: MatterId) -> Result<Vec<(i64, PersonId)>> {
    match streams::queries::find(db, StreamKind::Discussion, &id.to_string()).await? {
        Some(discussion) => streams::queries::said_on(db, discussion, Side::Alternative).await,
        None => Ok(Vec::new()),
    }
}

/// Where the other way of doing it stands that was answered by this event, and who put it there; nothing where it says something
/// else, or where that was taken away since: nobody is left to be told.
///
/// # Errors
/// When the database cannot be read.
pub async fn answered(db: &impl ConnectionTrait, event: &Event) -> Result<Option<(i64, PersonId)>> {
    let is = |field: &str, value: &str| event.get::<String>(field).is_some_and(|told| told == value);
    if event.kind != Kind::EvidenceAttached || !is("kind", ALTERNATIVE) {
        return Ok(None);
    }
    let stand = alternatives(db, event.subject_id()?).await?;
    Ok(stand.into_iter().find(|(seq, _)| is("evidence", &seq.to_string())))
}

/// What the council answered, by the `seq` of what it answered.
///
/// # Errors
/// When the database cannot be read.
pub async fn alternative_answers(db: &impl ConnectionTrait, standing: &Standing) -> Result<HashMap<i64, EvidenceView>> {
    let rows: Vec<_> = standing.evidence.iter().filter(|row| row.kind == ALTERNATIVE).collect();
    let acted = rows.iter().filter_map(|row| Some((row.actor_id?, row.body_id)));
    let names = Names::of(db, acted.collect()).await?;
    let answer = |row: &evidence::Model| Some((row.subject_id.as_ref()?.parse::<i64>().ok()?, piece(row, &names)));
    Ok(rows.into_iter().filter_map(answer).collect())
}
