//! That a body was elected by a result that stands is written down with the body: its next term may begin by it before its time.
use crate::{
    bodies::{self, BodyKind},
    clock,
    error::Result,
    events::{Event, Kind},
    store::Tx,
    votes::queries::{self, is_committee_election, is_own_election, is_selection},
};

/// Of a committee, of the representatives, and of a council.
pub(super) async fn note(tx: &Tx, event: &Event) -> Result<()> {
    if !matches!(event.kind, Kind::VoteClosed | Kind::VoteSettled) {
        return Ok(());
    }
    let vote = queries::row(tx, event.subject_id()?).await?;
    if !vote.is_binding || vote.settlement.as_deref() != Some(queries::FINAL) {
        return Ok(());
    }
    let body = match vote.preset.as_str() {
        preset if is_committee_election(preset) => bodies::committee(tx, &vote.area_code).await?,
        preset if is_selection(preset) => bodies::of_kind(tx, BodyKind::Representatives, &vote.area_code).await?,
        preset if is_own_election(preset) => Some(vote.body_id),
        _ => None,
    };
    let Some(body) = body else { return Ok(()) };
    let result = queries::result_of(tx, vote.id).await?;
    let is_elected = result.choice.is_some_and(|choice| choice.options.iter().any(|option| option.is_elected));
    if is_elected {
        let stood_on = clock::local_date(vote.settled_at.unwrap_or_else(|| tx.now()));
        bodies::early::elected(tx, (body, vote.id), stood_on).await?;
    }
    Ok(())
}
