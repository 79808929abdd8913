//! Frames made to hurt, against a server process of its own whose memory is looked at before and after.
use std::{net::SocketAddr, time::Duration};

use liusheng::streams;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use uuid::Uuid;

use super::{closes, resident_mib};
use crate::support::{House, Process, Socket, Somebody, Village, free_port};

/// What all attacks together may cost for good, in MiB.
const BOUND_MIB: u64 = 64;
const SETTINGS: &[(&str, &str)] = &[
    ("LIUSHENG_WRITES_PER_SECOND", "1000"),
    ("LIUSHENG_WRITES_BURST", "10000"),
    ("LIUSHENG_REQUESTS_PER_SECOND", "100000"),
    ("LIUSHENG_REQUESTS_BURST", "100000"),
    ("LIUSHENG_LOG_LEVEL", "warn"),
];
const TEXT: u8 = 1;
const CONTINUED: u8 = 0;
const PING: u8 = 9;

/// A frame with any head: first byte as it is, the length told, whether it is masked (by zeros), and the content.
fn frame(first: u8, told: u64, masked: bool, content: &[u8]) -> Vec<u8> {
    let mask = if masked { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match told {
        0..126 => bytes.push(mask | told as u8),
        126..65_536 => {
            bytes.push(mask | 126);
            bytes.extend((told as u16).to_be_bytes());
        }
        _ => {
            bytes.push(mask | 127);
            bytes.extend(told.to_be_bytes());
        }
    }
    if masked {
        bytes.extend([0; 4]);
    }
    bytes.extend(content);
    bytes
}

fn whole(kind: u8, content: &[u8]) -> Vec<u8> {
    frame(0x80 | kind, content.len() as u64, true, content)
}

/// A socket of raw bytes past its handshake; with a token also past `connect`.
async fn open(address: SocketAddr, token: Option<&str>) -> TcpStream {
    let tcp = TcpSocket::new_v4().unwrap();
    tcp.set_recv_buffer_size(4096).unwrap();
    let mut stream = tcp.connect(address).await.unwrap();
    let hello = format!(
        "GET /connection/websocket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(hello.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    if let Some(token) = token {
        let connect = json!({ "id": 1, "connect": { "token": token } }).to_string();
        stream.write_all(&whole(TEXT, connect.as_bytes())).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), 0x81, "an answer to connect");
    }
    stream
}

/// Sends until it is all out, the other side hangs up, or ten seconds are over.
async fn pour(stream: &mut TcpStream, bytes: &[u8]) {
    let pouring = stream.write_all(bytes);
    tokio::time::timeout(Duration::from_secs(10), pouring).await.map(drop).ok();
}

/// What is sent, and whether it must end the connection within seconds.
fn attacks() -> Vec<(&'static str, Vec<u8>, bool)> {
    let megabyte = vec![b'x'; 1 << 20];
    let fragments = |size: usize, count: usize| {
        let mut all = frame(TEXT, size as u64, true, &vec![b'x'; size]);
        let next = frame(CONTINUED, size as u64, true, &vec![b'x'; size]);
        for _ in 0..count {
            all.extend_from_slice(&next);
        }
        all
    };
    vec![
        ("a message of 1 MB", whole(TEXT, &megabyte), true),
        ("a frame that promises 64 MB and sends them", frame(0x81, 64 << 20, true, &vec![b'x'; 64 << 20]), true),
        ("a frame that promises 2^63 bytes", frame(0x81, u64::MAX / 2, true, &megabyte), true),
        ("a frame that promises 2^64-1 bytes", frame(0x81, u64::MAX, true, &[]), true),
        ("100,000 fragments of a byte", fragments(1, 100_000), true),
        ("100,000 empty fragments", fragments(0, 100_000), false),
        ("100,000 pings", whole(PING, b"x").repeat(100_000), true),
        ("100,000 pongs", whole(10, b"x").repeat(100_000), true),
        ("a ping of 1,000 bytes", whole(PING, &[0; 1000]), true),
        ("a fragmented ping", frame(PING, 1, true, b"x"), true),
        ("invalid UTF-8", whole(TEXT, &[0xff, 0xfe, 0xfd]), true),
        ("UTF-8 cut in the middle", whole(TEXT, &"长".as_bytes()[..2]), true),
        ("a surrogate in UTF-8", whole(TEXT, &[0xed, 0xa0, 0x80]), true),
        ("an unmasked frame", frame(0x81, 2, false, b"{}"), true),
        ("a compressed frame", frame(0xc1, 2, true, b"{}"), true),
        ("a reserved bit", frame(0xa1, 2, true, b"{}"), true),
        ("an unknown opcode", whole(5, b"x"), true),
        ("an unknown control opcode", whole(11, b"x"), true),
        ("a continuation of nothing", frame(0x80, 1, true, b"x"), true),
        ("a text within a text", [frame(TEXT, 1, true, b"x"), whole(TEXT, b"{}")].concat(), true),
        ("bytes instead of text", whole(2, &[0; 100]), true),
        ("a close of one byte", whole(8, &[3]), true),
        ("a close with a code that is none", whole(8, &[0xff, 0xff]), true),
        ("10,000 commands in a frame", whole(TEXT, "{\"id\":2}\n".repeat(7_000).as_bytes()), true),
        ("HTTP after the handshake", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), true),
    ]
}

async fn scene(settings: &[(&str, &str)]) -> (House, Process, Somebody, Somebody, String) {
    let (app, village) = Village::start().await;
    let (villager, clerk) = (village.villager(&app, "00007").await, village.clerk.clone());
    let area = village.area.clone();
    let open = app.app.store.write(move |tx| Box::pin(async move { streams::commands::channel(tx, &area).await }));
    let channel = open.await.unwrap().to_string();
    let folder = app.close().await;
    let log = folder.path().join("server.log");
    let server = Process::serve(folder.path(), free_port(), &[SETTINGS, settings].concat(), &log).await;
    let (villager, clerk) = (villager.at(server.address), clerk.at(server.address));
    (folder, server, villager, clerk, channel)
}

async fn say(clerk: &Somebody, channel: &str, text: &str) -> Value {
    let message = json!({ "client_id": Uuid::now_v7(), "text": text });
    clerk.post(&format!("/v1/streams/{channel}/messages"), message).await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_frame_and_no_number_of_sockets_takes_memory_for_good() {
    let (_folder, server, villager, clerk, channel) = scene(&[]).await;
    let (address, token) = (server.address, villager.token());
    let before = resident_mib(server.pid());
    let (mut wrong, mut peak) = (Vec::new(), before);
    let attacks = attacks();
    for (name, bytes, must_end) in &attacks {
        for token in [None, Some(token.as_str())] {
            let mut stream = open(address, token).await;
            pour(&mut stream, bytes).await;
            peak = peak.max(resident_mib(server.pid()));
            if *must_end && !closes(&mut stream, Duration::from_secs(8)).await {
                wrong.push(format!("{name}: still open (signed in: {})", token.is_some()));
            }
        }
    }
    // a thousand who open and say nothing, fifty who never read what is said to them
    let mut silent = Vec::new();
    for _ in 0..1000 {
        silent.push(open(address, None).await);
    }
    let mut deaf = Vec::new();
    for _ in 0..50 {
        deaf.push(open(address, Some(&token)).await);
    }
    // it does not answer pings while nobody listens, hence not earlier
    let mut good = Socket::connect_to(address, &token, json!({})).await;
    let text = "慢".repeat(2000);
    for _ in 0..100 {
        say(&clerk, &channel, &text).await;
    }
    peak = peak.max(resident_mib(server.pid()));
    let newest = say(&clerk, &channel, "别人照样听得到").await["seq"].as_i64().unwrap();
    good.until_offset(&format!("s:{channel}"), newest).await;
    // who says nothing is closed after fifteen seconds
    let mut left = 0;
    tokio::time::sleep(Duration::from_secs(16)).await;
    for stream in &mut silent {
        left += usize::from(!closes(stream, Duration::from_millis(500)).await);
    }
    if left > 0 {
        wrong.push(format!("{left} silent sockets are still open"));
    }
    drop((silent, deaf));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = resident_mib(server.pid());
    println!(
        "{} kinds of frames, 1,000 silent, 50 deaf: {before} MiB before, {peak} at most, {after} after",
        attacks.len()
    );
    assert!(after < before + BOUND_MIB && peak < before + 2 * BOUND_MIB, "{before} -> {peak} -> {after} MiB");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(!server.said().contains("panicked"), "{}", server.said());
    assert!(server.terminate().success());
}

/// A phone in a tunnel: its connection is open, nobody is there. Nothing comes back to the server's pings.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_answer_a_ping_is_closed() {
    let (_folder, server, villager, ..) = scene(&[("LIUSHENG_PING_SECS", "5")]).await;
    let mut dead = open(server.address, Some(&villager.token())).await;
    assert!(closes(&mut dead, Duration::from_secs(22)).await, "half open for 22 seconds");
    assert!(server.terminate().success());
}
