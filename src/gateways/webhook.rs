//! Signed outgoing calls (Standard Webhooks), never into our own network unless the settings allow it.
//!
//! # Why
//! The address is judged three times: its text when it is set up and before each call (an IP address never reaches a
//! resolver), and what its name resolves to inside the connection itself, so that a name which changes its mind between
//! check and call gains nothing. No redirect is followed and no proxy is used: both would choose another address.
//! Every answer but 2xx is tried again, because a receiver that is being set up or repaired answers 404, 401 or 502
//! alike; only a redirect and 410 say that trying is pointless.
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use ring::hmac;

use super::Outcome;
use crate::{
    config::Config,
    error::{Error, Result},
};

/// Longest address that is taken.
const MAX_URL: usize = 500;
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// What every secret of the Standard Webhooks specification begins with; base64 follows.
pub const SECRET_PREFIX: &str = "whsec_";

/// Why an address is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not an address of the kind that is called.
    NotAUrl,
    /// It leads into a network that is not for outsiders.
    Inside,
}

impl Fault {
    /// The key of the sentence for [`crate::error::Checks`].
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotAUrl => "not_a_url",
            Self::Inside => "address_refused",
        }
    }
}

/// Where an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Public,
    /// This machine, or a network of the county's own.
    Private,
    /// Link-local, cloud metadata, multicast, reserved: never called.
    Forbidden,
}

/// The HTTP clients for calls to others: by `https`, and by `http`, which leads inside only.
pub struct Webhooks {
    secure: reqwest::Client,
    plain: reqwest::Client,
    private_too: bool,
}

impl Webhooks {
    /// Clients that follow no redirect, use no proxy and wait 15 s at most.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(config: &Config) -> Result<Self> {
        let private_too = config.webhook_allow_private;
        let client = |scheme| {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .dns_resolver(Arc::new(Filtering { scheme, private_too }))
                .connect_timeout(CONNECT_WITHIN)
                .timeout(ANSWER_WITHIN)
                .pool_max_idle_per_host(1)
                .user_agent("liusheng-webhook/1")
                .build()
                .map_err(|error| Error::broken(error.without_url()))
        };
        Ok(Self { secure: client("https")?, plain: client("http")?, private_too })
    }

    /// May this address be called? A name that does not resolve now may do so later and is no fault.
    ///
    /// # Errors
    /// The fault.
    pub async fn check(&self, url: &str) -> std::result::Result<(), Fault> {
        let url = allowed(url, self.private_too)?;
        let Some(name) = url.host_str().filter(|host| ip_of(host).is_none()) else { return Ok(()) };
        let looked_up = tokio::time::timeout(CONNECT_WITHIN, tokio::net::lookup_host((name, 0))).await;
        let Ok(Ok(found)) = looked_up else { return Ok(()) };
        let places: Vec<Place> = found.map(|address| place(address.ip())).collect();
        if places.iter().all(|place| may_call(*place, url.scheme(), self.private_too)) {
            Ok(())
        } else {
            Err(Fault::Inside)
        }
    }

    /// Posts a JSON body; `id` stays the same over all tries, so that the receiver can drop repeats.
    pub async fn post(&self, url: &str, secret: &str, id: &str, at: DateTime<Utc>, body: String) -> Outcome {
        if self.check(url).await.is_err() {
            return Outcome::Never { status: 0, why: "address_refused" };
        }
        let timestamp = at.timestamp().to_string();
        let is_plain = Url::parse(url).is_ok_and(|url| url.scheme() == "http");
        let client = if is_plain { &self.plain } else { &self.secure };
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", &timestamp)
            .header("webhook-signature", sign(secret, id, &timestamp, &body))
            .body(body);
        // the answer's body is not read: nobody needs it, and it could be endless
        match request.send().await {
            Ok(answer) => outcome(
                answer.status().as_u16(),
                answer.headers().get("retry-after").and_then(|value| value.to_str().ok()),
            ),
            Err(_) => Outcome::TryAgain { status: 0, after_secs: None },
        }
    }
}

/// What an answer to a signed call means.
pub(super) fn outcome(status: u16, retry_after: Option<&str>) -> Outcome {
    match status {
        200..=299 => Outcome::Sent { status: status.into(), id: String::new() },
        300..=399 | 410 => Outcome::Never { status: status.into(), why: "gone" },
        _ => {
            let after_secs = retry_after.and_then(|text| text.trim().parse::<u32>().ok()).map(|secs| secs.min(86_400));
            Outcome::TryAgain { status: status.into(), after_secs }
        }
    }
}

/// Hands the connection only addresses that may be called that way.
#[derive(Clone, Copy)]
struct Filtering {
    scheme: &'static str,
    private_too: bool,
}

impl Filtering {
    fn lets(self, ip: IpAddr) -> bool {
        may_call(place(ip), self.scheme, self.private_too)
    }
}

impl Resolve for Filtering {
    fn resolve(&self, name: Name) -> Resolving {
        let filter = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let kept: Vec<_> = found.filter(|address| filter.lets(address.ip())).collect();
            if kept.is_empty() {
                return Err("no address that may be called".into());
            }
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

/// Reads an address; one that names an IP address is judged at once.
fn allowed(text: &str, private_too: bool) -> std::result::Result<Url, Fault> {
    let url = Url::parse(text).map_err(|_| Fault::NotAUrl)?;
    let is_https = url.scheme() == "https";
    let plain = text.len() <= MAX_URL
        && (is_https || (private_too && url.scheme() == "http"))
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    if !plain {
        return Err(Fault::NotAUrl);
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(Fault::NotAUrl)?;
    let may = ip_of(host).is_none_or(|ip| may_call(place(ip), url.scheme(), private_too));
    if may { Ok(url) } else { Err(Fault::Inside) }
}

/// The parser has put every way of writing an address into the plain one.
fn ip_of(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// `https` to the world, and inside where the settings allow it; `http` inside only.
fn may_call(place: Place, scheme: &str, private_too: bool) -> bool {
    match place {
        Place::Public => scheme == "https",
        Place::Private => private_too,
        Place::Forbidden => false,
    }
}

fn place(ip: IpAddr) -> Place {
    match ip {
        IpAddr::V4(ip) => place_v4(ip),
        IpAddr::V6(ip) => place_v6(ip),
    }
}

fn place_v4(ip: Ipv4Addr) -> Place {
    match ip.octets() {
        [127 | 10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Place::Private,
        // this network, shared (with Alibaba's metadata at 100.100.100.200), link-local (with everybody else's)
        [0, ..] | [100, 64..=127, ..] | [169, 254, ..] => Place::Forbidden,
        // protocol assignments, documentation, 6to4 relays, benchmarks
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18..=19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Place::Forbidden
        }
        // multicast, reserved, broadcast
        [224..=255, ..] => Place::Forbidden,
        _ => Place::Public,
    }
}

fn place_v6(ip: Ipv6Addr) -> Place {
    let inner = |high: u16, low: u16| place_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Place::Private,
        // IPv4 in other clothes: mapped, compatible, translated (NAT64), 6to4
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => inner(high, low),
        [0x2002, high, low, ..] => inner(high, low),
        // Amazon's metadata lies among the private addresses
        [0xfd00, 0xec2, ..] => Place::Forbidden,
        [0xfc00..=0xfdff, ..] => Place::Private,
        // local NAT64, discard, Teredo and other assignments, documentation
        [0x64, 0xff9b, ..] | [0x100, ..] | [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, ..] => Place::Forbidden,
        [0x2000..=0x3fff, ..] => Place::Public,
        // link-local, site-local, multicast, and what nobody has given out
        _ => Place::Forbidden,
    }
}

/// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. A secret `whsec_…` is the base64 of the key, as the
/// specification's libraries expect; any other is the key itself.
#[must_use]
pub fn sign(secret: &str, id: &str, timestamp: &str, body: &str) -> String {
    let decoded = secret.strip_prefix(SECRET_PREFIX).and_then(|text| STANDARD.decode(text).ok());
    let key = hmac::Key::new(hmac::HMAC_SHA256, decoded.as_deref().unwrap_or(secret.as_bytes()));
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(url: &str, private_too: bool) -> Option<Fault> {
        allowed(url, private_too).err()
    }

    #[test]
    fn no_way_of_writing_an_inner_address_is_called() {
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "2130706433",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.100.100.200",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::7f00:1]",
            "[2002:7f00:1::]",
            "[2001:0:1::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[ff02::1]",
            "１２７.０.０.１",
        ] {
            assert_eq!(fault(&format!("https://{host}/hook"), false), Some(Fault::Inside), "{host}");
        }
    }

    #[test]
    fn what_is_no_plain_https_address_is_refused() {
        for url in [
            "",
            "example.org",
            "http://example.org/",
            "ftp://example.org/",
            "gopher://example.org/",
            "file:///etc/passwd",
            "https://",
            "https://user@example.org/",
            "https://user:pass@example.org/",
            "https://example.org/#x",
            "javascript:alert(1)",
        ] {
            assert_eq!(fault(url, false), Some(Fault::NotAUrl), "{url}");
        }
        assert_eq!(fault(&format!("https://example.org/{}", "x".repeat(500)), false), Some(Fault::NotAUrl));
        for url in
            ["https://example.org/hook?x=1", "https://example.org:8443/", "https://8.8.8.8/", "https://[2400:3200::1]/"]
        {
            assert_eq!(fault(url, false), None, "{url}");
        }
    }

    #[test]
    fn with_the_setting_inner_addresses_are_called_and_metadata_still_is_not() {
        for url in
            ["http://127.0.0.1:9000/", "https://10.0.0.8/", "http://[::1]/", "http://[fd12::1]/", "http://loudspeaker/"]
        {
            assert_eq!(fault(url, true), None, "{url}");
        }
        for url in [
            "http://8.8.8.8/",
            "http://169.254.169.254/",
            "https://100.100.100.200/",
            "http://[fe80::1]/",
            "http://0.0.0.0/",
        ] {
            assert_eq!(fault(url, true), Some(Fault::Inside), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_and_resolves_to_nothing() {
        for scheme in ["https", "http"] {
            let resolver = |private_too| Filtering { scheme, private_too };
            assert!(resolver(false).resolve("localhost".parse().unwrap()).await.is_err());
            assert!(resolver(true).resolve("localhost".parse().unwrap()).await.is_ok());
        }
    }

    /// A name may have changed its mind since it was looked at.
    #[test]
    fn what_is_not_encrypted_reaches_nobody_outside_whatever_a_name_resolves_to() {
        let lets = |scheme, ip: &str| Filtering { scheme, private_too: true }.lets(ip.parse().unwrap());
        assert!(lets("http", "10.0.0.8") && lets("https", "10.0.0.8") && lets("https", "8.8.8.8"));
        assert!(!lets("http", "8.8.8.8") && !lets("http", "2400:3200::1") && !lets("https", "169.254.169.254"));
    }

    #[test]
    fn only_a_redirect_and_gone_are_final() {
        assert_eq!(outcome(204, None), Outcome::Sent { status: 204, id: String::new() });
        assert_eq!(outcome(302, None), Outcome::Never { status: 302, why: "gone" });
        assert_eq!(outcome(410, None), Outcome::Never { status: 410, why: "gone" });
        for status in [400, 401, 404, 408, 500, 503] {
            assert_eq!(outcome(status, None), Outcome::TryAgain { status: status.into(), after_secs: None });
        }
        assert_eq!(outcome(429, Some("120")), Outcome::TryAgain { status: 429, after_secs: Some(120) });
        assert_eq!(outcome(429, Some("4294967295")), Outcome::TryAgain { status: 429, after_secs: Some(86_400) });
        assert_eq!(outcome(429, Some("Wed, 21 Oct")), Outcome::TryAgain { status: 429, after_secs: None });
    }

    /// The example of the Standard Webhooks specification.
    #[test]
    fn the_signature_is_the_one_of_the_specification() {
        let body = r#"{"test": 2432232314}"#;
        let signed = sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
