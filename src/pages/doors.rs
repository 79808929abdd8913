//! `/notices/{id}/doors`: who was not reached, for who knocks at the doors: big rows for the phone, boxes to tick on paper. Of a
//! notice that nobody is asked to confirm `untold` shows them.
use askama::Template;
use axum::{Router, extract::State, response::Response};
use chrono::{DateTime, FixedOffset};
use serde::Deserialize;

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Resident, encode, render, render_as, see},
    untold,
    words::Words,
};
use crate::{
    app::{
        App, Path, Query,
        routing::{get, post},
    },
    error::{Code, Result},
    ids::{NoticeId, PersonId},
    notices::{
        ConfirmFor, ConfirmVia, ConfirmedView, DoorView, DoorWay, DoorsQuery, NoticeView, OfPerson,
        commands::{confirm_for, told, undo},
        queries,
    },
};

/// Doors on one page.
const SHOWN: u64 = 20;
/// People of one household who are told at once.
pub(super) const AT_ONE_DOOR: usize = 50;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/notices/{id}/doors", get(show).merge(post(act)))
        .route("/notices/{id}/doors/paper", get(paper))
        .route("/notices/{id}/household", post(household).merge(get(super::layout::up)))
        .route("/notices/{id}/undo", post(contest).merge(get(super::layout::up)))
}

/// Which doors, and how it is done there.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Where {
    /// The village, of a notice of its town or county.
    pub(super) area: Option<String>,
    pub(super) group: Option<i32>,
    cursor: Option<String>,
    way: Option<String>,
    /// So many households are passed over.
    pub(super) from: Option<usize>,
}

impl Where {
    pub(super) fn of(fields: &Fields) -> Self {
        Self {
            area: fields.given("area").map(str::to_owned),
            group: fields.optional("group").unwrap_or_default(),
            cursor: None,
            from: None,
            way: fields.given("way").map(str::to_owned),
        }
    }

    /// The way in force; read out, when none was chosen.
    pub(super) fn way(&self) -> DoorWay {
        [DoorWay::Paper, DoorWay::Call]
            .into_iter()
            .find(|way| Some(way.as_str()) == self.way.as_deref())
            .unwrap_or_default()
    }

    /// The same place, with another group or another way.
    pub(super) fn query(&self, group: Option<i32>, way: DoorWay) -> String {
        let area = self.area.as_deref().map(|area| format!("area={}&", encode(area))).unwrap_or_default();
        let group = group.map(|group| format!("group={group}&")).unwrap_or_default();
        format!("?{area}{group}way={}", way.as_str())
    }
}

/// The doors of something, as far as one looks at them, and the ways to others.
pub(super) struct Doors {
    /// Its own page.
    pub(super) base: String,
    pub(super) place: Where,
}

impl Doors {
    pub(super) fn path(&self, group: Option<i32>, way: DoorWay) -> String {
        format!("{}/doors{}", self.base, self.place.query(group, way))
    }

    pub(super) fn of_group(&self, group: &i32) -> String {
        self.path(Some(*group), self.place.way())
    }

    pub(super) fn of_all(&self) -> String {
        self.path(None, self.place.way())
    }

    pub(super) fn by_way(&self, way: &DoorWay) -> String {
        self.path(self.place.group, *way)
    }

    pub(super) fn is_group(&self, group: &i32) -> bool {
        self.place.group == Some(*group)
    }

    pub(super) fn is_way(&self, way: &DoorWay) -> bool {
        self.place.way() == *way
    }

    pub(super) fn on_paper(&self) -> String {
        format!("{}/doors/paper{}", self.base, self.place.query(self.place.group, self.place.way()))
    }

    pub(super) fn ways(&self) -> [DoorWay; 3] {
        [DoorWay::ReadOut, DoorWay::Paper, DoorWay::Call]
    }
}

#[derive(Template)]
#[template(path = "doors_to_visit.html")]
struct DoorsPage {
    page: Page,
    notice: NoticeView,
    reach: ConfirmedView,
    doors: Vec<DoorView>,
    next: Option<String>,
    /// What was written down just now and can be taken back.
    made: Vec<(PersonId, String)>,
    at: Doors,
    wrong: Wrong,
}

impl DoorsPage {
    fn left(&self) -> u64 {
        self.reach.groups.iter().map(|group| group.unreached).sum()
    }

    fn more(&self, cursor: &str) -> String {
        format!("{}&cursor={cursor}", self.at.path(self.at.place.group, self.at.place.way()))
    }
}

#[derive(Template)]
#[template(path = "doors_paper.html")]
pub(super) struct PaperPage {
    pub(super) page: Page,
    pub(super) title: String,
    /// Whose it is.
    pub(super) small: String,
    pub(super) confirm_by: Option<DateTime<FixedOffset>>,
    /// What is read out.
    pub(super) text: String,
    pub(super) doors: Vec<DoorView>,
    pub(super) group: Option<i32>,
}

async fn show(
    State(app): State<App>,
    who: Resident,
    Path(id): Path<NoticeId>,
    Query(place): Query<Where>,
) -> Result<Response> {
    shown(&app, &who, id, (place, Wrong::default())).await
}

async fn shown(app: &App, who: &Resident, id: NoticeId, (place, wrong): (Where, Wrong)) -> Result<Response> {
    let db = app.store.read();
    let notice = queries::detail(db, id).await?.notice;
    if !notice.must_read {
        return untold::shown(app, who, notice, (place, wrong)).await;
    }
    let reach = queries::reach(db, &who.actor, (id, place.area.as_deref())).await?;
    let (area, cursor) = (place.area.clone(), place.cursor.clone());
    let wanted = DoorsQuery { area, group: place.group, cursor, limit: Some(SHOWN) };
    let doors = queries::doors(db, &who.actor, (id, wanted)).await?;
    let made = queries::made_by(db, &who.actor, (id, notice.version, app.now())).await?;
    let page = who.page("page-doors-visit").back(format!("/notices/{id}")).at(format!("/notices/{id}/doors"));
    let shown = DoorsPage {
        page,
        notice,
        reach,
        doors: doors.items,
        next: doors.next_cursor,
        made,
        at: Doors { base: format!("/notices/{id}"), place },
        wrong,
    };
    Ok(render_as(shown.wrong.status(), &shown))
}

/// One tap at a door: for one, or for those of the household to whom it was said together.
async fn act(State(app): State<App>, who: Resident, Path(id): Path<NoticeId>, form: Fields) -> Result<Response> {
    let place = Where::of(&form);
    match run(&app, &who, id, (&place, &form)).await {
        Ok(()) => Ok(see(&format!("/notices/{id}/doors{}", place.query(place.group, place.way())))),
        Err(error) => shown(&app, &who, id, (place, Wrong::from(error)?)).await,
    }
}

async fn run(app: &App, who: &Resident, id: NoticeId, (place, form): (&Where, &Fields)) -> Result<()> {
    let (actor, person) = (who.actor.clone(), form.required::<PersonId>("person_id")?);
    match form.text("act") {
        "undo" => {
            let undone = (id, OfPerson { person_id: person });
            app.store.write(move |tx| Box::pin(async move { undo(tx, &actor, undone).await })).await
        }
        "told" => {
            let person = (id, OfPerson { person_id: person });
            app.store.write(move |tx| Box::pin(async move { told(tx, &actor, person).await })).await
        }
        "done" | "" => {
            let people: Vec<PersonId> =
                form.all("person_id").filter_map(|text| text.parse().ok()).take(AT_ONE_DOOR).collect();
            let (way, note) = (Some(place.way()), form.text("note").to_owned());
            let each = move |person_id| ConfirmFor {
                person_id,
                via: ConfirmVia::Door,
                way,
                proxy_id: None,
                note: note.clone(),
            };
            let all = app.store.write(move |tx| {
                Box::pin(async move {
                    for person in people {
                        confirm_for(tx, &actor, (id, each(person))).await?;
                    }
                    Ok(())
                })
            });
            all.await
        }
        _ => Err(Code::NotFound.into()),
    }
}

async fn paper(
    State(app): State<App>,
    who: Resident,
    Path(id): Path<NoticeId>,
    Query(place): Query<Where>,
) -> Result<Response> {
    let db = app.store.read();
    let notice = queries::detail(db, id).await?;
    let doors = if notice.notice.must_read {
        queries::on_paper(db, &who.actor, (id, place.area.as_deref(), place.group)).await?
    } else {
        untold::on_paper(&app, &who, &notice.notice, &place).await?
    };
    let page = who.page("page-doors-paper").back(format!("/notices/{id}/doors"));
    let head = notice.notice;
    Ok(render(&PaperPage {
        page,
        small: format!("{} · {}", head.number, head.body_name),
        title: head.title,
        confirm_by: head.confirm_by,
        text: notice.text,
        doors,
        group: place.group,
    }))
}

/// Somebody of the household has read it, too.
async fn household(State(app): State<App>, who: Resident, Path(id): Path<NoticeId>, form: Fields) -> Result<Response> {
    let person = form.required("person_id")?;
    let done =
        ConfirmFor { person_id: person, via: ConfirmVia::Household, way: None, proxy_id: None, note: String::new() };
    let actor = who.actor.clone();
    app.store.write(move |tx| Box::pin(async move { confirm_for(tx, &actor, (id, done)).await })).await?;
    Ok(see(&format!("/notices/{id}")))
}

/// "I did not agree to that": what somebody else confirmed for the viewer is taken back.
async fn contest(State(app): State<App>, who: Resident, Path(id): Path<NoticeId>) -> Result<Response> {
    let actor = who.actor.clone();
    let own = OfPerson { person_id: actor.person };
    app.store.write(move |tx| Box::pin(async move { undo(tx, &actor, (id, own)).await })).await?;
    Ok(see(&format!("/notices/{id}")))
}
