//! Claim codes as they are made and typed, and how often a guest may ask: pure.

/// Voices a day from one phone.
pub(super) const VOICES_A_DAY: u64 = 3;
/// Wrong claim codes a day from one network.
pub(super) const WRONG_A_DAY: u64 = 30;
/// Letters and digits of a claim code: 31^12 is more than 2^59.
pub(super) const LENGTH: usize = 12;

/// As it is read out and printed: three groups of four.
pub(super) fn grouped(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// As it is looked up, however it was typed; `None` if it cannot be one.
pub(super) fn bare(told: &str) -> Option<String> {
    let half = crate::people::rules::half_width(told);
    let code: String = half.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
    (code.len() == LENGTH).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_code_is_known_however_it_is_typed() {
        assert_eq!(grouped("ABCD2345WXYZ"), "ABCD-2345-WXYZ");
        for told in ["ABCD-2345-WXYZ", "abcd2345wxyz", " ＡＢＣＤ 2345 WXYZ "] {
            assert_eq!(bare(told).as_deref(), Some("ABCD2345WXYZ"), "{told}");
        }
        for told in ["", "ABCD-2345", "ABCD-2345-WXYZ-1"] {
            assert_eq!(bare(told), None, "{told}");
        }
    }
}
