//! Closing: by the clock or by the last ballot; first the state, then the board's end, the count, what the law makes of it.
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::Expr,
};
use serde_json::Value;

use super::{
    Secrecy, boxes,
    conclude::{Ending, conclude},
    daily, opening, overdue, proxies, settle, telling,
};
use crate::{
    app::App,
    board::{self, lsb1},
    error::Result,
    events::{self, Happening, Kind},
    ids::VoteId,
    meetings,
    store::Tx,
    votes::{
        commands::Choice,
        queries::{
            self, paper,
            roll_list::{self, is_disputed},
        },
        rows::{envelope, roll_entry, roll_objection, vote},
        rules::{self, Count, Elected, Outcome, Preset, Question, roll::lapsed_when_due},
        sealed,
    },
};

const DUE_AT_ONCE: u64 = 100;
/// In whose files nothing may stay of who cast which sealed ballot, or of what the few on paper chose: of PostgreSQL's the
/// parts with the votes that run.
const LINKS: [&str; 3] = ["envelopes_running", "roll_entries_running", "paper_counts"];

/// What was counted: heads, and of a choice the votes of each option.
#[derive(Debug)]
pub(in crate::votes) struct Tally {
    question: Option<Question>,
    pub(super) count: Count,
    votes: BTreeMap<String, u64>,
}

impl Tally {
    /// Nothing yet.
    pub(in crate::votes) fn of(vote: &vote::Model) -> Result<Self> {
        let question = queries::question_of(vote)?;
        let votes = question.as_ref().map(Question::no_votes).unwrap_or_default();
        let count = Count { on_roll: u64::from(vote.on_roll.unsigned_abs()), ..Count::default() };
        Ok(Self { question, count, votes })
    }

    /// Adds ballots with these marks, or without any that can be read.
    pub(in crate::votes) fn add(&mut self, marks: Option<&[String]>, ballots: u64) {
        match &self.question {
            Some(question) => question.add((&mut self.count, &mut self.votes), marks, ballots),
            None => add(&mut self.count, marks.and_then(word), ballots),
        }
    }

    /// Are these the marks of a valid ballot?
    pub(in crate::votes) fn is_valid(&self, marks: &[String]) -> bool {
        self.question.as_ref().map_or_else(|| word(marks).is_some(), |question| question.is_valid(marks))
    }

    /// As it is published.
    pub(in crate::votes) fn in_order(&self, marks: Vec<String>) -> Vec<String> {
        match &self.question {
            Some(question) => question.in_order(marks),
            None => marks,
        }
    }

    pub(super) fn judged(&self, rule: &Preset) -> std::result::Result<(Outcome, Option<Elected>), rules::Inconsistent> {
        match &self.question {
            Some(question) => {
                let (outcome, elected) = rules::elect(rule, question, (&self.count, self.votes.clone()))?;
                Ok((outcome, Some(elected)))
            }
            None => rules::decide(rule, &self.count).map(|outcome| (outcome, None)),
        }
    }
}

/// The one word about a motion.
fn word(marks: &[String]) -> Option<Choice> {
    match marks {
        [one] => Choice::parse(one),
        _ => None,
    }
}

/// Opens the votes whose roll has hung long enough, closes those whose time is over or whose last elector has cast, each in a unit of work of its own; open ballots are
/// counted with it, sealed ones wait for their keys. One that cannot be closed holds up no other. Then what else time brings:
/// telling of the evening, proxies that nobody checked, results that nobody challenges any more. Recorded: `vote.opened`, `vote.closed`, `vote.box_closed`, `vote.cast_for`,
/// `vote.proxy_ended`, `vote.settled`.
///
/// # Errors
/// When the database fails; `busy` when what must leave the files is still read: it is tried again the next time.
pub async fn due(app: &App) -> Result<u64> {
    let mut closed = 0;
    opening::due(app).await?;
    overdue::pass_on(app).await?;
    for id in ready(app).await? {
        match app.store.write(move |tx| Box::pin(close(tx, id))).await {
            Ok(done) => closed += u64::from(done),
            Err(error) => tracing::error!(vote = %id, %error, "a vote to close"),
        }
    }
    // what cannot leave the files yet holds up nothing else
    let written_back = write_back_links(app).await;
    telling::due(app).await?;
    daily::due(app).await?;
    settle::due(app).await?;
    proxies::void_unchecked(app).await?;
    written_back.map(|()| closed)
}

async fn ready(app: &App) -> Result<Vec<VoteId>> {
    // who may cast again, or has a sheet in hand, is waited for until the end
    let all_have_cast = Condition::all()
        .add(vote::Column::State.eq(queries::OPEN))
        .add(vote::Column::AllowsRevote.eq(false))
        .add(vote::Column::HasPaper.eq(false))
        .add(Expr::exists(somebody_waits().into_query()).not());
    let is_over = Condition::any().add(vote::Column::ClosesAt.lte(app.now())).add(all_have_cast);
    // many that wait for an answer hold up no other
    let is_free = Condition::any()
        .add(vote::Column::State.eq(queries::WAITING_KEYS))
        .add(Expr::exists(somebody_objects(app).into_query()).not());
    let ready = vote::Entity::find()
        .select_only()
        .column(vote::Column::Id)
        .filter(vote::Column::State.is_in([queries::OPEN, queries::WAITING_KEYS]))
        .filter(vote::Column::RestoredAt.is_null())
        .filter(is_over)
        .filter(is_free)
        .order_by_asc(vote::Column::ClosesAt)
        .limit(DUE_AT_ONCE);
    Ok(ready.into_tuple().all(app.store.read()).await?)
}

/// Of the votes looked at: those on the roll who have not cast.
fn somebody_waits() -> Select<roll_entry::Entity> {
    roll_entry::Entity::find()
        .select_only()
        .column(roll_entry::Column::Number)
        .filter(Expr::col((roll_entry::Entity, roll_entry::Column::VoteId)).equals((vote::Entity, vote::Column::Id)))
        .filter(roll_entry::Column::Channel.eq(queries::NOT_CAST))
}

/// Of the votes looked at: objections to the roll that wait and have not lapsed.
fn somebody_objects(app: &App) -> Select<roll_objection::Entity> {
    roll_objection::Entity::find()
        .select_only()
        .column(roll_objection::Column::Id)
        .filter(
            Expr::col((roll_objection::Entity, roll_objection::Column::VoteId))
                .equals((vote::Entity, vote::Column::Id)),
        )
        .filter(roll_objection::Column::State.is_in([roll_list::OPEN, roll_list::PROPOSED]))
        .filter(roll_objection::Column::DueAt.gt(lapsed_when_due(&app.calendar, app.now())))
}

/// Who cast which envelope must leave the files, too. It is noted with the vote, so that a process that dies in between is
/// followed by one that does it; and it stays noted of a vote that went on meanwhile, as by its opening: what went then may
/// still be there.
async fn write_back_links(app: &App) -> Result<()> {
    let left = vote::Entity::find().select_only().column(vote::Column::Id).column(vote::Column::State);
    let left = left.filter(vote::Column::LinksLeft.eq(true));
    let left: Vec<(VoteId, String)> = left.into_tuple().all(app.store.read()).await?;
    if left.is_empty() {
        return Ok(());
    }
    app.store.write_back(&[&LINKS[..], &board::TIMES[..]].concat()).await?;
    let mut by_state: BTreeMap<String, Vec<VoteId>> = BTreeMap::new();
    for (id, state) in left {
        by_state.entry(state).or_default().push(id);
    }
    app.store.write(move |tx| Box::pin(written_back(tx, by_state))).await
}

async fn written_back(tx: &Tx, by_state: BTreeMap<String, Vec<VoteId>>) -> Result<()> {
    for (state, votes) in by_state {
        vote::Entity::update_many()
            .col_expr(vote::Column::LinksLeft, Expr::value(false))
            .filter(vote::Column::Id.is_in(votes))
            .filter(vote::Column::State.eq(state))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// May it close though its time is not over: has everybody cast who may, does nobody object to the roll, and has the meeting
/// that decides begun?
async fn may_close_early(tx: &Tx, vote: &vote::Model) -> Result<bool> {
    if vote.state != queries::OPEN || vote.allows_revote || vote.has_paper {
        return Ok(false);
    }
    let waits = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(vote.id))
        .filter(roll_entry::Column::Channel.eq(queries::NOT_CAST));
    if waits.one(tx).await?.is_some() || is_disputed(tx, vote.id, None).await? {
        return Ok(false);
    }
    match vote.meeting_id {
        Some(meeting) => Ok(meetings::queries::meeting(tx, meeting).await?.starts_at <= tx.now()),
        None => Ok(true),
    }
}

/// Closes one vote, if it is open and does not rest, and its time is over by this unit's clock or nobody is waited for; says whether it did. An
/// objection to the roll is waited for, though no ballots are taken any more, for as long as its answer may still come.
///
/// # Errors
/// `not_found`; when the database refuses.
pub async fn close(tx: &Tx, id: VoteId) -> Result<bool> {
    let before = queries::row(tx, id).await?;
    if !matches!(before.state.as_str(), queries::OPEN | queries::WAITING_KEYS) {
        // somebody else was first
        return Ok(false);
    }
    if before.restored_at.is_some() {
        return Ok(false);
    }
    if before.closes_at > tx.now() && !may_close_early(tx, &before).await? {
        return Ok(false);
    }
    if before.state == queries::WAITING_KEYS {
        let Some(vote) = enter(tx, &before, queries::CLOSED).await? else { return Ok(false) };
        conclude(tx, &vote, Ending::NeverBegan).await?;
        return Ok(true);
    }
    if is_disputed(tx, id, Some(lapsed_when_due(tx.calendar(), tx.now()))).await? {
        return Ok(false);
    }
    // what is on paper is counted by hand first: the board ends with both
    if before.has_paper && paper::sheets(tx, id).await?.out() > 0 {
        let waits = enter(tx, &before, queries::COUNTING_PAPER).await?.is_some();
        let happening = Happening::new(Kind::PaperWaits, id).at(&before.area_code);
        if waits {
            events::record(tx, happening).await?;
        }
        return Ok(waits);
    }
    let before = if before.has_paper { boxes::none(tx, before).await? } else { before };
    go_on(tx, &before).await?;
    Ok(true)
}

/// What follows when nothing more is waited for: open ballots are counted, sealed ones wait for their keys.
///
/// # Errors
/// When the database refuses.
pub(super) async fn go_on(tx: &Tx, before: &vote::Model) -> Result<()> {
    let is_secret = before.secrecy == Secrecy::Secret.as_str();
    let next = if is_secret { queries::COUNTING } else { queries::CLOSED };
    let Some(vote) = enter(tx, before, next).await? else { return Ok(()) };
    if is_secret {
        return sealed::close_box(tx, &vote).await;
    }
    if vote.has_board {
        let told = told_at_the_end(tx, &vote).await?;
        board::commands::close(tx, vote.id, told).await?;
    }
    let tally = count(tx, &vote).await?;
    conclude(tx, &vote, Ending::Counted(tally, None)).await
}

/// From its state into another, in which it takes no ballots; `None` when somebody else was first. Whether it decides is known
/// with its last ballot: whoever calls the meeting off afterwards knows what is on the paper, and changes nothing.
pub(super) async fn enter(tx: &Tx, before: &vote::Model, next: &str) -> Result<Option<vote::Model>> {
    let decides = before.is_binding && (before.closed_at.is_some() || has_meeting(tx, before).await?);
    let changed = vote::Entity::update_many()
        .col_expr(vote::Column::State, Expr::value(next))
        .col_expr(vote::Column::IsBinding, Expr::value(decides))
        .col_expr(vote::Column::ClosedAt, Expr::value(before.closed_at.unwrap_or_else(|| tx.now())))
        // one that rested was annulled
        .col_expr(vote::Column::RestoredAt, Expr::value(None::<DateTime<Utc>>))
        .filter(vote::Column::Id.eq(before.id))
        .filter(vote::Column::State.eq(before.state.as_str()))
        .exec_with_returning(tx)
        .await?;
    Ok(changed.into_iter().next())
}

/// A vote whose meeting was called off has only asked.
async fn has_meeting(tx: &Tx, vote: &vote::Model) -> Result<bool> {
    let Some(id) = vote.meeting_id else { return Ok(false) };
    Ok(meetings::queries::meeting(tx, id).await?.cancel_reason.is_none())
}

/// Ballots in whose place a later one of the same elector came, or a ballot on paper: their digests; their rows go.
///
/// # Errors
/// When the database refuses.
pub(in crate::votes) async fn take_out_superseded(tx: &Tx, vote: VoteId) -> Result<Vec<String>> {
    let later = envelope::Entity::find()
        .select_only()
        .column(envelope::Column::ElectorNumber)
        .filter(envelope::Column::VoteId.eq(vote))
        .group_by(envelope::Column::ElectorNumber)
        .having(envelope::Column::Rev.count().gt(1));
    let numbers: Vec<i32> = later.into_tuple().all(tx).await?;
    let mut superseded = Vec::new();
    for some in numbers.chunks(500) {
        let rows = envelope::Entity::find()
            .filter(envelope::Column::VoteId.eq(vote))
            .filter(envelope::Column::ElectorNumber.is_in(some.iter().copied()))
            .order_by_asc(envelope::Column::ElectorNumber)
            .order_by_asc(envelope::Column::Rev)
            .all(tx)
            .await?;
        let gone = rows.windows(2).filter_map(|pair| match pair {
            [one, next] if one.elector_number == next.elector_number => Some(one.ballot_hash.clone()),
            _ => None,
        });
        superseded.extend(gone);
    }
    superseded.extend(boxes::overridden(tx, vote).await?);
    superseded.sort();
    superseded.dedup();
    for some in superseded.chunks(500) {
        envelope::Entity::delete_many()
            .filter(envelope::Column::VoteId.eq(vote))
            .filter(envelope::Column::BallotHash.is_in(some.iter().cloned()))
            .exec(tx)
            .await?;
    }
    Ok(superseded)
}

/// What the board tells when it is over: ballots that do not count, and whose the others are, by number.
async fn told_at_the_end(tx: &Tx, vote: &vote::Model) -> Result<Vec<Value>> {
    let poll = vote.id.to_string();
    let void = take_out_superseded(tx, vote.id).await?;
    let mut told: Vec<Value> = void.iter().map(|hash| lsb1::void_entry(&poll, hash)).collect();
    let rows = envelope::Entity::find()
        .filter(envelope::Column::VoteId.eq(vote.id))
        .order_by_asc(envelope::Column::ElectorNumber)
        .all(tx)
        .await?;
    told.extend(rows.iter().map(|row| {
        let choices = queries::marks(row.choice.as_deref().unwrap_or_default());
        let number = u64::from(row.elector_number.unsigned_abs());
        lsb1::named_entry(&poll, (number, &row.cast_id.to_string(), &choices), &row.ballot_hash)
    }));
    told.extend(boxes::leaves(tx, vote).await?);
    Ok(told)
}

/// Every number of the count, from one look at the envelopes.
async fn count(tx: &Tx, vote: &vote::Model) -> Result<Tally> {
    let rows: Vec<(Option<String>, i64)> = envelope::Entity::find()
        .select_only()
        .column(envelope::Column::Choice)
        .column_as(envelope::Column::CastId.count(), "ballots")
        .filter(envelope::Column::VoteId.eq(vote.id))
        .group_by(envelope::Column::Choice)
        .into_tuple()
        .all(tx)
        .await?;
    let mut tally = Tally::of(vote)?;
    for (choice, ballots) in rows {
        let marks = choice.as_deref().map(queries::marks);
        tally.add(marks.as_deref(), ballots.unsigned_abs());
    }
    let by_phone = tally.count.present;
    boxes::add(tx, vote, (&mut tally, by_phone)).await?;
    Ok(tally)
}

/// Adds ballots with this choice, or without a valid one.
pub(in crate::votes) fn add(count: &mut Count, choice: Option<Choice>, ballots: u64) {
    count.present += ballots;
    match choice {
        Some(Choice::For) => count.yes += ballots,
        Some(Choice::Against) => count.no += ballots,
        Some(Choice::Abstain) => count.abstain += ballots,
        None => count.invalid += ballots,
    }
}
