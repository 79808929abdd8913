//! Who asks: a signed-in person, with the seats held now.
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::ids::{BodyId, PersonId, SeatId, SessionId};

/// The kind of body that looks at an area from outside.
const EVALUATOR: &str = "evaluator";

/// A signed-in person. Made by `people` from the session, refreshed within seconds of any change of rights.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The person.
    pub person: PersonId,
    /// The log-in.
    pub session: SessionId,
    /// Name, as on the roster.
    pub name: String,
    /// Code of the home village; rights of a resident hold there.
    pub area: String,
    /// Seats held today.
    pub seats: Vec<HeldSeat>,
    /// Since when the phone is one that a roster put in the place of another, and that no second person has approved.
    pub phone_listed_at: Option<DateTime<Utc>>,
}

impl Actor {
    /// Is the actor a resident of this area, or of one below it?
    #[must_use]
    pub fn lives_in(&self, area: &str) -> bool {
        covers(area, &self.area)
    }

    /// Has the actor a seat in this body?
    #[must_use]
    pub fn sits_in(&self, body: BodyId) -> bool {
        self.seats.iter().any(|seat| seat.body_id == body)
    }

    /// May the actor see what is shown to the people of this area: by living there, or by a seat that covers it?
    #[must_use]
    pub fn sees(&self, area: &str) -> bool {
        self.lives_in(area) || self.seats.iter().any(|seat| seat.serves(area))
    }

    /// May the actor read what was asked, given and done in this area: who sees it, and who evaluates it?
    #[must_use]
    pub fn reads_records(&self, area: &str) -> bool {
        self.lives_in(area) || self.seats.iter().any(|seat| seat.covers(area))
    }
}

/// A seat held today, with what its body covers.
#[derive(Clone, Debug, Serialize, ToSchema, PartialEq, Eq)]
pub struct HeldSeat {
    /// The seat.
    pub seat_id: SeatId,
    /// Its body.
    pub body_id: BodyId,
    /// What kind of body.
    pub body_kind: String,
    /// Its name, shown with everything done in it.
    pub body_name: String,
    /// The role in it.
    pub role: String,
    /// Codes of the areas that the body covers; everything below them counts.
    pub areas: Vec<String>,
}

impl HeldSeat {
    /// Does the body of this seat cover the area?
    #[must_use]
    pub fn covers(&self, area: &str) -> bool {
        self.areas.iter().any(|own| covers(own, area))
    }

    /// Does it, and belong there? Who evaluates an area from outside reads its records and takes no part.
    #[must_use]
    pub fn serves(&self, area: &str) -> bool {
        self.body_kind != EVALUATOR && self.covers(area)
    }
}

/// Is `inner` the area `outer` or below it? County 6, town 9, village 12 digits; below that `code-…`.
#[must_use]
pub fn covers(outer: &str, inner: &str) -> bool {
    match outer.len() {
        6 | 9 => inner.starts_with(outer),
        _ => inner == outer || (inner.starts_with(outer) && inner.as_bytes().get(outer.len()) == Some(&b'-')),
    }
}

#[cfg(test)]
impl Actor {
    /// Whoever lives in an area and sits nowhere.
    pub(crate) fn living_in(area: &str) -> Self {
        let (person, session) = (PersonId::new(), SessionId::new());
        Self { person, session, name: String::new(), area: area.to_owned(), seats: Vec::new(), phone_listed_at: None }
    }
}

#[cfg(test)]
impl HeldSeat {
    /// A seat in a body that covers an area.
    pub(crate) fn made_up(body_kind: &str, role: &str, area: &str) -> Self {
        Self {
            seat_id: SeatId::new(),
            body_id: BodyId::new(),
            body_kind: body_kind.to_owned(),
            body_name: String::new(),
            role: role.to_owned(),
            areas: vec![area.to_owned()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn an_area_covers_itself_and_what_is_below_only() {
        assert!(covers("330521", "330521103202"));
        assert!(covers("330521103", "330521103202-g11"));
        assert!(covers("330521103202", "330521103202"));
        assert!(!covers("330521103202", "330521103203"));
        assert!(!covers("330521103202", "330521103"));
        assert!(!covers("330521103202", "3305211032021"));
    }
}
