//! Every sentence that people read, in Chinese, found by key in `web/text/zh-CN/*.ftl` (Project Fluent).
use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use rust_embed::RustEmbed;
use unic_langid::LanguageIdentifier;

#[derive(RustEmbed)]
#[folder = "web/text/zh-CN"]
struct Sentences;

// Read-only after the first use, hence not state in the sense of the README.
static ZH: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| {
    let mut bundle = FluentBundle::new_concurrent(vec!["zh-CN".parse::<LanguageIdentifier>().unwrap_or_default()]);
    bundle.set_use_isolating(false);
    for name in Sentences::iter() {
        let source = Sentences::get(&name).map(|file| String::from_utf8_lossy(&file.data).into_owned());
        let resource = match FluentResource::try_new(source.unwrap_or_default()) {
            Ok(resource) => resource,
            Err((_, errors)) => panic!("web/text/zh-CN/{name}: {errors:?}"),
        };
        if let Err(errors) = bundle.add_resource(resource) {
            panic!("web/text/zh-CN/{name}: {errors:?}");
        }
    }
    bundle
});

/// The sentence with this key. A missing key shows itself as `⟦key⟧`; a test finds those.
#[must_use]
pub fn say(key: &str) -> String {
    format(key, None)
}

/// The sentence with its blanks filled in, e.g. `say_with("vote-turnout", &[("n", 12.into())])`.
#[must_use]
pub fn say_with(key: &str, blanks: &[(&str, FluentValue<'_>)]) -> String {
    let args: FluentArgs<'_> = blanks.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    format(key, Some(&args))
}

/// The word for a code of a kind: `word("matter-state", "in_review")` is the sentence `matter-state-in-review`.
#[must_use]
pub fn word(kind: &str, code: &str) -> String {
    say(&format!("{kind}-{code}").replace('_', "-"))
}

/// Is there a sentence for this key?
#[must_use]
pub fn knows(key: &str) -> bool {
    ZH.get_message(key).is_some_and(|message| message.value().is_some())
}

fn format(key: &str, args: Option<&FluentArgs<'_>>) -> String {
    let Some(pattern) = ZH.get_message(key).and_then(|message| message.value()) else { return format!("⟦{key}⟧") };
    ZH.format_pattern(pattern, args, &mut Vec::new()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_can_be_found_by_a_code() {
        for name in Sentences::iter() {
            let file = Sentences::get(&name).unwrap();
            let source = String::from_utf8_lossy(&file.data).into_owned();
            let keys = source.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()));
            for key in keys.filter_map(|line| line.split_once(" =")).map(|(key, _)| key) {
                assert!(knows(key) && !key.contains('_'), "{name}: {key}");
            }
        }
    }
}
