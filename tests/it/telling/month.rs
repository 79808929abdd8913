//! A month as it is really sent: nobody is disturbed more than three times in any seven days, whatever fails meanwhile.
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use fake_providers::{Fake, Fault};

use super::*;
use crate::support::is_full_run;

/// The whole month takes minutes: it is lived through in the full run; otherwise a week, and the days on which the first are told
/// of news again.
fn days() -> usize {
    if is_full_run() { 28 } else { 11 }
}

/// One alone, one who waits for the evening, and two who have one number.
const PHONES: [&str; 3] = ["19500000007", "19500000008", "19500000052"];

/// What a number was told of, and when first; what a provider took twice disturbs once.
#[derive(Default)]
struct Heard {
    known: BTreeSet<String>,
    news: Vec<DateTime<Utc>>,
    acts: usize,
}

impl Heard {
    fn look(&mut self, fake: &Fake, phone: &str, now: DateTime<Utc>) {
        for (id, blanks) in told_to(fake, phone) {
            if !self.known.insert(id) {
                continue;
            }
            if blanks.contains("停水") {
                self.acts += 1;
            } else {
                self.news.push(now);
            }
        }
    }
}

/// Some days a try is refused for an hour, is broken off when it was done, or comes to nothing.
fn harm(fake: &Fake, day: usize) {
    let fault = match day % 5 {
        1 => Fault::Sms("isv.BUSINESS_LIMIT_CONTROL".to_owned()),
        2 => Fault::DupAccept,
        3 => Fault::Http500,
        _ => return,
    };
    fake.world.fail("/", fault, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_of_what_was_really_sent_disturbs_nobody_more_than_three_times_in_any_seven_days() {
    let fake = Fake::start().await.unwrap();
    let scene = Scene::set_with(0, |config| by_fake(config, &fake)).await;
    for number in ["00007", "00008", "00053", "00054"] {
        let who = scene.village.villager(&scene.app, number).await;
        agrees(&who).await;
        if number == "00008" {
            let topics = json!([{ "topic": "notices", "mode": "digest" }]);
            let chosen = json!({ "by_wechat": true, "by_sms": true, "topics": topics });
            let answer = who.request(reqwest::Method::PUT, "/v1/me/telling").json(&chosen).send().await.unwrap();
            assert_eq!(answer.status(), 200);
        }
    }
    let mut heard = PHONES.map(|_| Heard::default());
    let mut acts = 0;
    for day in 0..days() {
        for number in 0..=day % 2 {
            scene.publish(&format!("第{day}天第{number}件"), false).await;
        }
        if day % 10 == 4 {
            scene.publish(&format!("停水{day}"), true).await;
            acts += 1;
        }
        harm(&fake, day);
        for hours in [8, 2, 14] {
            scene.pass(TimeDelta::hours(hours)).await;
            for (phone, heard) in PHONES.iter().zip(&mut heard) {
                heard.look(&fake, phone, scene.app.app.now());
            }
        }
    }
    for (phone, heard) in PHONES.iter().zip(&heard) {
        for window in heard.news.windows(4) {
            assert!(window[3] - window[0] >= TimeDelta::days(7), "too often: {phone}, {window:?}");
        }
        assert!(heard.news.len() >= (days() + 3) / 7 * 3 - 3, "told of news: {phone}, {:?}", heard.news);
        assert_eq!(heard.acts, acts, "what must be read is not held back: {phone}");
    }
    scene.app.stop().await;
}
