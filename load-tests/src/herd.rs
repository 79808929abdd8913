//! Everybody comes back at once after a restart, as phones do, from many networks: time until all stand where the server
//! stands, its memory, its statements.
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Error, Message, protocol::WebSocketConfig},
};
use uuid::Uuid;

use crate::{
    Outcome, catch_up,
    figures::{Spread, in_millis},
    limits,
    line::Line,
    means::{Ground, statements},
    process::{self, Server},
};

/// Log-ins; each holds several sockets when there are more of those.
pub(crate) const LOG_INS: usize = 2000;
/// Messages that everybody missed.
const MISSED: i64 = 5;
/// Handshakes at the same time while nobody is in a hurry.
const AT_ONCE: usize = 64;
/// Nobody waits longer.
const WITHIN: Duration = Duration::from_secs(120);
/// Networks that they come from: one alone never gets more than a share of the places of those who wait to be let in.
const NETWORKS: u8 = 200;

type Socket = WebSocketStream<TcpStream>;

/// A phone that was connected and knows where it was.
#[derive(Clone)]
struct Phone {
    token: Arc<str>,
    network: Ipv4Addr,
    /// `connect.subs`.
    places: Value,
}

/// Is everybody back, with everything?
pub(crate) async fn run(ground: &Ground, count: usize) -> Outcome<bool> {
    process::enough_descriptors(count)?;
    println!("herd of {count}: {}; load average {}", ground.title(), process::load_average());
    let server = ground.serve().await?;
    let channel = channel(ground, &server).await?;
    let tokens: Vec<Arc<str>> = ground.people.iter().map(|one| one.token.as_str().into()).collect();
    let networks = (1..=NETWORKS).map(|last| Ipv4Addr::new(127, 0, 1, last)).cycle();
    let new = tokens.iter().cycle().zip(networks).take(count);
    let new = new.map(|(token, network)| Phone { token: Arc::clone(token), network, places: json!({}) });
    let address = server.address;
    let first: Vec<_> = stream::iter(new)
        .map(|phone| async move { hello(address, &phone).await })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let first: Vec<(Phone, Socket, Value)> = first.into_iter().collect::<Result<_, _>>().map_err(|(_, error)| error)?;
    println!("all connected, {:.0} MiB", process::resident(server.pid)? / 1024.0);
    let phones: Vec<Phone> = first.into_iter().map(|(phone, _, _)| phone).collect();
    server.stop().await?;

    let server = ground.serve().await?;
    say(ground, &server, channel).await?;
    let (before, asked) = (process::resident(server.pid)?, statements(&server).await?);
    let cpu = process::cpu(server.pid)?;
    let is_back = come_back(&server, (phones, channel)).await?;
    let asked = statements(&server).await? - asked;
    let cpu = process::cpu(server.pid)?.saturating_sub(cpu).as_secs_f64() * 1e6 / count as f64;
    println!("  {:.1} statements and {cpu:.0} µs of the server's CPU for each", asked / count as f64);
    println!("  memory: {:.0} MiB before, {:.0} MiB at the peak", before / 1024.0, process::peak(server.pid)? / 1024.0);
    server.stop().await?;
    let limit = limits::handshakes::at_once(count).await?;
    println!("  limit: as many bare handshakes at once take {limit:.0} ms");
    Ok(is_back)
}

/// The village's channel.
async fn channel(ground: &Ground, server: &Server) -> Outcome<Uuid> {
    let mut line = Line::open(server.address).await?;
    let (list, _) = catch_up::list(&mut line, &ground.chair.token).await?;
    let mut own = list.iter().filter(|one| one["kind"] == "channel" && one["subject_id"] == liusheng::demo::VILLAGE);
    let id = own.next().and_then(|one| one["id"].as_str());
    Ok(id.ok_or("the chair's list has no channel")?.parse()?)
}

/// What everybody missed.
async fn say(ground: &Ground, server: &Server, channel: Uuid) -> Outcome<()> {
    let mut line = Line::open(server.address).await?;
    for _ in 0..MISSED {
        let message = json!({ "client_id": Uuid::new_v4(), "text": "服务器刚刚重启过，一条也不会少。" });
        let answer = line.post(&format!("/v1/streams/{channel}/messages"), &ground.chair.token, &message).await?;
        if answer.status != 201 {
            return Err(format!("a message was refused: {}", answer.text()).into());
        }
    }
    server.until_quiet().await
}

/// Connects once. What comes back with an error: may it be tried again?
async fn hello(address: SocketAddr, phone: &Phone) -> Result<(Phone, Socket, Value), (bool, crate::Failure)> {
    let mut socket = opened(address, phone.network).await.map_err(|error| {
        let is_busy = matches!(&error, Error::Http(answer) if answer.status() == 503) || matches!(error, Error::Io(_));
        (is_busy, error.into())
    })?;
    let hello = json!({ "id": 1, "connect": { "token": &*phone.token, "name": "load", "data": { "v": 1 }, "subs": phone.places } });
    let answered = async {
        socket.send(Message::text(hello.to_string())).await?;
        loop {
            let frame = socket.next().await.ok_or("hung up")??;
            for line in frame.to_text()?.lines() {
                let said: Value = serde_json::from_str(line)?;
                // a push may come before it
                if said["id"] == 1 {
                    return Outcome::Ok(said);
                }
            }
        }
    };
    let answer = answered.await.map_err(|error| (true, error))?;
    let Some(subs) = answer["connect"]["subs"].as_object() else {
        return Err((false, format!("not connected: {answer}").into()));
    };
    let places = subs.iter().map(|(channel, sub)| {
        (channel.clone(), json!({ "recover": true, "epoch": sub["epoch"], "offset": sub["offset"] }))
    });
    let phone = Phone { places: places.collect(), ..phone.clone() };
    Ok((phone, socket, answer))
}

/// A socket from a phone in this network.
async fn opened(address: SocketAddr, network: Ipv4Addr) -> Result<Socket, Error> {
    let line = TcpSocket::new_v4()?;
    line.bind((network, 0).into())?;
    let line = line.connect(address).await?;
    line.set_nodelay(true)?;
    let small = WebSocketConfig::default().read_buffer_size(4096);
    let url = format!("ws://{address}/connection/websocket");
    Ok(client_async_with_config(url, line, Some(small)).await?.0)
}

/// All at the same moment; whoever is sent away comes again after a while of its own, as the SDKs do.
async fn come_back(server: &Server, (phones, channel): (Vec<Phone>, Uuid)) -> Outcome<bool> {
    let (count, address, channel) = (phones.len(), server.address, format!("s:{channel}"));
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for phone in phones {
        let channel = channel.clone();
        tasks.spawn(async move {
            let mut tries = 0;
            loop {
                match hello(address, &phone).await {
                    Ok((_, socket, answer)) => {
                        let sub = &answer["connect"]["subs"][&channel];
                        let came = sub["publications"].as_array().map_or(0, Vec::len);
                        let is_whole = sub["recovered"] == true && i64::try_from(came) == Ok(MISSED);
                        return Outcome::Ok((began.elapsed(), tries, is_whole, socket));
                    }
                    Err((true, _)) if began.elapsed() < WITHIN => {
                        tries += 1;
                        tokio::time::sleep(after(tries)).await;
                    }
                    Err((_, error)) => return Err(error),
                }
            }
        });
    }
    let (mut took, mut tries, mut whole, mut sockets) = (Spread::default(), 0, 0, Vec::with_capacity(count));
    while let Some(done) = tasks.join_next().await {
        let (time, again, is_whole, socket) = done??;
        took.add(in_millis(time));
        tries += again;
        whole += usize::from(is_whole);
        sockets.push(socket);
    }
    println!(
        "  all {count} in sync after {:.0} ms (half of them after {:.0} ms), {whole} with all {MISSED} that were missed; {tries} sent away for a moment",
        took.percentile(100),
        took.percentile(50),
    );
    println!("  memory with all connected: {:.0} MiB", process::resident(server.pid)? / 1024.0);
    drop(sockets);
    Ok(whole == count)
}

/// Full jitter between nothing and half a second, doubled each time, 20 s at most.
fn after(tries: u32) -> Duration {
    let most = (500_u64 << tries.min(6)).min(20_000);
    Duration::from_millis(Uuid::new_v4().as_u64_pair().1 % most)
}
