//! Legal officers on the desk: where and when they are there.
use askama::Template;
use axum::{extract::State, response::Response};

use super::frame::{Clerk, Desk, Draft, named, places, villages};
use crate::{
    app::{App, Path, Query},
    areas::AreaName,
    bodies::Right,
    error::{Code, Result},
    ids::SeatId,
    legal::{
        LegalOfficerView, SetLegalDesk,
        officers::{self, may_set},
    },
    pages::{
        fields::{Fields, WhichArea},
        layout::{Page, encode, render_as, see},
        words::Words,
    },
    text,
};

#[derive(Template)]
#[template(path = "desk/legal.html")]
struct LegalDeskPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<AreaName>,
    area: String,
    officers: Vec<Officer>,
    /// The clerk mediates, and nobody else sees it.
    mediates: bool,
}

/// A legal officer, and what the clerk may say about one.
struct Officer {
    view: LegalOfficerView,
    /// Villages to choose from; nothing for who may not.
    choices: Option<Vec<AreaName>>,
}

impl Officer {
    /// The form's own name: there is one for each officer.
    fn form(&self) -> String {
        format!("desk-{}", self.view.seat_id)
    }

    fn serves(&self, village: &AreaName) -> bool {
        self.view.villages.contains(village)
    }
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Query(filter): Query<WhichArea>) -> Result<Response> {
    shown(&app, &clerk, (filter.area.as_deref(), Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, (area, draft): (Option<&str>, Draft)) -> Result<Response> {
    let db = app.store.read();
    let area = clerk.place(area);
    let shown = LegalDeskPage {
        page: clerk.page(text::say("desk-legal")).at("/desk/legal"),
        desk: clerk.desk(),
        draft,
        areas: places(db, clerk, &area).await?,
        officers: officers_of(app, clerk, &area).await?,
        mediates: clerk.may(Right::NoteLegality, &area),
        area,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

async fn officers_of(app: &App, clerk: &Clerk, area: &str) -> Result<Vec<Officer>> {
    let db = app.store.read();
    let mut officers = Vec::new();
    for (body, seat, view) in officers::of_area(db, area, app.now()).await? {
        let choices = if may_set(&clerk.actor, &body, &seat) {
            let mut codes = villages(db, body.areas).await?;
            codes.sort();
            Some(named(db, codes).await?)
        } else {
            None
        };
        officers.push(Officer { view, choices });
    }
    Ok(officers)
}

/// Says where and when an officer is there.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path(form): Path<String>,
    fields: Fields,
) -> Result<Response> {
    let area = fields.text("area").to_owned();
    let (name, done) = match form.as_str() {
        "desk" => (format!("desk-{}", fields.text("seat_id")), keep_desk(&app, &clerk, &fields).await),
        _ => return Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see(&format!("/desk/legal?area={}", encode(&area)))),
        Err(error) => shown(&app, &clerk, (Some(&area), Draft::refused(&name, fields, error)?)).await,
    }
}

async fn keep_desk(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let seat: SeatId = fields.required("seat_id")?;
    let input = SetLegalDesk {
        place: fields.text("place").to_owned(),
        hours: fields.text("hours").to_owned(),
        villages: fields.all("village").map(str::to_owned).collect(),
    };
    let actor = clerk.actor.clone();
    app.store.write(move |tx| Box::pin(async move { officers::set(tx, &actor, (seat, input)).await })).await.map(drop)
}
