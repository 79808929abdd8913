//! What a webhook and a person are told, written at each try from the present state.
use std::{collections::HashMap, sync::Arc};

use chrono::NaiveDateTime;
use serde_json::{Value, json};

use super::{claim::Taken, rows::announcement};
use crate::{
    app::App,
    clock,
    error::{Code, Error, Result},
    events::Kind,
    gateways::Letter,
    ids::{AnnouncementId, MatterId, MeetingId, NoticeId, VoteId},
    matters, meetings, notices, text, votes,
};

/// The body of a call to a webhook: what everybody may read of the event's subject now. Nothing where that is not there, or
/// not to be told any more.
pub(super) async fn to_webhook(app: &App, kind: &str, subject: &str) -> Result<Option<Value>> {
    let told = match Kind::parse(kind) {
        Some(Kind::NoticeWithdrawn | Kind::NoticeConcluded) => about_end(app, kind, subject).await,
        Some(
            Kind::StageEntered | Kind::MatterEnded | Kind::MatterClosed | Kind::MatterHalted | Kind::MatterHaltEnded,
        ) => about_matter(app, kind, subject).await,
        Some(Kind::MeetingCalled | Kind::MeetingHeld | Kind::MeetingCancelled) => {
            about_meeting(app, kind, subject).await
        }
        Some(Kind::VoteOpened | Kind::VoteClosed | Kind::VoteSettled) => about_vote(app, kind, subject).await,
        Some(Kind::WebhookTested) => Ok(Some(json!({ "type": kind, "webhook": { "id": subject } }))),
        _ => about_notice(app, kind, subject).await,
    };
    match told {
        Err(error) if error.code() == Code::NotFound => Ok(None),
        told => told,
    }
}

/// Where a page is.
fn page(app: &App, path: &str) -> String {
    format!("{}{path}", app.config.public_url.trim_end_matches('/'))
}

/// That a notice was withdrawn, or that its period is over. What was taken back is not said once more.
async fn about_end(app: &App, kind: &str, subject: &str) -> Result<Option<Value>> {
    let id: NoticeId = subject.parse().map_err(Error::broken)?;
    let notice = notices::queries::detail(app.store.read(), id).await?.notice;
    let is_withdrawn = notice.state == notices::queries::WITHDRAWN;
    if is_withdrawn != (kind == Kind::NoticeWithdrawn.as_str()) {
        return Ok(None);
    }
    Ok(Some(json!({
        "type": kind,
        "notice": {
            "id": id,
            "number": notice.number,
            "version": notice.version,
            "title": (!is_withdrawn).then_some(notice.title),
            "area_code": notice.area_code,
            "matter_id": notice.matter_id,
            "state": notice.state,
            "ended_at": notice.ended_at,
        },
        "url": page(app, &format!("/notices/{id}")),
    })))
}

/// In which stage a matter is, how it ended, or that it is held up, with the newest hold.
async fn about_matter(app: &App, kind: &str, subject: &str) -> Result<Option<Value>> {
    let id: MatterId = subject.parse().map_err(Error::broken)?;
    let db = app.store.read();
    let news = matters::queries::news(db, id).await?;
    let is_of_halt = [Kind::MatterHalted.as_str(), Kind::MatterHaltEnded.as_str()].contains(&kind);
    let halt = if is_of_halt { matters::queries::newest_halt(db, id).await? } else { None };
    let matter = &news.head;
    Ok(Some(json!({
        "type": kind,
        "matter": {
            "id": id,
            "number": matter.number,
            "title": matter.title,
            "area_code": matter.area_code,
            "state": matter.state,
            "stage": matter.stage,
            "stage_due_at": matter.stage_due_at,
            "ended_at": news.ended_at,
            "is_halted": news.is_halted,
            "halt": halt,
        },
        "url": page(app, &format!("/matters/{id}")),
    })))
}

/// That a meeting was called, held or called off. One that was called off is not called any more.
async fn about_meeting(app: &App, kind: &str, subject: &str) -> Result<Option<Value>> {
    let id: MeetingId = subject.parse().map_err(Error::broken)?;
    let meeting = meetings::queries::meeting(app.store.read(), id).await?;
    let is_off = meeting.state == meetings::queries::CANCELLED;
    if is_off && kind != Kind::MeetingCancelled.as_str() {
        return Ok(None);
    }
    Ok(Some(json!({
        "type": kind,
        "meeting": {
            "id": id,
            "title": meeting.title,
            "area_code": meeting.area_code,
            "body_name": meeting.body_name,
            "audience": meeting.audience,
            "matter_id": meeting.matter_id,
            "state": meeting.state,
            "place": meeting.place,
            "starts_at": meeting.starts_at,
            "held_at": meeting.held_at,
            "quorum": meeting.quorum,
            "cancel_reason": meeting.cancel_reason,
        },
        "url": page(app, &format!("/meetings/{id}")),
    })))
}

/// That a vote takes ballots, or how it came out. While it is open nothing is said of how it stands.
async fn about_vote(app: &App, kind: &str, subject: &str) -> Result<Option<Value>> {
    let id: VoteId = subject.parse().map_err(Error::broken)?;
    let vote = votes::queries::vote(app.store.read(), id).await?;
    let (result, path) = if kind == Kind::VoteOpened.as_str() {
        (None, format!("/votes/{id}"))
    } else {
        let result = votes::queries::result_of(app.store.read(), id).await?;
        let told = json!({
            "outcome": result.outcome,
            "outcome_text": result.outcome_text,
            "settlement": result.settlement,
            "challenge_until": result.challenge_until,
        });
        (Some(told), format!("/votes/{id}/result"))
    };
    Ok(Some(json!({
        "type": kind,
        "vote": {
            "id": id,
            "question": vote.question,
            "area_code": vote.area_code,
            "matter_id": vote.matter_id,
            "is_binding": vote.is_binding,
            "state": vote.state,
            "closes_at": vote.closes_at,
            "result": result,
        },
        "url": page(app, &path),
    })))
}

/// The body of a call about a notice; `kind` is the event's. Nothing once the notice is withdrawn: what was not sent by
/// then is not sent.
async fn about_notice(app: &App, kind: &str, subject: &str) -> Result<Option<Value>> {
    let id: NoticeId = subject.parse().map_err(Error::broken)?;
    let found = notices::queries::detail(app.store.read(), id).await?;
    let notice = found.notice;
    if notice.state == notices::queries::WITHDRAWN {
        return Ok(None);
    }
    Ok(Some(json!({
        "type": kind,
        "notice": {
            "id": id,
            "number": notice.number,
            "version": notice.version,
            "title": notice.title,
            "text": found.text,
            "area_code": notice.area_code,
            "matter_id": notice.matter_id,
            "body_name": notice.body_name,
            "adviser_body_name": notice.adviser_body_name,
            "state": notice.state,
            "period_from": notice.period_from,
            "period_to": notice.period_to,
            "last_day": notice.last_day,
            "published_at": notice.published_at,
        },
        "url": page(app, &format!("/notices/{id}")),
    })))
}

/// The stable name by which templates of providers are chosen.
pub(super) fn template(told: &announcement::Model) -> String {
    told.kind.replace('.', "_")
}

/// What people are told by message: a sentence that names the thing where it is public, and where to read it. Of what is
/// a person's own it says no word.
pub(super) async fn to_people(app: &App, told: &announcement::Model) -> Result<Letter> {
    let db = app.store.read();
    let kind = Kind::parse(&told.kind);
    let subject = &told.subject_id;
    let (title, number, path) = match kind {
        Some(Kind::NoticePublished | Kind::NoticeRevised) => {
            let notice = notices::reached::hanging(db, subject.parse().map_err(Error::broken)?).await?;
            let (title, number) = notice.map(|notice| (notice.title, notice.number)).unwrap_or_default();
            (title, number, format!("/notices/{subject}"))
        }
        Some(Kind::VoteOpened | Kind::VoteClosingSoon | Kind::VoteCastFor | Kind::SheetIssued) => {
            let vote = votes::queries::asked(db, subject.parse().map_err(Error::broken)?).await?;
            (vote.unwrap_or_default(), String::new(), format!("/votes/{subject}"))
        }
        Some(Kind::MeetingCalled | Kind::MeetingCancelled | Kind::MeetingHeld) => {
            let meeting = meetings::queries::meeting(db, subject.parse().map_err(Error::broken)?).await?;
            (meeting.title, String::new(), format!("/meetings/{subject}"))
        }
        Some(Kind::ObjectionAnswered | Kind::ObjectionRaised | Kind::ObjectionWithdrawn) => {
            let raised = notices::queries::raised_by(db, subject.parse().map_err(Error::broken)?).await?;
            let path = raised.map_or_else(|| "/".to_owned(), |(_, notice)| format!("/notices/{notice}"));
            (text::say("delivery-own-objection"), String::new(), path)
        }
        Some(
            Kind::SuggestionAnswered
            | Kind::SuggestionEscalated
            | Kind::SuggestionMadeOrdinary
            | Kind::SuggestionSubmitted
            | Kind::SuggestionHidden
            | Kind::SuggestionShown
            | Kind::SuggestionHidingUpheld,
        ) => (text::say("delivery-own-voice"), String::new(), format!("/suggestions/{subject}")),
        Some(Kind::SuggestionPressing) => {
            (text::say("delivery-pressing-voice"), String::new(), format!("/desk/suggestions/{subject}"))
        }
        Some(Kind::EvidenceAttached) => {
            (text::say("delivery-own-alternative"), String::new(), format!("/matters/{subject}/arguments"))
        }
        Some(Kind::TaskGiven | Kind::TaskDelayed) => {
            (text::say("delivery-own-task"), String::new(), format!("/desk/tasks/{subject}"))
        }
        _ => {
            let id: Option<MatterId> = subject.parse().ok();
            let titles = matters::queries::titles(db, id.into_iter().collect()).await?;
            (titles.into_values().next().unwrap_or_default(), String::new(), format!("/matters/{subject}"))
        }
    };
    let template = template(told);
    let key = format!("delivery-told-{}", template.replace('_', "-"));
    let key = if text::knows(&key) { key.as_str() } else { "delivery-told-moved" };
    let time = said_time(clock::local(told.created_at).naive_local());
    Ok(Letter {
        text: text::say_with(key, &[("title", title.as_str().into())]),
        blanks: vec![("title", title), ("number", number), ("time", time)],
        link: page(app, &path),
        template,
        ..Letter::default()
    })
}

/// In the one form that WeChat takes for a time.
fn said_time(at: NaiveDateTime) -> String {
    let part = |format: &str| at.format(format).to_string().into();
    let blanks = [("year", part("%Y")), ("month", part("%-m")), ("day", part("%-d")), ("time", part("%H:%M"))];
    text::say_with("delivery-time", &blanks)
}

/// Titles that the words of a digest name; the number of all is said.
const NAMED: usize = 5;
/// Of a title, where something is said behind it.
const SHORT: usize = 14;

/// What goes out: the letter of what is told, with what else the evening brought, and for how many it is. `None`: it could
/// not be written.
pub(super) fn composed(letters: &HashMap<AnnouncementId, Arc<Letter>>, one: &Taken) -> Option<Arc<Letter>> {
    let letter = letters.get(&one.told.id).cloned()?;
    // of each matter the newest state alone
    let mut threads = vec![one.told.thread.as_str()];
    let mut titles = vec![title(&letter)];
    for told in &one.carried {
        if !threads.contains(&told.thread.as_str()) {
            threads.push(&told.thread);
            titles.push(letters.get(&told.id).map_or("", |letter| title(letter)));
        }
    }
    let count = titles.len();
    // of what could not be written the number is told
    titles.retain(|title| !title.is_empty());
    titles.truncate(NAMED);
    Some(match (count, one.people) {
        (1, 0 | 1) => letter,
        (1, people) => Arc::new(for_several(&letter, people)),
        (count, _) => Arc::new(digest(&letter, &titles, count)),
    })
}

fn title(letter: &Letter) -> &str {
    letter.blank("title").unwrap_or_default()
}

fn short(title: &str) -> String {
    title.chars().take(SHORT).collect()
}

/// The template stays the one of the newest: it is the one that is approved and agreed to.
fn with(letter: &Letter, title: String, text: String) -> Letter {
    let blanks = letter.blanks.iter().map(|(name, value)| match *name {
        "title" => ("title", title.clone()),
        name => (name, value.clone()),
    });
    Letter { blanks: blanks.collect(), text, ..letter.clone() }
}

fn for_several(letter: &Letter, people: usize) -> Letter {
    let blanks = [
        ("title", short(title(letter)).into()),
        ("text", letter.text.as_str().into()),
        ("n", people.to_string().into()),
    ];
    with(letter, text::say_with("delivery-several-title", &blanks), text::say_with("delivery-several-text", &blanks))
}

fn digest(letter: &Letter, titles: &[&str], count: usize) -> Letter {
    let all = titles.join(&text::say("delivery-digest-between"));
    let blanks = [("title", short(title(letter)).into()), ("all", all.into()), ("n", count.to_string().into())];
    with(letter, text::say_with("delivery-digest-title", &blanks), text::say_with("delivery-digest-text", &blanks))
}
