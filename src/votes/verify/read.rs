//! An archive from its bytes: canonical JSON and nothing else, so that whoever reads them reads the same; pure.
use serde_json::Value;

use crate::board::lsb1::jcs;

/// Whatever reads JSON holds whole numbers up to here exactly.
const LARGEST: u64 = (1 << 53) - 1;
/// No archive is nested deeper.
const DEPTH: usize = 32;

/// The archive; `None` when it is no JSON, or could be read in two ways: a key twice, a number with a fraction, an exponent or
/// a sign, half a character, keys in another order. Blanks between its parts say nothing.
#[must_use]
pub fn read(text: &[u8]) -> Option<Value> {
    let archive: Value = serde_json::from_slice(text).ok()?;
    (is_plain(&archive, DEPTH) && jcs(&archive).as_bytes() == without_blanks(text)).then_some(archive)
}

fn is_plain(value: &Value, left: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number.as_u64().is_some_and(|number| number <= LARGEST),
        Value::Array(items) => left > 0 && items.iter().all(|one| is_plain(one, left - 1)),
        Value::Object(map) => left > 0 && map.values().all(|one| is_plain(one, left - 1)),
    }
}

/// Without what stands between the parts of what is JSON.
fn without_blanks(text: &[u8]) -> Vec<u8> {
    let (mut is_inside, mut is_escaped) = (false, false);
    let stays = |byte: &u8| {
        let stays = is_inside || !byte.is_ascii_whitespace();
        match *byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_inside = !is_inside,
            _ => {}
        }
        stays
    };
    text.iter().copied().filter(stays).collect()
}
