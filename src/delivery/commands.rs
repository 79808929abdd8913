//! Writes of deliveries: set up and remove webhooks, plan what is told, try again what died.
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::TimeDelta;
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    queries::{self, WebhookView},
    rows::{delivery, disturbance, door_mark, told_number, webhook},
    rules::{self, budget::WEEK},
};
use crate::{
    actor::Actor,
    app::App,
    areas,
    bodies::{self, Right},
    broker::Bell,
    error::{Checks, Code, Error, Result},
    events::{self, Event, Happening, Kind},
    gateways::webhook::SECRET_PREFIX,
    ids::{DeliveryId, WebhookId},
    keys::Keys,
    store::{Store, Tx},
};

/// What secrets are sealed for.
pub(super) const SEALED_FOR: &str = "webhook";
/// Rows ended in one unit of work.
const PIECE: u64 = 1000;
/// Webhooks of one area at most.
const MAX_WEBHOOKS: usize = 20;

/// An address to be told of notices, matters, meetings and votes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUpWebhook {
    /// `https://…`, at most 500 characters, without name, password and fragment.
    #[schema(max_length = 500)]
    pub url: String,
    /// `whsec_` and 24 to 64 bytes in base64, or 16 to 200 printable characters; made when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Looks at the address before the unit of work: finding out where a name leads is not for a transaction.
///
/// # Errors
/// `not_allowed` without the right in the area; `invalid_fields`.
pub async fn may_set_up(app: &App, actor: &Actor, area: &str, input: &SetUpWebhook) -> Result<()> {
    bodies::require(actor, Right::ManageWebhooks, area)?;
    let mut checks = Checks::default();
    if let Err(fault) = app.gateways.webhooks.check(&input.url).await {
        checks.wrong("url", fault.code());
    }
    checks.require(input.secret.as_deref().is_none_or(rules::is_secret), "secret", "bad_characters");
    checks.done()
}

/// The secret of a webhook that is about to be set up: made outside the unit, so that it is in no kept answer.
///
/// # Errors
/// When there is no chance to be had from the system.
pub fn secret_for(keys: &Keys, input: &SetUpWebhook) -> Result<String> {
    input.secret.clone().map_or_else(|| fresh_secret(keys), Ok)
}

/// Sets up a webhook with this secret for an area and all below it. Records `webhook.changed`.
///
/// # Errors
/// `not_allowed` without the right in the area; `not_found` when there is no such area; `invalid_fields` for an address
/// that is there already, and when there are too many.
pub async fn set_up(
    tx: &Tx,
    actor: &Actor,
    (area, input): (String, SetUpWebhook),
    secret: &str,
) -> Result<WebhookView> {
    bodies::require(actor, Right::ManageWebhooks, &area)?;
    areas::get(tx, &area).await?;
    let own = queries::rows_of(tx, vec![area.clone()]).await?;
    let mut checks = Checks::default();
    checks.require(own.iter().all(|known| known.url != input.url), "url", "duplicate");
    checks.require(own.len() < MAX_WEBHOOKS, "url", "out_of_range");
    checks.done()?;
    let row = webhook::ActiveModel {
        id: Set(WebhookId::new()),
        area_code: Set(area),
        url: Set(input.url),
        secret_sealed: Set(tx.keys().seal(SEALED_FOR, secret)?),
        created_by: Set(Some(actor.person)),
        created_at: Set(tx.now()),
        removed_at: Set(None),
        rests_until: Set(None),
    };
    let row = row.insert(tx).await?;
    record(tx, actor, &row, "set_up").await?;
    queries::view(tx, row).await
}

/// Thirty-two bytes in the form of the Standard Webhooks specification.
fn fresh_secret(keys: &Keys) -> Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(keys.fresh_secret()?).map_err(Error::broken)?;
    Ok(format!("{SECRET_PREFIX}{}", STANDARD.encode(bytes)))
}

/// Removes a webhook; what waits for it is not sent. Records `webhook.changed`.
///
/// # Errors
/// `not_found` when it is not a webhook of an area where the actor has the right.
pub async fn remove(tx: &Tx, actor: &Actor, (area, id): (String, WebhookId)) -> Result<()> {
    if !bodies::may(actor, Right::ManageWebhooks, &area) {
        return Err(Code::NotFound.into());
    }
    let removed = webhook::Entity::update_many()
        .col_expr(webhook::Column::RemovedAt, Expr::value(tx.now()))
        .filter(webhook::Column::Id.eq(id))
        .filter(webhook::Column::AreaCode.eq(area))
        .filter(webhook::Column::RemovedAt.is_null())
        .exec_with_returning(tx)
        .await?;
    let row = removed.into_iter().next().ok_or(Code::NotFound)?;
    end_waiting(tx, id).await?;
    record(tx, actor, &row, "removed").await
}

/// Has a webhook called to see whether it is reached. Records `webhook.tested`, of which it alone is told.
///
/// # Errors
/// `not_found` when it is not a webhook of an area where the actor has the right.
pub async fn test(tx: &Tx, actor: &Actor, (area, id): (String, WebhookId)) -> Result<()> {
    let own = queries::rows_of(tx, vec![area.clone()]).await?;
    if !bodies::may(actor, Right::ManageWebhooks, &area) || own.iter().all(|row| row.id != id) {
        return Err(Code::NotFound.into());
    }
    events::record(tx, Happening::new(Kind::WebhookTested, id).at(area).by(actor.person)).await?;
    Ok(())
}

/// Ends what waits for a webhook that was removed, a thousand at a time; the try that comes upon one of the others ends more.
pub(super) async fn end_waiting(tx: &Tx, id: WebhookId) -> Result<()> {
    let piece = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .filter(delivery::Column::TargetId.eq(id.to_string()))
        .filter(delivery::Column::State.eq(queries::QUEUED))
        .limit(PIECE)
        .into_tuple::<DeliveryId>()
        .all(tx)
        .await?;
    delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::value(queries::CANCELLED))
        .filter(delivery::Column::Id.is_in(piece))
        .exec(tx)
        .await?;
    Ok(())
}

async fn record(tx: &Tx, actor: &Actor, row: &webhook::Model, state: &str) -> Result<()> {
    let data = json!({ "area": row.area_code, "state": state });
    events::record(tx, Happening::new(Kind::WebhookChanged, row.id).at(&row.area_code).by(actor.person).with(data))
        .await?;
    Ok(())
}

/// Plans one delivery for each webhook of the event's area and of the areas above; of a test for the one that is tested. Once
/// more changes nothing.
///
/// # Errors
/// When the database refuses.
pub async fn plan(tx: &Tx, event: &Event) -> Result<()> {
    let Some(area) = &event.area else { return Ok(()) };
    let now = tx.now();
    let is_told =
        |webhook: &webhook::Model| event.kind != Kind::WebhookTested || webhook.id.to_string() == event.subject;
    let rows: Vec<delivery::ActiveModel> = queries::rows_of(tx, areas::ancestors(area))
        .await?
        .into_iter()
        .filter(is_told)
        .map(|webhook| delivery::ActiveModel {
            id: Set(DeliveryId::new()),
            kind: Set(event.kind.as_str().to_owned()),
            channel: Set(queries::WEBHOOK.to_owned()),
            event_number: Set(event.number),
            target_id: Set(webhook.id.to_string()),
            subject_id: Set(event.subject.clone()),
            state: Set(queries::QUEUED.to_owned()),
            tries: Set(0),
            tries_before: Set(0),
            due_at: Set(now),
            sent_at: Set(None),
            created_at: Set(now),
            announcement_id: Set(None),
            reason: Set(None),
            is_digest: Set(false),
            carried_by: Set(None),
            person_id: Set(None),
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let key = [delivery::Column::EventNumber, delivery::Column::Channel, delivery::Column::TargetId];
    delivery::Entity::insert_many(rows).on_conflict_do_nothing_on(key).exec_without_returning(tx).await?;
    tx.ring(Bell::Deliveries);
    Ok(())
}

/// Leaves behind what nobody is asked by any more: disturbances of more than a week ago, which number was told of what a month
/// ago, and who was told at the door a year ago.
///
/// # Errors
/// When the database refuses.
pub async fn forget_old(store: &Store) -> Result<()> {
    let old = store.write(|tx| {
        Box::pin(async move {
            let (a_week_ago, a_month_ago) = (tx.now() - WEEK, tx.now() - TimeDelta::days(30));
            disturbance::Entity::delete_many().filter(disturbance::Column::At.lte(a_week_ago)).exec(tx).await?;
            told_number::Entity::delete_many().filter(told_number::Column::At.lte(a_month_ago)).exec(tx).await?;
            let a_year_ago = tx.now() - TimeDelta::days(365);
            door_mark::Entity::delete_many().filter(door_mark::Column::At.lte(a_year_ago)).exec(tx).await?;
            Ok(())
        })
    });
    old.await
}

/// Queues dead deliveries once more, with all their tries; those to removed webhooks stay dead. Says how many.
///
/// # Errors
/// When the database fails.
pub async fn redrive(store: &Store) -> Result<u64> {
    queue_again(store, None).await
}

/// The same with one of them.
///
/// # Errors
/// `not_found` when it is not dead, or its webhook was removed.
pub async fn redrive_one(store: &Store, id: DeliveryId) -> Result<()> {
    if queue_again(store, Some(id)).await? == 1 { Ok(()) } else { Err(Code::NotFound.into()) }
}

async fn queue_again(store: &Store, only: Option<DeliveryId>) -> Result<u64> {
    store
        .write(move |tx| {
            Box::pin(async move {
                let standing = webhook::Entity::find().filter(webhook::Column::RemovedAt.is_null()).all(tx).await?;
                let queued = delivery::Entity::update_many()
                    .col_expr(delivery::Column::State, Expr::value(queries::QUEUED))
                    // the token of whoever still holds an old claim is never given out again
                    .col_expr(delivery::Column::TriesBefore, Expr::col(delivery::Column::Tries))
                    .col_expr(delivery::Column::DueAt, Expr::value(tx.now()))
                    .filter(delivery::Column::State.eq(queries::DEAD))
                    .filter(Condition::all().add_option(only.map(|id| delivery::Column::Id.eq(id))))
                    .filter(
                        Condition::any()
                            .add(delivery::Column::TargetId.is_in(standing.iter().map(|row| row.id.to_string())))
                            .add(delivery::Column::Channel.ne(queries::WEBHOOK)),
                    )
                    .exec(tx)
                    .await?;
                tx.ring(Bell::Deliveries);
                Ok(queued.rows_affected)
            })
        })
        .await
}
