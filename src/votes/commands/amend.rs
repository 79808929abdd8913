//! 名册更正: after the freeze a roll changes by signed entries of the board alone, never silently.
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, Set, sea_query::Expr};
use serde_json::{Value, json};

use super::proxies;
use crate::{
    board::{self, lsb1},
    clock,
    error::{Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{PersonId, RollObjectionId},
    people,
    store::Tx,
    text,
    votes::{
        queries::{
            self,
            members::household_of,
            proxies::{active, held_by},
        },
        roll::{self, Elector},
        rows::{roll_agent, roll_amendment, roll_entry, vote},
        rules::RollFault,
    },
};

/// Somebody joins a roll.
pub(super) const ADD: &str = "add";
/// Somebody is struck from it.
pub(super) const STRIKE: &str = "strike";
/// Who was struck is on it again.
pub(super) const RESTORE: &str = "restore";

/// What a decision changes.
pub(super) enum Change {
    Add(Elector),
    Strike(roll_entry::Model),
    Restore(roll_entry::Model),
}

impl Change {
    fn op(&self) -> &'static str {
        match self {
            Self::Add(_) => ADD,
            Self::Strike(_) => STRIKE,
            Self::Restore(_) => RESTORE,
        }
    }

    fn person(&self) -> PersonId {
        match self {
            Self::Add(elector) => elector.person,
            Self::Strike(entry) | Self::Restore(entry) => entry.person_id,
        }
    }
}

/// What would have to change for this fault of this person, if it can. Whether somebody has cast is not told here: one of the
/// office alone could ask so after everybody.
///
/// # Errors
/// `invalid_fields` for who is on the roll already, or is none of those whom the rule puts on it today; `not_on_roll`.
pub(super) async fn change(tx: &Tx, vote: &vote::Model, (fault, person): (RollFault, PersonId)) -> Result<Change> {
    let entry = place(tx, vote, person).await?;
    match (fault, entry) {
        // of a household its representative alone stands on the roll
        (RollFault::Wrong, Some(entry)) if entry.channel != queries::STRUCK && entry.person_id == person => {
            Ok(Change::Strike(entry))
        }
        (RollFault::Wrong, _) => Err(Code::NotOnRoll.into()),
        (RollFault::Missing, Some(entry)) if entry.channel == queries::STRUCK => Ok(Change::Restore(entry)),
        (RollFault::Missing, Some(_)) => Err(refused("already_on_roll")),
        (RollFault::Missing, None) => added(tx, vote, person).await.map(Change::Add),
    }
}

/// The name that was written is wrong in this way.
pub(super) fn refused(code: &'static str) -> Error {
    Error::field("about.name", code)
}

/// The place of a person, struck or not; where households vote that of the household for which this person casts, and of
/// who casts for none that of the household to which this person belonged on the day of the roll. One who joined the roster
/// since belongs to the household of today.
pub(super) async fn place(
    db: &impl ConnectionTrait,
    vote: &vote::Model,
    person: PersonId,
) -> Result<Option<roll_entry::Model>> {
    let of_vote = || roll_entry::Entity::find().filter(roll_entry::Column::VoteId.eq(vote.id));
    let own = of_vote().filter(roll_entry::Column::PersonId.eq(person)).one(db).await?;
    if own.is_some() || !queries::is_of_households(&vote.preset) {
        return Ok(own);
    }
    // whoever moved out of a household since the freeze casts for that one still
    if let Some(number) = queries::alternate_of(db, vote.id, person).await? {
        return Ok(roll_entry::Entity::find_by_id((vote.id, number)).one(db).await?);
    }
    if let Some(number) = household_of(db, vote.id, person).await? {
        return Ok(roll_entry::Entity::find_by_id((vote.id, number)).one(db).await?);
    }
    let Some(home) = people::person(db, person).await? else { return Ok(None) };
    Ok(of_vote().filter(roll_entry::Column::HouseholdId.eq(home.household)).one(db).await?)
}

/// Does this person cast in this vote already, as an elector or as an alternate?
async fn casts_already(tx: &Tx, vote: &vote::Model, person: PersonId) -> Result<bool> {
    let own = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(vote.id))
        .filter(roll_entry::Column::PersonId.eq(person));
    Ok(own.one(tx).await?.is_some() || queries::alternate_of(tx, vote.id, person).await?.is_some())
}

/// As the roll would be drawn up today: the office puts the roster or the seats right first, and both are told there. A
/// household that was made after the day of the roll, or for which somebody would cast who casts in another place, has none.
async fn added(tx: &Tx, vote: &vote::Model, person: PersonId) -> Result<Elector> {
    let day = clock::local_date(vote.opens_at);
    let rule = queries::rule_of(vote)?;
    let homes = queries::homes_of(vote)?;
    let ground = roll::Ground { area: &vote.area_code, body: vote.body_id, group: vote.group_number, homes: &homes };
    let drawn = roll::draw_up(tx, (&vote.preset, &rule), ground, day).await?;
    let home = match queries::is_of_households(&vote.preset) {
        true => people::person(tx, person).await?.map(|own| own.household),
        false => None,
    };
    let is_this = |one: &Elector| one.person == person || home == Some(one.household);
    let elector = drawn.into_iter().find(is_this).ok_or_else(|| refused("not_an_elector"))?;
    if home.is_some() {
        for caster in elector.casters() {
            // a household that split off since voted as the one that it was
            let was_of_another = household_of(tx, vote.id, caster).await?.is_some();
            if was_of_another || casts_already(tx, vote, caster).await? {
                return Err(refused("already_on_roll"));
            }
        }
        if !people::queries::was_there(tx, elector.household, day).await? {
            return Err(refused("not_an_elector"));
        }
    }
    Ok(elector)
}

/// What is published of a decision, and whose digest is on the board: the reason, who decided in their seats, and the article by
/// which the roll is drawn up.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn stated(tx: &Tx, vote: &vote::Model, (decision, by): (&str, &[Option<PersonId>])) -> Result<String> {
    let by: Vec<PersonId> = by.iter().flatten().copied().collect();
    let mut names = people::names(tx, by.clone()).await?;
    let by: Vec<String> = by.iter().filter_map(|person| names.remove(person)).collect();
    let law = queries::rule_of(vote)?.law;
    let blanks = [("decision", decision.into()), ("by", by.join("、").into()), ("law", law.into())];
    Ok(text::say_with("roll-amend-stated", &blanks))
}

/// Changes the roll, and says so on the board; who is struck casts for nobody else either. A household whose representative is
/// struck stays on it by the next who was named for it. Recorded: `vote.roll_amended`, `vote.proxy_ended`.
///
/// # Errors
/// `already_cast` for whom a ballot is there, which stands; `changed` when somebody was first.
pub(super) async fn apply(
    tx: &Tx,
    vote: &vote::Model,
    change: Change,
    (decision, objection, by): (&str, RollObjectionId, PersonId),
) -> Result<()> {
    let struck = match &change {
        Change::Strike(entry) => Some(entry.clone()),
        Change::Add(_) | Change::Restore(_) => None,
    };
    make(tx, vote, change, (decision, objection, by)).await?;
    let Some(struck) = struck else { return Ok(()) };
    let Some(next) = hand_on(tx, struck).await? else { return Ok(()) };
    // who checks the board knows these two: the number is on the roll as before, and there are as many electors
    let decision = text::say_with("roll-amend-next", &[("decision", decision.into())]);
    make(tx, vote, Change::Restore(next), (&decision, objection, by)).await
}

/// Gives the place of a household whose representative was struck to the first of its alternates who has a vote still; `None`:
/// there is none.
async fn hand_on(tx: &Tx, struck: roll_entry::Model) -> Result<Option<roll_entry::Model>> {
    let named = roll_agent::Entity::find()
        .filter(roll_agent::Column::VoteId.eq(struck.vote_id))
        .filter(roll_agent::Column::Number.eq(struck.number))
        .filter(roll_agent::Column::Kind.eq(queries::ALTERNATE))
        .order_by_asc(roll_agent::Column::Rank)
        .all(tx)
        .await?;
    let named: Vec<PersonId> = named.into_iter().map(|agent| agent.person_id).collect();
    let (there, today) = (people::queries::on_rolls(tx, &named).await?, clock::local_date(tx.now()));
    let has_vote = |person: &PersonId| there.get(person).is_some_and(|one| roll::is_elector(one, today));
    let Some(person_id) = named.into_iter().find(has_vote) else { return Ok(None) };
    roll_agent::Entity::delete_by_id((struck.vote_id, struck.number, person_id)).exec(tx).await?;
    roll_entry::Entity::update_many()
        .col_expr(roll_entry::Column::PersonId, Expr::value(person_id))
        .filter(roll_entry::Column::VoteId.eq(struck.vote_id))
        .filter(roll_entry::Column::Number.eq(struck.number))
        .exec(tx)
        .await?;
    Ok(Some(roll_entry::Model { person_id, channel: queries::STRUCK.to_owned(), ..struck }))
}

/// Makes one change.
async fn make(
    tx: &Tx,
    vote: &vote::Model,
    change: Change,
    (decision, objection, by): (&str, RollObjectionId, PersonId),
) -> Result<()> {
    let (op, person) = (change.op(), change.person());
    let number = match change {
        Change::Add(elector) => add(tx, vote, elector, by).await?,
        Change::Strike(entry) => {
            if entry.channel != queries::NOT_CAST {
                return Err(Code::AlreadyCast.into());
            }
            for (elector, proxy) in held_by(tx, vote.id, entry.person_id).await? {
                proxies::end(tx, (vote, &elector), proxy, (queries::VOID, Some(by))).await?;
            }
            if let Some(proxy) = active(tx, vote.id, entry.number).await? {
                proxies::end(tx, (vote, &entry), proxy, (queries::VOID, Some(by))).await?;
            }
            turn(tx, &entry, queries::STRUCK).await?
        }
        Change::Restore(entry) => turn(tx, &entry, queries::NOT_CAST).await?,
    };
    let more = if op == STRIKE { -1 } else { 1 };
    vote::Entity::update_many()
        .col_expr(vote::Column::OnRoll, Expr::col(vote::Column::OnRoll).add(more))
        .filter(vote::Column::Id.eq(vote.id))
        .exec(tx)
        .await?;
    let made = amendments(tx, vote).await?;
    let row = roll_amendment::ActiveModel {
        vote_id: Set(vote.id),
        place: Set(i32::try_from(made.len()).map_err(Error::broken)? + 1),
        op: Set(op.to_owned()),
        number: Set(number),
        decision: Set(decision.to_owned()),
        objection_id: Set(objection),
        made_at: Set(tx.now()),
    };
    let row = roll_amendment::Entity::insert(row).exec_with_returning(tx).await?;
    if vote.has_board {
        let leaf = leaf(tx, vote, &row).await?;
        board::commands::append(tx, vote.id, vec![leaf]).await?;
    }
    let happening = Happening::new(Kind::RollAmended, vote.id).at(&vote.area_code).by(by);
    events::record(tx, happening.with(json!({ "op": op, "number": number, "person": person }))).await?;
    Ok(())
}

async fn add(tx: &Tx, vote: &vote::Model, elector: Elector, by: PersonId) -> Result<i32> {
    let last = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(vote.id))
        .order_by_desc(roll_entry::Column::Number)
        .one(tx)
        .await?;
    let number = last.map_or(0, |entry| entry.number) + 1;
    roll::write(tx, (vote.id, by), number, &[elector]).await?;
    Ok(number)
}

/// From the state in which it was read.
async fn turn(tx: &Tx, entry: &roll_entry::Model, channel: &str) -> Result<i32> {
    let turned = roll_entry::Entity::update_many()
        .col_expr(roll_entry::Column::Channel, Expr::value(channel))
        .filter(roll_entry::Column::VoteId.eq(entry.vote_id))
        .filter(roll_entry::Column::Number.eq(entry.number))
        .filter(roll_entry::Column::Channel.eq(entry.channel.as_str()))
        .exec(tx)
        .await?;
    if turned.rows_affected == 1 { Ok(entry.number) } else { Err(Code::Changed.into()) }
}

async fn amendments(db: &impl ConnectionTrait, vote: &vote::Model) -> Result<Vec<roll_amendment::Model>> {
    let made = roll_amendment::Entity::find().filter(roll_amendment::Column::VoteId.eq(vote.id));
    Ok(made.order_by_asc(roll_amendment::Column::Place).all(db).await?)
}

/// The amendments so far, as leaves.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn leaves(tx: &Tx, vote: &vote::Model) -> Result<Vec<Value>> {
    let mut leaves = Vec::new();
    for row in amendments(tx, vote).await? {
        leaves.push(leaf(tx, vote, &row).await?);
    }
    Ok(leaves)
}

async fn leaf(tx: &Tx, vote: &vote::Model, row: &roll_amendment::Model) -> Result<Value> {
    let (poll, number) = (vote.id.to_string(), u64::from(row.number.unsigned_abs()));
    if row.op != ADD {
        return Ok(lsb1::amended_entry(&poll, (&row.op, number), &row.decision));
    }
    let entry = roll_entry::Entity::find_by_id((vote.id, row.number)).one(tx).await?;
    let entry = entry.ok_or_else(|| Error::broken("an amendment without its elector"))?;
    let elector = super::opening::elector_leaf(vote, &entry)?;
    Ok(lsb1::added_entry(&poll, &elector, &row.decision))
}
