//! JSON as YAML that people like to read: blocks, plain words where they need no quotes, long text as it is.
use serde_json::Value;

/// Keys of a document that come first, in this order; all others follow by name.
const FIRST: [&str; 7] = ["asyncapi", "info", "defaultContentType", "servers", "channels", "operations", "components"];
/// Words that YAML, in one version or another, reads as something else than text.
const TAKEN: [&str; 8] = ["true", "false", "null", "yes", "no", "on", "off", "y"];

/// The document.
pub(super) fn text(value: &Value) -> String {
    let mut out = String::new();
    block(&mut out, value, 0);
    out
}

/// A list or an object that is not empty, each line with this indent.
fn block(out: &mut String, value: &Value, indent: usize) {
    let margin = " ".repeat(indent);
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_by_key(|name| (FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len()), *name));
            for name in names {
                *out += &format!("{margin}{}:", word(name));
                after(out, &fields[name], indent);
            }
        }
        Value::Array(items) => {
            for item in items {
                let mut one = String::new();
                if is_block(item) {
                    block(&mut one, item, indent + 2);
                    *out += &format!("{margin}- {}", &one[indent + 2..]);
                } else {
                    after(&mut one, item, indent);
                    *out += &format!("{margin}-{one}");
                }
            }
        }
        _ => {}
    }
}

/// What stands behind a name or a dash.
fn after(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::String(text) if text.contains('\n') && !text.starts_with([' ', '\n']) && !text.ends_with('\n') => {
            *out += " |-\n";
            let margin = " ".repeat(indent + 2);
            text.lines().for_each(|line| *out += &format!("{}\n", format!("{margin}{line}").trim_end()));
        }
        Value::String(text) => *out += &format!(" {}\n", word(text)),
        value if is_block(value) => {
            *out += "\n";
            block(out, value, indent + 2);
        }
        value => *out += &format!(" {value}\n"),
    }
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

/// As it is, or in the quotes of JSON, which are YAML's too.
fn word(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c))
        && !TAKEN.contains(&text.to_ascii_lowercase().as_str())
        && text != "n";
    if is_plain { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_and_objects_are_blocks_and_doubtful_words_have_quotes() {
        let value = json!({
            "b": [{ "k": "no", "a": [1, [2.5, "3"]] }, "s:x", [], {}],
            "asyncapi": "3.0.0",
            "a b": "two\n\nlines",
            "last": " \n",
        });
        let wanted = "asyncapi: \"3.0.0\"\n\"a b\": |-\n  two\n\n  lines\nb:\n  - a:\n      - 1\n      - - 2.5\n        - \"3\"\n    k: \"no\"\n  \
            - \"s:x\"\n  - []\n  - {}\nlast: \" \\n\"\n";
        assert_eq!(text(&value), wanted);
    }
}
