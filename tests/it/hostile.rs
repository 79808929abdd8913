//! What people do who mean harm: forged tokens, foreign pages, floods, bombs, tricks with letters. Each list is counted.
use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{TestApp, answer, code_of};

mod codes;
mod connections;
mod cursors;
mod fields;
mod frames;
mod sockets;
mod timing;
mod tokens;
mod unicode;
mod uploads;

/// Signs in by phone: what the server hands out.
async fn log_in(app: &TestApp, phone: &str) -> Value {
    let asked = answer(app.http.post(app.url("/v1/login/codes")).json(&json!({ "phone": phone }))).await.ok();
    let told = json!({ "login_id": asked["login_id"], "phone": phone, "code": code_of(app, phone).await });
    answer(app.http.post(app.url("/v1/login")).json(&told)).await.ok()
}

/// Sends bytes as they are and reads until the other side closes or is silent for `patience`.
async fn raw(address: SocketAddr, bytes: &[u8], patience: Duration) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // refused while we still send: what was said before is still to be read
    stream.write_all(bytes).await.ok();
    said(&mut stream, patience).await
}

/// What comes until the other side closes or is silent for `patience`.
async fn said(stream: &mut TcpStream, patience: Duration) -> String {
    let mut all = Vec::new();
    let mut part = vec![0; 16 * 1024];
    while let Ok(Ok(count @ 1..)) = tokio::time::timeout(patience, stream.read(&mut part)).await {
        all.extend_from_slice(&part[..count]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// The status of the first answer in it; 0 for none.
fn status(answer: &str) -> u16 {
    let answer = answer.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(answer);
    answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or_default()
}

/// Is the connection closed by the other side within `patience`?
async fn closes(stream: &mut TcpStream, patience: Duration) -> bool {
    let mut part = vec![0; 16 * 1024];
    let reading = async { while let Ok(1..) = stream.read(&mut part).await {} };
    tokio::time::timeout(patience, reading).await.is_ok()
}

/// Memory of a process that is its own, in MiB.
fn resident_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
