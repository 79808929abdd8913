//! The shape of `src/`: who may import whom, and of the tests, too, that each file says what it is for and stays short.
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use liusheng::events::Kind;

/// Lowest first. A module may import only modules of a lower tier (and itself).
const TIERS: &[&[&str]] = &[
    &["clock", "fuzz", "hex", "ids", "text"],
    &["error", "config", "actor"],
    &["calendar", "keys", "page", "rights", "table", "wordlist"],
    &["broker", "gateways", "programs", "shelf"],
    &["store"],
    &["seals"],
    &["app"],
    &["events"],
    &["areas"],
    &["people"],
    &["bodies"],
    &["media", "quiet", "suspensions", "wechat"],
    &["streams"],
    &["moderation"],
    &["live", "groups", "chains"],
    &["reports"],
    &["forms", "tasks"],
    &["suggestions", "meetings", "notices", "claims", "skills"],
    &["matters", "board"],
    &["votes", "legal", "joint"],
    &["aloud"],
    &["delivery"],
    &["inbox"],
    &["privacy", "guests", "county"],
    &["pages", "backup", "doctor"],
];
/// May see everything: they wire it together.
const TOP: &[&str] = &["lib", "main", "server", "demo"];
/// Files a rule of thumb may not yet hold for: path and the length it may have today. Only shrinks.
const LONG: &[(&str, usize)] = &[];
const MAX_LINES: usize = 400;

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out)
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path)
        }
    }
}

/// The first path segments named after `crate::`, braces included.
fn imports(text: &str) -> Vec<String> {
    let code: String = text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + 7..];
        if let Some(group) = rest.strip_prefix('{') {
            let (mut depth, mut start, mut done) = (0, true, false);
            let mut word = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => done = true,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        if !word.is_empty() {
                            found.push(std::mem::take(&mut word))
                        }
                        start = true;
                        continue;
                    }
                    c if depth == 0 && start && (c.is_alphanumeric() || c == '_') => {
                        word.push(c);
                        continue;
                    }
                    c if c.is_whitespace() && word.is_empty() => continue,
                    _ => start = false,
                }
                if done {
                    break;
                }
            }
            if !word.is_empty() {
                found.push(word)
            }
        } else {
            found.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    found
}

/// What is asked of every file, of the tests, too.
fn misshapen(name: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if !text.starts_with("//!") {
        wrong.push(format!("{name}: begin with a //! line that says what the module is for"))
    }
    let lines = text.lines().count();
    let limit = LONG.iter().find(|(p, _)| *p == name).map_or(MAX_LINES, |(_, n)| *n);
    if lines > limit {
        wrong.push(format!("{name}: {lines} lines, over {limit}: split it along its nouns"))
    }
    wrong
}

#[test]
fn imports_point_down_documents_lead_and_files_stay_short() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let tier: BTreeMap<&str, usize> =
        TIERS.iter().enumerate().flat_map(|(n, t)| t.iter().map(move |m| (*m, n))).collect();
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap().display().to_string();
        let module = name.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(&file).unwrap();
        wrong.extend(misshapen(&name, &text));
        if name.ends_with("rules.rs") && (text.contains("async fn") || imports(&text).iter().any(|m| m == "store")) {
            wrong.push(format!("{name}: rules are pure: no `async fn`, no `store`"));
        }
        if TOP.contains(&module.as_str()) {
            continue;
        }
        let Some(mine) = tier.get(module.as_str()) else {
            wrong.push(format!("{name}: `{module}` has no tier"));
            continue;
        };
        for other in imports(&text) {
            if other == module {
                continue;
            }
            match tier.get(other.as_str()) {
                Some(theirs) if theirs < mine => {}
                Some(_) => wrong.push(format!("{name}: `{module}` may not import `{other}`, which is not below it")),
                None if TOP.contains(&other.as_str()) => {
                    wrong.push(format!("{name}: `{other}` is wiring, nothing imports it"))
                }
                None => {} // a type or macro at the crate root
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn tests_say_what_they_are_for_and_stay_short() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("tests/it"), &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let name = file.strip_prefix(root).unwrap().display().to_string();
        wrong.extend(misshapen(&name, &fs::read_to_string(&file).unwrap()));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What stands between grave accents, of these characters alone.
fn marked(text: &str, is_of_it: fn(char) -> bool) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).filter(|word| word.chars().all(is_of_it)).map(str::to_owned).collect()
}

/// The head of each subject names its tables and its events: whoever reads one relies on it.
#[test]
fn heads_name_the_tables_and_the_events() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut wrong, mut told) = (Vec::new(), BTreeSet::new());
    for entry in fs::read_dir(&root).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(text) = fs::read_to_string(folder.join("mod.rs")) else { continue };
        let head: String = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
        let parts = head.split_once("Tables owned:").and_then(|(_, rest)| rest.split_once("Events recorded:"));
        let Some((tables, events)) = parts else {
            wrong.push(format!("{}: names no tables, or no events", folder.display()));
            continue;
        };
        let mut files = Vec::new();
        sources(&folder, &mut files);
        let code: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
        let rows = code.split("table_name = \"").skip(1).filter_map(|rest| rest.split('"').next());
        let rows: BTreeSet<String> = rows.map(str::to_owned).collect();
        let said = marked(tables, |c| c.is_ascii_lowercase() || c == '_');
        if said != rows {
            wrong.push(format!("{}: says {said:?} and has rows of {rows:?}", folder.display()));
        }
        let events = events.split(" # ").next().unwrap_or_default();
        let named = marked(events, |c| c.is_ascii_lowercase() || "_.*".contains(c));
        told.extend(named.into_iter().filter(|name| name.contains('.')));
    }
    let known: BTreeSet<String> = Kind::ALL.iter().map(|kind| kind.as_str().to_owned()).collect();
    let untold = known.iter().filter(|name| {
        let all = name.split_once('.').map(|(subject, _)| format!("{subject}.*"));
        !told.contains(*name) && !all.is_some_and(|all| told.contains(&all))
    });
    wrong.extend(untold.map(|name| format!("no head names the event {name}")));
    let unknown = told.iter().filter(|name| !name.ends_with(".*") && !known.contains(*name));
    wrong.extend(unknown.map(|name| format!("{name} is no event")));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Words for people live in `web/text`; only comments and tests may show Chinese in the code.
#[test]
fn what_people_read_is_keyed() {
    // input data, not output: the words a roster file uses, and what the examples of the socket say
    const INPUT_WORDS: &[&str] = &["people/roster.rs", "live/description/examples.rs", "live/description/frames.rs"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap().display().to_string();
        if INPUT_WORDS.contains(&name.as_str()) || name.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let before_comment = line.split("//").next().unwrap_or_default();
            if before_comment.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)) {
                wrong.push(format!("{name}:{}", number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "Chinese outside web/text:\n{}", wrong.join("\n"));
}

/// A page of the desk with a head of its own takes the place of the frame's, which names the desk's style.
#[test]
fn every_page_of_the_desk_has_its_style() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/templates/desk");
    let mut heads = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let Some((_, head)) = text.split_once("{% block head %}") else { continue };
        heads += 1;
        let head = head.split("{% block main %}").next().unwrap_or_default();
        assert!(head.contains("asset(\"desk.css\")"), "{} is shown without desk.css", path.display());
    }
    assert!(heads > 3, "the frame and some pages have heads: {heads}");
}
