//! Kinds of stream, and who may read and write them.
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    actor::{Actor, HeldSeat, covers},
    bodies,
    ids::BodyId,
};

use super::Stream;

/// Handles a voice.
const HANDLER: &str = "handler";
/// Was given a voice.
const GIVEN: &str = "given";
/// Who of an office belongs to a thread, for as long as the seat lasts.
pub const HANDLERS: [&str; 4] = [HANDLER, HANDLER_TODAY, GIVEN, GIVEN_TODAY];
/// Opened a private thread by right, and belongs to it until the day ends.
pub const HANDLER_TODAY: &str = "handler_today";
/// The same, because the voice was given to that person.
pub const GIVEN_TODAY: &str = "given_today";

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
    /// A resident and the village's office. Subject: the body and the person.
    Contact,
    /// What the members of a council, a federation or a joint meeting say to each other. Subject: the body.
    Forum,
    /// People whom a body has brought together. Subject: the group.
    Group,
}

/// State of an entry: as it was said.
pub const SAID: &str = "said";
/// Its sender took it back.
pub const RECALLED: &str = "recalled";
/// Whoever leads the conversation took it away, with a reason.
pub const REMOVED: &str = "removed";
/// A message may be taken back within this time.
pub const RECALL_WITHIN: TimeDelta = TimeDelta::minutes(2);
/// Everybody may be addressed once within this time.
pub const ALL_AGAIN_AFTER: TimeDelta = TimeDelta::hours(1);

/// Who leads a group.
pub const LEADER: &str = "leader";
/// Who belongs to a group.
pub const MEMBER: &str = "member";
/// Does no longer belong to it, whatever the reason.
pub const FORMER: &str = "former";
/// Before the id of the body for which somebody from elsewhere was let into a discussion.
pub(super) const GUEST_FOR: &str = "guest_for:";
/// Whose thread or contact it is.
pub const AUTHOR: &str = "author";

impl StreamKind {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::Mailbox,
        Self::Channel,
        Self::Thread,
        Self::Discussion,
        Self::Office,
        Self::Contact,
        Self::Forum,
        Self::Group,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mailbox => "mailbox",
            Self::Channel => "channel",
            Self::Thread => "thread",
            Self::Discussion => "discussion",
            Self::Office => "office",
            Self::Contact => "contact",
            Self::Forum => "forum",
            Self::Group => "group",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

/// The side an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// An argument for it.
    For,
    /// One against it.
    Against,
    /// What else is known.
    Info,
    /// Another way of doing it than the plan's.
    Alternative,
}

impl Side {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::For => "for",
            Self::Against => "against",
            Self::Info => "info",
            Self::Alternative => "alternative",
        }
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

/// What of a stream decides who may do what in it.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) kind: &'a str,
    pub(super) subject_id: &'a str,
    pub(super) area_code: Option<&'a str>,
    pub(super) body_id: Option<BodyId>,
}

impl<'a> Scope<'a> {
    pub(super) fn of(stream: &'a Stream) -> Self {
        let Stream { kind, subject_id, area_code, body_id, .. } = stream;
        Self { kind, subject_id, area_code: area_code.as_deref(), body_id: *body_id }
    }
}

/// What the actor may do; `role` is that of a membership that was not left.
#[must_use]
pub fn access(stream: &Stream, actor: &Actor, role: Option<&str>) -> Access {
    access_to(Scope::of(stream), actor, role)
}

/// The same, for who has not read the whole row.
pub(super) fn access_to(stream: Scope<'_>, actor: &Actor, role: Option<&str>) -> Access {
    let area = stream.area_code.unwrap_or_default();
    let lives_there = covers(area, &actor.area);
    let serves_there = actor.seats.iter().any(|seat| seat.serves(area));
    let mut in_body = actor.seats.iter().filter(|seat| Some(seat.body_id) == stream.body_id).peekable();
    let has_seat = in_body.peek().is_some();
    let handles = in_body.clone().any(|seat| handles(&seat.body_kind, &seat.role));
    let opens = in_body.any(|seat| opens(&seat.body_kind, &seat.role));
    match StreamKind::parse(stream.kind) {
        Some(StreamKind::Mailbox) if stream.subject_id == actor.person.to_string() => Access::Read,
        Some(StreamKind::Channel) if bodies::may(actor, bodies::Right::PublishNotice, area) => Access::Write,
        Some(StreamKind::Channel) if lives_there || serves_there => Access::Read,
        Some(StreamKind::Discussion) if lives_there || serves_there => Access::Write,
        Some(StreamKind::Discussion) if guest_seat(actor, role).is_some() => Access::Write,
        Some(StreamKind::Office) if has_seat => Access::Read,
        Some(StreamKind::Forum) if has_seat => Access::Write,
        Some(StreamKind::Contact) if handles || role == Some(AUTHOR) => Access::Write,
        Some(StreamKind::Group) if matches!(role, Some(LEADER | MEMBER)) => Access::Write,
        Some(StreamKind::Thread) => match role {
            Some(AUTHOR) => Access::Write,
            // the membership alone is not enough: rights end with the seat that gave them
            Some(HANDLER | HANDLER_TODAY) if opens => Access::Write,
            Some(GIVEN | GIVEN_TODAY) if has_seat => Access::Write,
            _ => Access::None,
        },
        _ => Access::None,
    }
}

/// The role of who was let into a discussion for a body.
pub(super) fn guest_role(body: BodyId) -> String {
    format!("{GUEST_FOR}{body}")
}

/// The seat for which the actor was let into a discussion, if it is held today: the membership alone is not enough.
pub(super) fn guest_seat<'a>(actor: &'a Actor, role: Option<&str>) -> Option<&'a HeldSeat> {
    let body = role?.strip_prefix(GUEST_FOR)?;
    actor.seats.iter().find(|seat| seat.body_id.to_string() == body)
}

/// May the actor take away what others said here, pin, and address everybody? Not where a resident speaks with an office:
/// what is said there is a voice.
#[must_use]
pub fn moderates(stream: &Stream, actor: &Actor, role: Option<&str>) -> bool {
    let area = stream.area_code.as_deref().unwrap_or_default();
    match StreamKind::parse(&stream.kind) {
        Some(StreamKind::Channel | StreamKind::Discussion) => bodies::may(actor, bodies::Right::Moderate, area),
        Some(StreamKind::Forum) => actor.seats.iter().any(|seat| {
            Some(seat.body_id) == stream.body_id && matches!(seat.role.as_str(), "chair" | "vice_chair" | "secretary")
        }),
        Some(StreamKind::Group) => role == Some(LEADER),
        _ => false,
    }
}

/// Does this seat open the voices that its body is responsible for? At an office of a town or the county every one does.
#[must_use]
pub fn handles(body_kind: &str, role: &str) -> bool {
    matches!(body_kind, "town_office" | "county_office")
        || bodies::rights(body_kind, role).contains(&bodies::Right::HandleSuggestions)
}

/// Does this seat open a voice that its body was given by another: who handles voices, and in any other body who speaks for it?
#[must_use]
pub fn opens(body_kind: &str, role: &str) -> bool {
    handles(body_kind, role) || bodies::SPEAKERS.contains(&role)
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
    use crate::ids::StreamId;

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
            last_all_seq: 0,
            changed_at: DateTime::UNIX_EPOCH,
        }
    }

    fn villager(area: &str) -> Actor {
        Actor::living_in(area)
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
    fn who_speaks_for_the_body_that_took_a_voice_is_in_its_thread_and_no_other_seat_is() {
        let body = BodyId::new();
        let thread = stream(StreamKind::Thread, "s", Some("330521103202"), Some(body));
        let mut somebody = villager("330521103202");
        for (role, expected) in [("chair", Access::Write), ("clerk", Access::Write), ("member", Access::None)] {
            somebody.seats =
                vec![HeldSeat { body_id: body, ..HeldSeat::made_up("party_branch", role, "330521103202") }];
            assert_eq!(access(&thread, &somebody, Some("handler")), expected, "{role}");
            assert_eq!(access(&thread, &somebody, Some("handler_today")), expected, "{role}");
            assert_eq!(access(&thread, &somebody, Some("former")), Access::None, "{role}: before");
        }
    }

    #[test]
    fn a_guest_speaks_in_the_discussion_for_as_long_as_the_seat_is_held() {
        let body = BodyId::new();
        let discussion = stream(StreamKind::Discussion, "m", Some("330521103202"), None);
        let mut guest = villager("330521103203");
        let role = guest_role(body);
        assert_eq!(access(&discussion, &guest, Some(&role)), Access::None, "no seat");
        guest.seats = vec![HeldSeat { body_id: body, ..HeldSeat::made_up("council", "member", "330521103203") }];
        assert_eq!(access(&discussion, &guest, Some(&role)), Access::Write);
        assert_eq!(access(&discussion, &guest, Some(&guest_role(BodyId::new()))), Access::None, "for another body");
        assert_eq!(access(&discussion, &guest, None), Access::None);
        let channel = stream(StreamKind::Channel, "330521103202", Some("330521103202"), None);
        assert_eq!(access(&channel, &guest, Some(&role)), Access::None, "nowhere else");
    }

    #[test]
    fn a_handler_without_the_seat_is_out_of_the_thread() {
        let body = BodyId::new();
        let thread = stream(StreamKind::Thread, "s", Some("330521103202"), Some(body));
        let mut clerk = villager("330521103202");
        assert_eq!(access(&thread, &clerk, Some("handler")), Access::None);
        assert_eq!(access(&thread, &clerk, None), Access::None);
        clerk.seats.push(HeldSeat { body_id: body, ..HeldSeat::made_up("village_committee", "clerk", "330521103202") });
        assert_eq!(access(&thread, &clerk, Some("handler")), Access::Write);
        assert_eq!(access(&thread, &clerk, None), Access::None);
        clerk.seats[0].role = "grid_worker".into();
        assert_eq!(access(&thread, &clerk, Some("handler")), Access::None, "the right went with the role");
        assert_eq!(access(&thread, &clerk, Some("given")), Access::Write, "what was given stays with the seat");
        clerk.seats.clear();
        assert_eq!(access(&thread, &clerk, Some("given")), Access::None);
    }
}
