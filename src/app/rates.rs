//! How fast people may write and addresses may ask: token buckets in memory, bounded by sweeping idle ones.
use std::{net::IpAddr, num::NonZeroU32, sync::Arc};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::{
    config::Config,
    error::{Code, Result},
    ids::PersonId,
};

/// One bucket a person for writes, one an address for everything. A carrier's NAT puts a village behind one address,
/// hence the address's bucket is large.
pub struct Rates {
    writes: DefaultKeyedRateLimiter<PersonId>,
    requests: DefaultKeyedRateLimiter<IpAddr>,
}

impl Rates {
    /// Buckets as the settings say.
    #[must_use]
    pub fn new(config: &Config) -> Arc<Self> {
        let quota = |rate: u32, burst: u32| {
            let one = NonZeroU32::MIN;
            Quota::per_second(NonZeroU32::new(rate).unwrap_or(one)).allow_burst(NonZeroU32::new(burst).unwrap_or(one))
        };
        Arc::new(Self {
            writes: RateLimiter::keyed(quota(config.writes_per_second, config.writes_burst)),
            requests: RateLimiter::keyed(quota(config.requests_per_second, config.requests_burst)),
        })
    }

    /// One write by this person.
    ///
    /// # Errors
    /// `too_many_requests`.
    pub fn write(&self, person: PersonId) -> Result<()> {
        self.writes.check_key(&person).map_err(|_| Code::TooManyRequests.after_secs(2))
    }

    /// One request from this address.
    ///
    /// # Errors
    /// `too_many_requests`.
    pub fn request(&self, address: IpAddr) -> Result<()> {
        self.requests.check_key(&address).map_err(|_| Code::TooManyRequests.after_secs(1))
    }

    /// Forgets who has been quiet; called every minute.
    pub fn sweep(&self) {
        self.writes.retain_recent();
        self.requests.retain_recent();
        self.writes.shrink_to_fit();
        self.requests.shrink_to_fit();
    }
}
