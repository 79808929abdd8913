//! What follows from votes: the matter takes in the result, everybody concerned is told.
use chrono::Datelike;
use fluent_bundle::FluentValue;

use super::{
    queries::{self, StoredResult, label},
    rows::vote,
};
use crate::{
    clock,
    error::{Error, Result},
    events::{Event, Kind, Reaction},
    matters::{self, Verdict},
    store::Tx,
    streams::commands::Card,
    text,
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "votes.conclude_matter", run: |tx, event| Box::pin(conclude_matter(tx, event)) },
    Reaction { name: "votes.tell", run: |tx, event| Box::pin(tell(tx, event)) },
];

/// Only a vote that decides moves its matter.
async fn conclude_matter(tx: &Tx, event: &Event) -> Result<()> {
    if event.kind != Kind::VoteClosed {
        return Ok(());
    }
    let vote = queries::row(tx, event.subject_id()?).await?;
    let result = kept(&vote)?;
    // without a quorum nothing was decided: the villagers may be called again
    let stands = result.outcome.as_ref().is_some_and(|outcome| outcome.valid);
    let verdict = match (result.code(), vote.is_binding) {
        _ if !stands => Verdict::Annulled,
        ("passed", true) => Verdict::Passed,
        ("not_passed", true) => Verdict::NotPassed,
        (outcome @ ("passed" | "not_passed"), false) => Verdict::Consulted(outcome == "passed"),
        _ => Verdict::Annulled,
    };
    matters::commands::conclude_vote(tx, vote.matter_id, vote.id, verdict).await
}

/// A card at the opening and at the end, never in between.
async fn tell(tx: &Tx, event: &Event) -> Result<()> {
    if !matches!(event.kind, Kind::VoteOpened | Kind::VoteClosed) {
        return Ok(());
    }
    let vote = queries::row(tx, event.subject_id()?).await?;
    let card = if event.kind == Kind::VoteOpened { opened(&vote) } else { closed(&vote)? };
    matters::tell(tx, vote.matter_id, &vote.area_code, card).await
}

fn kept(vote: &vote::Model) -> Result<StoredResult> {
    let result = vote.result.as_deref().ok_or_else(|| Error::broken("a closed vote without a result"))?;
    serde_json::from_str(result).map_err(Error::broken)
}

fn opened(vote: &vote::Model) -> Card {
    let closes = clock::local(vote.closes_at);
    let blanks = [
        ("month", closes.month().into()),
        ("day", closes.day().into()),
        ("time", closes.format("%H:%M").to_string().into()),
        ("electors", vote.on_roll.to_string().into()),
    ];
    Card {
        code: "vote_opened",
        title: text::say_with(
            "card-vote-opened",
            &[("label", label(vote.is_binding).into()), ("question", vote.question.as_str().into())],
        ),
        text: text::say_with("card-vote-opened-text", &blanks),
        link: format!("/votes/{}", vote.id),
    }
}

fn closed(vote: &vote::Model) -> Result<Card> {
    let result = kept(vote)?;
    let title = match (result.code(), vote.is_binding) {
        ("annulled", _) => "card-vote-annulled",
        (_, false) => "card-vote-consulted",
        ("passed", true) => "card-vote-passed",
        _ => "card-vote-not-passed",
    };
    let number = |n: u64| FluentValue::from(n.to_string());
    let blanks = [
        ("electors", number(result.count.on_roll)),
        ("present", number(result.count.present)),
        ("yes", number(result.count.yes)),
        ("no", number(result.count.no)),
        ("abstain", number(result.count.abstain)),
    ];
    let body = if result.outcome.is_some() { "card-vote-closed-text" } else { "card-vote-annulled-text" };
    Ok(Card {
        code: "vote_closed",
        title: text::say_with(title, &[("question", vote.question.as_str().into())]),
        text: text::say_with(body, &blanks),
        link: format!("/votes/{}/result", vote.id),
    })
}
