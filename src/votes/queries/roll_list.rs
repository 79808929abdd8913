//! Reads of a roll: how many are on it and its root, who by number, objections to it, what was changed.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{
        office,
        rows::{roll_amendment, roll_entry, roll_objection, vote},
        rules::{RollFault, roll::objections_until},
    },
    STRUCK,
    elsewhere::elsewhere,
    row, rule_of, runs,
};
use crate::{
    actor::Actor,
    app::App,
    clock,
    error::{Code, Result},
    ids::{PersonId, RollObjectionId, VoteId},
    page::{Cursor, Page, PageQuery},
    people, text,
};

/// An objection that nobody has decided.
pub(in crate::votes) const OPEN: &str = "open";
/// One that somebody has decided and nobody confirmed.
pub(in crate::votes) const PROPOSED: &str = "proposed";
/// One that was right.
pub(in crate::votes) const UPHELD: &str = "upheld";
/// One that was not.
pub(in crate::votes) const REJECTED: &str = "rejected";
/// One that nobody decided before the end.
pub(in crate::votes) const LAPSED: &str = "lapsed";
/// Objections on one list at most.
const MAX_OBJECTIONS: u64 = 500;
/// Changes of one roll that are shown at most.
const MAX_AMENDMENTS: u64 = 500;

/// A roll, for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RollView {
    /// The vote.
    pub vote_id: VoteId,
    /// On it when it was frozen.
    pub frozen: u64,
    /// On it now, with its amendments.
    pub on_roll: u64,
    /// Merkle root over the frozen roll, in hex, as in the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Since when it hangs; absent where it was not posted before the opening.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posted_at: Option<DateTime<FixedOffset>>,
    /// When the first ballot may be cast.
    pub opens_at: DateTime<FixedOffset>,
    /// Until when residents may object.
    pub objections_until: DateTime<FixedOffset>,
    /// Objections so far.
    pub objections: usize,
    /// Those without an answer that holds.
    pub open_objections: usize,
    /// Those whose day of answer has passed.
    pub late_objections: usize,
    /// What was changed after the freeze, oldest first, 500 at most; all of them are on the board.
    pub amendments: Vec<AmendmentView>,
}

/// One change of a frozen roll.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AmendmentView {
    /// Its place among those of the vote, from 1.
    pub place: i32,
    /// add, strike, restore.
    pub op: String,
    /// The same in Chinese.
    pub op_name: String,
    /// Whose number on the roll.
    pub number: i32,
    /// Why, who decided it, and by which article the roll is drawn up; its SHA-256 is on the board.
    pub decision: String,
    /// When.
    pub made_at: DateTime<FixedOffset>,
}

/// One elector on the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RollEntryView {
    /// The number on the roll.
    pub number: i32,
    /// The name; masked but for who opens votes.
    pub name: String,
    /// Was this elector struck after the freeze?
    pub is_struck: bool,
    /// Does this elector stand on another village's roll, too? Told to who opens votes.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub is_elsewhere: bool,
}

/// An objection to a roll, for its author and the office.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RollObjectionView {
    /// Its id.
    pub id: RollObjectionId,
    /// The vote.
    pub vote_id: VoteId,
    /// What is said to be wrong.
    pub kind: RollFault,
    /// The same in Chinese.
    pub kind_name: String,
    /// Whom it is about, as was written.
    pub name: String,
    /// Is that somebody on the roster?
    pub is_on_roster: bool,
    /// Why.
    pub reason: String,
    /// Who objected.
    pub raised_by: PersonId,
    /// When.
    pub raised_at: DateTime<FixedOffset>,
    /// By when it is answered.
    pub due_at: DateTime<FixedOffset>,
    /// open, proposed, upheld, rejected, lapsed.
    pub state: String,
    /// The same in Chinese.
    pub state_name: String,
    /// What the first of the office decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upholds: Option<bool>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<PersonId>,
    /// When a second person confirmed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<DateTime<FixedOffset>>,
}

impl RollObjectionView {
    /// Does it still wait for an answer that holds?
    #[must_use]
    pub fn waits(&self) -> bool {
        matches!(self.state.as_str(), OPEN | PROPOSED)
    }

    /// Was it said to be right?
    #[must_use]
    pub fn is_upheld(&self) -> bool {
        self.upholds == Some(true)
    }
}

/// Does an objection wait whose answer was due after that moment; any, when it is `None`?
pub(in crate::votes) async fn is_disputed(
    db: &impl ConnectionTrait,
    id: VoteId,
    due_after: Option<DateTime<chrono::Utc>>,
) -> Result<bool> {
    let mut waiting = roll_objection::Entity::find()
        .filter(roll_objection::Column::VoteId.eq(id))
        .filter(roll_objection::Column::State.is_in([OPEN, PROPOSED]));
    if let Some(due_after) = due_after {
        waiting = waiting.filter(roll_objection::Column::DueAt.gt(due_after));
    }
    Ok(waiting.one(db).await?.is_some())
}

/// How a roll stands.
///
/// # Errors
/// `not_found`.
pub async fn roll(app: &App, id: VoteId) -> Result<RollView> {
    let (db, now) = (app.store.read(), app.now());
    let vote = row(db, id).await?;
    let (rule, times) = (rule_of(&vote)?.roll, (vote.opens_at, vote.closes_at));
    let until = objections_until(&app.calendar, rule, vote.roll_posted_at, times);
    let objections: Vec<(String, DateTime<chrono::Utc>)> = roll_objection::Entity::find()
        .select_only()
        .columns([roll_objection::Column::State, roll_objection::Column::DueAt])
        .filter(roll_objection::Column::VoteId.eq(id))
        .into_tuple()
        .all(db)
        .await?;
    let waits = |(state, _): &&(String, DateTime<chrono::Utc>)| matches!(state.as_str(), OPEN | PROPOSED);
    let amendments = roll_amendment::Entity::find()
        .filter(roll_amendment::Column::VoteId.eq(id))
        .order_by_asc(roll_amendment::Column::Place)
        .limit(MAX_AMENDMENTS);
    Ok(RollView {
        vote_id: id,
        frozen: u64::from(vote.roll_frozen.unsigned_abs()),
        on_roll: u64::from(vote.on_roll.unsigned_abs()),
        root: vote.roll_root,
        posted_at: vote.roll_posted_at.map(clock::local),
        opens_at: clock::local(vote.opens_at),
        objections_until: clock::local(until),
        objections: objections.len(),
        open_objections: objections.iter().filter(waits).count(),
        late_objections: objections.iter().filter(waits).filter(|(_, due)| *due <= now).count(),
        amendments: amendments.all(db).await?.into_iter().map(amendment).collect(),
    })
}

fn amendment(row: roll_amendment::Model) -> AmendmentView {
    AmendmentView {
        place: row.place,
        op_name: text::word("roll-op", &row.op),
        op: row.op,
        number: row.number,
        decision: row.decision,
        made_at: clock::local(row.made_at),
    }
}

/// May residents still object?
#[must_use]
pub fn may_object(roll: &RollView, state: &str, now: DateTime<chrono::Utc>) -> bool {
    runs(state) && now < roll.objections_until
}

/// May the actor object to the roll, and read what became of it?
///
/// # Errors
/// `not_found` when there is no such vote.
pub async fn may_raise(db: &impl ConnectionTrait, actor: &Actor, id: VoteId) -> Result<bool> {
    let vote = row(db, id).await?;
    office::may_object(db, actor, &vote).await
}

/// May the actor see who is on the roll?
///
/// # Errors
/// `not_found` when there is no such vote.
pub async fn may_see(db: &impl ConnectionTrait, actor: &Actor, id: VoteId) -> Result<bool> {
    let vote = row(db, id).await?;
    office::sees(db, actor, &vote).await
}

/// Who is on the roll, by number, for those who may see what is shown to its area.
///
/// # Errors
/// `not_found`; `invalid_cursor`.
pub async fn entries(
    db: &impl ConnectionTrait,
    actor: &Actor,
    id: VoteId,
    page: &PageQuery,
) -> Result<Page<RollEntryView>> {
    let vote = row(db, id).await?;
    office::require_sees(db, actor, &vote).await?;
    let limit = page.limit()?;
    // a place on this list is a number: it is carried where other lists carry a time
    let after = page.after()?.map_or(0, |cursor| cursor.at.timestamp_millis());
    let found = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(id))
        .filter(roll_entry::Column::Number.gt(after))
        .order_by_asc(roll_entry::Column::Number)
        .limit(limit + 1)
        .all(db)
        .await?;
    let place = |entry: &RollEntryView| Cursor {
        at: DateTime::from_timestamp_millis(i64::from(entry.number)).unwrap_or_default(),
        id: id.0,
    };
    let is_full = office::runs(actor, &vote);
    Ok(Page::cut(shown(db, found, is_full).await?, limit, place, |entry| entry))
}

/// Everybody on the roll with full names, for the sheet that hangs at the office.
///
/// # Errors
/// `not_found`; `not_allowed` for who neither runs the vote nor stands in for its office.
pub async fn sheet(db: &impl ConnectionTrait, actor: &Actor, id: VoteId) -> Result<Vec<RollEntryView>> {
    let vote = row(db, id).await?;
    if !office::runs(actor, &vote) && !office::stands_in(actor, &vote) {
        return Err(Code::NotAllowed.into());
    }
    let all = roll_entry::Entity::find().filter(roll_entry::Column::VoteId.eq(id));
    shown(db, all.order_by_asc(roll_entry::Column::Number).all(db).await?, true).await
}

async fn shown(db: &impl ConnectionTrait, rows: Vec<roll_entry::Model>, is_full: bool) -> Result<Vec<RollEntryView>> {
    let people: Vec<PersonId> = rows.iter().map(|entry| entry.person_id).collect();
    let there = match rows.first().filter(|_| is_full) {
        Some(first) => elsewhere(db, first.vote_id, &people).await?,
        None => HashSet::new(),
    };
    // the law wants the office's own roll complete, whoever closed the account
    let names: HashMap<PersonId, String> = match is_full {
        true => people::queries::on_rolls(db, &people).await?.into_iter().map(|(id, one)| (id, one.name)).collect(),
        false => people::names(db, people).await?,
    };
    let show = |entry: roll_entry::Model| {
        let full = names.get(&entry.person_id).map(String::as_str).unwrap_or_default();
        let name = if is_full { full.to_owned() } else { people::mask_name(full) };
        let is_elsewhere = there.contains(&entry.person_id);
        RollEntryView { number: entry.number, name, is_struck: entry.channel == STRUCK, is_elsewhere }
    };
    Ok(rows.into_iter().map(show).collect())
}

/// The objections to a roll, those that wait first, each oldest first, 500 of both: all of them for the office and who stands in for it, one's own for everybody else.
///
/// # Errors
/// `not_found`, also for who does not see the area.
pub async fn objections(db: &impl ConnectionTrait, actor: &Actor, id: VoteId) -> Result<Vec<RollObjectionView>> {
    let vote: vote::Model = row(db, id).await?;
    office::require_may_object(db, actor, &vote).await?;
    let is_office = office::runs(actor, &vote) || office::stands_in(actor, &vote);
    let theirs = || {
        let of_vote = roll_objection::Entity::find().filter(roll_objection::Column::VoteId.eq(id));
        let own = roll_objection::Column::RaisedBy.eq(actor.person);
        let theirs = if is_office { of_vote } else { of_vote.filter(own) };
        theirs.order_by_asc(roll_objection::Column::RaisedAt).limit(MAX_OBJECTIONS)
    };
    let mut found = theirs().filter(roll_objection::Column::State.is_in([OPEN, PROPOSED])).all(db).await?;
    found.extend(theirs().filter(roll_objection::Column::State.is_not_in([OPEN, PROPOSED])).all(db).await?);
    Ok(found.into_iter().map(objection_view).collect())
}

/// One, as its author and the office see it.
pub(in crate::votes) fn objection_view(row: roll_objection::Model) -> RollObjectionView {
    RollObjectionView {
        id: row.id,
        vote_id: row.vote_id,
        kind: RollFault::parse(&row.kind).unwrap_or(RollFault::Missing),
        kind_name: text::word("roll-fault", &row.kind),
        name: row.name,
        is_on_roster: row.person_id.is_some(),
        reason: row.reason,
        raised_by: row.raised_by,
        raised_at: clock::local(row.raised_at),
        due_at: clock::local(row.due_at),
        state_name: text::word("roll-objection", &row.state),
        state: row.state,
        upholds: row.upholds,
        decision: row.decision,
        decided_by: row.decided_by,
        confirmed_at: row.confirmed_at.map(clock::local),
    }
}
