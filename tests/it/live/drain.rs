//! How sockets come in when many do, and how they go when the server does.
use std::{
    collections::HashSet,
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use liusheng::config::Config;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::Scene;
use crate::support::Socket;

fn hello(to: SocketAddr, query: &str) -> String {
    format!(
        "GET /connection/websocket{query} HTTP/1.1\r\nHost: {to}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

async fn head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// One of our own proxies, where a test has one.
const PROXY: &str = "127.0.0.9";

fn behind_a_proxy(config: &mut Config) {
    config.trusted_proxies = PROXY.to_owned().try_into().unwrap();
}

/// Asks for a socket from an address of one's own: the head of the answer, and the connection.
async fn ask(to: SocketAddr, from: &str) -> std::io::Result<(String, TcpStream)> {
    ask_for(to, from, "").await
}

/// The same for somebody else, as a proxy does.
async fn ask_for(to: SocketAddr, from: &str, whom: &str) -> std::io::Result<(String, TcpStream)> {
    let tcp = TcpSocket::new_v4()?;
    tcp.bind(format!("{from}:0").parse().unwrap())?;
    let mut stream = tcp.connect(to).await?;
    let line = if whom.is_empty() { String::new() } else { format!("X-Forwarded-For: {whom}\r\n") };
    stream.write_all(hello(to, "").replace("Connection: ", &format!("{line}Connection: ")).as_bytes()).await?;
    Ok((head(&mut stream).await?, stream))
}

/// One that asks for nothing else is answered before the HTTP server is asked, any other by it (which says the date), each
/// with an id of its own, and what comes right behind the request is heard by both.
#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_is_answered_in_either_way_and_what_comes_behind_it_is_heard() {
    let scene = Scene::set().await;
    let connect = serde_json::json!({ "id": 1, "connect": { "token": scene.villager.token() } }).to_string();
    let mut frame = vec![0x81, 0x80 | 126];
    frame.extend(u16::try_from(connect.len()).unwrap().to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(connect.bytes());
    let mut ids = HashSet::new();
    for (query, is_short) in [("", true), ("", true), ("?from=page", false)] {
        let mut stream = TcpStream::connect(scene.app.address).await.unwrap();
        let hello = hello(scene.app.address, query);
        stream.write_all(&[hello.as_bytes(), &frame].concat()).await.unwrap();
        let head = head(&mut stream).await.unwrap();
        assert!(head.starts_with("HTTP/1.1 101") && head.contains(": s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
        assert_eq!(head.contains("date: "), !is_short, "{head}");
        let id = head.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
        assert!(ids.insert(id.parse::<uuid::Uuid>().unwrap()), "{head}");
        let mut answer = [0; 64];
        stream.read_exact(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.contains("{\"id\":1,\"connect\":{"), "{answer}");
    }
    scene.app.stop().await;
}

/// F4: not ready, nobody let in, sockets asked to come back elsewhere one slice after another, requests answered to the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f4_sockets_leave_in_slices_while_nobody_new_is_let_in() {
    let scene = Scene::set_with(|config| config.drain_timeout_secs = 9).await;
    let sockets = join_all((0..60).map(|_| scene.listen(&scene.villager))).await;
    let (address, http, ready) = (scene.app.address, scene.app.http.clone(), scene.app.url("/readyz"));
    let (areas, before) = (scene.app.url("/v1/areas"), ask(address, "127.0.0.9").await.unwrap());
    assert!(before.0.starts_with("HTTP/1.1 101"), "{}", before.0);
    let began = Instant::now();
    let leaving = join_all(sockets.into_iter().map(|mut socket: Socket| {
        tokio::spawn(async move {
            let code = socket.until_closed().await;
            (code, Instant::now())
        })
    }));
    let stopping = tokio::spawn(scene.app.stop());
    let mut status = 200;
    while status == 200 && began.elapsed() < Duration::from_secs(8) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        status = http.get(&ready).send().await.unwrap().status().as_u16();
    }
    assert_eq!(status, 503, "a server on its way out is not ready");
    let (refused, _) = ask(address, "127.0.0.9").await.unwrap();
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.to_lowercase().contains("retry-after: "), "{refused}");
    assert_eq!(http.get(&areas).send().await.unwrap().status().as_u16(), 200, "requests are answered");
    let left = leaving.await;
    let left: Vec<_> = left.into_iter().map(Result::unwrap).collect();
    assert!(left.iter().all(|(code, _)| *code == 3001), "{:?}", left.iter().map(|one| one.0).collect::<Vec<_>>());
    let times: Vec<Duration> = left.iter().map(|(_, at)| at.duration_since(began)).collect();
    let (first, last) = (times.iter().min().unwrap(), times.iter().max().unwrap());
    assert!(*last - *first > Duration::from_secs(1), "all at once: {first:?} to {last:?}");
    stopping.await.unwrap();
    println!("60 sockets left between {first:?} and {last:?}, ended after {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

/// F2: a socket counts among the connections of its network for as long as it lives.
#[tokio::test(flavor = "multi_thread")]
async fn f2_sockets_count_among_the_connections_of_their_network() {
    let scene = Scene::set_with(|config| config.connections_per_address = 20).await;
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(ask(scene.app.address, "127.0.0.2").await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(held.iter().all(|(head, _)| head.starts_with("HTTP/1.1 101")));
    assert!(ask(scene.app.address, "127.0.0.2").await.is_err(), "a twenty-first");
    assert!(ask(scene.app.address, "127.0.0.3").await.is_ok(), "another network is let in");
    held.truncate(10);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(ask(scene.app.address, "127.0.0.2").await.is_ok(), "a place given back is a place");
    drop(held);
    scene.app.stop().await;
}

/// Whoever asks for a channel and is gone before the answer leaves no listener behind, and gives the place back.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_gone_before_the_answer_leaves_no_listener_behind() {
    let scene = Scene::set_with(|config| config.connections_per_address = 30).await;
    let asked = serde_json::json!({ "channel": scene.channel });
    for _ in 0..120 {
        let mut socket = scene.listen(&scene.villager).await;
        assert!(socket.command("unsubscribe", asked.clone()).await["unsubscribe"].is_object());
        socket.raw(&serde_json::json!({ "id": 9, "subscribe": asked }).to_string()).await;
        socket.vanish();
    }
    scene.listen(&scene.villager).await.vanish();
    scene.app.stop().await;
}

/// Who says nothing takes a place among those that wait: 2,000 of one network, whether they come by themselves or by a proxy,
/// and all others still come in.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_waits_at_the_door_in_silence_shuts_nobody_else_out() {
    let scene = Scene::set_with(behind_a_proxy).await;
    let mut silent = Vec::new();
    for round in 0..40 {
        let (from, whom) = if round % 2 == 0 { ("127.0.0.2", "") } else { (PROXY, "127.0.0.2") };
        silent.extend(join_all((0..50).map(|_| ask_for(scene.app.address, from, whom))).await);
    }
    assert!(silent.iter().all(|one| one.as_ref().is_ok_and(|(head, _)| head.starts_with("HTTP/1.1 101"))));
    for (from, whom) in [("127.0.0.2", ""), (PROXY, "127.0.0.2"), ("127.0.0.2", "127.0.0.3")] {
        let (refused, _) = ask_for(scene.app.address, from, whom).await.unwrap();
        assert!(refused.starts_with("HTTP/1.1 503"), "{from} for {whom}: {refused}");
    }
    for (from, whom) in [(PROXY, "127.0.0.3"), ("127.0.0.3", "127.0.0.2")] {
        let (head, _) = ask_for(scene.app.address, from, whom).await.unwrap();
        assert!(head.starts_with("HTTP/1.1 101"), "{from} for {whom}: {head}");
    }
    let mut times = Vec::new();
    for _ in 0..20 {
        let (head, _) = ask(scene.app.address, "127.0.0.2").await.unwrap();
        let line = head.lines().find(|line| line.to_lowercase().starts_with("retry-after")).unwrap().to_owned();
        times.push(line);
    }
    times.sort();
    times.dedup();
    assert!(times.len() > 2, "each after a while of its own: {times:?}");
    let mut other = scene.listen(&scene.villager).await;
    let newest = scene.say("照样听得到").await;
    other.until_offset(&scene.channel, newest).await;
    drop(silent);
    scene.app.stop().await;
}

/// Whose request a handshake is says the connection, or a proxy of ours; who comes by themselves may say what they like.
#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_is_counted_for_whom_a_proxy_of_ours_says_and_nobody_else() {
    let scene = Scene::set_with(|config| {
        behind_a_proxy(config);
        (config.requests_per_second, config.requests_burst) = (1, 5000);
    })
    .await;
    let (one, other, stranger) = ("203.0.113.1", "203.0.113.2", "127.0.0.8");
    let both = format!("{one}, {other}");
    for (spent, from, whom, status) in [
        (one, PROXY, one, 429),
        (one, PROXY, other, 101),
        (one, PROXY, both.as_str(), 101),
        (one, stranger, one, 101),
        (PROXY, PROXY, other, 101),
        (stranger, stranger, other, 429),
    ] {
        let address = spent.parse().unwrap();
        while scene.app.app.rates.request(address).is_ok() {}
        let (head, _) = ask_for(scene.app.address, from, whom).await.unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{spent} is spent, {from} for {whom}: {head}");
        assert_eq!(head.contains("date: "), status != 101, "the short way: {head}");
    }
    scene.app.stop().await;
}

/// A quarter thousand at once: two hundred doors, all come in, none hears anything twice or not at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn more_than_there_are_doors_come_in_at_once() {
    // pings fall into the time in which they are let in
    let scene = Scene::set_with(|config| config.ping_secs = 1).await;
    let newest = scene.say("一句").await;
    let epoch = scene.position(&scene.listen(&scene.villager).await).0;
    let from = serde_json::json!({ &scene.channel: { "recover": true, "epoch": epoch, "offset": 0 } });
    let sockets = join_all((0..250).map(|_| scene.listen_from(&scene.villager, from.clone()))).await;
    for socket in &sockets {
        assert_eq!(socket.offsets(&scene.channel), [newest], "{}", socket.connected);
        assert_eq!(socket.first["id"], 1, "nothing is said before the answer to connect: {}", socket.first);
    }
    drop(sockets);
    scene.app.stop().await;
}
