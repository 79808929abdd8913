//! How well each body answers, over whole months or years: rates that name nobody. And what is late now, for who runs the
//! county.
//!
//! # Why
//! Of fewer than five nothing is shown, numbers are rounded down to fives, percents of few to tens, and a period is a month or
//! a year that is over: whoever takes one period from another must not learn what became of a single voice. What is about
//! somebody is counted nowhere: they would see by it that somebody spoke of them. An answer and what its author says of it count
//! for the body that has the voice; the one that was late before it went on has left it unanswered; and the one that answered
//! before it went on, or up, has not solved it: else what nobody could solve would leave its figures. What its author took back
//! counts for nobody.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
    sea_query::{Expr, Func},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    about,
    rows::suggestion,
    rules::{self, Deadline, SuggestionKind, SuggestionState, Visibility},
    served, words,
};
use crate::{
    actor::Actor,
    app::App,
    areas::{TOWN_CODE, VILLAGE_CODE},
    bodies, clock,
    error::Result,
    ids::{BodyId, SuggestionId},
};

mod periods;

pub use self::periods::{last_month, past, period};

/// Of fewer nothing is shown.
const FEWEST: usize = 5;
/// Percents of fewer are whole tens.
const FEW: usize = 50;
/// Voices read at once.
const CHUNK: u64 = 5000;
/// Late voices that are listed.
const MOST_LATE: u64 = 200;
/// Satisfied from this rating on.
const SATISFIED: i32 = 4;
const DAY: i64 = 24 * 3600;

/// Figures of one body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BodyFigures {
    /// The body.
    pub body_id: BodyId,
    /// Its name.
    pub body_name: String,
    /// At least so many voices in the period; a multiple of five.
    pub left_at_least: i64,
    /// 响应率: of a hundred, how many are answered; in whole tens, when there are few.
    pub answered_percent: i64,
    /// 按时率: of a hundred whose time was up or that were answered, how many by the time that was promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_time_percent: Option<i64>,
    /// 解决率: of a hundred rated, how many with 3 or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub solved_percent: Option<i64>,
    /// 满意率: of a hundred rated, how many with 4 or 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub satisfied_percent: Option<i64>,
    /// Days until the answer, of the one in the middle; rounded up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_days: Option<i64>,
}

/// A voice that is late. Not its words, and not whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LateVoice {
    /// Its number.
    pub number: String,
    /// What is wanted.
    pub kind: SuggestionKind,
    /// Code of the village; of the town, where the village must not know of it.
    pub area_code: String,
    /// The body responsible.
    pub body_name: String,
    /// The body that was late, where it was passed on since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_body_name: Option<String>,
    /// Which promise.
    pub which: Deadline,
    /// Until when it was promised.
    pub due_at: DateTime<FixedOffset>,
}

/// Voices that are late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LateVoices {
    /// The longest late first, 200 at most.
    pub items: Vec<LateVoice>,
    /// How many more there are.
    pub more: u64,
}

#[derive(Default)]
struct Tally {
    left: usize,
    answered: usize,
    due: usize,
    on_time: usize,
    rated: usize,
    solved: usize,
    satisfied: usize,
    days: Vec<i64>,
}

type Row = (SuggestionId, BodyId, DateTime<Utc>, Option<DateTime<Utc>>, Option<i32>, Option<BodyId>, DateTime<Utc>);

impl Tally {
    fn add(&mut self, (_, body, left_at, answered_at, rating, late, due_at): &Row, now: DateTime<Utc>) {
        self.left += 1;
        // what still has time is neither, and what came too late already is not this one's
        if late.is_none_or(|late| late == *body) && (answered_at.is_some() || *due_at <= now) {
            self.due += 1;
            self.on_time += usize::from(answered_at.is_some_and(|at| at <= *due_at));
        }
        if let Some(answered_at) = answered_at {
            self.answered += 1;
            // what took an hour took a day
            self.days.push((std::cmp::Ord::max((*answered_at - *left_at).num_seconds(), 1) + DAY - 1) / DAY);
        }
        if let Some(rating) = rating {
            self.rated += 1;
            self.solved += usize::from(!rules::reopens(*rating));
            self.satisfied += usize::from(*rating >= SATISFIED);
        }
    }

    /// It was late here, and is another's now.
    fn miss(&mut self) {
        self.left += 1;
        self.due += 1;
    }

    /// So many were answered here, were not solved, and are others' now.
    fn fail(&mut self, count: usize) {
        self.left += count;
        self.answered += count;
        self.rated += count;
    }

    /// Nothing at all of a few: not even which body it was.
    fn shown(mut self, body_id: BodyId, body_name: String) -> Option<BodyFigures> {
        let enough = |count: usize| count >= FEWEST;
        let percent = |part: usize, whole: usize| enough(whole).then(|| whole_percent(part, whole));
        self.days.sort_unstable();
        let timed = self.days.len();
        let middle = self.days.get(timed / 2).copied();
        Some(BodyFigures {
            body_id,
            body_name,
            left_at_least: enough(self.left).then(|| whole_fives(self.left))?,
            answered_percent: whole_percent(self.answered, self.left),
            on_time_percent: percent(self.on_time, self.due),
            solved_percent: percent(self.solved, self.rated),
            satisfied_percent: percent(self.satisfied, self.rated),
            median_days: middle.filter(|_| enough(timed)),
        })
    }
}

fn whole_percent(part: usize, whole: usize) -> i64 {
    let percent = part * 100 / whole.max(1);
    i64::try_from(if whole < FEW { percent - percent % 10 } else { percent }).unwrap_or_default()
}

fn whole_fives(count: usize) -> i64 {
    i64::try_from(count - count % FEWEST).unwrap_or_default()
}

/// What is counted in an area: in a village's own figures nobody may see that somebody there spoke to the town alone. A
/// village's voices are found by its code; of a town or the county it is asked how their codes begin, so that the database
/// goes by the time or the state instead, and not through everything that ever was left there.
pub(super) fn seen_from(area: &str) -> Condition {
    use suggestion::Column as C;
    if area.len() >= VILLAGE_CODE {
        let below = C::AreaCode.between(area.to_owned(), format!("{area}{}", char::MAX));
        return Condition::all().add(below).add(C::Visibility.ne(Visibility::Town));
    }
    let digits = i32::try_from(area.len()).unwrap_or_default();
    let begins = Func::cust("substr").arg(Expr::col(C::AreaCode)).arg(1).arg(digits);
    Condition::all().add(Expr::expr(begins).eq(area))
}

/// Figures of the bodies responsible for what was left in an area and below it in a period that is over, by their names; as
/// they were worked out within the last ten minutes.
///
/// # Errors
/// `not_found` for an unknown area; `invalid_fields` for what is no period, not over, or over for five years.
pub async fn by_body(app: &App, (area, text): (&str, &str)) -> Result<Vec<BodyFigures>> {
    let (from, to) = past(text, app.now())?;
    let db = app.store.read();
    crate::areas::get(db, area).await?;
    // whoever asks for what was before anything was left has nothing worked out, and nothing kept
    if first_left(db).await?.is_none_or(|first| clock::start_of_day(to) <= first) {
        return Ok(Vec::new());
    }
    app.counted.figures(format!("by_body {area} {from} {to}"), || tallied(db, (area, from, to), app.now())).await
}

/// When the first voice of all was left; their ids are in the order of time.
async fn first_left(db: &impl ConnectionTrait) -> Result<Option<DateTime<Utc>>> {
    let first = suggestion::Entity::find()
        .select_only()
        .column(suggestion::Column::CreatedAt)
        .order_by_asc(suggestion::Column::Id)
        .limit(1);
    Ok(first.into_tuple().one(db).await?)
}

/// Read in chunks: memory is flat in the number of bodies and answers, not of voices.
async fn tallied(
    db: &impl ConnectionTrait,
    (area, from, to): (&str, NaiveDate, NaiveDate),
    now: DateTime<Utc>,
) -> Result<Vec<BodyFigures>> {
    use suggestion::Column as C;
    let mut tallies: HashMap<BodyId, Tally> = HashMap::new();
    let mut last: Option<(DateTime<Utc>, SuggestionId)> = None;
    loop {
        // what follows the last one, in the order of the index: each voice is read once
        let next = last.map(|(at, id)| C::CreatedAt.gt(at).or(C::CreatedAt.eq(at).and(C::Id.gt(id))));
        let rows: Vec<Row> = suggestion::Entity::find()
            .select_only()
            .columns([C::Id, C::BodyId, C::CreatedAt, C::AnsweredAt, C::Rating, C::LateBodyId, C::AnswerDueAt])
            .filter(seen_from(area))
            .filter(C::AboutPersonId.is_null())
            .filter(C::State.ne(SuggestionState::Withdrawn))
            .filter(C::CreatedAt.gte(last.map_or_else(|| clock::start_of_day(from), |(at, _)| at)))
            .filter(C::CreatedAt.lt(clock::start_of_day(to)))
            .filter(Condition::all().add_option(next))
            .order_by_asc(C::CreatedAt)
            .order_by_asc(C::Id)
            .limit(CHUNK)
            .into_tuple()
            .all(db)
            .await?;
        for row in &rows {
            tallies.entry(row.1).or_default().add(row, now);
            if let Some(late) = row.5.filter(|late| *late != row.1) {
                tallies.entry(late).or_default().miss();
            }
        }
        last = rows.last().map(|row| (row.2, row.0));
        if (rows.len() as u64) < CHUNK {
            break;
        }
    }
    for (body, count) in served::unsolved(db, (area, from, to)).await? {
        tallies.entry(body).or_default().fail(usize::try_from(count).unwrap_or_default());
    }
    let names = bodies::queries::names(db, tallies.keys().copied().collect()).await?;
    let named = |id: BodyId| names.get(&id).cloned().unwrap_or_default();
    let mut shown: Vec<BodyFigures> =
        tallies.into_iter().filter_map(|(id, tally)| tally.shown(id, named(id))).collect();
    shown.sort_by(|one, other| one.body_name.cmp(&other.body_name).then(one.body_id.0.cmp(&other.body_id.0)));
    Ok(shown)
}

/// Voices whose deadline has passed, in an area and below it. For who runs the county; none that is about the one who asks, and
/// none that its author had erased.
///
/// # Errors
/// When the database cannot be read.
pub async fn late(db: &impl ConnectionTrait, actor: &Actor, (area, now): (&str, DateTime<Utc>)) -> Result<LateVoices> {
    let late = late_in(actor, (area, now));
    let count = late.clone().count(db).await?;
    let rows = late.order_by_asc(suggestion::Column::AnswerDueAt).limit(MOST_LATE).all(db).await?;
    let named = rows.iter().flat_map(|row| [Some(row.body_id), row.late_body_id]).flatten();
    let names = bodies::queries::names(db, named.collect()).await?;
    let more = count.saturating_sub(rows.len() as u64);
    Ok(LateVoices { items: rows.into_iter().map(|row| late_voice(row, &names, now)).collect(), more })
}

fn late_in(actor: &Actor, (area, now): (&str, DateTime<Utc>)) -> Select<suggestion::Entity> {
    use suggestion::Column as C;
    let unaccepted = C::State.eq(SuggestionState::Submitted).and(C::AcceptDueAt.lte(now));
    let unanswered =
        C::State.is_in([SuggestionState::Submitted, SuggestionState::Accepted]).and(C::AnswerDueAt.lte(now));
    suggestion::Entity::find()
        .filter(seen_from(area))
        .filter(C::State.is_in([SuggestionState::Submitted, SuggestionState::Accepted]))
        .filter(Condition::any().add(unaccepted).add(unanswered))
        .filter(about::not_about(actor))
        .filter(words::is_kept())
}

/// Voices that are late with one body.
#[derive(Clone, Debug)]
pub struct LateBelow {
    /// The body's name.
    pub body_name: String,
    /// Where the one is that is late the longest.
    pub area_code: String,
    /// How many.
    pub count: usize,
    /// Until when the first of them was promised.
    pub due_at: DateTime<FixedOffset>,
}

/// What is late with the bodies below an office, the longest late first: what the office above is told of, one by one. Of 200
/// voices at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn late_below(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (area, now): (&str, DateTime<Utc>),
) -> Result<Vec<LateBelow>> {
    let above: Vec<BodyId> = bodies::queries::over(db, area).await?.into_iter().map(|body| body.id).collect();
    let late = late_in(actor, (area, now)).filter(suggestion::Column::BodyId.is_not_in(above));
    let rows = late.order_by_asc(suggestion::Column::AnswerDueAt).limit(MOST_LATE).all(db).await?;
    let names = bodies::queries::names(db, rows.iter().map(|row| row.body_id).collect()).await?;
    let mut below: Vec<(BodyId, LateBelow)> = Vec::new();
    for row in rows {
        let body = row.body_id;
        let LateVoice { body_name, area_code, due_at, .. } = late_voice(row, &names, now);
        match below.iter_mut().find(|(id, _)| *id == body) {
            Some((_, known)) => {
                known.count += 1;
                known.due_at = std::cmp::Ord::min(known.due_at, due_at);
            }
            None => below.push((body, LateBelow { body_name, area_code, count: 1, due_at })),
        }
    }
    Ok(below.into_iter().map(|(_, one)| one).collect())
}

fn late_voice(row: suggestion::Model, names: &HashMap<BodyId, String>, now: DateTime<Utc>) -> LateVoice {
    let (which, due_at) = match row.answer_due_at <= now {
        true => (Deadline::Answer, row.answer_due_at),
        false => (Deadline::Accept, row.accept_due_at),
    };
    let area_code = match row.visibility {
        Visibility::Town => row.area_code.get(..TOWN_CODE).unwrap_or(&row.area_code).to_owned(),
        Visibility::Public | Visibility::Handlers => row.area_code,
    };
    LateVoice {
        // a number names the village
        number: if row.visibility == Visibility::Town { String::new() } else { row.number },
        kind: row.kind,
        area_code,
        body_name: names.get(&row.body_id).cloned().unwrap_or_default(),
        late_body_name: row.late_body_id.filter(|body| *body != row.body_id).and_then(|body| names.get(&body).cloned()),
        which,
        due_at: clock::local(due_at),
    }
}

#[cfg(test)]
mod tests;
