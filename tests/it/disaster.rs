//! Disasters under load: a part killed, Redis frozen, the disk full, an orderly end. What was acknowledged is there once.
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

mod postgres;

use tempfile::TempDir;

use crate::{
    kill::{Ledger, Prepared, Round, SETTINGS, Sender, afterwards, prepare},
    support::{House, OwnRedis, Process, free_port, is_full_run, redis_url, run},
};

/// A load on a prepared village, with its ledger outside the data directory.
struct Load {
    data_dir: PathBuf,
    outside: TempDir,
    ledger: Arc<Ledger>,
    senders: Vec<Sender>,
    vote: String,
    port: u16,
    kept: Option<House>,
}

impl Load {
    async fn new() -> Self {
        let port = free_port();
        let Prepared { data_dir, senders, vote } = prepare(port).await;
        let outside = tempfile::tempdir().unwrap();
        let ledger = Arc::new(Ledger(outside.path().join("ledger")));
        std::fs::create_dir(&ledger.0).unwrap();
        Self { data_dir: data_dir.path().to_owned(), outside, ledger, senders, vote, port, kept: Some(data_dir) }
    }

    /// The last words of the server about its own work, for whoever reads why this failed.
    fn say_what_broke(&self) {
        let said = std::fs::read_to_string(self.log()).unwrap_or_default();
        let own = said.lines().filter(|line| !line.contains("answered") && !line.contains("request failed"));
        let last: Vec<&str> = own.collect();
        println!("{}", last[last.len().saturating_sub(8)..].join("\n"));
    }

    fn log(&self) -> PathBuf {
        self.outside.path().join("server.log")
    }

    /// Works with this server while `meanwhile` happens.
    async fn during<T>(&mut self, round: &Arc<Round>, meanwhile: impl Future<Output = T>) -> T {
        let working: Vec<_> = self.senders.drain(..).map(|one| tokio::spawn(one.work(Arc::clone(round)))).collect();
        let outcome = meanwhile.await;
        round.is_over.store(true, Ordering::SeqCst);
        for sender in working {
            self.senders.push(sender.await.unwrap());
        }
        outcome
    }

    /// Everything that is open is sent until it is answered; then everything promised is there once.
    async fn settle(&mut self, what: &str, round: &Arc<Round>) {
        let finishing: Vec<_> = self.senders.drain(..).map(|one| tokio::spawn(one.finish(Arc::clone(round)))).collect();
        for sender in finishing {
            self.senders.push(sender.await.unwrap());
        }
        let promises = self.ledger.read();
        self.say_what_broke();
        afterwards::followed(&self.data_dir).await;
        let mut lost = afterwards::in_the_database(&promises, &self.senders, &self.data_dir).await;
        lost.extend(afterwards::over_the_api(&promises, &self.senders, &self.vote).await);
        let put_off = round.put_off.load(Ordering::SeqCst);
        println!("{what}: {} acknowledged, {} lost or doubled, {put_off} put off", promises.len(), lost.len());
        assert!(lost.is_empty(), "{what}:\n{}", lost.join("\n"));
        let wrong = round.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "{what}: {wrong:#?}");
        let said = std::fs::read_to_string(self.log()).unwrap();
        assert!(!said.contains("panicked"), "{said}");
    }
}

/// Lines so far, also while they are written.
fn counted(ledger: &Ledger) -> usize {
    let files = std::fs::read_dir(&ledger.0).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
    files.map(|bytes| bytes.iter().filter(|byte| **byte == b'\n').count()).sum()
}

async fn wait(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_part_may_be_killed_under_load() {
    let mut load = Load::new().await;
    let (data_dir, log, port) = (load.data_dir.clone(), load.log(), load.port);
    let api = Process::serve_as("api", &data_dir, (port, SETTINGS), &log).await;
    let round = Arc::new(Round::with(api, &load.ledger));
    let mut relay = Process::start(&data_dir, ("relay", 0), SETTINGS, &log);
    let mut worker = Process::start(&data_dir, ("worker", 0), SETTINGS, &log);
    let kills = if is_full_run() { 12 } else { 3 };
    let killing = async {
        let mut longest = Duration::ZERO;
        for count in 0..kills {
            wait(400 + 130 * count).await;
            relay.kill();
            relay.wait();
            relay = Process::start(&data_dir, ("relay", 0), SETTINGS, &log);
            wait(200).await;
            worker.kill();
            worker.wait();
            worker = Process::start(&data_dir, ("worker", 0), SETTINGS, &log);
            wait(200).await;
            let began = Instant::now();
            {
                let mut api = round.server.lock().unwrap();
                api.kill();
                api.wait();
            }
            let again = Process::serve_as("api", &data_dir, (port, SETTINGS), &log).await;
            *round.server.lock().unwrap() = again;
            longest = longest.max(began.elapsed());
        }
        longest
    };
    let longest = load.during(&round, killing).await;
    println!("{kills} kills of each of relay, worker and server; the server was away {longest:?} at most");
    assert!(longest < Duration::from_secs(10), "{longest:?}");
    let began = Instant::now();
    load.settle("parts killed", &round).await;
    println!("everything was followed {:?} after the last kill", began.elapsed());
    assert_eq!(relay.terminate().code(), Some(0));
    assert_eq!(worker.terminate().code(), Some(0));
    assert_eq!(run(&data_dir, &["verify", "--log"], &[]).status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn asked_to_end_under_load_it_drains() {
    let mut load = Load::new().await;
    let log = load.log();
    let mut longest = Duration::ZERO;
    for _ in 0..3 {
        let server = Process::serve(&load.data_dir, load.port, SETTINGS, &log).await;
        let round = Arc::new(Round::with(server, &load.ledger));
        let ending = Arc::clone(&round);
        let end = async {
            wait(700).await;
            tokio::task::spawn_blocking(move || {
                let began = Instant::now();
                (ending.server.lock().unwrap().end(), began.elapsed())
            })
            .await
            .unwrap()
        };
        let (status, took) = load.during(&round, end).await;
        assert_eq!(status.code(), Some(0));
        longest = longest.max(took);
        assert!(round.wrong.lock().unwrap().is_empty(), "{:?}", round.wrong.lock().unwrap());
    }
    println!("three orderly ends under load, {longest:?} at most");
    assert!(longest < Duration::from_secs(15), "{longest:?}");
    let server = Process::serve(&load.data_dir, load.port, SETTINGS, &log).await;
    let round = Arc::new(Round::with(server, &load.ledger));
    load.settle("asked to end", &round).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_frozen_stopped_or_wiped_redis_holds_up_nobody() {
    let Some(_) = redis_url("disaster: Redis frozen under load") else { return };
    let Some(mut redis) = OwnRedis::start() else { return };
    let mut load = Load::new().await;
    let settings = [SETTINGS, &[("LIUSHENG_REDIS_URL", redis.url.as_str())]].concat();
    let server = Process::serve(&load.data_dir, load.port, &settings, &load.log()).await;
    let address = server.address;
    let round = Arc::new(Round::with(server, &load.ledger));
    let ledger = Arc::clone(&load.ledger);
    let acknowledged = move || counted(&ledger);
    let url = redis.url.clone();
    let harm = async {
        let http = reqwest::Client::new();
        let mut back = Vec::new();
        for fault in ["frozen", "stopped", "wiped"] {
            wait(600).await;
            let before = acknowledged();
            match fault {
                "frozen" => redis.signal("STOP"),
                "stopped" => redis.kill(),
                _ => {
                    let mut client = redis::Client::open(url.as_str()).unwrap().get_connection().unwrap();
                    redis::cmd("FLUSHALL").exec(&mut client).unwrap();
                }
            }
            wait(2500).await;
            let during = acknowledged() - before;
            let ready = http.get(format!("http://{address}/readyz")).send().await.unwrap();
            assert_eq!(ready.status(), 200, "{fault}: degraded is not down");
            match fault {
                "frozen" => redis.signal("CONT"),
                "stopped" => redis.revive(),
                _ => {}
            }
            let began = Instant::now();
            loop {
                let ready: serde_json::Value =
                    http.get(format!("http://{address}/readyz")).send().await.unwrap().json().await.unwrap();
                if ready["parts"]["broker"]["ok"] == true {
                    break;
                }
                assert!(began.elapsed() < Duration::from_secs(10), "{fault}: {ready}");
                wait(50).await;
            }
            println!("Redis {fault}: {during} writes acknowledged meanwhile, well again after {:?}", began.elapsed());
            assert!(during > 10, "{fault}: writes go on: {during}");
            back.push(began.elapsed());
        }
        back
    };
    load.during(&round, harm).await;
    load.settle("Redis frozen, stopped, wiped", &round).await;
    let log = std::fs::read_to_string(load.log()).unwrap();
    assert!(log.contains("redis cannot be reached") && log.contains("redis answers again"), "an operator reads of it");
}

/// A small disk of its own; ends with this value.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None`, and a word on the terminal, for whom may not mount.
    fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size},mode=700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()).output();
        if mounted.is_ok_and(|done| done.status.success()) {
            return Some(Self(folder));
        }
        eprintln!("skipped, because a tmpfs cannot be mounted here: disaster: full disk");
        None
    }

    /// Leaves no byte free.
    fn fill(&self) -> PathBuf {
        let filler = self.0.path().join("filler");
        let mut file = std::fs::File::create(&filler).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            let block = vec![7; size];
            while std::io::Write::write_all(&mut file, &block).is_ok() {}
        }
        filler
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.0.path()).status().ok();
    }
}

/// Copies a data directory once nobody has its database open: the log goes with the last who had.
fn copy_at_rest(from: &Path, to: &Path) {
    for _ in 0..200 {
        if !from.join("liusheng.db-wal").exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    copy(from, to);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_disk_refuses_clearly_and_recovers_by_itself() {
    let Some(disk) = SmallDisk::mount("40m") else { return };
    let mut load = Load::new().await;
    if load.kept.as_ref().is_none_or(|house| !house.is_sqlite()) {
        eprintln!("skipped, because the disk would have to be PostgreSQL's: disaster: full disk");
        return;
    }
    let data_dir = disk.0.path().join("data");
    copy_at_rest(&load.data_dir, &data_dir);
    load.data_dir = data_dir;
    let server = Process::serve(&load.data_dir, load.port, SETTINGS, &load.log()).await;
    let round = Arc::new(Round::with(server, &load.ledger));
    let reader = load.senders[0].who.clone();
    let ledger = Arc::clone(&load.ledger);
    let harm = {
        let round = Arc::clone(&round);
        async move {
            let mut back = Vec::new();
            for _ in 0..2 {
                wait(800).await;
                let filler = disk.fill();
                let before = round.put_off.load(Ordering::SeqCst);
                wait(2500).await;
                let refused = round.put_off.load(Ordering::SeqCst) - before;
                let streams = reader.get("/v1/sync").await;
                assert_eq!(streams.status, 200, "reads go on: {}", streams.body);
                assert!(refused > 5, "a full disk refuses: {refused}");
                std::fs::remove_file(filler).unwrap();
                let (known, began) = (counted(&ledger), Instant::now());
                while counted(&ledger) <= known + 5 {
                    assert!(began.elapsed() < Duration::from_secs(10), "writes do not work again");
                    wait(20).await;
                }
                println!("disk full: {refused} refused clearly, writes again after {:?}", began.elapsed());
                back.push(began.elapsed());
            }
            disk
        }
    };
    let disk = load.during(&round, harm).await;
    load.settle("disk full", &round).await;
    let incoming: Vec<_> = std::fs::read_dir(load.data_dir.join("media/incoming")).unwrap().collect();
    assert!(incoming.is_empty(), "nothing half is left: {incoming:?}");
    drop(round);
    drop(disk);
}
