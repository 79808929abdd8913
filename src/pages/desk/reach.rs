//! Whom a notice has reached: the board by name and household, on screen and on paper; and the script for the loudspeaker.
use askama::Template;
use axum::{extract::State, response::Response};
use chrono::{DateTime, FixedOffset};

use super::frame::{Clerk, Desk};
use crate::{
    app::{App, Path},
    areas::VILLAGE_CODE,
    delivery::board::{self, ReachRow, ReachView},
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
    at: DateTime<FixedOffset>,
}

/// The board.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Path(id): Path<NoticeId>) -> Result<Response> {
    let db = app.store.read();
    let notice = notices::queries::detail(db, id).await?;
    let area = notice.notice.area_code.clone();
    clerk.sits_over(&area)?;
    let is_village = area.len() >= VILLAGE_CODE;
    let people = if is_village { board::people_of(db, &clerk.actor, id).await? } else { Vec::new() };
    let (reached, unreached) = people.into_iter().partition(|row| row.way.is_some());
    let shown = ReachPage {
        page: clerk.page(text::say("desk-reach")).at(format!("/desk/notices/{id}/reach")),
        desk: clerk.desk(),
        view: board::reach(db, id).await?,
        notice,
        unreached,
        reached,
        is_village,
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
    clerk.sits_over(&notice.notice.area_code)?;
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
