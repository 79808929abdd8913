//! WAV voice clips: plain samples, so that their number is their length.
//!
//! Own lines instead of symphonia's reader, whose arithmetic overflows on some broken headers.
use crate::error::{Code, Result};

/// How long the clip lasts, in milliseconds, if it is plain sound of one or two channels.
pub(super) fn milliseconds(clip: &[u8]) -> Result<u64> {
    let format = chunk(clip, b"fmt ").ok_or(Code::MediaUnreadable)?;
    let samples = chunk(clip, b"data").ok_or(Code::MediaUnreadable)?;
    let bytes_a_second = bytes_a_second(format).ok_or(Code::MediaUnsupported)?;
    Ok(samples.len() as u64 * 1_000 / bytes_a_second)
}

/// The samples, as far as they are there.
pub(super) struct Sound<'a> {
    pub(super) samples_a_second: u32,
    pub(super) channels: u32,
    /// 8 or 16.
    pub(super) bits: u16,
    pub(super) bytes: &'a [u8],
}

/// What there is to hear.
pub(super) fn sound(clip: &[u8]) -> Option<Sound<'_>> {
    let format = chunk(clip, b"fmt ")?;
    bytes_a_second(format)?;
    let two = |at: usize| Some(u16::from_le_bytes(*format.get(at..)?.first_chunk()?));
    Some(Sound {
        samples_a_second: u32::from_le_bytes(*format.get(4..)?.first_chunk()?),
        channels: u32::from(two(2)?),
        bits: two(14)?,
        bytes: chunk(clip, b"data")?,
    })
}

/// A part of the file, as far as it is there: a recorder that streams does not know its length beforehand.
fn chunk<'a>(clip: &'a [u8], wanted: &[u8; 4]) -> Option<&'a [u8]> {
    let mut rest = clip.get(12..)?;
    loop {
        let (head, after) = rest.split_first_chunk::<8>()?;
        let [a, b, c, d, length @ ..] = *head;
        let length = u32::from_le_bytes(length) as usize;
        if [a, b, c, d] == *wanted {
            return Some(&after[..length.min(after.len())]);
        }
        rest = after.get(length.checked_add(length % 2)?..)?;
    }
}

fn bytes_a_second(format: &[u8]) -> Option<u64> {
    const PLAIN: u64 = 1;
    let two = |at: usize| Some(u64::from(u16::from_le_bytes(*format.get(at..)?.first_chunk()?)));
    let samples_a_second = u64::from(u32::from_le_bytes(*format.get(4..)?.first_chunk()?));
    let (coding, channels, bits) = (two(0)?, two(2)?, two(14)?);
    let is_usual = coding == PLAIN && (1..=2).contains(&channels) && (bits == 8 || bits == 16);
    (is_usual && samples_a_second > 0).then(|| samples_a_second * channels * bits / 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAMP: &[u8] = include_bytes!("../../../tests/data/media/lamp.wav");

    fn changed(at: usize, bytes: &[u8]) -> Result<u64> {
        let mut clip = LAMP.to_vec();
        clip[at..at + bytes.len()].copy_from_slice(bytes);
        milliseconds(&clip)
    }

    #[test]
    fn what_the_header_promises_is_not_believed() {
        assert_eq!(milliseconds(LAMP).unwrap(), 3_000);
        let data = LAMP.windows(4).position(|name| name == b"data").unwrap();
        assert_eq!(changed(data + 4, &[0xFF; 4]).unwrap(), 3_000, "only what is there is counted");
        let code = |clip: Result<u64>| clip.unwrap_err().code();
        assert_eq!(code(changed(20, &[0x55, 0])), Code::MediaUnsupported, "MP3 in a WAV");
        assert_eq!(code(changed(22, &[0xFF; 6])), Code::MediaUnsupported, "65,535 channels");
        assert_eq!(code(changed(24, &[0; 4])), Code::MediaUnsupported, "no sample a second");
        assert_eq!(code(changed(data, b"DATA")), Code::MediaUnreadable);
        assert_eq!(code(milliseconds(b"RIFF")), Code::MediaUnreadable);
    }
}
