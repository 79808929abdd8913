//! What follows from what happened to a voice: its author hears every step in the thread, the office what it must do.
use chrono::{DateTime, Datelike, Utc};
use sea_orm::{ActiveEnum, EntityTrait};
use uuid::Uuid;

use super::{
    Suggestion, about, assists, cosign_sheets, cosigns, downgrades, hidings,
    promises::Urgency,
    queries,
    rows::answer,
    rules::{self, SuggestionState},
    silence, support, words,
};
use crate::{
    bodies, clock,
    error::Result,
    events::{Event, Kind, Reaction},
    ids::{BodyId, MatterId},
    store::Tx,
    streams::commands::{Card, mailbox, post_card},
    text,
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "suggestions.tell_author", run: |tx, event| Box::pin(tell_author(tx, event)) },
    Reaction { name: "suggestions.tell_cosigners", run: |tx, event| Box::pin(tell_cosigners(tx, event)) },
    Reaction { name: "suggestions.tell_signers", run: |tx, event| Box::pin(cosign_sheets::tell(tx, event)) },
    Reaction { name: "suggestions.tell_office", run: |tx, event| Box::pin(tell_office(tx, event)) },
    Reaction { name: "suggestions.weigh_support", run: |tx, event| Box::pin(support::weigh(tx, event)) },
    Reaction { name: "suggestions.tell_referred", run: |tx, event| Box::pin(tell_referred(tx, event)) },
    Reaction { name: "suggestions.tell_silenced", run: |tx, event| Box::pin(silence::tell(tx, event)) },
];

/// Cards for bodies that do not read the voice: they lead to what is asked of them.
const NOT_THEIRS: [&str; 6] = [
    "office_hiding_appealed",
    "office_referral_offered",
    "office_referral_ended",
    "office_extension_asked",
    "office_assist_asked",
    "office_assist_ended",
];
/// Characters of an answer that are shown in the thread; all of it is on the page.
const ANSWER_CHARS: usize = 120;

/// A card for each step, in the author's thread. That a handler opened it is shown on the page and makes no card.
async fn tell_author(tx: &Tx, event: &Event) -> Result<()> {
    let code = match event.kind {
        Kind::SuggestionInspected => return tell_inspected(tx, event).await,
        Kind::SuggestionMadeOrdinary => return tell_made_ordinary(tx, event).await,
        Kind::SuggestionSubmitted if is_set(event, "taken_down") => "suggestion_taken_down",
        Kind::SuggestionSubmitted => "suggestion_received",
        Kind::SuggestionAccepted => "suggestion_accepted",
        // that it passed to another hand says nothing new to the author
        Kind::SuggestionAssigned if is_set(event, "again") => return Ok(()),
        Kind::SuggestionAssigned => "suggestion_assigned",
        Kind::SuggestionAnswered => "suggestion_answered",
        // written down by somebody else: the author hears of that, whatever follows
        Kind::SuggestionRated if is_set(event, "called_back") => "suggestion_called_back",
        // told by what follows: another office has it
        Kind::SuggestionRated if is_set(event, "escalated") => return Ok(()),
        Kind::SuggestionRated if is_set(event, "reopened") => "suggestion_reopened",
        Kind::SuggestionRated => "suggestion_closed",
        Kind::SuggestionEscalated => "suggestion_escalated",
        Kind::SuggestionWithdrawn => "suggestion_withdrawn",
        Kind::SuggestionJoined => "suggestion_joined",
        Kind::SuggestionOverdue => "suggestion_overdue",
        Kind::SuggestionHidden | Kind::SuggestionShown | Kind::SuggestionHidingUpheld => of_sight(event),
        Kind::SuggestionHidingAppealed if event.data.get("from").is_some() => "suggestion_hiding_passed_on",
        _ => return Ok(()),
    };
    let Some(row) = queries::row(tx, event.subject_id()?).await? else { return Ok(()) };
    let row = of_late(event, row);
    let due = if event.kind == Kind::SuggestionSubmitted { row.accept_due_at } else { row.answer_due_at };
    let mut card = card(tx, code, &row, due).await?;
    if let Some(id) = event.get::<Uuid>("answer") {
        let mut answer: Vec<_> = answer::Entity::find_by_id(id).one(tx).await?.into_iter().collect();
        words::open_answers(tx, tx.keys(), &row, &mut answer).await?;
        let said: String = answer.iter().flat_map(|row| row.text.chars()).take(ANSWER_CHARS).collect();
        // an answer that was spoken and not written keeps the card's own words
        if !said.is_empty() {
            card.text = said;
        }
    }
    if event.kind == Kind::SuggestionShown && is_set(event, "decided") {
        // on the page there is nothing to be read of it any more
        let said = hidings::settled(tx, row.id).await?.and_then(|one| one.answer).unwrap_or_default();
        let blanks = [("number", row.number.as_str().into()), ("answer", said.into())];
        let key = if is_set(event, "media") { "suggestion-media-shown-decided" } else { "suggestion-shown-decided" };
        card.text = text::say_with(key, &blanks);
    }
    if let Some(matter) = event.get::<MatterId>("matter") {
        card.link = format!("/matters/{matter}");
    }
    post_card(tx, row.stream_id, card).await?;
    Ok(())
}

/// Who sees it by now, or its photos and its clip alone.
fn of_sight(event: &Event) -> &'static str {
    match (event.kind, is_set(event, "media"), is_set(event, "held")) {
        (Kind::SuggestionHidden, false, true) => "suggestion_held",
        (Kind::SuggestionHidden, true, true) => "suggestion_media_held",
        (Kind::SuggestionHidden, false, false) => "suggestion_hidden",
        (Kind::SuggestionHidden, true, false) => "suggestion_media_hidden",
        (Kind::SuggestionShown, false, _) => "suggestion_shown",
        (Kind::SuggestionShown, true, _) => "suggestion_media_shown",
        (_, false, _) => "suggestion_hiding_upheld",
        (_, true, _) => "suggestion_media_upheld",
    }
}

/// Who stands behind a voice hears what becomes of it; of what was answered while it was hidden, when it can be read again.
async fn tell_cosigners(tx: &Tx, event: &Event) -> Result<()> {
    let code = match event.kind {
        Kind::SuggestionAnswered | Kind::SuggestionShown => "cosigned_answered",
        Kind::SuggestionJoined => "cosigned_joined",
        _ => return Ok(()),
    };
    let Some(row) = queries::row(tx, event.subject_id()?).await? else { return Ok(()) };
    let is_news = match event.kind {
        Kind::SuggestionAnswered => !rules::is_hidden(&row),
        Kind::SuggestionShown if is_set(event, "media") => false,
        Kind::SuggestionShown => hidings::was_answered_unseen(tx, &row).await?,
        _ => true,
    };
    if !is_news {
        return Ok(());
    }
    let mut card = card(tx, code, &row, row.answer_due_at).await?;
    if let Some(matter) = event.get::<MatterId>("matter") {
        card.link = format!("/matters/{matter}");
    }
    for person in cosigns::told(tx, row.id).await? {
        post_card(tx, mailbox(tx, person).await?, card.clone()).await?;
    }
    Ok(())
}

/// Each step from body to body: to the author in the thread, to the bodies in their offices.
async fn tell_referred(tx: &Tx, event: &Event) -> Result<()> {
    let (code, offices): (_, &[(&str, &'static str)]) = match event.kind {
        Kind::SuggestionAssistAsked => ("suggestion_assist_asked", &[("to", "office_assist_asked")]),
        Kind::SuggestionAssistGiven => ("suggestion_assist_given", &[("", "office_assist_given")]),
        // the author reads the answer
        Kind::SuggestionAssistEnded => ("", &[("to", "office_assist_ended")]),
        Kind::SuggestionReferralOffered => ("suggestion_referral_offered", &[("to", "office_referral_offered")]),
        Kind::SuggestionReferred => {
            let code = if is_set(event, "decided") { "suggestion_referral_decided" } else { "suggestion_referred" };
            (code, &[("from", "office_referral_taken"), ("to", "office_referral_here")])
        }
        Kind::SuggestionReferralRefused => ("suggestion_referral_refused", &[("from", "office_referral_refused")]),
        Kind::SuggestionReferralEnded => ("suggestion_referral_ended", &[("to", "office_referral_ended")]),
        Kind::SuggestionHidingAppealed => ("", &[("office", "office_hiding_appealed")]),
        Kind::SuggestionExtensionAsked => ("suggestion_extension_asked", &[("office", "office_extension_asked")]),
        Kind::SuggestionExtended => ("suggestion_extended", &[("", "office_extended")]),
        Kind::SuggestionExtensionRefused => ("suggestion_extension_refused", &[("", "office_extension_refused")]),
        _ => return Ok(()),
    };
    let Some(row) = queries::row(tx, event.subject_id()?).await? else { return Ok(()) };
    let named: Vec<BodyId> = ["to", "next", "office"].iter().filter_map(|part| event.get(part)).collect();
    let names = bodies::queries::names(tx, named).await?;
    let name = |part: &str| event.get::<BodyId>(part).and_then(|id| names.get(&id).cloned()).unwrap_or_default();
    let blanks = [("other", name("to")), ("next", name("next")), ("office", name("office"))];
    // nobody has it any more who was asked about it
    let is_ended = matches!(event.kind, Kind::SuggestionReferralEnded | Kind::SuggestionAssistEnded);
    let is_withdrawn = is_ended && row.state == SuggestionState::Withdrawn;
    if !code.is_empty() && !is_withdrawn {
        post_card(tx, row.stream_id, card_with(tx, code, &row, (row.answer_due_at, &blanks)).await?).await?;
    }
    for (part, usual) in offices {
        let code = if is_withdrawn { "office_suggestion_withdrawn" } else { *usual };
        // without a name: the one responsible
        let body = event.get::<BodyId>(part).unwrap_or(row.body_id);
        let mut card = card_with(tx, code, &row, (row.answer_due_at, &blanks)).await?;
        if NOT_THEIRS.contains(usual) {
            card.link = "/desk/referrals".to_owned();
        }
        about::tell_body(tx, &row, (body, card)).await?;
    }
    Ok(())
}

/// That somebody of the county opened it is for the author alone: handlers read the thread, and it may be about them.
async fn tell_inspected(tx: &Tx, event: &Event) -> Result<()> {
    let Some(row) = queries::row(tx, event.subject_id()?).await? else { return Ok(()) };
    let card = card(tx, "suggestion_inspected", &row, row.answer_due_at).await?;
    let stream = mailbox(tx, row.author_id).await?;
    post_card(tx, stream, Card { link: format!("/suggestions/{}#readings", row.id), ..card }).await?;
    Ok(())
}

/// Why it does not press, and until when it is dealt with now.
async fn tell_made_ordinary(tx: &Tx, event: &Event) -> Result<()> {
    let Some(row) = queries::row(tx, event.subject_id()?).await? else { return Ok(()) };
    let Some(made) = downgrades::of_voice(tx, tx.keys(), &row).await? else { return Ok(()) };
    let due = if row.state == SuggestionState::Submitted { row.accept_due_at } else { row.answer_due_at };
    let blanks = [("other", made.body_name), ("reason", made.reason)];
    let card = card_with(tx, "suggestion_made_ordinary", &row, (due, &blanks)).await?;
    post_card(tx, row.stream_id, card).await?;
    Ok(())
}

/// A card for what the body responsible must do. Seats that may not open the voice see it, too: number and kind only.
async fn tell_office(tx: &Tx, event: &Event) -> Result<()> {
    let code = match event.kind {
        Kind::SuggestionSubmitted => "office_suggestion_new",
        Kind::SuggestionRated if is_set(event, "escalated") => return Ok(()),
        Kind::SuggestionRated if is_set(event, "reopened") => "office_suggestion_reopened",
        Kind::SuggestionOverdue => "office_suggestion_overdue",
        Kind::SuggestionDueSoon => "office_suggestion_due_soon",
        Kind::SuggestionSupervised if is_to_accept(event) => "office_suggestion_not_taken",
        Kind::SuggestionSupervised => "office_suggestion_supervised",
        Kind::SuggestionEscalated => "office_suggestion_escalated",
        Kind::SuggestionWithdrawn => "office_suggestion_withdrawn",
        Kind::SuggestionMadeOrdinary if event.data.get("office").is_some() => "office_suggestion_made_ordinary",
        Kind::SuggestionHidden if is_set(event, "held") && is_set(event, "media") => "office_suggestion_media_held",
        Kind::SuggestionHidden if is_set(event, "held") => "office_suggestion_held",
        // no deadline reminds of its photos any more
        Kind::SuggestionAnswered => "office_suggestion_media_held",
        _ => return Ok(()),
    };
    let Some(row) = queries::row(tx, event.subject_id()?).await? else { return Ok(()) };
    if event.kind == Kind::SuggestionAnswered && !hidings::is_media_unseen(tx, &row).await? {
        return Ok(());
    }
    let row = of_late(event, row);
    let is_new = matches!(event.kind, Kind::SuggestionSubmitted | Kind::SuggestionEscalated);
    let due = if is_new || is_to_accept(event) { row.accept_due_at } else { row.answer_due_at };
    let mut card = card(tx, code, &row, due).await?;
    if matches!(event.kind, Kind::SuggestionSupervised | Kind::SuggestionMadeOrdinary) {
        // whoever sees to it that others answer does not read it
        card.link = "/desk".to_owned();
    }
    if matches!(event.kind, Kind::SuggestionDueSoon | Kind::SuggestionWithdrawn)
        && let Some(person) = row.assignee_id
    {
        post_card(tx, mailbox(tx, person).await?, card.clone()).await?;
    }
    if event.kind == Kind::SuggestionDueSoon {
        remind_asked(tx, &row).await?;
    }
    // who had it before is told that it has gone
    if let Some(from) = event.get::<BodyId>("from") {
        let gone = self::card(tx, "office_suggestion_gone", &row, due).await?;
        about::tell_body(tx, &row, (from, gone)).await?;
    }
    let body = event.get::<BodyId>("office").unwrap_or(row.body_id);
    let is_told = about::tell_body(tx, &row, (body, card)).await?;
    if !is_told && event.kind == Kind::SuggestionSubmitted {
        let card = self::card(tx, "office_suggestion_unassigned", &row, due).await?;
        about::tell_supervisors(tx, &row, Card { link: "/desk".to_owned(), ..card }).await?;
    }
    Ok(())
}

/// Whoever was asked to take it, or for a part of it, and has not said anything is reminded, too.
async fn remind_asked(tx: &Tx, row: &Suggestion) -> Result<()> {
    let asked = row.offered_to.into_iter().map(|body| (body, "office_referral_due_soon"));
    let silent = assists::silent(tx, row.id).await?.into_iter().map(|body| (body, "office_assist_due_soon"));
    for (body, code) in asked.chain(silent) {
        let card = card(tx, code, row, row.answer_due_at).await?;
        about::tell_body(tx, row, (body, Card { link: "/desk/referrals".to_owned(), ..card })).await?;
    }
    Ok(())
}

/// As if the body still had it that is told of as late: the voice may have gone on since.
fn of_late(event: &Event, row: Suggestion) -> Suggestion {
    Suggestion { body_id: event.get("of").unwrap_or(row.body_id), ..row }
}

fn is_to_accept(event: &Event) -> bool {
    event.data.get("which").is_some_and(|which| which == "accept")
}

fn is_set(event: &Event, flag: &str) -> bool {
    event.data.get(flag).and_then(serde_json::Value::as_bool).unwrap_or_default()
}

/// Title and text are named after the code; both may use the number, the kind, the body and until when it is due.
async fn card(tx: &Tx, code: &'static str, row: &Suggestion, due: DateTime<Utc>) -> Result<Card> {
    card_with(tx, code, row, (due, &[])).await
}

/// The same with more blanks.
async fn card_with(
    tx: &Tx,
    code: &'static str,
    row: &Suggestion,
    (due, more): (DateTime<Utc>, &[(&'static str, String)]),
) -> Result<Card> {
    let names = bodies::queries::names(tx, vec![row.body_id]).await?;
    let kind = text::word("suggestion-kind", &row.kind.to_value());
    let kind = match row.urgency {
        Urgency::Ordinary => kind,
        Urgency::Urgent => text::say_with("suggestion-urgent-kind", &[("kind", kind.into())]),
    };
    let blanks = [
        ("number", row.number.as_str().into()),
        ("kind", kind.into()),
        ("body", names.get(&row.body_id).cloned().unwrap_or_default().into()),
        ("due", until(due).into()),
    ];
    let more = more.iter().map(|(name, value)| (*name, value.as_str().into()));
    let blanks: Vec<_> = blanks.into_iter().chain(more).collect();
    let key = code.replace('_', "-");
    Ok(Card::worded((code, &key), &blanks, format!("/suggestions/{}", row.id)))
}

/// Until when, in words: a day that ends at 24:00 alone, what was promised in hours with the time of day.
fn until(due: DateTime<Utc>) -> String {
    let last = clock::last_day(due);
    let time = clock::local(due).format("%H:%M").to_string();
    let blanks = [("m", last.month().into()), ("d", last.day().into()), ("t", time.into())];
    text::say_with(if clock::end_of_day(last) == due { "page-day" } else { "page-moment" }, &blanks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_said_alone_and_hours_with_their_time() {
        let said = |at: &str| until(at.parse().unwrap());
        assert_eq!(said("2026-11-07T16:00:00Z"), "11月7日");
        assert_eq!(said("2026-11-07T03:05:00Z"), "11月7日 11:05");
        assert_eq!(said("2026-11-07T16:00:00.001Z"), "11月8日 00:00", "a promise in hours may end just after midnight");
    }

    #[test]
    fn every_card_has_its_words() {
        let codes = "received taken-down accepted assigned answered reopened closed called-back joined overdue held \
            hidden shown media-held media-hidden media-shown media-upheld hiding-upheld hiding-passed-on \
            inspected escalated referral-offered referred referral-refused referral-ended referral-decided \
            extension-asked extended extension-refused assist-asked assist-given withdrawn made-ordinary";
        let author = codes.split(' ').map(|code| format!("suggestion-{code}"));
        let office = [
            "new",
            "held",
            "media-held",
            "reopened",
            "overdue",
            "due-soon",
            "supervised",
            "not-taken",
            "escalated",
            "gone",
            "unassigned",
            "withdrawn",
            "made-ordinary",
        ]
        .iter()
        .map(|code| format!("office-suggestion-{code}"));
        let cosigners = ["answered", "joined"].iter().map(|code| format!("cosigned-{code}"));
        let referred =
            ["offered", "taken", "here", "refused", "ended", "due-soon"].map(|code| format!("office-referral-{code}"));
        let referred = referred
            .into_iter()
            .chain(["office-extension-asked", "office-extended", "office-extension-refused"].map(str::to_owned))
            .chain(["asked", "given", "ended", "due-soon"].map(|code| format!("office-assist-{code}")))
            .chain(["office-hiding-appealed".to_owned()]);
        for key in author.chain(office).chain(cosigners).chain(referred) {
            assert!(text::knows(&format!("{key}-title")) && text::knows(&format!("{key}-text")), "{key}");
        }
    }
}
