//! What follows from votes: the matter takes in the result, everybody concerned is told.
use chrono::Datelike;
use fluent_bundle::FluentValue;
use uuid::Uuid;

use super::{
    commands::Secrecy,
    office::kinds_apart,
    queries::{self, StoredResult, label},
    rows::vote,
    rules::{Elected, Unit},
};
use crate::{
    board, bodies, clock,
    error::{Error, Result},
    events::{Event, Kind, Reaction},
    ids::BodyId,
    matters::{self, Verdict},
    meetings,
    people::village_groups,
    store::Tx,
    streams::commands::{Card, Reader, channel, office, post_card, post_to_each},
    text,
};

mod agents;
mod elections;
mod paper;
mod recalls;
mod registers;
mod representatives;
mod roll;
mod settled;

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "votes.conclude_matter", run: |tx, event| Box::pin(conclude_matter(tx, event)) },
    Reaction { name: "votes.tell", run: |tx, event| Box::pin(tell(tx, event)) },
    Reaction { name: "votes.tell_of_rolls", run: |tx, event| Box::pin(roll::tell(tx, event)) },
    Reaction { name: "votes.tell_of_registers", run: |tx, event| Box::pin(registers::tell(tx, event)) },
    Reaction { name: "votes.tell_of_paper", run: |tx, event| Box::pin(paper::tell(tx, event)) },
    Reaction { name: "votes.tell_settled", run: |tx, event| Box::pin(settled::tell(tx, event)) },
    Reaction { name: "votes.seat_representatives", run: |tx, event| Box::pin(representatives::seat(tx, event)) },
    Reaction { name: "votes.note_election", run: |tx, event| Box::pin(elections::note(tx, event)) },
    Reaction { name: "votes.tell_agents", run: |tx, event| Box::pin(agents::tell(tx, event)) },
];

/// Only a vote that decides moves its matter.
async fn conclude_matter(tx: &Tx, event: &Event) -> Result<()> {
    let moves = match event.kind {
        // while it may be challenged nothing follows from it
        Kind::VoteClosed => event.data["provisional"] != true,
        Kind::VoteSettled => true,
        _ => false,
    };
    if !moves {
        return Ok(());
    }
    let vote = queries::row(tx, event.subject_id()?).await?;
    let result = kept(&vote)?;
    // without a quorum nothing was decided: the villagers may be called again
    let stands = result.outcome.as_ref().is_some_and(|outcome| outcome.valid);
    let verdict = match (result.code(), vote.is_binding) {
        _ if !stands || vote.settlement.as_deref() == Some(queries::OVERTURNED) => Verdict::Annulled,
        ("passed", true) => Verdict::Passed,
        // places stay open: nothing was refused, and those concerned may be asked again
        ("not_passed", true) if result.choice.is_some() => Verdict::Annulled,
        ("not_passed", true) => Verdict::NotPassed,
        (outcome @ ("passed" | "not_passed"), false) => Verdict::Consulted(outcome == "passed"),
        _ => Verdict::Annulled,
    };
    match vote.matter_id {
        Some(matter) => matters::commands::conclude_vote(tx, matter, vote.id, verdict).await,
        None => Ok(()),
    }
}

/// A card at the opening and at the end, and every evening the fingerprint of the board alone.
async fn tell(tx: &Tx, event: &Event) -> Result<()> {
    if !matches!(event.kind, Kind::VoteOpened | Kind::BoardShown | Kind::VoteBoxClosed | Kind::VoteClosed) {
        return Ok(());
    }
    let vote = queries::row(tx, event.subject_id()?).await?;
    let mut card = match event.kind {
        Kind::VoteOpened => opened(&vote)?,
        Kind::BoardShown => return shown(tx, &vote, event).await,
        Kind::VoteBoxClosed => box_closed(&vote),
        _ => closed(&vote)?,
    };
    if vote.has_board {
        // in everybody's hands, so that nobody is shown another board
        let head = board::queries::newest(tx, vote.id).await?;
        let blanks = [("fingerprint", head.fingerprint.into()), ("entries", head.n.to_string().into())];
        card.text.push_str(&text::say_with("card-vote-fingerprint", &blanks));
    }
    tell_all(tx, &vote, card).await
}

/// The body whose vote it is: its questions go to that body's office.
async fn run_by(tx: &Tx, vote: &vote::Model) -> Result<Option<BodyId>> {
    if queries::is_inside(&vote.preset) {
        return Ok(Some(vote.body_id));
    }
    bodies::committee(tx, &vote.area_code).await
}

/// A card for those who stand in for an office that let the day pass.
async fn tell_stand_ins(tx: &Tx, area: &str, card: Card) -> Result<()> {
    for kind in kinds_apart(area) {
        let Some(body) = bodies::queries::of_kind(tx, *kind, area).await? else { continue };
        let stream = office(tx, body).await?;
        post_card(tx, stream, card.clone()).await?;
    }
    Ok(())
}

/// A card wherever the matter is talked about and in the village's channel; of a vote inside a body in its own stream and in
/// each member's mailbox, and nowhere else; of a vote of a villagers' group, or of some households, where the matter is talked
/// about and to them; of one of a collective in the channels of its villages and to its members elsewhere.
async fn tell_all(tx: &Tx, vote: &vote::Model, card: Card) -> Result<()> {
    if is_of_some(vote) {
        if let Some(matter) = vote.matter_id {
            matters::tell_followers(tx, matter, card.clone()).await?;
        }
        return tell_some(tx, vote, card).await;
    }
    if let Some(matter) = vote.matter_id {
        return matters::tell(tx, matter, &vote.area_code, card).await;
    }
    if queries::is_of_collective(&vote.preset) {
        return meetings::tell_collective(tx, vote.body_id, (vote.id.0, card)).await;
    }
    if is_public(vote) {
        let village = channel(tx, &vote.area_code).await?;
        return post_card(tx, village, card).await.map(drop);
    }
    let own = office(tx, vote.body_id).await?;
    post_card(tx, own, card.clone()).await?;
    let people = queries::roll_people(tx, vote.id).await?.into_iter();
    post_to_each(tx, people.map(Reader::Person).collect(), (Uuid::now_v7(), card)).await
}

/// Does a villagers' group decide, or do some households?
fn is_of_some(vote: &vote::Model) -> bool {
    vote.group_number.is_some() || vote.household_ids.is_some()
}

/// Each of their grown-ups in the own mailbox, and who stands: the rest of the village is not asked, and its channel says nothing.
async fn tell_some(tx: &Tx, vote: &vote::Model, card: Card) -> Result<()> {
    let today = clock::local_date(tx.now());
    let mut people = match vote.group_number {
        Some(group) => village_groups::grown_ups(tx, (&vote.area_code, group), today).await?,
        None => queries::members::of_all(tx, vote.id).await?,
    };
    // who has moved to another group since is on the roll still
    people.extend(queries::roll_people(tx, vote.id).await?);
    people.extend(queries::candidates_of(vote));
    post_to_each(tx, people.into_iter().map(Reader::Person).collect(), (Uuid::now_v7(), card)).await
}

/// Is it for the village's channel? So is that of a collective, whose members are nearly the whole village.
fn is_public(vote: &vote::Model) -> bool {
    !queries::is_inside(&vote.preset) || queries::is_of_collective(&vote.preset)
}

/// The fingerprint of the day, once: in the village's channel, of a vote inside a body in its own stream, of one of some
/// households in their mailboxes.
async fn shown(tx: &Tx, vote: &vote::Model, event: &Event) -> Result<()> {
    let fingerprint = event.get::<String>("fingerprint").unwrap_or_default();
    let entries = event.data["entries"].as_u64().unwrap_or_default().to_string();
    let blanks = [("fingerprint", fingerprint.into()), ("entries", entries.into())];
    let card = Card {
        code: "board_shown",
        title: text::say_with("card-vote-shown", &[("question", vote.question.as_str().into())]),
        text: text::say_with("card-vote-fingerprint", &blanks) + &text::say("card-vote-shown-text"),
        link: format!("/board/{}", vote.id),
    };
    if vote.household_ids.is_some() {
        return tell_some(tx, vote, card).await;
    }
    let stream = match is_public(vote) {
        true => channel(tx, &vote.area_code).await?,
        false => office(tx, vote.body_id).await?,
    };
    post_card(tx, stream, card).await.map(drop)
}

fn kept(vote: &vote::Model) -> Result<StoredResult> {
    let result = vote.result.as_deref().ok_or_else(|| Error::broken("a closed vote without a result"))?;
    serde_json::from_str(result).map_err(Error::broken)
}

fn opened(vote: &vote::Model) -> Result<Card> {
    // the card goes to the whole village, though only its representatives may be asked
    let key = match queries::rule_of(vote)?.unit {
        _ if vote.secrecy == Secrecy::Paper.as_str() => "card-vote-opened-paper",
        _ if vote.group_number.is_some() => "card-vote-opened-group",
        _ if vote.household_ids.is_some() => "card-vote-opened-households",
        Unit::Representative => "card-vote-opened-to-some",
        Unit::Member => "card-vote-opened-collective",
        Unit::BodyMember | Unit::MemberRep | Unit::Director => "card-vote-opened-inside",
        _ => "card-vote-opened-text",
    };
    let closes = clock::local(vote.closes_at);
    let blanks = [
        ("month", closes.month().into()),
        ("day", closes.day().into()),
        ("time", closes.format("%H:%M").to_string().into()),
        ("electors", vote.on_roll.to_string().into()),
        ("group", vote.group_number.unwrap_or_default().to_string().into()),
    ];
    Ok(Card {
        code: "vote_opened",
        title: text::say_with(
            "card-vote-opened",
            &[("label", label(vote.is_binding).into()), ("question", vote.question.as_str().into())],
        ),
        text: text::say_with(key, &blanks),
        link: format!("/votes/{}", vote.id),
    })
}

fn box_closed(vote: &vote::Model) -> Card {
    let blanks = [("question", vote.question.as_str().into())];
    Card::worded(("vote_box_closed", "card-vote-box-closed"), &blanks, format!("/votes/{}", vote.id))
}

fn closed(vote: &vote::Model) -> Result<Card> {
    let result = kept(vote)?;
    let title = match (result.code(), vote.is_binding) {
        ("annulled", _) => "card-vote-annulled",
        ("tie", _) => "card-vote-tie",
        // nothing was refused: too few came
        (_, true) if result.outcome.as_ref().is_some_and(|outcome| !outcome.valid) => "card-vote-no-quorum",
        _ if result.choice.is_some() => "card-vote-chosen",
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
    let text = match (&result.outcome, &result.annulled) {
        (Some(_), _) => {
            let mut told = match &result.choice {
                Some(elected) => chosen(vote.options.as_deref(), elected, &result)?,
                None => text::say_with("card-vote-closed-text", &blanks),
            };
            if result.count.invalid > 0 {
                told.push_str(&text::say_with("card-vote-invalid", &[("invalid", number(result.count.invalid))]));
            }
            told
        }
        (None, Some(why)) => text::say_with(
            "card-vote-annulled-by-hand",
            &[("reason", why.reason.as_str().into()), ("authority", why.authority.as_str().into())],
        ),
        // a secret vote has its board from the moment when its keys are made
        (None, None) if vote.secrecy == Secrecy::Secret.as_str() && !vote.has_board => text::say("card-vote-no-keys"),
        (None, None) => text::say("card-vote-annulled-text"),
    };
    let text = match vote.challenge_until {
        Some(until) => text + &until_when(until),
        None => text,
    };
    Ok(Card {
        code: "vote_closed",
        title: text::say_with(title, &[("question", vote.question.as_str().into())]),
        text,
        link: format!("/votes/{}/result", vote.id),
    })
}

/// Until when it may be challenged.
fn until_when(until: chrono::DateTime<chrono::Utc>) -> String {
    let last = clock::last_day(until);
    text::say_with("card-vote-provisional", &[("month", last.month().into()), ("day", last.day().into())])
}

/// Who was chosen, and among whom another vote decides.
fn chosen(options: Option<&str>, elected: &Elected, result: &StoredResult) -> Result<String> {
    let options = queries::options_of(options)?;
    let said = |keys: &[String]| {
        let texts = options.iter().filter(|option| keys.contains(&option.key)).map(|option| option.text.as_str());
        texts.collect::<Vec<_>>().join("、")
    };
    let number = |n: u64| FluentValue::from(n.to_string());
    let blanks = [("electors", number(result.count.on_roll)), ("present", number(result.count.present))];
    let mut told = text::say_with("card-vote-choice-text", &blanks);
    if !elected.elected.is_empty() {
        told.push_str(&text::say_with("card-vote-elected", &[("names", said(&elected.elected).into())]));
    }
    if !elected.tied.is_empty() {
        told.push_str(&text::say_with("card-vote-tied", &[("names", said(&elected.tied).into())]));
    } else if elected.seats_open > 0 {
        told.push_str(&text::say_with("card-vote-seats-open", &[("seats", number(elected.seats_open))]));
    }
    Ok(told)
}
