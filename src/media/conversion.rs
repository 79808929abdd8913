//! Clips that want a program (ffmpeg): AMR becomes what every phone plays, and of what we cannot decode the levels are heard.
//!
//! # Why
//! A row says what is still to be done to its clip (`work_at`), in the unit of work that keeps it, so that nothing is lost
//! with a process; the program runs outside of any unit of work, one clip after the other. Whoever dies over a clip has used
//! up one of its three tries. The program is told in which form the clip is, which we know from its bytes, so that it guesses
//! nothing; it may read nothing but the clip, and gives no more than a clip may have, in the memory and time of [`LIMITS`].
//! What it made is inspected like what anybody sends. The clip itself stays as it was sent.
use std::time::Duration;

use super::{Media, commands, files, reading, removal, voice};
use crate::{
    app::App,
    config::Config,
    error::{Code, Error, Result},
    programs::{self, Limits},
};

/// How what was made for every phone is played.
pub(super) const PLAYED: &str = "audio/mp4";
/// Clips in one round; what waits longer waits for the next.
const AT_ONCE: usize = 20;
/// For two minutes of sound it needs less than two seconds and 200 MiB of addresses.
const LIMITS: Limits = Limits {
    longest: Duration::from_secs(20),
    output: voice::MAX_BYTES as u64,
    memory: 512 * 1024 * 1024,
    reads_strangers: true,
};
/// Enough to draw how loud it is, and two minutes of it are no longer than a clip may be.
const SAMPLES_A_SECOND: &str = "8000";
const SAMPLES: u32 = 8_000;
/// An encoder fills its last block, and cuts away what it put before the first one.
const MAY_BE_LONGER_MS: u32 = 500;
/// What phones record in, by the names of what reads it; nothing else of what the program can read is reached.
const READ_BY: &str = "aac,mp3,mp3float,opus,vorbis,amrnb,pcm_s16le,pcm_u8";

/// 20 ms of AMR: some sound.
const FRAME: &[u8; 13] = b"\x04\x00\x0b\x16\x21\x2c\x37\x42\x4d\x58\x63\x6e\x79";

/// What is known of a clip when its program has run.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    pub(super) levels: Option<String>,
    pub(super) is_played: bool,
}

/// One round: every clip that wants a program, one after the other. Says how many were done. Does nothing without a program.
///
/// # Errors
/// When the database fails; a program that fails is only told of in the log.
pub async fn run_due(app: &App) -> Result<u64> {
    if app.config.ffmpeg.is_empty() {
        return Ok(0);
    }
    let mut done = 0;
    for _ in 0..AT_ONCE {
        let Some(row) = app.store.write(|tx| Box::pin(commands::claim_work(tx))).await? else { break };
        let outcome = work(app, &row).await;
        match outcome {
            Ok(heard) => done += u64::from(finish(app, &row, heard).await?),
            // nobody can hear it any more
            Err(error) if error.code() == Code::Erased => {
                finish(app, &row, Heard::default()).await?;
            }
            // none of the program's: no try is used up, and the next clip would fare no better
            Err(error) if is_passing(error.code()) => {
                tracing::warn!(%error, media = %row.id, "a clip that wants ffmpeg waits");
                app.store.write(move |tx| Box::pin(async move { commands::give_back(tx, &row).await })).await?;
                break;
            }
            Err(error) => tracing::warn!(%error, media = %row.id, tries = row.work_tries, "a clip that wants ffmpeg"),
        }
    }
    Ok(done)
}

fn is_passing(code: Code) -> bool {
    matches!(code, Code::MediaUnavailable | Code::Busy | Code::StorageFull)
}

async fn finish(app: &App, row: &Media, heard: Heard) -> Result<bool> {
    let (of, is_played) = (row.clone(), heard.is_played);
    let kept = app.store.write(move |tx| Box::pin(async move { commands::worked(tx, &of, heard).await })).await?;
    if !kept && is_played {
        // swept, or erased, while the program ran
        removal::remove_one(app, &files::played(&files::name(row.id))).await;
    }
    Ok(kept)
}

async fn work(app: &App, row: &Media) -> Result<Heard> {
    let clip = reading::read(app, row, reading::Which::Whole).await?;
    let form = voice::Form::of(&clip).ok_or_else(|| Error::broken("no clip any more"))?;
    let mut heard = Heard { levels: row.levels.clone(), is_played: false };
    if heard.levels.is_none() {
        let samples = convert(&app.config, &clip, (form, &to_samples())).await?;
        heard.levels = blocking(move || Ok(voice::levels::of_samples(&samples, SAMPLES))).await?;
    }
    if form.wants_copy() {
        let made = convert(&app.config, &clip, (form, &to_mp4())).await?;
        let kept = row.duration_ms.and_then(|kept| u32::try_from(kept).ok()).unwrap_or_default();
        let made = blocking(move || check(&made, kept).map(|()| made)).await?;
        files::keep_played(app, row, made).await?;
        heard.is_played = true;
    }
    Ok(heard)
}

/// What takes a while holds up no thread that others wait for.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::broken)?
}

/// Is it a clip of about this length, that phones play?
fn check(made: &[u8], kept_ms: u32) -> Result<()> {
    let clip = voice::measure(made)?;
    if clip.mime != PLAYED || !is_about(clip.duration_ms, kept_ms) {
        return Err(Error::broken("ffmpeg made another clip of it"));
    }
    Ok(())
}

/// A recorder that falls silent between words (DTX) leaves frames out, which we count and the program may not fill.
fn is_about(made_ms: u32, kept_ms: u32) -> bool {
    made_ms <= kept_ms.saturating_add(MAY_BE_LONGER_MS) && made_ms >= kept_ms / 2
}

async fn convert(config: &Config, clip: &[u8], (form, to): (voice::Form, &[&str])) -> Result<Vec<u8>> {
    let command = [&[config.ffmpeg.as_str()][..], &from(form)[..], to, &["-y", "/dev/stdout"][..]].concat();
    programs::run(&command, clip, LIMITS).await
}

fn from(form: voice::Form) -> [&'static str; 24] {
    [
        "-nostdin",
        "-v",
        "error",
        "-threads",
        "1",
        "-protocol_whitelist",
        "file",
        "-codec_whitelist",
        READ_BY,
        "-vn",
        "-sn",
        "-dn",
        "-f",
        form.ffmpeg_name(),
        "-i",
        "/dev/stdin",
        "-map",
        "0:a:0",
        "-map_metadata",
        "-1",
        "-t",
        "121",
        "-ac",
        "1",
    ]
}

fn to_samples() -> [&'static str; 6] {
    ["-ar", SAMPLES_A_SECOND, "-c:a", "pcm_s16le", "-f", "s16le"]
}

fn to_mp4() -> [&'static str; 12] {
    ["-ar", "16000", "-c:a", "aac", "-b:a", "32k", "-fflags", "+bitexact", "-movflags", "+faststart", "-f", "ipod"]
}

/// Does the program of these settings do what is asked of it?
///
/// # Errors
/// Why not.
pub async fn check_program(config: &Config) -> Result<()> {
    let clip = [b"#!AMR\n".to_vec(), FRAME.repeat(50)].concat();
    let made = convert(config, &clip, (voice::Form::Amr, &to_mp4())).await?;
    voice::measure(&made).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_may_be_shorter_where_the_recorder_was_silent() {
        for (made, kept) in [(3_000, 3_000), (3_500, 3_000), (1_500, 3_000), (120_500, 120_500)] {
            assert!(is_about(made, kept), "{made} of {kept}");
        }
        for (made, kept) in [(3_501, 3_000), (1_499, 3_000), (0, 3_000)] {
            assert!(!is_about(made, kept), "{made} of {kept}");
        }
    }

    #[test]
    fn the_program_reads_sound_of_phones_alone() {
        let told = from(voice::Form::Amr);
        let place = |wanted: &str| told.iter().position(|one| *one == wanted).unwrap();
        for option in ["-codec_whitelist", "-protocol_whitelist", "-vn", "-sn", "-dn"] {
            assert!(place(option) < place("-i"), "{option} is said of what is read");
        }
        assert!(!READ_BY.split(',').any(|name| name.is_empty() || name.contains("h264")));
        assert_eq!(told[place("-codec_whitelist") + 1], READ_BY);
    }

    #[test]
    fn what_passes_by_itself_costs_no_try() {
        assert!([Code::MediaUnavailable, Code::Busy, Code::StorageFull].into_iter().all(is_passing));
        assert!(![Code::Internal, Code::Erased, Code::MediaUnreadable].into_iter().any(is_passing));
    }
}
