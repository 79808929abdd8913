//! Where one may report, how long evidence is kept.
use chrono::TimeDelta;

use crate::streams::StreamKind;

/// Conversations whose messages may be reported.
const KINDS: [StreamKind; 4] = [StreamKind::Channel, StreamKind::Discussion, StreamKind::Forum, StreamKind::Group];
/// Characters of a reason.
pub(super) const REASON: std::ops::RangeInclusive<usize> = 2..=200;
/// Evidence is kept this long after the decision, for who appeals.
pub(super) const KEPT: TimeDelta = TimeDelta::days(90);

/// Nobody has decided yet.
pub(super) const OPEN: &str = "open";
/// The message stays.
pub(super) const KEPT_MESSAGE: &str = "kept";
/// The message was taken away.
pub(super) const REMOVED: &str = "removed";

/// May messages in conversations of this kind be reported?
#[must_use]
pub fn may_be_reported(kind: &str) -> bool {
    KINDS.iter().any(|known| known.as_str() == kind)
}
