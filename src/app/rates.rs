//! How fast people may write and addresses may ask: token buckets in memory, bounded by sweeping idle ones.
use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::Arc,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::{
    config::Config,
    error::{Code, Result},
    ids::PersonId,
};

/// As many members of a collective as one may enter by name and identity number in a day.
const NUMBERS_A_DAY: u32 = 200;

/// One bucket a person for writes, one a network for everything. A carrier's NAT puts a village behind one address,
/// hence that bucket is large.
pub struct Rates {
    writes: DefaultKeyedRateLimiter<PersonId>,
    /// What one person may fill the disk with.
    writes_of_a_day: DefaultKeyedRateLimiter<PersonId>,
    /// People named by an identity number: who tries numbers does not get far.
    numbers_of_a_day: DefaultKeyedRateLimiter<PersonId>,
    requests: DefaultKeyedRateLimiter<IpAddr>,
}

/// The network that an address belongs to: a subscriber of IPv6 has 2^64 addresses, all of one /64.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() >> 64 << 64)),
        four => four,
    }
}

impl Rates {
    /// Buckets as the settings say.
    #[must_use]
    pub fn new(config: &Config) -> Arc<Self> {
        let quota = |rate: u32, burst: u32| {
            let one = NonZeroU32::MIN;
            Quota::per_second(NonZeroU32::new(rate).unwrap_or(one)).allow_burst(NonZeroU32::new(burst).unwrap_or(one))
        };
        let of_a_day = |number: u32| {
            let day = NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
            let spread = std::time::Duration::from_secs(86_400) / day.get();
            Quota::with_period(spread).unwrap_or(Quota::per_second(day)).allow_burst(day)
        };
        Arc::new(Self {
            writes_of_a_day: RateLimiter::keyed(of_a_day(config.writes_per_day)),
            numbers_of_a_day: RateLimiter::keyed(of_a_day(NUMBERS_A_DAY)),
            writes: RateLimiter::keyed(quota(config.writes_per_second, config.writes_burst)),
            requests: RateLimiter::keyed(quota(config.requests_per_second, config.requests_burst)),
        })
    }

    /// One write by this person.
    ///
    /// # Errors
    /// `too_many_requests`.
    pub fn write(&self, person: PersonId) -> Result<()> {
        self.writes.check_key(&person).map_err(|_| Code::TooManyRequests.after_secs(2))?;
        self.writes_of_a_day.check_key(&person).map_err(|_| Code::TooManyRequests.after_secs(600))
    }

    /// So many people whom this person names by an identity number, whatever comes of it.
    ///
    /// # Errors
    /// `too_many_requests`.
    pub fn numbers(&self, person: PersonId, count: usize) -> Result<()> {
        let Some(count) = u32::try_from(count).ok().and_then(NonZeroU32::new) else { return Ok(()) };
        match self.numbers_of_a_day.check_key_n(&person, count) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Code::TooManyRequests.after_secs(3600)),
        }
    }

    /// One request from the network of this address.
    ///
    /// # Errors
    /// `too_many_requests`.
    pub fn request(&self, address: IpAddr) -> Result<()> {
        self.requests.check_key(&network(address)).map_err(|_| Code::TooManyRequests.after_secs(1))
    }

    /// Forgets who has been quiet; called every minute.
    pub fn sweep(&self) {
        self.writes.retain_recent();
        self.writes_of_a_day.retain_recent();
        self.numbers_of_a_day.retain_recent();
        self.requests.retain_recent();
        self.writes.shrink_to_fit();
        self.writes_of_a_day.shrink_to_fit();
        self.numbers_of_a_day.shrink_to_fit();
        self.requests.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscriber_of_ipv6_is_one_network() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:aaaa::1"), of("2001:db8:1:2:bbbb::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
