//! A database that has no more room: what was acknowledged is there, and writing goes on when there is room again.
use std::{
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};

use super::{Store, Tx, open};
use crate::{calendar::Calendar, clock::Clock, error::Result, keys::Keys};

async fn run(tx: &Tx, sql: &str) -> Result<()> {
    tx.execute_unprepared(sql).await?;
    Ok(())
}

async fn write(store: &Store, sql: String) -> Result<()> {
    store.write(move |tx| Box::pin(async move { run(tx, &sql).await })).await
}

async fn kept(store: &Store) -> i64 {
    let count = Statement::from_string(DatabaseBackend::Sqlite, "SELECT count(*) FROM filling");
    store.read().query_one_raw(count).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

/// A small file system that goes away with this value.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None` where one may not mount.
    fn of(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", size, "tmpfs"]).arg(folder.path()).stderr(Stdio::null());
        mount.status().is_ok_and(|done| done.success()).then_some(Self(folder))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.0.path()).status());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_after_a_full_disk_is_committed() {
    let Some(disk) = Disk::of("size=12m") else {
        eprintln!("skipped: only root can mount a small disk");
        return;
    };
    let (url, ballast) = (format!("sqlite://{}/full.db", disk.0.path().display()), disk.0.path().join("ballast"));
    let keys = Arc::new(Keys::load_or_make(disk.0.path()).unwrap());
    let (store, _rung) = open((&url, 1), Clock::system(), Calendar::load(None).unwrap(), keys).await.unwrap();
    write(&store, "CREATE TABLE filling (text TEXT NOT NULL)".to_owned()).await.unwrap();
    let mut acknowledged = 0;
    for _ in 0..5 {
        // takes what is left but a little
        let mut size = 16_usize << 20;
        while size > 4096 && std::fs::write(&ballast, vec![1_u8; size]).is_err() {
            size = size.saturating_sub(100_000);
        }
        let mut refused = 0;
        for _ in 0..12 {
            let row = format!("INSERT INTO filling VALUES ('{}')", "x".repeat(6_000));
            let all = futures_util::future::join_all((0..10).map(|_| write(&store, row.clone()))).await;
            acknowledged += all.iter().filter(|one| one.is_ok()).count() as i64;
            refused += all.iter().filter(|one| one.is_err()).count();
        }
        assert!(refused > 0, "it never was full");
        std::fs::remove_file(&ballast).unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        for _ in 0..5 {
            acknowledged += i64::from(write(&store, "INSERT INTO filling VALUES ('again')".to_owned()).await.is_ok());
        }
        assert_eq!(kept(&store).await, acknowledged, "what others see is not what was acknowledged");
        write(&store, "DELETE FROM filling".to_owned()).await.unwrap();
        assert_eq!(kept(&store).await, 0, "what others see is not what was acknowledged");
        acknowledged = 0;
    }
}
