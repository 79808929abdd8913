//! Taking what is to be sent to people: many at once, each looked at once more, because much may have happened since it
//! was planned.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};

use super::{
    audience::Audience,
    carried, disturb, found, numbers,
    plan::{choices_of, modes_of, word},
    queries,
    reached::{self, Standing},
    rows::{announcement, delivery},
    rules::ladder::{Channel, Level, Mode, Urgency},
    settle::UNKNOWN,
    several, stops, untold,
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
    /// Its row, as claimed: `tries` is the token by which it is settled, and only ever grows.
    pub(super) row: delivery::Model,
    /// How the person is reached.
    pub(super) reach: Reach,
    /// What is told.
    pub(super) told: announcement::Model,
    /// What the same message tells of, newest first: the digest of an evening.
    pub(super) carried: Vec<announcement::Model>,
    /// How many people at this number must act; 0 or 1 where it is said to one.
    pub(super) people: usize,
    /// What was taken from WeChat's ledger for it.
    pub(super) ticket: Option<Ticket>,
}

/// What becomes of a claimed delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Send,
    /// Not any more, and why.
    Not(&'static str),
    /// Not before then, and why.
    Later(DateTime<Utc>, &'static str),
    /// Another's message tells of it: asked again then how that one ended.
    Behind(DeliveryId, DateTime<Utc>, &'static str),
    /// Another's message told of it: its state and time, and which it was.
    Like(&'static str, Option<DateTime<Utc>>, &'static str, DeliveryId),
}

/// Claims of these what is queued, due and to nobody who is being written to, and says which are to be sent. The others
/// are put off or ended here, with the reason kept.
pub(super) async fn claim(
    tx: &Tx,
    gateways: &Gateways,
    (channel, ids): (Channel, Vec<DeliveryId>),
) -> Result<Vec<Taken>> {
    let mut rows = take(tx, channel, ids).await?;
    let taken = rows.len();
    rows.extend(carried::beside(tx, channel, &rows).await?);
    let people: Vec<PersonId> = rows.iter().filter_map(|row| row.target_id.parse().ok()).collect();
    if people.is_empty() {
        return Ok(Vec::new());
    }
    let mut ways = Ways::look(tx, &gateways.wechat, (channel, &people)).await?;
    let sight = look(tx, channel, (&rows, people)).await?;
    let mut verdicts: Vec<(usize, Verdict)> = Vec::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        verdicts.push((place, sight.verdict(row, tx.now())?));
    }
    carried::follow(tx, &mut rows, &mut verdicts[..taken]).await?;
    let mut lists = carried::gather((&rows, taken), &mut verdicts, tx.now());
    verdicts.truncate(taken);
    // whoever cannot be told this way is neither waited for nor counted as disturbed
    ways.find(tx.now(), (&rows, &sight), &mut verdicts)?;
    stops::hold_back(tx, (channel, &rows, &ways), &mut verdicts).await?;
    let mut shared = disturb::Sharing::new();
    if channel == Channel::Sms {
        shared = numbers::own_ones(tx, (&rows, &sight), &mut verdicts).await?;
        carried::one_text(tx, (&rows, &sight.numbers), &mut verdicts, &mut lists).await?;
    }
    disturb::count(tx, (&rows, &sight, &shared), &mut verdicts).await?;
    stops::probe(tx, (channel, &rows, &ways), &mut verdicts).await?;
    // last of all: what is taken here is sent
    ways.take(tx, &rows, &mut verdicts).await?;
    put_away(tx, &rows, &verdicts).await?;
    untold::end(tx, (channel, &rows), &verdicts).await?;
    carried::let_go(tx, &rows, &verdicts).await?;
    let send: HashSet<usize> =
        verdicts.iter().filter(|(_, verdict)| *verdict == Verdict::Send).map(|(place, _)| *place).collect();
    lists.retain(|place, _| send.contains(place));
    carried::bind(tx, &rows, &lists).await?;
    let people = several::counted(tx, (&rows, &sight, &shared), &send).await?;
    let told = |row: &delivery::Model| Some(sight.told.get(&row.announcement_id?)?.0.clone());
    let claimed = rows.iter().enumerate().filter(|(place, _)| send.contains(place)).filter_map(|(place, row)| {
        let person: PersonId = row.target_id.parse().ok()?;
        Some(Taken {
            reach: sight.reach.get(&person)?.clone(),
            told: told(row)?,
            carried: lists.get(&place).into_iter().flatten().filter_map(|one| told(&rows[*one])).collect(),
            people: people.get(&place).copied().unwrap_or_default(),
            ticket: ways.ticket(row.id),
            row: row.clone(),
        })
    });
    Ok(claimed.collect())
}

async fn take(tx: &Tx, channel: Channel, ids: Vec<DeliveryId>) -> Result<Vec<delivery::Model>> {
    let now = tx.now();
    Ok(found::free(channel, ids, now)
        .col_expr(delivery::Column::State, Expr::value(queries::SENDING))
        .col_expr(delivery::Column::Tries, Expr::col(delivery::Column::Tries).add(1))
        .col_expr(delivery::Column::DueAt, Expr::value(now + lease(channel)))
        .exec_with_returning(tx)
        .await?)
}

/// What is told, and whether it still stands.
type Told = HashMap<AnnouncementId, (announcement::Model, Standing)>;

/// Everything that the verdicts ask.
pub(super) struct Sight {
    pub(super) channel: Channel,
    told: Told,
    /// Where they are on the roster, and by what they are reached.
    pub(super) reach: HashMap<PersonId, Reach>,
    /// By what numbers are found.
    pub(super) numbers: HashMap<PersonId, String>,
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
        let (reached, stands) = reached::seen(tx, &row, &among).await;
        done.extend(reached.into_iter().map(|person| (row.id, person)));
        let is_told = stands == Standing::Stands;
        if is_told {
            let chosen = modes_of(tx, (&row.topic, &among)).await?;
            modes.extend(chosen.into_iter().map(|(person, mode)| ((row.topic.clone(), person), mode)));
        }
        if let Some(stream) = row.stream_id.filter(|_| is_told) {
            let silent = streams::queries::who_muted(tx, (stream, tx.now()), &among).await?;
            muted.extend(silent.into_iter().map(|person| (row.id, person)));
        }
        told.insert(row.id, (row, stands));
    }
    let hours = hours_of(tx, &people).await?;
    let reach = reach(tx, tx.keys(), people).await?;
    let choices = choices_of(tx, &among).await?;
    let refused = |wants: bool| !wants;
    Ok(Sight {
        channel,
        numbers: reach.iter().filter_map(|(id, reach)| Some((*id, reach.number.clone()?))).collect(),
        reach,
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
    (rows, told): (&[delivery::Model], &Told),
) -> Result<HashMap<(String, String), i64>> {
    let threads: HashSet<&str> = told.values().map(|(row, _)| row.thread.as_str()).collect();
    let found: Vec<(String, String, i64)> = found::newest(channel, rows, threads).into_tuple().all(tx).await?;
    Ok(found.into_iter().map(|(target, thread, number)| ((target, thread), number)).collect())
}

/// How often each was written to through this channel within a day.
async fn today(tx: &Tx, channel: Channel, rows: &[delivery::Model]) -> Result<HashMap<String, i64>> {
    let sent = found::sent_since(channel, rows, tx.now() - TimeDelta::days(1));
    Ok(sent.into_tuple::<(String, i64)>().all(tx).await?.into_iter().collect())
}

/// Who was told of these events through another channel.
async fn elsewhere(tx: &Tx, channel: Channel, rows: &[delivery::Model]) -> Result<HashSet<(i64, String)>> {
    let sent = found::sent_elsewhere(channel, rows);
    Ok(sent.into_tuple::<(i64, String)>().all(tx).await?.into_iter().collect())
}

impl Sight {
    pub(super) fn near(&self, row: &delivery::Model) -> Result<(&announcement::Model, Level, Urgency)> {
        let told = row.announcement_id.and_then(|id| self.told.get(&id));
        let (told, _) = told.ok_or_else(|| Error::broken("a delivery to a person without an announcement"))?;
        Ok((told, word(&told.level, Level::parse)?, word(&told.urgency, Urgency::parse)?))
    }

    fn verdict(&self, row: &delivery::Model, now: DateTime<Utc>) -> Result<Verdict> {
        let (told, level, urgency) = self.near(row)?;
        let person: PersonId = row.target_id.parse().map_err(Error::broken)?;
        let is_danger = urgency == Urgency::Emergency;
        let reach = self.reach.get(&person);
        let has_phone = reach.is_some_and(|reach| reach.phone.is_some());
        let area = reach.and_then(|reach| reach.area.as_deref());
        let lives_there = match (Audience::parse(&told.audience, &told.audience_id)?, area) {
            (_, None) => false,
            (Audience::Residents(there), Some(home)) => covers(&there, home),
            _ => true,
        };
        let must = level == Level::Act || is_danger;
        let is_off = self.modes.get(&(told.topic.clone(), person)) == Some(&Mode::Off);
        let needs_consent = !must && self.channel == Channel::Sms && self.without_news.contains(&person);
        match self.told.get(&told.id).map(|(_, stands)| *stands) {
            Some(Standing::Stands) => {}
            Some(Standing::Waits) => return Ok(Verdict::Later(now + LATER, "not_now")),
            Some(Standing::Unreadable) => return Ok(Verdict::Later(now + LATER, "unreadable")),
            Some(Standing::Over) | None => return Ok(Verdict::Not(untold::WITHDRAWN)),
        }
        if !lives_there {
            return Ok(Verdict::Not("left"));
        }
        if self.done.contains(&(told.id, person)) {
            return Ok(Verdict::Not("read"));
        }
        // what asks for nothing is told once, by whichever way; what comes late by WeChat adds nothing to the SMS after it
        let is_told = self.elsewhere.contains(&(row.event_number, row.target_id.clone()));
        if is_told && (!must || (self.channel == Channel::Wechat && !is_danger)) {
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

/// What becomes of a row that is not sent now.
#[derive(PartialEq, Eq, Hash)]
struct Fate {
    state: &'static str,
    due_at: DateTime<Utc>,
    reason: &'static str,
    sent_at: Option<DateTime<Utc>>,
    carried_by: Option<DeliveryId>,
}

/// Ends or puts off what is not sent now; a put-off try was none.
async fn put_away(tx: &Tx, rows: &[delivery::Model], verdicts: &[(usize, Verdict)]) -> Result<()> {
    let now = tx.now();
    let mut groups: HashMap<Fate, Vec<DeliveryId>> = HashMap::new();
    for (place, verdict) in verdicts {
        let (state, due_at, reason) = match *verdict {
            Verdict::Send => continue,
            Verdict::Not(why) => (queries::CANCELLED, now, why),
            Verdict::Later(at, why) | Verdict::Behind(_, at, why) => (queries::QUEUED, at, why),
            Verdict::Like(state, _, why, _) => (state, now, why),
        };
        let mut fate = Fate { state, due_at, reason, sent_at: None, carried_by: rows[*place].carried_by };
        match *verdict {
            Verdict::Behind(carrier, ..) => fate.carried_by = Some(carrier),
            Verdict::Like(_, at, _, carrier) => (fate.sent_at, fate.carried_by) = (at, Some(carrier)),
            _ => {}
        }
        if fate.state == queries::QUEUED && rows[*place].reason.as_deref() == Some(UNKNOWN) {
            // it may have been heard: that must not be forgotten
            fate.reason = UNKNOWN;
        }
        groups.entry(fate).or_default().push(rows[*place].id);
    }
    for (fate, ids) in groups {
        metrics::counter!("sends_skipped_total", "reason" => fate.reason).increment(ids.len() as u64);
        let tries = Expr::col(delivery::Column::Tries).sub(i32::from(fate.state == queries::QUEUED));
        delivery::Entity::update_many()
            .col_expr(delivery::Column::State, Expr::value(fate.state))
            .col_expr(delivery::Column::Tries, tries)
            .col_expr(delivery::Column::DueAt, Expr::value(fate.due_at))
            .col_expr(delivery::Column::SentAt, Expr::value(fate.sent_at))
            .col_expr(delivery::Column::Reason, Expr::value(fate.reason))
            .col_expr(delivery::Column::CarriedBy, Expr::value(fate.carried_by))
            .filter(delivery::Column::Id.is_in(ids))
            .exec(tx)
            .await?;
    }
    Ok(())
}
