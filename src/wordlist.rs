//! Words by which a public message is looked at before it is shown: a local list, built in or from a file of one's own.
use crate::error::{Error, Result};

/// The list that is built in; lines of a kind and a word.
const BUILT_IN: &str = include_str!("wordlist.tsv");
/// Kinds of words; each has a sentence of its own.
pub const KINDS: &[&str] = &["ad", "fraud", "gambling", "abuse", "rumour"];

/// A list of words.
#[derive(Clone, Debug, Default)]
pub struct WordList(Vec<(&'static str, String)>);

impl WordList {
    /// The list in this file; the built-in one for an empty path.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is not a kind and a word of two characters or more.
    pub fn load(path: &str) -> Result<Self> {
        if path.is_empty() {
            return Self::parse(BUILT_IN);
        }
        let text = std::fs::read_to_string(path).map_err(|error| Error::broken(format!("held_words: {error}")))?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self> {
        let mut words = Vec::new();
        for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = || Error::broken(format!("held_words: line {number}: a kind, a tab, a word of two characters"));
            let (kind, word) = line.split_once('\t').ok_or_else(wrong)?;
            let kind = KINDS.iter().find(|known| **known == kind.trim()).ok_or_else(wrong)?;
            let word = bare(word);
            if word.chars().count() < 2 {
                return Err(wrong());
            }
            words.push((*kind, word));
        }
        Ok(Self(words))
    }

    /// The kind of the first word of the list that stands in the text, however it is spaced, dotted or widened.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<&'static str> {
        let text = bare(text);
        self.0.iter().find(|(_, word)| text.contains(word.as_str())).map(|(kind, _)| *kind)
    }
}

/// Letters and digits alone, small and of one width.
fn bare(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    };
    text.chars().map(narrow).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_however_it_is_written() {
        let list = WordList::parse("# mine\nfraud\t刷单返利\nad\tVX加我\n").unwrap();
        for text in ["刷单返利", "快来 刷 单·返、利！", "……刷\u{200b}单返利", "xx刷单返利yy"] {
            assert_eq!(list.find(text), Some("fraud"), "{text}");
        }
        assert_eq!(list.find("ｖｘ加我"), Some("ad"));
        for text in ["", "刷单", "返利刷单", "村口的桥要修一修"] {
            assert_eq!(list.find(text), None, "{text}");
        }
    }

    #[test]
    fn the_built_in_list_is_good_and_a_bent_one_is_refused() {
        assert!(!WordList::load("").unwrap().0.is_empty());
        for bad in ["fraud", "fraud\tx", "what\t刷单返利", "fraud\t！！"] {
            assert!(WordList::parse(bad).is_err(), "{bad}");
        }
        assert!(WordList::load("/nowhere/at/all").is_err());
    }
}
