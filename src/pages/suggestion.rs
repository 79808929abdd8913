//! `/suggestions`: one's own voices, and each with its promises, its thread, who opened it, and the rating.
use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    response::Response,
};
use chrono::{DateTime, FixedOffset};
use serde::Deserialize;

use super::{
    compose::{self, Compose, Unsent},
    fields::{Fields, Form, MAX_FILES_BODY, Wrong},
    layout::{Live, Page, Resident, asking, render, render_as, see, up},
    steps::Step,
    thread::{self, Older, Thread},
    words::{Words, deadline, moment},
};
use crate::{
    app::{
        App, Path, Query,
        routing::{get, post},
    },
    error::{Code, Result},
    ids::SuggestionId,
    streams::{self, Access},
    suggestions::{
        self, AnswerOutcome, Cosign, Deadline, RateSuggestion, SuggestionAnswerView, SuggestionState,
        SuggestionSummary, SuggestionView, SupportView, Visibility, commands,
        hidings::{self, AppealHiding},
        queries::{self, Scope, SuggestionsQuery},
        withdrawals::{self, WithdrawSuggestion, WithdrawalView},
    },
    text,
    wechat::rules::Moment,
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/suggestions", get(list))
        .route("/suggestions/{id}", get(show))
        .route("/suggestions/{id}/messages", post(write).merge(get(up)).layer(DefaultBodyLimit::max(MAX_FILES_BODY)))
        .route("/suggestions/{id}/rating", post(rate).merge(get(up)))
        .route("/suggestions/{id}/cosign", post(cosign).merge(get(up)))
        .route("/suggestions/{id}/withdraw", post(withdraw).merge(get(up)))
        .route("/suggestions/{id}/hiding", post(appeal).merge(get(up)))
}

#[derive(Template)]
#[template(path = "suggestions.html")]
struct SuggestionsPage {
    page: Page,
    /// Those of the village, which everybody there may read, in the place of one's own.
    is_village: bool,
    items: Vec<SuggestionSummary>,
    next: Option<String>,
}

impl SuggestionsPage {
    /// Of one's own that waits: until when something is promised.
    fn promised(&self, one: &SuggestionSummary) -> Option<String> {
        let due_at = match one.state {
            SuggestionState::Submitted => one.accept_due_at,
            SuggestionState::Accepted => one.answer_due_at,
            SuggestionState::Answered | SuggestionState::Rated | SuggestionState::Withdrawn => return None,
        };
        (!self.is_village).then(|| deadline(&due_at))
    }
}

/// Which voices are listed.
#[derive(Debug, Default, Deserialize)]
struct Which {
    of: Option<String>,
    cursor: Option<String>,
}

async fn list(State(app): State<App>, who: Resident, Query(which): Query<Which>) -> Result<Response> {
    let is_village = which.of.as_deref() == Some("village");
    let scope = if is_village { Scope::Village } else { Scope::Mine };
    let query = SuggestionsQuery { scope, state: None, cursor: which.cursor, limit: None };
    let found = queries::list(app.store.read(), &app.keys, &who.actor, query).await?;
    let page = who.page(if is_village { "page-suggestions-village" } else { "page-suggestions" });
    Ok(render(&SuggestionsPage { page, is_village, items: found.items, next: found.next_cursor }))
}

#[derive(Template)]
#[template(path = "suggestion.html")]
struct SuggestionPage {
    page: Page,
    voice: SuggestionView,
    /// Beside what the law asks for; of a public voice.
    support: Option<SupportView>,
    steps: Vec<Step>,
    /// For its author: how it stands, in a sentence.
    now: Option<String>,
    thread: Option<Thread>,
    compose: Option<Compose>,
    typed: Fields,
    wrong: Wrong,
}

impl SuggestionPage {
    fn may_cosign(&self) -> bool {
        self.voice.can.contains(&crate::suggestions::Step::Cosign)
    }

    fn is_taken_up(&self, answer: &SuggestionAnswerView) -> bool {
        answer.outcome == AnswerOutcome::Answered
    }

    fn may_appeal(&self) -> bool {
        self.voice.can.contains(&crate::suggestions::Step::Appeal)
    }

    fn may_withdraw(&self) -> bool {
        self.voice.can.contains(&crate::suggestions::Step::Withdraw)
    }

    /// Of one's own that is not answered: why it cannot be taken back, if it cannot.
    fn is_shared(&self) -> Option<&'static str> {
        let head = &self.voice.summary;
        let waits = matches!(head.state, SuggestionState::Submitted | SuggestionState::Accepted);
        let is_kept = self.now.is_some() && waits && !self.may_withdraw();
        is_kept.then_some(if head.matter_id.is_some() { "page-withdraw-matter" } else { "page-withdraw-cosigned" })
    }

    fn may_rate(&self) -> bool {
        self.voice.can.contains(&crate::suggestions::Step::Rate)
    }

    /// It waits, and what was promised is over.
    fn is_late(&self) -> bool {
        let voice = &self.voice.summary;
        voice.overdue.is_some() && matches!(voice.state, SuggestionState::Submitted | SuggestionState::Accepted)
    }

    /// It was rated as solved, and its author may say that it is not.
    fn was_solved(&self) -> bool {
        self.voice.summary.state == SuggestionState::Rated
    }
}

async fn show(
    State(app): State<App>,
    who: Resident,
    Path(id): Path<SuggestionId>,
    Query(older): Query<Older>,
) -> Result<Response> {
    shown(&app, &who, id, (older.before, Unsent::default()), (Fields::default(), Wrong::default())).await
}

async fn shown(
    app: &App,
    who: &Resident,
    id: SuggestionId,
    (before, unsent): (Option<i64>, Unsent),
    (typed, wrong): (Fields, Wrong),
) -> Result<Response> {
    let voice = queries::open(app, &who.actor, id).await?;
    let mut page = who.page("page-suggestion").back("/suggestions").at(format!("/suggestions/{id}"));
    let (is_refused, status) = (wrong.is_any() || unsent.wrong.is_any(), wrong.status().max(unsent.wrong.status()));
    let (mut thread, mut compose) = (None, None);
    if let Some(stream) = voice.stream_id {
        let (stream, access) = streams::queries::readable(app.store.read(), &who.actor, stream).await?;
        thread = Some(thread::thread(app, &who.actor, &stream, before).await?.without_links_to(&page.path));
        thread::seen(app, &who.actor, &stream);
        page = page.live(Live::one(&stream).unless(is_refused));
        if access == Access::Write {
            let to = (&stream, format!("/suggestions/{id}/messages"));
            compose = Some(Compose::new(app, &who.actor, to, (None, unsent)).await?);
        }
    }
    let support = match voice.summary.visibility {
        Visibility::Public => suggestions::support(app, &who.actor, id).await.ok(),
        _ => None,
    };
    let author = suggestions::author_of(app.store.read(), id).await?;
    let is_own = author.is_some_and(|(author, _)| author == who.actor.person);
    if is_own {
        page = who.viewer.asked(app, page, Moment::OwnVoice).await;
    }
    let waits = matches!(voice.summary.state, SuggestionState::Submitted | SuggestionState::Accepted);
    let told = if waits { text::say("page-now-told") } else { String::new() };
    let again = if waits && !voice.answers.is_empty() { text::say("page-now-again") } else { String::new() };
    let now = is_own.then(|| again + &now(&voice.summary) + &told);
    let answered = voice.answers.last().map(|answer| answer.created_at);
    let steps = match &voice.withdrawn {
        Some(withdrawn) => taken_back(&voice.summary, withdrawn),
        None => steps(&voice.summary, answered),
    };
    let shown = SuggestionPage { page, voice, support, steps, now, thread, compose, typed, wrong };
    Ok(asking(render_as(status, &shown), &shown.page))
}

/// How a voice stands, and until when what comes next is promised: for who left it.
pub(super) fn now(voice: &SuggestionSummary) -> String {
    let (key, at) = match (voice.state, voice.overdue) {
        (SuggestionState::Submitted | SuggestionState::Accepted, Some(_)) => ("page-now-late", None),
        (SuggestionState::Submitted, None) => ("page-now-submitted", Some(&voice.accept_due_at)),
        (SuggestionState::Accepted, None) => ("page-now-accepted", Some(&voice.answer_due_at)),
        (SuggestionState::Answered, _) => ("page-now-answered", None),
        (SuggestionState::Rated, _) => ("page-now-rated", None),
        (SuggestionState::Withdrawn, _) => ("page-now-withdrawn", None),
    };
    let at = at.map(deadline).unwrap_or_default();
    text::say_with(key, &[("body", voice.body_name.as_str().into()), ("at", at.into())])
}

/// It came, and was taken back.
fn taken_back(voice: &SuggestionSummary, withdrawn: &WithdrawalView) -> Vec<Step> {
    let received = Step::named("page-step-received", "done").line(moment(&voice.created_at));
    vec![received, Step::named("page-step-withdrawn", "done").line(moment(&withdrawn.withdrawn_at))]
}

/// What was promised and what was kept.
fn steps(voice: &SuggestionSummary, answered: Option<DateTime<FixedOffset>>) -> Vec<Step> {
    let accepted = voice.accepted_at;
    let promised = |at: &DateTime<FixedOffset>| text::say_with("page-promised", &[("at", deadline(at).into())]);
    let is_answered = matches!(voice.state, SuggestionState::Answered | SuggestionState::Rated);
    let class = |is_done: bool, is_now: bool| {
        if is_done {
            "done"
        } else if is_now {
            "now"
        } else {
            ""
        }
    };
    let received = Step::named("page-step-received", "done").line(moment(&voice.created_at));
    let accept = Step::named("page-step-accept", class(accepted.is_some(), true)).line(match &accepted {
        Some(done) => moment(done),
        None => promised(&voice.accept_due_at),
    });
    let answer = Step::named("page-step-answer", class(is_answered, accepted.is_some())).line(match &answered {
        Some(done) if is_answered => moment(done),
        _ => promised(&voice.answer_due_at),
    });
    let is_rated = voice.state == SuggestionState::Rated;
    let rate = Step::named("page-step-rate", class(is_rated, is_answered));
    let rate = rate.line(match voice.rating.filter(|_| is_rated) {
        Some(stars) => text::say_with("page-rated", &[("n", stars.into())]),
        None => text::say("page-step-rate-hint"),
    });
    vec![
        received,
        Step { is_late: voice.overdue == Some(Deadline::Accept) && accepted.is_none(), ..accept },
        Step { is_late: voice.overdue == Some(Deadline::Answer) && !is_answered, ..answer },
        rate,
    ]
}

async fn write(State(app): State<App>, who: Resident, Path(id): Path<SuggestionId>, form: Form) -> Result<Response> {
    let voice = queries::open(&app, &who.actor, id).await?;
    let stream = voice.stream_id.ok_or(Code::NotFound)?;
    match compose::send(&app, who.actor.clone(), stream, form).await? {
        None => Ok(see(&format!("/suggestions/{id}#newest"))),
        Some(unsent) => shown(&app, &who, id, (None, unsent), (Fields::default(), Wrong::default())).await,
    }
}

async fn cosign(State(app): State<App>, who: Resident, Path(id): Path<SuggestionId>, form: Fields) -> Result<Response> {
    let (actor, input) = (who.actor.clone(), (id, Cosign { is_on: form.given("is_on").is_some() }));
    app.store.write(move |tx| Box::pin(async move { suggestions::cosign(tx, &actor, input).await })).await?;
    Ok(see(&format!("/suggestions/{id}")))
}

/// Its author needs nobody to deal with it any more.
async fn withdraw(
    State(app): State<App>,
    who: Resident,
    Path(id): Path<SuggestionId>,
    form: Fields,
) -> Result<Response> {
    let input = (id, WithdrawSuggestion { reason: form.text("reason").replace("\r\n", "\n") });
    let withdrawn = app.once(who.actor.clone(), form.key(), "withdraw_suggestion", input, |tx, actor, input| {
        Box::pin(withdrawals::withdraw(tx, actor, input))
    });
    match withdrawn.await {
        Ok(_) => Ok(see(&format!("/suggestions/{id}"))),
        Err(error) => shown(&app, &who, id, (None, Unsent::default()), (form, Wrong::from(error)?)).await,
    }
}

/// Its author objects to its being hidden.
async fn appeal(State(app): State<App>, who: Resident, Path(id): Path<SuggestionId>, form: Fields) -> Result<Response> {
    let input = (id, AppealHiding { text: form.text("text").replace("\r\n", "\n") });
    let appealed = app.once(who.actor.clone(), form.key(), "appeal_hiding", input, |tx, actor, input| {
        Box::pin(hidings::appeal(tx, actor, input))
    });
    match appealed.await {
        Ok(_) => Ok(see(&format!("/suggestions/{id}"))),
        Err(error) => shown(&app, &who, id, (None, Unsent::default()), (form, Wrong::from(error)?)).await,
    }
}

async fn rate(State(app): State<App>, who: Resident, Path(id): Path<SuggestionId>, form: Fields) -> Result<Response> {
    let rated = async {
        let rating = RateSuggestion {
            rating: form.required("rating")?,
            text: form.text("rating_text").replace("\r\n", "\n"),
            answer_id: form.optional("answer_id")?,
        };
        app.once(who.actor.clone(), form.key(), "rate_suggestion", (id, rating), |tx, actor, input| {
            Box::pin(commands::rate(tx, actor, input))
        })
        .await
    };
    match rated.await {
        Ok(_) => Ok(see(&format!("/suggestions/{id}"))),
        Err(error) => shown(&app, &who, id, (None, Unsent::default()), (form, Wrong::from(error)?)).await,
    }
}
