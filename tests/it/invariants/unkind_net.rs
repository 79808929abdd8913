//! I4 and I12 through real sockets: people speak and take back while the net between them and one or two servers is unkind.
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::phone::{Phone, asked};
use crate::{
    simulation::{
        device::{Device, Rules},
        fetch,
    },
    support::{Chaos, Harm, Somebody, TestApp, Village, is_full_run, is_postgres, redis_url},
};

const HARMS: [Harm; 5] = [Harm::Cut, Harm::Silence, Harm::Delay, Harm::Reset, Harm::HalfClose];

/// Somebody who says one thing after the other, each until it is acknowledged, and takes some of it back.
async fn speak(who: Somebody, stream: String, over: CancellationToken) -> (Vec<String>, BTreeSet<String>, usize) {
    let (mut said, mut recalled, mut again) = (Vec::new(), BTreeSet::new(), 0);
    while !over.is_cancelled() {
        let text = format!("{}说{}。", who.person, said.len());
        let message = json!({ "client_id": Uuid::now_v7(), "text": text });
        let path = format!("/v1/streams/{stream}/messages");
        let sent = loop {
            match asked(who.request(Method::POST, &path).json(&message)).await {
                Some(sent) => break sent,
                None => again += 1,
            }
        };
        if said.len() % 5 == 0 {
            let path = format!("{path}/{}/recall", sent["seq"]);
            while asked(who.request(Method::POST, &path).json(&json!({}))).await.is_none() {
                again += 1;
            }
            recalled.insert(text.clone());
        }
        said.push(text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (said, recalled, again)
}

/// Four people on these servers, each behind a net of its own, for a while; then every phone holds what the servers hold.
async fn conversation(nodes: &[&TestApp], village: &Village, time: Duration) {
    let mut people = Vec::new();
    for number in ["00006", "00007", "00008", "00009"] {
        people.push(village.villager(nodes[0], number).await);
    }
    let group: Vec<_> = people.iter().map(|who| who.person).collect();
    let group = json!({ "body_id": village.committee, "title": "修桥小组", "people": group });
    let stream = village.chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
    let nets = join_all(nodes.iter().map(|node| Chaos::before(node.address))).await;
    let (silent, over) = (CancellationToken::new(), CancellationToken::new());
    let through = |number: usize| people[number].through(nets[number % nets.len()].address);
    let phones: Vec<_> =
        (0..4).map(|number| tokio::spawn(Phone::new(vec![through(number)], &stream).live(over.clone()))).collect();
    let speakers: Vec<_> =
        (0..3).map(|number| tokio::spawn(speak(through(number), stream.clone(), silent.clone()))).collect();
    let began = Instant::now();
    for (number, harm) in HARMS.iter().cycle().enumerate() {
        if began.elapsed() > time {
            break;
        }
        let net = &nets[number % nets.len()];
        net.set(*harm);
        let lasting = if [Harm::Silence, Harm::Delay].contains(harm) { 1500 } else { 60 };
        tokio::time::sleep(Duration::from_millis(lasting)).await;
        net.set(Harm::None);
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    silent.cancel();
    let said: Vec<_> = join_all(speakers).await.into_iter().map(Result::unwrap).collect();
    over.cancel();
    let phones: Vec<Phone> = join_all(phones).await.into_iter().map(Result::unwrap).collect();
    judge(&people[0], &stream, &phones, &said).await;
}

async fn judge(who: &Somebody, stream: &str, phones: &[Phone], said: &[(Vec<String>, BTreeSet<String>, usize)]) {
    let mut fresh = Device::default();
    fetch(&mut fresh, Rules::ALL, who, stream).await;
    for phone in phones {
        assert_eq!(phone.device.entries, fresh.entries);
        assert_eq!(phone.device.epoch, fresh.epoch);
    }
    let texts: Vec<&str> = fresh.entries.values().filter_map(|entry| entry["body"]["text"].as_str()).collect();
    let all: String = fresh.entries.values().map(Value::to_string).collect();
    let (mut count, mut again) = (0, 0);
    for (said, recalled, times) in said {
        for text in said {
            let kept = texts.iter().filter(|kept| *kept == text).count();
            assert_eq!(kept, usize::from(!recalled.contains(text)), "{text} is there {kept} times");
        }
        assert!(recalled.iter().all(|text| !all.contains(text)));
        count += said.len();
        again += times;
    }
    let sum = |of: fn(&Phone) -> usize| phones.iter().map(of).sum::<usize>();
    let (connected, silences, fetched) =
        (sum(|phone| phone.connected), sum(|phone| phone.silences), sum(|phone| phone.fetched));
    println!(
        "{count} messages, {again} sent again, {connected} connections, {silences} fell silent, {fetched} fetches"
    );
    assert!(count > 20 && again > 0 && connected > 3 * phones.len() && silences > 0);
}

fn time() -> Duration {
    Duration::from_secs(if is_full_run() { 60 } else { 7 })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i4_phones_behind_an_unkind_net_end_with_what_the_server_holds() {
    let (app, village) = Village::start().await;
    conversation(&[&app], &village, time()).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i12_two_servers_behave_as_one() {
    if !is_postgres("i12: two servers") || redis_url("i12: two servers").is_none() {
        return;
    }
    let (app, village) = Village::start().await;
    let beside = app.start_beside().await;
    conversation(&[&app, &beside], &village, time()).await;
    beside.stop().await;
    app.stop().await;
}
