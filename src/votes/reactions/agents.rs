//! What is told of those who cast for others: to both sides of a proxy, to who checks it, to a household, to everybody for
//! whom somebody cast.
use crate::{
    clock,
    error::Result,
    events::{Event, Kind},
    ids::PersonId,
    people,
    store::Tx,
    streams::commands::{Card, mailbox, office, post_card},
    votes::{
        queries::{self, households},
        rows::vote,
    },
};

/// A card for everybody concerned, in the own mailbox; for who checks, in the office.
pub(super) async fn tell(tx: &Tx, event: &Event) -> Result<()> {
    match event.kind {
        Kind::ProxyNamed | Kind::ProxyChecked | Kind::ProxyEnded => proxy(tx, event).await,
        Kind::VoteCastFor => cast_for(tx, event).await,
        Kind::HouseholdAgentsNamed => household(tx, event).await,
        _ => Ok(()),
    }
}

async fn proxy(tx: &Tx, event: &Event) -> Result<()> {
    let (Some(elector), Some(agent)) = (event.get::<PersonId>("elector"), event.get::<PersonId>("agent")) else {
        return Ok(());
    };
    let vote = queries::row(tx, event.subject_id()?).await?;
    let names = people::names(tx, vec![elector, agent]).await?;
    let name = |person: PersonId| names.get(&person).cloned().unwrap_or_default();
    let (of, to) = (name(elector), name(agent));
    if event.kind == Kind::ProxyNamed {
        if event.actor != Some(elector) {
            // whoever did not name anybody hears of it before it is checked
            let own = mailbox(tx, elector).await?;
            let card = Card { link: format!("/votes/{}", vote.id), ..proxy_card(event, &vote, (&of, &to)) };
            post_card(tx, own, card).await?;
        }
        let Some(body) = super::run_by(tx, &vote).await? else { return Ok(()) };
        let stream = office(tx, body).await?;
        post_card(tx, stream, proxy_card(event, &vote, (&of, &to))).await?;
        return Ok(());
    }
    for person in [elector, agent] {
        let own = mailbox(tx, person).await?;
        post_card(tx, own, proxy_card(event, &vote, (&of, &to))).await?;
    }
    Ok(())
}

fn proxy_card(event: &Event, vote: &vote::Model, (elector, agent): (&str, &str)) -> Card {
    let is_void = event.get::<String>("why").as_deref() == Some(queries::VOID);
    let (code, key, page) = match event.kind {
        Kind::ProxyNamed => ("proxy_named", "card-proxy-named", "/desk/votes/"),
        Kind::ProxyChecked => ("proxy_checked", "card-proxy-checked", "/votes/"),
        _ if is_void => ("proxy_void", "card-proxy-void", "/votes/"),
        _ => ("proxy_ended", "card-proxy-ended", "/votes/"),
    };
    let blanks = [("question", vote.question.as_str().into()), ("elector", elector.into()), ("agent", agent.into())];
    Card::worded((code, key), &blanks, format!("{page}{}", vote.id))
}

async fn cast_for(tx: &Tx, event: &Event) -> Result<()> {
    let Some(person) = event.get::<PersonId>("person") else { return Ok(()) };
    let vote = queries::row(tx, event.subject_id()?).await?;
    let caster = event.actor.unwrap_or(person);
    let name = people::name(tx, caster).await?;
    let own = mailbox(tx, person).await?;
    post_card(tx, own, cast_card(event, &vote, &name)).await?;
    Ok(())
}

fn cast_card(event: &Event, vote: &vote::Model, caster: &str) -> Card {
    let is_household = event.get::<String>("how").as_deref() == Some("household");
    let key = if is_household { "card-cast-for-household" } else { "card-cast-for" };
    let blanks = [("question", vote.question.as_str().into()), ("caster", caster.into())];
    Card::worded(("vote_cast_for", key), &blanks, format!("/votes/{}", vote.id))
}

async fn household(tx: &Tx, event: &Event) -> Result<()> {
    let home = event.subject_id()?;
    let agents: Vec<PersonId> = households::rows(tx, vec![home]).await?.into_iter().map(|row| row.person_id).collect();
    let names = people::names(tx, agents.clone()).await?;
    let told: Vec<String> = agents.iter().filter_map(|agent| names.get(agent).cloned()).collect();
    let today = clock::local_date(tx.now());
    for one in people::queries::members(tx, home).await? {
        if !people::rules::is_adult(one.birth_date, today) {
            continue;
        }
        let blanks = [("names", told.join("、").into())];
        let card = Card::worded(("household_agents_named", "card-household-agents"), &blanks, "/household".to_owned());
        let own = mailbox(tx, one.id).await?;
        post_card(tx, own, card).await?;
    }
    Ok(())
}
