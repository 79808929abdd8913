//! What WeChat calls us with: XML or JSON, read into one shape; nothing of it is believed before its signature.
use quick_xml::{Reader, events::Event};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::crypto::sha1_hex;

/// Elements within one another.
const DEPTH: usize = 8;
/// Elements and values in one message.
const PARTS: usize = 2000;

/// A message or an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Inbound {
    /// Whose openid.
    pub from: String,
    /// The same for each of the three times that WeChat sends it: a digest, as an openid may be in it.
    pub key: String,
    /// What it is.
    pub said: Said,
}

/// What somebody said or did. The openid is not in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Said {
    /// Words.
    Text {
        /// As typed.
        text: String,
    },
    /// A picture, to be fetched within three days.
    Photo {
        /// What it is called there.
        media_id: String,
    },
    /// A recording, to be fetched within three days.
    Voice {
        /// What it is called there.
        media_id: String,
        /// What WeChat heard, where that is switched on.
        heard: String,
    },
    /// A film, which nobody here can keep.
    Film,
    /// A place.
    Place {
        /// In words.
        label: String,
        /// Latitude and longitude, as text.
        at: String,
    },
    /// Follows the account; perhaps by a code that names a place.
    Subscribe {
        /// What the code named.
        scene: Option<String>,
    },
    /// Scanned a code, following already.
    Scan {
        /// What the code named.
        scene: String,
    },
    /// Does not follow any more.
    Unsubscribe,
    /// Touched the menu.
    Click {
        /// Which item.
        key: String,
    },
    /// Consented to templates, or took a consent back.
    Consent {
        /// Template and whether it was accepted.
        templates: Vec<(String, bool)>,
        /// Changed in WeChat's own settings, not said when asked.
        is_change: bool,
    },
    /// How a send ended that was under way.
    Result {
        /// WeChat's id of the message.
        msgid: String,
        /// `success`, or why not.
        status: String,
    },
    /// Something that nothing follows from.
    Other {
        /// Its type.
        name: String,
    },
}

/// The outer fields of a body: what is signed, and the sealed part if there is one.
pub struct Envelope {
    /// The sealed part.
    pub encrypted: Option<String>,
    value: Value,
}

impl Envelope {
    /// Reads a body, XML or JSON. `None` for anything else, and for XML with a DOCTYPE.
    #[must_use]
    pub fn read(body: &str) -> Option<Self> {
        let value = if body.trim_start().starts_with('{') {
            serde_json::from_str(body).ok().filter(|value: &Value| depth(value) <= DEPTH)?
        } else {
            xml(body)?
        };
        let encrypted = Some(text(&value, "encrypt")).filter(|text| !text.is_empty());
        value.is_object().then_some(Self { encrypted, value })
    }

    /// The message in plain fields; `None` when it has no sender.
    #[must_use]
    pub fn message(&self) -> Option<Inbound> {
        let value = &self.value;
        let from = text(value, "fromusername");
        if !super::log_in::is_openid(&from) {
            return None;
        }
        let said = said(value);
        let id = text(value, "msgid");
        let is_message = !text(value, "msgtype").eq_ignore_ascii_case("event") && !id.is_empty();
        let named = if is_message {
            format!("{from} {id}")
        } else {
            let parts = ["createtime", "msgtype", "event", "eventkey", "msgid", "trace_id"];
            // two consents within a second differ in what is listed alone
            let listed = serde_json::to_string(&list(value)).unwrap_or_default();
            format!("{from} {} {listed}", parts.map(|name| text(value, name)).join(" "))
        };
        Some(Inbound { from, key: sha1_hex(named.as_bytes()), said })
    }
}

fn said(value: &Value) -> Said {
    let field = |name| text(value, name);
    let name = field("msgtype").to_ascii_lowercase();
    match name.as_str() {
        "text" => Said::Text { text: field("content") },
        "image" => Said::Photo { media_id: field("mediaid") },
        "voice" => Said::Voice { media_id: field("mediaid"), heard: field("recognition") },
        "video" | "shortvideo" => Said::Film,
        // a page that somebody passes on: what it is called, what it says of itself, where it is
        "link" => {
            let parts = ["title", "description", "url"].map(field);
            let said = parts.iter().map(String::as_str).filter(|part| !part.is_empty());
            Said::Text { text: said.collect::<Vec<_>>().join("\n") }
        }
        "location" => {
            Said::Place { label: field("label"), at: format!("{},{}", field("location_x"), field("location_y")) }
        }
        "event" => event(value),
        _ => Said::Other { name },
    }
}

fn event(value: &Value) -> Said {
    let name = text(value, "event").to_ascii_lowercase();
    let key = text(value, "eventkey");
    match name.as_str() {
        "subscribe" => Said::Subscribe { scene: key.strip_prefix("qrscene_").map(str::to_owned) },
        "scan" => Said::Scan { scene: key },
        "unsubscribe" => Said::Unsubscribe,
        "click" => Said::Click { key },
        "subscribe_msg_popup_event" => Said::Consent { templates: consents(value), is_change: false },
        "subscribe_msg_change_event" => Said::Consent { templates: consents(value), is_change: true },
        "subscribe_msg_sent_event" => {
            let list = list(value);
            let first = list.first().copied().unwrap_or(value);
            let (code, words) = (text(first, "errorcode"), text(first, "errorstatus"));
            let status = if code == "0" { "success".to_owned() } else { format!("failed: {code} {words}") };
            Said::Result { msgid: text(first, "msgid"), status }
        }
        "templatesendjobfinish" => Said::Result { msgid: text(value, "msgid"), status: text(value, "status") },
        _ => Said::Other { name },
    }
}

fn consents(value: &Value) -> Vec<(String, bool)> {
    let of = |one: &Value| (text(one, "templateid"), text(one, "subscribestatusstring").eq_ignore_ascii_case("accept"));
    list(value).into_iter().map(of).filter(|(id, _)| !id.is_empty()).collect()
}

/// What is listed, wherever an account's kind puts it: one or many.
fn list(value: &Value) -> Vec<&Value> {
    let found = ["subscribemsgpopupevent", "subscribemsgchangeevent", "subscribemsgsentevent"];
    let within = found.iter().find_map(|name| get(value, name)).unwrap_or(value);
    match get(within, "list") {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => Vec::new(),
    }
}

/// Names differ by case between accounts and formats.
fn get<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_object()?.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// A number may come as text and a text as number; an id is longer than a float is exact.
fn text(value: &Value, name: &str) -> String {
    match get(value, name) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Elements as fields, repeated ones as a list. No DOCTYPE, no processing instruction, no entity but the five of XML.
fn xml(body: &str) -> Option<Value> {
    let mut reader = Reader::from_str(body);
    let mut open: Vec<(String, Map<String, Value>, String)> = Vec::new();
    let mut root = None;
    for _ in 0..PARTS {
        match reader.read_event().ok()? {
            Event::Start(tag) if open.len() < DEPTH && root.is_none() => {
                open.push((tag.name().0.to_owned(), Map::new(), String::new()));
            }
            Event::Empty(tag) if root.is_none() => put(&mut open, tag.name().0, Value::String(String::new()))?,
            Event::End(_) => {
                let (name, fields, words) = open.pop()?;
                let value = if fields.is_empty() { Value::String(words) } else { Value::Object(fields) };
                if open.is_empty() { root = Some(value) } else { put(&mut open, &name, value)? }
            }
            Event::Text(words) => {
                open.last_mut().into_iter().for_each(|(_, _, into)| into.push_str(&words.xml10_content()))
            }
            Event::CData(words) => open.last_mut()?.2.push_str(&words.xml10_content()),
            Event::GeneralRef(named) => {
                let c = match named.resolve_char_ref().ok()? {
                    Some(c) => c,
                    None => match named.xml10_content().as_ref() {
                        "lt" => '<',
                        "gt" => '>',
                        "amp" => '&',
                        "quot" => '"',
                        "apos" => '\'',
                        _ => return None,
                    },
                };
                open.last_mut()?.2.push(c);
            }
            Event::Decl(_) | Event::Comment(_) => {}
            Event::Eof => return root.filter(|_| open.is_empty()),
            Event::DocType(_) | Event::PI(_) | Event::Start(_) | Event::Empty(_) => return None,
        }
    }
    None
}

fn put(open: &mut [(String, Map<String, Value>, String)], name: &str, value: Value) -> Option<()> {
    let fields = &mut open.last_mut()?.1;
    match fields.get_mut(name) {
        Some(Value::Array(items)) => items.push(value),
        Some(before) => {
            let first = before.take();
            *before = Value::Array(vec![first, value]);
        }
        None => {
            fields.insert(name.to_owned(), value);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests;
