//! 调解: a legal officer mediates between people, and nobody but these knows of it.
use std::collections::HashSet;

use chrono::{NaiveDate, TimeDelta};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    photos,
    rows::{follow_up, mediation, party},
    rules::{MediationState, Standing, may_end},
};
use crate::{
    actor::Actor,
    areas,
    bodies::{self, Right},
    clock,
    error::{Checks, Code, Result},
    ids::{MediaId, MediationId, PersonId},
    keys::DataKey,
    media::{self, Subject},
    people, seals,
    store::Tx,
};

mod queries;

pub use self::queries::{FollowUpView, MediationView, PartyView, due, list, of_party, photo, read};

/// Those between whom it is held.
const PARTIES: std::ops::RangeInclusive<usize> = 2..=10;
/// Days ahead that an agreement is looked at again, at most.
const MAX_DAYS: i64 = 366;
/// Times that it is.
const MAX_FOLLOW_UPS: u64 = 20;
/// Mediations that one officer opens for one person within so many days, so that nobody's list is filled.
const MAX_FOR_ONE: u64 = 5;
const DAYS_FOR_ONE: i64 = 30;

/// Somebody between whom a mediation is held: on a roster, or by name alone.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MediationParty {
    /// Somebody on a roster where the officer sits, who reads it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_id: Option<PersonId>,
    /// 1 to 40 characters; of somebody on a roster the full name as it stands there, so that nobody learns it here.
    #[schema(min_length = 1, max_length = 40)]
    pub name: String,
}

/// A mediation to be held.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenMediation {
    /// Where.
    pub area_code: String,
    /// What it is about, 2 to 2,000 characters.
    #[schema(min_length = 2, max_length = 2000)]
    pub about: String,
    /// Between whom: two to ten.
    #[schema(min_items = 2, max_items = 10)]
    pub parties: Vec<MediationParty>,
}

/// How a mediation ended.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndMediation {
    /// `agreed`, `failed` or `withdrawn`; of a party `withdrawn` alone.
    pub state: MediationState,
    /// What came of it, up to 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub outcome: String,
    /// What was agreed, up to 10,000 characters; this or photos of the paper, and only when they agreed.
    #[serde(default)]
    #[schema(max_length = 10000)]
    pub agreement: String,
    /// Up to nine own photos of the agreement.
    #[serde(default)]
    #[schema(max_items = 9)]
    pub photos: Vec<MediaId>,
    /// The day on which the officer is to look at it again; within a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up_on: Option<NaiveDate>,
}

/// What was found when it was looked at again.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowUp {
    /// 2 to 1,000 characters.
    #[schema(min_length = 2, max_length = 1000)]
    pub text: String,
    /// The day on which to look once more; within a year, and twenty times in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_on: Option<NaiveDate>,
}

/// Opens a mediation. Nothing of it is recorded elsewhere.
///
/// # Errors
/// `not_allowed` without a legal officer's seat there; `not_found` for an unknown area; `invalid_fields`, also for the sixth with
/// the same person within thirty days.
pub async fn open(tx: &Tx, actor: &Actor, input: OpenMediation) -> Result<MediationId> {
    bodies::require(actor, Right::NoteLegality, &input.area_code)?;
    areas::get(tx, &input.area_code).await?;
    let mut checks = Checks::default();
    checks.text("about", &input.about, 2..=2000);
    let parties = named(tx, actor, (&input.parties, &mut checks)).await?;
    checks.done()?;
    let (key, key_id) = seals::commands::make(tx, actor.person).await?;
    let id = MediationId::new();
    let row = mediation::ActiveModel {
        id: Set(id),
        key_id: Set(key_id),
        area_code: Set(input.area_code),
        officer_id: Set(actor.person),
        about: Set(key.seal_text("about", &input.about.trim().replace("\r\n", "\n"))?),
        state: Set(MediationState::Opened),
        opened_at: Set(tx.now()),
        ended_at: Set(None),
        outcome: Set(None),
        agreement: Set(None),
        follow_up_on: Set(None),
    };
    row.insert(tx).await?;
    let mut rows = Vec::with_capacity(parties.len());
    for (number, (person, name)) in (1..).zip(parties) {
        rows.push(party::ActiveModel {
            mediation_id: Set(id),
            number: Set(number),
            person_id: Set(person),
            name: Set(key.seal_text("party", &name)?),
        });
    }
    party::Entity::insert_many(rows).exec_without_returning(tx).await?;
    Ok(id)
}

/// The parties with their names. Who is on no roster where the officer sits, or has another name there, is as unknown as who does
/// not exist.
async fn named(
    tx: &Tx,
    actor: &Actor,
    (parties, checks): (&[MediationParty], &mut Checks),
) -> Result<Vec<(Option<PersonId>, String)>> {
    checks.require(PARTIES.contains(&parties.len()), "parties", "out_of_range");
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    for (n, one) in parties.iter().enumerate().take(*PARTIES.end()) {
        let field = |name: &str| format!("parties[{n}].{name}");
        checks.text(&field("name"), &one.name, 1..=40);
        let name = one.name.trim();
        if let Some(id) = one.person_id {
            let there = people::queries::person(tx, id).await?;
            let there = there.filter(|one| one.left_on.is_none() && one.name == name);
            let there = there.filter(|one| bodies::may(actor, Right::NoteLegality, &one.area));
            checks.require(there.is_some(), &field("person_id"), "unknown");
            checks.require(id != actor.person, &field("person_id"), "not_yourself");
            checks.require(seen.insert(id), &field("person_id"), "duplicate");
            let lately = queries::opened_for(tx, (actor.person, id), tx.now() - TimeDelta::days(DAYS_FOR_ONE)).await?;
            checks.require(lately < MAX_FOR_ONE, &field("person_id"), "too_often");
        }
        found.push((one.person_id, name.to_owned()));
    }
    Ok(found)
}

/// Ends a mediation. Nothing of it is recorded elsewhere.
///
/// # Errors
/// `not_found` for everybody but its officer and its parties; `not_allowed` for a party who does more than withdraw;
/// `invalid_fields`; `wrong_state` when it has ended; `erased`; `media_not_usable`.
pub async fn end(tx: &Tx, actor: &Actor, (id, input): (MediationId, EndMediation)) -> Result<()> {
    let (row, standing) = queries::visible(tx, actor, id).await?;
    if !may_end(standing, input.state) {
        return Err(Code::NotAllowed.into());
    }
    check_end(tx, &input)?;
    let key = key(tx, &row).await?;
    let sealed = |place: &str, said: &str| {
        let said = said.trim().replace("\r\n", "\n");
        if said.is_empty() { Ok(None) } else { key.seal_text(place, &said).map(Some) }
    };
    let ended = mediation::ActiveModel {
        state: Set(input.state),
        ended_at: Set(Some(tx.now())),
        outcome: Set(sealed("outcome", &input.outcome)?),
        agreement: Set(sealed("agreement", &input.agreement)?),
        follow_up_on: Set(input.follow_up_on),
        ..Default::default()
    };
    let done = mediation::Entity::update_many()
        .set(ended)
        .filter(mediation::Column::Id.eq(id))
        .filter(mediation::Column::State.eq(MediationState::Opened))
        .exec(tx)
        .await?;
    if done.rows_affected != 1 {
        return Err(Code::WrongState.into());
    }
    let to = Subject { kind: media::MEDIATION, id: &id.to_string(), area: &row.area_code };
    photos::attach(tx, actor.person, &input.photos, to).await
}

fn check_end(tx: &Tx, input: &EndMediation) -> Result<()> {
    let has_agreed = input.state == MediationState::Agreed;
    let has_paper = !input.agreement.trim().is_empty() || !input.photos.is_empty();
    let mut checks = Checks::default();
    checks.text("outcome", &input.outcome, 0..=2000);
    checks.text("agreement", &input.agreement, 0..=10_000);
    checks.require(has_paper || !has_agreed, "agreement", "required");
    checks.require(has_agreed || !has_paper, "agreement", "only_when_agreed");
    checks.require(has_agreed || input.follow_up_on.is_none(), "follow_up_on", "only_when_agreed");
    checks.require(is_ahead(tx, input.follow_up_on), "follow_up_on", "out_of_range");
    checks.done()
}

/// From today on, within a year, or no day at all.
fn is_ahead(tx: &Tx, day: Option<NaiveDate>) -> bool {
    let today = clock::local_date(tx.now());
    day.is_none_or(|day| (today..=today + TimeDelta::days(MAX_DAYS)).contains(&day))
}

/// Writes down what was found when an agreement was looked at again.
///
/// # Errors
/// `not_found` for everybody but its officer and its parties; `not_allowed` for a party; `invalid_fields`; `wrong_state` where
/// there is no day on which to look; `erased`.
pub async fn follow_up(tx: &Tx, actor: &Actor, (id, input): (MediationId, FollowUp)) -> Result<()> {
    let (row, standing) = queries::visible(tx, actor, id).await?;
    if standing != Standing::Officer {
        return Err(Code::NotAllowed.into());
    }
    let mut checks = Checks::default();
    checks.text("text", &input.text, 2..=1000);
    checks.require(is_ahead(tx, input.next_on), "next_on", "out_of_range");
    let before = follow_up::Entity::find().filter(follow_up::Column::MediationId.eq(id)).count(tx).await?;
    let is_last = before + 1 >= MAX_FOLLOW_UPS;
    checks.require(!is_last || input.next_on.is_none(), "next_on", "too_often");
    checks.done()?;
    if row.follow_up_on.is_none() {
        return Err(Code::WrongState.into());
    }
    let said = input.text.trim().replace("\r\n", "\n");
    let kept = follow_up::ActiveModel {
        mediation_id: Set(id),
        number: Set(i32::try_from(before).unwrap_or(i32::MAX).saturating_add(1)),
        text: Set(key(tx, &row).await?.seal_text("follow up", &said)?),
        at: Set(tx.now()),
    };
    kept.insert(tx).await?;
    let next = mediation::ActiveModel { id: Set(id), follow_up_on: Set(input.next_on), ..Default::default() };
    next.update(tx).await?;
    Ok(())
}

async fn key(tx: &Tx, row: &mediation::Model) -> Result<DataKey> {
    seals::queries::open(tx, tx.keys(), row.key_id).await?.ok_or_else(|| Code::Erased.into())
}
