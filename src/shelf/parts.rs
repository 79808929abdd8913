//! Parts of a file in a bucket: what is said of one, and what is cut from a whole where a bucket gives no parts.
use super::Part;

/// What a bucket says of a part that it gives: where it begins, and how long the whole is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) first: u64,
    pub(super) length: u64,
}

impl std::str::FromStr for Said {
    type Err = ();

    fn from_str(said: &str) -> std::result::Result<Self, ()> {
        let (range, length) = said.strip_prefix("bytes ").and_then(|rest| rest.split_once('/')).ok_or(())?;
        let (first, _) = range.split_once('-').ok_or(())?;
        Ok(Self { first: first.trim().parse().map_err(drop)?, length: length.trim().parse().map_err(drop)? })
    }
}

/// What was asked for, of a whole that came instead.
pub(super) fn cut(bytes: &[u8], (from, most): (u64, u64)) -> Part {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let wanted = bytes.get(place(from)..place(from.saturating_add(most))).unwrap_or_default().to_vec();
    Part { bytes: wanted, length: bytes.len() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_what_was_asked_for_or_none() {
        let said = |text: &str| text.parse::<Said>().ok().map(|said| (said.first, said.length));
        assert_eq!((said("bytes 0-9/100"), said("bytes 90-99/100")), (Some((0, 100)), Some((90, 100))));
        for wrong in ["", "bytes */100", "bytes 0-9/*", "items 0-9/100", "bytes 0/100", "bytes -1-9/100"] {
            assert_eq!(said(wrong), None, "{wrong}");
        }
        let of = |asked| cut(b"0123456789", asked).bytes;
        assert_eq!((of((0, 3)), of((8, 3)), of((11, 3))), (b"012".to_vec(), b"89".to_vec(), Vec::new()));
    }
}
