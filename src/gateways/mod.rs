//! Ways out of the house: WeChat, SMS, the village's loudspeaker, signed webhooks; all behind [`Gateways::send`].
//!
//! Always true: nothing here touches the database; an address inside our own network is never called for an outsider
//! unless the settings allow it; no phone, openid, token, word of a message in an error, a log or an [`Outcome`]; a send
//! is one call for the outside, tried again here only where nothing can have been done.
//! Tables owned: none. Events recorded: none.
//!
//! # Why
//! Whoever plans deliveries knows addresses, letters and six ways in which a send can end, and no provider's numbers: a
//! channel is added here and nowhere else. The providers' base addresses are the operator's settings, so only webhooks,
//! whose addresses come from outside, pass the filter.
mod calls;
pub mod loudspeaker;
pub mod sms;
pub mod webhook;
pub mod wechat;

use chrono::{DateTime, Utc};
use serde_json::Value;

use self::{
    loudspeaker::Loudspeaker,
    sms::Sms,
    webhook::Webhooks,
    wechat::{Wechat, WechatApp, messages::Way},
};
use crate::{clock::Clock, config::Config, error::Result};

/// Every way out.
pub struct Gateways {
    /// Official account and Mini Program.
    pub wechat: Wechat,
    /// Text messages and spoken codes.
    pub sms: Sms,
    /// The village's loudspeaker.
    pub loudspeaker: Loudspeaker,
    /// Signed calls to others.
    pub webhooks: Webhooks,
}

/// Where something is sent.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// Somebody in WeChat, in one of the ways in which the account may speak.
    Wechat {
        /// Which account.
        app: WechatApp,
        /// Whom.
        openid: String,
        /// How.
        way: Way,
    },
    /// A mobile number: eleven digits.
    Phone(String),
    /// The loudspeaker of a village.
    Village(String),
    /// An address of somebody else's program.
    Hook {
        /// Where.
        url: String,
        /// What it is signed with.
        secret: String,
    },
}

/// What is sent; each channel takes from it what it can carry.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    /// The delivery's id: the same over all tries, so that who knows it drops repeats.
    pub id: String,
    /// Stable name of what it is about; the settings say which approved template of a provider belongs to it.
    pub template: String,
    /// All of it in words: for a conversation, a loudspeaker.
    pub text: String,
    /// Parts by name (`title`, `time`, `number`, `place`, `state`), for the blanks of templates.
    pub blanks: Vec<(&'static str, String)>,
    /// Address of the page that it is about, to a loudspeaker of its recording; or nothing.
    pub link: String,
    /// For programs.
    pub body: Value,
}

impl Letter {
    /// The part of this name.
    #[must_use]
    pub fn blank(&self, name: &str) -> Option<&str> {
        self.blanks.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

/// How a send ended. `status` is the provider's number (HTTP status, `errcode`), 0 when there is none; `why` a stable name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is with the provider.
    Sent {
        /// The provider's number.
        status: i64,
        /// What the provider calls it, or nothing.
        id: String,
    },
    /// It was not sent; worth another try.
    TryAgain {
        /// The provider's number.
        status: i64,
        /// Seconds to wait at least, a day at most.
        after_secs: Option<u32>,
    },
    /// Nobody knows whether it was sent: one more try at most, and never by itself where a repeat would disturb.
    Unknown,
    /// This is not sent to this address this way; another channel may.
    Never {
        /// The provider's number.
        status: i64,
        /// Stable name.
        why: &'static str,
    },
    /// The address takes nothing any more through this channel.
    AddressOff {
        /// The provider's number.
        status: i64,
        /// Stable name: `bad_address`, `not_following`, `refuses`.
        why: &'static str,
    },
    /// A person must look before anything else happens to this one.
    Held {
        /// The provider's number.
        status: i64,
        /// Stable name: `sensitive`, `field`, `bug`.
        why: &'static str,
    },
    /// The provider, the account or a template is out of order for everybody: stop sending this way for a while.
    Broken {
        /// The provider's number.
        status: i64,
        /// Stable name: `quota`, `account`, `interface`, `template`, `not_set_up`.
        why: &'static str,
        /// Seconds after which it may be better.
        after_secs: u32,
    },
}

impl Outcome {
    /// Stable name, for attempts and counters.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "sent",
            Self::TryAgain { .. } => "try_again",
            Self::Unknown => "unknown",
            Self::Never { .. } => "never",
            Self::AddressOff { .. } => "address_off",
            Self::Held { .. } => "held",
            Self::Broken { .. } => "broken",
        }
    }

    /// The provider's number.
    #[must_use]
    pub fn status(&self) -> i64 {
        match self {
            Self::Sent { status, .. }
            | Self::TryAgain { status, .. }
            | Self::Never { status, .. }
            | Self::AddressOff { status, .. }
            | Self::Held { status, .. }
            | Self::Broken { status, .. } => *status,
            Self::Unknown => 0,
        }
    }
}

/// Nothing of this kind is set up; it may be after an hour.
pub(crate) const NOT_SET_UP: Outcome = Outcome::Broken { status: 0, why: "not_set_up", after_secs: 3600 };

impl Gateways {
    /// The providers that the settings name.
    ///
    /// # Errors
    /// When TLS cannot be set up, or a setting cannot be used.
    pub fn open(config: &Config, clock: &Clock, echo_codes: bool) -> Result<Self> {
        Ok(Self {
            wechat: Wechat::open(config, clock)?,
            sms: Sms::open(config, clock, echo_codes)?,
            loudspeaker: Loudspeaker::open(config)?,
            webhooks: Webhooks::new(config)?,
        })
    }

    /// Sends a letter to an address, at this time.
    pub async fn send(&self, to: &Address, letter: &Letter, at: DateTime<Utc>) -> Outcome {
        match to {
            Address::Wechat { app, openid, way } => self.wechat.send((*app, *way), openid, letter).await,
            Address::Phone(phone) => self.sms.send(phone, letter).await,
            Address::Village(area) => self.loudspeaker.send(area, letter, at).await,
            Address::Hook { url, secret } => {
                self.webhooks.post(url, secret, &letter.id, at, letter.body.to_string()).await
            }
        }
    }
}
