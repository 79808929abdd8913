//! 章程、授权 on the desk: what a village's assembly allowed, its own paths and what its representatives may decide; the
//! committee's chair writes it down and ends it.
use askama::Template;
use axum::{extract::State, response::Response};

use super::frame::{Clerk, Desk, Draft, places};
use crate::{
    app::{App, Path, Query},
    areas::AreaName,
    bodies::Right,
    clock,
    error::{Code, Result},
    ids::{AuthorisationId, CharterId},
    matters::{
        self, AdoptCharter, AuthorisationView, CharterView, OwnPath, OwnStage, RecordAuthorisation, ReservedItem,
        Stage, TemplateKey, commands,
    },
    pages::{
        fields::{Fields, WhichArea},
        layout::{Page, encode, render_as, see},
        words::Words,
    },
    text,
};

/// Working days of a stage for which nothing else was typed.
const DAYS: u32 = 10;

#[derive(Template)]
#[template(path = "desk/charters.html")]
struct ChartersPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<AreaName>,
    area: String,
    charters: Vec<CharterView>,
    authorisations: Vec<AuthorisationView>,
    may_adopt: bool,
    today: String,
}

impl ChartersPage {
    /// Room for each stage of a path of the village's own.
    fn slots(&self) -> Vec<Slot> {
        Stage::ALL.into_iter().map(Slot::of).collect()
    }

    fn reserved(&self) -> [ReservedItem; 10] {
        ReservedItem::ALL
    }
}

/// Names of the fields of one stage.
struct Slot {
    stage: &'static str,
    /// No path goes without it.
    is_lawful_minimum: bool,
    used: String,
    days: String,
    /// Where there is something to count.
    min: Option<String>,
    /// Where answers are counted.
    answers: Option<String>,
}

impl Slot {
    fn of(stage: Stage) -> Self {
        let field = |name: &str| format!("{}.{name}", stage.as_str());
        let counts = !matches!(stage, Stage::Publicise | Stage::Decide);
        let asks = matches!(stage, Stage::Raise | Stage::Evaluate);
        Self {
            stage: stage.as_str(),
            is_lawful_minimum: matches!(stage, Stage::Raise | Stage::Publicise | Stage::Evaluate),
            used: field("used"),
            days: field("days"),
            min: counts.then(|| field("min")),
            answers: asks.then(|| field("answers")),
        }
    }

    /// The stage as it was typed; nothing when it was left out.
    fn typed(&self, stage: Stage, fields: &Fields) -> Result<Option<OwnStage>> {
        if !self.is_lawful_minimum && fields.given(&self.used).is_none() {
            return Ok(None);
        }
        let number = |field: &Option<String>| match field {
            Some(field) => fields.optional(field),
            None => Ok(None),
        };
        let due_working_days = fields.optional(&self.days)?.unwrap_or(DAYS);
        Ok(Some(OwnStage { stage, due_working_days, min: number(&self.min)?, min_answers: number(&self.answers)? }))
    }
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Query(filter): Query<WhichArea>) -> Result<Response> {
    shown(&app, &clerk, (filter.area.as_deref(), Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, (area, draft): (Option<&str>, Draft)) -> Result<Response> {
    let db = app.store.read();
    let area = clerk.place(area);
    let shown = ChartersPage {
        page: clerk.page(text::say("desk-charters")).at("/desk/charters"),
        desk: clerk.desk(),
        draft,
        areas: places(db, clerk, &area).await?,
        charters: matters::queries::charters(db, &area).await?,
        authorisations: matters::queries::authorisations(db, &area).await?,
        may_adopt: clerk.may(Right::BendPath, &area),
        today: clock::local_date(app.now()).to_string(),
        area,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Writes one down, or ends it.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path(form): Path<String>,
    fields: Fields,
) -> Result<Response> {
    let area = fields.text("area").to_owned();
    let done = match form.as_str() {
        "adopt" => adopt(&app, &clerk, &fields).await,
        "end" => end(&app, &clerk, &fields).await,
        "path" => adopt_path(&app, &clerk, &fields).await,
        "authorise" => authorise(&app, &clerk, &fields).await,
        "revoke" => revoke(&app, &clerk, &fields).await,
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see(&format!("/desk/charters?area={}", encode(&area)))),
        Err(error) => shown(&app, &clerk, (Some(&area), Draft::refused(&form, fields, error)?)).await,
    }
}

async fn adopt(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let input = AdoptCharter {
        area_code: fields.text("area").to_owned(),
        template: TemplateKey::Short,
        path: None,
        adopted_on: fields.required("adopted_on")?,
        source: fields.text("source").to_owned(),
    };
    let adopt = app.once(clerk.actor.clone(), fields.key(), "adopt_charter", input, |tx, actor, input| {
        Box::pin(commands::adopt_charter(tx, actor, input))
    });
    adopt.await.map(drop)
}

/// A path that the village's own rules set down.
async fn adopt_path(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let typed: Result<Vec<Option<OwnStage>>> =
        Stage::ALL.into_iter().map(|stage| Slot::of(stage).typed(stage, fields)).collect();
    let path = OwnPath { name: fields.text("path.name").to_owned(), stages: typed?.into_iter().flatten().collect() };
    let input = AdoptCharter {
        area_code: fields.text("area").to_owned(),
        template: TemplateKey::Own,
        path: Some(path),
        adopted_on: fields.required("adopted_on")?,
        source: fields.text("source").to_owned(),
    };
    let adopt = app.once(clerk.actor.clone(), fields.key(), "adopt_charter", input, |tx, actor, input| {
        Box::pin(commands::adopt_charter(tx, actor, input))
    });
    adopt.await.map(drop)
}

async fn authorise(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let input = RecordAuthorisation {
        area_code: fields.text("area").to_owned(),
        reserved_item: fields.choice("reserved_item")?,
        adopted_on: fields.required("adopted_on")?,
        until_on: fields.required("until_on")?,
        source: fields.text("source").to_owned(),
    };
    let record = app.once(clerk.actor.clone(), fields.key(), "record_authorisation", input, |tx, actor, input| {
        Box::pin(commands::record_authorisation(tx, actor, input))
    });
    record.await.map(drop)
}

async fn revoke(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let id: AuthorisationId = fields.required("authorisation_id")?;
    let end = app.once(clerk.actor.clone(), fields.key(), "end_authorisation", id, |tx, actor, id| {
        Box::pin(commands::end_authorisation(tx, actor, id))
    });
    end.await.map(drop)
}

async fn end(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let id: CharterId = fields.required("charter_id")?;
    let end = app.once(clerk.actor.clone(), fields.key(), "end_charter", id, |tx, actor, id| {
        Box::pin(commands::end_charter(tx, actor, id))
    });
    end.await.map(drop)
}
