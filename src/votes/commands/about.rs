//! What a vote is about: a matter that is to be decided, or the agenda of a meeting; in whose name it is opened, and whether it
//! decides.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{OpenVote, Secrecy};
use crate::{
    actor::Actor,
    bodies::{self, BodyKind, Right},
    clock,
    error::{Checks, Code, Error, Result},
    ids::{BodyId, MatterId},
    matters, meetings,
    store::Tx,
    votes::{
        office::kinds_apart,
        queries::{self, ChoiceResult, is_inside, is_of_kind, is_selection},
        roll,
        rows::vote,
        rules::{self, Preset, Unit},
    },
};

/// State of a meeting that is to come.
const CALLED: &str = "called";
/// Elections of a village committee are no matter of the six stages.
const ELECTIONS: &str = "committee_";
/// The two rounds of one.
const ROUNDS: [&str; 2] = ["committee_election_round1", "committee_election_round2"];
/// 另行选举 is held on the same day, or within so many days.
const SECOND_ROUND_DAYS: i64 = 30;
/// Rounds looked at, the newest first: some of them may have come to nothing.
const ROUNDS_LOOKED_AT: u64 = 20;

/// What a council advises binds nobody.
const ADVICE: &str = "council_charter";

/// The bodies in which those sit who make the three keys of a secret vote.
const HOLDERS: [BodyKind; 3] = [BodyKind::VillageCommittee, BodyKind::SupervisionCommittee, BodyKind::TownOffice];

/// Where, and in whose name.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) area: String,
    pub(super) body: BodyId,
    pub(super) matter: Option<MatterId>,
}

/// Who may open it: in a village who opens votes there; inside a body who holds its meetings.
///
/// # Errors
/// `not_found` (matter, meeting); `not_allowed`; `invalid_fields` for a rule that is about a matter and has none, or the reverse,
/// and for the rule of another kind of body.
pub(super) async fn about(tx: &Tx, actor: &Actor, input: &OpenVote) -> Result<About> {
    if let Some(matter) = input.matter_id {
        let area = matters::queries::area_of(tx, matter).await?;
        let seat = bodies::require(actor, Right::OpenVote, &area)?;
        if is_inside(&input.preset) || is_selection(&input.preset) {
            return Err(Error::field("preset", "of_no_matter"));
        }
        return Ok(About { body: seat.body_id, area, matter: input.matter_id });
    }
    let id = input.meeting_id.ok_or_else(|| Error::field("matter_id", "required"))?;
    let meeting = meetings::queries::meeting(tx, id).await?;
    if is_inside(&input.preset) {
        if !bodies::members::holds(actor, meeting.body_id) {
            return Err(Code::NotAllowed.into());
        }
        if !is_of_kind(&input.preset, bodies::get(tx, meeting.body_id).await?.kind.as_str()) {
            return Err(Error::field("preset", "not_of_this_body"));
        }
        return Ok(About { area: meeting.area_code, body: meeting.body_id, matter: None });
    }
    let seat = bodies::require(actor, Right::OpenVote, &meeting.area_code)?;
    // the village's own questions go through the stages of a matter
    let is_election = input.preset.starts_with(ELECTIONS) || is_selection(&input.preset);
    if rules::preset(&input.preset).is_some() && !is_election {
        return Err(Error::field("matter_id", "required"));
    }
    Ok(About { body: seat.body_id, area: meeting.area_code, matter: None })
}

/// A secret vote is opened by three keys, each of which somebody there can make.
///
/// # Errors
/// `invalid_fields` where one of the three bodies is missing, as at a council of a whole town: the vote would wait for its key
/// until it is over.
pub(super) async fn require_holders(tx: &Tx, input: &OpenVote, area: &str) -> Result<()> {
    if input.secrecy != Secrecy::Secret {
        return Ok(());
    }
    for kind in HOLDERS {
        if bodies::of_kind(tx, kind, area).await?.is_none() {
            return Err(Error::field("secrecy", "no_trustees"));
        }
    }
    Ok(())
}

/// What is on paper is counted with somebody who does not run the vote.
///
/// # Errors
/// `invalid_fields` where there is neither a supervision committee nor an office above: nobody could sign the count.
pub(super) async fn require_counters(tx: &Tx, input: &OpenVote, area: &str) -> Result<()> {
    if !input.has_paper {
        return Ok(());
    }
    for kind in kinds_apart(area) {
        if bodies::of_kind(tx, *kind, area).await?.is_some() {
            return Ok(());
        }
    }
    Err(Error::field("has_paper", "no_counters"))
}

/// The representatives of a collective are more than twenty, or they are no assembly (农村集体经济组织法, article 28).
///
/// # Errors
/// `invalid_fields` where they are fewer.
pub(super) fn require_enough(preset: &Preset, electors: usize) -> Result<()> {
    let is_enough = preset.unit != Unit::MemberRep || electors > meetings::rules::COLLECTIVE_REPS;
    if is_enough { Ok(()) } else { Err(Error::field("preset", "too_few_representatives")) }
}

/// A second round follows a round that was counted and counts, on the same day or within thirty, for a place that it left open,
/// among those who were not chosen by it (组织法: 不足的名额另行选举). To one that was void, to which too few came, or that was
/// overturned nothing follows: the election begins anew, by the majority of a first round.
///
/// # Errors
/// `invalid_fields` where there was none, it left no place for who stands now, or it was longer ago; `wrong_state` while another
/// among the same is under way.
pub(super) async fn require_round_before(tx: &Tx, input: &OpenVote, about: &About) -> Result<()> {
    let [_, second] = ROUNDS;
    // after a tie the same round goes on
    if input.preset != second || input.parent_vote_id.is_some() {
        return Ok(());
    }
    let rounds = rounds_before(tx, &about.area).await?;
    if rounds.is_empty() {
        return Err(Error::field("preset", "no_round_before"));
    }
    let left = rounds.iter().find(|round| has_left(round, &input.options) && !is_filled(round, &rounds));
    let (before, choice) = left.ok_or_else(|| Error::field("options", "no_place_left"))?;
    let seats = u64::try_from(input.seats.unwrap_or(1)).unwrap_or_default();
    if seats > choice.seats_open {
        return Err(Error::field("seats", "out_of_range"));
    }
    let days = clock::local_date(input.closes_at) - clock::local_date(before.closes_at);
    if days > TimeDelta::days(SECOND_ROUND_DAYS) {
        return Err(Error::field("closes_at", "second_round_too_late"));
    }
    if is_under_way(tx, &about.area, choice).await? { Err(Code::WrongState.into()) } else { Ok(()) }
}

/// Is a second round among those who stood in this one not over yet? Of two at once somebody could choose the one that counts.
async fn is_under_way(tx: &Tx, area: &str, before: &ChoiceResult) -> Result<bool> {
    let [_, second] = ROUNDS;
    let running = vote::Entity::find()
        .filter(vote::Column::AreaCode.eq(area))
        .filter(vote::Column::Preset.eq(second))
        .filter(vote::Column::State.is_not_in([queries::CLOSED, queries::ANNULLED]));
    let stood = |text: &str| before.options.iter().any(|one| one.text == text);
    for row in running.all(tx).await? {
        if queries::options_of(row.options.as_deref())?.iter().all(|one| stood(&one.text)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A round, and how it came out.
type Round = (vote::Model, ChoiceResult);

/// Which post a round was for its question alone says: it is known by who stood for it. What was tied another vote decides.
fn has_left((_, choice): &Round, options: &[String]) -> bool {
    let was_left = |text: &String| choice.options.iter().any(|one| one.text == text.trim() && !one.is_elected);
    let is_tied = choice.options.iter().any(|one| one.is_tied);
    choice.seats_open > 0 && !is_tied && !options.is_empty() && options.iter().all(was_left)
}

/// Did a second round among those who stood in this one fill what it had left open?
fn is_filled((before, choice): &Round, rounds: &[Round]) -> bool {
    let [_, second] = ROUNDS;
    let stood = |text: &str| choice.options.iter().any(|one| one.text == text);
    rounds.iter().any(|(later, found)| {
        let is_later = later.preset == second && later.closes_at > before.closes_at;
        is_later && found.seats_open == 0 && found.options.iter().all(|one| stood(&one.text))
    })
}

/// The rounds there that count, the newest first.
async fn rounds_before(tx: &Tx, area: &str) -> Result<Vec<Round>> {
    let held = vote::Entity::find()
        .filter(vote::Column::AreaCode.eq(area))
        .filter(vote::Column::Preset.is_in(ROUNDS))
        .filter(vote::Column::State.eq(queries::CLOSED))
        .order_by_desc(vote::Column::ClosesAt)
        .limit(ROUNDS_LOOKED_AT);
    let mut rounds = Vec::new();
    for round in held.all(tx).await? {
        let result = queries::result_of(tx, round.id).await?;
        let counts = result.is_valid && !result.is_overturned();
        rounds.extend(result.choice.filter(|_| counts).map(|choice| (round, choice)));
    }
    Ok(rounds)
}

/// A vote that decides belongs to a meeting about the same, called as many days ahead of it and of the opening as the
/// law asks, and is open until the meeting has begun.
///
/// # Errors
/// `not_found`; `invalid_fields` for a meeting that is not this one's, or was called too late, and for a group that would decide
/// what the law reserves to the assembly of the whole village; `authorisation_needed` where the representatives may not decide it.
pub(super) async fn is_binding(
    tx: &Tx,
    input: &OpenVote,
    (preset, opens_at): (&Preset, DateTime<Utc>),
    about: &About,
) -> Result<bool> {
    let Some(id) = input.meeting_id else { return Ok(false) };
    let meeting = meetings::queries::meeting(tx, id).await?;
    // the days run before the meeting, and before the first ballot
    let begins = clock::local_date(opens_at).min(meeting.starts_at.date_naive());
    let days = begins - meeting.called_at.date_naive();
    let mut checks = Checks::default();
    let is_ours = meeting.matter_id == input.matter_id
        && meeting.area_code == about.area
        && (!is_inside(&input.preset) || meeting.body_id == about.body)
        && meeting.group_number == input.group_number
        && meeting.state == CALLED
        && roll::audience((&input.preset, input.group_number), preset.unit) == Some(meeting.audience);
    checks.require(is_ours, "meeting_id", "not_this_meeting");
    let in_time = days >= TimeDelta::days(i64::from(preset.notice_days.unwrap_or(0)));
    checks.require(!is_ours || in_time, "meeting_id", "called_too_late");
    checks.require(!is_ours || input.closes_at > meeting.starts_at, "closes_at", "before_the_meeting");
    // who was not heard in the room is heard afterwards: what decides never stands at once
    let is_advice = input.preset == ADVICE;
    checks.require(is_advice || input.challenge_days != Some(0), "challenge_days", "out_of_range");
    checks.done()?;
    if let Some(matter) = about.matter.filter(|_| preset.unit == Unit::Representative) {
        matters::commands::require_authorised(tx, matter).await?;
    }
    if let Some(matter) = about.matter.filter(|_| input.group_number.is_some())
        && matters::commands::is_reserved(tx, matter).await?
    {
        return Err(Error::field("preset", "reserved_to_all"));
    }
    Ok(!is_advice)
}
