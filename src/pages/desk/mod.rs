//! 议事台: the pages at which committees, councils and offices work; for an office screen, and usable on a phone.
//!
//! Always true: nobody without a seat sees more than that this is not for them; a button is shown only to whom its command
//! will obey, and the command asks again; every form runs the same command as the API, once however often it is sent, and
//! then leads on (303); a form that is refused is shown again with what was typed and what was wrong.
//! Tables owned: none. Events recorded: none (the commands record theirs).
mod agenda;
mod aloud;
mod bodies;
mod body_changes;
mod callers;
mod charters;
mod county;
mod county_failures;
mod county_overdue;
mod county_routes;
mod county_voices;
mod elections;
mod founding;
mod frame;
mod guest;
mod held;
mod joint;
mod legal;
mod legal_contracts;
mod legal_hours;
mod legal_mediations;
mod letters;
mod matter;
mod matter_acts;
mod matters;
mod meeting_people;
mod meetings;
mod members;
mod notices;
mod paper;
mod proxies;
mod reach;
mod recommendations;
mod referrals;
mod reports;
mod requests;
mod roll;
mod roster;
mod services;
mod sheets;
mod skills;
mod suggestion_acts;
mod suggestions;
mod suspensions;
mod tasks;
mod todo;
mod votes;
mod webhooks;
mod wechat;

use axum::{Router, extract::DefaultBodyLimit};

use crate::{
    app::{
        App,
        routing::{get, post},
    },
    pages::{fields::MAX_FILES_BODY, layout::up},
};

/// A roster, and what a form adds around it.
const MAX_ROSTER: usize = 6 * 1024 * 1024;
/// Nine photos as phones take them, and what a form adds around them.
const MAX_PROOF: usize = 96 * 1024 * 1024;

/// The routes of the desk.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .merge(of_voices())
        .merge(of_votes())
        .merge(of_meetings())
        .merge(of_law())
        .merge(of_bodies())
        .route("/desk", get(todo::show))
        .route("/desk/letters", get(letters::list))
        .route("/desk/letters/duty", post(letters::duty).merge(get(up)))
        .route("/desk/matters", get(matters::list))
        .route("/desk/matters/new", get(matters::new).merge(post(matters::raise)))
        .route("/desk/matters/{id}", get(matter::show))
        .route(
            "/desk/matters/{id}/particulars",
            post(matter_acts::describe).merge(get(up)).layer(DefaultBodyLimit::max(MAX_PROOF)),
        )
        .route("/desk/matters/{id}/{form}", post(matter_acts::act).merge(get(up)))
        .route("/desk/charters", get(charters::show))
        .route("/desk/charters/{form}", post(charters::act).merge(get(up)))
        .route("/desk/forms/{id}", get(sheets::show))
        .route("/desk/forms/{id}/{form}", post(sheets::act).merge(get(up)))
        .route("/desk/tasks/{id}", get(tasks::show))
        .route("/desk/tasks/{id}/finish", post(tasks::finish).merge(get(up)).layer(DefaultBodyLimit::max(MAX_PROOF)))
        .route("/desk/tasks/{id}/delay", post(tasks::delay).merge(get(up)))
        .route("/desk/tasks/{id}/money", post(tasks::money).merge(get(up)).layer(DefaultBodyLimit::max(MAX_PROOF)))
        .route("/desk/tasks/{id}/reverse", post(tasks::reverse).merge(get(up)))
        .route("/desk/roster", get(roster::show).merge(post(roster::import)).layer(DefaultBodyLimit::max(MAX_ROSTER)))
        .route("/desk/roster/blank", get(roster::blank))
        .route("/desk/requests", get(requests::show))
        .route("/desk/requests/{form}", post(requests::act).merge(get(up)))
        .route("/desk/guest", get(guest::show).merge(post(guest::record)))
        .route("/desk/suspensions", get(suspensions::show))
        .route("/desk/suspensions/{form}", post(suspensions::act).merge(get(up)))
        .route("/desk/webhooks", get(webhooks::show))
        .route("/desk/webhooks/{form}", post(webhooks::act).merge(get(up)))
        .route("/desk/wechat", get(wechat::show).merge(post(wechat::put_up_menu)))
        .route("/desk/held", get(held::show).merge(post(held::decide)))
        .route("/desk/held/media", post(held::set_media_review).merge(get(up)))
        .route("/desk/reports", get(reports::show).merge(post(reports::decide)))
        .route("/desk/county", get(county::health))
        .route("/desk/county/areas", get(county::areas))
        .route("/desk/county/bodies", get(county::bodies))
        .route("/desk/county/failures", get(county_failures::show))
        .route("/desk/county/failures/{form}", post(county_failures::act).merge(get(up)))
        .route("/desk/county/overdue", get(county_overdue::show))
        .route("/desk/county/routes", get(county_routes::show))
        .route("/desk/county/routes/{form}", post(county_routes::act).merge(get(up)))
        .route("/desk/county/voices", get(county_voices::list).merge(post(county_voices::open)))
        .route("/desk/county/voices/{id}", get(county_voices::show))
}

/// Those of who sits where, and of whom bodies look for.
fn of_bodies() -> Router<App> {
    Router::new()
        .route("/desk/bodies", get(bodies::show))
        .route("/desk/bodies/{form}", post(bodies::act).merge(get(up)))
        .route("/desk/joint/{id}", get(joint::show))
        .route("/desk/joint/{id}/{form}", post(joint::act).merge(get(up)))
        .route("/desk/members", get(members::show))
        .route("/desk/members/{form}", post(members::act).merge(get(up)))
        .route("/desk/skills", get(skills::show))
        .route("/desk/needs", post(skills::post).merge(get(up)))
        .route("/desk/recommendations", get(recommendations::show))
        .route("/desk/recommendations/decide", post(recommendations::decide).merge(get(up)))
        .route("/desk/services", get(services::show))
        .route("/desk/services/{form}", post(services::act).merge(get(up)))
}

/// Those of meetings and notices, and of whom both reached.
fn of_meetings() -> Router<App> {
    Router::new()
        .route("/desk/meetings", get(meetings::list).merge(post(meetings::call_any)))
        .route("/desk/meetings/{id}", get(meetings::show))
        .route("/desk/meetings/{id}/door", get(meeting_people::door))
        .route("/desk/meetings/{id}/reach", get(reach::invited))
        .route("/desk/meetings/{id}/{form}", post(meetings::act).merge(get(up)))
        .route("/desk/notices", get(notices::list).merge(post(notices::publish_any)))
        .route("/desk/notices/{id}", get(notices::show))
        .route("/desk/notices/{id}/reach", get(reach::show))
        .route("/desk/notices/{id}/script", get(reach::script))
        .route("/desk/notices/{id}/{form}", post(notices::act).merge(get(up)))
}

/// Those of legal officers.
fn of_law() -> Router<App> {
    Router::new()
        .route("/desk/legal", get(legal::show))
        .route("/desk/legal/{form}", post(legal::act).merge(get(up)))
        .route(
            "/desk/legal/contracts",
            get(legal_contracts::list).merge(post(legal_contracts::ask)).layer(DefaultBodyLimit::max(MAX_PROOF)),
        )
        .route("/desk/legal/contracts/{id}", get(legal_contracts::show))
        .route("/desk/legal/contracts/{id}/opinion", post(legal_contracts::answer).merge(get(up)))
        .route("/desk/legal/hours", get(legal_hours::show).merge(post(legal_hours::note)))
        .route("/desk/legal/mediations", get(legal_mediations::list).merge(post(legal_mediations::open)))
        .route("/desk/legal/mediations/{id}", get(legal_mediations::show))
        .route(
            "/desk/legal/mediations/{id}/end",
            post(legal_mediations::end).merge(get(up)).layer(DefaultBodyLimit::max(MAX_PROOF)),
        )
        .route("/desk/legal/mediations/{id}/follow-up", post(legal_mediations::follow_up).merge(get(up)))
}

/// Those of voices.
fn of_voices() -> Router<App> {
    Router::new()
        .route("/desk/suggestions", get(suggestions::list))
        .route("/desk/suggestions/{id}", get(suggestions::show))
        .route(
            "/desk/suggestions/{id}/cosigns",
            post(suggestion_acts::write_down).merge(get(up)).layer(DefaultBodyLimit::max(MAX_PROOF)),
        )
        .route(
            "/desk/suggestions/{id}/answer",
            post(suggestions::answer).merge(get(up)).layer(DefaultBodyLimit::max(MAX_FILES_BODY)),
        )
        .route(
            "/desk/suggestions/{id}/answer-clip",
            post(suggestions::speak).merge(get(up)).layer(DefaultBodyLimit::max(MAX_FILES_BODY)),
        )
        .route("/desk/suggestions/{id}/{form}", post(suggestions::act).merge(get(up)))
        .route("/desk/referrals", get(referrals::list))
        .route("/desk/referrals/{form}", post(referrals::decide).merge(get(up)))
}

/// Those of votes, and of what is said aloud.
fn of_votes() -> Router<App> {
    Router::new()
        .route("/desk/votes/{id}", get(votes::show))
        .route("/desk/votes/{id}/proxies", post(proxies::name).merge(get(up)).layer(DefaultBodyLimit::max(MAX_PROOF)))
        .route("/desk/votes/{id}/paper", get(paper::show))
        .route("/desk/votes/{id}/paper/print", get(paper::print))
        .route(
            "/desk/votes/{id}/paper/count",
            post(paper::count).merge(get(up)).layer(DefaultBodyLimit::max(MAX_PROOF)),
        )
        .route("/desk/votes/{id}/paper/{form}", post(paper::act).merge(get(up)))
        .route("/desk/votes/{id}/doors", get(reach::electors))
        .route("/desk/votes/{id}/roll", get(roll::show))
        .route("/desk/votes/{id}/roll/{form}", post(roll::act).merge(get(up)))
        .route("/desk/votes/{id}/{form}", post(votes::act).merge(get(up)))
        .route("/desk/households", get(proxies::households).merge(post(proxies::name_household)))
        .route(
            "/desk/aloud/{about}/{id}",
            get(aloud::show).merge(post(aloud::record)).layer(DefaultBodyLimit::max(MAX_FILES_BODY)),
        )
        .route("/desk/aloud/{about}/{id}/remove", post(aloud::remove).merge(get(up)))
}
