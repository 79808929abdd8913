//! 服务记录: what a council did for people by one of its six functions, written down by who leads it.
use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Set, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    queries,
    rows::{body_area, service_record},
    rules::CouncilFunction,
};
use crate::{
    actor::{Actor, HeldSeat},
    clock,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, ServiceRecordId},
    people,
    rights::{Right, rights},
    store::Tx,
    text,
};

/// Days after which nothing is written down any more.
const LATEST: i64 = 366;
/// People for whom one thing was done, at most.
const MOST_PEOPLE: i32 = 100_000;
/// Records that are listed.
const LISTED: u64 = 100;

/// Something that a council did.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordService {
    /// On which day; today, or within the last year.
    pub done_on: NaiveDate,
    /// By which of a council's six functions.
    pub function: CouncilFunction,
    /// What; public. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub text: String,
    /// By which of its service groups; none: by the council as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_group: Option<String>,
    /// For how many people, as whoever writes it down counted them.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 100_000)]
    pub people: i32,
}

/// A record does not count any more.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawService {
    /// Why; public. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
}

/// Something that a council did, as everybody may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceView {
    /// The record.
    pub id: ServiceRecordId,
    /// The council.
    pub body_id: BodyId,
    /// On which day.
    pub done_on: NaiveDate,
    /// By which function.
    pub function: CouncilFunction,
    /// The same in Chinese.
    pub function_name: String,
    /// By which service group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_group: Option<String>,
    /// What.
    pub text: String,
    /// For how many people.
    pub people: i32,
    /// Who wrote it down.
    pub recorded_by_name: String,
    /// When.
    pub recorded_at: DateTime<FixedOffset>,
    /// Who took it back: it does not count any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_by_name: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Does the actor lead this council, and write down what it says of itself?
#[must_use]
pub fn keeps(actor: &Actor, body: BodyId) -> bool {
    let keeps =
        |seat: &HeldSeat| seat.body_id == body && rights(&seat.body_kind, &seat.role).contains(&Right::KeepCouncil);
    actor.seats.iter().any(keeps)
}

/// Writes down what a council did. Records `service.recorded`.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not lead the council; `invalid_fields`.
pub async fn record(tx: &Tx, actor: &Actor, (id, input): (BodyId, RecordService)) -> Result<ServiceView> {
    let body = queries::get(tx, id).await?;
    if !keeps(actor, id) {
        return Err(Code::NotAllowed.into());
    }
    let today = clock::local_date(tx.now());
    let group = input.service_group.as_deref().map(str::trim);
    let mut checks = Checks::default();
    checks.require((today - TimeDelta::days(LATEST)..=today).contains(&input.done_on), "done_on", "out_of_range");
    checks.text("text", &input.text, 2..=200);
    checks.require((0..=MOST_PEOPLE).contains(&input.people), "people", "out_of_range");
    if group.is_some() {
        let seats = queries::members_of(tx, id, tx.now()).await?;
        let is_there = seats.iter().any(|seat| seat.service_group.as_deref() == group);
        checks.require(is_there, "service_group", "unknown");
    }
    checks.done()?;
    let row = service_record::ActiveModel {
        id: Set(ServiceRecordId::new()),
        body_id: Set(id),
        done_on: Set(input.done_on),
        function: Set(input.function),
        service_group: Set(group.map(str::to_owned)),
        text: Set(input.text.trim().to_owned()),
        people: Set(input.people),
        recorded_by: Set(actor.person),
        recorded_at: Set(tx.now()),
        withdrawn_by: Set(None),
        withdrawn_at: Set(None),
        reason: Set(None),
    };
    let row = row.insert(tx).await?;
    log(tx, actor, (Kind::ServiceRecorded, &row, &body)).await?;
    view(tx, row).await
}

/// Takes a record back, for everybody to see; it stays where it is and counts no more. Records `service.withdrawn`.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not lead the council; `invalid_fields`; `wrong_state` when it was taken back already.
pub async fn withdraw(tx: &Tx, actor: &Actor, (id, input): (ServiceRecordId, WithdrawService)) -> Result<ServiceView> {
    let row = service_record::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    if !keeps(actor, row.body_id) {
        return Err(Code::NotAllowed.into());
    }
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=200);
    checks.done()?;
    let withdrawn = service_record::Entity::update_many()
        .col_expr(service_record::Column::WithdrawnBy, Expr::value(actor.person))
        .col_expr(service_record::Column::WithdrawnAt, Expr::value(tx.now()))
        .col_expr(service_record::Column::Reason, Expr::value(input.reason.trim()))
        .filter(service_record::Column::Id.eq(id))
        .filter(service_record::Column::WithdrawnAt.is_null())
        .exec_with_returning(tx)
        .await?;
    let row = withdrawn.into_iter().next().ok_or(Code::WrongState)?;
    let body = queries::get(tx, row.body_id).await?;
    log(tx, actor, (Kind::ServiceWithdrawn, &row, &body)).await?;
    view(tx, row).await
}

async fn log(tx: &Tx, actor: &Actor, (kind, row, body): (Kind, &service_record::Model, &queries::Body)) -> Result<()> {
    let happening = Happening::new(kind, row.id).by(actor.person).with(json!({ "body": row.body_id }));
    events::record(tx, Happening { area: body.areas.first().cloned(), ..happening }).await?;
    Ok(())
}

/// What a council did, the newest first; 100 at most.
///
/// # Errors
/// `not_found`.
pub async fn list(db: &impl ConnectionTrait, body: BodyId) -> Result<Vec<ServiceView>> {
    queries::get(db, body).await?;
    let rows = service_record::Entity::find()
        .filter(service_record::Column::BodyId.eq(body))
        .order_by_desc(service_record::Column::DoneOn)
        .order_by_desc(service_record::Column::Id)
        .limit(LISTED);
    views(db, rows.all(db).await?).await
}

/// How many things that a council did are written down and stand.
pub(super) async fn standing(db: &impl ConnectionTrait, body: BodyId) -> Result<u64> {
    let rows = service_record::Entity::find()
        .filter(service_record::Column::BodyId.eq(body))
        .filter(service_record::Column::WithdrawnAt.is_null());
    Ok(rows.count(db).await?)
}

async fn view(db: &impl ConnectionTrait, row: service_record::Model) -> Result<ServiceView> {
    views(db, vec![row]).await?.pop().ok_or_else(|| Code::NotFound.into())
}

async fn views(db: &impl ConnectionTrait, rows: Vec<service_record::Model>) -> Result<Vec<ServiceView>> {
    let who = rows.iter().flat_map(|row| [Some(row.recorded_by), row.withdrawn_by]).flatten().collect();
    let names = people::names(db, who).await?;
    let shown = |row: service_record::Model| ServiceView {
        id: row.id,
        body_id: row.body_id,
        done_on: row.done_on,
        function: row.function,
        function_name: text::word("council-function", row.function.as_str()),
        service_group: row.service_group,
        text: row.text,
        people: row.people,
        recorded_by_name: names.get(&row.recorded_by).cloned().unwrap_or_default(),
        recorded_at: clock::local(row.recorded_at),
        withdrawn_by_name: row.withdrawn_by.map(|who| names.get(&who).cloned().unwrap_or_default()),
        reason: row.reason,
    };
    Ok(rows.into_iter().map(shown).collect())
}

/// What stands in the records of a council, of one group and one function together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The council.
    pub body: BodyId,
    /// The service group; none: the council as a whole.
    pub group: Option<String>,
    /// By which function.
    pub function: CouncilFunction,
    /// How often.
    pub times: i64,
    /// For how many people, taken together.
    pub people: i64,
}

/// What the councils of an area and below it did from one day to before another, by group and function.
///
/// # Errors
/// When the database cannot be read.
pub async fn counted(db: &impl ConnectionTrait, (area, from, to): (&str, NaiveDate, NaiveDate)) -> Result<Vec<Served>> {
    use service_record::Column as C;
    let there = body_area::Entity::find()
        .select_only()
        .column(body_area::Column::BodyId)
        .filter(body_area::Column::AreaCode.starts_with(area));
    let rows: Vec<(BodyId, Option<String>, CouncilFunction, i64, i64)> = service_record::Entity::find()
        .select_only()
        .columns([C::BodyId, C::ServiceGroup, C::Function])
        .column_as(C::Id.count(), "times")
        .column_as(C::People.sum(), "people")
        .filter(C::BodyId.in_subquery(there.into_query()))
        .filter(C::WithdrawnAt.is_null())
        .filter(C::DoneOn.gte(from))
        .filter(C::DoneOn.lt(to))
        .group_by(C::BodyId)
        .group_by(C::ServiceGroup)
        .group_by(C::Function)
        .into_tuple()
        .all(db)
        .await?;
    let sum = |(body, group, function, times, people)| Served { body, group, function, times, people };
    Ok(rows.into_iter().map(sum).collect())
}
