//! Limit of fan-out: a server that only holds sockets and sends one ready-made frame to all of them on a word.
use std::{
    io::{BufRead, Write},
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    process::{Child, ChildStdout, Command},
};
use tokio_tungstenite::{accept_async, connect_async};

use crate::{
    Outcome,
    figures::{Spread, in_millis},
    process,
};

/// What the limit needs.
pub(crate) struct Floor {
    /// Milliseconds until one frame has reached all, the median over the rounds.
    pub(crate) to_all: f64,
    /// Processor time of the sender for one frame to one socket.
    pub(crate) cpu_micros: f64,
}

/// The server's side, run as a process of its own: prints its address; a line on standard input sends one frame to all.
pub(crate) async fn serve(payload: usize) -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let (words, mut said) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || std::io::stdin().lock().lines().for_each(|line| drop(words.send(line))));
    let mut sockets = Vec::new();
    let frame = frame(payload);
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                stream.set_nodelay(true)?;
                if let Ok(socket) = accept_async(stream).await { sockets.push(socket.into_inner()); }
            }
            word = said.recv() => {
                if word.is_none() { return Ok(()) }
                for socket in &mut sockets {
                    socket.write_all(&frame).await?;
                }
            }
        }
    }
}

/// A text frame without a mask, as servers send it.
fn frame(payload: usize) -> Vec<u8> {
    let length = u16::try_from(payload).unwrap_or(u16::MAX);
    let mut frame = vec![0x81, 126];
    frame.extend_from_slice(&length.to_be_bytes());
    frame.resize(4 + usize::from(length), b'x');
    frame
}

/// Sends so many frames, one at a time, to so many sockets.
pub(crate) async fn measure(count: usize, payload: usize, rounds: usize) -> Outcome<Floor> {
    let (mut child, mut lines) = start(payload)?;
    let mut address = String::new();
    lines.read_line(&mut address).await?;
    let (heard, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..count {
        let url = format!("ws://{}", address.trim());
        let (mut socket, _) = connect_async(url).await?;
        let heard = heard.clone();
        tokio::spawn(async move {
            while let Some(Ok(_)) = socket.next().await {
                heard.send(()).ok();
            }
        });
    }
    let pid = child.id().ok_or("the limit's server ended")?;
    let mut input = child.stdin.take().ok_or("no input")?;
    let (mut took, mut cpu) = (Spread::default(), Duration::ZERO);
    for _ in 0..rounds {
        let before = process::cpu(pid)?;
        let began = Instant::now();
        input.write_all(b"\n").await?;
        for _ in 0..count {
            tokio::time::timeout(Duration::from_secs(10), arrivals.recv()).await?;
        }
        took.add(in_millis(began.elapsed()));
        cpu += process::cpu(pid)?.saturating_sub(before);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(input);
    child.wait().await?;
    let deliveries = (rounds * count).max(1) as f64;
    Ok(Floor { to_all: took.percentile(50), cpu_micros: cpu.as_secs_f64() * 1e6 / deliveries })
}

fn start(payload: usize) -> std::io::Result<(Child, BufReader<ChildStdout>)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["limit-sockets", "--payload", &payload.to_string()])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let lines = child.stdout.take().ok_or_else(|| std::io::Error::other("no output"))?;
    Ok((child, BufReader::new(lines)))
}
