//! Reads of deliveries: webhooks with how they fare, what is due, what waits.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Query, WindowStatement},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    commands::SEALED_FOR,
    found,
    rows::{announcement, attempt, delivery, webhook},
    rules::{self, ladder::Channel},
};
use crate::{
    actor::Actor,
    bodies::{self, Right},
    clock,
    error::{Code, Error, Result},
    ids::{DeliveryId, WebhookId},
    keys::Keys,
};

/// The channel of signed calls.
pub const WEBHOOK: &str = "webhook";
/// To be tried when it is due.
pub(super) const QUEUED: &str = "queued";
/// A try is under way.
pub(super) const SENDING: &str = "sending";
/// Taken by the receiver.
pub(super) const SENT: &str = "sent";
/// Not to be sent any more.
pub(super) const CANCELLED: &str = "cancelled";
/// Given up.
pub(super) const DEAD: &str = "dead";
/// Offered in one sweep at most.
const OFFERED_AT_ONCE: u64 = 512;
/// Of one address.
const OFFERED_A_TARGET: i32 = 32;

/// A webhook and how it fares.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct WebhookView {
    /// Its id.
    pub id: WebhookId,
    /// It is told of this area and of all below it.
    pub area_code: String,
    /// Where it is.
    pub url: String,
    /// Since when.
    pub created_at: DateTime<FixedOffset>,
    /// Deliveries that wait.
    pub waiting: u64,
    /// Deliveries given up; `liusheng redrive` tries them again.
    pub dead: u64,
    /// When it last took one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sent_at: Option<DateTime<FixedOffset>>,
    /// It kept its last try waiting in vain, and is left alone until then; when that is over, the next try decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rests_until: Option<DateTime<FixedOffset>>,
}

/// A webhook that was just set up.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NewWebhook {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: WebhookView,
    /// Signs every call; shown this once, and absent when the same request is sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// The webhooks of an area.
///
/// # Errors
/// `not_allowed` without the right in the area.
pub async fn webhooks(db: &impl ConnectionTrait, actor: &Actor, area: &str) -> Result<Vec<WebhookView>> {
    bodies::require(actor, Right::ManageWebhooks, area)?;
    let rows = rows_of(db, vec![area.to_owned()]).await?;
    views(db, rows).await
}

/// Adds the secret that was made for it to a webhook, if it was set up with that just now and not before.
///
/// # Errors
/// `not_found` when it was removed meanwhile.
pub async fn with_secret(
    db: &impl ConnectionTrait,
    keys: &Keys,
    (webhook, ours): (WebhookView, String),
) -> Result<NewWebhook> {
    let row = webhook::Entity::find_by_id(webhook.id).filter(webhook::Column::RemovedAt.is_null()).one(db).await?;
    let kept = keys.unseal(SEALED_FOR, &row.ok_or(Code::NotFound)?.secret_sealed)?;
    Ok(NewWebhook { webhook, secret: (kept == ours).then_some(ours) })
}

/// The webhooks that stand in these areas.
pub(super) async fn rows_of(db: &impl ConnectionTrait, areas: Vec<String>) -> Result<Vec<webhook::Model>> {
    Ok(webhook::Entity::find()
        .filter(webhook::Column::AreaCode.is_in(areas))
        .filter(webhook::Column::RemovedAt.is_null())
        .order_by_asc(webhook::Column::Id)
        .all(db)
        .await?)
}

pub(super) async fn view(db: &impl ConnectionTrait, row: webhook::Model) -> Result<WebhookView> {
    views(db, vec![row]).await?.pop().ok_or_else(|| Error::broken("a webhook without a view"))
}

async fn views(db: &impl ConnectionTrait, rows: Vec<webhook::Model>) -> Result<Vec<WebhookView>> {
    let groups: Vec<(String, String, i64, Option<DateTime<Utc>>)> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::TargetId)
        .column(delivery::Column::State)
        .column_as(delivery::Column::Id.count(), "count")
        .column_as(delivery::Column::SentAt.max(), "last")
        .filter(delivery::Column::TargetId.is_in(rows.iter().map(|row| row.id.to_string())))
        .group_by(delivery::Column::TargetId)
        .group_by(delivery::Column::State)
        .into_tuple()
        .all(db)
        .await?;
    let mut fares: HashMap<String, (u64, u64, Option<DateTime<Utc>>)> = HashMap::new();
    for (target, state, count, last) in groups {
        let (waiting, dead, last_sent) = fares.entry(target).or_default();
        match state.as_str() {
            QUEUED | SENDING => *waiting += count.unsigned_abs(),
            DEAD => *dead += count.unsigned_abs(),
            _ => {}
        }
        *last_sent = Ord::max(*last_sent, last);
    }
    let show = |row: webhook::Model| {
        let (waiting, dead, last) = fares.get(&row.id.to_string()).copied().unwrap_or_default();
        WebhookView {
            id: row.id,
            area_code: row.area_code,
            url: row.url,
            created_at: clock::local(row.created_at),
            waiting,
            dead,
            last_sent_at: last.map(clock::local),
            rests_until: row.rests_until.map(clock::local),
        }
    };
    Ok(rows.into_iter().map(show).collect())
}

/// Deliveries that are neither sent nor given up.
///
/// # Errors
/// When the database cannot be read.
pub async fn waiting(db: &impl ConnectionTrait) -> Result<u64> {
    Ok(delivery::Entity::find().filter(delivery::Column::State.is_in([QUEUED, SENDING])).count(db).await?)
}

/// Deliveries whose time has come and that nobody has tried yet; what waits for an address that rests is not among them.
///
/// # Errors
/// When the database cannot be read.
pub async fn due_now(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    let due = delivery::Entity::find().filter(delivery::Column::DueAt.lte(now));
    let due = due.filter(delivery::Column::TargetId.is_not_in(resting(db, now).await?));
    Ok(due.filter(delivery::Column::State.is_in([QUEUED, SENDING])).count(db).await?)
}

/// The addresses that kept their last try waiting in vain, whether they rest still or not.
pub(super) async fn hanging(db: &impl ConnectionTrait) -> Result<HashSet<String>> {
    let rows = webhook::Entity::find().select_only().column(webhook::Column::Id);
    let ids: Vec<WebhookId> = rows.filter(webhook::Column::RestsUntil.is_not_null()).into_tuple().all(db).await?;
    Ok(ids.iter().map(ToString::to_string).collect())
}

/// The addresses that are left alone for now.
async fn resting(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<String>> {
    let rows = webhook::Entity::find().select_only().column(webhook::Column::Id);
    let ids: Vec<WebhookId> = rows.filter(webhook::Column::RestsUntil.gt(now)).into_tuple().all(db).await?;
    Ok(ids.iter().map(ToString::to_string).collect())
}

/// Deliveries that were given up.
///
/// # Errors
/// When the database cannot be read.
pub async fn given_up(db: &impl ConnectionTrait) -> Result<u64> {
    Ok(delivery::Entity::find().filter(delivery::Column::State.eq(DEAD)).count(db).await?)
}

/// A delivery that was given up.
#[derive(Clone, Debug)]
pub struct DeadDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// The event's kind.
    pub kind: String,
    /// Code of the webhook's area.
    pub area_code: String,
    /// The webhook's host alone: an address may carry secrets; of a send to a person the channel alone.
    pub host: String,
    /// Was the webhook removed? Then it stays dead.
    pub is_removed: bool,
    /// How often it was tried.
    pub tries: i32,
    /// The answer to the last try; 0: none.
    pub status: Option<i32>,
    /// When it was given up.
    pub at: DateTime<FixedOffset>,
}

/// The deliveries that were given up, newest first, 100 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn dead(db: &impl ConnectionTrait) -> Result<Vec<DeadDelivery>> {
    let dead = delivery::Entity::find().filter(delivery::Column::State.eq(DEAD));
    let rows = dead.order_by_desc(delivery::Column::DueAt).limit(100).all(db).await?;
    let targets = rows.iter().filter_map(|row| row.target_id.parse::<WebhookId>().ok());
    let webhooks = webhook::Entity::find().filter(webhook::Column::Id.is_in(targets)).all(db).await?;
    let tries = attempt::Entity::find()
        .filter(attempt::Column::DeliveryId.is_in(rows.iter().map(|row| row.id)))
        .order_by_desc(attempt::Column::At)
        .all(db)
        .await?;
    let told = announcement::Entity::find()
        .filter(announcement::Column::Id.is_in(rows.iter().filter_map(|row| row.announcement_id)))
        .all(db)
        .await?;
    let status_of = |id: DeliveryId| tries.iter().find(|one| one.delivery_id == id).map(|one| one.status);
    let show = |row: delivery::Model| {
        let tries = row.tried();
        if let Some(told) = told.iter().find(|told| Some(told.id) == row.announcement_id) {
            return Some(DeadDelivery {
                status: status_of(row.id),
                area_code: told.area_code.clone().unwrap_or_default(),
                host: row.channel,
                is_removed: false,
                id: row.id,
                kind: row.kind,
                tries,
                at: clock::local(row.due_at),
            });
        }
        let webhook = webhooks.iter().find(|webhook| webhook.id.to_string() == row.target_id)?;
        Some(DeadDelivery {
            status: status_of(row.id),
            area_code: webhook.area_code.clone(),
            host: rules::host_of(&webhook.url).to_owned(),
            is_removed: webhook.removed_at.is_some(),
            id: row.id,
            kind: row.kind,
            tries,
            at: clock::local(row.due_at),
        })
    };
    Ok(rows.into_iter().filter_map(show).collect())
}

/// Is there a try whose lease ran out?
pub(super) async fn has_stuck(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<bool> {
    let stuck = delivery::Entity::find()
        .filter(delivery::Column::Channel.eq(WEBHOOK))
        .filter(delivery::Column::State.eq(SENDING))
        .filter(delivery::Column::DueAt.lte(now));
    Ok(stuck.one(db).await?.is_some())
}

/// What is due to addresses that do not rest, the oldest of each first, then the second of each: long queues of some must not
/// hide the others.
pub(super) async fn due(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<DeliveryId>> {
    let resting = resting(db, now).await?;
    let in_turn = WindowStatement::partition_by(delivery::Column::TargetId)
        .order_by(delivery::Column::DueAt, Order::Asc)
        .order_by(delivery::Column::Id, Order::Asc)
        .to_owned();
    let ranked = Query::select()
        .column(delivery::Column::Id)
        .column(delivery::Column::DueAt)
        .expr_window_as(Expr::cust("ROW_NUMBER()"), in_turn, "place")
        .from(delivery::Entity)
        .and_where(delivery::Column::Channel.eq(WEBHOOK))
        .and_where(delivery::Column::State.eq(QUEUED))
        .and_where(delivery::Column::DueAt.lte(now))
        .and_where(delivery::Column::TargetId.is_not_in(resting))
        .to_owned();
    let chosen = Query::select()
        .column(delivery::Column::Id)
        .from_subquery(ranked, "ranked")
        .and_where(Expr::col("place").lte(OFFERED_A_TARGET))
        .order_by("place", Order::Asc)
        .order_by(delivery::Column::DueAt, Order::Asc)
        .order_by(delivery::Column::Id, Order::Asc)
        .limit(OFFERED_AT_ONCE)
        .to_owned();
    let rows = db.query_all(&chosen).await?;
    rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
}

/// What is due to people through a channel, in the order of dates, from a place onwards.
pub(super) async fn due_after(
    db: &impl ConnectionTrait,
    channel: Channel,
    (now, after): (DateTime<Utc>, Option<(DateTime<Utc>, DeliveryId)>),
    count: u64,
) -> Result<Vec<(DateTime<Utc>, DeliveryId)>> {
    Ok(found::due(channel, (now, after), count).into_tuple().all(db).await?)
}

/// Which of these are queued and due, with their address.
pub(super) async fn targets(
    db: &impl ConnectionTrait,
    ids: Vec<DeliveryId>,
    now: DateTime<Utc>,
) -> Result<Vec<(String, DeliveryId)>> {
    Ok(found::ready(ids, now).into_tuple().all(db).await?)
}
