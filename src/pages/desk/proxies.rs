//! Proxies on the desk's page of a vote: one on paper is written down with its photo, and checked by another; and who casts
//! for a household.
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

use super::{
    frame::{Clerk, Desk, Draft, places},
    votes::shown,
};
use crate::{
    app::{App, Path, Query},
    areas::AreaName,
    bodies::Right,
    error::{Code, Result},
    ids::{HouseholdId, PersonId, VoteId},
    pages::{
        fields::{Fields, Form, Sent, Wrong, with_files},
        layout::{Page, encode, render_as, see},
        proxy::chosen,
        words::Words,
    },
    text,
    votes::{
        HouseholdView, NameAgents, NameProxy,
        commands::{Called, check_proxy, name_agents, name_proxy, revoke_proxy},
        queries::{self, households::numbered},
    },
};

/// Writes down a proxy on paper.
pub(super) async fn name(State(app): State<App>, clerk: Clerk, Path(id): Path<VoteId>, form: Form) -> Result<Response> {
    let vote = queries::vote(app.store.read(), id).await?;
    clerk.sits_over(&vote.area_code)?;
    let mut sent = with_files(&app, &clerk.actor, form).await?;
    match write_down(&app, &clerk, id, &mut sent).await {
        Ok(()) => Ok(see(&format!("/desk/votes/{id}"))),
        Err(error) => shown(&app, &clerk, id, (Wrong::default(), Draft::refused("proxy", sent.fields, error)?)).await,
    }
}

async fn write_down(app: &App, clerk: &Clerk, id: VoteId, sent: &mut Sent) -> Result<()> {
    sent.whole()?;
    let fields = &sent.fields;
    let called = |field: &str| Called {
        name: fields.text(&format!("{field}.name")).to_owned(),
        roster_number: fields.given(&format!("{field}.number")).map(str::to_owned),
    };
    let input = NameProxy {
        elector: Some(called("elector")),
        agent: called("agent"),
        relation: fields.choice("relation")?,
        proof_media_id: sent.media().first().copied(),
    };
    let named = app.once(clerk.actor.clone(), fields.key(), "name_proxy", (id, input), |tx, actor, input| {
        Box::pin(name_proxy(tx, actor, input))
    });
    named.await.map(drop)
}

/// Checked by a second person, or ended.
pub(super) async fn decide(app: &App, clerk: &Clerk, id: VoteId, (is_check, fields): (bool, &Fields)) -> Result<()> {
    let (actor, number) = (clerk.actor.clone(), fields.required::<i32>("number")?);
    let done = app.store.write(move |tx| {
        Box::pin(async move {
            if is_check {
                check_proxy(tx, &actor, (id, number)).await
            } else {
                revoke_proxy(tx, &actor, (id, number)).await
            }
        })
    });
    done.await.map(drop)
}

/// Which household.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    area: Option<String>,
    number: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/households.html")]
struct HouseholdsPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<AreaName>,
    area: String,
    number: String,
    home: Option<HouseholdView>,
    ranks: [i32; 3],
}

impl HouseholdsPage {
    /// Is this person chosen for this rank?
    fn is_chosen(&self, rank: &i32, person: &PersonId, named: &Option<i32>) -> bool {
        self.draft.has("agents", &format!("person_{rank}"), &person.to_string(), *named == Some(*rank))
    }
}

/// The page of households.
pub(super) async fn households(State(app): State<App>, clerk: Clerk, Query(filter): Query<Filter>) -> Result<Response> {
    found(&app, &clerk, (filter, Draft::default())).await
}

async fn found(app: &App, clerk: &Clerk, (filter, draft): (Filter, Draft)) -> Result<Response> {
    let area = clerk.place_with(Right::OpenVote, filter.area)?;
    let number = filter.number.unwrap_or_default();
    let home = match numbered(app, &clerk.actor, (&area, &number)).await {
        Ok(home) => Some(home),
        Err(error) if error.code() == Code::NotFound => None,
        Err(error) => return Err(error),
    };
    let page = HouseholdsPage {
        page: clerk.page(text::say("desk-households")).at("/desk/households"),
        desk: clerk.desk(),
        draft,
        areas: places(app.store.read(), clerk, &area).await?,
        area,
        number,
        home,
        ranks: [0, 1, 2],
    };
    Ok(render_as(page.draft.status(), &page))
}

/// Names who casts for a household.
pub(super) async fn name_household(State(app): State<App>, clerk: Clerk, fields: Fields) -> Result<Response> {
    let (area, number) = (fields.text("area").to_owned(), fields.text("number").to_owned());
    let (actor, id) = (clerk.actor.clone(), fields.required::<HouseholdId>("household_id")?);
    let input = NameAgents { people: chosen(&fields) };
    let done = app.store.write(move |tx| Box::pin(async move { name_agents(tx, &actor, (id, input)).await })).await;
    match done {
        Ok(()) => Ok(see(&format!("/desk/households?area={}&number={}", encode(&area), encode(&number)))),
        Err(error) => {
            let filter = Filter { area: Some(area), number: Some(number) };
            found(&app, &clerk, (filter, Draft::refused("agents", fields, error)?)).await
        }
    }
}
