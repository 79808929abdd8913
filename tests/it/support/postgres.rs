//! A PostgreSQL server of a test's own, which it may kill.
use std::{
    net::{SocketAddr, TcpStream},
    os::unix::fs::MetadataExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

const PROGRAMS: [&str; 5] = ["initdb", "pg_dump", "pg_isready", "postgres", "psql"];

/// A cluster that syncs, on a free port; ends with this value.
pub(crate) struct OwnPostgres {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    process: Option<Child>,
}

impl OwnPostgres {
    /// `None`, and a word on the terminal, where the programs are not installed.
    pub(crate) fn start(skipped: &str) -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("skipped, because PostgreSQL's programs are not installed: {skipped}");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let mut own = Self { folder, programs, port: super::free_port(), process: None };
        if is_root() {
            // it refuses to run as root
            let owner = Command::new("chown").arg("postgres").arg(own.folder.path()).status().unwrap();
            assert!(owner.success());
        }
        let data = own.folder.path().join("data");
        let mut made = own.program("initdb");
        made.arg("-D").arg(&data).args(["-U", "liusheng", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]);
        assert!(made.stdout(Stdio::null()).status().unwrap().success());
        own.revive();
        Some(own)
    }

    /// One of its programs, run as the user that owns the cluster, in its folder.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = match is_root() {
            true => Command::new("setpriv"),
            false => Command::new(&program),
        };
        if is_root() {
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(&program);
        }
        command.current_dir(self.folder.path()).env("HOME", self.folder.path());
        command
    }

    /// Address of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://liusheng@127.0.0.1:{}/{database}", self.port)
    }

    /// Everything of another database, in one of ours that is new.
    pub(crate) fn copy(&self, from: &str, database: &str) {
        let create = format!("CREATE DATABASE {database}");
        let psql = self.program("psql").args(["-q", "-d", &self.url("postgres"), "-c", &create]).status();
        assert!(psql.unwrap().success());
        let mut dump = self.program("pg_dump").args(["-d", from]).stdout(Stdio::piped()).spawn().unwrap();
        let mut load = self.program("psql");
        load.args(["-q", "-v", "ON_ERROR_STOP=1", "-d", &self.url(database)]).stdout(Stdio::null());
        assert!(load.stdin(dump.stdout.take().unwrap()).status().unwrap().success());
        assert!(dump.wait().unwrap().success());
    }

    /// `kill -9` of the process that all others of it hang on.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().ok();
            process.wait().ok();
        }
    }

    /// Starts it again on what is on the disk, and waits until it takes connections.
    pub(crate) fn revive(&mut self) {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        for _ in 0..300 {
            let is_running = self.process.as_mut().is_some_and(|process| process.try_wait().unwrap().is_none());
            if !is_running {
                // the children of a killed one take a moment to notice
                self.process = Some(self.server());
            }
            let ready = self.program("pg_isready").args(["-q", "-d", &self.url("postgres")]).status();
            if TcpStream::connect(address).is_ok() && ready.unwrap().success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("PostgreSQL did not start: {}", self.said());
    }

    fn server(&self) -> Child {
        let log = std::fs::File::options().create(true).append(true).open(self.log()).unwrap();
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.folder.path().join("data")).args(["-p", &self.port.to_string()]);
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=100", "-k"]).arg(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("postgres.log")
    }

    /// What it wrote.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        self.kill();
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Debian keeps them beside the path, by version.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort_unstable_by(|one, other| other.cmp(one));
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    let has_all = |folder: &PathBuf| PROGRAMS.iter().all(|program| folder.join(program).exists());
    folders.into_iter().find(has_all)
}
