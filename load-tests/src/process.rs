//! The server as a process of its own: started on a free port, watched through /proc, ended.
use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::process::{Child, Command};

use crate::{Outcome, line::Line};

/// Rates that one machine behind one address needs; a village's phones come from many.
const SETTINGS: [(&str, &str); 8] = [
    ("LIUSHENG_REQUESTS_PER_SECOND", "1000000"),
    ("LIUSHENG_REQUESTS_BURST", "1000000"),
    ("LIUSHENG_WRITES_PER_SECOND", "1000"),
    ("LIUSHENG_WRITES_BURST", "10000"),
    ("LIUSHENG_WRITES_PER_DAY", "1000000"),
    ("LIUSHENG_MAX_CONNECTIONS", "19000"),
    ("LIUSHENG_CONNECTIONS_PER_ADDRESS", "19000"),
    ("LIUSHENG_LOG_LEVEL", "warn"),
];

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) pid: u32,
}

impl Server {
    /// Starts `binary serve` and waits until it is ready.
    pub(crate) async fn start(binary: &Path, data: &Path) -> Outcome<Self> {
        Self::start_with(binary, data, &[]).await
    }

    /// The same with more settings.
    pub(crate) async fn start_with(binary: &Path, data: &Path, more: &[(&str, String)]) -> Outcome<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let said = File::create(data.join("server.log"))?;
        let child = Command::new(binary)
            .arg("serve")
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(SETTINGS)
            .envs(more.iter().map(|(name, value)| (name, value)))
            .env("LIUSHENG_DATA_DIR", data)
            .env("LIUSHENG_LISTEN", address.to_string())
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        let pid = child.id().ok_or("the server ended at once")?;
        let mut server = Self { child, address, pid };
        server.until_ready(data).await?;
        Ok(server)
    }

    async fn until_ready(&mut self, data: &Path) -> Outcome<()> {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(30) {
            if let Some(status) = self.child.try_wait()? {
                let said = fs::read_to_string(data.join("server.log")).unwrap_or_default();
                return Err(format!("the server ended with {status}: {said}").into());
            }
            if let Ok(mut line) = Line::open(self.address).await
                && line.get("/readyz").await.is_ok_and(|answer| answer.status == 200)
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err("the server was not ready within 30 s".into())
    }

    /// Waits until everything that happened has a number and what follows from it has followed.
    pub(crate) async fn until_quiet(&self) -> Outcome<()> {
        let mut line = Line::open(self.address).await?;
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(60) {
            let text = line.get("/metrics").await?.text();
            let value = |name: &str| text.lines().find_map(|row| row.strip_prefix(name)?.trim().parse::<f64>().ok());
            if (value("outbox_unsequenced "), value("reactions_behind ")) == (Some(0.0), Some(0.0)) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err("the relay did not catch up within 60 s".into())
    }

    /// Asks it to end and waits.
    pub(crate) async fn stop(mut self) -> Outcome<()> {
        Command::new("kill").args(["-TERM", &self.pid.to_string()]).status().await?;
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        let status = ended.map_err(|_| "the server did not end within 30 s")??;
        if status.success() { Ok(()) } else { Err(format!("the server ended with {status}").into()) }
    }
}

/// Time on a processor of all its threads so far.
pub(crate) fn cpu(pid: u32) -> Outcome<Duration> {
    let mut nanos: u64 = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        // a thread may end between the two looks
        let spent = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        nanos += spent.split(' ').next().and_then(|run| run.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(nanos))
}

/// Memory in use, in KiB.
pub(crate) fn resident(pid: u32) -> Outcome<f64> {
    memory(pid, "VmRSS:")
}

/// The most that was ever in use, in KiB.
pub(crate) fn peak(pid: u32) -> Outcome<f64> {
    memory(pid, "VmHWM:")
}

fn memory(pid: u32, what: &str) -> Outcome<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)).ok_or("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// The binary beside this program.
pub(crate) fn beside() -> Outcome<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("liusheng"))
}

/// May this process, and with it the server, hold so many sockets?
pub(crate) fn enough_descriptors(sockets: usize) -> Outcome<()> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap_or_default();
    let soft = line.split_whitespace().nth(3).and_then(|value| value.parse::<usize>().ok());
    match soft {
        Some(soft) if soft < sockets + 500 => Err(format!("{soft} open files are too few: ulimit -n 20000").into()),
        _ => Ok(()),
    }
}

/// How busy the machine is, as the kernel tells it.
pub(crate) fn load_average() -> String {
    fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').take(3).collect::<Vec<_>>().join(" ")
}
