//! Whom a notice or the call to a meeting has reached: the board by name and household, on screen and on paper; the script for
//! the loudspeaker; and whom nothing told of a vote.
use askama::Template;
use axum::{extract::State, response::Response};
use chrono::{DateTime, FixedOffset};

use super::frame::{Clerk, Desk};
use crate::{
    actor::covers,
    app::{App, Path, Query},
    areas::{self, VILLAGE_CODE},
    bodies::Right,
    delivery::{
        board::{self, ReachRow, ReachView},
        electors::electors_of,
        invited::invited_of,
        villages::{self, VillageReach},
    },
    error::Result,
    gateways::loudspeaker,
    ids::{MeetingId, NoticeId, VoteId},
    meetings::{self, MeetingView},
    notices::{self, NoticeDetail},
    pages::{
        fields::WhichArea,
        layout::{Page, render},
        words::Words,
    },
    text,
    votes::{self, VoteView},
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
    /// Of a notice of a town or the county.
    villages: Vec<VillageReach>,
    /// The village that is shown of such a notice.
    village: String,
    /// The doors of the village that is shown, for who knocks at them.
    doors: Option<String>,
    may_release: bool,
    at: DateTime<FixedOffset>,
}

impl ReachPage {
    /// How many of a village have not confirmed a must-read notice; none where nobody is asked to.
    fn left(&self, village: &VillageReach) -> Option<u64> {
        let asked = village.asked.filter(|_| self.notice.notice.must_read)?;
        Some(asked.saturating_sub(village.confirmed.unwrap_or_default()))
    }
}

/// The board; of a notice from above a village's office sees its own people, and who sits over several the villages: a town's
/// office its own of a notice of the county.
pub(super) async fn show(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<NoticeId>,
    Query(filter): Query<WhichArea>,
) -> Result<Response> {
    let db = app.store.read();
    let notice = notices::queries::detail(db, id).await?;
    let own = notice.notice.area_code.clone();
    let is_above = own.len() < VILLAGE_CODE;
    let below = |area: &String| covers(&own, area) && area.len() >= VILLAGE_CODE;
    let is_between = |area: &String| covers(&own, area) && area.len() < VILLAGE_CODE;
    // the list holds the villages alone over which the clerk sits
    let has_list = is_above && (clerk.sits_over(&own).is_ok() || clerk.areas().iter().any(is_between));
    let mut area = filter.area.filter(|area| is_above && below(area));
    if is_above && !has_list {
        area = area.or_else(|| clerk.areas().into_iter().find(below));
    }
    let shown_area = area.clone().unwrap_or_else(|| own.clone());
    let is_village = shown_area.len() >= VILLAGE_CODE;
    if is_village || !has_list {
        clerk.sits_over(&shown_area)?;
    }
    let people = if is_village {
        board::people_of(db, &clerk.actor, (id, Some(shown_area.as_str()))).await?
    } else {
        Vec::new()
    };
    let (reached, unreached) = people.into_iter().partition(|row| row.way.is_some());
    let hangs = notice.notice.state != notices::queries::WITHDRAWN;
    let visits = is_village && hangs && clerk.may(Right::VisitDoors, &shown_area);
    let doors = visits.then(|| format!("/notices/{id}/doors?area={shown_area}"));
    let villages = if is_village { Vec::new() } else { villages::by_village(&app, &clerk.actor, id).await? };
    let shown = ReachPage {
        page: clerk.page(text::say("desk-reach")).at(format!("/desk/notices/{id}/reach")),
        desk: clerk.desk(),
        view: board::reach(db, id).await?,
        may_release: clerk.may(Right::PublishNotice, &own),
        village: match area {
            Some(area) => areas::name(db, &area).await?,
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
#[template(path = "desk/vote_doors.html")]
struct VoteDoorsPage {
    page: Page,
    desk: Desk,
    vote: VoteView,
    unreached: Vec<ReachRow>,
    /// At the door.
    reached: Vec<ReachRow>,
    at: DateTime<FixedOffset>,
}

/// Whom no message told of a vote: for who goes round.
pub(super) async fn electors(State(app): State<App>, clerk: Clerk, Path(id): Path<VoteId>) -> Result<Response> {
    let db = app.store.read();
    let vote = votes::queries::vote(db, id).await?;
    clerk.sits_over(&vote.area_code)?;
    let (reached, unreached) =
        electors_of(&app, &clerk.actor, id).await?.into_iter().partition(|row| row.way.is_some());
    let shown = VoteDoorsPage {
        page: clerk.page(text::say("desk-vote-doors")).at(format!("/desk/votes/{id}/doors")),
        desk: clerk.desk(),
        unreached,
        reached,
        at: app.local_now(),
        vote,
    };
    Ok(render(&shown))
}

#[derive(Template)]
#[template(path = "desk/meeting_reach.html")]
struct MeetingReachPage {
    page: Page,
    desk: Desk,
    meeting: MeetingView,
    unreached: Vec<ReachRow>,
    reached: Vec<ReachRow>,
    at: DateTime<FixedOffset>,
}

impl MeetingReachPage {
    fn all(&self) -> usize {
        self.reached.len() + self.unreached.len()
    }
}

/// Whom the call to a meeting has reached, or that it was called off: for who holds it, and goes round to the others.
pub(super) async fn invited(State(app): State<App>, clerk: Clerk, Path(id): Path<MeetingId>) -> Result<Response> {
    let meeting = meetings::queries::meeting(app.store.read(), id).await?;
    clerk.sits_over(&meeting.area_code)?;
    let called = invited_of(&app, &clerk.actor, id).await?;
    let (reached, unreached) = called.into_iter().partition(|row| row.way.is_some());
    let shown = MeetingReachPage {
        page: clerk.page(text::say("desk-meeting-reach")).at(format!("/desk/meetings/{id}/reach")),
        desk: clerk.desk(),
        meeting,
        unreached,
        reached,
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
