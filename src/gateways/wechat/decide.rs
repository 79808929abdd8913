//! What an answer of WeChat means for us: every row of the table of codes, in one function.

/// An answer that is not the one hoped for. Holds no token, no openid, no words of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// WeChat said no, with its code and the name of the request for its support (kept there for seven days).
    Said {
        /// `errcode`.
        code: i64,
        /// `rid`, or nothing.
        rid: String,
        /// The field that a 47003 names, or nothing.
        field: String,
    },
    /// Nobody was reached: nothing can have been done.
    NotReached,
    /// No answer, or none that can be read: it may have been done.
    Lost,
}

impl Failure {
    /// WeChat's code; 0 when it gave none.
    #[must_use]
    pub fn code(&self) -> i64 {
        match self {
            Self::Said { code, .. } => *code,
            Self::NotReached | Self::Lost => 0,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Said { code, rid, .. } if rid.is_empty() => write!(f, "WeChat answered {code}"),
            Self::Said { code, rid, .. } => write!(f, "WeChat answered {code} (rid {rid})"),
            Self::NotReached => f.write_str("WeChat was not reached"),
            Self::Lost => f.write_str("no readable answer from WeChat"),
        }
    }
}

/// What follows from an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is done.
    Done,
    /// Ask again after 1, 2, 4 s, then put it back into the queue.
    Retry,
    /// Drop the token if it is still the one that failed, and ask once more.
    NewToken,
    /// Put it back for so many seconds.
    Later(u32),
    /// Nothing more to this interface until midnight in the county; somebody must know.
    PauseUntilMidnight,
    /// The account is set up wrongly: nothing more goes out; somebody must know.
    StopChannel,
    /// We may not use this interface; somebody must know.
    StopInterface,
    /// This template is not to be used any more; somebody must know.
    StopTemplate,
    /// Send it without the page it leads to; somebody must know.
    WithoutPage,
    /// Cut the fields shorter and ask once more; then somebody must know.
    Shorter,
    /// A mistake of ours: somebody must know.
    Bug,
    /// Somebody must know; nothing else.
    Alarm,
    /// The address is nobody's: never again.
    AddressOff,
    /// Does not follow the account any more: off until the next follow.
    NotFollowing,
    /// Has switched messages off: off until a message comes from there.
    Refuses,
    /// This one cannot be told this way; no other try.
    Never,
    /// The consent is used up: none left, another way.
    NoConsent,
    /// The conversation's window is closed: another way.
    WindowClosed,
    /// Somebody must read the words first.
    Hold,
    /// Lead to the log-in once more, with a guard against going round.
    LogInAgain,
    /// This log-in is refused.
    LogInRefused,
    /// It may or may not have been done: as [`Action::Retry`] where a repeat does no harm.
    Unknown,
}

impl Action {
    /// Stable name, for attempts and counters.
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retry => "busy",
            Self::NewToken => "token",
            Self::Later(_) => "later",
            Self::PauseUntilMidnight => "quota",
            Self::StopChannel => "account",
            Self::StopInterface => "interface",
            Self::StopTemplate => "template",
            Self::WithoutPage => "page",
            Self::Shorter => "field",
            Self::Bug => "bug",
            Self::Alarm => "alarm",
            Self::AddressOff => "bad_address",
            Self::NotFollowing => "not_following",
            Self::Refuses => "refuses",
            Self::Never => "blocked",
            Self::NoConsent => "no_consent",
            Self::WindowClosed => "window_closed",
            Self::Hold => "sensitive",
            Self::LogInAgain => "log_in_again",
            Self::LogInRefused => "log_in_refused",
            Self::Unknown => "unknown",
        }
    }

    /// Must an operator know?
    #[must_use]
    pub fn alarms(self) -> bool {
        matches!(
            self,
            Self::PauseUntilMidnight
                | Self::StopChannel
                | Self::StopInterface
                | Self::StopTemplate
                | Self::WithoutPage
                | Self::Shorter
                | Self::Bug
                | Self::Alarm
        )
    }
}

/// Counts and writes down what an operator must know.
pub(super) fn alarm(failure: &Failure) {
    let action = decide(failure);
    if action.alarms() {
        metrics::counter!("provider_alarms_total", "provider" => "wechat", "why" => action.why()).increment(1);
        tracing::error!(%failure, why = action.why(), "WeChat needs somebody");
    }
}

/// The table.
#[must_use]
pub fn decide(failure: &Failure) -> Action {
    let code = match failure {
        Failure::NotReached => return Action::Retry,
        Failure::Lost => return Action::Unknown,
        Failure::Said { code, .. } => *code,
    };
    match code {
        0 | 45065 | 45066 => Action::Done,
        -1 => Action::Retry,
        40001 | 40014 | 42001 => Action::NewToken,
        40013 | 40125 | 41002 | 41004 | 40164 => Action::StopChannel,
        40003 => Action::AddressOff,
        40029 | 40163 | 42003 => Action::LogInAgain,
        40226 => Action::LogInRefused,
        40037 | 43107 | 43116 => Action::StopTemplate,
        41030 => Action::WithoutPage,
        43004 | 50005 => Action::NotFollowing,
        43101 => Action::NoConsent,
        43108 => Action::Later(2),
        43019 | 50002 => Action::Never,
        45009 => Action::PauseUntilMidnight,
        45011 => Action::Later(60),
        45015 | 45047 => Action::WindowClosed,
        45168 | 87014 => Action::Hold,
        47001 => Action::Bug,
        47003 => Action::Shorter,
        48001 | 48004 => Action::StopInterface,
        48002 => Action::Refuses,
        48006 => Action::Alarm,
        // for platforms that act for others, and what nobody has written down
        _ => Action::Bug,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: i64) -> Failure {
        Failure::Said { code, rid: String::new(), field: String::new() }
    }

    #[test]
    fn every_row_of_the_table_has_its_decision() {
        let rows: &[(&[i64], Action)] = &[
            (&[0, 45065, 45066], Action::Done),
            (&[-1], Action::Retry),
            (&[40001, 40014, 42001], Action::NewToken),
            (&[40013, 40125, 41002, 41004, 40164], Action::StopChannel),
            (&[40003], Action::AddressOff),
            (&[40029, 40163, 42003], Action::LogInAgain),
            (&[40226], Action::LogInRefused),
            (&[40037, 43107, 43116], Action::StopTemplate),
            (&[41030], Action::WithoutPage),
            (&[43004, 50005], Action::NotFollowing),
            (&[43101], Action::NoConsent),
            (&[43108], Action::Later(2)),
            (&[43019, 50002], Action::Never),
            (&[45009], Action::PauseUntilMidnight),
            (&[45011], Action::Later(60)),
            (&[45015, 45047], Action::WindowClosed),
            (&[45168, 87014], Action::Hold),
            (&[47001], Action::Bug),
            (&[47003], Action::Shorter),
            (&[48001, 48004], Action::StopInterface),
            (&[48002], Action::Refuses),
            (&[48006], Action::Alarm),
            (&[61007, 61023, 99999, -2], Action::Bug),
        ];
        for (codes, action) in rows {
            for code in *codes {
                assert_eq!(decide(&said(*code)), *action, "{code}");
            }
        }
        assert_eq!(decide(&Failure::NotReached), Action::Retry, "nothing can have been done");
        assert_eq!(decide(&Failure::Lost), Action::Unknown, "it may have been done");
    }

    #[test]
    fn what_an_operator_must_know_is_marked() {
        for code in [40013, 40037, 41030, 43107, 45009, 47001, 47003, 48001, 48006] {
            assert!(decide(&said(code)).alarms(), "{code}");
        }
        for code in [-1, 40001, 40003, 43101, 43108, 43004, 45015, 48002] {
            assert!(!decide(&said(code)).alarms(), "{code}");
        }
    }
}
