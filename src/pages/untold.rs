//! `/notices/{id}/doors` of a notice that nobody is asked to confirm: the households that no message reached, for who goes round.
//! What is said at a door is said to all who live behind it, and written down with one tap.
use askama::Template;
use axum::response::Response;
use sea_orm::ConnectionTrait;

use super::{
    doors::{Doors, Where},
    fields::Wrong,
    layout::{Page, Resident, render_as},
    words::Words,
};
use crate::{
    actor::Actor,
    app::App,
    delivery::board::{self, ReachRow},
    error::{Code, Result},
    ids::PersonId,
    notices::{self, DoorView, GroupReach, NoticeView, queries},
    people,
};

/// Households on one page.
const SHOWN: usize = 20;
/// People on a sheet of paper.
const ON_PAPER: usize = 5000;

/// A door, and who of those behind it has not been told.
struct Home {
    household_number: String,
    group_number: i32,
    people: Vec<ReachRow>,
}

#[derive(Template)]
#[template(path = "doors_untold.html")]
struct UntoldPage {
    page: Page,
    notice: NoticeView,
    homes: Vec<Home>,
    /// As far as the viewer sees them.
    groups: Vec<GroupReach>,
    /// How many were told at the door.
    at_door: usize,
    /// Where the next page begins.
    next: Option<usize>,
    /// What was written down just now and can be taken back.
    made: Vec<(PersonId, String)>,
    /// The board, which is printed.
    board: String,
    at: Doors,
    wrong: Wrong,
}

impl UntoldPage {
    fn left(&self) -> u64 {
        self.groups.iter().map(|group| group.unreached).sum()
    }

    fn all(&self) -> u64 {
        self.groups.iter().map(|group| group.asked).sum()
    }

    fn more(&self, from: &usize) -> String {
        format!("{}&from={from}", self.at.path(self.at.place.group, self.at.place.way()))
    }
}

/// The doors of a village, or of the groups of a grid worker.
pub(super) async fn shown(
    app: &App,
    who: &Resident,
    notice: NoticeView,
    (place, wrong): (Where, Wrong),
) -> Result<Response> {
    let (db, actor, id) = (app.store.read(), &who.actor, notice.id);
    let (village, mut rows) = concerned(db, actor, &notice, &place).await?;
    let groups = by_group(&rows);
    let at_door = rows.iter().filter(|row| row.way.as_deref() == Some(board::DOOR)).count();
    rows.retain(|row| is_left(row, &place));
    let (from, homes) = (place.from.unwrap_or_default(), homes(rows));
    let end = from.saturating_add(SHOWN);
    let page = who.page("page-doors-visit").back(format!("/notices/{id}")).at(format!("/notices/{id}/doors"));
    let shown = UntoldPage {
        page,
        next: (homes.len() > end).then_some(end),
        homes: homes.into_iter().skip(from).take(SHOWN).collect(),
        groups,
        at_door,
        made: queries::made_by(db, actor, (id, notice.version, app.now())).await?,
        board: format!("/desk/notices/{id}/reach?area={village}"),
        notice,
        at: Doors { id, place },
        wrong,
    };
    Ok(render_as(shown.wrong.status(), &shown))
}

/// The same on a sheet of paper, which is taken along.
pub(super) async fn on_paper(app: &App, who: &Resident, notice: &NoticeView, place: &Where) -> Result<Vec<DoorView>> {
    let db = app.store.read();
    let (_, mut rows) = concerned(db, &who.actor, notice, place).await?;
    rows.retain(|row| is_left(row, place));
    rows.truncate(ON_PAPER);
    let ids: Vec<PersonId> = rows.iter().map(|row| row.person_id).collect();
    let phones = people::queries::with_phone(db, &ids).await?;
    let view = |row: ReachRow| DoorView {
        has_phone: phones.contains(&row.person_id),
        person_id: row.person_id,
        name: row.name,
        household_number: row.household_number,
        group_number: row.group_number,
        confirmed_by_name: None,
    };
    Ok(rows.into_iter().map(view).collect())
}

/// The village, and whom the notice concerns there, as far as the viewer goes round, told or not.
async fn concerned(
    db: &impl ConnectionTrait,
    actor: &Actor,
    notice: &NoticeView,
    place: &Where,
) -> Result<(String, Vec<ReachRow>)> {
    let village = notices::village_of(actor, &notice.area_code, place.area.as_deref())?;
    let scope = notices::scope(db, actor, &village).await?;
    if place.group.is_some_and(|group| !scope.has(group)) {
        return Err(Code::NotAllowed.into());
    }
    if notice.state == queries::WITHDRAWN {
        return Err(Code::WrongState.into());
    }
    let mut rows = board::people_of(db, actor, (notice.id, Some(&village))).await?;
    // who goes round knows of it
    rows.retain(|row| scope.has(row.group_number) && row.person_id != actor.person);
    Ok((village, rows))
}

fn is_left(row: &ReachRow, place: &Where) -> bool {
    row.way.is_none() && place.group.is_none_or(|group| row.group_number == group)
}

/// They come by group.
fn by_group(rows: &[ReachRow]) -> Vec<GroupReach> {
    let mut groups: Vec<GroupReach> = Vec::new();
    for row in rows {
        let unreached = u64::from(row.way.is_none());
        match groups.last_mut() {
            Some(group) if group.group_number == row.group_number => {
                group.asked += 1;
                group.unreached += unreached;
            }
            _ => groups.push(GroupReach { group_number: row.group_number, asked: 1, unreached }),
        }
    }
    groups
}

/// They come by group and household; who has no household on the roster is a door alone.
fn homes(rows: Vec<ReachRow>) -> Vec<Home> {
    let mut homes: Vec<Home> = Vec::new();
    for row in rows {
        let is_there = |home: &Home| {
            !row.household_number.is_empty()
                && home.household_number == row.household_number
                && home.group_number == row.group_number
        };
        match homes.last_mut() {
            Some(home) if is_there(home) => home.people.push(row),
            _ => homes.push(Home {
                household_number: row.household_number.clone(),
                group_number: row.group_number,
                people: vec![row],
            }),
        }
    }
    homes
}
