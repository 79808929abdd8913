//! Files sealed in pieces, each of which opens without the others: it is bound to its place, and the last one says that it is.
use ring::{aead, rand::SecureRandom};

use super::{DataKey, NONCE};
use crate::error::{Error, Result};

/// So begins what is sealed in pieces; what is sealed as a whole begins with chance.
const MARK: &[u8; 8] = b"lspiece1";
/// Chance of the file's own, in the nonce of each of its pieces.
const CHANCE: usize = 7;
const HEAD: usize = MARK.len() + CHANCE;
/// Bytes of a piece, but for the last.
const PIECE: usize = 256 * 1024;
const TAG: usize = 16;

/// How a file was sealed in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pieces {
    chance: [u8; CHANCE],
    count: u32,
    length: u64,
}

impl Pieces {
    /// As much of a sealed file as is asked for first: how it was sealed, and its first piece.
    pub const FIRST: u64 = (HEAD + PIECE + TAG) as u64;

    /// What the beginning and the length of a sealed file tell; `None` when it was sealed as a whole.
    #[must_use]
    pub fn of(begins: &[u8], sealed: u64) -> Option<Self> {
        let chance = begins.strip_prefix(MARK)?.get(..CHANCE)?.try_into().ok()?;
        let pieces = sealed.checked_sub(HEAD as u64)?;
        let count = u32::try_from(pieces.div_ceil((PIECE + TAG) as u64)).ok().filter(|count| *count > 0)?;
        Some(Self { chance, count, length: pieces.checked_sub(u64::from(count) * TAG as u64)? })
    }

    /// Bytes of the file when it is opened.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Which piece holds this byte, and how many of its bytes come before it.
    #[must_use]
    pub fn holding(at: u64) -> (u32, usize) {
        let piece = PIECE as u64;
        (u32::try_from(at / piece).unwrap_or(u32::MAX), usize::try_from(at % piece).unwrap_or(usize::MAX))
    }

    /// Where a piece is in the sealed file: behind so many bytes, and as many as these at most.
    #[must_use]
    pub fn place(number: u32) -> (u64, u64) {
        let piece = (PIECE + TAG) as u64;
        (HEAD as u64 + u64::from(number) * piece, piece)
    }

    /// Twelve bytes: chance, which piece, whether it is the last.
    fn nonce(&self, number: u32) -> aead::Nonce {
        let mut nonce = [0u8; NONCE];
        let (chance, place) = nonce.split_at_mut(CHANCE);
        chance.copy_from_slice(&self.chance);
        let (which, last) = place.split_at_mut(4);
        which.copy_from_slice(&number.to_be_bytes());
        last.copy_from_slice(&[u8::from(number.checked_add(1) == Some(self.count))]);
        aead::Nonce::assume_unique_for_key(nonce)
    }
}

/// Nothing sealed as a whole is taken for a piece.
fn bound_to(place: &str) -> aead::Aad<Vec<u8>> {
    aead::Aad::from(format!("piece of {place}").into_bytes())
}

impl DataKey {
    /// Seals a file in pieces; `place` is bound to each, so that none can be moved elsewhere.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub fn seal_pieces(&self, place: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut chance = [0u8; CHANCE];
        self.random.fill(&mut chance).map_err(|_| Error::broken("no randomness"))?;
        // of nothing there is one piece, too
        let count = bytes.len().div_ceil(PIECE).max(1);
        let pieces = Pieces { chance, count: u32::try_from(count).map_err(Error::broken)?, length: bytes.len() as u64 };
        let mut sealed = Vec::with_capacity(HEAD + bytes.len() + count * TAG);
        sealed.extend_from_slice(MARK);
        sealed.extend_from_slice(&chance);
        let mut rest = bytes;
        for number in 0..pieces.count {
            let (piece, left) = rest.split_at(rest.len().min(PIECE));
            rest = left;
            let mut piece = piece.to_vec();
            self.key
                .seal_in_place_append_tag(pieces.nonce(number), bound_to(place), &mut piece)
                .map_err(|_| Error::broken("sealing failed"))?;
            sealed.extend_from_slice(&piece);
        }
        Ok(sealed)
    }

    /// Opens one piece of a file; `number`: which, from 0.
    ///
    /// # Errors
    /// When it is not this piece of this file, sealed by this key for this place, or was changed.
    pub fn open_piece(&self, place: &str, (pieces, number): (&Pieces, u32), mut sealed: Vec<u8>) -> Result<Vec<u8>> {
        let opened = self.key.open_in_place(pieces.nonce(number), bound_to(place), &mut sealed);
        let length = opened.map_err(|_| Error::broken("a piece does not open"))?.len();
        sealed.truncate(length);
        Ok(sealed)
    }

    /// Opens all of a file, whether it was sealed in pieces or, as it was before, as a whole.
    ///
    /// # Errors
    /// As [`DataKey::open_piece`] and [`DataKey::open`].
    pub fn open_file(&self, place: &str, sealed: Vec<u8>) -> Result<Vec<u8>> {
        let Some(pieces) = Pieces::of(&sealed, sealed.len() as u64) else { return self.open(place, sealed) };
        let mut opened = Vec::with_capacity(sealed.len());
        let parts = sealed.get(HEAD..).unwrap_or_default().chunks(PIECE + TAG);
        for (number, piece) in (0..).zip(parts) {
            opened.extend(self.open_piece(place, (&pieces, number), piece.to_vec())?);
        }
        Ok(opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Keys;

    fn key() -> DataKey {
        let folder = tempfile::tempdir().unwrap();
        Keys::load_or_make(folder.path()).unwrap().fresh_data_key("1").unwrap().0
    }

    fn file(length: usize) -> Vec<u8> {
        (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
    }

    #[test]
    fn a_file_opens_as_it_was_whole_and_piece_by_piece() {
        let key = key();
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let bytes = file(length);
            let sealed = key.seal_pieces("file", &bytes).unwrap();
            assert!(key.open_file("file", sealed.clone()).unwrap() == bytes, "{length}");
            let first = usize::try_from(Pieces::FIRST).unwrap();
            let pieces = Pieces::of(&sealed[..first.min(sealed.len())], sealed.len() as u64).unwrap();
            assert_eq!(pieces.length(), length as u64);
            for at in [0, length / 2, length.saturating_sub(1)] {
                let (number, before) = Pieces::holding(at as u64);
                let (from, most) = Pieces::place(number);
                let (from, most) = (usize::try_from(from).unwrap(), usize::try_from(most).unwrap());
                let piece = sealed[from..sealed.len().min(from + most)].to_vec();
                let opened = key.open_piece("file", (&pieces, number), piece).unwrap();
                assert_eq!(opened.get(before), bytes.get(at), "{at} of {length}");
            }
        }
        let whole = key.seal("file", b"as it was before").unwrap();
        assert_eq!(key.open_file("file", whole).unwrap(), b"as it was before");
    }

    #[test]
    fn what_was_cut_moved_or_changed_does_not_open() {
        let (key, bytes) = (key(), file(2 * PIECE + 10));
        let sealed = key.seal_pieces("file", &bytes).unwrap();
        let opens = |sealed: &[u8]| key.open_file("file", sealed.to_vec()).is_ok();
        assert!(opens(&sealed) && key.open_file("thumbnail", sealed.clone()).is_err());
        let piece = PIECE + TAG;
        for cut in [0, 4, HEAD, HEAD + 1, HEAD + piece, HEAD + 2 * piece, sealed.len() - 1] {
            assert!(!opens(&sealed[..cut]), "cut after {cut}");
        }
        let swapped = [&sealed[..HEAD], &sealed[HEAD + piece..HEAD + 2 * piece], &sealed[HEAD..HEAD + piece]].concat();
        assert!(!opens(&[&swapped[..], &sealed[HEAD + 2 * piece..]].concat()));
        assert!(!opens(&[&sealed[..], &b"more"[..]].concat()));
        for at in [0, 9, HEAD + 5, HEAD + piece + 5, sealed.len() - 20] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(!opens(&changed), "changed at {at}");
        }
        let other = key.seal_pieces("file", &bytes).unwrap();
        assert!(!opens(&[&sealed[..HEAD + piece], &other[HEAD + piece..]].concat()), "two files are not one");
    }
}
