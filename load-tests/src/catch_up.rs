//! A phone that comes back after a week: how many requests and statements until it stands where the server stands.
use std::time::Instant;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Outcome,
    figures::in_millis,
    line::{Answer, Line},
    means::{Ground, Person, statements},
    process::{self, Server},
};

/// Groups of the phone's owner; with the mailbox and the channel, fifty conversations.
const STREAMS: usize = 48;
/// Requests after which everything must be known.
const REQUESTS: usize = 3;

/// Did three requests do?
pub(crate) async fn run(ground: &Ground, small: bool) -> Outcome<bool> {
    let each = if small { 1 } else { 40 };
    let phone = ground.people.first().cloned().ok_or("nobody with a phone")?;
    println!("catch-up: {}; load average {}", ground.title(), process::load_average());
    let server = ground.serve().await?;
    let streams = conversations(ground, &server, &phone).await?;
    let mut line = Line::open(server.address).await?;
    // as the phone stood before it was put away
    let before = list(&mut line, &phone.token).await?.0;
    let have: serde_json::Map<String, Value> = before
        .iter()
        .filter_map(|one| {
            Some((one["id"].as_str()?.to_owned(), json!({ "epoch": one["epoch"], "seq": one["last_seq"] })))
        })
        .collect();
    let mut said = 0;
    for _ in 0..each {
        for stream in &streams {
            let message = json!({ "client_id": Uuid::new_v4(), "text": "这个星期的事，请大家看一下。" });
            let path = format!("/v1/streams/{stream}/messages");
            let answer = line.post(&path, &ground.chair.token, &message).await?;
            if answer.status != 201 {
                return Err(format!("a message was refused: {}", answer.text()).into());
            }
            said += 1;
        }
    }
    server.until_quiet().await?;
    println!("{} conversations, {said} messages since", have.len());
    let is_enough = back(&server, &phone, have).await?;
    server.stop().await?;
    Ok(is_enough)
}

/// Groups of the chair with the phone's owner.
async fn conversations(ground: &Ground, server: &Server, phone: &Person) -> Outcome<Vec<Uuid>> {
    let mut line = Line::open(server.address).await?;
    let mut streams = Vec::with_capacity(STREAMS);
    for number in 0..STREAMS {
        let group = json!({ "body_id": ground.committee, "title": format!("第{number}组"), "people": [phone.id] });
        let answer = line.post("/v1/groups", &ground.chair.token, &group).await?;
        let id = answer.json()["stream_id"].as_str().and_then(|id| id.parse().ok());
        streams.push(id.ok_or_else(|| format!("no group: {}", answer.text()))?);
    }
    Ok(streams)
}

/// All pages of the home page's list, and how many requests that took.
pub(crate) async fn list(line: &mut Line, token: &str) -> Outcome<(Vec<Value>, usize)> {
    let (mut all, mut cursor, mut requests) = (Vec::new(), None::<String>, 0);
    loop {
        let query = cursor.map(|cursor| format!("?cursor={cursor}")).unwrap_or_default();
        let answer = whole(line.get_as(&format!("/v1/sync{query}"), token).await?)?;
        requests += 1;
        all.extend(answer["streams"].as_array().cloned().unwrap_or_default());
        cursor = answer["cursor"].as_str().filter(|_| answer["more"] == true).map(str::to_owned);
        if cursor.is_none() {
            return Ok((all, requests));
        }
    }
}

fn whole(answer: Answer) -> Outcome<Value> {
    if answer.status == 200 { Ok(answer.json()) } else { Err(format!("refused: {}", answer.text()).into()) }
}

/// Statements of a look at the counter: the least of some, because the server has rounds of its own.
async fn look(server: &Server) -> Outcome<f64> {
    let (mut least, mut before) = (f64::MAX, statements(server).await?);
    for _ in 0..10 {
        let now = statements(server).await?;
        (least, before) = (least.min(now - before), now);
    }
    Ok(least)
}

/// Statements of what is done between two looks, and how long it took.
async fn counted<T>((server, look): (&Server, f64), what: impl Future<Output = Outcome<T>>) -> Outcome<(T, f64, f64)> {
    let before = statements(server).await?;
    let began = Instant::now();
    let done = what.await?;
    let took = in_millis(began.elapsed());
    Ok((done, statements(server).await? - before - look, took))
}

async fn back(server: &Server, phone: &Person, have: serde_json::Map<String, Value>) -> Outcome<bool> {
    let mut line = Line::open(server.address).await?;
    let by = (server, look(server).await?);
    // once before, so that who asks is known; the least of some, because the server has rounds of its own
    let (mut queries, mut millis, mut listed) = (f64::MAX, f64::MAX, (Vec::new(), 0));
    for _ in 0..5 {
        let (found, asked, took) = counted(by, list(&mut line, &phone.token)).await?;
        (queries, millis, listed) = (queries.min(asked), millis.min(took), found);
    }
    let (streams, mut requests) = listed;
    println!(
        "the list: {} conversations, {requests} request(s), {queries:.0} statements, {millis:.1} ms",
        streams.len()
    );

    let known = have.len();
    let ask = json!({ "have": have });
    let (mut queries, mut millis, mut answer) = (f64::MAX, f64::MAX, Value::Null);
    for _ in 0..5 {
        let asking = async { whole(line.post("/v1/sync", &phone.token, &ask).await?) };
        let (found, asked, took) = counted(by, asking).await?;
        (queries, millis, answer) = (queries.min(asked), millis.min(took), found);
    }
    requests += 1;
    let bytes = answer.to_string().len();
    let missed: Vec<&Value> = answer["streams"].as_object().into_iter().flat_map(serde_json::Map::values).collect();
    let entries: usize = missed.iter().filter_map(|one| Some(one["entries"].as_array()?.len())).sum();
    let limited = missed.iter().filter(|one| one["limited"] == true).count();
    println!(
        "what was missed: {} of {known} conversations, {entries} entries, {limited} with more to be read when opened; 1 request, \
         {queries:.0} statements, {millis:.1} ms, {bytes} bytes",
        missed.len()
    );
    // the last request is what a person sees first: the conversation that is opened
    let newest = streams.first().and_then(|one| one["id"].as_str()).ok_or("an empty list")?;
    let path = format!("/v1/streams/{newest}/entries?limit=50");
    let asking = async { whole(line.get_as(&path, &phone.token).await?) };
    let (opened, queries, millis) = counted(by, asking).await?;
    requests += 1;
    let shown = opened["entries"].as_array().map_or(0, Vec::len);
    println!("the newest opened: {shown} entries, {queries:.0} statements, {millis:.1} ms");
    let is_known = missed.len() == known && streams.len() >= known;
    println!(
        "{requests} requests (limit {REQUESTS}); {}",
        if is_known { "every conversation known" } else { "SOMETHING IS MISSING" }
    );
    Ok(is_known && requests <= REQUESTS)
}
