//! Voice clips 录音: kept as recorded; how long they last is counted, because what recorders write into headers is not true.
pub(super) mod levels;
mod mp4;
mod wav;

use std::io::{Cursor, ErrorKind};

use symphonia::{
    core::{
        codecs::{
            CodecParameters,
            audio::{
                AudioCodecId,
                well_known::{CODEC_ID_AAC, CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_VORBIS},
            },
        },
        errors::{Error as ReadError, Result as Read},
        formats::{FormatOptions, FormatReader},
        io::MediaSourceStream,
        units::Duration,
    },
    default::formats::{AdtsReader, MkvReader, MpaReader, OggReader},
};

use crate::error::{Code, Error, Result};

/// The longest file that is looked at: 2 MiB.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Two minutes, and what encoders add to fill their last block: so long an office says something aloud.
const MAX_MS: u64 = 120_500;
/// A minute, and the same: so long somebody speaks in a voice or in a message.
pub const SAID_MS: i32 = 60_500;
/// A packet of speech lasts 10 ms or more; a file made to hold up the server may have any number of empty ones.
const MAX_PACKETS: u64 = 50_000;
/// What most phones do not play.
pub(super) const AMR: &str = "audio/amr";
const AMR_HEAD: &[u8] = b"#!AMR\n";

/// What is known about a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voice {
    /// What a browser must be told to play it.
    pub mime: &'static str,
    /// How long it lasts, in milliseconds.
    pub duration_ms: u32,
    /// Do most phones not play it?
    pub wants_copy: bool,
}

/// The forms in which phones record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Mp4,
    Webm,
    Ogg,
    Mp3,
    Wav,
    Adts,
    Amr,
}

impl Form {
    /// The form that the beginning of a file shows.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match infer::get(bytes)?.mime_type() {
            // containers named video hold the clips of iOS and Chrome; a picture track is refused later
            "audio/m4a" | "video/mp4" => Some(Self::Mp4),
            "video/webm" => Some(Self::Webm),
            "audio/opus" | "audio/ogg" => Some(Self::Ogg),
            "audio/mpeg" => Some(Self::Mp3),
            "audio/x-wav" => Some(Self::Wav),
            "audio/aac" => Some(Self::Adts),
            "audio/amr" => Some(Self::Amr),
            _ => None,
        }
    }

    /// Do most phones not play it, so that they are given a copy that they do?
    pub(super) fn wants_copy(self) -> bool {
        self == Self::Amr
    }

    /// What ffmpeg calls it.
    pub(super) fn ffmpeg_name(self) -> &'static str {
        match self {
            Self::Mp4 => "mov",
            Self::Webm => "matroska",
            Self::Ogg => "ogg",
            Self::Mp3 => "mp3",
            Self::Wav => "wav",
            Self::Adts => "aac",
            Self::Amr => "amr",
        }
    }

    fn mime(self) -> &'static str {
        match self {
            Self::Mp4 => "audio/mp4",
            Self::Webm => "audio/webm",
            Self::Ogg => "audio/ogg",
            Self::Mp3 => "audio/mpeg",
            Self::Wav => "audio/wav",
            Self::Adts => "audio/aac",
            Self::Amr => AMR,
        }
    }
}

/// Says how a clip is played and for how long. For a blocking thread: reads the whole clip.
///
/// # Errors
/// `media_unsupported` for what phones cannot play or what holds a picture, `media_too_large` over two minutes,
/// `media_unreadable` when broken or empty.
pub fn measure(bytes: &[u8]) -> Result<Voice> {
    let form = Form::of(bytes).ok_or(Code::MediaUnsupported)?;
    let source = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let options = FormatOptions::default();
    let milliseconds = match form {
        Form::Amr => amr_ms(bytes)?,
        Form::Mp4 => mp4::milliseconds(bytes)?,
        Form::Webm => counted_ms(MkvReader::try_new(source, options), &[CODEC_ID_OPUS, CODEC_ID_VORBIS])?,
        Form::Ogg => counted_ms(OggReader::try_new(source, options), &[CODEC_ID_OPUS, CODEC_ID_VORBIS])?,
        Form::Mp3 => counted_ms(MpaReader::try_new(source, options), &[CODEC_ID_MP3])?,
        Form::Wav => wav::milliseconds(bytes)?,
        Form::Adts => counted_ms(AdtsReader::try_new(source, options), &[CODEC_ID_AAC])?,
    };
    if milliseconds == 0 {
        return Err(Code::MediaUnreadable.into());
    }
    if milliseconds > MAX_MS {
        return Err(Code::MediaTooLarge.into());
    }
    let duration_ms = u32::try_from(milliseconds).map_err(Error::broken)?;
    Ok(Voice { mime: form.mime(), duration_ms, wants_copy: form.wants_copy() })
}

/// AMR narrow band as stored in a file (RFC 4867, section 5): frames of 20 ms whose length follows from their type.
fn amr_ms(clip: &[u8]) -> Result<u64> {
    const NOT_ALLOWED: usize = 0;
    const LENGTHS: [usize; 16] = [13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1];
    let mut frames = clip.strip_prefix(AMR_HEAD).ok_or(Code::MediaUnsupported)?;
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

fn counted_ms(reader: Read<impl FormatReader>, playable: &[AudioCodecId]) -> Result<u64> {
    let mut reader = reader.map_err(refusal)?;
    let [track] = reader.tracks() else { return Err(Code::MediaUnsupported.into()) };
    let Some(CodecParameters::Audio(audio)) = &track.codec_params else { return Err(Code::MediaUnsupported.into()) };
    if !playable.contains(&audio.codec) {
        return Err(Code::MediaUnsupported.into());
    }
    let time_base = track.time_base.ok_or(Code::MediaUnreadable)?;
    let counted = time_base.calc_duration_saturating(length(&mut reader)?).as_millis();
    Ok(u64::try_from(counted).unwrap_or(u64::MAX))
}

/// The length of the only track: its packets added up, or the time from the first to the last where packets do not say how
/// long they are (Chrome's WebM) or leave gaps.
fn length(reader: &mut impl FormatReader) -> Result<Duration> {
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
        ("audio/mp4", include_bytes!("../../tests/data/media/lamp-chrome.mp4")),
        ("audio/webm", include_bytes!("../../tests/data/media/lamp-chrome.webm")),
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
        assert_eq!(refused(AMR_HEAD), Code::MediaUnsupported);
        assert_eq!(refused(b"#!AMR\n\xFF\xFF\xFF\xFF\xFF\xFF"), Code::MediaUnreadable);
        assert_eq!(refused(b"#!AMR\n\x4C\0\0\0\0\0\0"), Code::MediaUnreadable, "type 9 is not speech");
        assert_eq!(refused(b"#!AMR\n\x3C\0\0\0\0\0\0"), Code::MediaUnreadable, "not one whole frame");
        assert_eq!(refused(b"#!AMR-WB\n\x04\0\0\0\0"), Code::MediaUnsupported, "browsers cannot play it");
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
            drop(measure(&bytes));
        }
    }
}
