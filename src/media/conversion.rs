//! Clips that want a program (ffmpeg): AMR becomes what every phone plays, and of what we cannot decode the levels are heard.
//!
//! # Why
//! A row says what is still to be done to its clip (`work_at`), in the unit of work that keeps it, so that nothing is lost
//! with a process; the program runs outside of any unit of work, one clip after the other. Whoever dies over a clip has used
//! up one of its three tries. The program is told in which form the clip is, which we know from its bytes, so that it guesses
//! nothing; it may read nothing but the clip, and gives no more than a clip may have, in the memory and time of [`LIMITS`].
//! What it made is inspected like what anybody sends. The clip itself stays as it was sent.
use std::time::Duration;

use super::{Media, commands, files, removal, voice};
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
const LIMITS: Limits =
    Limits { longest: Duration::from_secs(20), output: voice::MAX_BYTES as u64, memory: Some(512 * 1024 * 1024) };
/// Enough to draw how loud it is, and two minutes of it are no longer than a clip may be.
const SAMPLES_A_SECOND: &str = "8000";
const SAMPLES: u32 = 8_000;
/// An encoder fills its last block, and cuts away what it put before the first one.
const MAY_DIFFER_MS: u32 = 500;

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
        match work(app, &row).await {
            Ok(heard) => done += u64::from(finish(app, &row, heard).await?),
            // nobody can hear it any more
            Err(error) if error.code() == Code::Erased => {
                finish(app, &row, Heard::default()).await?;
            }
            Err(error) => tracing::warn!(%error, media = %row.id, tries = row.work_tries, "a clip that wants ffmpeg"),
        }
    }
    Ok(done)
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
    let clip = files::read(app, row, files::Which::Whole).await?;
    let form = voice::Form::of(&clip).ok_or_else(|| Error::broken("no clip any more"))?;
    let mut heard = Heard { levels: row.levels.clone(), is_played: false };
    if heard.levels.is_none() {
        heard.levels = voice::levels::of_samples(&convert(&app.config, &clip, (form, &to_samples())).await?, SAMPLES);
    }
    if form.wants_copy() {
        let made = convert(&app.config, &clip, (form, &to_mp4())).await?;
        check(&made, row)?;
        files::keep_played(app, row, made).await?;
        heard.is_played = true;
    }
    Ok(heard)
}

/// Is it a clip of the same length, that phones play?
fn check(made: &[u8], row: &Media) -> Result<()> {
    let clip = voice::measure(made)?;
    let kept = row.duration_ms.and_then(|kept| u32::try_from(kept).ok()).unwrap_or_default();
    if clip.mime != PLAYED || clip.duration_ms.abs_diff(kept) > MAY_DIFFER_MS {
        return Err(Error::broken("ffmpeg made another clip of it"));
    }
    Ok(())
}

async fn convert(config: &Config, clip: &[u8], (form, to): (voice::Form, &[&str])) -> Result<Vec<u8>> {
    let from = [
        config.ffmpeg.as_str(),
        "-nostdin",
        "-v",
        "error",
        "-threads",
        "1",
        "-protocol_whitelist",
        "file",
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
    ];
    programs::run(&[&from[..], to, &["-y", "/dev/stdout"]].concat(), clip, LIMITS).await
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
