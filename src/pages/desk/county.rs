//! The desk of whoever runs the county: health, areas with their counts, bodies with their terms.
use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::{FromRequestParts, State},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, FixedOffset};

use super::frame::{Clerk, Desk};
use crate::{
    app::{App, Query},
    areas::{self, AreaName, VILLAGE_CODE},
    bodies::{self, Right},
    county::{
        Means,
        health::{self, Health, Work},
        queries::{self, Ending, Line, Overview, Seated},
        rules::Band,
    },
    error::{Code, Error, Result},
    pages::{
        fields::WhichArea,
        layout::{Page, render},
        words::Words,
    },
    text,
};

/// Somebody who runs the county; others are told that this is not for them.
pub(super) struct Operator(pub(super) Clerk);

impl FromRequestParts<App> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> std::result::Result<Self, Response> {
        let clerk = Clerk::from_request_parts(parts, app).await?;
        if bodies::areas_with(&clerk.actor, Right::OperateCounty).is_empty() {
            return Err(Error::from(Code::NotAllowed).into_response());
        }
        Ok(Self(clerk))
    }
}

/// The pages of this desk: key of the name and path.
pub(super) const TABS: [(&str, &str); 7] = [
    ("county-health", "/desk/county"),
    ("county-areas", "/desk/county/areas"),
    ("county-overdue", "/desk/county/overdue"),
    ("county-bodies", "/desk/county/bodies"),
    ("county-failures", "/desk/county/failures"),
    ("county-voices", "/desk/county/voices"),
    ("county-routes", "/desk/county/routes"),
];

#[derive(Template)]
#[template(path = "desk/county.html")]
struct HealthPage {
    page: Page,
    desk: Desk,
    tabs: [(&'static str, &'static str); 7],
    here: &'static str,
    health: Health,
    work: Option<Work>,
    broker: String,
    sockets: usize,
    now: DateTime<FixedOffset>,
}

impl HealthPage {
    fn size(&self, bytes: &u64) -> String {
        size(*bytes)
    }

    fn parts(&self) -> [(&'static str, bool); 8] {
        [
            ("county-part-database", self.health.database),
            ("county-part-broker", self.health.broker),
            ("county-part-relay", self.health.relay()),
            ("county-part-letters", self.health.dead_letters() == 0),
            ("county-part-calendar", self.health.calendar),
            ("county-part-media", self.health.media),
            ("county-part-disk", self.health.room()),
            ("county-part-sms", self.health.sms),
        ]
    }
}

/// How the parts do.
pub(super) async fn health(
    State(app): State<App>,
    Operator(clerk): Operator,
    Extension(means): Extension<Means>,
) -> Result<Response> {
    Ok(render(&HealthPage {
        page: clerk.page(text::say("county-title")),
        desk: clerk.desk(),
        tabs: TABS,
        here: "county-health",
        health: health::measure(&app).await,
        work: health::work(&app).await.ok(),
        broker: text::word("county-broker", app.broker.name()),
        sockets: Arc::clone(&means.hub).connected(),
        now: app.local_now(),
    }))
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    let (unit, scale) = match bytes {
        0..1_048_576 => ("KiB", 10),
        1_048_576..1_073_741_824 => ("MiB", 20),
        _ => ("GiB", 30),
    };
    let tenths = (u128::from(bytes) * 10) >> scale;
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[derive(Template)]
#[template(path = "desk/county_areas.html")]
struct AreasPage {
    page: Page,
    desk: Desk,
    tabs: [(&'static str, &'static str); 7],
    here: &'static str,
    overview: Overview,
}

impl AreasPage {
    fn banded(&self, band: &Band) -> String {
        banded(*band)
    }

    fn has_more(&self, line: &Line) -> bool {
        line.area.code.len() < VILLAGE_CODE
    }
}

/// The areas with their counts.
pub(super) async fn areas(
    State(app): State<App>,
    Operator(clerk): Operator,
    Query(place): Query<WhichArea>,
) -> Result<Response> {
    let area = queries::place(&clerk.actor, place.area.as_deref())?;
    let overview = queries::overview(app.store.read(), &area, app.now()).await?;
    let page = clerk.page(text::say("county-areas"));
    Ok(render(&AreasPage { page, desk: clerk.desk(), tabs: TABS, here: "county-areas", overview }))
}

/// A band in words.
fn banded(band: Band) -> String {
    match band {
        Band::Zero => "0".to_owned(),
        Band::Between(from, to) => text::say_with("county-band-between", &[("from", from.into()), ("to", to.into())]),
        Band::From(from) => text::say_with("county-band-from", &[("from", from.into())]),
    }
}

#[derive(Template)]
#[template(path = "desk/county_bodies.html")]
struct BodiesPage {
    page: Page,
    desk: Desk,
    tabs: [(&'static str, &'static str); 7],
    here: &'static str,
    path: Vec<AreaName>,
    below: Vec<AreaName>,
    area: String,
    bodies: Vec<Seated>,
    ending: Vec<Ending>,
    today: chrono::NaiveDate,
}

/// The bodies of an area: who sits where until when; and whose terms end.
pub(super) async fn bodies(
    State(app): State<App>,
    Operator(clerk): Operator,
    Query(place): Query<WhichArea>,
) -> Result<Response> {
    let db = app.store.read();
    let area = queries::place(&clerk.actor, place.area.as_deref())?;
    let below = areas::queries::children(db, Some(&area)).await?;
    let villages_only = |code: &String| code.len() <= VILLAGE_CODE;
    Ok(render(&BodiesPage {
        page: clerk.page(text::say("county-bodies")),
        desk: clerk.desk(),
        tabs: TABS,
        here: "county-bodies",
        path: areas::path_names(db, &area).await?,
        below: below
            .into_iter()
            .filter(|area| villages_only(&area.code))
            .map(|area| AreaName { code: area.code, name: area.name })
            .collect(),
        bodies: queries::bodies_of(db, &area, app.now()).await?,
        ending: queries::ending(db, &area, app.now()).await?,
        today: app.local_now().date_naive(),
        area,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_the_unit_that_fits() {
        for (bytes, shown) in [
            (0, "0.0 KiB"),
            (1536, "1.5 KiB"),
            (1 << 20, "1.0 MiB"),
            ((3 << 30) + (1 << 29), "3.5 GiB"),
            (u64::MAX, "17179869183.9 GiB"),
        ] {
            assert_eq!(size(bytes), shown);
        }
    }

    #[test]
    fn every_tab_and_part_has_its_words() {
        for (key, _) in TABS {
            assert!(text::knows(key), "{key}");
        }
        assert_eq!(banded(Band::Zero), "0");
        assert_eq!(banded(Band::Between(1, 4)), "1–4");
        assert_eq!(banded(Band::From(100)), "100 以上");
    }
}
