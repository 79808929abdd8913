//! `/settings/telling`: what one wants to be told, by which way and how soon; following a matter and leaving it.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Resident, asking, render_as, see, see_saved, up},
    words::Words,
};
use crate::{
    app::{
        App, Path,
        routing::{get, post},
    },
    delivery::{
        preferences::{self, ChooseTelling, TellingChoices, TopicChoice},
        rules::ladder::{Mode, Topic},
    },
    error::Result,
    ids::MatterId,
    matters,
    wechat::rules::Moment,
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/settings/telling", get(show).merge(post(choose)))
        .route("/matters/{id}/follow", post(follow).merge(get(up)))
}

/// What a category of notices has on the form that is as all notices are.
const AS_ABOVE: &str = "as_above";

#[derive(Template)]
#[template(path = "telling.html")]
struct TellingPage {
    page: Page,
    choices: TellingChoices,
    followed: Vec<(MatterId, String)>,
    modes: &'static [Mode],
    typed: Fields,
    wrong: Wrong,
}

impl TellingPage {
    /// Is this what is chosen, or what was typed and refused?
    fn is_chosen(&self, one: &TopicChoice, mode: &Mode) -> bool {
        match self.typed.given(one.topic.as_str()) {
            Some(typed) => typed == mode.as_str(),
            None => one.mode == *mode && !self.follows(one),
        }
    }

    /// A category of notices may be as all notices are, and is until it is chosen by itself.
    fn follows(&self, one: &TopicChoice) -> bool {
        one.topic.above() != one.topic && !self.choices.own.contains(&one.topic)
    }
}

async fn show(State(app): State<App>, who: Resident) -> Result<Response> {
    shown(&app, &who, (Fields::default(), Wrong::default())).await
}

async fn shown(app: &App, who: &Resident, (typed, wrong): (Fields, Wrong)) -> Result<Response> {
    let db = app.store.read();
    let choices = preferences::choices(db, who.actor.person).await?;
    let titles = matters::queries::titles(db, choices.following.clone()).await?;
    let followed = choices.following.iter().filter_map(|id| Some((*id, titles.get(id)?.clone()))).collect();
    let page = who.page("page-telling").back("/").at("/settings/telling");
    let page = who.viewer.asked(app, page, Moment::Settings).await;
    let shown = TellingPage { page, choices, followed, modes: Mode::ALL, typed, wrong };
    Ok(asking(render_as(shown.wrong.status(), &shown), &shown.page))
}

async fn choose(State(app): State<App>, who: Resident, form: Fields) -> Result<Response> {
    let (mut topics, mut inherit) = (Vec::new(), Vec::new());
    for topic in Topic::ALL {
        if form.given(topic.as_str()).is_none() {
            continue;
        }
        if form.has(topic.as_str(), AS_ABOVE) {
            inherit.push(*topic);
            continue;
        }
        match form.choice(topic.as_str()) {
            Ok(mode) => topics.push(TopicChoice { topic: *topic, mode }),
            Err(error) => return shown(&app, &who, (form, Wrong::from(error)?)).await,
        }
    }
    let input =
        ChooseTelling { by_wechat: form.has("by_wechat", "1"), by_sms: form.has("by_sms", "1"), topics, inherit };
    let chosen = app.once(who.actor.clone(), form.key(), "choose_telling", input, |tx, actor, input| {
        Box::pin(preferences::choose(tx, actor, input))
    });
    match chosen.await {
        Ok(_) => Ok(see_saved("/settings/telling")),
        Err(error) => shown(&app, &who, (form, Wrong::from(error)?)).await,
    }
}

/// Follows a matter, or leaves it.
async fn follow(State(app): State<App>, who: Resident, Path(id): Path<MatterId>, form: Fields) -> Result<Response> {
    let actor = who.actor.clone();
    let done = if form.has("follow", "0") {
        app.store.write(move |tx| Box::pin(async move { preferences::unfollow(tx, &actor, id).await })).await
    } else {
        app.store.write(move |tx| Box::pin(async move { preferences::follow(tx, &actor, id).await })).await
    };
    done?;
    let back = if form.has("then", "telling") { "/settings/telling".to_owned() } else { format!("/matters/{id}") };
    Ok(see(&back))
}
