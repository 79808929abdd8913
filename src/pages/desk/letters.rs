//! Letters on the desk: residents' conversations with the office, answered by whoever serves there.
use askama::Template;
use axum::{extract::State, response::Response};
use chrono::{DateTime, FixedOffset, NaiveTime};

use super::frame::{Clerk, Desk, Draft};
use crate::{
    app::App,
    bodies::{
        Right,
        duty::{self, DutyView, SetDuty},
        rights,
    },
    clock,
    error::{Checks, Code, Result},
    ids::BodyId,
    pages::{
        fields::Fields,
        layout::{Live, Page, render_as, see},
        words::Words,
    },
    streams::{self, StreamView},
    text,
};

#[derive(Template)]
#[template(path = "desk/letters.html")]
struct LettersPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    letters: Vec<StreamView>,
    duties: Vec<Duty>,
}

/// An office in which the clerk answers letters.
struct Duty {
    body: BodyId,
    name: String,
    now: DutyView,
}

/// All of them, newest first.
pub(super) async fn list(State(app): State<App>, clerk: Clerk) -> Result<Response> {
    shown(&app, &clerk, Draft::default()).await
}

async fn shown(app: &App, clerk: &Clerk, draft: Draft) -> Result<Response> {
    let mut duties = Vec::new();
    for seat in &clerk.actor.seats {
        let answers = rights(&seat.body_kind, &seat.role).contains(&Right::HandleSuggestions);
        if answers && duties.iter().all(|duty: &Duty| duty.body != seat.body_id) {
            let now = duty::on_duty(app.store.read(), seat.body_id, app.now()).await?;
            duties.push(Duty { body: seat.body_id, name: seat.body_name.clone(), now });
        }
    }
    let page = clerk.page(text::say("desk-letters")).at("/desk/letters");
    let shown = LettersPage {
        page: page.live(draft.is_blank().then(Live::always)),
        desk: clerk.desk(),
        letters: streams::queries::letters(app, &clerk.actor).await?,
        duties,
        draft,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Goes on duty until a time of today, or off.
pub(super) async fn duty(State(app): State<App>, clerk: Clerk, fields: Fields) -> Result<Response> {
    let done = async {
        let body: BodyId = fields.required("body_id")?;
        let until = match fields.given("until") {
            Some(time) if !fields.has("off", "1") => Some(today_at(&app, time)?),
            _ => None,
        };
        let actor = clerk.actor.clone();
        app.store.write(move |tx| Box::pin(async move { duty::set(tx, &actor, (body, SetDuty { until })).await })).await
    };
    match done.await {
        Ok(_) => Ok(see("/desk/letters")),
        Err(error) => shown(&app, &clerk, Draft::refused("duty", fields, error)?).await,
    }
}

fn today_at(app: &App, time: &str) -> Result<DateTime<FixedOffset>> {
    let time = NaiveTime::parse_from_str(time, "%H:%M").ok();
    let mut checks = Checks::default();
    checks.require(time.is_some(), "until", "not_a_time");
    checks.done()?;
    let here = time.map(|time| app.local_now().date_naive().and_time(time));
    here.and_then(|at| at.and_local_timezone(clock::shanghai()).single()).ok_or_else(|| Code::InvalidFields.into())
}
