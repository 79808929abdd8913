//! Time tells nothing: a known and an unknown number take equally long, asked for a code and tried with one.
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{TestApp, answer, import, is_full_run, monday};

/// Two people told apart by z beyond this are told apart; by chance it happens once in 15,000 times.
const CLEARLY: f64 = 4.0;
/// A difference of medians that many thousand guesses over a network could use.
const USABLE: Duration = Duration::from_micros(400);

/// A village whose every number is known, and as many numbers that nobody has.
fn roster(people: usize) -> String {
    let head = include_str!("../../data/roster_small.csv").lines().next().unwrap();
    let mut text = format!("{head}\n");
    let columns: Vec<&str> = head.split(',').collect();
    for n in 1..=people {
        let cell = |column: &str| match column {
            "person_no" => format!("{n:05}"),
            "household_no" => format!("H{n:05}"),
            "village_code" => "330521103202".to_owned(),
            "group" => "1".to_owned(),
            "name" => "费海荣".to_owned(),
            "sex" => "男".to_owned(),
            "birth" => "1970-12-16".to_owned(),
            "phone" => known(n),
            "relation" => "户主".to_owned(),
            "registered" | "resident_here" => "1".to_owned(),
            _ => String::new(),
        };
        text += &(columns.iter().map(|column| cell(column)).collect::<Vec<_>>().join(",") + "\n");
    }
    text
}

fn known(n: usize) -> String {
    format!("195{n:08}")
}

fn unknown(n: usize) -> String {
    format!("196{n:08}")
}

/// Mann and Whitney: how far, in standard deviations, the ranks of one lie from those of the other.
fn z(one: &[Duration], other: &[Duration]) -> f64 {
    let mut all: Vec<(Duration, bool)> =
        one.iter().map(|time| (*time, true)).chain(other.iter().map(|time| (*time, false))).collect();
    all.sort_unstable();
    let ranks: f64 = all.iter().enumerate().filter(|(_, (_, is_one))| *is_one).map(|(rank, _)| rank as f64 + 1.0).sum();
    let (n, m) = (one.len() as f64, other.len() as f64);
    let u = ranks - n * (n + 1.0) / 2.0;
    (u - n * m / 2.0) / (n * m * (n + m + 1.0) / 12.0).sqrt()
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

/// Fails only when both say so: ranks that chance does not give, and a difference that is of use.
fn is_told_apart(what: &str, known: &[Duration], unknown: &[Duration]) -> bool {
    let (of_known, of_unknown) = (median(known), median(unknown));
    let (difference, z) = (of_known.abs_diff(of_unknown), z(known, unknown));
    println!(
        "{what}: medians {of_known:?} and {of_unknown:?}, {difference:?} apart, z = {z:.2}, {} of each",
        known.len()
    );
    z.abs() > CLEARLY && difference > USABLE
}

async fn post(app: &TestApp, path: &str, body: Value, expected: u16) -> (Duration, Value) {
    let began = Instant::now();
    let answer = answer(app.http.post(app.url(path)).json(&body)).await;
    let took = began.elapsed();
    assert_eq!(answer.status, expected, "{}", answer.body);
    (took, answer.body)
}

async fn round(samples: usize) -> Vec<String> {
    let app = TestApp::start_with(monday(), |config| {
        config.codes_per_address_and_day = 1_000_000;
        config.codes_per_day = 1_000_000;
    })
    .await;
    import(&app.app, roster(samples)).await;
    app.settle().await;
    let mut times = vec![[Vec::new(), Vec::new()]; 3];
    for n in 1..=samples {
        // who comes first changes, so that neither is always the warm one
        let sides = if n % 2 == 0 { [0, 1] } else { [1, 0] };
        let mut names = [Value::Null, Value::Null];
        for side in sides {
            let phone = if side == 0 { known(n) } else { unknown(n) };
            let (took, body) = post(&app, "/v1/login/codes", json!({ "phone": phone }), 202).await;
            times[0][side].push(took);
            names[side] = body["login_id"].clone();
            // what follows the answer must not disturb the next
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
        for side in sides {
            let phone = if side == 0 { known(n) } else { unknown(n) };
            let told = |login_id: &Value| json!({ "login_id": login_id, "phone": phone, "code": "000000" });
            // one in a million is the right one
            times[1][side].push(post(&app, "/v1/login", told(&names[side]), 401).await.0);
            times[2][side].push(post(&app, "/v1/login", told(&json!(Uuid::new_v4())), 401).await.0);
        }
    }
    app.clock.advance(TimeDelta::minutes(1));
    app.stop().await;
    let what = ["asked for a code", "tried with its name", "tried with an invented name"];
    what.into_iter()
        .zip(&times)
        .filter(|(what, [known, unknown])| is_told_apart(what, known, unknown))
        .map(|(what, _)| what.to_owned())
        .collect()
}

/// Another test on the machine may disturb one round, not the same thing three times over.
#[tokio::test(flavor = "multi_thread")]
async fn a_known_number_takes_as_long_as_an_unknown_one() {
    let samples = if is_full_run() { 1000 } else { 200 };
    let mut told_apart = Vec::new();
    for _ in 0..3 {
        told_apart = round(samples).await;
        if told_apart.is_empty() {
            return;
        }
    }
    panic!("told apart by time, three times over: {told_apart:?}");
}

/// The judge itself: what differs is told apart, what does not is not.
#[test]
fn a_difference_is_seen_and_none_is_not() {
    let times = |from: u64| (0..200).map(move |n| Duration::from_micros(from + (n * 7919) % 1000)).collect::<Vec<_>>();
    assert!(is_told_apart("1.5 ms more", &times(3000), &times(4500)));
    assert!(!is_told_apart("the same", &times(3000), &times(3001)));
    assert!(z(&times(3000), &times(3400)) < -CLEARLY);
}
