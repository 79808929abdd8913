//! What ails a bucket, for each kind of call: one that takes nothing is not well because it still gives what it has.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// As long as that, what failed would fail again.
const FRESH: Duration = Duration::from_secs(5);

/// What is asked of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    Put,
    Get,
    Delete,
    List,
    /// As a stranger does.
    Look,
}

impl Call {
    /// Its name in the log and in the metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Get => "get",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Look => "look",
        }
    }

    /// How long all tries may take together. Whoever waits for a photo must be answered before `answer_timeout_secs`; what is
    /// sent may be long, and its line slow.
    pub(super) fn within(self) -> Duration {
        Duration::from_secs(if self == Self::Put { 60 } else { 20 })
    }
}

/// Why the last call of each kind came to nothing, if it did.
#[derive(Clone, Default)]
pub(super) struct Ailing(Arc<Mutex<BTreeMap<Call, (Instant, String)>>>);

impl Ailing {
    /// How a call of this kind ended: with this trouble, or well.
    pub(super) fn note(&self, call: Call, said: Option<String>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match said {
            Some(said) => all.insert(call, (Instant::now(), said)),
            None => all.remove(&call),
        };
    }

    /// The kinds that failed.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// In words, if anything ails.
    pub(super) fn said(&self) -> Option<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let said: Vec<_> = all.iter().map(|(call, (_, said))| format!("{}: {said}", call.as_str())).collect();
        (!said.is_empty()).then(|| said.join("; "))
    }

    /// Did this fail a moment ago?
    pub(super) fn is_fresh(&self, call: Call) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&call).is_some_and(|(at, _)| at.elapsed() < FRESH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_of_one_kind_is_over_with_the_same_kind_alone() {
        let ailing = Ailing::default();
        assert_eq!((ailing.said(), ailing.calls()), (None, Vec::new()));
        ailing.note(Call::Put, Some("403 AccessDenied".to_owned()));
        ailing.note(Call::Get, Some("503".to_owned()));
        ailing.note(Call::Get, None);
        ailing.note(Call::List, None);
        assert_eq!(ailing.said().as_deref(), Some("put: 403 AccessDenied"));
        assert_eq!(ailing.calls(), [Call::Put]);
        assert!(ailing.is_fresh(Call::Put) && !ailing.is_fresh(Call::Get));
        ailing.note(Call::Put, None);
        assert_eq!(ailing.said(), None);
    }

    #[test]
    fn what_is_sent_may_take_longer() {
        assert!(Call::Put.within() > Call::Get.within());
        assert!(Call::Get.within() < Duration::from_secs(30), "answer_timeout_secs");
    }
}
