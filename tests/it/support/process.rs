//! The real binary: started, read and killed from outside, as an operator or a power cut would.
use std::{
    fs::File,
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

const BINARY: &str = env!("CARGO_BIN_EXE_liusheng");
/// What it has of our environment: where programs are, and whom to trust, which takes long to read where there are many.
const GIVEN: [&str; 2] = ["PATH", "SSL_CERT_FILE"];

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// The binary with these settings and no others of the house.
pub(crate) fn liusheng(data_dir: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(BINARY);
    let given = GIVEN.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    command.args(arguments).env_clear().envs(given);
    command.env("LIUSHENG_DATA_DIR", data_dir).envs(super::house::settings_of(data_dir));
    command.envs(settings.iter().copied()).current_dir(data_dir);
    command
}

/// Runs it to its end.
pub(crate) fn run(data_dir: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    liusheng(data_dir, arguments, settings).output().unwrap()
}

/// A server process.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    log: PathBuf,
}

impl Process {
    /// Starts a server and waits until it is ready. What it says is added to the file `log`.
    pub(crate) async fn serve(data_dir: &Path, port: u16, settings: &[(&str, &str)], log: &Path) -> Self {
        Self::serve_as("all", data_dir, (port, settings), log).await
    }

    /// The same with one part of the work that answers requests.
    pub(crate) async fn serve_as(role: &str, data_dir: &Path, with: (u16, &[(&str, &str)]), log: &Path) -> Self {
        let mut process = Self::start(data_dir, (role, with.0), with.1, log);
        process.until_ready().await;
        process
    }

    /// Starts a part of the work and does not wait: only servers can be asked whether they are ready.
    pub(crate) fn start(data_dir: &Path, (role, port): (&str, u16), settings: &[(&str, &str)], log: &Path) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listen = address.to_string();
        let said = File::options().create(true).append(true).open(log).unwrap();
        let mut command = liusheng(data_dir, &["serve", "--role", role], settings);
        command.env("LIUSHENG_LISTEN", &listen).stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said);
        Self { child: command.spawn().unwrap(), address, log: log.to_owned() }
    }

    pub(crate) async fn until_ready(&mut self) {
        // a test that starts no server of its own has nobody else to install it
        rustls::crypto::ring::default_provider().install_default().ok();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(1)).build().unwrap();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(20) {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the server ended with {status}: {}", self.said());
            }
            let asked = http.get(format!("http://{}/readyz", self.address)).send().await;
            if asked.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the server was not ready within 20 s: {}", self.said());
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        match self.child.kill() {
            Err(error) if error.kind() != ErrorKind::InvalidInput => panic!("kill: {error}"),
            _ => {}
        }
    }

    /// Waits for the end of a killed one, so that its port and its database are free.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Asks it to end, as a service manager does, and waits.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        self.end()
    }

    /// The same without giving it away.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "the server did not end: {}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Its number with the kernel.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it said so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
