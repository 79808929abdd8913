//! Limit of fan-out: a server that only holds sockets and sends ready-made frames to all of them on a word, one at a time or
//! all that wait in one write. Its frames are as long as ours and are read by the same phones.
use std::{
    io::{BufRead, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    process::{Child, ChildStdout, Command},
};
use tokio_tungstenite::accept_async;

use crate::{
    Outcome,
    figures::{Spread, in_millis},
    phones::Phones,
    process,
};

/// What the frames are said to belong to.
const CHANNEL: &str = "s:limit";
/// What does not come within this time will not come.
const WITHIN: Duration = Duration::from_secs(20);
/// Frames that wait for each in a burst.
pub(crate) const BURST: usize = 20;
/// Bursts, here and there: of two only, the better one would be the median.
pub(crate) const BURSTS: usize = 5;

/// What the limit needs.
pub(crate) struct Floor {
    /// Milliseconds until one frame has reached all, the median over the rounds.
    pub(crate) to_all: f64,
    /// Processor time of the sender for one frame to one socket.
    pub(crate) cpu_micros: f64,
    /// Frames to sockets in a second, when those that wait go out in one write.
    pub(crate) merged: f64,
}

/// The server's side, run as a process of its own: prints its address; a number on standard input sends so many frames to
/// each, in one write.
pub(crate) async fn serve(payload: usize) -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let (words, mut said) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || std::io::stdin().lock().lines().for_each(|line| drop(words.send(line))));
    let (mut sockets, mut offset) = (Vec::new(), 0);
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                stream.set_nodelay(true)?;
                if let Ok(socket) = accept_async(stream).await { sockets.push(socket.into_inner()); }
            }
            word = said.recv() => {
                let Some(Ok(word)) = word else { return Ok(()) };
                let more: usize = word.trim().parse().unwrap_or(1);
                let frames: Vec<u8> = (offset + 1..=offset + more).flat_map(|at| frame(at, payload)).collect();
                offset += more;
                for socket in &mut sockets {
                    socket.write_all(&frames).await?;
                }
            }
        }
    }
}

/// An entry in a text frame without a mask, as servers send it.
fn frame(offset: usize, payload: usize) -> Vec<u8> {
    let around = |text: &str| {
        format!(
            r#"{{"push":{{"channel":"{CHANNEL}","pub":{{"offset":{offset},"data":{{"body":{{"text":"{text}"}}}}}}}}}}"#
        )
    };
    let text = around(&"x".repeat(payload.saturating_sub(around("").len()).max(126)));
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let mut frame = vec![0x81, 126];
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(text.as_bytes());
    frame
}

/// Sends so many frames, one at a time, to so many sockets; then as many bursts as ours.
pub(crate) async fn measure(count: usize, payload: usize, rounds: usize) -> Outcome<Floor> {
    let (mut child, mut lines) = start(payload)?;
    let mut address = String::new();
    lines.read_line(&mut address).await?;
    let address: SocketAddr = address.trim().parse()?;
    let mut phones = Phones::listen(address, CHANNEL, count).await?;
    let pid = child.id().ok_or("the limit's server ended")?;
    let mut input = child.stdin.take().ok_or("no input")?;
    let (mut took, mut cpu, mut burst) = (Spread::default(), Duration::ZERO, Spread::default());
    for _ in 0..rounds {
        let before = process::cpu(pid)?;
        took.add(in_millis(send(&mut input, 1, &mut phones).await?));
        cpu += process::cpu(pid)?.saturating_sub(before);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for _ in 0..BURSTS {
        burst.add(send(&mut input, BURST, &mut phones).await?.as_secs_f64());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(input);
    child.wait().await?;
    let deliveries = (rounds * count).max(1) as f64;
    Ok(Floor {
        to_all: took.percentile(50),
        cpu_micros: cpu.as_secs_f64() * 1e6 / deliveries,
        merged: (count * BURST) as f64 / burst.percentile(50),
    })
}

/// How long it takes until all have so many frames.
async fn send(input: &mut (impl AsyncWriteExt + Unpin), frames: usize, phones: &mut Phones) -> Outcome<Duration> {
    let (began, wanted) = (Instant::now(), frames * phones.count);
    input.write_all(format!("{frames}\n").as_bytes()).await?;
    let came = phones.collect(wanted, WITHIN, |_| true).await;
    if came.len() < wanted || phones.gaps() > 0 {
        return Err("the limit's frames did not come".into());
    }
    let last = came.iter().map(|one| one.at).max().unwrap_or(began);
    Ok(last.duration_since(began))
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
