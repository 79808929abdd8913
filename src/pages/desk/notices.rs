//! Notices on the desk: publishing one, answering objections, a new version, taking down.
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

use super::{
    aloud::Aloud,
    frame::{Clerk, Desk, Draft, live, places},
};
use crate::{
    aloud::About,
    app::{App, Path, Query},
    areas::AreaName,
    bodies::{self, Right},
    delivery,
    error::{Checks, Code, Result},
    ids::{MatterId, NoticeId, ObjectionId},
    notices::{
        self, AnswerObjection, ConfirmFor, ConfirmVia, ConfirmedView, NoticeDetail, NoticeView, ObjectionView,
        PublishNotice, RaiseObjection, ReviseNotice, WithdrawNotice, WithdrawObjection,
    },
    page::{self, PageQuery},
    pages::{
        fields::Fields,
        layout::{Page, encode, render_as, see},
        words::Words,
    },
    people, text,
};

/// Which notices are listed.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    area: Option<String>,
    cursor: Option<String>,
}

/// May the clerk publish here: for the committee, or for a council, which needs its mandate then?
pub(super) fn may_publish(clerk: &Clerk, area: &str) -> bool {
    let right = |kind: &str, role: &str| kind == "council" && bodies::rights(kind, role).contains(&Right::HoldMeeting);
    let leads_council = clerk.actor.seats.iter().any(|seat| seat.covers(area) && right(&seat.body_kind, &seat.role));
    clerk.may(Right::PublishNotice, area) || leads_council
}

/// Publishes the notice typed into a form.
pub(super) async fn publish(
    app: &App,
    clerk: &Clerk,
    (area_code, matter_id): (String, Option<MatterId>),
    fields: &Fields,
) -> Result<NoticeId> {
    let input = PublishNotice {
        area_code,
        matter_id,
        title: fields.text("title").to_owned(),
        text: fields.text("text").to_owned(),
        period_days: fields.optional("period_days")?,
        must_read: fields.given("must_read").is_some(),
        confirm_by: fields.optional("confirm_by")?,
        class: fields.given("class").map(|_| fields.choice("class")).transpose()?.unwrap_or_default(),
        category: fields.given("category").map(|_| fields.choice("category")).transpose()?.unwrap_or_default(),
    };
    let publish = app.once(clerk.actor.clone(), fields.key(), "publish_notice", input, |tx, actor, input| {
        Box::pin(notices::commands::publish(tx, actor, input))
    });
    publish.await.map(|published| published.notice.id)
}

#[derive(Template)]
#[template(path = "desk/notices.html")]
struct ListPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    areas: Vec<AreaName>,
    area: String,
    may_publish: bool,
    /// Knocks at doors there, those of a must-read notice from above among them.
    visits: bool,
    rows: Vec<NoticeView>,
    more: String,
    next_cursor: Option<String>,
}

/// The list, with a form for a notice that is about no matter.
pub(super) async fn list(State(app): State<App>, clerk: Clerk, Query(filter): Query<Filter>) -> Result<Response> {
    listed(&app, &clerk, (filter, Draft::default())).await
}

async fn listed(app: &App, clerk: &Clerk, (filter, draft): (Filter, Draft)) -> Result<Response> {
    let area = clerk.place(filter.area.as_deref());
    let page = PageQuery { cursor: filter.cursor, limit: Some(30) };
    let page::Page { items, next_cursor } = notices::queries::list(app.store.read(), &area, &page).await?;
    let shown = ListPage {
        page: live(app, clerk, (clerk.page(text::say("desk-notices")).at("/desk/notices"), &draft)).await?,
        desk: clerk.desk(),
        draft,
        areas: places(app.store.read(), clerk, &area).await?,
        may_publish: may_publish(clerk, &area),
        visits: clerk.may(Right::VisitDoors, &area),
        rows: items,
        more: format!("?area={}&", encode(&area)),
        next_cursor,
        area,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Publishes a notice that is about no matter.
pub(super) async fn publish_any(State(app): State<App>, clerk: Clerk, fields: Fields) -> Result<Response> {
    let area = fields.text("area").to_owned();
    match publish(&app, &clerk, (area.clone(), None), &fields).await {
        // where the next steps are
        Ok(id) => Ok(see(&format!("/desk/notices/{id}"))),
        Err(error) => {
            let filter = Filter { area: Some(area), cursor: None };
            listed(&app, &clerk, (filter, Draft::refused("publish", fields, error)?)).await
        }
    }
}

#[derive(Template)]
#[template(path = "desk/notice.html")]
struct NoticePage {
    page: Page,
    desk: Desk,
    draft: Draft,
    notice: NoticeDetail,
    objections: Vec<ObjectionView>,
    /// Objection that the refused answer was for.
    answered: String,
    may_answer: bool,
    /// May the clerk write down what somebody objects?
    may_write: bool,
    may_change: bool,
    /// How far a must-read notice has come.
    reach: Option<ConfirmedView>,
    aloud: Aloud,
}

impl NoticePage {
    /// How many have not been reached, as far as the clerk sees them.
    fn left(&self, reach: &ConfirmedView) -> u64 {
        reach.groups.iter().map(|group| group.unreached).sum()
    }

    /// The same of the form that withdraws it for the person.
    fn back_of(&self, objection: &str) -> &'static str {
        if self.answered == objection { "take-back" } else { "other-back" }
    }

    /// The name of the form that answers this objection: of many on the page, only the refused one keeps its words.
    fn form_of(&self, objection: &str) -> &'static str {
        if self.answered == objection { "answer" } else { "other" }
    }
}

/// One notice.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Path(id): Path<NoticeId>) -> Result<Response> {
    shown(&app, &clerk, id, (Draft::default(), String::new())).await
}

async fn shown(app: &App, clerk: &Clerk, id: NoticeId, (draft, answered): (Draft, String)) -> Result<Response> {
    let db = app.store.read();
    let notice = notices::queries::detail(db, id).await?;
    let area = notice.notice.area_code.clone();
    let sees_doors = notice.notice.must_read && notices::visits(&clerk.actor, &area);
    if !sees_doors {
        clerk.sits_over(&area)?;
    }
    let reach = if sees_doors { Some(notices::queries::reach(db, &clerk.actor, (id, None)).await?) } else { None };
    let hangs = notice.notice.state == notices::queries::PUBLISHED;
    // who objects is found by the number on the village's roster
    let takes_objections =
        hangs && app.local_now() < notice.notice.period_to && notices::rules::is_village(&notice.notice.area_code);
    let page = clerk.page(notice.notice.title.clone()).at(format!("/desk/notices/{id}"));
    let shown = NoticePage {
        page: live(app, clerk, (page, &draft)).await?,
        desk: clerk.desk(),
        draft,
        objections: notices::queries::objections(db, &clerk.actor, id).await?,
        answered,
        may_answer: clerk.may(Right::AnswerObjection, &area),
        may_write: takes_objections && clerk.may(Right::AnswerObjection, &area),
        may_change: hangs && may_publish(clerk, &area),
        aloud: Aloud::of(app, clerk, (About::Notice, id.0), &area).await?,
        reach,
        notice,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// One of the forms of the page was sent.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path((id, form)): Path<(NoticeId, String)>,
    fields: Fields,
) -> Result<Response> {
    let done = match form.as_str() {
        "answer" => answer(&app, &clerk, &fields).await,
        "object" => object(&app, &clerk, id, &fields).await,
        "take-back" => take_back(&app, &clerk, &fields).await,
        "revise" => revise(&app, &clerk, id, &fields).await,
        "withdraw" => withdraw(&app, &clerk, id, &fields).await,
        "mandate" => by_mandate(&app, &clerk, id, &fields).await,
        "broadcast" => broadcast(&app, &clerk, id, &fields).await,
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see(&format!("/desk/notices/{id}"))),
        Err(error) => {
            let answered = fields.text("objection_id").to_owned();
            shown(&app, &clerk, id, (Draft::refused(&form, fields, error)?, answered)).await
        }
    }
}

async fn answer(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let objection: ObjectionId = fields.required("objection_id")?;
    let input = (objection, AnswerObjection { answer: fields.text("answer").to_owned() });
    let answer = app.once(clerk.actor.clone(), fields.key(), "answer_objection", input, |tx, actor, input| {
        Box::pin(notices::commands::answer_objection(tx, actor, input))
    });
    answer.await.map(drop)
}

/// What was written down for somebody, who says at the office that it does not stand.
async fn take_back(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let objection: ObjectionId = fields.required("objection_id")?;
    let input = (objection, WithdrawObjection { reason: fields.text("reason").to_owned() });
    let withdraw = app.once(clerk.actor.clone(), fields.key(), "withdraw_objection", input, |tx, actor, input| {
        Box::pin(notices::commands::withdraw_objection(tx, actor, input))
    });
    withdraw.await.map(drop)
}

/// What somebody says at the office, or hands in, who is known by the number on the roster.
async fn object(app: &App, clerk: &Clerk, id: NoticeId, fields: &Fields) -> Result<()> {
    let db = app.store.read();
    let area = notices::queries::detail(db, id).await?.notice.area_code;
    clerk.sits_over(&area)?;
    bodies::require(&clerk.actor, Right::AnswerObjection, &area)?;
    let found = people::queries::by_number(db, &area, fields.text("person_number").trim()).await?;
    let mut checks = Checks::default();
    checks.require(found.is_some(), "person_number", "unknown");
    checks.done()?;
    let text = fields.text("text").replace("\r\n", "\n");
    let input = (id, RaiseObjection { text, person_id: found.map(|one| one.id) });
    let raise = app.once(clerk.actor.clone(), fields.key(), "object_to_notice", input, |tx, actor, input| {
        Box::pin(notices::commands::object(tx, actor, input))
    });
    raise.await.map(drop)
}

async fn revise(app: &App, clerk: &Clerk, id: NoticeId, fields: &Fields) -> Result<()> {
    let input = ReviseNotice {
        version: fields.required("version")?,
        title: fields.text("title").to_owned(),
        text: fields.text("text").to_owned(),
        reason: fields.text("reason").to_owned(),
        period_days: fields.optional("period_days")?,
        confirm_by: fields.optional("confirm_by")?,
    };
    let revise = app.once(clerk.actor.clone(), fields.key(), "revise_notice", (id, input), |tx, actor, input| {
        Box::pin(notices::commands::revise(tx, actor, input))
    });
    revise.await.map(drop)
}

/// Who acts by a written mandate is known by the numbers on the roster.
async fn by_mandate(app: &App, clerk: &Clerk, id: NoticeId, fields: &Fields) -> Result<()> {
    let db = app.store.read();
    let notice = notices::queries::detail(db, id).await?.notice;
    let area = notices::village_of(&clerk.actor, &notice.area_code, fields.given("area"))?;
    clerk.sits_over(&area)?;
    bodies::require(&clerk.actor, Right::VisitDoors, &area)?;
    let mut people = Vec::new();
    let mut checks = Checks::default();
    for field in ["person_number", "proxy_number"] {
        let found = people::queries::by_number(db, &area, fields.text(field).trim()).await?;
        checks.require(found.is_some(), field, "unknown");
        people.extend(found.map(|one| one.id));
    }
    checks.done()?;
    let [person_id, proxy_id] = people[..] else { return Err(Code::InvalidFields.into()) };
    let note = fields.text("note").to_owned();
    let input = ConfirmFor { person_id, via: ConfirmVia::Mandate, way: None, proxy_id: Some(proxy_id), note };
    let actor = clerk.actor.clone();
    app.store
        .write(move |tx| Box::pin(async move { notices::commands::confirm_for(tx, &actor, (id, input)).await }))
        .await
        .map(drop)
}

async fn withdraw(app: &App, clerk: &Clerk, id: NoticeId, fields: &Fields) -> Result<()> {
    let input = (id, WithdrawNotice { reason: fields.text("reason").to_owned() });
    let withdraw = app.once(clerk.actor.clone(), fields.key(), "withdraw_notice", input, |tx, actor, input| {
        Box::pin(notices::commands::withdraw(tx, actor, input))
    });
    withdraw.await.map(drop)
}

/// Lets the script of an emergency go by night.
async fn broadcast(app: &App, clerk: &Clerk, id: NoticeId, fields: &Fields) -> Result<()> {
    let released = app.once(clerk.actor.clone(), fields.key(), "release_broadcast", id, |tx, actor, id| {
        Box::pin(delivery::broadcast::release(tx, actor, id))
    });
    released.await
}
