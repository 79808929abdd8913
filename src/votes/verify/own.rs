//! One's own ballot in an archive that was found good: is it on the board, and does it count; pure.
use serde_json::Value;

/// What became of the ballot with this digest, as it stands on a receipt: `counts`, `void` of one in whose place another came,
/// `uncounted` where the vote was annulled; `None`: it is not on the board.
#[must_use]
pub fn own(archive: &Value, hash: &str) -> Option<&'static str> {
    let wanted = hash.trim().to_lowercase();
    let is_told = |kind: &str| {
        let mut entries = archive["entries"].as_array().into_iter().flatten();
        entries.any(|entry| entry["k"] == kind && entry["h"] == wanted.as_str())
    };
    match (is_told("ballot"), is_told("void")) {
        (false, _) => None,
        (true, true) => Some("void"),
        (true, false) if archive["result"]["annulled"].is_null() => Some("counts"),
        (true, false) => Some("uncounted"),
    }
}
