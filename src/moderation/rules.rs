//! Where messages can be held, and the states of one that is.
use chrono::TimeDelta;

use crate::streams::StreamKind;

/// Conversations in which messages may be looked at first.
const KINDS: [StreamKind; 2] = [StreamKind::Discussion, StreamKind::Group];
/// Characters of a reason and of an appeal.
pub(super) const REASON: std::ops::RangeInclusive<usize> = 2..=200;
/// The words of what was refused are kept this long after the last decision.
pub(super) const KEPT: TimeDelta = TimeDelta::days(90);
/// What one person has waiting at most.
pub(super) const MAX_WAITING: u64 = 20;

/// It is held because everything is, here.
pub(super) const REVIEW: &str = "review";

/// Nobody has decided yet.
pub(super) const WAITING: &str = "waiting";
/// It was sent.
pub(super) const APPROVED: &str = "approved";
/// It was refused; its author may object.
pub(super) const REFUSED: &str = "refused";
/// Its author objected.
pub(super) const APPEALED: &str = "appealed";
/// It was refused for good.
pub(super) const UPHELD: &str = "upheld";

/// Can messages in conversations of this kind be held?
#[must_use]
pub fn may_be_held(kind: &str) -> bool {
    KINDS.iter().any(|known| known.as_str() == kind)
}
