//! Whom a notice has reached: the board by name and household, on screen and on paper; and the script for the loudspeaker.
use askama::Template;
use axum::{extract::State, response::Response};
use chrono::{DateTime, FixedOffset};
use serde::Deserialize;

use super::frame::{Clerk, Desk};
use crate::{
    actor::covers,
    app::{App, Path, Query},
    areas::{self, VILLAGE_CODE},
    bodies::Right,
    delivery::{
        board::{self, ReachRow, ReachView},
        villages::{self, VillageReach},
    },
    error::Result,
    gateways::loudspeaker,
    ids::NoticeId,
    notices::{self, NoticeDetail},
    pages::{
        layout::{Page, render},
        words::Words,
    },
    text,
};

/// Which village, of a notice of its town or county.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    area: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/reach.html")]
struct ReachPage {
    page: Page,
    desk: Desk,
    notice: NoticeDetail,
    view: ReachView,
    unreached: Vec<ReachRow>,
    reached: Vec<ReachRow>,
    is_village: bool,
    /// Of a notice of a town or the county.
    villages: Vec<VillageReach>,
    /// The village that is shown of such a notice.
    village: String,
    /// Of a must-read notice: the doors of the village that is shown, for who knocks at them.
    doors: Option<String>,
    may_release: bool,
    at: DateTime<FixedOffset>,
}

/// The board; of a notice from above a village's office sees its own people, and who sits over it the villages.
pub(super) async fn show(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<NoticeId>,
    Query(filter): Query<Filter>,
) -> Result<Response> {
    let db = app.store.read();
    let notice = notices::queries::detail(db, id).await?;
    let own = notice.notice.area_code.clone();
    let is_above = own.len() < VILLAGE_CODE;
    let below = |area: &String| covers(&own, area) && area.len() >= VILLAGE_CODE;
    let mut area = filter.area.filter(|area| is_above && below(area));
    if is_above && clerk.sits_over(&own).is_err() {
        area = area.or_else(|| clerk.areas().into_iter().find(below));
    }
    let shown_area = area.clone().unwrap_or_else(|| own.clone());
    clerk.sits_over(&shown_area)?;
    let is_village = shown_area.len() >= VILLAGE_CODE;
    let people = if is_village {
        board::people_of(db, &clerk.actor, (id, Some(shown_area.as_str()))).await?
    } else {
        Vec::new()
    };
    let (reached, unreached) = people.into_iter().partition(|row| row.way.is_some());
    let visits = notice.notice.must_read && is_village && clerk.may(Right::VisitDoors, &shown_area);
    let doors = visits.then(|| format!("/notices/{id}/doors?area={shown_area}"));
    let villages = if is_village { Vec::new() } else { villages::by_village(&app, &clerk.actor, id).await? };
    let shown = ReachPage {
        page: clerk.page(text::say("desk-reach")).at(format!("/desk/notices/{id}/reach")),
        desk: clerk.desk(),
        view: board::reach(db, id).await?,
        may_release: clerk.may(Right::PublishNotice, &own),
        village: match area {
            Some(area) => areas::queries::names(db, vec![area.clone()]).await?.remove(&area).unwrap_or_default(),
            None => String::new(),
        },
        notice,
        unreached,
        reached,
        is_village,
        villages,
        doors,
        at: app.local_now(),
    };
    Ok(render(&shown))
}

#[derive(Template)]
#[template(path = "desk/script.html")]
struct ScriptPage {
    page: Page,
    desk: Desk,
    notice: NoticeDetail,
    spoken: String,
    is_cut: bool,
}

/// What somebody reads out over the village's loudspeaker.
pub(super) async fn script(State(app): State<App>, clerk: Clerk, Path(id): Path<NoticeId>) -> Result<Response> {
    let notice = notices::queries::detail(app.store.read(), id).await?;
    let own = &notice.notice.area_code;
    // what the town or the county says is read out in the villages
    if !clerk.areas().iter().any(|area| covers(own, area)) {
        clerk.sits_over(own)?;
    }
    let (spoken, is_cut) = loudspeaker::script(&notice.text);
    let shown = ScriptPage {
        page: clerk.page(text::say("desk-script")).at(format!("/desk/notices/{id}/script")),
        desk: clerk.desk(),
        spoken,
        is_cut,
        notice,
    };
    Ok(render(&shown))
}
