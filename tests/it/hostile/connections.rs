//! Connections that waste time, lie about lengths or never end: each is bounded, and others are served meanwhile.
use std::time::{Duration, Instant};

use liusheng::config::Config;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::{closes, raw, said, status};
use crate::support::{Somebody, TestApp, Village, answer, free_port, monday};

const SOON: Duration = Duration::from_secs(8);
const PATIENCE: Duration = Duration::from_millis(700);

/// A server with little patience, so that tests need little, too.
async fn impatient(change: impl FnOnce(&mut Config)) -> TestApp {
    TestApp::start_with(monday(), |config| {
        (config.header_timeout_secs, config.body_timeout_secs, config.answer_timeout_secs) = (2, 3, 3);
        change(config);
    })
    .await
}

async fn is_served(app: &TestApp) {
    let began = Instant::now();
    app.get("/v1/areas").await.ok();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// Sends a byte every 200 ms, until the other side hangs up; how long it took.
async fn drip(app: &TestApp, first: &str, drops: &str) -> Duration {
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let began = Instant::now();
    stream.write_all(first.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let reading = async {
        let mut part = [0; 4096];
        while let Ok(1..) = reader.read(&mut part).await {}
    };
    let writing = async {
        for byte in drops.bytes().cycle() {
            if writer.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        () = reading => {}
        () = writing => {}
        () = tokio::time::sleep(Duration::from_secs(20)) => {}
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn slow_heads_bodies_and_readers_are_given_up_while_others_are_served() {
    let app = impatient(|_| {}).await;
    let village = Village::found(&app).await;
    let token = village.villager(&app, "00007").await.token();
    let head = format!(
        "POST /v1/suggestions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    );
    let upload =
        head.replace("/v1/suggestions", "/v1/media").replace("application/json", "multipart/form-data; boundary=x");
    let slow = [
        ("nothing at all", String::new(), ""),
        ("a head", "GET /v1/areas HTTP/1.1\r\nHost: x\r\nX-A: ".to_owned(), "a"),
        ("lines of a head", "GET /v1/areas HTTP/1.1\r\n".to_owned(), "X-A: b\r\n"),
        ("a first line", "GET /".to_owned(), "a"),
        ("a body", format!("{head}Content-Length: 1000\r\n\r\n"), "{"),
        ("a body in chunks", format!("{head}Transfer-Encoding: chunked\r\n\r\n"), "1\r\n \r\n"),
        ("the length of a chunk", format!("{head}Transfer-Encoding: chunked\r\n\r\n"), "0"),
        (
            "an upload",
            format!(
                "{upload}Content-Length: 100000\r\n\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"
            ),
            "x",
        ),
    ];
    let watch = async {
        for _ in 0..10 {
            is_served(&app).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let drips = slow.iter().map(|(name, first, drops)| {
        let app = &app;
        async move {
            let copies = (0..12).map(|_| async {
                if drops.is_empty() {
                    let mut stream = TcpStream::connect(app.address).await.unwrap();
                    let began = Instant::now();
                    closes(&mut stream, Duration::from_secs(20)).await;
                    began.elapsed()
                } else {
                    drip(app, first, drops).await
                }
            });
            (*name, futures_util::future::join_all(copies).await.into_iter().max().unwrap())
        }
    });
    let (took, ()) = tokio::join!(futures_util::future::join_all(drips), watch);
    println!("slow senders, 12 of each: {took:?}");
    for (name, longest) in took {
        assert!(longest < SOON, "{name}: {longest:?}");
    }
    // one that is kept alive and says nothing any more
    let mut idle = TcpStream::connect(app.address).await.unwrap();
    idle.write_all(b"GET /v1/areas HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(closes(&mut idle, SOON).await, "an idle connection is kept for ever");
    app.stop().await;
}

/// hyper waits for ever for a reader that has stopped to read.
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_and_never_reads_is_given_up() {
    let app = impatient(|_| {}).await;
    // many answers, more than both kernels buffer, and nobody takes them
    let tcp = TcpSocket::new_v4().unwrap();
    tcp.set_recv_buffer_size(4096).unwrap();
    let mut deaf = tcp.connect(app.address).await.unwrap();
    let question = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(400);
    let mut gone = None;
    let began = Instant::now();
    while gone.is_none() && began.elapsed() < Duration::from_secs(30) {
        let wrote = tokio::time::timeout(Duration::from_millis(300), deaf.write_all(question.as_bytes())).await;
        if let Ok(Err(_)) = wrote {
            gone = Some(began.elapsed());
        }
        is_served(&app).await;
    }
    assert!(gone.is_some(), "after {:?} it still holds its place", began.elapsed());
    println!("who never read was given up after {:?}", gone.unwrap());
    app.stop().await;
}

/// Where one request ends and the next begins is told in one way, or the connection ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_could_be_two_is_refused() {
    let app = impatient(|_| {}).await;
    let post = |lines: &str, body: &str| {
        format!("POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{lines}\r\n{body}")
    };
    let inner = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    let chunked = "0\r\n\r\n";
    let attacks = [
        ("two lengths", post("Content-Length: 2\r\nContent-Length: 40\r\n", &format!("{{}}{inner}"))),
        ("a length of two", post("Content-Length: 2, 40\r\n", &format!("{{}}{inner}"))),
        (
            "a length and chunks",
            post(
                &format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", chunked.len() + inner.len()),
                &format!("{chunked}{inner}"),
            ),
        ),
        (
            "chunks and a length",
            post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", &format!("{chunked}{inner}")),
        ),
        ("chunks of another name", post("Transfer-Encoding: xchunked\r\n", &format!("{chunked}{inner}"))),
        ("chunks and something", post("Transfer-Encoding: chunked, identity\r\n", &format!("{chunked}{inner}"))),
        (
            "chunks twice",
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", &format!("{chunked}{inner}")),
        ),
        (
            "a space before the colon",
            post("Transfer-Encoding : chunked\r\nContent-Length: 2\r\n", &format!("{{}}{inner}")),
        ),
        (
            "a folded line",
            post("X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", &format!("{{}}{inner}")),
        ),
        ("a negative length", post("Content-Length: -1\r\n", inner)),
        ("a length in hex", post("Content-Length: 0x2\r\n", &format!("{{}}{inner}"))),
        ("a length with a sign", post("Content-Length: +2\r\n", &format!("{{}}{inner}"))),
        ("a length beyond 64 bits", post("Content-Length: 18446744073709551618\r\n", &format!("{{}}{inner}"))),
        (
            "a chunk beyond 64 bits",
            post("Transfer-Encoding: chunked\r\n", &format!("10000000000000002\r\n{{}}\r\n{chunked}{inner}")),
        ),
        ("a negative chunk", post("Transfer-Encoding: chunked\r\n", &format!("-1\r\n{{}}\r\n{chunked}{inner}"))),
        (
            "a carriage return in a value",
            post("X: a\rTransfer-Encoding: chunked\r\nContent-Length: 2\r\n", &format!("{{}}{inner}")),
        ),
        ("a character 0 in a value", post("X: a\0b\r\nContent-Length: 2\r\n", &format!("{{}}{inner}"))),
        (
            "chunks in HTTP/1.0",
            post("Transfer-Encoding: chunked\r\n", &format!("{chunked}{inner}")).replace("HTTP/1.1", "HTTP/1.0"),
        ),
    ];
    let mut wrong = Vec::new();
    for (name, bytes) in &attacks {
        let answer = raw(app.address, bytes.as_bytes(), PATIENCE).await;
        // the inner request must never be answered: `livez` says 200
        if answer.contains("HTTP/1.1 200") || answer.matches("HTTP/1.").count() > 1 || status(&answer) >= 500 {
            wrong.push(format!(
                "{name}: {}",
                answer.lines().filter(|line| line.starts_with("HTTP/")).collect::<Vec<_>>().join(" + ")
            ));
        }
    }
    println!("{} ways to smuggle", attacks.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    // two honest ones in a row are two
    let both = raw(app.address, inner.repeat(2).as_bytes(), PATIENCE).await;
    assert_eq!(both.matches("HTTP/1.1 200").count(), 2, "{both}");
    // and five hundred in one go are answered or ended, in order, without anybody else waiting
    let many = raw(app.address, inner.repeat(500).as_bytes(), PATIENCE).await;
    assert_eq!(many.matches("HTTP/1.1 200").count(), 500);
    is_served(&app).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_in_the_head_costs_nothing() {
    let app = impatient(|_| {}).await;
    let get = |lines: &str| format!("GET /v1/areas HTTP/1.1\r\nHost: x\r\n{lines}\r\n");
    let long = |length: usize| "a".repeat(length);
    let heads: Vec<(&str, Vec<u8>)> = vec![
        ("a header of 1 MB", get(&format!("X-A: {}\r\n", long(1 << 20))).into_bytes()),
        ("a name of 1 MB", get(&format!("{}: x\r\n", long(1 << 20))).into_bytes()),
        ("an address of 1 MB", format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", long(1 << 20)).into_bytes()),
        ("100,000 headers", get(&"X-A: b\r\n".repeat(100_000)).into_bytes()),
        ("1,000 headers", get(&"X-A: b\r\n".repeat(1000)).into_bytes()),
        ("a header without an end", long(300_000).into_bytes()),
        ("HTTP/0.9", b"GET /\r\n".to_vec()),
        ("HTTP/3.7", b"GET / HTTP/3.7\r\nHost: x\r\n\r\n".to_vec()),
        ("HTTP/2 with foreknowledge", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("TLS", [&[0x16, 3, 1, 2, 0, 1][..], &[0; 500]].concat()),
        ("a Redis command", b"*1\r\n$8\r\nFLUSHALL\r\n".to_vec()),
        ("SSH", b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()),
        ("zeros", vec![0; 70_000]),
        ("line breaks", b"\r\n".repeat(50_000)),
        ("no host", b"GET /v1/areas HTTP/1.1\r\n\r\n".to_vec()),
        ("an address of bytes", b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        (
            "another server's address",
            b"GET http://evil.example/v1/areas HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_vec(),
        ),
        ("CONNECT", b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        ("TRACE", b"TRACE / HTTP/1.1\r\nHost: x\r\nCookie: secret\r\n\r\n".to_vec()),
        ("a method of 1 MB", format!("{} / HTTP/1.1\r\nHost: x\r\n\r\n", "A".repeat(1 << 20)).into_bytes()),
        ("a cookie of 60 KB", get(&format!("Cookie: {}\r\n", long(60_000))).into_bytes()),
    ];
    for (name, bytes) in &heads {
        let answer = raw(app.address, bytes, PATIENCE).await;
        assert!(status(&answer) < 500 && !answer.contains("secret"), "{name}: {}", &answer[..answer.len().min(200)]);
        is_served(&app).await;
    }
    println!("{} kinds of rubbish", heads.len());
    // a body without an end: refused when it is too long, whatever was promised
    for (promise, path) in [
        ("Transfer-Encoding: chunked\r\n", "/v1/login"),
        ("Content-Length: 10737418240\r\n", "/v1/login"),
        ("Content-Length: 10737418240\r\nExpect: 100-continue\r\n", "/v1/login"),
    ] {
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{promise}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        let mut sent = 0;
        let began = Instant::now();
        while began.elapsed() < SOON && stream.write_all(chunk.as_bytes()).await.is_ok() {
            sent += chunk.len();
            if sent > 64 << 20 {
                break;
            }
        }
        assert!(sent < 16 << 20, "{promise}: {sent} bytes were taken");
        let answer = said(&mut stream, PATIENCE).await;
        assert!([0, 408, 413].contains(&status(&answer)), "{promise}: {answer}");
    }
    app.stop().await;
}

/// One network's connections are a share of all: whoever opens thousands keeps nobody else out.
#[tokio::test(flavor = "multi_thread")]
async fn one_network_gets_its_share_of_the_places() {
    let app = impatient(|config| {
        config.connections_per_address = 20;
        config.header_timeout_secs = 10;
    })
    .await;
    let from = |address: &str| {
        let (tcp, to) = (TcpSocket::new_v4().unwrap(), app.address);
        tcp.bind(format!("{address}:0").parse().unwrap()).unwrap();
        async move {
            let mut stream = tcp.connect(to).await?;
            stream.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").await?;
            let mut first = [0; 12];
            stream.read_exact(&mut first).await?;
            Ok::<_, std::io::Error>(stream)
        }
    };
    let mut held = Vec::new();
    let mut refused = 0;
    for _ in 0..60 {
        match from("127.0.0.2").await {
            Ok(stream) => held.push(stream),
            Err(_) => refused += 1,
        }
    }
    assert_eq!((held.len(), refused), (20, 40));
    assert!(from("127.0.0.3").await.is_ok(), "another network is let in");
    held.truncate(10);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(from("127.0.0.2").await.is_ok(), "a place given back is a place");
    drop(held);
    app.stop().await;
}

/// What one person may write in a day is bounded, whatever is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_cannot_fill_the_disk_with_words() {
    let app = impatient(|config| config.writes_per_day = 40).await;
    let village = Village::found(&app).await;
    let (greedy, other) = (village.villager(&app, "00007").await, village.villager(&app, "00010").await);
    let voice = json!({ "kind": "help", "visibility": "public", "text": "灯坏了", "place": "" });
    let mut taken = 0;
    for _ in 0..60 {
        let again = Somebody::signed_in(&app, greedy.person).await;
        taken += usize::from(again.post("/v1/suggestions", voice.clone()).await.status == 201);
    }
    assert_eq!(taken, 40);
    assert_eq!(greedy.post("/v1/suggestions", voice.clone()).await.refused(), "too_many_requests");
    other.post("/v1/suggestions", voice).await.ok();
    app.stop().await;
}

/// Figures say how busy a county is: not for whoever comes through a proxy, and where operators have an address, for it alone.
#[tokio::test(flavor = "multi_thread")]
async fn figures_are_not_where_people_come() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/metrics").await.status, 200);
    let passed_on = app.http.get(app.url("/metrics")).header("x-forwarded-for", "203.0.113.7");
    assert_eq!(answer(passed_on).await.refused(), "not_found");
    app.stop().await;
    let port = free_port();
    let app = TestApp::start_with(monday(), |config| config.health_listen = format!("127.0.0.1:{port}")).await;
    assert_eq!(app.get("/metrics").await.refused(), "not_found");
    assert_eq!(app.get("/readyz").await.status, 200, "who balances load still asks there");
    let figures = app.http.get(format!("http://127.0.0.1:{port}/metrics")).send().await.unwrap();
    assert!(figures.text().await.unwrap().lines().any(|line| line.starts_with("database_reads_total ")));
    app.stop().await;
}
