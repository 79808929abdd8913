//! A page that stays open on a phone: while the phone sleeps, while the net is away, while the server is started anew. It
//! shows everything afterwards, by itself.
use std::{path::Path, process::Command, time::Duration};

use serde_json::{Value, json};
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

/// What a phone has need not be sent by SMS: of many conversations each is named within the quarter of a minute after which
/// somebody would be, and one in which something is said each second keeps none of them back, itself neither.
#[test]
fn a_page_says_of_each_conversation_what_is_here_however_lively_one_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let Ok(output) = Command::new("node").arg("received.mjs").current_dir(folder).output() else {
        eprintln!("skipped, because there is no node: what a page says that is here");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect();
    assert!(said.iter().all(|one| one["method"] == "received"));
    let of = |id: &str| -> Vec<(i64, i64)> {
        let own = said.iter().filter(|one| one["data"]["stream_id"] == id);
        own.map(|one| (one["at"].as_i64().unwrap(), one["data"]["seq"].as_i64().unwrap())).collect()
    };
    for quiet in 0..20 {
        let told = of(&quiet.to_string());
        assert!(told.len() == 1 && told[0].0 < 15_000 && told[0].1 == 7, "{quiet}: {told:?}");
    }
    let lively = of("lively");
    assert!(lively.len() > 2 && lively.is_sorted_by(|one, next| one.1 < next.1), "{lively:?}");
    assert!(lively.windows(2).all(|two| two[1].0 - two[0].0 >= 5000), "{lively:?}");
    // ten a second are answered, and twenty at once
    let at_once = |at: &Value| said.iter().filter(|one| one["at"] == *at).count();
    assert!(said.iter().all(|one| at_once(&one["at"]) <= 8), "{said:?}");
}
