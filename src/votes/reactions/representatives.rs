//! Who was chosen to represent the villagers takes a seat in their meeting, once the result stands.
use std::{cmp::Reverse, collections::HashSet};

use crate::{
    bodies::{self, BodyKind, By, Role, TakeSeat},
    clock,
    error::{Error, Result},
    events::{Event, Kind},
    ids::{BodyId, HouseholdId, PersonId, TermId},
    people::{self, queries::Named},
    store::Tx,
    streams::commands::{Card, office, post_card},
    text,
    votes::{
        queries::{self, candidate, is_selection},
        rows::vote,
    },
};

/// Seats those who were chosen, and tells the office that held the vote who was and who could not be.
pub(super) async fn seat(tx: &Tx, event: &Event) -> Result<()> {
    if event.kind != Kind::VoteSettled {
        return Ok(());
    }
    let vote = queries::row(tx, event.subject_id()?).await?;
    let stands = vote.is_binding && vote.settlement.as_deref() == Some(queries::FINAL);
    if !stands || !is_selection(&vote.preset) {
        return Ok(());
    }
    let chosen = chosen(tx, &vote).await?;
    if chosen.is_empty() {
        return Ok(());
    }
    let (mut seated, mut left) = (Vec::new(), Vec::new());
    match bodies::of_kind(tx, BodyKind::Representatives, &vote.area_code).await? {
        None => left = chosen,
        Some(body) => {
            for name in chosen {
                let is_there = take(tx, body, (&vote, &name)).await?;
                if is_there { seated.push(name) } else { left.push(name) }
            }
        }
    }
    let blanks = [
        ("question", vote.question.as_str().into()),
        ("seated", seated.join("、").into()),
        ("left", left.join("、").into()),
    ];
    let mut told = Vec::new();
    if !seated.is_empty() {
        told.push(text::say_with("card-selection-seated", &blanks));
    }
    if !left.is_empty() {
        told.push(text::say_with("card-selection-left", &blanks));
    }
    let card = Card {
        code: "representatives_seated",
        title: text::say_with("card-selection-title", &blanks),
        text: told.concat(),
        link: format!("/desk/votes/{}", vote.id),
    };
    post_card(tx, office(tx, vote.body_id).await?, card).await?;
    Ok(())
}

/// As they stood on the ballot, by the order of votes: of one household the first.
async fn chosen(tx: &Tx, vote: &vote::Model) -> Result<Vec<String>> {
    let result = queries::result_of(tx, vote.id).await?;
    let mut chosen = result.choice.map(|choice| choice.options).unwrap_or_default();
    chosen.retain(|option| option.is_elected);
    chosen.sort_by_key(|option| Reverse(option.votes));
    Ok(chosen.into_iter().map(|option| option.text).collect())
}

/// Does this one sit there now? Not who is on the roster no more, nor whom it knows by that name since, nor who has a seat that
/// excludes it or lives with one who sits there. Who sat there in a term and is chosen again sits by this result from now on,
/// whenever that term ends.
async fn take(tx: &Tx, body: BodyId, (vote, name): (&vote::Model, &str)) -> Result<bool> {
    let Named::One(person) = candidate(tx, &vote.area_code, name).await? else { return Ok(false) };
    // of a vote that was opened before this was kept nobody knows who stood
    let stood = queries::candidates_of(vote);
    if !stood.is_empty() && !stood.contains(&person) {
        return Ok(false);
    }
    let sitting = bodies::members_of(tx, body, tx.now()).await?;
    let (own, others): (Vec<_>, Vec<_>) = sitting.into_iter().partition(|seat| seat.person_id == person);
    if own.iter().any(|seat| seat.term_id.is_none() || seat.role != Role::Member) {
        return Ok(true);
    }
    let others: Vec<PersonId> = others.into_iter().map(|seat| seat.person_id).collect();
    let homes: HashSet<HouseholdId> =
        people::queries::on_rolls(tx, &others).await?.into_values().map(|one| one.household).collect();
    let one = people::person(tx, person).await?;
    if one.is_none_or(|one| homes.contains(&one.household)) {
        return Ok(!own.is_empty());
    }
    for seat in own {
        bodies::end_seat(tx, By::Electors, seat.id).await?;
    }
    let seat = TakeSeat {
        person_id: person,
        role: Role::Member,
        kind: None,
        route: None,
        nomination: None,
        term_id: term(tx, body).await?,
        starts_on: None,
        ends_on: None,
        reason: None,
        service_group: None,
    };
    match bodies::take_seat(tx, By::Electors, (body, seat)).await {
        Ok(_) => Ok(true),
        Err(Error::Refused(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

/// The term that runs today; none where the office opened none.
async fn term(tx: &Tx, body: BodyId) -> Result<Option<TermId>> {
    let today = clock::local_date(tx.now());
    let terms = bodies::queries::terms(tx, Some(vec![body])).await?;
    let runs = |one: &bodies::TermView| one.starts_on <= today && today <= one.ends_on;
    Ok(terms.into_iter().find(runs).map(|one| one.id))
}
