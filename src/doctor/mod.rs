//! 体检: looks at every outside part and names each fault in plain Chinese and English, changing nothing.
//!
//! Always true: a look writes no row and applies no step of the schema; what it says holds no secret.
//! Tables owned: none. Events recorded: none.
mod parts;
mod words;

use serde::Serialize;

pub use self::parts::examine;
use self::words::english;
use crate::text;

/// How a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// Works, but the operator should know.
    Warning,
    /// Does not work, or could lose what was acknowledged.
    Fault,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// database, redis, keys, …
    pub part: &'static str,
    /// How it is.
    pub state: State,
    /// Stable name of what was found.
    pub code: &'static str,
    /// In Chinese.
    pub chinese: String,
    /// In English.
    pub english: String,
}

impl Finding {
    /// Puts the blanks into both sentences.
    fn new(part: &'static str, state: State, code: &'static str, blanks: &[(&str, String)]) -> Self {
        let mut said = english(code).to_owned();
        for (name, value) in blanks {
            said = said.replace(&format!("{{{name}}}"), value);
        }
        let blanks: Vec<_> = blanks.iter().map(|(name, value)| (*name, value.as_str().into())).collect();
        let chinese = text::say_with(&format!("doctor-{}", code.replace('_', "-")), &blanks);
        Self { part, state, code, chinese, english: said }
    }

    /// Two lines for a terminal.
    #[must_use]
    pub fn lines(&self) -> String {
        let mark = match self.state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Fault => "FAULT",
        };
        format!("[{mark}] {}: {}\n    {}", self.part, self.chinese, self.english)
    }
}
