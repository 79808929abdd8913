//! Which Redis a test uses: the one of `LSTEST_REDIS_URL`, or a process of its own that it may wipe and kill.
use std::{
    collections::HashMap,
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;

/// The Redis for the next test, each in a database of its own; otherwise says on the terminal what is skipped.
pub(crate) fn redis_url(skipped: &str) -> Option<String> {
    let url = any_redis_url();
    if url.is_none() {
        eprintln!("skipped, because LSTEST_REDIS_URL is not set: {skipped}");
    }
    url
}

/// Tests run side by side: in one database a worker would take the jobs of another test's server. Where there are few
/// databases, a test that takes long meets others in its own.
pub(crate) fn any_redis_url() -> Option<String> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    static DATABASES: OnceLock<usize> = OnceLock::new();
    let url = std::env::var("LSTEST_REDIS_URL").ok().filter(|url| !url.is_empty())?;
    let databases = DATABASES.get_or_init(|| databases(&url).unwrap_or(16));
    let authority = url.trim_start_matches("redis://").split('/').next().unwrap_or_default();
    Some(format!("redis://{authority}/{}", NEXT.fetch_add(1, Ordering::Relaxed) % databases))
}

/// How many it has, where it says so.
fn databases(url: &str) -> Option<usize> {
    let mut line = redis::Client::open(url).ok()?.get_connection_with_timeout(Duration::from_secs(1)).ok()?;
    let told: HashMap<String, usize> = redis::cmd("CONFIG").arg("GET").arg("databases").query(&mut line).ok()?;
    told.get("databases").copied()
}

/// A `redis-server` without persistence, on a free port; ends with this value.
pub(crate) struct OwnRedis {
    pub(crate) url: String,
    port: u16,
    process: Option<Child>,
    more: Vec<String>,
}

impl OwnRedis {
    /// `None`, and a word on the terminal, where the program is not installed.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(Vec::new())
    }

    fn start_with(more: Vec<String>) -> Option<Self> {
        let port = super::free_port();
        let mut own = Self { url: format!("redis://127.0.0.1:{port}/0"), port, process: None, more };
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

    /// Empties it, if it is there.
    pub(crate) fn flush(&self) {
        let line = redis::Client::open(self.url.as_str()).unwrap().get_connection_with_timeout(Duration::from_secs(1));
        if let Ok(mut line) = line {
            redis::cmd("FLUSHALL").exec(&mut line).ok();
        }
    }

    /// Says something to it; the answer as text.
    fn say(&self, words: &[&str]) -> String {
        let mut line = redis::Client::open(self.url.as_str()).unwrap().get_connection().unwrap();
        let answer: redis::Value = redis::cmd(words[0]).arg(&words[1..]).query(&mut line).unwrap();
        match answer {
            redis::Value::BulkString(text) => String::from_utf8(text).unwrap(),
            other => format!("{other:?}"),
        }
    }

    /// Starts it again, empty, on the same port.
    pub(crate) fn revive(&mut self) {
        let port = self.port.to_string();
        let arguments = ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "/tmp"];
        let mut program = Command::new("redis-server");
        program.args(arguments).args(&self.more);
        let process = program.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
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

/// Three masters that share the slots.
pub(crate) struct OwnCluster {
    pub(crate) url: String,
    nodes: Vec<OwnRedis>,
    _folder: TempDir,
}

impl OwnCluster {
    /// `None`, and a word on the terminal, where the program is not installed.
    pub(crate) fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut nodes = Vec::new();
        let mut buses = Vec::new();
        for number in 0..3 {
            let bus = super::free_port().to_string();
            let file = folder.path().join(format!("nodes-{number}.conf")).display().to_string();
            let more = ["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-config-file", &file];
            nodes.push(OwnRedis::start_with(more.map(str::to_owned).into())?);
            buses.push(bus);
        }
        let first = nodes[0].port;
        for (number, node) in nodes.iter().enumerate() {
            let (from, to) = [("0", "5460"), ("5461", "10922"), ("10923", "16383")][number];
            node.say(&["CLUSTER", "ADDSLOTSRANGE", from, to]);
            if number > 0 {
                node.say(&["CLUSTER", "MEET", "127.0.0.1", &first.to_string(), &buses[0]]);
            }
        }
        for _ in 0..200 {
            if nodes.iter().all(|node| node.say(&["CLUSTER", "INFO"]).contains("cluster_state:ok")) {
                let hosts: Vec<String> = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
                return Some(Self { url: format!("redis+cluster://{}", hosts.join(",")), nodes, _folder: folder });
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the cluster did not come together");
    }

    /// How many listen to sharded channels on each node.
    pub(crate) fn listeners(&self) -> Vec<usize> {
        let channels = self.nodes.iter().map(|node| node.say(&["PUBSUB", "SHARDCHANNELS"]));
        channels.map(|said| said.matches("ls:{p").count()).collect()
    }
}
