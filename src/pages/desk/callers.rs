//! In whose name a clerk may call a meeting, and whom.
use super::frame::Clerk;
use crate::{
    bodies::{self, Right},
    ids::BodyId,
    meetings::{Audience, Business, rules::may_call},
    text,
};

/// A body in whose name a meeting may be called, and who is called.
pub(super) struct Caller {
    /// Both, as the form sends them back.
    pub(super) value: String,
    /// Both, in words.
    pub(super) label: String,
    /// Is it what one mostly wants here?
    pub(super) is_likely: bool,
}

/// May the clerk hold meetings of this body in the area?
pub(super) fn holds(clerk: &Clerk, body: BodyId, area: &str) -> bool {
    let right = |kind: &str, role: &str| bodies::rights(kind, role).contains(&Right::HoldMeeting);
    let mut own = clerk.actor.seats.iter().filter(|seat| seat.body_id == body && seat.covers(area));
    own.any(|seat| right(&seat.body_kind, &seat.role))
}

/// Everybody whom the clerk may call in the area, in the name of which body; of the villagers' groups each by itself.
pub(super) fn callers(clerk: &Clerk, area: &str, (likely, groups): (Audience, &[i32])) -> Vec<Caller> {
    let whole = Audience::ALL.into_iter().filter(|one| *one != Audience::Group).map(|one| (one, None));
    let called: Vec<(Audience, Option<i32>)> =
        whole.chain(groups.iter().map(|number| (Audience::Group, Some(*number)))).collect();
    let mut callers = Vec::new();
    for seat in clerk.actor.seats.iter().filter(|seat| holds(clerk, seat.body_id, area)) {
        for (audience, group) in called.iter().filter(|(audience, _)| may_call(&seat.body_kind, *audience)) {
            let mut value = format!("{}/{}", seat.body_id, audience.as_str());
            let who = text::word("meetings-audience", audience.as_str());
            let mut label = format!("{} · {who}", seat.body_name);
            if let Some(number) = group {
                value = format!("{value}/{number}");
                label = format!("{label} · {}", text::say_with("desk-reach-group", &[("n", (*number).into())]));
            }
            callers.push(Caller { value, label, is_likely: *audience == likely });
        }
    }
    callers
}

/// Does the clerk call meetings of a council, which are of three kinds?
pub(super) fn kinds_of_business(clerk: &Clerk) -> Vec<&'static str> {
    let is_council = clerk.actor.seats.iter().any(|seat| Business::OwnAffairs.fits(&seat.body_kind, false));
    if is_council { Business::ALL.iter().map(|one| one.as_str()).collect() } else { Vec::new() }
}
