//! Taking what is to be sent to people: many at once, each looked at once more, because much may have happened since it
//! was planned.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, JoinType, QueryFilter, QuerySelect, QueryTrait, Set,
    sea_query::{Expr, OnConflict},
};

use super::{
    audience::Audience,
    plan::{choices_of, modes_of, word},
    queries, reached,
    rows::{announcement, delivery, interruption},
    rules::{
        budget::{Interruptions, is_counted},
        ladder::{Channel, Level, Mode, Urgency},
    },
    ways::Ways,
};
use crate::{
    actor::covers,
    error::{Error, Result},
    gateways::Gateways,
    ids::{AnnouncementId, DeliveryId, PersonId},
    people::audience::{Among, Reach, reach},
    quiet::{Hours, queries::hours_of},
    store::Tx,
    streams,
    wechat::ledger::Ticket,
};

/// A try that is not settled within this time is given back. WeChat may have to be asked for a token first, in a lane of
/// its own, patiently.
pub(super) fn lease(channel: Channel) -> TimeDelta {
    TimeDelta::seconds(if channel == Channel::Wechat { 180 } else { 20 })
}

/// Sends to one person through one channel within a day, of whatever kind.
const A_DAY: i64 = 10;
/// What is beyond that waits.
const LATER: TimeDelta = TimeDelta::hours(1);

/// One that is to be sent now.
pub(super) struct Taken {
    /// Its row, as claimed: `tries` is the token by which it is settled.
    pub(super) row: delivery::Model,
    /// How the person is reached.
    pub(super) reach: Reach,
    /// What is told.
    pub(super) told: announcement::Model,
    /// What was taken from WeChat's ledger for it.
    pub(super) ticket: Option<Ticket>,
}

/// What becomes of a claimed delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Send,
    /// Not any more, and why.
    Not(&'static str),
    /// Not before then, and why.
    Later(DateTime<Utc>, &'static str),
}

/// Claims of these what is queued, due and to nobody who is being written to, and says which are to be sent. The others
/// are put off or ended here, with the reason kept.
pub(super) async fn claim(
    tx: &Tx,
    gateways: &Gateways,
    (channel, ids): (Channel, Vec<DeliveryId>),
) -> Result<Vec<Taken>> {
    let rows = take(tx, channel, ids).await?;
    let people: Vec<PersonId> = rows.iter().filter_map(|row| row.target_id.parse().ok()).collect();
    if people.is_empty() {
        return Ok(Vec::new());
    }
    let sight = look(tx, channel, (&rows, people.clone())).await?;
    let mut ways = Ways::look(tx, &gateways.wechat, (channel, &people)).await?;
    let mut verdicts: Vec<(usize, Verdict)> = Vec::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        let verdict = sight.verdict(row, tx.now())?;
        let (told, _, _) = sight.near(row)?;
        let person: PersonId = row.target_id.parse().map_err(Error::broken)?;
        // who cannot be told this way is not counted as disturbed
        let missing = if verdict == Verdict::Send { ways.missing(tx, row, (person, told)) } else { None };
        verdicts.push((place, missing.map_or(verdict, Verdict::Not)));
    }
    count(tx, (&rows, &sight), &mut verdicts).await?;
    // last of all: what is taken here is sent
    for (place, verdict) in &mut verdicts {
        if *verdict == Verdict::Send && !ways.take(tx, &rows[*place]).await? {
            *verdict = Verdict::Not("no_wechat");
        }
    }
    put_away(tx, &rows, &verdicts).await?;
    let send: HashSet<usize> =
        verdicts.iter().filter(|(_, verdict)| *verdict == Verdict::Send).map(|(place, _)| *place).collect();
    let mut reach = reach(tx, tx.keys(), people).await?;
    let taken = rows.into_iter().enumerate().filter(|(place, _)| send.contains(place)).filter_map(|(_, row)| {
        let person: PersonId = row.target_id.parse().ok()?;
        let told = sight.told.get(&row.announcement_id?)?.0.clone();
        Some(Taken { reach: reach.remove(&person)?, ticket: ways.ticket(row.id), row, told })
    });
    Ok(taken.collect())
}

async fn take(tx: &Tx, channel: Channel, ids: Vec<DeliveryId>) -> Result<Vec<delivery::Model>> {
    let now = tx.now();
    let targets = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::TargetId)
        .filter(delivery::Column::Id.is_in(ids.iter().copied()))
        .into_query();
    let under_way = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::TargetId)
        .filter(delivery::Column::TargetId.in_subquery(targets))
        .filter(delivery::Column::State.eq(queries::SENDING))
        .filter(delivery::Column::Channel.eq(channel.as_str()))
        .into_query();
    Ok(delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::value(queries::SENDING))
        .col_expr(delivery::Column::Tries, Expr::col(delivery::Column::Tries).add(1))
        .col_expr(delivery::Column::DueAt, Expr::value(now + lease(channel)))
        .filter(delivery::Column::Id.is_in(ids))
        .filter(delivery::Column::State.eq(queries::QUEUED))
        .filter(delivery::Column::DueAt.lte(now))
        .filter(delivery::Column::TargetId.not_in_subquery(under_way))
        .exec_with_returning(tx)
        .await?)
}

/// Everything that the verdicts ask.
struct Sight {
    channel: Channel,
    told: HashMap<AnnouncementId, (announcement::Model, bool)>,
    /// Where they are on the roster, and whether there is a number.
    people: HashMap<PersonId, (Option<String>, bool)>,
    done: HashSet<(AnnouncementId, PersonId)>,
    refuses: HashSet<PersonId>,
    without_news: HashSet<PersonId>,
    modes: HashMap<(String, PersonId), Mode>,
    newest: HashMap<(String, String), i64>,
    today: HashMap<String, i64>,
    /// Told of the same by the other channel.
    elsewhere: HashSet<(i64, String)>,
    hours: HashMap<PersonId, Hours>,
    muted: HashSet<(AnnouncementId, PersonId)>,
}

async fn look(tx: &Tx, channel: Channel, (rows, people): (&[delivery::Model], Vec<PersonId>)) -> Result<Sight> {
    let among = Among::These(people.clone());
    let ids: HashSet<AnnouncementId> = rows.iter().filter_map(|row| row.announcement_id).collect();
    let (mut told, mut done, mut modes) = (HashMap::new(), HashSet::new(), HashMap::new());
    let mut muted = HashSet::new();
    for row in announcement::Entity::find().filter(announcement::Column::Id.is_in(ids)).all(tx).await? {
        let reached = reached::in_app(tx, &row, &among).await?;
        done.extend(reached.into_iter().map(|person| (row.id, person)));
        for (person, mode) in modes_of(tx, (&row.topic, &among)).await? {
            modes.insert((row.topic.clone(), person), mode);
        }
        if let Some(stream) = row.stream_id {
            let silent = streams::queries::who_muted(tx, stream, &among).await?;
            muted.extend(silent.into_iter().map(|person| (row.id, person)));
        }
        let stands = reached::stands(tx, &row).await?;
        told.insert(row.id, (row, stands));
    }
    let hours = hours_of(tx, &people).await?;
    let known = reach(tx, tx.keys(), people).await?;
    let choices = choices_of(tx, &among).await?;
    let refused = |wants: bool| !wants;
    Ok(Sight {
        channel,
        people: known.into_iter().map(|(id, reach)| (id, (reach.area, reach.phone.is_some()))).collect(),
        refuses: choices
            .values()
            .filter(|one| refused(if channel == Channel::Sms { one.by_sms } else { one.by_wechat }))
            .map(|one| one.person_id)
            .collect(),
        without_news: choices.values().filter(|one| !one.sms_news).map(|one| one.person_id).collect(),
        newest: newest(tx, channel, (rows, &told)).await?,
        today: today(tx, channel, rows).await?,
        elsewhere: elsewhere(tx, channel, rows).await?,
        hours,
        muted,
        told,
        done,
        modes,
    })
}

/// The newest that waits for each person in each thread.
async fn newest(
    tx: &Tx,
    channel: Channel,
    (rows, told): (&[delivery::Model], &HashMap<AnnouncementId, (announcement::Model, bool)>),
) -> Result<HashMap<(String, String), i64>> {
    let threads: HashSet<&str> = told.values().map(|(row, _)| row.thread.as_str()).collect();
    let found: Vec<(String, String, i64)> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::TargetId)
        .column(announcement::Column::Thread)
        .column_as(delivery::Column::EventNumber.max(), "newest")
        .join(
            JoinType::InnerJoin,
            delivery::Entity::belongs_to(announcement::Entity)
                .from(delivery::Column::AnnouncementId)
                .to(announcement::Column::Id)
                .into(),
        )
        .filter(delivery::Column::TargetId.is_in(rows.iter().map(|row| row.target_id.as_str())))
        .filter(delivery::Column::Channel.eq(channel.as_str()))
        .filter(delivery::Column::State.eq(queries::QUEUED))
        .filter(announcement::Column::Thread.is_in(threads))
        .filter(announcement::Column::EndedAt.is_null())
        .group_by(delivery::Column::TargetId)
        .group_by(announcement::Column::Thread)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(found.into_iter().map(|(target, thread, number)| ((target, thread), number)).collect())
}

/// How often each was written to through this channel within a day.
async fn today(tx: &Tx, channel: Channel, rows: &[delivery::Model]) -> Result<HashMap<String, i64>> {
    let found: Vec<(String, i64)> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::TargetId)
        .column_as(delivery::Column::Id.count(), "count")
        .filter(delivery::Column::TargetId.is_in(rows.iter().map(|row| row.target_id.as_str())))
        .filter(delivery::Column::State.eq(queries::SENT))
        .filter(delivery::Column::Channel.eq(channel.as_str()))
        .filter(delivery::Column::SentAt.gt(tx.now() - TimeDelta::days(1)))
        .group_by(delivery::Column::TargetId)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(found.into_iter().collect())
}

/// Who was told of these events through another channel.
async fn elsewhere(tx: &Tx, channel: Channel, rows: &[delivery::Model]) -> Result<HashSet<(i64, String)>> {
    let events: HashSet<i64> = rows.iter().map(|row| row.event_number).collect();
    let found = delivery::Entity::find()
        .select_only()
        .columns([delivery::Column::EventNumber, delivery::Column::TargetId])
        .filter(delivery::Column::EventNumber.is_in(events))
        .filter(delivery::Column::TargetId.is_in(rows.iter().map(|row| row.target_id.as_str())))
        .filter(delivery::Column::State.eq(queries::SENT))
        .filter(delivery::Column::Channel.ne(channel.as_str()));
    Ok(found.into_tuple::<(i64, String)>().all(tx).await?.into_iter().collect())
}

impl Sight {
    fn near(&self, row: &delivery::Model) -> Result<(&announcement::Model, Level, Urgency)> {
        let told = row.announcement_id.and_then(|id| self.told.get(&id));
        let (told, _) = told.ok_or_else(|| Error::broken("a delivery to a person without an announcement"))?;
        Ok((told, word(&told.level, Level::parse)?, word(&told.urgency, Urgency::parse)?))
    }

    fn verdict(&self, row: &delivery::Model, now: DateTime<Utc>) -> Result<Verdict> {
        let (told, level, urgency) = self.near(row)?;
        let person: PersonId = row.target_id.parse().map_err(Error::broken)?;
        let is_danger = urgency == Urgency::Emergency;
        let (area, has_phone) = self.people.get(&person).cloned().unwrap_or_default();
        let lives_there = match (Audience::parse(&told.audience, &told.audience_id)?, area) {
            (_, None) => false,
            (Audience::Residents(there), Some(home)) => covers(&there, &home),
            _ => true,
        };
        let must = level == Level::Act || is_danger;
        let is_off = self.modes.get(&(told.topic.clone(), person)) == Some(&Mode::Off);
        let needs_consent = !must && self.channel == Channel::Sms && self.without_news.contains(&person);
        if !self.told.get(&told.id).is_some_and(|(_, stands)| *stands) {
            return Ok(Verdict::Not("withdrawn"));
        }
        if !lives_there {
            return Ok(Verdict::Not("left"));
        }
        if self.done.contains(&(told.id, person)) {
            return Ok(Verdict::Not("read"));
        }
        // what asks for nothing is told once, by whichever way
        if !must && self.elsewhere.contains(&(row.event_number, row.target_id.clone())) {
            return Ok(Verdict::Not("reached"));
        }
        if !must && urgency == Urgency::Normal && self.muted.contains(&(told.id, person)) {
            return Ok(Verdict::Not("unsubscribed"));
        }
        if !is_danger && (self.refuses.contains(&person) || needs_consent || (!must && is_off)) {
            return Ok(Verdict::Not("unsubscribed"));
        }
        if self.channel == Channel::Sms && !has_phone {
            return Ok(Verdict::Not("no_address"));
        }
        let newest = self.newest.get(&(row.target_id.clone(), told.thread.clone()));
        if !must && newest.is_some_and(|newest| *newest > row.event_number) {
            return Ok(Verdict::Not("superseded"));
        }
        let quiet = self.hours.get(&person).copied().unwrap_or(Hours::DEFAULT).end_after(now);
        if let Some(end) = quiet.filter(|_| !is_danger) {
            return Ok(Verdict::Later(end, "quiet"));
        }
        if !is_danger && self.today.get(&row.target_id).copied().unwrap_or(0) >= A_DAY {
            return Ok(Verdict::Later(now + LATER, "often"));
        }
        Ok(Verdict::Send)
    }
}

/// Counts what disturbs; who was disturbed three times in seven days is left alone until the first of them is a week old.
async fn count(tx: &Tx, (rows, sight): (&[delivery::Model], &Sight), verdicts: &mut [(usize, Verdict)]) -> Result<()> {
    let mut counted = Vec::new();
    for (place, verdict) in verdicts.iter() {
        let (_, level, urgency) = sight.near(&rows[*place])?;
        // a second try of the same disturbs once
        if *verdict == Verdict::Send && rows[*place].tries == 1 && is_counted(level, urgency) {
            counted.push(*place);
        }
    }
    if counted.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let people: Vec<PersonId> = counted.iter().filter_map(|place| rows[*place].target_id.parse().ok()).collect();
    let known = interruption::Entity::find().filter(interruption::Column::PersonId.is_in(people)).all(tx).await?;
    let known: HashMap<PersonId, Interruptions> = known
        .into_iter()
        .map(|row| (row.person_id, Interruptions([Some(row.first_at), row.second_at, row.third_at])))
        .collect();
    let mut disturbed = Vec::new();
    for place in counted {
        let person: PersonId = rows[place].target_id.parse().map_err(Error::broken)?;
        let before = known.get(&person).copied().unwrap_or_default();
        match before.free_at(now) {
            Some(free) => verdicts[place].1 = Verdict::Later(free, "enough"),
            None => {
                let Interruptions([_, second_at, third_at]) = before.and(now);
                disturbed.push(interruption::ActiveModel {
                    person_id: Set(person),
                    first_at: Set(now),
                    second_at: Set(second_at),
                    third_at: Set(third_at),
                });
            }
        }
    }
    if disturbed.is_empty() {
        return Ok(());
    }
    use interruption::Column as C;
    let moved = OnConflict::column(C::PersonId).update_columns([C::FirstAt, C::SecondAt, C::ThirdAt]).to_owned();
    interruption::Entity::insert_many(disturbed).on_conflict(moved).exec_without_returning(tx).await?;
    Ok(())
}

/// Ends or puts off what is not sent now; a put-off try was none.
async fn put_away(tx: &Tx, rows: &[delivery::Model], verdicts: &[(usize, Verdict)]) -> Result<()> {
    let mut groups: HashMap<(Option<DateTime<Utc>>, &'static str), Vec<DeliveryId>> = HashMap::new();
    for (place, verdict) in verdicts {
        match verdict {
            Verdict::Send => {}
            Verdict::Not(reason) => groups.entry((None, reason)).or_default().push(rows[*place].id),
            Verdict::Later(at, reason) => groups.entry((Some(*at), reason)).or_default().push(rows[*place].id),
        }
    }
    for ((until, reason), ids) in groups {
        let state = if until.is_some() { queries::QUEUED } else { queries::CANCELLED };
        metrics::counter!("sends_skipped_total", "reason" => reason).increment(ids.len() as u64);
        let tries = Expr::col(delivery::Column::Tries).sub(i32::from(until.is_some()));
        delivery::Entity::update_many()
            .col_expr(delivery::Column::State, Expr::value(state))
            .col_expr(delivery::Column::Tries, tries)
            .col_expr(delivery::Column::DueAt, Expr::value(until.unwrap_or_else(|| tx.now())))
            .col_expr(delivery::Column::Reason, Expr::value(reason))
            .filter(delivery::Column::Id.is_in(ids))
            .exec(tx)
            .await?;
    }
    Ok(())
}
