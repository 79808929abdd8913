//! 村广播: the script of a village's notice goes to the loudspeaker's gateway by day; by night in danger alone, when a second
//! person of the office lets it go.
//!
//! # Why
//! A loudspeaker wakes a whole village: by night it is not enough that one person calls something an emergency. It has
//! hands of its own, so that a gateway that hangs delays nobody. What comes to nothing is handed to the office as a
//! script to be read out, as where there is no gateway.
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set, sea_query::Expr,
};
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    audience::Audience,
    hand_over,
    queries::{CANCELLED, DEAD, QUEUED, SENDING, SENT},
    reached,
    rows::{announcement, attempt, delivery},
    rules::ladder::{Channel, Urgency},
    worker::planned,
};
use crate::{
    actor::Actor,
    aloud,
    app::App,
    areas::VILLAGE_CODE,
    bodies::{self, Right},
    broker::Bell,
    error::{Code, Result},
    events::{self, Happening, Kind},
    gateways::{Address, Letter, Outcome},
    ids::{AnnouncementId, DeliveryId, NoticeId},
    notices,
    quiet::Hours,
    store::Tx,
    text,
};

const LOOK: Duration = Duration::from_secs(2);
/// Villages that are served at once.
const AT_ONCE: u64 = 16;
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// Seconds to wait after the first, second … failed try; then somebody reads it out.
const WAITS_SECS: [i64; 3] = [5, 20, 60];
/// As many tries as there are waits, and the first; one more would be after a worker that did not come back from the last.
const TRIES: i32 = 4;
/// Waits for the morning, or for a second person.
pub(super) const NIGHT: &str = "night";
/// A second person let it go by night.
const RELEASED: &str = "released";
/// A release is for now: what could not be spoken within this time after it was due waits for the morning again.
const RELEASE_HOLDS: TimeDelta = TimeDelta::hours(2);
/// Waits for the morning.
const QUIET: &str = "quiet";

fn is_danger(told: &announcement::Model) -> bool {
    told.urgency == Urgency::Emergency.as_str()
}

/// Plans the script for the village's loudspeaker; says whether it is something that is spoken there.
pub(super) async fn plan(tx: &Tx, told: &announcement::Model) -> Result<bool> {
    let Audience::Residents(area) = Audience::parse(&told.audience, &told.audience_id)? else { return Ok(false) };
    if area.len() != VILLAGE_CODE || !hand_over::is_notice(told) {
        return Ok(false);
    }
    let (now, morning) = (tx.now(), Hours::LOUDSPEAKER.end_after(tx.now()));
    let reason = morning.map(|_| if is_danger(told) { NIGHT } else { QUIET });
    let row = delivery::ActiveModel {
        id: Set(DeliveryId::new()),
        kind: Set(told.kind.clone()),
        channel: Set(Channel::Loudspeaker.as_str().to_owned()),
        event_number: Set(told.event_number),
        target_id: Set(area),
        subject_id: Set(told.subject_id.clone()),
        state: Set(QUEUED.to_owned()),
        tries: Set(0),
        tries_before: Set(0),
        due_at: Set(morning.unwrap_or(now)),
        sent_at: Set(None),
        created_at: Set(now),
        announcement_id: Set(Some(told.id)),
        reason: Set(reason.map(str::to_owned)),
        is_digest: Set(false),
        carried_by: Set(None),
        person_id: Set(None),
    };
    let key = [delivery::Column::EventNumber, delivery::Column::Channel, delivery::Column::TargetId];
    delivery::Entity::insert(row).on_conflict_do_nothing_on(key).exec_without_returning(tx).await?;
    if reason == Some(NIGHT) {
        hand_over::to_be_released(tx, told).await?;
    }
    tx.ring(Bell::Deliveries);
    Ok(true)
}

/// Lets the script of an emergency go by night. Records `notice.broadcast_released`.
///
/// # Errors
/// `not_found`; `not_allowed` without the right to publish there; `wrong_state` when nothing waits for the morning;
/// `second_person_needed` for who published it.
pub async fn release(tx: &Tx, actor: &Actor, id: NoticeId) -> Result<()> {
    let notice = notices::reached::hanging(tx, id).await?.ok_or(Code::NotFound)?;
    bodies::require(actor, Right::PublishNotice, &notice.area)?;
    let waits = || {
        sea_orm::Condition::all()
            .add(delivery::Column::Channel.eq(Channel::Loudspeaker.as_str()))
            .add(delivery::Column::SubjectId.eq(id.to_string()))
            .add(delivery::Column::State.eq(QUEUED))
            .add(delivery::Column::Reason.eq(NIGHT))
    };
    if !notice.hangs || delivery::Entity::find().filter(waits()).one(tx).await?.is_none() {
        return Err(Code::WrongState.into());
    }
    if notices::reached::published_by(tx, id).await? == Some(actor.person) {
        return Err(Code::SecondPersonNeeded.into());
    }
    let released = delivery::Entity::update_many()
        .col_expr(delivery::Column::DueAt, Expr::value(tx.now()))
        .col_expr(delivery::Column::Reason, Expr::value(RELEASED))
        .filter(waits())
        .exec(tx)
        .await?;
    if released.rows_affected == 0 {
        return Err(Code::WrongState.into());
    }
    let happening = Happening::new(Kind::BroadcastReleased, id).at(&notice.area).by(actor.person);
    events::record(tx, happening.with(json!({ "area": notice.area }))).await?;
    tx.ring(Bell::Deliveries);
    Ok(())
}

/// Serves the villages' loudspeakers until told to stop.
pub(super) async fn run(app: App, stop: CancellationToken) {
    let mut bells = app.broker.bells();
    while !stop.is_cancelled() {
        if let Err(error) = round(&app).await {
            tracing::error!(%error, "scripts for loudspeakers");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = planned(&mut bells) => tokio::time::sleep(Duration::from_millis(100)).await,
            () = stop.cancelled() => {}
        }
    }
}

/// One try of each that is due.
async fn round(app: &App) -> Result<()> {
    let due = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .filter(delivery::Column::Channel.eq(Channel::Loudspeaker.as_str()))
        // one whose worker died is due again when its lease has run out
        .filter(delivery::Column::State.is_in([QUEUED, SENDING]))
        .filter(delivery::Column::DueAt.lte(app.now()))
        .order_by_asc(delivery::Column::DueAt)
        .limit(AT_ONCE);
    let due: Vec<DeliveryId> = due.into_tuple().all(app.store.read()).await?;
    let mut tries = JoinSet::new();
    for id in due {
        let app = app.clone();
        tries.spawn(async move {
            if let Err(error) = try_once(&app, id).await {
                tracing::error!(%error, "a script for a loudspeaker");
            }
        });
    }
    while tries.join_next().await.is_some() {}
    Ok(())
}

async fn try_once(app: &App, id: DeliveryId) -> Result<()> {
    let Some((claimed, told)) = app.store.write(move |tx| Box::pin(claim(tx, id))).await? else { return Ok(()) };
    let Some(letter) = letter(app, &claimed).await? else { return Ok(()) };
    let to = Address::Village(claimed.target_id.clone());
    let outcome = app.gateways.send(&to, &letter, app.now()).await;
    let is_spoken = matches!(outcome, Outcome::Sent { .. });
    let counter = if is_spoken { "sends_ok_total" } else { "sends_failed_total" };
    metrics::counter!(counter, "channel" => Channel::Loudspeaker.as_str()).increment(1);
    app.store.write(move |tx| Box::pin(async move { settle(tx, (claimed, told), &outcome).await })).await
}

/// Takes it, unless somebody else has it; by night only what was let go.
async fn claim(tx: &Tx, id: DeliveryId) -> Result<Option<(delivery::Model, announcement::Model)>> {
    let now = tx.now();
    let Some(before) = delivery::Entity::find_by_id(id).one(tx).await? else { return Ok(None) };
    let claimed = delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::value(SENDING))
        .col_expr(delivery::Column::Tries, Expr::col(delivery::Column::Tries).add(1))
        .col_expr(delivery::Column::DueAt, Expr::value(now + LEASE))
        .filter(delivery::Column::Id.eq(id))
        .filter(delivery::Column::State.is_in([QUEUED, SENDING]))
        .filter(delivery::Column::DueAt.lte(now))
        .exec_with_returning(tx)
        .await?;
    let Some(row) = claimed.into_iter().next() else { return Ok(None) };
    let Some(told) = announcement_of(tx, row.announcement_id).await? else { return Ok(None) };
    let morning = Hours::LOUDSPEAKER.end_after(now).filter(|_| !is_let_go(&before, now));
    let stands = reached::stands(tx, &told).await? == Some(true);
    if stands && row.tried() > TRIES {
        write(tx, &row, (DEAD, now, Some("no_answer"), row.tries)).await?;
        hand_over::to_office(tx, &told, Channel::Loudspeaker).await?;
        return Ok(None);
    }
    let (state, due_at, reason, tries) = match morning {
        _ if !stands => (CANCELLED, now, "withdrawn", row.tries),
        Some(morning) => (QUEUED, morning, if is_danger(&told) { NIGHT } else { QUIET }, row.tries - 1),
        None => return Ok(Some((row, told))),
    };
    write(tx, &row, (state, due_at, Some(reason), tries)).await?;
    Ok(None)
}

/// Did a second person let it go, for now?
fn is_let_go(row: &delivery::Model, now: DateTime<Utc>) -> bool {
    row.reason.as_deref() == Some(RELEASED) && now - row.due_at <= RELEASE_HOLDS
}

async fn announcement_of(tx: &Tx, id: Option<AnnouncementId>) -> Result<Option<announcement::Model>> {
    match id {
        Some(id) => Ok(announcement::Entity::find_by_id(id).one(tx).await?),
        None => Ok(None),
    }
}

/// What is spoken, from the present state.
async fn letter(app: &App, row: &delivery::Model) -> Result<Option<Letter>> {
    let Ok(id) = row.subject_id.parse::<NoticeId>() else { return Ok(None) };
    let Some(notice) = notices::reached::hanging(app.store.read(), id).await? else { return Ok(None) };
    let body = bodies::queries::names(app.store.read(), vec![notice.body]).await?.remove(&notice.body);
    let blanks = [
        ("body", body.unwrap_or_default().into()),
        ("title", notice.title.as_str().into()),
        ("text", notice.text.as_str().into()),
    ];
    // what somebody has read out can be played as it is
    let clip = aloud::queries::of_notice(app.store.read(), id, notice.version).await?;
    let base = app.config.public_url.trim_end_matches('/');
    Ok(Some(Letter {
        id: row.id.to_string(),
        text: text::say_with("delivery-broadcast", &blanks),
        blanks: vec![("title", notice.title)],
        link: clip.filter(|_| !base.is_empty()).map(|clip| format!("{base}{}", clip.media.url)).unwrap_or_default(),
        ..Letter::default()
    }))
}

/// State, when, why and tries for what ended so.
fn next(row: &delivery::Model, outcome: &Outcome, now: DateTime<Utc>) -> (&'static str, DateTime<Utc>, &'static str) {
    let is_released = row.reason.as_deref() == Some(RELEASED);
    let again = usize::try_from(row.tried() - 1).ok().and_then(|place| WAITS_SECS.get(place));
    match (outcome, again) {
        (Outcome::Sent { .. }, _) => (SENT, now, if is_released { RELEASED } else { "" }),
        // the gateway knows it again by its id
        (Outcome::TryAgain { .. } | Outcome::Unknown, Some(secs)) => {
            (QUEUED, now + TimeDelta::seconds(*secs), if is_released { RELEASED } else { "no_answer" })
        }
        (Outcome::TryAgain { .. } | Outcome::Unknown, None) => (DEAD, now, "no_answer"),
        (
            Outcome::Never { why, .. }
            | Outcome::AddressOff { why, .. }
            | Outcome::Held { why, .. }
            | Outcome::Broken { why, .. },
            _,
        ) => (DEAD, now, *why),
    }
}

/// Writes down the try; what comes to nothing is read out by somebody.
async fn settle(tx: &Tx, (row, told): (delivery::Model, announcement::Model), outcome: &Outcome) -> Result<()> {
    let tried = attempt::ActiveModel {
        id: Set(Uuid::now_v7()),
        delivery_id: Set(row.id),
        outcome: Set(outcome.word().to_owned()),
        status: Set(i32::try_from(outcome.status()).unwrap_or_default()),
        at: Set(tx.now()),
    };
    tried.insert(tx).await?;
    let (state, due_at, reason) = next(&row, outcome, tx.now());
    let is_ours = write(tx, &row, (state, due_at, Some(reason).filter(|why| !why.is_empty()), row.tries)).await?;
    if is_ours && state == DEAD {
        hand_over::to_office(tx, &told, Channel::Loudspeaker).await?;
    }
    Ok(())
}

/// Says whether it was still ours: a claim makes `tries` grow.
async fn write(
    tx: &Tx,
    row: &delivery::Model,
    (state, due_at, reason, tries): (&str, DateTime<Utc>, Option<&str>, i32),
) -> Result<bool> {
    let written = delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::value(state))
        .col_expr(delivery::Column::DueAt, Expr::value(due_at))
        .col_expr(delivery::Column::Reason, Expr::value(reason))
        .col_expr(delivery::Column::Tries, Expr::value(tries))
        .col_expr(delivery::Column::SentAt, Expr::value((state == SENT).then(|| tx.now())))
        .filter(delivery::Column::Id.eq(row.id))
        .filter(delivery::Column::State.eq(SENDING))
        .filter(delivery::Column::Tries.eq(row.tries))
        .exec(tx)
        .await?;
    Ok(written.rows_affected == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_tried_four_times_in_a_minute_and_a_half_and_stays_released() {
        let now = DateTime::UNIX_EPOCH;
        let row = |tries, reason: Option<&str>| delivery::Model {
            id: DeliveryId::new(),
            kind: String::new(),
            channel: String::new(),
            event_number: 1,
            target_id: String::new(),
            subject_id: String::new(),
            state: SENDING.to_owned(),
            tries,
            tries_before: 0,
            due_at: now,
            sent_at: None,
            created_at: now,
            announcement_id: None,
            reason: reason.map(str::to_owned),
            is_digest: false,
            carried_by: None,
            person_id: None,
        };
        let failed = Outcome::TryAgain { status: 500, after_secs: None };
        let states: Vec<_> = (1..=4).map(|tries| next(&row(tries, None), &failed, now).0).collect();
        assert_eq!(states, [QUEUED, QUEUED, QUEUED, DEAD]);
        assert_eq!(next(&row(2, Some(RELEASED)), &failed, now), (QUEUED, now + TimeDelta::seconds(20), RELEASED));
        let released = row(0, Some(RELEASED));
        assert!(is_let_go(&released, now + TimeDelta::minutes(90)) && !is_let_go(&row(0, Some(NIGHT)), now));
        assert!(!is_let_go(&released, now + TimeDelta::hours(3)), "a release of last night wakes nobody tonight");
        let refused = Outcome::Broken { status: 0, why: "not_set_up", after_secs: 3600 };
        assert_eq!(next(&row(1, None), &refused, now), (DEAD, now, "not_set_up"));
    }
}
