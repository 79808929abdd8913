//! What follows from founding a body, taking a seat, losing it with a term, electing anew, and leaving the roster: a forum for
//! those who have one, nothing unread for who is new, a word about the days of an election, a card for who sits there no more,
//! no group for who is gone, a word to who checks whom others recommend, to who recommended, and to whom.
use super::rules;
use crate::{
    areas,
    bodies::{self, BodyKind},
    error::Result,
    events::{Event, Kind, Reaction},
    ids::{BodyId, PersonId, VoteId},
    people,
    store::Tx,
    streams::{
        self,
        commands::{Card, mailbox, post_card},
    },
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "groups.open_forum", run: |tx, event| Box::pin(open_forum(tx, event)) },
    Reaction { name: "groups.begin", run: |tx, event| Box::pin(begin(tx, event)) },
    Reaction { name: "groups.tell_election", run: |tx, event| Box::pin(tell_election(tx, event)) },
    Reaction { name: "groups.tell_lost", run: |tx, event| Box::pin(tell_lost(tx, event)) },
    Reaction { name: "groups.tell_recommended", run: |tx, event| Box::pin(tell_recommended(tx, event)) },
    Reaction { name: "groups.leave", run: |tx, event| Box::pin(leave(tx, event)) },
];

/// At the first seat: a body nobody sits in has nothing to say, and one that is older than its forum gets it then.
async fn open_forum(tx: &Tx, event: &Event) -> Result<()> {
    if event.kind != Kind::SeatTaken {
        return Ok(());
    }
    let Some(id) = event.get::<BodyId>("body") else { return Ok(()) };
    let body = bodies::queries::get(tx, id).await?;
    if rules::has_forum(body.kind) {
        streams::commands::forum(tx, (id, &body.name), areas::common(&body.areas)).await?;
    }
    Ok(())
}

/// The members read in their forum that an election was drafted, and that its days were moved.
async fn tell_election(tx: &Tx, event: &Event) -> Result<()> {
    let said = match event.kind {
        Kind::ElectionDrafted => ("election_drafted", "bodies-card-election-drafted"),
        Kind::ElectionChanged => ("election_changed", "bodies-card-election-changed"),
        _ => return Ok(()),
    };
    let Some(body) = bodies::elections::body_of(tx, event.subject_id()?).await? else { return Ok(()) };
    let forum = streams::commands::forum(tx, (body.id, &body.name), areas::common(&body.areas)).await?;
    let card = Card::worded(said, &[("body", body.name.as_str().into())], format!("/bodies/{}", body.id));
    post_card(tx, forum, card).await?;
    Ok(())
}

/// Whoever takes a seat finds what was said before there, and it does not count as unread.
async fn begin(tx: &Tx, event: &Event) -> Result<()> {
    if event.kind != Kind::SeatTaken {
        return Ok(());
    }
    match (event.get::<BodyId>("body"), event.get::<PersonId>("person")) {
        (Some(body), Some(person)) => streams::commands::begin_in_body(tx, body, person).await,
        _ => Ok(()),
    }
}

/// Whoever lost a seat because its term ended before its time hears of it, and by which vote the body was elected anew.
async fn tell_lost(tx: &Tx, event: &Event) -> Result<()> {
    let (Kind::TermEnded, Some(vote)) = (event.kind, event.get::<VoteId>("vote")) else { return Ok(()) };
    let lost = bodies::early::lost_with(tx, event.subject_id()?, tx.now()).await?;
    let blanks =
        [("body", lost.body_name.into()), ("day", lost.last_day.to_string().into()), ("reason", lost.reason.into())];
    let card = Card::worded(("term_ended", "card-term-ended"), &blanks, format!("/votes/{vote}/result"));
    for person in lost.people {
        post_card(tx, mailbox(tx, person).await?, card.clone()).await?;
    }
    Ok(())
}

/// Who checks for the party, and who it is about, hear that somebody was recommended for a council; who recommended, and who it
/// is about, hear what came of it.
async fn tell_recommended(tx: &Tx, event: &Event) -> Result<()> {
    if !matches!(event.kind, Kind::RecommendationMade | Kind::RecommendationDecided) {
        return Ok(());
    }
    let Some(told) = bodies::recommendations::told(tx, event.subject_id()?).await? else { return Ok(()) };
    let body = told.body;
    let council = bodies::queries::get(tx, body).await?;
    let blanks = [("body", council.name.as_str().into()), ("name", told.name.into()), ("state", told.state.into())];
    let is_decided = event.kind == Kind::RecommendationDecided;
    if let Some(person) = told.about {
        let said = if is_decided {
            ("recommended_decided", "card-recommended-decided")
        } else {
            ("recommended", "card-recommended")
        };
        let card = Card::worded(said, &blanks, format!("/bodies/{body}#recommend"));
        post_card(tx, mailbox(tx, person).await?, card).await?;
    }
    if is_decided {
        let card =
            Card::worded(("recommendation_decided", "card-recommendation-decided"), &blanks, format!("/bodies/{body}"));
        return post_card(tx, mailbox(tx, told.by).await?, card).await.map(drop);
    }
    let link = format!("/desk/recommendations?body={body}");
    let card = Card::worded(("recommendation_made", "card-recommendation-made"), &blanks, link);
    let mut checkers: Vec<PersonId> = Vec::new();
    for area in &council.areas {
        for role in bodies::recommendations::CHECKERS {
            let seats = bodies::queries::in_role(tx, area, (role, tx.now())).await?.into_iter();
            let of_branch = seats.filter(|(one, _)| one.kind == BodyKind::PartyBranch);
            checkers.extend(of_branch.map(|(_, seat)| seat.person_id));
        }
    }
    // one branch may be that of several of its villages
    checkers.sort_unstable();
    checkers.dedup();
    for person in checkers {
        if person != told.by && told.about != Some(person) {
            post_card(tx, mailbox(tx, person).await?, card.clone()).await?;
        }
    }
    Ok(())
}

/// Who is no longer on a roster leaves the groups: they have no log-in to do it themselves.
async fn leave(tx: &Tx, event: &Event) -> Result<()> {
    let (Kind::RosterImported, Some(area)) = (event.kind, &event.area) else { return Ok(()) };
    let gone = people::queries::left(tx, area).await?;
    for (group, person) in streams::queries::groups_of(tx, &gone).await? {
        streams::commands::leave_group(tx, group, person).await?;
    }
    Ok(())
}
