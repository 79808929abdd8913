//! What is written down about the product and what it does: the API's description, the table of refusals, every sentence.
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use liusheng::{error::Code, server, text};
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a file with what it must hold; with `LSTEST_WRITE=1` it is written instead.
#[track_caller]
fn same_as_file(path: &str, wanted: &str, how: &str) {
    let file = root().join(path);
    if std::env::var("LSTEST_WRITE").is_ok_and(|write| write == "1") {
        fs::write(&file, wanted).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    if written != wanted {
        let line = written.lines().zip(wanted.lines()).take_while(|(old, new)| old == new).count();
        let (old, new) = (written.lines().nth(line), wanted.lines().nth(line));
        panic!("{path} is not up to date from line {} on: {old:?} should be {new:?}\nwrite it anew: {how}", line + 1);
    }
}

#[test]
fn the_published_description_is_the_server_s() {
    same_as_file("api-spec/openapi.json", &server::openapi().unwrap(), "cargo run -- openapi > api-spec/openapi.json");
}

#[test]
fn the_published_description_of_the_socket_is_the_server_s() {
    let how = "cargo run -- openapi --async > api-spec/asyncapi.yaml";
    same_as_file("api-spec/asyncapi.yaml", &server::asyncapi_text(), how);
}

fn operations() -> Vec<(String, Value)> {
    let description: Value = serde_json::from_str(&server::openapi().unwrap()).unwrap();
    let methods = ["get", "post", "put", "patch", "delete"];
    let mut all = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if methods.contains(&method.as_str()) {
                all.push((format!("{method} {path}"), operation.clone()));
            }
        }
    }
    assert!(all.len() > 40, "only {} operations", all.len());
    all
}

#[test]
fn every_operation_has_a_stable_name_and_says_how_it_refuses() {
    let mut wrong = Vec::new();
    let mut names = BTreeMap::new();
    for (place, operation) in operations() {
        let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
        let is_snake =
            !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !is_snake {
            wrong.push(format!("{place}: operation id {name:?}"));
        }
        if let Some(other) = names.insert(name.clone(), place.clone()) {
            wrong.push(format!("{place}: {name} is also {other}"));
        }
        let problem = &operation["responses"]["default"]["content"]["application/problem+json"]["schema"];
        if problem["$ref"] != "#/components/schemas/Problem" {
            wrong.push(format!("{place}: no problem response"));
        }
        let answers = operation["responses"].as_object().unwrap();
        if !answers.keys().any(|status| status.starts_with('2')) {
            wrong.push(format!("{place}: no answer for success"));
        }
        if operation["tags"].as_array().is_none_or(Vec::is_empty) {
            wrong.push(format!("{place}: no tag"));
        }
        let in_path: BTreeSet<&str> = place.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let described: BTreeSet<&str> =
            parameters.iter().filter(|one| one["in"] == "path").filter_map(|one| one["name"].as_str()).collect();
        if in_path != described {
            wrong.push(format!("{place}: path parameters {described:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_name_of_a_schema_names_one() {
    fn look(value: &Value, all: &Value, missing: &mut BTreeSet<String>) {
        if let Some(name) = value["$ref"].as_str().and_then(|path| path.strip_prefix("#/components/schemas/")) {
            if all["components"]["schemas"][name].is_null() {
                missing.insert(name.to_owned());
            }
        }
        match value {
            Value::Object(fields) => fields.values().for_each(|inner| look(inner, all, missing)),
            Value::Array(items) => items.iter().for_each(|inner| look(inner, all, missing)),
            _ => {}
        }
    }
    let description: Value = serde_json::from_str(&server::openapi().unwrap()).unwrap();
    let mut missing = BTreeSet::new();
    look(&description, &description, &mut missing);
    assert!(missing.is_empty(), "{missing:?}");
    // a request whose type is called like one of the generator's own is described as anything at all
    for (place, operation) in operations() {
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        assert!(body.is_null() || body["$ref"].is_string(), "{place}: {body}");
    }
}

/// A forgotten `rename_all` would let the API speak Rust.
#[test]
fn every_name_and_every_word_of_the_api_is_in_snake_case() {
    fn is_snake(word: &str) -> bool {
        // one letter: E and P of the decision rules
        word.len() == 1 || word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    }
    fn look(value: &Value, seen: &mut usize, wrong: &mut Vec<String>) {
        let named = value["properties"].as_object().into_iter().flat_map(|all| all.keys().map(String::as_str));
        let words = value["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for word in named.chain(words) {
            *seen += 1;
            if !is_snake(word) {
                wrong.push(word.to_owned());
            }
        }
        match value {
            Value::Object(fields) => fields.values().for_each(|inner| look(inner, seen, wrong)),
            Value::Array(items) => items.iter().for_each(|inner| look(inner, seen, wrong)),
            _ => {}
        }
    }
    let description: Value = serde_json::from_str(&server::openapi().unwrap()).unwrap();
    let (mut seen, mut wrong) = (0, Vec::new());
    look(&description["components"]["schemas"], &mut seen, &mut wrong);
    assert!(seen > 300, "only {seen} names and words found");
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Two schemas with one name silently become one: each name must be said in one place of the code only.
#[test]
fn no_two_types_share_a_schema_name() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, code) in sources() {
        let mut is_schema = false;
        for line in code.lines().map(str::trim) {
            if line.starts_with("#[derive(") {
                is_schema = line.contains("ToSchema");
            } else if let Some(name) = line.strip_prefix("#[schema(as = ").filter(|_| is_schema) {
                // called otherwise there
                places.entry(name.trim_end_matches(")]").to_owned()).or_default().push(file.clone());
                is_schema = false;
            } else if is_schema && !line.starts_with("#[") && !line.starts_with("//") {
                let words: Vec<&str> =
                    line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
                if let Some(at) = words.iter().position(|word| ["struct", "enum"].contains(word)) {
                    places.entry(words[at + 1].to_owned()).or_default().push(file.clone());
                }
                is_schema = false;
            }
        }
    }
    assert!(places.len() > 60, "only {} schemas found in src", places.len());
    let twice: Vec<_> = places.into_iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(twice.is_empty(), "schema names declared twice: {twice:#?}");
}

#[test]
fn the_table_of_refusals_is_the_code_s() {
    let mut page = String::from(
        "# Refusals\n\n\
         Every refusal is `application/problem+json` (RFC 9457) with one of these codes. Clients may rely on `code` and status;\n\
         sentences may change. `errors[]` names wrong fields, `more` holds what a client needs to go on, `Retry-After` says when.\n\n\
         Written by `LSTEST_WRITE=1 cargo test --test it spec::`.\n\n\
         | code | status | sentence |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        page += &format!("| `{}` | {} | {} |\n", code.as_str(), code.status().as_u16(), code.sentence());
    }
    same_as_file("api-spec/errors.md", &page, "LSTEST_WRITE=1 cargo test --test it spec::");
}

#[test]
fn every_refusal_has_a_sentence_and_a_name_of_its_own() {
    let mut names = BTreeSet::new();
    for code in Code::ALL {
        assert!(!code.sentence().contains('⟦'), "no sentence for {}", code.as_str());
        assert!(names.insert(code.as_str()), "{} twice", code.as_str());
        assert!(code.status().is_client_error() || code.status().is_server_error());
    }
}

/// Every Rust file of the product without its tests, by its path below `src`.
fn sources() -> Vec<(String, String)> {
    let folder = root().join("src");
    let mut files = Vec::new();
    collect(&folder, "rs", &mut files);
    let name = |file: &PathBuf| file.strip_prefix(&folder).unwrap().display().to_string();
    let product = files.iter().filter(|file| !file.ends_with("tests.rs"));
    let all: Vec<_> = product.map(|file| (name(file), said(&fs::read_to_string(file).unwrap()))).collect();
    assert!(all.len() > 50);
    all
}

/// The code without its tests and comments.
fn said(code: &str) -> String {
    let product = code.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    product.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| line.to_owned() + "\n").collect()
}

fn collect(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        if entry.path().is_dir() {
            collect(&entry.path(), extension, files);
        } else if entry.path().extension().is_some_and(|found| found == extension) {
            files.push(entry.path());
        }
    }
}

/// Keys of sentences with the file each is in.
fn keys() -> BTreeMap<String, String> {
    let mut files = Vec::new();
    collect(&root().join("web/text/zh-CN"), "ftl", &mut files);
    let mut keys = BTreeMap::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        for line in fs::read_to_string(&file).unwrap().lines() {
            let Some((key, _)) = line.split_once('=') else { continue };
            let is_key = line.starts_with(|c: char| c.is_ascii_lowercase());
            if is_key {
                let other = keys.insert(key.trim().to_owned(), name.clone());
                assert!(other.is_none(), "{} is in {name} and in {other:?}", key.trim());
            }
        }
    }
    assert!(keys.len() > 100);
    keys
}

/// The text between the quotes that begin at the start of `rest`.
fn literal(rest: &str) -> Option<&str> {
    let inner = rest.trim_start().strip_prefix('"')?;
    inner.split('"').next()
}

/// Texts of the pages: templates and the code.
fn speaking() -> Vec<(String, String)> {
    let mut all = sources();
    let mut templates = Vec::new();
    collect(&root().join("web/templates"), "html", &mut templates);
    let name = |file: &PathBuf| file.strip_prefix(root()).unwrap().display().to_string();
    all.extend(templates.iter().map(|file| (name(file), fs::read_to_string(file).unwrap())));
    all
}

/// Ways to ask for a sentence with a key that follows at once; the short ones are those of templates.
const ASKING: &[&str] = &["say(", "say_with(", "knows(", "t(", "t1(", "t2("];

/// What follows each call of this function in a text.
fn calls<'a>(text: &'a str, function: &str) -> Vec<&'a str> {
    let is_whole = |at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    text.match_indices(function).filter(|(at, _)| is_whole(*at)).map(|(at, _)| &text[at + function.len()..]).collect()
}

#[test]
fn every_sentence_asked_for_is_there() {
    let keys = keys();
    let mut missing = BTreeSet::new();
    let mut asked = 0;
    for (name, code) in speaking() {
        for key in ASKING.iter().flat_map(|function| calls(&code, function)).filter_map(literal) {
            asked += 1;
            // a key with blanks is a prefix, see below
            if !keys.contains_key(key) && !key.contains('{') {
                missing.insert(format!("{name}: {key:?}"));
            }
        }
        // a card names the beginning of its two sentences
        for inside in calls(&code, "worded(").into_iter().map(balanced) {
            let Some(key) = strings(inside).into_iter().find(|word| word.contains('-')) else { continue };
            let both = [format!("{key}-title"), format!("{key}-text")];
            missing
                .extend(both.into_iter().filter(|key| !keys.contains_key(key)).map(|key| format!("{name}: {key:?}")));
        }
    }
    assert!(asked > 50, "only {asked} places found");
    assert!(missing.is_empty(), "no sentence for\n{missing:#?}");
}

/// Wrong fields are noted by a code; its sentence is `field-` and the code.
#[test]
fn every_wrong_field_has_a_sentence() {
    let mut missing = BTreeSet::new();
    let mut found = 0;
    for (name, code) in sources() {
        for way in [".wrong(", ".require(", "Error::field("] {
            for (at, _) in code.match_indices(way) {
                let inside = balanced(&code[at + way.len()..]);
                let Some(last) = strings(inside).into_iter().next_back() else { continue };
                // the last argument is the code, unless it is a variable
                let is_last = inside.trim_end().trim_end_matches(',').ends_with('"');
                if is_last {
                    found += 1;
                    if !text::knows(&format!("field-{}", last.replace('_', "-"))) {
                        missing.insert(format!("{name}: {last}"));
                    }
                }
            }
        }
    }
    assert!(found > 30, "only {found} places found");
    assert!(missing.is_empty(), "no sentence for the field code\n{missing:#?}");
}

/// What stands before the bracket that closes the one just opened.
fn balanced(rest: &str) -> &str {
    let mut depth = 1;
    let mut is_quoted = false;
    let mut before = ' ';
    for (at, c) in rest.char_indices() {
        match c {
            '"' if before != '\\' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &rest[..at];
        }
        before = c;
    }
    rest
}

/// Text literals without an escaped quote in them.
fn strings(code: &str) -> Vec<&str> {
    code.split('"').skip(1).step_by(2).collect()
}

/// A sentence that nobody says is a leftover. It is said by its whole key; or put together, from a literal that is its
/// beginning up to a dash and no key itself (`word("stage", …)`, `format!("stage-{}", …)`), or from a code with underscores
/// and an ending (`format!("{key}-title")`).
#[test]
fn every_sentence_is_said_somewhere() {
    let keys = keys();
    let (mut literals, mut endings, mut kinds) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut data = Vec::new();
    collect(&root().join("src"), "json", &mut data);
    let data = data.iter().map(|file| fs::read_to_string(file).unwrap());
    for text in speaking().into_iter().map(|(_, text)| text).chain(data) {
        // in a template, texts stand within texts: every second piece, counted from either side
        for word in strings(&text).into_iter().chain(strings(text.split_once('"').map_or("", |(_, rest)| rest))) {
            literals.insert(word.to_owned());
            if let Some((beginning, _)) = word.split_once("-{") {
                kinds.insert(beginning.to_owned());
            }
            if let Some((_, ending)) = word.rsplit_once('}').filter(|(_, ending)| ending.starts_with('-')) {
                endings.insert(ending.to_owned());
            }
        }
        let named = ["word(", "code("].iter().flat_map(|function| calls(&text, function)).filter_map(literal);
        kinds.extend(named.map(str::to_owned));
    }
    let is_code = |stem: &str| literals.contains(&stem.replace('-', "_"));
    let is_said = |key: &str| {
        // these two have a code each, and no beginning says them all
        if let Some(code) = key.strip_prefix("error-") {
            return Code::ALL.iter().any(|known| known.as_str() == code.replace('-', "_"));
        }
        if let Some(code) = key.strip_prefix("field-") {
            return is_code(code);
        }
        let beginnings = key.match_indices('-').map(|(at, _)| &key[..at]);
        let is_beginning = |part: &str| {
            kinds.contains(part) || (part.contains('-') && literals.contains(part) && !keys.contains_key(part))
        };
        let by_ending = || endings.iter().filter_map(|ending| key.strip_suffix(ending.as_str())).any(is_code);
        literals.contains(key) || beginnings.into_iter().any(is_beginning) || by_ending()
    };
    let silent: Vec<_> =
        keys.iter().filter(|(key, _)| !is_said(key)).map(|(key, file)| format!("{file}: {key}")).collect();
    assert!(silent.is_empty(), "sentences that nobody says:\n{}", silent.join("\n"));
}
