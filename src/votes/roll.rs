//! 名册: who is on the roll of a vote, by the unit that its preset names; frozen once, in the unit of work that opens it.
use std::collections::HashMap;

use chrono::NaiveDate;
use sea_orm::{EntityTrait, Set};

use super::{
    queries::{self, households},
    rows::{roll_agent, roll_entry, roll_member},
    rules::{Preset, Unit, collective::is_enough},
};
use crate::{
    areas, bodies,
    error::{Code, Result},
    ids::{BodyId, HouseholdId, PersonId, VoteId},
    meetings::Audience,
    people::{self, Resident, village_groups},
    store::Tx,
};

/// Rows in one insert: thirteen columns each at most, well under SQLite's 32,766 variables.
const CHUNK: usize = 1000;

/// One elector, before the number is given; of a household its representative, with the alternates and its grown-ups of that day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Elector {
    pub(super) person: PersonId,
    pub(super) household: HouseholdId,
    alternates: Vec<PersonId>,
    members: Vec<PersonId>,
}

impl Elector {
    /// All who may cast in this place: the elector, then the alternates of a household.
    pub(super) fn casters(&self) -> impl Iterator<Item = PersonId> {
        [self.person].into_iter().chain(self.alternates.iter().copied())
    }
}

/// Whose roll it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground<'a> {
    pub(super) area: &'a str,
    pub(super) body: BodyId,
    /// The villagers' group that decides by itself.
    pub(super) group: Option<i32>,
    /// The households that choose together; none: not by some of them alone.
    pub(super) homes: &'a [HouseholdId],
}

/// Whom a preset puts on the roll of a village.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Every registered adult.
    Adults,
    /// Every household with a registered adult, through one of its people.
    Households,
    /// The villagers' representatives and the village committee.
    Representatives,
    /// The members of the body that meets.
    Members,
}

/// May this preset be voted on here: a question whose roll we can draw up, and a rule that a later law has not made too weak?
#[must_use]
pub(super) fn is_votable(preset: &Preset) -> bool {
    preset.second_measure.is_none() && reach(preset.unit).is_some() && is_enough(preset)
}

/// Who must have been called to the meeting that such a vote belongs to.
#[must_use]
pub(super) fn audience((id, group): (&str, Option<i32>), unit: Unit) -> Option<Audience> {
    let is_of_group = queries::is_of_group(id) || group.is_some();
    match reach(unit)? {
        Reach::Adults | Reach::Households if is_of_group => Some(Audience::Group),
        Reach::Adults | Reach::Households => Some(Audience::Villagers),
        Reach::Representatives => Some(Audience::Representatives),
        Reach::Members => Some(Audience::Members),
    }
}

fn reach(unit: Unit) -> Option<Reach> {
    match unit {
        Unit::Person | Unit::Elector => Some(Reach::Adults),
        Unit::Household => Some(Reach::Households),
        Unit::Representative => Some(Reach::Representatives),
        Unit::BodyMember | Unit::Member | Unit::MemberRep | Unit::Director => Some(Reach::Members),
        // owners vote by floor area, which nobody keeps here
        Unit::Owner => None,
    }
}

/// Everybody who has a vote in the village, in the group of it or in the body that meets, on that day, in the order of the roster.
///
/// # Errors
/// `rule_not_votable` for a unit without a roll, for an area that has no roster or is none of this rule, and when nobody is on
/// the roll.
pub(super) async fn draw_up(
    tx: &Tx,
    (id, preset): (&str, &Preset),
    ground: Ground<'_>,
    day: NaiveDate,
) -> Result<Vec<Elector>> {
    let reach = reach(preset.unit).ok_or(Code::RuleNotVotable)?;
    if reach == Reach::Members {
        return members(tx, ground.body, day).await;
    }
    let area = ground.area;
    // by some of the village alone, or by all of it
    let is_part = ground.group.is_some() || !ground.homes.is_empty();
    let is_meant = (queries::is_of_group(id) || queries::is_selection(id)) == is_part;
    if !is_meant || !queries::fits(id, areas::get(tx, area).await?.level) {
        return Err(Code::RuleNotVotable.into());
    }
    let residents = concerned(tx, ground, reach).await?;
    let electors: Vec<Elector> = match reach {
        Reach::Adults => residents.iter().filter(|resident| is_elector(resident, day)).map(elector).collect(),
        Reach::Households => {
            let named = households::named_in(tx, area).await?;
            by_household(&residents, &named, day)
        }
        // told apart above
        Reach::Members => Vec::new(),
        Reach::Representatives => {
            let mut seated = bodies::representatives(tx, area, day).await?;
            seated.extend(queries::committee(tx, area, tx.now()).await?.into_iter().map(|seat| seat.person_id));
            residents.iter().filter(|resident| seated.contains(&resident.id)).map(elector).collect()
        }
    };
    if electors.is_empty() { Err(Code::RuleNotVotable.into()) } else { Ok(electors) }
}

/// The village; of it a group alone: where people vote those whom the roster counts among it, where households vote its households;
/// or some households alone.
async fn concerned(tx: &Tx, ground: Ground<'_>, reach: Reach) -> Result<Vec<Resident>> {
    let mut residents = people::residents(tx, ground.area).await?;
    match (ground.group, reach) {
        (None, _) => {}
        (Some(group), Reach::Households) => {
            let homes = village_groups::households(tx, (ground.area, group)).await?;
            residents.retain(|one| homes.contains(&one.household));
        }
        (Some(group), _) => residents.retain(|one| one.group_number == group),
    }
    if !ground.homes.is_empty() {
        residents.retain(|one| ground.homes.contains(&one.household));
    }
    Ok(residents)
}

/// The members of a body: those who are counted at its meetings and are on some roster still, or whom its register counts though
/// they are on none. Of a collective children are members, too, and those of age alone have a vote.
async fn members(tx: &Tx, body: BodyId, day: NaiveDate) -> Result<Vec<Elector>> {
    let ids: Vec<PersonId> = bodies::members::voting(tx, body, (tx.now(), day)).await?.into_iter().collect();
    let found = people::queries::on_rolls(tx, &ids).await?;
    let off_roster = bodies::members::off_roster(tx, body).await?;
    let counts = |one: &Resident| one.left_on.is_none() || off_roster.contains(&one.id);
    let mut all: Vec<Resident> = found.into_values().filter(counts).collect();
    // who belongs to a household of the collective may live in another, or in none here
    let homes = bodies::members::households(tx, body).await?;
    for one in &mut all {
        one.household = homes.get(&one.id).copied().unwrap_or(one.household);
    }
    // always the same way: they come from several villages; of whom the register has by name nobody sees whether from one of them
    let place = |one: &Resident| match off_roster.contains(&one.id) {
        true => (true, one.name.clone(), one.id.to_string()),
        false => (false, one.area.clone(), one.roster_number.clone()),
    };
    all.sort_by_cached_key(place);
    if all.is_empty() { Err(Code::RuleNotVotable.into()) } else { Ok(all.iter().map(elector).collect()) }
}

/// One elector a household: who was named for it, else its head, else the eldest; alternates only as they were named.
/// Who was named and is none of its electors any more is passed over.
fn by_household(residents: &[Resident], named: &HashMap<HouseholdId, Vec<PersonId>>, day: NaiveDate) -> Vec<Elector> {
    let mut order: Vec<HouseholdId> = Vec::new();
    let mut homes: HashMap<HouseholdId, Vec<&Resident>> = HashMap::new();
    for resident in residents.iter().filter(|resident| is_elector(resident, day)) {
        let home = homes.entry(resident.household).or_default();
        if home.is_empty() {
            order.push(resident.household);
        }
        home.push(resident);
    }
    let elect = |household: HouseholdId| {
        let home = homes.get(&household)?;
        let is_here = |person: &&PersonId| home.iter().any(|one| one.id == **person);
        let mut agents = named.get(&household).into_iter().flatten().filter(is_here).copied();
        let eldest = || home.iter().min_by_key(|one| one.birth_date);
        let by_custom = || home.iter().find(|one| one.is_head).or_else(eldest).map(|one| one.id);
        let person = agents.next().or_else(by_custom)?;
        // who lives there and has no vote hears all the same how the household voted
        let grown_up = |one: &&Resident| one.household == household && people::rules::is_adult(one.birth_date, day);
        let members = residents.iter().filter(grown_up).map(|one| one.id).collect();
        Some(Elector { person, household, alternates: agents.collect(), members })
    };
    order.into_iter().filter_map(elect).collect()
}

/// Eighteen on the day of the opening, registered, not left.
pub(super) fn is_elector(resident: &Resident, day: NaiveDate) -> bool {
    resident.is_registered
        && people::rules::is_adult(resident.birth_date, day)
        && resident.left_on.is_none_or(|left| left > day)
}

fn elector(resident: &Resident) -> Elector {
    Elector { person: resident.id, household: resident.household, alternates: Vec::new(), members: Vec::new() }
}

/// Writes the roll, numbered from 1, with who may cast for a household beside its representative.
///
/// # Errors
/// When the database refuses.
pub(super) async fn freeze(tx: &Tx, (vote, by): (VoteId, PersonId), electors: Vec<Elector>) -> Result<()> {
    write(tx, (vote, by), 1, &electors).await
}

/// Writes electors from this number on.
///
/// # Errors
/// When the database refuses, also for somebody who is on it already.
pub(super) async fn write(tx: &Tx, (vote, by): (VoteId, PersonId), first: i32, electors: &[Elector]) -> Result<()> {
    let numbered: Vec<(i32, &Elector)> = (first..).zip(electors).collect();
    for some in numbered.chunks(CHUNK) {
        let rows = some.iter().map(|(number, elector)| entry(tx, (vote, *number), elector));
        roll_entry::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    let seconds: Vec<_> =
        numbered.iter().flat_map(|(number, elector)| alternates(tx, (vote, *number, by), elector)).collect();
    for some in seconds.chunks(CHUNK) {
        roll_agent::Entity::insert_many(some.to_vec()).exec_without_returning(tx).await?;
    }
    let row = |number: i32, person: &PersonId| roll_member::ActiveModel {
        vote_id: Set(vote),
        person_id: Set(*person),
        number: Set(number),
    };
    let of_each = |(number, elector): &(i32, &Elector)| {
        elector.members.iter().map(|person| row(*number, person)).collect::<Vec<_>>()
    };
    let members: Vec<_> = numbered.iter().flat_map(of_each).collect();
    for some in members.chunks(CHUNK) {
        // who joins later was of another household before: the first one stands
        let key = [roll_member::Column::VoteId, roll_member::Column::PersonId];
        roll_member::Entity::insert_many(some.to_vec())
            .on_conflict_do_nothing_on(key)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

fn entry(tx: &Tx, (vote, number): (VoteId, i32), elector: &Elector) -> roll_entry::ActiveModel {
    roll_entry::ActiveModel {
        vote_id: Set(vote),
        number: Set(number),
        person_id: Set(elector.person),
        household_id: Set(elector.household),
        channel: Set(queries::NOT_CAST.to_owned()),
        // by which the village can show, with its key, that this entry is this person; nobody else can
        tag: Set(Some(tx.keys().lookup("roll-tag", &format!("{vote} {}", elector.person)))),
        cast_by: Set(None),
        is_told: Set(false),
        is_over: Set(false),
    }
}

fn alternates(tx: &Tx, (vote, number, by): (VoteId, i32, PersonId), elector: &Elector) -> Vec<roll_agent::ActiveModel> {
    let row = |(rank, person): (i32, &PersonId)| roll_agent::ActiveModel {
        vote_id: Set(vote),
        number: Set(number),
        person_id: Set(*person),
        kind: Set(queries::ALTERNATE.to_owned()),
        rank: Set(rank),
        relation: Set(None),
        state: Set(queries::CHECKED.to_owned()),
        proof_media_id: Set(None),
        recorded_by: Set(by),
        recorded_at: Set(tx.now()),
        checked_by: Set(None),
        checked_at: Set(None),
        ended_at: Set(None),
    };
    (1..).zip(&elector.alternates).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::votes::rules::presets;

    #[test]
    fn what_is_weighed_is_not_votable() {
        let votable: Vec<&str> =
            presets().iter().filter(|(_, preset)| is_votable(preset)).map(|(id, _)| id.as_str()).collect();
        let wanted = [
            "collective_board",
            "collective_members",
            "collective_reps",
            "committee_election_round1",
            "committee_election_round2",
            "committee_recall",
            "council_charter",
            "council_election",
            "group_assembly_household",
            "group_assembly_person",
            "land_contract_plan",
            "rep_selection_household",
            "rep_selection_person",
            "residents_meeting_household",
            "residents_meeting_person",
            "village_assembly_household",
            "village_assembly_person",
            "village_representatives",
            "zj_collective_assets",
            "zj_coop_members_major",
        ];
        assert_eq!(votable, wanted);
    }

    fn resident(household: HouseholdId, birth: i32, is_head: bool) -> Resident {
        Resident {
            id: PersonId::new(),
            name: "x".to_owned(),
            area: "330521103202".to_owned(),
            household,
            group_number: 0,
            birth_date: NaiveDate::from_ymd_opt(birth, 1, 1).unwrap(),
            is_registered: true,
            lives_here: true,
            left_on: None,
            roster_number: "1".to_owned(),
            is_head,
        }
    }

    #[test]
    fn a_household_is_one_elector_however_many_live_in_it() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 30).unwrap();
        let (one, two, three) = (HouseholdId::new(), HouseholdId::new(), HouseholdId::new());
        let people = [
            resident(one, 1980, false),
            resident(one, 1975, true),
            resident(two, 1990, false),
            resident(two, 1950, false),
            // children have no vote, and a household of children none either
            resident(three, 2015, true),
            resident(one, 2010, false),
        ];
        let id = |at: usize| people[at].id;
        let nobody = HashMap::new();
        let drawn = by_household(&people, &nobody, day);
        assert_eq!(drawn.iter().map(|one| one.person).collect::<Vec<_>>(), [id(1), id(3)], "the head, else the eldest");
        assert!(drawn.iter().all(|one| one.alternates.is_empty()));
        assert_eq!(drawn[0].members, [id(0), id(1)], "the grown-ups of that day");
        // those who were named, but for who has gone or is too young
        let named = HashMap::from([(one, vec![PersonId::new(), id(0), id(5), id(1)]), (two, vec![id(2)])]);
        let drawn = by_household(&people, &named, day);
        assert_eq!((drawn[0].person, &drawn[0].alternates), (id(0), &vec![id(1)]));
        assert_eq!((drawn[1].person, drawn[1].alternates.len()), (id(2), 0));
    }
}
