//! Planning: goes through the audience of each step that is due, a thousand people at a time, and writes a row for
//! whoever must be told from outside.
//!
//! # Why
//! A chunk is read outside the unit of work and written inside it, together with the new position, on the condition that
//! the position is still the one from which it was read. So a killed planner leaves a whole number of chunks, two planners
//! cannot both take one, and the unit that everybody else waits for holds one insert and one update, whatever the audience.
//! Whoever finds another ahead leaves the steps to that one for a second: side by side they would look at the same people.
//! One step gives way to another after each chunk: a county's notice does not hold up a village's.
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict, Query, ValueTuple},
};
use tokio_util::sync::CancellationToken;

use super::{
    announce::{DONE, VOID, WAITING},
    audience::{Audience, Chunk},
    broadcast, hand_over, queries, reached,
    rows::{announcement, choice, delivery, step, topic_choice},
    rules::{
        budget::is_counted,
        ladder::{Channel, Facts, Level, Mode, Topic, Urgency, choose},
    },
    worker::planned,
};
use crate::{
    app::App,
    broker::Bell,
    error::{Code, Error, Result},
    ids::{DeliveryId, PersonId},
    people::audience::{Among, signed_in},
    quiet::{Hours, queries::hours_of, rules::next_digest},
    store::Tx,
    wechat,
};

/// Steps that take turns.
const STEPS: u64 = 16;
const LOOK: Duration = Duration::from_secs(1);

/// Plans until told to stop.
pub async fn run(app: App, stop: CancellationToken) {
    let mut bells = app.broker.bells();
    while !stop.is_cancelled() {
        match turn(&app).await {
            Ok(Turn::Moved) => {
                tokio::task::yield_now().await;
                continue;
            }
            // bells are for who has nothing to do: one rings for each chunk of the other's
            Ok(Turn::Behind) => {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    () = stop.cancelled() => {}
                }
                continue;
            }
            Ok(Turn::Idle) => {}
            Err(error) => tracing::error!(%error, "deliveries not planned"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = planned(&mut bells) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// What came of looking once through the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Nothing is due.
    Idle,
    /// Somebody was looked at.
    Moved,
    /// Another planner is ahead.
    Behind,
}

/// One chunk of every step that is due. Says whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn round(app: &App) -> Result<bool> {
    Ok(turn(app).await? != Turn::Idle)
}

async fn turn(app: &App) -> Result<Turn> {
    let mut passed: u64 = 0;
    loop {
        let due = step::Entity::find()
            .filter(step::Column::State.eq(WAITING))
            .filter(step::Column::DueAt.lte(app.now()))
            .order_by_asc(step::Column::DueAt)
            .order_by_asc(step::Column::AnnouncementId)
            .order_by_asc(step::Column::Step)
            .offset(passed)
            .limit(STEPS)
            .all(app.store.read())
            .await?;
        let is_last = (due.len() as u64) < STEPS;
        let turn = advance_each(app, (due, passed == 0)).await?;
        if turn == Turn::Idle && is_last && passed > 0 {
            tracing::error!(least = passed, "steps are not planned");
        }
        if turn != Turn::Idle || is_last {
            return Ok(turn);
        }
        // none of these can be planned; what stands behind them can
        passed += STEPS;
    }
}

/// One chunk of each of these steps; of the first ones it is said which cannot be planned.
async fn advance_each(app: &App, (due, are_first): (Vec<step::Model>, bool)) -> Result<Turn> {
    let ids = due.iter().map(|step| step.announcement_id);
    let told = announcement::Entity::find().filter(announcement::Column::Id.is_in(ids)).all(app.store.read()).await?;
    let mut turn = Turn::Idle;
    for step in due {
        let Some(told) = told.iter().find(|told| told.id == step.announcement_id) else { continue };
        match advance(app, told, step).await {
            Ok(true) => turn = Turn::Moved,
            Ok(false) => {}
            Err(error) if error.code() == Code::Changed => return Ok(Turn::Behind),
            // one that cannot be planned holds up no other; a line for each of many, every second, would fill the disk
            Err(error) if are_first => tracing::error!(%error, announcement = %told.id, "a step is not planned"),
            Err(error) => tracing::debug!(%error, announcement = %told.id, "a step is not planned"),
        }
    }
    Ok(turn)
}

/// Says whether it moved: not while a vote rests that it asks for.
async fn advance(app: &App, told: &announcement::Model, step: step::Model) -> Result<bool> {
    match reached::stands(app.store.read(), told).await? {
        Some(true) => go_on(app, told, step).await?,
        Some(false) => {
            let void = app.store.write(move |tx| Box::pin(async move { moved(tx, &step, VOID, (None, 0, 0)).await }));
            void.await?;
        }
        None => return Ok(false),
    }
    Ok(true)
}

async fn go_on(app: &App, told: &announcement::Model, step: step::Model) -> Result<()> {
    match Channel::parse(&step.channel) {
        Some(channel @ (Channel::Wechat | Channel::Sms)) => plan_chunk(app, told, (step, channel)).await,
        Some(channel @ (Channel::Loudspeaker | Channel::Door)) => {
            let told = told.clone();
            let has_gateway = channel == Channel::Loudspeaker && app.gateways.loudspeaker.is_set_up();
            let handing = app.store.write(move |tx| {
                Box::pin(async move {
                    if !has_gateway || !broadcast::plan(tx, &told).await? {
                        hand_over::to_office(tx, &told, channel).await?;
                    }
                    moved(tx, &step, DONE, (None, 0, 0)).await
                })
            });
            handing.await
        }
        _ => Err(Error::broken("a step of an unknown channel")),
    }
}

/// Somebody who is told, and from when on.
struct Planned {
    person: PersonId,
    channel: Channel,
    due_at: DateTime<Utc>,
    is_digest: bool,
}

async fn plan_chunk(app: &App, told: &announcement::Model, (step, channel): (step::Model, Channel)) -> Result<()> {
    let audience = Audience::parse(&told.audience, &told.audience_id)?;
    let chunk = audience.chunk(app, step.position).await?;
    let planned = decide(app, told, (channel, &chunk)).await?;
    let (looked_at, state) = (chunk.people.len(), if chunk.is_end { DONE } else { WAITING });
    let (told, last) = (told.clone(), chunk.last);
    let count = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                // everybody waits for this unit: what another has planned is not tried once more
                let here = step::Entity::find_by_id((step.announcement_id, step.step)).one(tx).await?;
                if here.is_none_or(|here| here.position != step.position) {
                    return Err(Code::Changed.into());
                }
                let count = write(tx, &told, planned).await?;
                let position = last.or(step.position);
                moved(tx, &step, state, (position, i64::try_from(looked_at).map_err(Error::broken)?, count)).await?;
                Ok(count)
            })
        })
        .await?;
    metrics::counter!("deliveries_planned_total").increment(count.unsigned_abs());
    Ok(())
}

/// Who of a chunk is told at this step, and how.
async fn decide(app: &App, told: &announcement::Model, (step, chunk): (Channel, &Chunk)) -> Result<Vec<Planned>> {
    if chunk.people.is_empty() {
        return Ok(Vec::new());
    }
    let (db, now) = (app.store.read(), app.now());
    let people: Vec<PersonId> = chunk.people.iter().map(|one| one.id).collect();
    let hours = hours_of(db, &people).await?;
    let among = chunk.among(people);
    let near = (word::<Level>(&told.level, Level::parse)?, word::<Urgency>(&told.urgency, Urgency::parse)?);
    let reached = reached::in_app(db, told, &among).await?;
    let with_app = if step == Channel::Wechat { signed_in(db, &among, now).await? } else { HashSet::new() };
    let wechat = wechat::queries::tellable(db, &among, now).await?;
    let (choices, modes) = (choices_of(db, &among).await?, modes_of(db, (&told.topic, &among)).await?);
    let can_sms = app.gateways.sms.is_set_up();
    let is_digest = |mode: Mode| mode == Mode::Digest && is_counted(near.0, near.1);
    let due_at = |person: PersonId, mode: Mode| {
        let at = if is_digest(mode) { next_digest(now) } else { now };
        let own = hours.get(&person).copied().unwrap_or(Hours::DEFAULT);
        if near.1 == Urgency::Emergency { now } else { own.end(at) }
    };
    let planned = chunk.people.iter().filter(|one| !reached.contains(&one.id)).filter_map(|one| {
        let mut facts = Facts::of_nobody(one.has_phone && can_sms);
        facts.has_app = with_app.contains(&one.id);
        facts.has_wechat = wechat.contains(&one.id);
        facts.mode = modes.get(&one.id).copied().unwrap_or(Mode::AtOnce);
        if let Some(choice) = choices.get(&one.id) {
            (facts.wants_wechat, facts.wants_sms, facts.sms_news) = (choice.by_wechat, choice.by_sms, choice.sms_news);
        }
        choose(step, near, &facts).map(|channel| Planned {
            person: one.id,
            channel,
            due_at: due_at(one.id, facts.mode),
            is_digest: is_digest(facts.mode),
        })
    });
    Ok(planned.collect())
}

/// A kept word, read.
pub(super) fn word<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T> {
    parse(text).ok_or_else(|| Error::broken("an unknown word in an announcement"))
}

/// The ways that these people chose.
pub(super) async fn choices_of(db: &impl ConnectionTrait, among: &Among) -> Result<HashMap<PersonId, choice::Model>> {
    let rows = choice::Entity::find().filter(among.holds(choice::Column::PersonId)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.person_id, row)).collect())
}

/// How these people chose to hear of a topic, or of the one above it.
pub(super) async fn modes_of(
    db: &impl ConnectionTrait,
    (topic, among): (&str, &Among),
) -> Result<HashMap<PersonId, Mode>> {
    let above = Topic::parse(topic).map_or(topic, |topic| topic.above().as_str());
    let rows = topic_choice::Entity::find()
        .filter(among.holds(topic_choice::Column::PersonId))
        .filter(topic_choice::Column::Topic.is_in([topic, above]))
        .all(db)
        .await?;
    let mut modes = HashMap::new();
    for row in rows {
        let Some(mode) = Mode::parse(&row.mode) else { continue };
        if row.topic == topic {
            modes.insert(row.person_id, mode);
        } else {
            modes.entry(row.person_id).or_insert(mode);
        }
    }
    Ok(modes)
}

/// Writes the rows, one for each event, person and channel; whoever has one keeps it.
async fn write(tx: &Tx, told: &announcement::Model, planned: Vec<Planned>) -> Result<i64> {
    if planned.is_empty() {
        return Ok(0);
    }
    let now = tx.now();
    let values = planned.into_iter().map(|one| {
        let (id, person, channel) = (DeliveryId::new().0, one.person.to_string(), one.channel.as_str());
        let (at, is_digest, person_id) = (one.due_at.into(), one.is_digest.into(), one.person.0.into());
        ValueTuple::Many(vec![id.into(), person.into(), channel.into(), at, is_digest, person_id])
    });
    // what is the same for all of them is bound once
    let mut rows = Query::select();
    rows.expr(Expr::col("column1"))
        .expr(Expr::value(told.kind.clone()))
        .expr(Expr::col("column3"))
        .expr(Expr::value(told.event_number))
        .expr(Expr::col("column2"))
        .expr(Expr::value(told.subject_id.clone()))
        .expr(Expr::value(queries::QUEUED))
        .expr(Expr::value(0))
        .expr(Expr::col("column4"))
        .expr(Expr::value(now))
        .expr(Expr::value(told.id))
        .expr(Expr::col("column5"))
        .expr(Expr::col("column6"))
        .from_values(values, "planned")
        // without it SQLite reads the conflict's clause as a join
        .cond_where(Condition::all().add(Expr::col("column1").is_not_null()));
    use delivery::Column as C;
    let columns = [
        C::Id,
        C::Kind,
        C::Channel,
        C::EventNumber,
        C::TargetId,
        C::SubjectId,
        C::State,
        C::Tries,
        C::DueAt,
        C::CreatedAt,
        C::AnnouncementId,
        C::IsDigest,
        C::PersonId,
    ];
    let mut insert = Query::insert();
    insert.into_table(delivery::Entity).columns(columns);
    insert.select_from(rows).map_err(Error::broken)?;
    insert.on_conflict(OnConflict::columns([C::EventNumber, C::Channel, C::TargetId]).do_nothing().to_owned());
    let written = tx.execute(&insert).await?.rows_affected();
    tx.ring(Bell::Deliveries);
    i64::try_from(written).map_err(Error::broken)
}

/// Moves a step on, unless another planner did.
async fn moved(
    tx: &Tx,
    from: &step::Model,
    state: &str,
    (position, looked_at, planned): (Option<PersonId>, i64, i64),
) -> Result<()> {
    let here = match from.position {
        Some(position) => step::Column::Position.eq(position),
        None => step::Column::Position.is_null(),
    };
    let moved = step::Entity::update_many()
        .col_expr(step::Column::Position, Expr::value(position))
        .col_expr(step::Column::State, Expr::value(state))
        .col_expr(step::Column::LookedAt, Expr::col(step::Column::LookedAt).add(looked_at))
        .col_expr(step::Column::Planned, Expr::col(step::Column::Planned).add(planned))
        .col_expr(step::Column::DoneAt, Expr::value((state != WAITING).then(|| tx.now())))
        .filter(step::Column::AnnouncementId.eq(from.announcement_id))
        .filter(step::Column::Step.eq(from.step))
        .filter(step::Column::State.eq(WAITING))
        .filter(here)
        .exec(tx)
        .await?;
    if moved.rows_affected == 1 { Ok(()) } else { Err(Code::Changed.into()) }
}
