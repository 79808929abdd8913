//! The speech command: a program of the operator's that gets words and writes a recording, within limits.
//!
//! # Why
//! The program gets its words from a pipe and writes into a file: nothing of ours waits for it to read or to end, it is only
//! looked after. It runs in a process group of its own, without our environment (passwords may stand there), and when its
//! time or its length is over, or we end, the whole group is killed.
use std::{
    fs::{File, OpenOptions},
    io::Write,
    os::unix::{fs::OpenOptionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use uuid::Uuid;

use super::{
    commands,
    queries::{self, Subject},
    rows::clip,
    rules,
};
use crate::{
    actor::Actor,
    app::App,
    config::Config,
    error::{Error, Result},
    ids::{MediaId, PersonId, SessionId},
    media, people, text,
};

/// Things said in one round; what waits longer waits for the next.
const AT_ONCE: usize = 20;
/// A program that takes longer is ended.
const LONGEST: Duration = Duration::from_secs(60);
/// What it may write at most, as for everybody's clips.
const MAX_BYTES: u64 = 2 * 1024 * 1024;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// One round: what hangs or is open and has no clip is said, one after the other. Says how many clips were made. Does
/// nothing without a command.
///
/// # Errors
/// When the database fails; a program that fails is only told of in the log.
pub async fn run_due(app: &App) -> Result<u64> {
    if app.config.speech_command.trim().is_empty() {
        return Ok(0);
    }
    let mut made = 0;
    for _ in 0..AT_ONCE {
        let Some(row) = app.store.write(|tx| Box::pin(commands::claim(tx))).await? else { break };
        let subject = queries::subject(app.store.read(), (row.about, row.subject_id)).await?;
        match say(app, &row, &subject).await {
            Ok(is_made) => made += u64::from(is_made),
            Err(error) => tracing::warn!(%error, about = row.about.as_str(), tries = row.tries, "the speech command"),
        }
    }
    Ok(made)
}

/// Does the command of these settings say something that would be taken?
///
/// # Errors
/// Why not.
pub async fn check_command(config: &Config) -> Result<()> {
    let words = text::say("aloud-trial");
    let spoken = run(&config.speech_command, &words, &std::env::temp_dir(), LONGEST).await?;
    tokio::task::spawn_blocking(move || media::check_clip(&spoken)).await.map_err(Error::broken)?
}

async fn say(app: &App, row: &clip::Model, subject: &Subject) -> Result<bool> {
    let Some(owner) = subject.by.filter(|_| subject.is_current && subject.version == row.version) else {
        let which = (row.about, row.subject_id);
        app.store.write(move |tx| Box::pin(async move { commands::end_trying(tx, which).await })).await?;
        return Ok(false);
    };
    let folder = app.config.media_dir().join(media::incoming::INCOMING);
    let spoken = run(&app.config.speech_command, &rules::cut(&subject.words), &folder, LONGEST).await?;
    let id = keep(app, owner, &spoken).await?;
    let row = row.clone();
    app.store.write(move |tx| Box::pin(async move { commands::put_made(tx, (&row, owner), id).await })).await
}

/// Inspected and kept like what anybody sends, in the name of who published or opened.
async fn keep(app: &App, owner: PersonId, bytes: &[u8]) -> Result<MediaId> {
    let person = people::person(app.store.read(), owner).await?.ok_or_else(|| Error::broken("published by nobody"))?;
    let session = SessionId(Uuid::nil());
    let actor = Actor { person: owner, session, name: person.name, area: person.area, seats: Vec::new() };
    Ok(media::take_bytes(app, actor, bytes).await?.id)
}

/// What the program wrote.
async fn run(command: &str, words: &str, folder: &Path, longest: Duration) -> Result<Vec<u8>> {
    tokio::fs::create_dir_all(folder).await?;
    let output = Output(folder.join(Uuid::now_v7().to_string()));
    let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&output.0)?;
    let mut running = Running::start(command, words, file)?;
    let status = tokio::time::timeout(longest, running.ended(&output.0)).await;
    match status.map_err(|_| Error::broken("it took too long"))?? {
        status if status.success() => Ok(tokio::fs::read(&output.0).await?),
        status => Err(Error::broken(status)),
    }
}

/// A file that goes away with this value.
struct Output(PathBuf);

impl Drop for Output {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

/// A program that is killed with all it started when this value goes before it has ended.
struct Running(Option<Child>);

impl Running {
    fn start(command: &str, words: &str, output: File) -> Result<Self> {
        let mut parts = command.split_whitespace();
        let program = parts.next().ok_or_else(|| Error::broken("no speech command"))?;
        let mut command = Command::new(program);
        command.args(parts).env_clear().env("LANG", "C.UTF-8").current_dir("/").process_group(0);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::piped()).stdout(output).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let input = child.stdin.take();
        let running = Self(Some(child));
        // less than a pipe holds: this waits for nobody, and a program need not read
        if let Some(mut input) = input {
            drop(input.write_all(words.as_bytes()));
        }
        Ok(running)
    }

    async fn ended(&mut self, output: &Path) -> Result<ExitStatus> {
        loop {
            let child = self.0.as_mut().ok_or_else(|| Error::broken("it has ended"))?;
            let status = child.try_wait()?;
            if tokio::fs::metadata(output).await?.len() > MAX_BYTES {
                return Err(Error::broken("it wrote too much"));
            }
            if let Some(status) = status {
                self.0 = None;
                return Ok(status);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(mut child) = self.0.take() else { return };
        kill_process_group(Pid::from_child(&child), Signal::KILL).ok();
        // what was killed is gone at once, but for a disk that does not answer
        std::thread::spawn(move || drop(child.wait()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(folder: &Path, lines: &str, longest: Duration) -> Result<String> {
        let program = folder.join(Uuid::now_v7().to_string());
        std::fs::write(&program, lines).unwrap();
        let command = format!("/bin/sh {} --voice zh", program.display());
        let spoken = run(&command, "各位好", &folder.join("out"), longest).await;
        assert_eq!(std::fs::read_dir(folder.join("out")).unwrap().count(), 0, "nothing is left");
        spoken.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[tokio::test]
    async fn words_go_in_and_what_it_writes_comes_out() {
        let folder = tempfile::tempdir().unwrap();
        let long = Duration::from_secs(20);
        let out = said(folder.path(), "printf '%s|%s|' \"$1\" \"$2\"; cat; printf '|%s' \"$HOME\"", long).await;
        assert_eq!(out.unwrap(), "--voice|zh|各位好|", "arguments, words, nothing of our environment");
        assert!(said(folder.path(), "cat; exit 3", long).await.is_err());
        assert_eq!(said(folder.path(), "exec 0<&-; printf well", long).await.unwrap(), "well", "it need not listen");
        assert!(run("/nowhere/say", "各位好", &folder.path().join("out"), long).await.is_err());
    }

    #[tokio::test]
    async fn it_is_ended_with_all_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let alive = folder.path().join("alive");
        let lines =
            format!("(while :; do date +%s%N >{}; sleep 0.05; done) & while :; do sleep 1; done", alive.display());
        assert!(said(folder.path(), &lines, Duration::from_millis(800)).await.is_err());
        tokio::time::sleep(Duration::from_millis(200)).await;
        let last = std::fs::read(&alive).unwrap();
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(std::fs::read(&alive).unwrap(), last, "what it started goes on");
        let endless = said(folder.path(), "while :; do head -c 1000000 /dev/zero; done", Duration::from_secs(30)).await;
        assert!(endless.unwrap_err().to_string().contains("too much"));
    }
}
