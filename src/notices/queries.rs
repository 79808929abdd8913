//! Reads of notices: what hangs and its versions; objections, confirmations and doors are beside it.
use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::objections::Eyes;
use super::{
    rows::{notice, version},
    rules::Category,
    villages,
};
use crate::{
    bodies, clock,
    error::{Code, Error, Result},
    ids::{BodyId, MatterId, NoticeId},
    page::{Cursor, Page, PageQuery},
    quiet::Class,
    streams::chain_of_areas,
};

mod confirmed;
mod objections;
mod spoken;

pub(super) use self::{
    confirmed::view as confirmation_view,
    objections::{objection_view, with_open_objections},
};
pub use self::{
    confirmed::{ConfirmationView, confirmed_by, made_by, own as own_confirmation},
    objections::{ObjectionView, objections, objectors_of, raised_by, stands as objection_stands},
    spoken::{Spoken, spoken},
};
pub use super::{
    doors::{list as doors, of_household, on_paper},
    reach::reach,
    villages::asked_by_village,
};

/// A notice that hangs.
pub const PUBLISHED: &str = "published";
/// A notice whose period is over and whose objections are answered.
pub const CONCLUDED: &str = "concluded";
/// A notice that was taken down.
pub const WITHDRAWN: &str = "withdrawn";
/// Notices of one matter shown at most.
const MAX_NOTICES: u64 = 100;
/// Newest notices of the county shown at most.
const MAX_NEWEST: u64 = 10;
/// Versions of one notice shown at most, the newest.
const MAX_VERSIONS: u64 = 20;

/// A notice on a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NoticeView {
    /// Its id.
    pub id: NoticeId,
    /// Its number, e.g. 东衡公示〔2026〕3号; unique within the area.
    pub number: String,
    /// Where it hangs.
    pub area_code: String,
    /// The matter it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matter_id: Option<MatterId>,
    /// The village committee in whose name it hangs.
    pub body_id: BodyId,
    /// Its name.
    pub body_name: String,
    /// The council that published it by mandate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adviser_body_name: Option<String>,
    /// Its title.
    pub title: String,
    /// Counted from 1.
    pub version: i32,
    /// published, concluded or withdrawn.
    pub state: String,
    /// Length of the period in calendar days, as chosen.
    pub period_days: i32,
    /// 00:00 of the first day counted.
    pub period_from: DateTime<FixedOffset>,
    /// 24:00 of the last day.
    pub period_to: DateTime<FixedOffset>,
    /// The last day on which one may object.
    pub last_day: NaiveDate,
    /// When this version was published.
    pub published_at: DateTime<FixedOffset>,
    /// When it was concluded or withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<FixedOffset>>,
    /// Why it was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<String>,
    /// How many objections there are.
    pub objections: u64,
    /// How many of them are not answered.
    pub open_objections: u64,
    /// Are residents asked to confirm that they have read it?
    pub must_read: bool,
    /// How many of those who are asked confirmed the present version.
    pub confirmed: u64,
    /// How many are asked: the adults on the rosters when this version was published; of a notice of a town or the county
    /// absent until all villages are gone through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience_size: Option<i32>,
    /// Until when they are asked to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm_by: Option<DateTime<FixedOffset>>,
    /// normal, important, emergency.
    pub class: Class,
    /// What it is about.
    pub category: Category,
}

/// A notice with everything that is public about it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NoticeDetail {
    /// The notice.
    #[serde(flatten)]
    pub notice: NoticeView,
    /// What it says.
    pub text: String,
    /// The committee's decision by which the council published it: which meeting, which day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mandate_source: Option<String>,
    /// The newest 20 versions, newest first.
    pub versions: Vec<VersionView>,
    /// Objections, oldest first, 500 at most; names are masked.
    pub objection_list: Vec<ObjectionView>,
}

/// A version of a notice.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct VersionView {
    /// Counted from 1.
    pub version: i32,
    /// Its title.
    pub title: String,
    /// What it said.
    pub text: String,
    /// SHA-256 over title, line feed, text.
    pub digest: String,
    /// Why it was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was published.
    pub published_at: DateTime<FixedOffset>,
}

/// A notice, as everybody may see it.
///
/// # Errors
/// `not_found` when there is none.
pub async fn detail(db: &impl ConnectionTrait, id: NoticeId) -> Result<NoticeDetail> {
    let row = notice::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    public_detail(db, row).await
}

pub(super) async fn public_detail(db: &impl ConnectionTrait, row: notice::Model) -> Result<NoticeDetail> {
    let versions = version::Entity::find()
        .filter(version::Column::NoticeId.eq(row.id))
        .order_by_desc(version::Column::Version)
        .limit(MAX_VERSIONS)
        .all(db)
        .await?;
    let objection_list =
        objections::objection_views(db, objections::objections_to(row.id).all(db).await?, Eyes::Public).await?;
    let mandate_source = match row.mandate_id {
        Some(mandate) => bodies::queries::mandate_source(db, mandate).await?,
        None => None,
    };
    let text = row.text.clone();
    Ok(NoticeDetail {
        notice: view(db, row).await?,
        text,
        mandate_source,
        versions: versions.into_iter().map(version_view).collect(),
        objection_list,
    })
}

/// The must-read notices that ask who lives in an area: its own, its town's and its county's, newest first, so many at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn must_read(db: &impl ConnectionTrait, area: &str, limit: u64) -> Result<Vec<NoticeView>> {
    let asked = hanging_in(with_above(area)).filter(notice::Column::MustRead.eq(true)).limit(limit).all(db).await?;
    views(db, asked).await
}

/// Those of an area with objections that wait for an answer, also when they were taken down, newest first, so many at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn objected_to(db: &impl ConnectionTrait, area: &str, limit: u64) -> Result<Vec<NoticeView>> {
    let objected = notice::Entity::find()
        .filter(notice::Column::AreaCode.eq(area))
        .filter(notice::Column::Id.in_subquery(with_open_objections()))
        .order_by_desc(notice::Column::PublishedAt)
        .order_by_desc(notice::Column::Id)
        .limit(limit);
    views(db, objected.all(db).await?).await
}

/// Notices in an area and below it whose period is over and to which an objection waits for an answer still: where, and since
/// when. The longest first, so many at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn unanswered(
    db: &impl ConnectionTrait,
    (area, now, limit): (&str, DateTime<Utc>, u64),
) -> Result<Vec<(String, DateTime<Utc>)>> {
    let over = notice::Entity::find()
        .select_only()
        .columns([notice::Column::AreaCode, notice::Column::PeriodTo])
        .filter(notice::Column::AreaCode.starts_with(area))
        .filter(notice::Column::PeriodTo.lte(now))
        .filter(notice::Column::Id.in_subquery(with_open_objections()))
        .order_by_asc(notice::Column::PeriodTo)
        .limit(limit);
    Ok(over.into_tuple().all(db).await?)
}

fn hanging_in(areas: Vec<String>) -> Select<notice::Entity> {
    let hangs = notice::Entity::find().filter(notice::Column::AreaCode.is_in(areas));
    let hangs = hangs.filter(notice::Column::State.eq(PUBLISHED));
    hangs.order_by_desc(notice::Column::PublishedAt).order_by_desc(notice::Column::Id)
}

/// Notices that hang or hung in an area, those of its town and county among them, newest first.
///
/// # Errors
/// `invalid_cursor`; when the database cannot be read.
pub async fn list(db: &impl ConnectionTrait, area: &str, page: &PageQuery) -> Result<Page<NoticeView>> {
    let limit = page.limit()?;
    let mut found = notice::Entity::find().filter(notice::Column::AreaCode.is_in(with_above(area)));
    if let Some(Cursor { at, id }) = page.after()? {
        let same = notice::Column::PublishedAt.eq(at).and(notice::Column::Id.lt(id));
        found = found.filter(notice::Column::PublishedAt.lt(at).or(same));
    }
    let rows = found
        .order_by_desc(notice::Column::PublishedAt)
        .order_by_desc(notice::Column::Id)
        .limit(limit + 1)
        .all(db)
        .await?;
    let views = views(db, rows).await?;
    Ok(Page::cut(views, limit, |view| Cursor { at: view.published_at.to_utc(), id: view.id.0 }, |view| view))
}

/// The area itself, its town and its county.
fn with_above(area: &str) -> Vec<String> {
    let mut areas = chain_of_areas(area);
    areas.extend((areas.last().is_none_or(|last| last != area)).then(|| area.to_owned()));
    areas
}

/// What hangs in the county now, newest first, 10 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn newest(db: &impl ConnectionTrait) -> Result<Vec<NoticeView>> {
    let hanging = notice::Entity::find().filter(notice::Column::State.eq(PUBLISHED));
    let newest = hanging.order_by_desc(notice::Column::PublishedAt).order_by_desc(notice::Column::Id).limit(MAX_NEWEST);
    views(db, newest.all(db).await?).await
}

/// The notices about a matter in its area and below, oldest first, 100 at most: what another village hangs in its name
/// does not crowd out its own.
///
/// # Errors
/// When the database cannot be read.
pub async fn notices_of(db: &impl ConnectionTrait, (matter, area): (MatterId, &str)) -> Result<Vec<NoticeView>> {
    let rows = notice::Entity::find()
        .filter(notice::Column::MatterId.eq(matter))
        .filter(notice::Column::AreaCode.starts_with(area))
        .order_by_asc(notice::Column::PublishedAt)
        .order_by_asc(notice::Column::Id)
        .limit(MAX_NOTICES)
        .all(db)
        .await?;
    views(db, rows).await
}

fn version_view(row: version::Model) -> VersionView {
    VersionView {
        version: row.version,
        title: row.title,
        text: row.text,
        digest: row.digest,
        reason: row.reason,
        published_at: clock::local(row.published_at),
    }
}

pub(super) async fn view(db: &impl ConnectionTrait, row: notice::Model) -> Result<NoticeView> {
    views(db, vec![row]).await?.pop().ok_or_else(|| Error::broken("a notice without a view"))
}

async fn views(db: &impl ConnectionTrait, rows: Vec<notice::Model>) -> Result<Vec<NoticeView>> {
    let bodies = rows.iter().map(|row| row.body_id).chain(rows.iter().filter_map(|row| row.adviser_body_id)).collect();
    let names = bodies::queries::names(db, bodies).await?;
    let counts = objections::counts(db, rows.iter().map(|row| row.id).collect()).await?;
    let confirmed = villages::confirmed(db, &rows).await?;
    let show = |row: notice::Model| {
        let (objections, answered) = counts.get(&row.id).copied().unwrap_or_default();
        NoticeView {
            body_name: names.get(&row.body_id).cloned().unwrap_or_default(),
            adviser_body_name: row.adviser_body_id.and_then(|id| names.get(&id).cloned()),
            last_day: clock::last_day(row.period_to),
            objections,
            open_objections: objections.saturating_sub(answered),
            must_read: row.must_read,
            confirmed: confirmed.get(&(row.id, row.version)).copied().unwrap_or_default(),
            id: row.id,
            number: row.number,
            area_code: row.area_code,
            matter_id: row.matter_id,
            body_id: row.body_id,
            title: row.title,
            version: row.version,
            state: row.state,
            period_days: row.period_days,
            period_from: clock::local(row.period_from),
            period_to: clock::local(row.period_to),
            published_at: clock::local(row.published_at),
            ended_at: row.ended_at.map(clock::local),
            end_reason: row.end_reason,
            audience_size: row.audience_size,
            confirm_by: row.confirm_by.map(clock::local),
            class: Class::parse(&row.class),
            category: Category::parse(&row.category),
        }
    };
    Ok(rows.into_iter().map(show).collect())
}
