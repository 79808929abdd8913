//! How loud a clip is from its beginning to its end: what is drawn beside the button that plays it.
use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
};

use symphonia::{
    core::{
        codecs::{
            CodecParameters,
            audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions},
        },
        errors::{Error as ReadError, Result as Read},
        formats::{FormatOptions, FormatReader},
        io::MediaSourceStream,
    },
    default::{
        codecs::{AacDecoder, MpaDecoder},
        formats::{AdtsReader, MpaReader},
    },
};

use super::{Form, MAX_PACKETS, wav};

/// How many are kept of a clip, however long it is.
const LEVELS: usize = 48;
/// The loudest; 0 is silence.
const LOUDEST: u8 = 31;
/// Blocks whose loudness is added up: 20 ms of sound each.
const BLOCKS_A_SECOND: u32 = 50;
/// Two minutes and a little; whatever says that it goes on is not listened to.
const MAX_BLOCKS: usize = 7_000;
/// Below that it is noise of the recorder, and not made to look like speech.
const QUIET: f64 = 0.002;
const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// The levels of a clip, where that takes no program: WAV, MP3 and plain AAC. One character each, as they are kept.
pub(in crate::media) fn levels(clip: &[u8]) -> Option<String> {
    let listen = || match Form::of(clip)? {
        Form::Wav => of_wav(clip),
        Form::Mp3 => of_packets(MpaReader::try_new(source(clip), FormatOptions::default()), |about| {
            Ok(Box::new(MpaDecoder::try_new(about, &AudioDecoderOptions::default())?))
        }),
        Form::Adts => of_packets(AdtsReader::try_new(source(clip), FormatOptions::default()), |about| {
            Ok(Box::new(AacDecoder::try_new(about, &AudioDecoderOptions::default())?))
        }),
        _ => None,
    };
    // what a decoder stumbles over is no reason to refuse what a phone may well play
    catch_unwind(AssertUnwindSafe(listen)).ok().flatten()
}

/// The levels of plain sound: one channel, sixteen bits, little end first.
pub(in crate::media) fn of_samples(sound: &[u8], samples_a_second: u32) -> Option<String> {
    let mut meter = Meter::of(samples_a_second);
    for sample in sound.as_chunks::<2>().0 {
        meter.hear(f64::from(i16::from_le_bytes(*sample)) / 32_768.0);
    }
    meter.levels()
}

/// What is kept, as numbers from 0 to [`LOUDEST`].
pub(in crate::media) fn numbers(kept: &str) -> Vec<u8> {
    let number = |digit: u8| DIGITS.iter().position(|one| *one == digit).and_then(|at| u8::try_from(at).ok());
    kept.bytes().filter_map(number).collect()
}

fn source(clip: &[u8]) -> MediaSourceStream<'_> {
    MediaSourceStream::new(Box::new(Cursor::new(clip)), Default::default())
}

fn of_wav(clip: &[u8]) -> Option<String> {
    let sound = wav::sound(clip)?;
    let mut meter = Meter::of(sound.samples_a_second.saturating_mul(sound.channels));
    if sound.bits == 8 {
        sound.bytes.iter().for_each(|sample| meter.hear((f64::from(*sample) - 128.0) / 128.0));
        return meter.levels();
    }
    of_samples(sound.bytes, sound.samples_a_second.saturating_mul(sound.channels))
}

fn of_packets(
    reader: Read<impl FormatReader>,
    decoder: impl FnOnce(&AudioCodecParameters) -> Read<Box<dyn AudioDecoder>>,
) -> Option<String> {
    let mut reader = reader.ok()?;
    let Some(CodecParameters::Audio(about)) = reader.tracks().first()?.codec_params.clone() else { return None };
    let mut decoder = decoder(&about).ok()?;
    let (mut meter, mut samples) = (None, Vec::<f32>::new());
    for _ in 0..MAX_PACKETS {
        let Ok(Some(packet)) = reader.next_packet() else { break };
        let sound = match decoder.decode(&packet) {
            Ok(sound) => sound,
            Err(ReadError::DecodeError(_) | ReadError::IoError(_)) => continue,
            Err(_) => break,
        };
        let channels = u32::try_from(sound.num_planes()).ok()?;
        let meter = meter.get_or_insert_with(|| Meter::of(sound.spec().rate().saturating_mul(channels)));
        sound.copy_to_vec_interleaved(&mut samples);
        samples.iter().for_each(|sample| meter.hear(f64::from(*sample)));
    }
    meter?.levels()
}

/// Adds up how loud it is, block by block.
struct Meter {
    per_block: u32,
    heard: u32,
    sum: f64,
    blocks: Vec<f64>,
}

impl Meter {
    fn of(samples_a_second: u32) -> Self {
        Self { per_block: (samples_a_second / BLOCKS_A_SECOND).max(1), heard: 0, sum: 0.0, blocks: Vec::new() }
    }

    fn hear(&mut self, sample: f64) {
        if self.blocks.len() >= MAX_BLOCKS || !sample.is_finite() {
            return;
        }
        self.sum += sample * sample;
        self.heard += 1;
        if self.heard == self.per_block {
            self.blocks.push(self.sum / f64::from(self.per_block));
            (self.heard, self.sum) = (0, 0.0);
        }
    }

    /// `None` when there was nothing to hear.
    fn levels(&self) -> Option<String> {
        let count = self.blocks.len();
        if count == 0 {
            return None;
        }
        let loudness = |n: usize| {
            let (from, to) = (n * count / LEVELS, ((n + 1) * count).div_ceil(LEVELS));
            let some = &self.blocks[from..to.max(from + 1)];
            #[expect(clippy::cast_precision_loss, reason = "a few thousand at most")]
            let mean = some.iter().sum::<f64>() / some.len() as f64;
            mean.sqrt()
        };
        let all: Vec<f64> = (0..LEVELS).map(loudness).collect();
        let loudest = all.iter().copied().fold(QUIET, f64::max);
        Some(all.iter().map(|one| digit(one / loudest)).collect())
    }
}

/// The ear hears a quarter of the force as half as loud.
fn digit(part: f64) -> char {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 31")]
    let level = (part.clamp(0.0, 1.0).sqrt() * f64::from(LOUDEST)).round() as usize;
    char::from(DIGITS[level.min(DIGITS.len() - 1)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fuzz::{Food, feed},
        media::voice::samples,
    };

    /// One second of silence, one of a loud tone, one of a tone of a quarter of its force.
    fn sound() -> Vec<u8> {
        let tone = |n: u32, force: f64| (f64::from(n) * 0.3).sin() * force * 32_000.0;
        #[expect(clippy::cast_possible_truncation, reason = "within sixteen bits")]
        let samples = (0..24_000).map(|n| match n / 8_000 {
            0 => 0_i16,
            1 => tone(n, 1.0) as i16,
            _ => tone(n, 0.26) as i16,
        });
        samples.flat_map(i16::to_le_bytes).collect()
    }

    #[test]
    fn what_is_loud_is_high() {
        let kept = of_samples(&sound(), 8_000).unwrap();
        assert_eq!(kept, format!("{}{}{}", "0".repeat(16), "v".repeat(16), "g".repeat(16)));
        let numbers = numbers(&kept);
        assert_eq!((numbers.len(), numbers[0], numbers[20], numbers[40]), (LEVELS, 0, LOUDEST, 16));
        assert_eq!(of_samples(&[], 8_000), None);
        assert_eq!(of_samples(&[0; 16_000], 8_000).unwrap(), "0".repeat(48), "silence is no division by nothing");
        assert_eq!(of_samples(&sound()[..900], 8_000).unwrap().len(), LEVELS, "shorter than its levels");
        assert!(of_samples(&sound(), 0).is_some() && of_samples(&sound(), u32::MAX).is_none());
    }

    #[test]
    fn three_forms_need_no_program() {
        let listened: Vec<_> = samples::CLIPS.iter().map(|(mime, clip)| (*mime, levels(clip))).collect();
        let of = |wanted: &str| listened.iter().find(|(mime, _)| *mime == wanted).unwrap().1.as_deref();
        let wav = numbers(of("audio/wav").unwrap());
        assert!(wav.contains(&LOUDEST) && wav.iter().any(|level| *level < 20), "{wav:?}");
        // the same speech: an encoder shifts it by a block or two
        for mime in ["audio/mpeg", "audio/aac"] {
            let other = numbers(of(mime).unwrap());
            assert_eq!(other.len(), LEVELS);
            let apart: u32 = wav.iter().zip(&other).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
            assert!(apart < 48 * 5, "{mime}: {apart}\n{wav:?}\n{other:?}");
        }
        for mime in ["audio/mp4", "audio/webm", "audio/ogg", "audio/amr"] {
            assert_eq!(of(mime), None, "{mime}");
        }
        assert_eq!(levels(b"no clip"), None);
    }

    #[test]
    fn bent_clips_have_levels_or_none() {
        let seeds = samples::CLIPS.iter().filter(|(_, clip)| levels(clip).is_some());
        let seeds = seeds.map(|(_, clip)| clip.to_vec()).collect();
        feed(&Food { name: "levels", seeds, words: &["data", "fmt ", "RIFF", "Xing"], longest: 50_000 }, |bytes| {
            assert!(levels(bytes).is_none_or(|kept| kept.len() == LEVELS && numbers(&kept).len() == LEVELS));
        });
    }
}
