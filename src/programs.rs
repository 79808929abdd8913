//! Programs of the operator's: they are given bytes and give bytes, within limits of time, length and memory.
//!
//! # Why
//! What goes in and what comes out lies in memory that has no name (`memfd`): nothing of ours waits for a program to read or to
//! end, nothing private lies on the disk, and a program that must jump about in a file can. It is only looked after. It runs in
//! a process group of its own, without our environment (passwords may stand there), and when its time or its length is over, or
//! we end, the whole group is killed. Its limits are set before it can have read a byte of what a stranger sent: while it is
//! still being loaded.
use std::{
    fs::File,
    io::{Read, Seek, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::{
    fs::{MemfdFlags, memfd_create},
    io::Errno,
    process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process_group, prlimit},
};

use crate::error::{Error, Result};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a program may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// It is ended after that.
    pub longest: Duration,
    /// Bytes that it may give.
    pub output: u64,
    /// Bytes of memory that it may write to.
    pub memory: u64,
    /// Does it read what strangers sent? Then whatever it maps counts as memory, no file that it writes may be longer than
    /// `output`, and it has the time of one core. Others map models that are large, and are trusted by the operator.
    pub reads_strangers: bool,
}

/// What the program wrote to its output, when it ended well. `command`: its path, and arguments.
///
/// # Errors
/// When it cannot be started, ends badly, takes too long, or writes too much.
pub async fn run(command: &[&str], input: &[u8], limits: Limits) -> Result<Vec<u8>> {
    let (mut given, mut made) = (in_memory("input")?, in_memory("output")?);
    given.write_all(input)?;
    given.rewind()?;
    let mut running = Running::start(command, given, made.try_clone()?)?;
    running.bind(limits)?;
    let ended = tokio::time::timeout(limits.longest, running.ended(&made, limits.output)).await;
    let status = ended.map_err(|_| Error::broken("it took too long"))??;
    if !status.success() {
        return Err(Error::broken(status));
    }
    let mut bytes = Vec::new();
    made.rewind()?;
    made.take(limits.output).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn in_memory(name: &str) -> Result<File> {
    Ok(File::from(memfd_create(name, MemfdFlags::CLOEXEC).map_err(std::io::Error::from)?))
}

/// A program that is killed with all it started when this value goes before it has ended.
struct Running(Option<Child>);

impl Running {
    fn start(command: &[&str], input: File, output: File) -> Result<Self> {
        let (program, arguments) = command.split_first().ok_or_else(|| Error::broken("no program"))?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("LANG", "C.UTF-8").current_dir("/").process_group(0);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(input).stdout(output).stderr(Stdio::null());
        Ok(Self(Some(command.spawn()?)))
    }

    /// From now on it has no more than this.
    fn bind(&self, limits: Limits) -> Result<()> {
        let Some(child) = &self.0 else { return Ok(()) };
        let at_most = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        let seconds = limits.longest.as_secs().max(1) * if limits.reads_strangers { 1 } else { cores };
        let mut bounds = vec![(Resource::Data, limits.memory), (Resource::Cpu, seconds), (Resource::Core, 0)];
        if limits.reads_strangers {
            bounds.extend([(Resource::As, limits.memory), (Resource::Fsize, limits.output)]);
        }
        for (resource, most) in bounds {
            // what we may not have ourselves cannot be given either
            let most = getrlimit(resource).maximum.map_or(most, |ours| ours.min(most));
            match prlimit(Some(Pid::from_child(child)), resource, at_most(most)) {
                // it has ended already
                Ok(_) | Err(Errno::SRCH) => {}
                Err(error) => return Err(std::io::Error::from(error).into()),
            }
        }
        Ok(())
    }

    async fn ended(&mut self, output: &File, most: u64) -> Result<ExitStatus> {
        loop {
            let child = self.0.as_mut().ok_or_else(|| Error::broken("it has ended"))?;
            let status = child.try_wait()?;
            if output.metadata()?.len() > most {
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
    use std::path::Path;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);
    const MANY: u64 = 2 * 1024 * 1024;

    async fn said(folder: &Path, lines: &str, limits: Limits) -> Result<String> {
        let program = folder.join(uuid::Uuid::now_v7().to_string());
        std::fs::write(&program, lines).unwrap();
        let command = ["/bin/sh", program.to_str().unwrap(), "--voice", "zh"];
        run(&command, "各位好".as_bytes(), limits).await.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    fn trusted(longest: Duration) -> Limits {
        Limits { longest, output: MANY, memory: 256 * 1024 * 1024, reads_strangers: false }
    }

    #[tokio::test]
    async fn words_go_in_and_what_it_writes_comes_out() {
        let folder = tempfile::tempdir().unwrap();
        let lines = "printf '%s|%s|' \"$1\" \"$2\"; cat; printf '|%s' \"$HOME\"";
        let out = said(folder.path(), lines, trusted(LONG)).await;
        assert_eq!(out.unwrap(), "--voice|zh|各位好|", "arguments, words, nothing of our environment");
        assert!(said(folder.path(), "cat; exit 3", trusted(LONG)).await.is_err());
        assert_eq!(said(folder.path(), "exec 0<&-; printf well", trusted(LONG)).await.unwrap(), "well");
        let again = "cat /dev/stdin /dev/stdin";
        assert_eq!(said(folder.path(), again, trusted(LONG)).await.unwrap(), "各位好各位好", "it may read it anew");
        assert!(run(&["/nowhere/say"], b"", trusted(LONG)).await.is_err());
        assert!(run(&[], b"", trusted(LONG)).await.is_err());
    }

    #[tokio::test]
    async fn it_is_ended_with_all_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let alive = folder.path().join("alive");
        let lines =
            format!("(while :; do date +%s%N >{}; sleep 0.05; done) & while :; do sleep 1; done", alive.display());
        assert!(said(folder.path(), &lines, trusted(Duration::from_millis(800))).await.is_err());
        tokio::time::sleep(Duration::from_millis(200)).await;
        let last = std::fs::read(&alive).unwrap();
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(std::fs::read(&alive).unwrap(), last, "what it started goes on");
    }

    #[tokio::test]
    async fn it_writes_no_more_than_it_may_and_takes_no_more_memory() {
        let folder = tempfile::tempdir().unwrap();
        let endless = "while :; do head -c 1000000 /dev/zero || exit 1; done";
        let refused = said(folder.path(), endless, trusted(LONG)).await.unwrap_err().to_string();
        assert!(refused.contains("too much"), "{refused}");
        let bound = Limits { output: 100_000, reads_strangers: true, ..trusted(LONG) };
        assert_eq!(said(folder.path(), "sleep 0.2; ulimit -v; ulimit -t", bound).await.unwrap(), "262144\n20\n");
        assert!(said(folder.path(), "sleep 0.2; head -c 200000 /dev/zero", bound).await.is_err());
        let hungry = "sleep 0.2; head -c 400M /dev/zero | tail -c 400M | wc -c";
        let least = said(folder.path(), hungry, bound).await;
        assert!(least.is_err() || least.unwrap().trim() == "0", "400 MiB do not fit into 256");
        // who is trusted may map what is large, and not take all memory there is
        let mine = said(folder.path(), "sleep 0.2; ulimit -d; ulimit -v; ulimit -c", trusted(LONG)).await;
        assert_eq!(mine.unwrap(), "262144\nunlimited\n0\n");
        let least = said(folder.path(), hungry, trusted(LONG)).await;
        assert!(least.is_err() || least.unwrap().trim() == "0", "400 MiB do not fit into 256");
    }
}
