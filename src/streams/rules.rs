//! Kinds of stream, and who may read and write them.
use crate::{actor::Actor, actor::covers, bodies};

use super::Stream;

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamKind {
    /// A person's own: what concerns only that person. Subject: the person.
    Mailbox,
    /// Village, town or county: what everybody there sees. Subject: the area.
    Channel,
    /// About one suggestion. Subject: the suggestion.
    Thread,
    /// About one matter, open to the area. Subject: the matter.
    Discussion,
    /// A body's own work. Subject: the body.
    Office,
}

impl StreamKind {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mailbox => "mailbox",
            Self::Channel => "channel",
            Self::Thread => "thread",
            Self::Discussion => "discussion",
            Self::Office => "office",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Mailbox, Self::Channel, Self::Thread, Self::Discussion, Self::Office]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// What somebody may do in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Not even know it.
    None,
    /// Read.
    Read,
    /// Read and send messages.
    Write,
}

/// What the actor may do; `role` is that of a membership that was not left.
#[must_use]
pub fn access(stream: &Stream, actor: &Actor, role: Option<&str>) -> Access {
    let area = stream.area_code.as_deref().unwrap_or_default();
    let lives_there = covers(area, &actor.area);
    let serves_there = actor.seats.iter().any(|seat| seat.covers(area));
    let has_seat = stream.body_id.is_some_and(|body| actor.seats.iter().any(|seat| seat.body_id == body));
    match StreamKind::parse(&stream.kind) {
        Some(StreamKind::Mailbox) if stream.subject_id == actor.person.to_string() => Access::Read,
        Some(StreamKind::Channel) if bodies::may(actor, bodies::Right::PublishNotice, area) => Access::Write,
        Some(StreamKind::Channel) if lives_there || serves_there => Access::Read,
        Some(StreamKind::Discussion) if lives_there || serves_there => Access::Write,
        Some(StreamKind::Office) if has_seat => Access::Read,
        Some(StreamKind::Thread) => match role {
            Some("author") => Access::Write,
            // the membership alone is not enough: rights end with the seat
            Some("handler" | "handler_today") if has_seat => Access::Write,
            _ => Access::None,
        },
        _ => Access::None,
    }
}

/// An area and all above it: county (6), town (9), village (12 digits).
#[must_use]
pub fn chain_of_areas(area: &str) -> Vec<String> {
    [6, 9, 12].iter().filter_map(|length| area.get(..*length)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::{
        actor::HeldSeat,
        ids::{BodyId, PersonId, SeatId, SessionId, StreamId},
    };

    fn stream(kind: StreamKind, subject: &str, area: Option<&str>, body: Option<BodyId>) -> Stream {
        Stream {
            id: StreamId::new(),
            kind: kind.as_str().into(),
            subject_id: subject.into(),
            area_code: area.map(Into::into),
            body_id: body,
            title: String::new(),
            epoch: 1,
            last_seq: 0,
            last_no: 0,
            last_at: DateTime::UNIX_EPOCH,
            last_preview: String::new(),
            created_at: DateTime::UNIX_EPOCH,
            key_id: None,
        }
    }

    fn villager(area: &str) -> Actor {
        Actor {
            person: PersonId::new(),
            session: SessionId::new(),
            name: String::new(),
            area: area.into(),
            seats: vec![],
        }
    }

    #[test]
    fn another_village_knows_nothing_of_ours() {
        let stranger = villager("330521103203");
        for kind in [StreamKind::Channel, StreamKind::Discussion] {
            assert_eq!(access(&stream(kind, "x", Some("330521103202"), None), &stranger, None), Access::None);
        }
        let town = stream(StreamKind::Channel, "330521103", Some("330521103"), None);
        assert_eq!(access(&town, &stranger, None), Access::Read);
    }

    #[test]
    fn a_mailbox_is_its_owners_alone() {
        let owner = villager("330521103202");
        let mailbox = stream(StreamKind::Mailbox, &owner.person.to_string(), None, None);
        assert_eq!(access(&mailbox, &owner, None), Access::Read);
        assert_eq!(access(&mailbox, &villager("330521103202"), Some("author")), Access::None);
    }

    #[test]
    fn a_handler_without_the_seat_is_out_of_the_thread() {
        let body = BodyId::new();
        let thread = stream(StreamKind::Thread, "s", Some("330521103202"), Some(body));
        let mut clerk = villager("330521103202");
        assert_eq!(access(&thread, &clerk, Some("handler")), Access::None);
        assert_eq!(access(&thread, &clerk, None), Access::None);
        clerk.seats.push(HeldSeat {
            seat_id: SeatId::new(),
            body_id: body,
            body_kind: "village_committee".into(),
            body_name: String::new(),
            role: "clerk".into(),
            areas: vec!["330521103202".into()],
        });
        assert_eq!(access(&thread, &clerk, Some("handler")), Access::Write);
        assert_eq!(access(&thread, &clerk, None), Access::None);
    }
}
