//! Closing: by the clock or by the last ballot; first the state, then the board's end, the count, what the law makes of it.
use std::collections::BTreeMap;

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::Expr,
};
use serde_json::{Value, json};

use super::{Secrecy, proxies, telling};
use crate::{
    app::App,
    board::{self, lsb1},
    error::{Error, Result},
    events::{self, Happening, Kind},
    ids::{PersonId, VoteId},
    keys::sha256_hex,
    meetings,
    store::Tx,
    votes::{
        commands::Choice,
        queries::{self, Annulled, StoredResult},
        rows::{envelope, roll_entry, vote},
        rules::{self, Count, Elected, Outcome, Preset, Question},
        sealed,
    },
};

const DUE_AT_ONCE: u64 = 100;

/// What was counted: heads, and of a choice the votes of each option.
#[derive(Debug)]
pub(in crate::votes) struct Tally {
    question: Option<Question>,
    count: Count,
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

    fn judged(&self, rule: &Preset) -> std::result::Result<(Outcome, Option<Elected>), rules::Inconsistent> {
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

/// How a vote ends.
pub(in crate::votes) enum Ending {
    /// Counted; with what was on the sealed ballots, sorted by content.
    Counted(Tally, Option<Value>),
    /// Nobody made the keys in time: nothing was asked.
    NeverBegan,
    /// By hand, with a reason; nothing is counted.
    Annulled(Annulled, PersonId),
}

/// Closes the votes whose time is over or whose last elector has cast, each in a unit of work of its own; open ballots are
/// counted with it, sealed ones wait for their keys. One that cannot be closed holds up no other. Then what else time brings:
/// telling of the evening, proxies that nobody checked. Recorded: `vote.closed`, `vote.box_closed`, `vote.cast_for`,
/// `vote.proxy_ended`.
///
/// # Errors
/// When the database fails; `busy` when what must leave the files is still read: it is tried again the next time.
pub async fn due(app: &App) -> Result<u64> {
    let mut closed = 0;
    for id in ready(app).await? {
        match app.store.write(move |tx| Box::pin(close(tx, id))).await {
            Ok(done) => closed += u64::from(done),
            Err(error) => tracing::error!(vote = %id, %error, "a vote to close"),
        }
    }
    write_back_links(app).await?;
    telling::due(app).await?;
    proxies::void_unchecked(app).await?;
    Ok(closed)
}

async fn ready(app: &App) -> Result<Vec<VoteId>> {
    // who may cast again is waited for until the end
    let all_have_cast = Condition::all()
        .add(vote::Column::State.eq(queries::OPEN))
        .add(vote::Column::AllowsRevote.eq(false))
        .add(Expr::exists(somebody_waits().into_query()).not());
    let is_over = Condition::any().add(vote::Column::ClosesAt.lte(app.now())).add(all_have_cast);
    let ready = vote::Entity::find()
        .select_only()
        .column(vote::Column::Id)
        .filter(vote::Column::State.is_in([queries::OPEN, queries::WAITING_KEYS]))
        .filter(is_over)
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

/// Who cast which envelope must leave the files, too. It is noted with the vote, so that a process that dies in between is
/// followed by one that does it.
async fn write_back_links(app: &App) -> Result<()> {
    let left = vote::Entity::find().select_only().column(vote::Column::Id).filter(vote::Column::LinksLeft.eq(true));
    let left: Vec<VoteId> = left.into_tuple().all(app.store.read()).await?;
    if left.is_empty() {
        return Ok(());
    }
    app.store.write_back().await?;
    let done = vote::Entity::update_many()
        .col_expr(vote::Column::LinksLeft, Expr::value(false))
        .filter(vote::Column::Id.is_in(left));
    app.store.write(move |tx| Box::pin(async move { Ok(done.exec(tx).await?) })).await?;
    Ok(())
}

/// May it close though its time is not over: has everybody cast who may, and has the meeting that decides begun?
async fn may_close_early(tx: &Tx, vote: &vote::Model) -> Result<bool> {
    if vote.state != queries::OPEN || vote.allows_revote {
        return Ok(false);
    }
    let waits = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(vote.id))
        .filter(roll_entry::Column::Channel.eq(queries::NOT_CAST));
    if waits.one(tx).await?.is_some() {
        return Ok(false);
    }
    match vote.meeting_id {
        Some(meeting) => Ok(meetings::queries::meeting(tx, meeting).await?.starts_at <= tx.now()),
        None => Ok(true),
    }
}

/// Closes one vote, if it is open, and its time is over by this unit's clock or nobody is waited for; says whether it did.
///
/// # Errors
/// `not_found`; when the database refuses.
pub async fn close(tx: &Tx, id: VoteId) -> Result<bool> {
    let before = queries::row(tx, id).await?;
    if !matches!(before.state.as_str(), queries::OPEN | queries::WAITING_KEYS) {
        // somebody else was first
        return Ok(false);
    }
    if before.closes_at > tx.now() && !may_close_early(tx, &before).await? {
        return Ok(false);
    }
    let is_secret = before.secrecy == Secrecy::Secret.as_str();
    let next = if is_secret { queries::COUNTING } else { queries::CLOSED };
    let Some(vote) = enter(tx, &before, next).await? else { return Ok(false) };
    if before.state == queries::WAITING_KEYS {
        conclude(tx, &vote, Ending::NeverBegan).await?;
    } else if is_secret {
        sealed::close_box(tx, &vote).await?;
    } else {
        if vote.has_board {
            let told = told_at_the_end(tx, &vote).await?;
            board::commands::close(tx, id, told).await?;
        }
        let tally = count(tx, &vote).await?;
        conclude(tx, &vote, Ending::Counted(tally, None)).await?;
    }
    Ok(true)
}

/// From its state into another, in which it takes no ballots; `None` when somebody else was first.
pub(super) async fn enter(tx: &Tx, before: &vote::Model, next: &str) -> Result<Option<vote::Model>> {
    let changed = vote::Entity::update_many()
        .col_expr(vote::Column::State, Expr::value(next))
        .col_expr(vote::Column::ClosedAt, Expr::value(before.closed_at.unwrap_or_else(|| tx.now())))
        .filter(vote::Column::Id.eq(before.id))
        .filter(vote::Column::State.eq(before.state.as_str()))
        .exec_with_returning(tx)
        .await?;
    Ok(changed.into_iter().next())
}

/// What the law makes of an ending, kept, put on the board and told. What was not counted decides nothing. Recorded:
/// `vote.closed`.
pub(in crate::votes) async fn conclude(tx: &Tx, vote: &vote::Model, ending: Ending) -> Result<()> {
    let is_binding = vote.is_binding && has_meeting(tx, vote).await?;
    let nothing = Count { on_roll: u64::from(vote.on_roll.unsigned_abs()), ..Count::default() };
    let (result, plaintexts, by) = match ending {
        Ending::Counted(tally, plaintexts) => {
            let judged = tally.judged(&queries::rule_of(vote)?);
            if let Err(inconsistent) = &judged {
                // the unique keys rule it out; should it happen all the same, the vote decides nothing and says so
                tracing::error!(vote = %vote.id, %inconsistent, "a vote could not be counted");
            }
            let (outcome, choice) = judged.ok().map_or((None, None), |(outcome, choice)| (Some(outcome), choice));
            (StoredResult { count: tally.count, outcome, annulled: None, choice }, plaintexts, None)
        }
        Ending::NeverBegan => (StoredResult::nothing(nothing, None), None, None),
        Ending::Annulled(why, by) => (StoredResult::nothing(nothing, Some(why)), None, Some(by)),
    };
    let state = if result.outcome.is_some() { queries::CLOSED } else { queries::ANNULLED };
    let kept = serde_json::to_string(&result).map_err(Error::broken)?;
    let mut happening = Happening::new(Kind::VoteClosed, vote.id).at(&vote.area_code).with(json!({
        "matter": vote.matter_id, "outcome": result.code(), "reason": result.outcome.as_ref().map(|outcome| outcome.reason),
        "binding": is_binding, "result_digest": sha256_hex(kept.as_bytes()),
    }));
    if let Some(by) = by {
        happening = happening.by(by);
    }
    vote::Entity::update_many()
        .col_expr(vote::Column::State, Expr::value(state))
        .col_expr(vote::Column::IsBinding, Expr::value(is_binding))
        .col_expr(vote::Column::Result, Expr::value(kept))
        .filter(vote::Column::Id.eq(vote.id))
        .exec(tx)
        .await?;
    if vote.has_board {
        publish(tx, vote, (&result, is_binding), plaintexts.as_ref()).await?;
    }
    events::record(tx, happening).await?;
    Ok(())
}

/// The result with every number, or why there is none, bound to the manifest and to where the board ended.
async fn publish(
    tx: &Tx,
    vote: &vote::Model,
    (result, is_binding): (&StoredResult, bool),
    plaintexts: Option<&Value>,
) -> Result<()> {
    let manifest = board::queries::manifest(tx, vote.id).await?;
    let end = board::queries::newest(tx, vote.id).await?;
    let mut told = json!({
        "binding": is_binding, "manifest": manifest.hash, "poll": vote.id, "root": end.root, "t": lsb1::moment(tx.now()),
    });
    if let Some(annulled) = &result.annulled {
        told["annulled"] = json!(annulled);
    } else {
        told["count"] = json!(result.count);
        told["outcome"] = json!(result.outcome);
        if let Some(choice) = &result.choice {
            told["choice"] = json!(choice);
        }
        told["plaintexts"] = json!(plaintexts.map(|list| sha256_hex(lsb1::jcs(list).as_bytes())));
    }
    board::commands::publish(tx, vote.id, &told, plaintexts).await?;
    Ok(())
}

/// A vote whose meeting was called off has only asked.
async fn has_meeting(tx: &Tx, vote: &vote::Model) -> Result<bool> {
    let Some(id) = vote.meeting_id else { return Ok(false) };
    Ok(meetings::queries::meeting(tx, id).await?.cancel_reason.is_none())
}

/// Ballots in whose place a later one of the same elector came: their digests; their rows go.
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
    for some in superseded.chunks(500) {
        envelope::Entity::delete_many()
            .filter(envelope::Column::VoteId.eq(vote))
            .filter(envelope::Column::BallotHash.is_in(some.iter().cloned()))
            .exec(tx)
            .await?;
    }
    superseded.sort();
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
