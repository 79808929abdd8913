//! MP4 voice clips: what they hold and how long they last, read box by box (ISO/IEC 14496-12) without believing a number.
//!
//! Own lines instead of symphonia's reader, which panics on some broken fragments and loops for seconds on others.
use crate::error::{Code, Result};

/// How long the only track lasts, in milliseconds, if it is sound that browsers play.
pub(super) fn milliseconds(clip: &[u8]) -> Result<u64> {
    let moov = child(clip, b"moov").ok_or(Code::MediaUnreadable)?;
    let mut tracks = Boxes(moov).filter(|(name, _)| *name == b"trak").map(|(_, content)| content);
    let media = tracks.next().and_then(|track| child(track, b"mdia")).ok_or(Code::MediaUnreadable)?;
    if tracks.next().is_some() || !is_playable_sound(media).ok_or(Code::MediaUnreadable)? {
        return Err(Code::MediaUnsupported.into());
    }
    let ticks_a_second = ticks_a_second(media).filter(|ticks| *ticks > 0).ok_or(Code::MediaUnreadable)?;
    if !Boxes(clip).any(|(name, content)| name == b"mdat" && !content.is_empty()) {
        return Err(Code::MediaUnreadable.into());
    }
    let ticks = whole_ticks(media).saturating_add(fragment_ticks(clip, moov));
    Ok(ticks.saturating_mul(1_000) / u64::from(ticks_a_second))
}

/// The boxes in a stretch of bytes: name and content. One that promises more than there is holds what there is.
struct Boxes<'a>(&'a [u8]);

impl<'a> Iterator for Boxes<'a> {
    type Item = (&'a [u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        const TO_THE_END: u32 = 0;
        const LONG: u32 = 1;
        let (head, name) = (number(self.0, 0)?, self.0.get(4..)?.first_chunk()?);
        let (content_at, length) = match head {
            TO_THE_END => (8, self.0.len()),
            LONG => (16, usize::try_from(u64::from_be_bytes(*self.0.get(8..)?.first_chunk()?)).ok()?),
            length => (8, length as usize),
        };
        let end = length.min(self.0.len());
        let content = self.0.get(content_at..end)?;
        self.0 = self.0.get(end..)?;
        Some((name, content))
    }
}

fn child<'a>(within: &'a [u8], wanted: &[u8; 4]) -> Option<&'a [u8]> {
    Boxes(within).find(|(name, _)| *name == wanted).map(|(_, content)| content)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn samples(media: &[u8]) -> Option<&[u8]> {
    child(child(media, b"minf")?, b"stbl")
}

fn is_playable_sound(media: &[u8]) -> Option<bool> {
    let is_sound = child(media, b"hdlr")?.get(8..12)? == b"soun";
    let mut codecs = Boxes(child(samples(media)?, b"stsd")?.get(8..)?).map(|(name, _)| name).peekable();
    Some(is_sound && codecs.peek().is_some() && codecs.all(|name| [b"mp4a", b"Opus"].contains(&name)))
}

fn ticks_a_second(media: &[u8]) -> Option<u32> {
    let header = child(media, b"mdhd")?;
    let has_long_times = *header.first()? == 1;
    number(header, if has_long_times { 20 } else { 12 })
}

/// Ticks of what was finished before the file was closed: runs of samples of equal length.
fn whole_ticks(media: &[u8]) -> u64 {
    let runs = samples(media).and_then(|table| child(table, b"stts")).and_then(|times| times.get(8..));
    runs.unwrap_or_default().chunks_exact(8).fold(0, |sum: u64, run| {
        let (count, each) = (number(run, 0).unwrap_or_default(), number(run, 4).unwrap_or_default());
        sum.saturating_add(u64::from(count) * u64::from(each))
    })
}

/// Ticks of what was written while recording went on, as iOS does.
fn fragment_ticks(clip: &[u8], moov: &[u8]) -> u64 {
    let by_default = child(moov, b"mvex").and_then(|all| child(all, b"trex")).and_then(|track| number(track, 12));
    let fragments = Boxes(clip).filter(|(name, _)| *name == b"moof").filter_map(|(_, moof)| child(moof, b"traf"));
    fragments.fold(0, |sum: u64, fragment| {
        let here = child(fragment, b"tfhd").and_then(default_of_fragment).or(by_default).unwrap_or_default();
        let runs = Boxes(fragment).filter(|(name, _)| *name == b"trun");
        runs.fold(sum, |sum, (_, run)| sum.saturating_add(run_ticks(run, here).unwrap_or_default()))
    })
}

fn default_of_fragment(header: &[u8]) -> Option<u32> {
    const OFFSET: u32 = 0x1;
    const DESCRIPTION: u32 = 0x2;
    const DURATION: u32 = 0x8;
    let flags = number(header, 0)?;
    if flags & DURATION == 0 {
        return None;
    }
    number(header, 8 + if flags & OFFSET == 0 { 0 } else { 8 } + if flags & DESCRIPTION == 0 { 0 } else { 4 })
}

fn run_ticks(run: &[u8], by_default: u32) -> Option<u64> {
    const OFFSET: u32 = 0x1;
    const FIRST_FLAGS: u32 = 0x4;
    const DURATION: u32 = 0x100;
    const FIELDS: u32 = 0xF00;
    let (flags, count) = (number(run, 0)?, number(run, 4)?);
    if flags & DURATION == 0 {
        return Some(u64::from(count) * u64::from(by_default));
    }
    let start = 8 + 4 * (flags & (OFFSET | FIRST_FLAGS)).count_ones() as usize;
    let width = 4 * (flags & FIELDS).count_ones() as usize;
    let rows = run.get(start..)?.chunks_exact(width).take(count as usize);
    Some(rows.filter_map(|row| number(row, 0)).map(u64::from).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: &[u8] = include_bytes!("../../../tests/data/media/lamp-live.mp4");

    fn changed(name: &[u8; 4], at: usize, bytes: &[u8]) -> Vec<u8> {
        let mut clip = LIVE.to_vec();
        let start = clip.windows(4).position(|window| window == name).unwrap() + 4 + at;
        clip[start..start + bytes.len()].copy_from_slice(bytes);
        clip
    }

    #[test]
    fn a_run_may_promise_any_number_of_samples_without_being_walked() {
        assert_eq!(milliseconds(LIVE).unwrap(), 3_064);
        let endless = changed(b"trun", 0, &[0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
        assert!(milliseconds(&endless).unwrap() > 1_000_000);
        let promised_but_absent = changed(b"trun", 0, &[0, 0, 3, 1, 0xFF, 0xFF, 0xFF, 0xFF]);
        assert!(milliseconds(&promised_but_absent).is_ok(), "only the rows that are there are added");
    }

    #[test]
    fn sound_in_another_coding_or_without_a_time_scale_is_refused() {
        let code = |clip: &[u8]| milliseconds(clip).unwrap_err().code();
        assert_eq!(code(&changed(b"stsd", 12, b"enca")), Code::MediaUnsupported);
        assert_eq!(code(&changed(b"hdlr", 8, b"vide")), Code::MediaUnsupported);
        assert_eq!(code(&changed(b"mdhd", 12, &[0; 4])), Code::MediaUnreadable);
        assert_eq!(code(&LIVE[..900]), Code::MediaUnreadable, "no sound in it");
        assert_eq!(code(b"\0\0\0\x08moov"), Code::MediaUnreadable);
        assert_eq!(code(b"\0\0\0\x01moov\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), Code::MediaUnreadable);
    }
}
