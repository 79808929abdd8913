//! A page that stays open on a phone: while the phone sleeps, while the net is away, while the server is started anew. It
//! shows everything afterwards, by itself.
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::{Scene, clients::Client};
use crate::support::{Chaos, Harm, Process, Somebody, cookie_of, free_port, is_chromium};

async fn say(clerk: &Somebody, stream: &str, text: &str) {
    let message = json!({ "client_id": Uuid::now_v7(), "text": text });
    clerk.post(&format!("/v1/streams/{stream}/messages"), message).await.ok();
}

/// Tells the page to do something and waits until it is done.
async fn ask(page: &mut Client, word: &str) {
    page.heard.clear();
    page.tell(word);
    let name = word.split(' ').next().unwrap().to_owned();
    let done = page.until(word, |event| event["event"] == json!(name) || event["event"] == "failed").await;
    assert_ne!(done["event"], "failed", "{done}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_shows_everything_after_sleep_tunnel_and_restart() {
    if !is_chromium("sleep, tunnel and restart") {
        return;
    }
    let scene = Scene::set().await;
    let secret = cookie_of(&scene.app.app, scene.villager.person).await;
    let (stream, clerk) = (scene.stream.to_string(), scene.clerk.clone());
    let folder = scene.app.close().await;
    let (port, log) = (free_port(), folder.path().join("server.log"));
    let server = Process::serve(folder.path(), port, &[], &log).await;
    let (clerk, net) = (clerk.at(server.address), Chaos::before(server.address).await);
    let url = format!("http://{}/streams/{stream}", net.address);
    let Some(mut page) = Client::of_npm(("away.mjs", "playwright-core"), &url, &secret) else { return };
    ask(&mut page, "live").await;
    say(&clerk, &stream, "开着的时候").await;
    ask(&mut page, "shows 开着的时候").await;

    // the page is not looked at: after five seconds it closes its socket, and opens one when it is looked at again
    page.heard.clear();
    page.tell("hide");
    page.until("end of the socket", |event| event["event"] == "socket closed").await;
    say(&clerk, &stream, "切走的时候").await;
    ask(&mut page, "show").await;
    ask(&mut page, "shows 切走的时候").await;

    // the phone sleeps: no timer runs, nothing is heard
    ask(&mut page, "freeze").await;
    say(&clerk, &stream, "睡着的时候").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    ask(&mut page, "thaw").await;
    ask(&mut page, "shows 睡着的时候").await;

    // a tunnel: the net is gone and nobody says so; then it is back
    ask(&mut page, "live").await;
    net.set(Harm::Silence);
    ask(&mut page, "offline").await;
    say(&clerk, &stream, "隧道里的时候").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    net.set(Harm::Cut);
    net.set(Harm::None);
    ask(&mut page, "online").await;
    ask(&mut page, "shows 隧道里的时候").await;

    // the server goes and another comes
    ask(&mut page, "live").await;
    assert!(server.terminate().success());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let server = Process::serve(folder.path(), port, &[], &log).await;
    say(&clerk, &stream, "重启以后").await;
    ask(&mut page, "shows 重启以后").await;
    ask(&mut page, "live").await;
    assert!(page.heard.iter().all(|event| event["event"] != "fault"), "{:?}", page.heard);
    page.tell("end");
    assert!(server.terminate().success());
}
