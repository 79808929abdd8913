//! What a webhook and a person are told, written at each try from the present state.
use serde_json::{Value, json};

use super::rows::announcement;
use crate::{
    app::App,
    clock,
    error::{Code, Error, Result},
    events::Kind,
    gateways::Letter,
    ids::{MatterId, NoticeId},
    matters, meetings, notices, text, votes,
};

/// The body of a call about a notice; `kind` is the event's. Nothing once the notice is withdrawn: what was not sent by
/// then is not sent.
pub(super) async fn about_notice(app: &App, kind: &str, subject: &str) -> Result<Option<Value>> {
    let id: NoticeId = subject.parse().map_err(Error::broken)?;
    let found = match notices::queries::detail(app.store.read(), id).await {
        Err(error) if error.code() == Code::NotFound => return Ok(None),
        found => found?,
    };
    let notice = found.notice;
    if notice.state == notices::queries::WITHDRAWN {
        return Ok(None);
    }
    let public_url = app.config.public_url.trim_end_matches('/');
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
        "url": format!("{public_url}/notices/{id}"),
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
        Some(Kind::VoteOpened | Kind::VoteClosingSoon | Kind::VoteCastFor) => {
            let vote = votes::queries::asked(db, subject.parse().map_err(Error::broken)?).await?;
            (vote.map(|(question, _)| question).unwrap_or_default(), String::new(), format!("/votes/{subject}"))
        }
        Some(Kind::MeetingCalled | Kind::MeetingCancelled) => {
            let meeting = meetings::queries::meeting(db, subject.parse().map_err(Error::broken)?).await?;
            (meeting.title, String::new(), format!("/meetings/{subject}"))
        }
        Some(Kind::SuggestionAnswered | Kind::SuggestionSubmitted) => {
            (text::say("delivery-own-voice"), String::new(), format!("/suggestions/{subject}"))
        }
        Some(Kind::TaskGiven) => (text::say("delivery-own-task"), String::new(), format!("/desk/tasks/{subject}")),
        _ => {
            let id: Option<MatterId> = subject.parse().ok();
            let titles = matters::queries::titles(db, id.into_iter().collect()).await?;
            (titles.into_values().next().unwrap_or_default(), String::new(), format!("/matters/{subject}"))
        }
    };
    let template = template(told);
    let key = format!("delivery-told-{}", template.replace('_', "-"));
    let key = if text::knows(&key) { key.as_str() } else { "delivery-told-moved" };
    let time = clock::local(told.created_at).format("%Y-%m-%d %H:%M").to_string();
    let public_url = app.config.public_url.trim_end_matches('/');
    Ok(Letter {
        text: text::say_with(key, &[("title", title.as_str().into())]),
        blanks: vec![("title", title), ("number", number), ("time", time)],
        link: format!("{public_url}{path}"),
        template,
        ..Letter::default()
    })
}
