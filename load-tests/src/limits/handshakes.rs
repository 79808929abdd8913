//! Limit of a herd: as many handshakes at the same moment with a server that only accepts.
use std::time::Instant;

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};
use tokio_tungstenite::connect_async;

use crate::{Outcome, figures::in_millis};

/// Milliseconds until all are open.
pub(crate) async fn at_once(count: usize) -> Outcome<f64> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["limit-sockets", "--payload", "1"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut address = String::new();
    BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut address).await?;
    let url = format!("ws://{}", address.trim());
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let url = url.clone();
        tasks.spawn(async move { connect_async(url).await });
    }
    let mut open = Vec::with_capacity(count);
    while let Some(done) = tasks.join_next().await {
        open.push(done??);
    }
    let took = in_millis(began.elapsed());
    drop(open);
    child.kill().await?;
    Ok(took)
}
