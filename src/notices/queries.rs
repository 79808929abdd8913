//! Reads of notices: what hangs, its versions, objections with their answers.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::SelectStatement,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    confirmations,
    rows::{notice, objection, version},
};
use crate::{
    actor::Actor,
    bodies::{self, Right},
    clock,
    error::{Code, Error, Result},
    ids::{BodyId, MatterId, NoticeId, ObjectionId, PersonId},
    page::{Cursor, Page, PageQuery},
    people,
};

pub use super::confirmations::has_confirmed;

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
/// Objections to one notice shown at most.
const MAX_OBJECTIONS_SHOWN: u64 = 500;

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
    /// How many confirmed the present version.
    pub confirmed: u64,
}

/// A notice with everything that is public about it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NoticeDetail {
    /// The notice.
    #[serde(flatten)]
    pub notice: NoticeView,
    /// What it says.
    pub text: String,
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

/// An objection with its answer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ObjectionView {
    /// Its id.
    pub id: ObjectionId,
    /// The notice.
    pub notice_id: NoticeId,
    /// The version it was raised against.
    pub version: i32,
    /// Full for those who answer and for the objector, masked for everybody else.
    pub name: String,
    /// Who raised it, for those who answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person_id: Option<PersonId>,
    /// Is it the asker's own?
    pub is_mine: bool,
    /// What it says.
    pub text: String,
    /// When it was raised.
    pub created_at: DateTime<FixedOffset>,
    /// The answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Who answered, with full name, for the committee.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_by_name: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<DateTime<FixedOffset>>,
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
    let objection_list = objection_views(db, objections_to(row.id).all(db).await?, Eyes::Public).await?;
    let text = row.text.clone();
    Ok(NoticeDetail {
        notice: view(db, row).await?,
        text,
        versions: versions.into_iter().map(version_view).collect(),
        objection_list,
    })
}

/// The objections to a notice, as the actor may see them: with names for those who answer.
///
/// # Errors
/// `not_found` when there is no such notice.
pub async fn objections(db: &impl ConnectionTrait, actor: &Actor, id: NoticeId) -> Result<Vec<ObjectionView>> {
    let notice = notice::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    objection_views(db, objections_to(id).all(db).await?, Eyes::of(actor, &notice.area_code)).await
}

/// Notices that hang or hung in an area, newest first.
///
/// # Errors
/// `invalid_cursor`; when the database cannot be read.
pub async fn list(db: &impl ConnectionTrait, area: &str, page: &PageQuery) -> Result<Page<NoticeView>> {
    let limit = page.limit()?;
    let mut found = notice::Entity::find().filter(notice::Column::AreaCode.eq(area));
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

/// Everybody who objected to a notice about this matter: they are visited at the review. Never shown.
///
/// # Errors
/// When the database cannot be read.
pub async fn objectors_of(db: &impl ConnectionTrait, matter: MatterId, area: &str) -> Result<Vec<PersonId>> {
    let notices = notice::Entity::find()
        .select_only()
        .column(notice::Column::Id)
        .filter(notice::Column::MatterId.eq(matter))
        .filter(notice::Column::AreaCode.eq(area));
    let people = objection::Entity::find()
        .select_only()
        .column(objection::Column::PersonId)
        .distinct()
        .filter(objection::Column::NoticeId.in_subquery(notices.into_query()));
    Ok(people.into_tuple().all(db).await?)
}

/// Ids of notices with an objection that is not answered.
pub(super) fn with_open_objections() -> SelectStatement {
    objection::Entity::find()
        .select_only()
        .column(objection::Column::NoticeId)
        .filter(objection::Column::AnsweredAt.is_null())
        .into_query()
}

/// One objection, as the actor may see it.
pub(super) async fn objection_view(
    db: &impl ConnectionTrait,
    row: objection::Model,
    actor: Option<&Actor>,
) -> Result<ObjectionView> {
    let notice = notice::Entity::find_by_id(row.notice_id).one(db).await?.ok_or(Code::NotFound)?;
    let eyes = actor.map_or(Eyes::Public, |actor| Eyes::of(actor, &notice.area_code));
    objection_views(db, vec![row], eyes).await?.pop().ok_or_else(|| Error::broken("an objection without a view"))
}

/// Who looks at objections.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Eyes {
    Public,
    Person(PersonId),
    Handler(PersonId),
}

impl Eyes {
    fn of(actor: &Actor, area: &str) -> Self {
        if bodies::may(actor, Right::AnswerObjection, area) {
            Self::Handler(actor.person)
        } else {
            Self::Person(actor.person)
        }
    }
}

fn objections_to(id: NoticeId) -> Select<objection::Entity> {
    objection::Entity::find()
        .filter(objection::Column::NoticeId.eq(id))
        .order_by_asc(objection::Column::CreatedAt)
        .order_by_asc(objection::Column::Id)
        .limit(MAX_OBJECTIONS_SHOWN)
}

async fn objection_views(
    db: &impl ConnectionTrait,
    rows: Vec<objection::Model>,
    eyes: Eyes,
) -> Result<Vec<ObjectionView>> {
    let people = rows.iter().map(|row| row.person_id).chain(rows.iter().filter_map(|row| row.answered_by)).collect();
    let names = people::names(db, people).await?;
    let show = |row: objection::Model| {
        let is_mine = matches!(eyes, Eyes::Person(asker) | Eyes::Handler(asker) if asker == row.person_id);
        let is_handler = matches!(eyes, Eyes::Handler(_));
        let name = names.get(&row.person_id).cloned().unwrap_or_default();
        ObjectionView {
            name: if is_mine || is_handler { name } else { people::rules::mask_name(&name) },
            person_id: is_handler.then_some(row.person_id),
            is_mine,
            id: row.id,
            notice_id: row.notice_id,
            version: row.version,
            text: row.text,
            created_at: clock::local(row.created_at),
            answer: row.answer,
            answered_by_name: row.answered_by.and_then(|person| names.get(&person).cloned()),
            answered_at: row.answered_at.map(clock::local),
        }
    };
    Ok(rows.into_iter().map(show).collect())
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
    let counts = counts(db, rows.iter().map(|row| row.id).collect()).await?;
    let confirmed = confirmations::counts(db, &rows).await?;
    let show = |row: notice::Model| {
        let (objections, answered) = counts.get(&row.id).copied().unwrap_or_default();
        NoticeView {
            body_name: names.get(&row.body_id).cloned().unwrap_or_default(),
            adviser_body_name: row.adviser_body_id.and_then(|id| names.get(&id).cloned()),
            last_day: clock::local_date(row.period_to - TimeDelta::milliseconds(1)),
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
        }
    };
    Ok(rows.into_iter().map(show).collect())
}

/// Objections and answers by notice.
async fn counts(db: &impl ConnectionTrait, notices: Vec<NoticeId>) -> Result<HashMap<NoticeId, (u64, u64)>> {
    let rows: Vec<(NoticeId, i64, i64)> = objection::Entity::find()
        .select_only()
        .column(objection::Column::NoticeId)
        .column_as(objection::Column::Id.count(), "objections")
        .column_as(objection::Column::AnsweredAt.count(), "answered")
        .filter(objection::Column::NoticeId.is_in(notices))
        .group_by(objection::Column::NoticeId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(id, all, answered)| (id, (all.unsigned_abs(), answered.unsigned_abs()))).collect())
}
