//! What may be done with a voice, by whom, until when; and who may see it.
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sea_orm::Iterable;

use super::{
    Suggestion,
    promises::{Urgency, Wait, promise},
};
use crate::{
    actor::{Actor, HeldSeat},
    areas::TOWN_CODE,
    bodies::BodyKind,
    error::{Code, Result},
    ids::{BodyId, PersonId},
    rights::{self, Right, SPEAKERS},
    streams,
};

pub use self::kinds::{
    AnswerOutcome, Category, Deadline, HidingState, ReplyWish, Step, SuggestionKind, SuggestionState, Visibility,
};

mod kinds;
pub mod thresholds;

/// Working days until a voice is accepted (reference: within 2 working days).
pub const ACCEPT_WORKING_DAYS: u32 = 2;
/// "Not solved" so often takes a voice to the next office up.
const UNSOLVED_UP: i32 = 2;
/// Working days after a missed deadline until the office above the one that was told is told, too.
pub const SUPERVISE_WORKING_DAYS: u32 = 3;
/// Working days that are left when the body responsible is reminded to answer, and to accept.
pub const WARN_ANSWER_WORKING_DAYS: u32 = 2;
/// See [`WARN_ANSWER_WORKING_DAYS`].
pub const WARN_ACCEPT_WORKING_DAYS: u32 = 1;
/// Working days of the longest promise.
pub const MOST_WORKING_DAYS: u32 = 15;
/// A rating up to this says "not solved" and opens the voice again.
const UNSOLVED_RATING: i32 = 2;
/// So long after it was rated as solved its author may say that it is not.
const UNSOLVED_WITHIN: TimeDelta = TimeDelta::days(30);
/// Characters of the text that name its thread.
const TITLE_CHARS: usize = 16;

/// How somebody stands to a voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Left it.
    pub is_author: bool,
    /// May handle it.
    pub is_handler: bool,
    /// Does so for the body responsible, or it never went up.
    pub is_responsible: bool,
    /// There is an office above the body for which they do.
    pub has_above: bool,
    /// Lives in its area.
    pub lives_there: bool,
    /// Lives in its area, or holds a seat that covers it.
    pub is_neighbour: bool,
    /// May raise matters in its area.
    pub raises_matters: bool,
}

/// What somebody may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Not even know it.
    Hidden,
    /// Everything, as the author.
    Own,
    /// Everything but whose it is.
    Public,
    /// Everything, and it is recorded.
    Logged,
}

/// Working days until a voice is answered: 7 for what waits for an answer, 15 for a praise, which asks for nothing.
#[must_use]
pub fn answer_working_days(kind: SuggestionKind) -> u32 {
    match kind {
        SuggestionKind::Consult | SuggestionKind::Help | SuggestionKind::Complaint | SuggestionKind::Suggestion => 7,
        SuggestionKind::Praise => MOST_WORKING_DAYS,
    }
}

/// The kind of body that is responsible: what the village must not see goes past it.
#[must_use]
pub fn responsible_kind(visibility: Visibility) -> BodyKind {
    match visibility {
        Visibility::Public | Visibility::Handlers => BodyKind::VillageCommittee,
        Visibility::Town => BodyKind::TownOffice,
    }
}

/// The kinds of office above a body, the nearest first: they get what was not solved twice and hear of what is late.
/// `widest`: the shortest code of what the body covers.
#[must_use]
pub fn above(kind: &str, widest: usize) -> &'static [BodyKind] {
    match kind {
        "county_office" => &[],
        "town_office" => &[BodyKind::CountyOffice],
        _ if widest < TOWN_CODE => &[BodyKind::CountyOffice],
        _ => &[BodyKind::TownOffice, BodyKind::CountyOffice],
    }
}

/// May a body of this kind be given what only the town is to see?
#[must_use]
pub fn takes_private(visibility: Visibility, kind: &str) -> bool {
    visibility != Visibility::Town || matches!(kind, "town_office" | "county_office")
}

/// Does one more "not solved" take it up, if there is an office above?
#[must_use]
pub fn goes_up(unsolved: i32) -> bool {
    unsolved >= UNSOLVED_UP
}

/// Does this rating open the voice again?
#[must_use]
pub fn reopens(rating: i32) -> bool {
    rating <= UNSOLVED_RATING
}

/// Was it rated as solved so long ago that it stays so?
#[must_use]
pub fn is_settled(row: &Suggestion, now: DateTime<Utc>) -> bool {
    let is_over = row.rated_at.is_none_or(|at| at + UNSOLVED_WITHIN <= now);
    row.state == SuggestionState::Rated && is_over
}

/// The seat by which the actor handles this voice: by right, or because it was given to the actor, who still sits in the body.
#[must_use]
pub fn handling_seat<'a>(actor: &'a Actor, row: &Suggestion) -> Option<&'a HeldSeat> {
    let in_body = |seat: &&HeldSeat| seat.body_id == row.body_id;
    let by_right = |seat: &&HeldSeat| {
        // a body that was given it handles it, whatever its rights are otherwise: by who speaks for it
        let went_up = is_handed_on(row) && in_body(seat) && streams::opens(&seat.body_kind, &seat.role);
        let began_here = match row.visibility {
            Visibility::Public | Visibility::Handlers => handles(seat),
            Visibility::Town => is_town(seat),
        };
        seat.covers(&row.area_code) && (went_up || began_here)
    };
    let given = row.assignee_id == Some(actor.person);
    if is_about(actor, row) {
        return None;
    }
    let seats = || actor.seats.iter();
    // who sits in the body responsible speaks for it, and not for another that covers the village, too
    seats().find(|seat| in_body(seat) && (given || by_right(seat))).or_else(|| seats().find(by_right))
}

/// Is it about the actor, or about somebody of the actor's own body?
#[must_use]
pub fn is_about(actor: &Actor, row: &Suggestion) -> bool {
    concerns(row, actor.person, &actor.seats)
}

/// Is it about this person, or about somebody of a body in which this person sits?
#[must_use]
pub fn concerns(row: &Suggestion, person: PersonId, seats: &[HeldSeat]) -> bool {
    row.about_person_id == Some(person) || seats.iter().any(|seat| is_kept_from(row, seat.body_id))
}

/// Is it about somebody of this body?
#[must_use]
pub fn is_kept_from(row: &Suggestion, body: BodyId) -> bool {
    row.about_bodies.split(' ').any(|one| one == body.to_string())
}

/// Is it whose it was given to, by the clock or by another body, and not whose it was at first?
fn is_handed_on(row: &Suggestion) -> bool {
    row.level > 0 || row.handed > 0
}

/// Does somebody in this seat say yes and no for the body?
#[must_use]
pub fn speaks(seat: &HeldSeat) -> bool {
    SPEAKERS.contains(&seat.role.as_str())
}

/// The seat by which the actor speaks for a body that is asked something about this voice.
///
/// # Errors
/// `not_found` for who does not sit there, and for whom the voice is about; `not_allowed` for who does not speak for the
/// body, and for the author.
pub fn speaking_seat<'a>(actor: &'a Actor, row: &Suggestion, body: BodyId) -> Result<&'a HeldSeat> {
    let of_body = |seat: &&HeldSeat| seat.body_id == body;
    let sits = actor.seats.iter().any(|seat| of_body(&seat));
    if !sits || is_about(actor, row) {
        return Err(Code::NotFound.into());
    }
    let speaking = actor.seats.iter().find(|seat| of_body(seat) && speaks(seat));
    speaking.filter(|_| actor.person != row.author_id).ok_or_else(|| Code::NotAllowed.into())
}

/// Do bodies of this kind answer residents? Councils advise, representatives decide, evaluators look on.
#[must_use]
pub fn takes_voices(kind: &str) -> bool {
    !matches!(kind, "council" | "federation" | "joint_meeting" | "representatives" | "evaluator")
}

fn handles(seat: &HeldSeat) -> bool {
    rights::rights(&seat.body_kind, &seat.role).contains(&Right::HandleSuggestions)
}

fn is_town(seat: &HeldSeat) -> bool {
    seat.body_kind == responsible_kind(Visibility::Town).as_str()
}

/// The bodies whose voices are on the actor's desk: those of a village, and those that only the town sees.
#[must_use]
pub fn desk_bodies(actor: &Actor) -> (Vec<BodyId>, Vec<BodyId>) {
    let of = |wanted: fn(&HeldSeat) -> bool| {
        actor.seats.iter().filter(|seat| wanted(seat)).map(|seat| seat.body_id).collect()
    };
    (of(handles), of(is_town))
}

/// Is all of it hidden, its words, too?
#[must_use]
pub fn is_hidden(row: &Suggestion) -> bool {
    row.hiding.is_some() && !row.hides_only_media
}

/// Are its photos and its clip hidden, and not its words?
#[must_use]
pub fn is_media_hidden(row: &Suggestion) -> bool {
    row.hiding.is_some() && row.hides_only_media
}

/// Does somebody who stands so, and sees it, see its photos and hear its clip?
#[must_use]
pub fn sees_media(row: &Suggestion, standing: Standing) -> bool {
    !is_media_hidden(row) || standing.is_author || standing.is_handler
}

/// How the actor stands to this voice.
#[must_use]
pub fn standing(actor: &Actor, row: &Suggestion) -> Standing {
    let seat = handling_seat(actor, row);
    // what is hidden is nobody's but its author's and theirs who handle it
    let is_shown = !is_hidden(row);
    Standing {
        is_author: actor.person == row.author_id,
        is_handler: seat.is_some(),
        is_responsible: seat.is_some_and(|seat| !is_handed_on(row) || seat.body_id == row.body_id),
        has_above: seat.is_some_and(|seat| {
            let widest = seat.areas.iter().map(String::len).min().unwrap_or_default();
            !above(&seat.body_kind, widest).is_empty()
        }),
        lives_there: is_shown && actor.area == row.area_code,
        is_neighbour: is_shown && actor.sees(&row.area_code),
        raises_matters: is_shown && rights::may(actor, Right::RaiseMatter, &row.area_code),
    }
}

/// Does somebody who stands so learn whose a public voice is? Who answers does, where its author wants to be called or met.
#[must_use]
pub fn learns_name(row: &Suggestion, standing: Standing) -> bool {
    standing.is_responsible && row.reply_wish != ReplyWish::Here
}

/// What somebody who stands so may see. Whoever may not see it is told that it is not there.
#[must_use]
pub fn sight(visibility: Visibility, standing: Standing) -> Sight {
    match visibility {
        _ if standing.is_author => Sight::Own,
        Visibility::Public if standing.is_handler || standing.is_neighbour => Sight::Public,
        Visibility::Handlers | Visibility::Town if standing.is_handler => Sight::Logged,
        Visibility::Public | Visibility::Handlers | Visibility::Town => Sight::Hidden,
    }
}

/// Is this the state in which the step can be taken?
fn fits(step: Step, state: SuggestionState) -> bool {
    match step {
        Step::Accept => state == SuggestionState::Submitted,
        Step::Assign | Step::Answer => state == SuggestionState::Accepted,
        Step::CallBack => state == SuggestionState::Answered,
        // that it is not solved is also said of what was rated as solved, see `is_settled`
        Step::Rate | Step::Speak => matches!(state, SuggestionState::Answered | SuggestionState::Rated),
        Step::Join => state != SuggestionState::Withdrawn,
        Step::Hide | Step::Show | Step::Appeal => true,
        Step::Cosign | Step::WriteDown => !matches!(state, SuggestionState::Rated | SuggestionState::Withdrawn),
        Step::Extend => state == SuggestionState::Accepted,
        Step::Refer | Step::Keep | Step::Involve | Step::Withdraw | Step::MakeOrdinary => {
            matches!(state, SuggestionState::Submitted | SuggestionState::Accepted)
        }
    }
}

/// May somebody who stands so take the step now? Nobody takes or answers the own voice, and only the author rates, or is called
/// back.
///
/// # Errors
/// `not_found` for whoever may not see it, `not_allowed`, `wrong_state`; `not_yours_alone` for an author who takes back what is
/// others', too.
pub fn check(step: Step, row: &Suggestion, standing: Standing) -> Result<()> {
    if sight(row.visibility, standing) == Sight::Hidden {
        return Err(Code::NotFound.into());
    }
    let may = match step {
        Step::Rate | Step::Appeal | Step::Withdraw => standing.is_author,
        Step::Accept
        | Step::Hide
        | Step::Show
        | Step::Assign
        | Step::Answer
        | Step::Speak
        | Step::Refer
        | Step::Keep
        | Step::Extend
        | Step::WriteDown
        | Step::CallBack
        | Step::MakeOrdinary
        | Step::Involve => standing.is_responsible && !standing.is_author,
        Step::Cosign => row.visibility == Visibility::Public && standing.lives_there && !standing.is_author,
        Step::Join => standing.is_handler || (row.visibility == Visibility::Public && standing.raises_matters),
    };
    if !may {
        return Err(Code::NotAllowed.into());
    }
    if !is_free(step, row, standing) || !fits(step, row.state) {
        return Err(Code::WrongState.into());
    }
    if step == Step::Withdraw && is_shared(row) {
        return Err(Code::NotYoursAlone.into());
    }
    Ok(())
}

/// Is it not its author's alone any more?
fn is_shared(row: &Suggestion) -> bool {
    row.matter_id.is_some() || row.cosigns > 0
}

/// Does nothing but the state stand in the way of the step?
fn is_free(step: Step, row: &Suggestion, standing: Standing) -> bool {
    let promised = promise(row.kind, row.category, row.urgency);
    match step {
        // the words of an accusation lie in no matter that everybody reads
        Step::Join => row.matter_id.is_none() && row.about_person_id.is_none(),
        // of what waits for somebody who looks at the photos, these are hidden for a reason, or all of it; all of it, too, of
        // what an office left so when its author objected
        Step::Hide => {
            let is_media_alone = is_media_hidden(row) && row.hiding != Some(HidingState::Appealed);
            row.visibility == Visibility::Public && (row.hiding.is_none() || is_media_alone)
        }
        Step::WriteDown => row.visibility == Visibility::Public && !is_hidden(row),
        Step::CallBack => row.taken_by.is_some(),
        Step::MakeOrdinary => row.urgency == Urgency::Urgent,
        Step::Show => row.hiding.is_some(),
        Step::Appeal => row.hiding == Some(HidingState::Hidden),
        Step::Refer => row.offered_to.is_none(),
        Step::Keep => row.offered_to.is_some(),
        // once, of an office above, and only where days were promised: what presses does not wait, a praise has them already
        Step::Extend => {
            let is_long = row.kind == SuggestionKind::Praise || !matches!(promised.answer, Wait::WorkingDays(_));
            row.days_asked_at.is_none() && standing.has_above && !is_long
        }
        _ => true,
    }
}

/// What somebody who stands so may do now.
#[must_use]
pub fn steps(row: &Suggestion, standing: Standing) -> Vec<Step> {
    Step::iter().filter(|step| check(*step, row, standing).is_ok()).collect()
}

/// How the number that people read out begins: town and village, and the day.
#[must_use]
pub fn number_prefix(area: &str, day: NaiveDate) -> String {
    // the first six digits are the county, which is one here
    format!("{}-{}-", area.get(6..).filter(|rest| !rest.is_empty()).unwrap_or(area), day.format("%Y%m%d"))
}

/// The first words of a text, to name its thread.
#[must_use]
pub fn first_words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(TITLE_CHARS).collect()
}

#[cfg(test)]
mod tests;
