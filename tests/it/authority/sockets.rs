//! The same streams over sockets: subscriptions, sending, reading.
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    matrix::{self, At, Out, ROLES, Row},
    world::World,
};
use crate::support::Socket;

/// Commands that one socket may send at once, with room for `connect`.
const TOGETHER: usize = 15;

/// Does each cell, and says how many there were and what went otherwise.
pub(super) async fn walk(world: &mut World) -> (usize, Vec<String>) {
    let (mut count, mut wrong) = (0, Vec::new());
    let rows = matrix::sockets();
    for role in ROLES {
        let cells: Vec<(&Row, At, Out)> = rows
            .iter()
            .flat_map(|row| {
                row.cells().into_iter().filter(|cell| cell.0 == role).map(move |(_, at, out)| (row, at, out))
            })
            .collect();
        if role == "visitor" {
            assert!(cells.iter().all(|(_, _, out)| *out == Out::Login));
            let stranger = Socket::connect(&world.app, "", json!({})).await;
            assert_eq!(stranger.refused["code"], 101, "who does not say who it is gets no socket");
            count += cells.len();
            continue;
        }
        for some in cells.chunks(TOGETHER / 2) {
            let mut streams = Vec::new();
            for (row, at, _) in some {
                let stream = match row.has_object() {
                    true => world.object(&row.object, *at, role).await,
                    false => String::new(),
                };
                streams.push(stream);
            }
            let mut socket = Socket::connect(&world.app, &world.who[role].token(), json!({})).await;
            assert!(socket.connected.is_object(), "{role}: {}", socket.refused);
            for ((row, at, expected), stream) in some.iter().zip(streams) {
                count += 1;
                let answer = ask(&mut socket, row, &stream).await;
                let said =
                    format!("{} {} {at:?} by {role}: {expected:?} expected, {answer}", row.operation, row.object);
                if outcome(&answer) != Some(*expected) {
                    wrong.push(said);
                } else if *expected == Out::Hidden {
                    let nothing = ask(&mut socket, row, &Uuid::now_v7().to_string()).await;
                    if nothing["error"] != answer["error"] {
                        wrong.push(format!("{said}: told apart from nothing: {nothing}"));
                    }
                }
            }
        }
    }
    (count, wrong)
}

async fn ask(socket: &mut Socket, row: &Row, stream: &str) -> Value {
    match row.operation.as_str() {
        "subscribe" => {
            let channel = format!("s:{stream}");
            match socket.connected["subs"].get(&channel) {
                Some(sub) => json!({ "subscribe": sub }),
                None => socket.subscribe(&channel, json!({})).await,
            }
        }
        "msg.send" => {
            let message = json!({ "stream_id": stream, "client_id": Uuid::now_v7(), "text": "各位好" });
            socket.rpc("msg.send", message).await
        }
        "read" => socket.rpc("read", json!({ "stream_id": stream, "seq": 0 })).await,
        "sync" => socket.rpc("sync", json!({})).await,
        other => panic!("what is {other}?"),
    }
}

fn outcome(answer: &Value) -> Option<Out> {
    match answer["error"]["code"].as_u64() {
        None => (answer["rpc"].is_object() || answer["subscribe"].is_object()).then_some(Out::Done),
        Some(103 | 1404) => Some(Out::Hidden),
        Some(1403) => Some(Out::Denied),
        Some(_) => None,
    }
}
