//! Voice clips 录音: kept as recorded; how long they last is counted, because what recorders write into headers is not true.
use std::io::{Cursor, ErrorKind};

use symphonia::core::{
    codecs::{
        CodecParameters,
        audio::well_known::{
            CODEC_ID_AAC, CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_PCM_S16LE, CODEC_ID_PCM_U8, CODEC_ID_VORBIS,
        },
    },
    errors::Error as ReadError,
    formats::{
        FormatOptions, FormatReader, Track,
        probe::Hint,
        well_known::{FORMAT_ID_ADTS, FORMAT_ID_ISOMP4, FORMAT_ID_MKV, FORMAT_ID_MP3, FORMAT_ID_OGG, FORMAT_ID_WAVE},
    },
    io::MediaSourceStream,
    meta::MetadataOptions,
    units::Duration,
};

use crate::error::{Code, Error, Result};

/// The longest file that is looked at: 2 MiB.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Two minutes, and what encoders add to fill their last block.
const MAX_MS: u64 = 120_500;
/// A packet of speech lasts 10 ms or more; a file made to hold up the server may have any number of empty ones.
const MAX_PACKETS: u64 = 50_000;
const AMR_HEAD: &[u8] = b"#!AMR\n";

/// What is known about a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voice {
    /// What a browser must be told to play it.
    pub mime: &'static str,
    /// How long it lasts, in milliseconds.
    pub duration_ms: u32,
}

/// Says how a clip is played and for how long. For a blocking thread: reads the whole clip.
///
/// # Errors
/// `media_unsupported` for what phones cannot play or what holds a picture, `media_too_large` over two minutes, `media_unreadable` when broken or empty.
pub fn measure(bytes: &[u8]) -> Result<Voice> {
    let (mime, milliseconds) = match bytes.strip_prefix(AMR_HEAD) {
        Some(frames) => ("audio/amr", amr_ms(frames)?),
        None => container_ms(bytes)?,
    };
    if milliseconds == 0 {
        return Err(Code::MediaUnreadable.into());
    }
    if milliseconds > MAX_MS {
        return Err(Code::MediaTooLarge.into());
    }
    let duration_ms = u32::try_from(milliseconds).map_err(Error::broken)?;
    Ok(Voice { mime, duration_ms })
}

/// AMR narrow band as stored in a file (RFC 4867, section 5): frames of 20 ms whose length follows from their type.
fn amr_ms(mut frames: &[u8]) -> Result<u64> {
    const NOT_ALLOWED: usize = 0;
    const LENGTHS: [usize; 16] = [13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1];
    let mut milliseconds = 0;
    while let Some(head) = frames.first() {
        let length = LENGTHS[usize::from(head >> 3 & 0b1111)];
        if length == NOT_ALLOWED || head & 0b1000_0011 != 0 {
            return Err(Code::MediaUnreadable.into());
        }
        let Some(rest) = frames.get(length..) else { break };
        frames = rest;
        milliseconds += 20;
    }
    Ok(milliseconds)
}

fn container_ms(bytes: &[u8]) -> Result<(&'static str, u64)> {
    let source = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let mut reader = symphonia::default::get_probe()
        .probe(&Hint::new(), source, FormatOptions::default(), MetadataOptions::default())
        .map_err(refusal)?;
    let [track] = reader.tracks() else { return Err(Code::MediaUnsupported.into()) };
    let mime = playable(reader.as_ref(), track).ok_or(Code::MediaUnsupported)?;
    let time_base = track.time_base.ok_or(Code::MediaUnreadable)?;
    let ticks = length(reader.as_mut())?;
    let counted = time_base.calc_duration_saturating(ticks).as_millis();
    Ok((mime, u64::try_from(counted).unwrap_or(u64::MAX)))
}

/// The length of the only track: its packets added up, or the time from the first to the last where packets do not say how
/// long they are (Chrome's WebM) or leave gaps.
fn length(reader: &mut dyn FormatReader) -> Result<Duration> {
    let (mut sum, mut span, mut first) = (Duration::ZERO, Duration::ZERO, None);
    for _ in 0..MAX_PACKETS {
        match reader.next_packet() {
            Ok(Some(packet)) => {
                sum = sum.saturating_add(packet.dur);
                let since_first = packet.pts.abs_delta(*first.get_or_insert(packet.pts));
                span = span.max(since_first.saturating_add(packet.dur));
            }
            Ok(None) => return Ok(sum.max(span)),
            // a recording that was still being written ends in the middle of something
            Err(ReadError::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => return Ok(sum.max(span)),
            Err(error) => return Err(refusal(error)),
        }
    }
    Err(Code::MediaTooLarge.into())
}

/// The type under which browsers play the track, if they do.
fn playable(reader: &dyn FormatReader, track: &Track) -> Option<&'static str> {
    let Some(CodecParameters::Audio(audio)) = &track.codec_params else { return None };
    let codec = audio.codec;
    match reader.format_info().format {
        FORMAT_ID_ISOMP4 if [CODEC_ID_AAC, CODEC_ID_OPUS].contains(&codec) => Some("audio/mp4"),
        FORMAT_ID_MKV if [CODEC_ID_OPUS, CODEC_ID_VORBIS].contains(&codec) => Some("audio/webm"),
        FORMAT_ID_OGG if [CODEC_ID_OPUS, CODEC_ID_VORBIS].contains(&codec) => Some("audio/ogg"),
        FORMAT_ID_WAVE if [CODEC_ID_PCM_S16LE, CODEC_ID_PCM_U8].contains(&codec) => Some("audio/wav"),
        FORMAT_ID_MP3 if codec == CODEC_ID_MP3 => Some("audio/mpeg"),
        FORMAT_ID_ADTS if codec == CODEC_ID_AAC => Some("audio/aac"),
        _ => None,
    }
}

fn refusal(error: ReadError) -> Error {
    match error {
        ReadError::Unsupported(_) => Code::MediaUnsupported.into(),
        _ => Code::MediaUnreadable.into(),
    }
}

/// Three seconds of invented speech in every form that is accepted.
#[cfg(test)]
pub(super) mod samples {
    /// Form and bytes.
    pub(in crate::media) const CLIPS: &[(&str, &[u8])] = &[
        ("audio/mp4", include_bytes!("../../tests/data/media/lamp.m4a")),
        ("audio/mp4", include_bytes!("../../tests/data/media/lamp-live.mp4")),
        ("audio/webm", include_bytes!("../../tests/data/media/lamp-live.webm")),
        ("audio/ogg", include_bytes!("../../tests/data/media/lamp.ogg")),
        ("audio/mpeg", include_bytes!("../../tests/data/media/lamp.mp3")),
        ("audio/wav", include_bytes!("../../tests/data/media/lamp.wav")),
        ("audio/aac", include_bytes!("../../tests/data/media/lamp.aac")),
        ("audio/amr", include_bytes!("../../tests/data/media/lamp.amr")),
    ];
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(bytes: &[u8]) -> Code {
        measure(bytes).unwrap_err().code()
    }

    /// Sixteen-bit sound of the given length, 8,000 samples a second, all silent.
    fn silent_wav(milliseconds: u32) -> Vec<u8> {
        let data = milliseconds * 16;
        let mut wav = b"RIFF".to_vec();
        wav.extend((36 + data).to_le_bytes());
        wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data");
        wav.extend(data.to_le_bytes());
        wav.resize(wav.len() + usize::try_from(data).unwrap(), 0);
        wav
    }

    #[test]
    fn three_seconds_are_three_seconds_in_every_form() {
        for (mime, clip) in samples::CLIPS {
            let voice = measure(clip).unwrap();
            assert_eq!(voice.mime, *mime);
            assert!(voice.duration_ms.abs_diff(3_000) <= 110, "{mime}: {} ms", voice.duration_ms);
        }
    }

    #[test]
    fn a_picture_makes_it_no_voice_clip() {
        assert_eq!(refused(include_bytes!("../../tests/data/media/video.mp4")), Code::MediaUnsupported);
        assert_eq!(refused(include_bytes!("../../tests/data/media/video.webm")), Code::MediaUnsupported);
        assert_eq!(refused(include_bytes!("../../tests/data/media/gps-sideways.jpg")), Code::MediaUnsupported);
    }

    #[test]
    fn two_minutes_are_the_limit() {
        assert_eq!(measure(&silent_wav(120_000)).unwrap().duration_ms, 120_000);
        assert_eq!(refused(&silent_wav(121_000)), Code::MediaTooLarge);
        let frames_of_silence = |count: usize| [AMR_HEAD, &vec![0x7C; count]].concat();
        assert_eq!(measure(&frames_of_silence(6_000)).unwrap().duration_ms, 120_000);
        assert_eq!(refused(&frames_of_silence(6_100)), Code::MediaTooLarge);
    }

    #[test]
    fn silence_without_length_and_unknown_frames_are_refused() {
        assert_eq!(refused(b""), Code::MediaUnsupported);
        assert_eq!(refused(AMR_HEAD), Code::MediaUnreadable);
        assert_eq!(refused(b"#!AMR\n\xFF\xFF"), Code::MediaUnreadable);
        assert_eq!(refused(b"#!AMR\n\x4C\x00\x00"), Code::MediaUnreadable, "type 9 is not speech");
        assert_eq!(refused(b"#!AMR-WB\n\x04\x00"), Code::MediaUnsupported, "browsers cannot play it");
        assert_eq!(refused(&silent_wav(0)), Code::MediaUnreadable);
    }

    #[test]
    fn a_cut_clip_is_shorter_or_refused() {
        for (mime, clip) in samples::CLIPS {
            for cut in (0..clip.len()).step_by(97) {
                match measure(&clip[..cut]) {
                    Ok(voice) => assert!(voice.duration_ms <= 3_110, "{mime} cut at {cut}: {voice:?}"),
                    Err(error) => assert!(
                        matches!(error.code(), Code::MediaUnreadable | Code::MediaUnsupported),
                        "{mime} cut at {cut}: {error}"
                    ),
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn no_bytes_bring_it_down(
            which in 0..samples::CLIPS.len(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        ) {
            let mut bytes = samples::CLIPS[which].1.to_vec();
            for (at, byte) in changes {
                // most of what can be misread stands at the beginning
                let at = at.index(bytes.len().min(1_500));
                bytes[at] = byte;
            }
            let _ = measure(&bytes).is_ok();
        }
    }
}
