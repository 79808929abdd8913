//! `/notices`: what hangs in the village; each with its versions, its poster, and objections that are answered in public.
use std::collections::HashMap;

use askama::Template;
use axum::{Router, extract::State, http::HeaderMap, response::Response};
use uuid::Uuid;

use super::{
    codes,
    fields::{Fields, Wrong},
    layout::{Live, Page, Resident, Viewer, asking, render, render_as, see, up},
    words::Words,
};
use crate::{
    aloud::{self, About, ClipView},
    app::{
        App, Path, Query,
        routing::{get, post},
    },
    bodies::room::{self, RoomView},
    error::Result,
    events::{self, Head},
    ids::{NoticeId, ObjectionId},
    notices::{
        self, ConfirmVia, ConfirmationView, DoorView, NoticeDetail, NoticeView, ObjectionView, RaiseObjection,
        WithdrawObjection, commands, queries,
    },
    page::PageQuery,
    quiet::Class,
    wechat::rules::Moment,
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/notices", get(list))
        .route("/notices/{id}", get(show))
        .route("/notices/{id}/poster", get(poster))
        .route("/notices/{id}/objections", post(object).merge(get(up)))
        .route("/notices/{id}/objections/take-back", post(take_back).merge(get(up)))
        .route("/notices/{id}/confirmations", post(confirm).merge(get(up)))
}

#[derive(Template)]
#[template(path = "notices.html")]
struct NoticesPage {
    page: Page,
    items: Vec<NoticeView>,
    /// The clips of those that can be heard.
    clips: HashMap<Uuid, ClipView>,
    next: Option<String>,
}

impl NoticesPage {
    fn clip(&self, one: &NoticeView) -> Option<&ClipView> {
        self.clips.get(&one.id.0)
    }
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage {
    page: Page,
    notice: NoticeDetail,
    objections: Vec<ObjectionView>,
    may_object: bool,
    /// Is the viewer asked to confirm?
    is_asked: bool,
    /// The viewer's confirmation; of a notice that nobody is asked to confirm, that somebody told it at the door.
    confirmed: Option<ConfirmationView>,
    /// Of the viewer's household: who has not confirmed.
    household: Vec<DoorView>,
    /// Does the viewer knock at these doors?
    visits: bool,
    clip: Option<ClipView>,
    typed: Fields,
    wrong: Wrong,
}

impl NoticePage {
    fn is_emergency(&self) -> bool {
        self.notice.notice.class == Class::Emergency
    }

    /// Who confirmed for the viewer.
    fn done_by(&self) -> Option<&str> {
        self.confirmed.as_ref().filter(|done| done.via != ConfirmVia::Own).and_then(|done| done.by_name.as_deref())
    }

    /// What was taken down asks nobody any more.
    fn takes(&self) -> bool {
        self.notice.notice.state != queries::WITHDRAWN
    }
}

#[derive(Template)]
#[template(path = "poster.html")]
struct PosterPage {
    page: Page,
    notice: NoticeDetail,
    /// Of the version that hangs.
    digest: String,
    /// Where a phone finds the same.
    address: String,
    picture: String,
    /// Where one may speak in person.
    room: Option<RoomView>,
    /// Of the log, so that no later change of it stays unseen by who has the paper.
    signed: Option<Head>,
}

async fn list(State(app): State<App>, who: Resident, Query(page): Query<PageQuery>) -> Result<Response> {
    let db = app.store.read();
    let found = queries::list(db, &who.actor.area, &page).await?;
    let present: Vec<(Uuid, i32)> = found.items.iter().map(|one| (one.id.0, one.version)).collect();
    let clips = aloud::queries::clips(db, About::Notice, &present).await?;
    let page = who.page("page-notices");
    Ok(render(&NoticesPage { page, items: found.items, clips, next: found.next_cursor }))
}

async fn show(State(app): State<App>, viewer: Viewer, Path(id): Path<NoticeId>) -> Result<Response> {
    shown(&app, &viewer, id, Fields::default(), Wrong::default()).await
}

async fn shown(app: &App, viewer: &Viewer, id: NoticeId, typed: Fields, wrong: Wrong) -> Result<Response> {
    let db = app.store.read();
    let mut notice = queries::detail(db, id).await?;
    let objections = match &viewer.actor {
        Some(actor) => queries::objections(db, actor, id).await?,
        None => std::mem::take(&mut notice.objection_list),
    };
    let head = &notice.notice;
    let is_open = head.state == queries::PUBLISHED && app.now() < head.period_to.to_utc();
    let may_object = is_open && viewer.actor.as_ref().is_some_and(|actor| actor.lives_in(&head.area_code));
    let here = viewer.actor.as_ref().filter(|actor| actor.lives_in(&head.area_code));
    let asked = here.filter(|_| head.must_read);
    let (confirmed, household) = match asked {
        Some(actor) => {
            let own = queries::own_confirmation(db, actor, (id, head.version)).await?;
            (own, queries::of_household(db, actor, id).await?)
        }
        // what nobody is asked to confirm may have been told at the door
        None => match here {
            Some(actor) => (queries::own_confirmation(db, actor, (id, head.version)).await?, Vec::new()),
            None => (None, Vec::new()),
        },
    };
    let visits = |actor: &crate::actor::Actor| notices::visits(actor, &head.area_code);
    let clip = aloud::queries::of_notice(db, id, head.version).await?;
    let is_told = head.must_read || head.state != queries::WITHDRAWN;
    let (is_asked, visits) = (asked.is_some(), is_told && viewer.actor.as_ref().is_some_and(visits));
    let back = head.matter_id.map_or_else(|| "/notices".to_owned(), |matter| format!("/matters/{matter}"));
    let page = viewer.page("page-notice").titled(head.title.clone()).back(back).at(format!("/notices/{id}"));
    let page = page.live(Live::always().unless(wrong.is_any()));
    let page = viewer.asked(app, page, Moment::Notice).await;
    let shown =
        NoticePage { page, notice, objections, may_object, is_asked, confirmed, household, visits, clip, typed, wrong };
    Ok(asking(render_as(shown.wrong.status(), &shown), &shown.page))
}

/// The notice on paper, for the village's board: with a code that leads a phone to it, and what shows that both say the same.
async fn poster(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<NoticeId>,
    headers: HeaderMap,
) -> Result<Response> {
    let notice = queries::detail(app.store.read(), id).await?;
    let signed = events::head(&app.store).await?;
    let path = format!("/notices/{id}");
    let address = codes::whole(&app, &headers, &path);
    let page = viewer.page("page-poster").titled(notice.notice.title.clone()).back(path);
    let digest = notice.versions.first().map(|newest| newest.digest.clone()).unwrap_or_default();
    let picture = codes::drawn(&address, 260)?;
    let room = room::of_village(app.store.read(), &notice.notice.area_code, app.now()).await?;
    Ok(render(&PosterPage { page, digest, picture, room, address, signed, notice }))
}

async fn object(State(app): State<App>, who: Resident, Path(id): Path<NoticeId>, form: Fields) -> Result<Response> {
    let input = (id, RaiseObjection { text: form.text("text").replace("\r\n", "\n"), person_id: None });
    let raised = app.once(who.actor.clone(), form.key(), "object_to_notice", input, |tx, actor, input| {
        Box::pin(commands::object(tx, actor, input))
    });
    match raised.await {
        Ok(objection) => Ok(see(&format!("/notices/{id}#o-{}", objection.id))),
        Err(error) => shown(&app, &who.viewer, id, form, Wrong::from(error)?).await,
    }
}

/// What somebody else wrote down in the own name.
async fn take_back(State(app): State<App>, who: Resident, Path(id): Path<NoticeId>, form: Fields) -> Result<Response> {
    let objection: ObjectionId = form.required("objection_id")?;
    let input = (objection, WithdrawObjection { reason: form.text("reason").to_owned() });
    let withdraw = app.once(who.actor.clone(), form.key(), "withdraw_objection", input, |tx, actor, input| {
        Box::pin(commands::withdraw_objection(tx, actor, input))
    });
    withdraw.await?;
    Ok(see(&format!("/notices/{id}#o-{objection}")))
}

async fn confirm(State(app): State<App>, who: Resident, Path(id): Path<NoticeId>) -> Result<Response> {
    let actor = who.actor.clone();
    app.store.write(move |tx| Box::pin(async move { commands::confirm(tx, &actor, id).await })).await?;
    Ok(see(&format!("/notices/{id}")))
}
