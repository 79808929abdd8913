//! One-time codes by SMS. Today: nobody, or a file for trials; providers come with the delivery capability.
use std::{io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf};

use crate::{
    config::{Config, SmsProvider},
    error::{Code, Error, Result},
};

/// Sends a code to a phone.
pub enum Sms {
    /// Not set up.
    None,
    /// Appends `phone code` to a 0600 file; `echo` also prints it on the terminal of the demo.
    File {
        /// The file.
        path: PathBuf,
        /// Print it too.
        echo: bool,
    },
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

impl Sms {
    /// The provider that the settings name.
    #[must_use]
    pub fn open(config: &Config, echo: bool) -> Self {
        match config.sms_provider {
            SmsProvider::None => Self::None,
            SmsProvider::File => Self::File { path: config.data_dir.join("sms.txt"), echo },
        }
    }

    /// Can it send at all?
    #[must_use]
    pub fn is_set_up(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Sends one of the fixed notices; it has no blanks, so nothing personal is in it but the number it goes to.
    ///
    /// # Errors
    /// `sms_unavailable` when nobody sends, or the file cannot be written.
    pub async fn send_notice(&self, phone: &str, notice: SmsNotice) -> Result<()> {
        let Self::File { path, .. } = self else { return Err(Code::SmsUnavailable.into()) };
        let (path, line) = (path.clone(), format!("notice {phone} {}\n", notice.code()));
        let written = tokio::task::spawn_blocking(move || {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
            file.write_all(line.as_bytes())
        });
        Ok(written.await.map_err(Error::broken)??)
    }

    /// Sends the code.
    ///
    /// # Errors
    /// `sms_unavailable` when nobody sends, or the file cannot be written.
    pub async fn send_code(&self, phone: &str, code: &str) -> Result<()> {
        let Self::File { path, echo } = self else { return Err(Code::SmsUnavailable.into()) };
        let (path, line, echo) = (path.clone(), format!("{phone} {code}\n"), *echo);
        let written = tokio::task::spawn_blocking(move || {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
            file.write_all(line.as_bytes())?;
            if echo {
                std::io::stdout()
                    .write_all(crate::text::say_with("demo-code", &[("line", line.trim_end().into())]).as_bytes())?;
                std::io::stdout().write_all(b"\n")?;
            }
            Ok::<_, std::io::Error>(())
        });
        written.await.map_err(Error::broken)??;
        Ok(())
    }
}
