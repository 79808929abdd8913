//! Webhooks on the desk: which addresses are told of an area, how they fare, and what went to them last.
use std::collections::HashMap;

use askama::Template;
use axum::{extract::State, response::Response};

use super::frame::{Clerk, Desk, Draft, places};
use crate::{
    app::{App, Path, Query},
    areas::AreaName,
    bodies::Right,
    delivery::{
        NewWebhook, SetUpWebhook, WebhookView,
        calls::{self, HookCall},
        commands, queries,
    },
    error::{Code, Result},
    ids::WebhookId,
    pages::{
        fields::{Fields, WhichArea},
        layout::{Page, encode, render_as, see},
        words::Words,
    },
    text,
};

#[derive(Template)]
#[template(path = "desk/webhooks.html")]
struct WebhooksPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<AreaName>,
    area: String,
    webhooks: Vec<WebhookView>,
    calls: HashMap<WebhookId, Vec<HookCall>>,
    /// The one that was just set up, with its secret.
    new: Option<NewWebhook>,
}

impl WebhooksPage {
    /// What went to a webhook last.
    fn calls_of(&self, webhook: &WebhookView) -> &[HookCall] {
        self.calls.get(&webhook.id).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Query(filter): Query<WhichArea>) -> Result<Response> {
    shown(&app, &clerk, (filter.area, Draft::default(), None)).await
}

async fn shown(
    app: &App,
    clerk: &Clerk,
    (area, draft, new): (Option<String>, Draft, Option<NewWebhook>),
) -> Result<Response> {
    let db = app.store.read();
    let area = clerk.place_with(Right::ManageWebhooks, area)?;
    let webhooks = queries::webhooks(db, &clerk.actor, &area).await?;
    let ids: Vec<WebhookId> = webhooks.iter().map(|one| one.id).collect();
    let shown = WebhooksPage {
        page: clerk.page(text::say("desk-webhooks")).at("/desk/webhooks"),
        desk: clerk.desk(),
        draft,
        areas: places(db, clerk, &area).await?,
        calls: calls::newest(db, &ids).await?,
        webhooks,
        new,
        area,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Sets one up, removes one, or has one called. The secret of a new one stands on the answer alone.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path(form): Path<String>,
    fields: Fields,
) -> Result<Response> {
    let area = fields.text("area").to_owned();
    let done = match form.as_str() {
        "add" => add(&app, &clerk, &fields).await.map(Some),
        "remove" => remove(&app, &clerk, &fields).await.map(|()| None),
        "test" => test(&app, &clerk, &fields).await.map(|()| None),
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(None) => Ok(see(&format!("/desk/webhooks?area={}", encode(&area)))),
        Ok(new) => shown(&app, &clerk, (Some(area), Draft::default(), new)).await,
        Err(error) => shown(&app, &clerk, (Some(area), Draft::refused(&form, fields, error)?, None)).await,
    }
}

async fn add(app: &App, clerk: &Clerk, fields: &Fields) -> Result<NewWebhook> {
    let area = fields.text("area").to_owned();
    let input = SetUpWebhook { url: fields.text("url").to_owned(), secret: None };
    commands::may_set_up(app, &clerk.actor, &area, &input).await?;
    let secret = commands::secret_for(&app.keys, &input)?;
    let ours = secret.clone();
    let set_up =
        app.once(clerk.actor.clone(), fields.key(), "set_up_webhook", (area, input), move |tx, actor, input| {
            Box::pin(async move { commands::set_up(tx, actor, input, &ours).await })
        });
    queries::with_secret(app.store.read(), &app.keys, (set_up.await?, secret)).await
}

async fn remove(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let which = (fields.text("area").to_owned(), fields.required::<WebhookId>("webhook_id")?);
    let remove = app.once(clerk.actor.clone(), fields.key(), "remove_webhook", which, |tx, actor, which| {
        Box::pin(commands::remove(tx, actor, which))
    });
    remove.await
}

async fn test(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let which = (fields.text("area").to_owned(), fields.required::<WebhookId>("webhook_id")?);
    let test = app.once(clerk.actor.clone(), fields.key(), "test_webhook", which, |tx, actor, which| {
        Box::pin(commands::test(tx, actor, which))
    });
    test.await
}
