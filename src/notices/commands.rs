//! Writes of notices: publish, change, withdraw, and what the clock brings about.
use chrono::{Datelike, NaiveDate};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{Expr, OnConflict},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    queries::{self, NoticeDetail},
    reminders,
    rows::{counter, notice, version},
    rules::{self, Category},
    summons::{as_long, summons},
    villages,
};
use crate::{
    actor::Actor,
    areas,
    bodies::{self, BodyKind, Right},
    clock,
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, MandateId, MatterId, NoticeId, PersonId},
    keys::sha256_hex,
    quiet::Class,
    store::Tx,
    text,
};

pub use super::confirmations::{confirm, confirm_for, told, undo};
pub use super::objections::{
    AnswerObjection, RaiseObjection, WithdrawObjection, answer_objection, object, withdraw_objection,
};

/// Scope of the mandate by which a council publishes.
pub const MANDATE_SCOPE: &str = "publish_notice";
/// Rows that the clock looks at in one go.
const DUE_AT_ONCE: u64 = 100;

/// A notice to be published.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishNotice {
    /// Where it hangs.
    pub area_code: String,
    /// The matter it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matter_id: Option<MatterId>,
    /// 1 to 60 characters.
    #[schema(min_length = 1, max_length = 60)]
    pub title: String,
    /// 1 to 5,000 characters.
    #[schema(min_length = 1, max_length = 5000)]
    pub text: String,
    /// Calendar days: 7 when absent; 5 at least for a matter; 90 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 90)]
    pub period_days: Option<u32>,
    /// Residents are asked to confirm that they have read it.
    #[serde(default)]
    pub must_read: bool,
    /// Until the end of which day they are asked to; until the end of the period when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm_by: Option<NaiveDate>,
    /// How urgent it is: what is important is told to who muted the village, an emergency in quiet hours, too.
    #[serde(default)]
    pub class: Class,
    /// What it is about, so that residents hear of what they want to; something else when absent.
    #[serde(default)]
    pub category: Category,
}

/// A new version of a notice.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviseNotice {
    /// The version that is changed, so that nobody's change is lost.
    pub version: i32,
    /// 1 to 60 characters.
    #[schema(min_length = 1, max_length = 60)]
    pub title: String,
    /// 1 to 5,000 characters.
    #[schema(min_length = 1, max_length = 5000)]
    pub text: String,
    /// Why, 1 to 200 characters; public.
    #[schema(min_length = 1, max_length = 200)]
    pub reason: String,
    /// Calendar days; as before when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 90)]
    pub period_days: Option<u32>,
    /// Until the end of which day residents are asked to confirm the new version; as many days as before when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm_by: Option<NaiveDate>,
}

/// Why a notice is withdrawn.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawNotice {
    /// 1 to 200 characters; public.
    #[schema(min_length = 1, max_length = 200)]
    pub reason: String,
}

/// In whose name a notice appears.
struct Authority {
    body: BodyId,
    adviser: Option<BodyId>,
    mandate: Option<MandateId>,
}

/// Publishes a notice. Records `notice.published`.
///
/// # Errors
/// `mandate_needed` for a council without one; `not_allowed` for others without the right in the area; `not_found` when
/// there is no such area; `invalid_fields`.
pub async fn publish(tx: &Tx, actor: &Actor, input: PublishNotice) -> Result<NoticeDetail> {
    let authority = authority(tx, actor, &input.area_code, input.matter_id).await?;
    let days = input.period_days.unwrap_or(rules::DEFAULT_DAYS);
    let mut checks = checked(&input.title, &input.text);
    checks.require(rules::is_long_enough(days, input.matter_id.is_some()), "period_days", "out_of_range");
    checks.require(input.must_read || input.confirm_by.is_none(), "confirm_by", "out_of_range");
    // the village keeps the roster; below it nobody would be asked
    let has_rosters = input.area_code.len() <= areas::VILLAGE_CODE;
    checks.require(!input.must_read || has_rosters, "must_read", "below_a_village");
    checks.done()?;
    let now = tx.now();
    let period = rules::period(tx.calendar(), now, days);
    let summons = summons(tx, (&input.area_code, input.must_read), (period, input.confirm_by)).await?;
    let number = next_number(tx, &input.area_code).await?;
    let row = notice::ActiveModel {
        id: Set(NoticeId::new()),
        number: Set(number),
        area_code: Set(input.area_code),
        matter_id: Set(input.matter_id),
        body_id: Set(authority.body),
        adviser_body_id: Set(authority.adviser),
        mandate_id: Set(authority.mandate),
        title: Set(input.title.trim().to_owned()),
        text: Set(input.text.trim().to_owned()),
        version: Set(1),
        state: Set(queries::PUBLISHED.to_owned()),
        period_days: Set(i32::try_from(days).map_err(Error::broken)?),
        period_from: Set(period.from),
        period_to: Set(period.to),
        calendar_version: Set(tx.calendar().version().to_owned()),
        created_by: Set(actor.person),
        published_at: Set(now),
        held_up_at: Set(None),
        ended_at: Set(None),
        end_reason: Set(None),
        must_read: Set(input.must_read),
        class: Set(input.class.as_str().to_owned()),
        category: Set(input.category.as_str().to_owned()),
        confirm_by: Set(summons.confirm_by),
        audience_size: Set(summons.size()),
    };
    let row = row.insert(tx).await?;
    villages::open(tx, &row, summons).await?;
    keep_version(tx, &row, None, actor.person).await?;
    record(tx, Kind::NoticePublished, &row, Some(actor.person)).await?;
    queries::public_detail(tx, row).await
}

/// Publishes a new version; the period starts again, objections stay and must be answered. Records `notice.revised`.
///
/// # Errors
/// `not_found`; `mandate_needed`, `not_allowed` as for publishing; `wrong_state` when it no longer hangs; `changed`
/// when somebody was faster; `invalid_fields`.
pub async fn revise(tx: &Tx, actor: &Actor, (id, input): (NoticeId, ReviseNotice)) -> Result<NoticeDetail> {
    let old = hanging(tx, id).await?;
    let authority = authority(tx, actor, &old.area_code, old.matter_id).await?;
    let days = input.period_days.unwrap_or(old.period_days.unsigned_abs());
    let mut checks = checked(&input.title, &input.text);
    checks.text("reason", &input.reason, 1..=200);
    checks.require(rules::is_long_enough(days, old.matter_id.is_some()), "period_days", "out_of_range");
    checks.require(old.must_read || input.confirm_by.is_none(), "confirm_by", "out_of_range");
    checks.done()?;
    let now = tx.now();
    let period = rules::period(tx.calendar(), now, days);
    let wanted = input.confirm_by.or_else(|| as_long(&old, now));
    let summons = summons(tx, (&old.area_code, old.must_read), (period, wanted)).await?;
    let revised = notice::Entity::update_many()
        .set(notice::ActiveModel {
            body_id: Set(authority.body),
            adviser_body_id: Set(authority.adviser),
            mandate_id: Set(authority.mandate),
            title: Set(input.title.trim().to_owned()),
            text: Set(input.text.trim().to_owned()),
            version: Set(input.version.saturating_add(1)),
            period_days: Set(i32::try_from(days).map_err(Error::broken)?),
            period_from: Set(period.from),
            period_to: Set(period.to),
            calendar_version: Set(tx.calendar().version().to_owned()),
            published_at: Set(now),
            held_up_at: Set(None),
            confirm_by: Set(summons.confirm_by),
            audience_size: Set(summons.size()),
            ..Default::default()
        })
        .filter(notice::Column::Id.eq(id))
        .filter(notice::Column::State.eq(queries::PUBLISHED))
        .filter(notice::Column::Version.eq(input.version))
        .exec_with_returning(tx)
        .await?;
    let row = revised.into_iter().next().ok_or(Code::Changed)?;
    villages::open(tx, &row, summons).await?;
    keep_version(tx, &row, Some(input.reason.trim().to_owned()), actor.person).await?;
    record(tx, Kind::NoticeRevised, &row, Some(actor.person)).await?;
    queries::public_detail(tx, row).await
}

/// Takes a notice down, with a reason that stays. Records `notice.withdrawn`.
///
/// # Errors
/// `not_found`; `mandate_needed`, `not_allowed` as for publishing; `wrong_state` when it no longer hangs;
/// `invalid_fields`.
pub async fn withdraw(tx: &Tx, actor: &Actor, (id, input): (NoticeId, WithdrawNotice)) -> Result<NoticeDetail> {
    let old = hanging(tx, id).await?;
    authority(tx, actor, &old.area_code, old.matter_id).await?;
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 1..=200);
    checks.done()?;
    let row = end(tx, id, queries::WITHDRAWN, Some(input.reason.trim().to_owned())).await?.ok_or(Code::WrongState)?;
    record(tx, Kind::NoticeWithdrawn, &row, Some(actor.person)).await?;
    queries::public_detail(tx, row).await
}

/// Concludes notices whose period is over and whose objections are answered; those with open objections are noticed
/// once and stay. Goes on writing down who is asked, and reminding. Records `notice.concluded`, `notice.held_up`,
/// `notice.reminder_due`.
///
/// # Errors
/// When the database refuses.
pub async fn due(tx: &Tx) -> Result<u64> {
    let over = || {
        notice::Entity::find()
            .filter(notice::Column::State.eq(queries::PUBLISHED))
            .filter(notice::Column::PeriodTo.lte(tx.now()))
            .order_by_asc(notice::Column::PeriodTo)
            .limit(DUE_AT_ONCE)
    };
    let mut count = 0;
    for row in over().filter(notice::Column::Id.not_in_subquery(queries::with_open_objections())).all(tx).await? {
        if let Some(row) = end(tx, row.id, queries::CONCLUDED, None).await? {
            record(tx, Kind::NoticeConcluded, &row, None).await?;
            count += 1;
        }
    }
    let held_up = over().filter(notice::Column::HeldUpAt.is_null());
    for row in held_up.filter(notice::Column::Id.in_subquery(queries::with_open_objections())).all(tx).await? {
        let marked = notice::Entity::update_many()
            .col_expr(notice::Column::HeldUpAt, Expr::value(tx.now()))
            .filter(notice::Column::Id.eq(row.id))
            .filter(notice::Column::HeldUpAt.is_null())
            .exec(tx)
            .await?;
        if marked.rows_affected == 1 {
            record(tx, Kind::NoticeHeldUp, &row, None).await?;
            count += 1;
        }
    }
    Ok(count + villages::due(tx).await? + reminders::due(tx).await?)
}

/// `None` when it no longer hangs.
async fn end(tx: &Tx, id: NoticeId, state: &str, reason: Option<String>) -> Result<Option<notice::Model>> {
    let ended = notice::Entity::update_many()
        .col_expr(notice::Column::State, Expr::value(state))
        .col_expr(notice::Column::EndedAt, Expr::value(tx.now()))
        .col_expr(notice::Column::EndReason, Expr::value(reason))
        .filter(notice::Column::Id.eq(id))
        .filter(notice::Column::State.eq(queries::PUBLISHED))
        .exec_with_returning(tx)
        .await?;
    Ok(ended.into_iter().next())
}

async fn hanging(tx: &Tx, id: NoticeId) -> Result<notice::Model> {
    let row = notice::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    if row.state == queries::PUBLISHED { Ok(row) } else { Err(Code::WrongState.into()) }
}

/// The committee's own seat, or that of an office for its own town or county; or a leading seat of a council with the committee's mandate, and then both are named.
async fn authority(tx: &Tx, actor: &Actor, area: &str, matter: Option<MatterId>) -> Result<Authority> {
    if let Ok(seat) = bodies::require(actor, Right::PublishNotice, area) {
        return Ok(Authority { body: seat.body_id, adviser: None, mandate: None });
    }
    let leads = |seat: &&crate::actor::HeldSeat| {
        seat.body_kind == "council"
            && seat.covers(area)
            && bodies::rights(&seat.body_kind, &seat.role).contains(&Right::HoldMeeting)
    };
    let council = actor.seats.iter().find(leads).ok_or(Code::NotAllowed)?;
    let subject = matter.map(|matter| matter.to_string());
    let scope = (MANDATE_SCOPE, area);
    let mandate = bodies::mandate_for(tx, council.body_id, scope, subject.as_deref(), tx.now()).await?;
    let mandate = mandate.ok_or(Code::MandateNeeded)?;
    if bodies::get(tx, mandate.from_body_id).await?.kind != BodyKind::VillageCommittee {
        return Err(Code::MandateNeeded.into());
    }
    Ok(Authority { body: mandate.from_body_id, adviser: Some(council.body_id), mandate: Some(mandate.id) })
}

/// Whoever may publish a notice there, also says how it sounds.
///
/// # Errors
/// `mandate_needed`, `not_allowed` as for publishing.
pub async fn require_publisher(tx: &Tx, actor: &Actor, (area, matter): (&str, Option<MatterId>)) -> Result<()> {
    authority(tx, actor, area, matter).await.map(drop)
}

fn checked(title: &str, text: &str) -> Checks {
    let mut checks = Checks::default();
    checks.text("title", title, 1..=60);
    checks.text("text", text, 1..=5000);
    checks
}

/// The next number of the area in this year. The counter's row is locked until the commit, so no two are alike.
async fn next_number(tx: &Tx, area_code: &str) -> Result<String> {
    let area = areas::get(tx, area_code).await?;
    let year = clock::local_date(tx.now()).year();
    let one_more = OnConflict::columns([counter::Column::AreaCode, counter::Column::Year])
        .value(counter::Column::Last, Expr::col((counter::Entity, counter::Column::Last)).add(1))
        .to_owned();
    let first = counter::ActiveModel { area_code: Set(area.code), year: Set(year), last: Set(1) };
    let row = counter::Entity::insert(first).on_conflict(one_more).exec_with_returning(tx).await?;
    let endings = text::say("notices-number-endings");
    let blanks = [
        ("area", rules::short_name(&area.name, &endings).into()),
        ("year", year.to_string().into()),
        ("n", row.last.to_string().into()),
    ];
    Ok(text::say_with("notices-number", &blanks))
}

/// SHA-256 over title, line feed and text, as everybody can compute it again.
fn digest(row: &notice::Model) -> String {
    sha256_hex(format!("{}\n{}", row.title, row.text).as_bytes())
}

async fn keep_version(tx: &Tx, row: &notice::Model, reason: Option<String>, by: PersonId) -> Result<()> {
    let kept = version::ActiveModel {
        notice_id: Set(row.id),
        version: Set(row.version),
        title: Set(row.title.clone()),
        text: Set(row.text.clone()),
        digest: Set(digest(row)),
        reason: Set(reason),
        published_by: Set(by),
        published_at: Set(row.published_at),
    };
    kept.insert(tx).await?;
    Ok(())
}

async fn record(tx: &Tx, kind: Kind, row: &notice::Model, by: Option<PersonId>) -> Result<()> {
    let data = json!({
        "version": row.version,
        "matter": row.matter_id,
        "body": row.body_id,
        "adviser": row.adviser_body_id,
        "digest": digest(row),
    });
    let mut happening = Happening::new(kind, row.id).at(&row.area_code).with(data);
    happening.actor = by;
    events::record(tx, happening).await?;
    Ok(())
}
