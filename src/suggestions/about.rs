//! Whom a voice is about: to whom it goes past them, and how it is kept from them.
//!
//! # Why
//! Whoever must fear the one they speak of does not speak. So the person, and who sits with that person, neither handle
//! such a voice nor find it in a list or a figure; and because somebody sits almost everywhere, there is always one last
//! office that takes it, where only the person is passed over.
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait};

use super::{Suggestion, escalation, rows::suggestion, rules};
use crate::{
    actor::Actor,
    bodies::{self, BodyKind},
    error::{Checks, Result},
    ids::{BodyId, PersonId},
    store::Tx,
    streams::commands::{Card, mailbox, office, post_card},
};

/// Bodies that answer residents and in which the person sits whom a new voice is about.
///
/// # Errors
/// `invalid_fields` for oneself, and for who sits in none.
pub(super) async fn accused(tx: &Tx, actor: &Actor, about: Option<PersonId>) -> Result<Vec<BodyId>> {
    let Some(about) = about else { return Ok(Vec::new()) };
    let seats = bodies::queries::seats_of(tx, about, tx.now()).await?;
    let over = seats.iter().filter(|seat| seat.covers(&actor.area) && rules::takes_voices(&seat.body_kind));
    let mut bodies: Vec<BodyId> = over.map(|seat| seat.body_id).collect();
    bodies.sort_by_key(|body| body.0);
    bodies.dedup();
    let mut checks = Checks::default();
    checks.require(!bodies.is_empty() && about != actor.person, "about_person_id", "not_a_member");
    checks.done()?;
    Ok(bodies)
}

/// Bodies that a voice is kept from: where the person sits now whom it is about, and where they sat when it was left.
pub(super) async fn kept_from(db: &impl ConnectionTrait, row: &Suggestion, now: DateTime<Utc>) -> Result<Vec<BodyId>> {
    let Some(about) = row.about_person_id else { return Ok(Vec::new()) };
    let now_in = bodies::queries::seats_of(db, about, now).await?.into_iter().map(|seat| seat.body_id);
    let then_in = row.about_bodies.split(' ').filter_map(|id| id.parse().ok());
    Ok(now_in.chain(then_in).collect())
}

/// The body that answers, past those in which the accused sits: the nearest office above them; where they sit in every one,
/// the highest, in which only they themselves are passed over.
pub(super) async fn past(tx: &Tx, area: &str, (usual, accused): (BodyId, &[BodyId])) -> Result<BodyId> {
    if !accused.contains(&usual) {
        return Ok(usual);
    }
    if let Some(office) = escalation::above(tx, (usual, area), (accused, tx.now())).await? {
        return Ok(office);
    }
    for kind in [BodyKind::CountyOffice, BodyKind::TownOffice] {
        if let Some(office) = bodies::queries::of_kind(tx, kind, area).await? {
            return Ok(office);
        }
    }
    Ok(usual)
}

/// Not about the actor, and not about somebody with whom the actor sits.
pub(super) fn not_about(actor: &Actor) -> Condition {
    use suggestion::Column as C;
    let person = Condition::any().add(C::AboutPersonId.is_null()).add(C::AboutPersonId.ne(actor.person));
    let seats = actor.seats.iter().map(|seat| C::AboutBodies.not_like(format!("%{}%", seat.body_id)));
    seats.fold(Condition::all().add(person), Condition::add)
}

/// Tells a body of a voice: in its office; of one that is about somebody each who speaks for the body in the own stream, because
/// whoever comes to sit there later reads the office, too. Nobody whom it concerns, whatever else they sit in. Says whether
/// anybody was told.
pub(super) async fn tell_body(tx: &Tx, row: &Suggestion, (body, card): (BodyId, Card)) -> Result<bool> {
    if row.about_person_id.is_none() {
        post_card(tx, office(tx, body).await?, card).await?;
        return Ok(true);
    }
    let speakers = speakers(tx, row, (body, tx.now())).await?;
    for person in &speakers {
        post_card(tx, mailbox(tx, *person).await?, card.clone()).await?;
    }
    Ok(!speakers.is_empty())
}

/// Who speaks for a body and may hear of the voice, in the order of their ids: not its author, and nobody whom it concerns,
/// whatever else they sit in.
pub(super) async fn speakers(
    db: &impl ConnectionTrait,
    row: &Suggestion,
    (body, now): (BodyId, DateTime<Utc>),
) -> Result<Vec<PersonId>> {
    let seats = bodies::queries::members_of(db, body, now).await?;
    let speaking = seats.iter().filter(|seat| bodies::SPEAKERS.contains(&seat.role.as_str()));
    let mut others: Vec<PersonId> = speaking.map(|seat| seat.person_id).collect();
    others.sort_by_key(|person| person.0);
    others.dedup();
    others.retain(|person| *person != row.author_id);
    let mut hearing = Vec::with_capacity(others.len());
    for person in others {
        let held = bodies::queries::seats_of(db, person, now).await?;
        if !rules::concerns(row, person, &held) {
            hearing.push(person);
        }
    }
    Ok(hearing)
}

/// The village's supervisors hear, by number and kind, that nobody can handle a voice; each who speaks for them by themselves,
/// and not where it is kept from them, too.
pub(super) async fn tell_supervisors(tx: &Tx, row: &Suggestion, card: Card) -> Result<()> {
    let supervisors = bodies::queries::of_kind(tx, BodyKind::SupervisionCommittee, &row.area_code).await?;
    let accused = kept_from(tx, row, tx.now()).await?;
    if let Some(body) = supervisors.filter(|body| !accused.contains(body)) {
        tell_body(tx, row, (body, card)).await?;
    }
    Ok(())
}
