//! The stages of a voice or a matter as a ladder: what was done, what is promised until when, what is late.
use crate::text;

/// One rung.
pub struct Step {
    /// done, now, or nothing for what is to come.
    pub class: &'static str,
    /// Its name.
    pub name: String,
    /// What is known about it.
    pub lines: Vec<Line>,
    /// The promise was not kept.
    pub is_late: bool,
}

/// A sentence, which may lead to a page.
pub struct Line {
    pub text: String,
    pub link: Option<String>,
}

impl Step {
    /// A rung without anything known yet.
    pub fn named(key: &str, class: &'static str) -> Self {
        Self { class, name: text::say(key), lines: Vec::new(), is_late: false }
    }

    /// With a sentence.
    #[must_use]
    pub fn line(mut self, text: String) -> Self {
        self.lines.push(Line { text, link: None });
        self
    }

    /// The one character in its circle.
    pub fn initial(&self) -> String {
        self.name.chars().take(1).collect()
    }
}
