//! Every operation of the API over the socket: the same answer and the same refusal as over HTTP.
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Scene, Socket};

const DESCRIPTION: &str = include_str!("../../../api-spec/openapi.json");
/// Written by hand: what is for who is not signed in, and what is no JSON.
const NOT_OVER_SOCKETS: [&str; 35] = [
    "sign_in",
    "ask_code",
    "sign_in_at_desk",
    "refresh",
    "make_socket_ticket",
    "sign_out",
    "sign_out_everywhere",
    "set_desk_password",
    "confirm_desk_password",
    "list_sessions",
    "ask_guest_code",
    "rate_guest_voice",
    "withdraw_guest_voice",
    "read_guest_voice",
    "record_guest_voice",
    "reply_guest_voice",
    "leave_guest_voice",
    "take_down_voice",
    "ask_claim",
    "confirm_claim",
    "import_roster",
    "upload_media",
    "begin_upload",
    "continue_upload",
    "read_media",
    "read_contract_photo",
    "read_mediation_photo",
    "read_proxy_proof",
    "read_tally_sheet",
    "play_clip",
    "export_body_figures",
    "export_chain",
    "export_legal_hours",
    "export_matters",
    "export_suggestions",
];
/// Commands that a socket takes at once.
const BURST: usize = 19;

/// Method, path, name, and the names of what the path holds.
fn operations() -> Vec<(Method, String, String, Vec<String>)> {
    let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
    let mut found = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let blanks =
                path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(str::to_owned);
            let name = operation["operationId"].as_str().unwrap().to_owned();
            found.push((method.to_uppercase().parse().unwrap(), path.clone(), name, blanks.collect()));
        }
    }
    found
}

/// What stands for a blank of a path: something well-formed that is not there.
fn nothing(blank: &str, area: &str) -> String {
    match blank {
        "code" => area.to_owned(),
        "seq" => "7".to_owned(),
        _ => Uuid::nil().to_string(),
    }
}

#[tokio::test]
async fn every_operation_has_a_twin_that_refuses_alike() {
    let scene = Scene::set().await;
    let who = &scene.villager;
    let mut socket = scene.listen(who).await;
    let (mut called, mut wrong) = (0, Vec::new());
    for (method, path, name, blanks) in operations() {
        let mut data = json!({});
        let mut address = path;
        for blank in blanks {
            let value = nothing(&blank, &scene.village.area);
            address = address.replace(&format!("{{{blank}}}"), &value);
            data[blank] = json!(value);
        }
        if called % BURST == BURST - 1 {
            socket = scene.listen(who).await;
        }
        called += 1;
        let answer = socket.rpc(&name, data).await;
        if NOT_OVER_SOCKETS.contains(&name.as_str()) {
            if answer["error"]["code"] != 104 {
                wrong.push(format!("{name} is not for sockets: {answer}"));
            }
            continue;
        }
        let twin = who.request(method.clone(), &address);
        let twin = if method == Method::GET { twin } else { twin.json(&json!({})) };
        let twin = crate::support::answer(twin).await;
        let same = match twin.status {
            ..400 => answer["rpc"].is_object() && (method != Method::GET || twin.body == answer["rpc"]["data"]),
            status => {
                answer["error"]["message"] == twin.body["code"] && answer["error"]["code"] == 1000 + u64::from(status)
            }
        };
        if !same {
            wrong.push(format!("{name}: {answer} but {} {}", twin.status, twin.body));
        }
    }
    assert!(called > 120, "{called} operations");
    assert!(wrong.is_empty(), "{} of {called}\n{}", wrong.len(), wrong.join("\n"));
    scene.app.stop().await;
}

#[tokio::test]
async fn a_call_goes_no_further_than_its_operation() {
    let scene = Scene::set().await;
    let mut socket = scene.listen(&scene.villager).await;
    let seq = scene.say("读到这里").await;
    for (bad, message) in [
        (json!({ "stream_id": "../../v1/me", "seq": seq }), "invalid_request"),
        (json!({ "stream_id": "x?y=1", "seq": seq }), "invalid_request"),
        (json!({ "stream_id": scene.stream }), "invalid_fields"),
        (json!({ "stream_id": scene.stream, "seq": seq, "person_id": scene.clerk.person }), "invalid_fields"),
        (json!([scene.stream]), "invalid_request"),
        (json!("x"), "invalid_request"),
    ] {
        let answer = socket.rpc("move_cursor", bad.clone()).await;
        assert_eq!(answer["error"]["message"], message, "{bad}: {answer}");
    }
    assert_eq!(socket.rpc("no_such_thing", json!({})).await["error"]["code"], 104);
    // parameters of the query, and short names
    let all = socket.rpc("entries", json!({ "stream_id": scene.stream, "after": 0, "limit": 1 })).await;
    assert_eq!(all["rpc"]["data"]["entries"].as_array().unwrap().len(), 1, "{all}");
    let muted = socket.rpc("stream.mute", json!({ "stream_id": scene.stream, "mute": "messages" })).await;
    assert_eq!(muted["rpc"]["data"], json!({}));
    let list = socket.rpc("sync", json!({})).await["rpc"]["data"]["streams"].clone();
    let stream = scene.stream.to_string();
    assert!(list.as_array().unwrap().iter().any(|one| one["id"] == stream && one["mute"] == "messages"), "{list}");
    let said = json!({ "stream_id": scene.stream, "client_id": Uuid::now_v7(), "text": "书记说" });
    let mut clerk: Socket = scene.listen(&scene.clerk).await;
    let sent = clerk.rpc("msg.send", said.clone()).await["rpc"]["data"].clone();
    let again = clerk.rpc("send_message", said).await["rpc"]["data"].clone();
    assert_eq!((&sent["seq"], &again["seq"], &again["dup"]), (&json!(seq + 1), &json!(seq + 1), &json!(true)));
    scene.app.stop().await;
}
