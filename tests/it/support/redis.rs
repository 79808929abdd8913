//! Which Redis a test uses: the one of `LSTEST_REDIS_URL`, or a process of its own that it may wipe and kill.
use std::{
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// The Redis for the next test, each in a database of its own; otherwise says on the terminal what is skipped.
pub(crate) fn redis_url(skipped: &str) -> Option<String> {
    let url = any_redis_url();
    if url.is_none() {
        eprintln!("skipped, because LSTEST_REDIS_URL is not set: {skipped}");
    }
    url
}

/// Tests run side by side: with one database a worker would take the jobs of another test's server.
pub(crate) fn any_redis_url() -> Option<String> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let url = std::env::var("LSTEST_REDIS_URL").ok().filter(|url| !url.is_empty())?;
    let authority = url.trim_start_matches("redis://").split('/').next().unwrap_or_default();
    Some(format!("redis://{authority}/{}", NEXT.fetch_add(1, Ordering::Relaxed) % 16))
}

/// A `redis-server` without persistence, on a free port; ends with this value.
pub(crate) struct OwnRedis {
    pub(crate) url: String,
    port: u16,
    process: Option<Child>,
}

impl OwnRedis {
    /// `None`, and a word on the terminal, where the program is not installed.
    pub(crate) fn start() -> Option<Self> {
        let port = super::free_port();
        let mut own = Self { url: format!("redis://127.0.0.1:{port}/0"), port, process: None };
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            eprintln!("skipped: redis-server is not installed");
            return None;
        }
        own.revive();
        Some(own)
    }

    /// Ends it at once, with everything in it.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().ok();
            process.wait().ok();
        }
    }

    /// Stops answering, or goes on: `STOP`, `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Starts it again, empty, on the same port.
    pub(crate) fn revive(&mut self) {
        let port = self.port.to_string();
        let arguments = ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "/tmp"];
        let process = Command::new("redis-server").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.process = Some(process.unwrap());
        for _ in 0..100 {
            if TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], self.port))).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("redis-server did not start on port {}", self.port);
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        self.kill();
    }
}
