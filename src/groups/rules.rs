//! Who may be brought together.
use crate::bodies::BodyKind;

/// Who may belong to one group.
pub(super) const MAX_MEMBERS: usize = 500;
/// Who may be added at once.
pub(super) const AT_ONCE: usize = 100;

/// Do the seats of this kind of body talk to each other in a forum?
pub(super) fn has_forum(kind: BodyKind) -> bool {
    matches!(kind, BodyKind::Council | BodyKind::Federation | BodyKind::JointMeeting)
}
