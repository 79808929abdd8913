//! 短信: text messages by a provider's approved templates, and one-time codes, also spoken.
//!
//! Always true: nothing is sent but by a template that the settings name; no address of a page in its blanks; what came
//! back is decided in one table for each provider.
mod aliyun;
mod answers;
mod signing;
mod templates;
mod tencent;

use std::{io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf};

use serde_json::json;

use self::{
    aliyun::Aliyun,
    templates::{SmsTemplate, SmsTemplates},
    tencent::Tencent,
};
pub use self::{
    aliyun::acs3,
    answers::{Receipt, aliyun_outcome, receipts, tencent_outcome},
    tencent::tc3,
};
use super::{Letter, NOT_SET_UP, Outcome, calls::Caller};
use crate::{
    clock::Clock,
    config::{Config, SmsProvider},
    error::{Code, Error, Result},
};

/// The template of a one-time code; its one part is `code`.
const CODE: &str = "code";

/// Sends messages to phones.
pub struct Sms {
    provider: Provider,
    templates: SmsTemplates,
}

enum Provider {
    /// Not set up.
    None,
    /// Appends to a 0600 file; `echo` also prints codes on the terminal of the demo.
    File { path: PathBuf, echo: bool },
    /// Alibaba Cloud.
    Aliyun(Aliyun),
    /// Tencent Cloud.
    Tencent(Tencent),
}

/// A text without blanks, as a provider has approved it; a provider's template is found by its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmsNotice {
    /// To the number by which somebody signed in until now: another one has taken its place.
    PhoneReplaced,
    /// To the new number: it is bound.
    PhoneBound,
    /// To the new number: the office refused, or did not decide in time.
    ClaimRefused,
}

impl SmsNotice {
    /// The stable name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::PhoneReplaced => "phone_replaced",
            Self::PhoneBound => "phone_bound",
            Self::ClaimRefused => "claim_refused",
        }
    }
}

/// A message ready for a provider: its template filled in.
struct Filled<'a> {
    /// Eleven digits.
    phone: &'a str,
    template: &'a SmsTemplate,
    /// In the template's order.
    values: Vec<String>,
    /// What comes back with the receipt.
    id: &'a str,
}

impl Sms {
    /// The provider that the settings name.
    ///
    /// # Errors
    /// When TLS cannot be set up, or a setting cannot be used.
    pub fn open(config: &Config, clock: &Clock, echo: bool) -> Result<Self> {
        let provider = match config.sms_provider {
            SmsProvider::None => Provider::None,
            SmsProvider::File => Provider::File { path: config.data_dir.join("sms.txt"), echo },
            SmsProvider::Aliyun => Provider::Aliyun(Aliyun::new(config, Caller::new()?, clock.clone())),
            SmsProvider::Tencent => Provider::Tencent(Tencent::new(config, Caller::new()?, clock.clone())),
        };
        Ok(Self { provider, templates: SmsTemplates::read(&config.sms_templates).map_err(Error::broken)? })
    }

    /// Can it send at all?
    #[must_use]
    pub fn is_set_up(&self) -> bool {
        !matches!(self.provider, Provider::None)
    }

    /// Can it speak a code?
    #[must_use]
    pub fn can_speak(&self) -> bool {
        match &self.provider {
            Provider::None => false,
            Provider::File { .. } => true,
            Provider::Aliyun(aliyun) => aliyun.can_speak(),
            Provider::Tencent(tencent) => tencent.can_speak(),
        }
    }

    /// Sends a letter by its template, without the address that it leads to.
    pub async fn send(&self, phone: &str, letter: &Letter) -> Outcome {
        let part = |name: &str| letter.blank(name).unwrap_or_default().to_owned();
        self.fill(phone, (&letter.template, &letter.id), part).await
    }

    async fn fill(&self, phone: &str, (name, id): (&str, &str), part: impl Fn(&str) -> String) -> Outcome {
        if let Provider::File { path, .. } = &self.provider {
            let line = format!("notice {phone} {name} {id}");
            return written(path.clone(), format!("{}\n", line.trim_end())).await;
        }
        let Some(template) = self.templates.find(name) else {
            return Outcome::Never { status: 0, why: "no_template" };
        };
        let values = template.parts.iter().map(|name| templates::fit(&part(name))).collect();
        let filled = Filled { phone, template, values, id };
        match &self.provider {
            Provider::Aliyun(aliyun) => aliyun.send(&filled).await,
            Provider::Tencent(tencent) => tencent.send(&filled).await,
            Provider::None | Provider::File { .. } => NOT_SET_UP,
        }
    }

    /// Sends one of the fixed notices; it has no blanks, so nothing personal is in it but the number it goes to.
    ///
    /// # Errors
    /// `sms_unavailable` when nobody sends.
    pub async fn send_notice(&self, phone: &str, notice: SmsNotice) -> Result<()> {
        taken(&self.fill(phone, (notice.code(), ""), |_| String::new()).await)
    }

    /// Sends the code.
    ///
    /// # Errors
    /// `sms_unavailable` when nobody sends.
    pub async fn send_code(&self, phone: &str, code: &str) -> Result<()> {
        match &self.provider {
            Provider::None => Err(Code::SmsUnavailable.into()),
            Provider::File { path, echo } => {
                taken(&written(path.clone(), format!("{phone} {code}\n")).await)?;
                if *echo { echoed(phone, code).await } else { Ok(()) }
            }
            Provider::Aliyun(_) | Provider::Tencent(_) => {
                taken(&self.fill(phone, (CODE, ""), |_| code.to_owned()).await)
            }
        }
    }

    /// Has the code spoken over the phone, for who cannot read it.
    ///
    /// # Errors
    /// `sms_unavailable` when nobody speaks.
    pub async fn speak_code(&self, phone: &str, code: &str) -> Result<()> {
        match &self.provider {
            Provider::Aliyun(aliyun) => taken(&aliyun.speak(phone, code).await),
            Provider::Tencent(tencent) => taken(&tencent.speak(phone, code).await),
            Provider::None | Provider::File { .. } => self.send_code(phone, code).await,
        }
    }

    /// Is the provider there, and does it know us? Asks without sending.
    ///
    /// # Errors
    /// Why not, by a stable name.
    pub async fn check(&self) -> std::result::Result<(), &'static str> {
        match &self.provider {
            Provider::None | Provider::File { .. } => Ok(()),
            Provider::Aliyun(aliyun) => aliyun.check().await,
            Provider::Tencent(tencent) => tencent.check().await,
        }
    }
}

/// A one-time message is not tried again by us: who waits for it asks again.
fn taken(outcome: &Outcome) -> Result<()> {
    match outcome {
        // lost on the way back: it may have arrived
        Outcome::Sent { .. } | Outcome::Unknown => Ok(()),
        other => {
            tracing::error!(outcome = other.word(), status = other.status(), "SMS");
            Err(Code::SmsUnavailable.into())
        }
    }
}

async fn written(path: PathBuf, line: String) -> Outcome {
    let written = tokio::task::spawn_blocking(move || {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        file.write_all(line.as_bytes())
    });
    match written.await {
        Ok(Ok(())) => Outcome::Sent { status: 0, id: String::new() },
        _ => Outcome::TryAgain { status: 0, after_secs: None },
    }
}

async fn echoed(phone: &str, code: &str) -> Result<()> {
    let line = format!("{phone} {code}");
    let said = tokio::task::spawn_blocking(move || {
        let mut out = std::io::stdout();
        out.write_all(crate::text::say_with("demo-code", &[("line", line.into())]).as_bytes())?;
        out.write_all(b"\n")
    });
    Ok(said.await.map_err(Error::broken)??)
}

/// Parameters by name, as JSON text: every value a string.
fn named(filled: &Filled<'_>) -> String {
    let pairs = filled.template.parts.iter().zip(&filled.values).map(|(name, value)| (name.clone(), json!(value)));
    serde_json::Value::Object(pairs.collect()).to_string()
}
