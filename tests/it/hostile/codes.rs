//! One-time codes against guessers, spenders and spoofers, and against those who would lock somebody else out.
use chrono::TimeDelta;
use liusheng::{config::Config, people::rules};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, TestApp, answer, code_of, import, monday};

const ROSTER: &str = include_str!("../../data/roster_small.csv");
const PHONE: &str = "19500000007";
const OTHER: &str = "19500000008";
const NOBODY: &str = "19999999999";

/// The door of a server whose proxy, at the loopback, says who comes.
struct Door(TestApp);

impl Door {
    async fn behind_a_proxy(change: impl FnOnce(&mut Config)) -> Self {
        Self::with(|config| {
            config.trusted_proxies = "127.0.0.0/8".to_owned().try_into().unwrap();
            change(config);
        })
        .await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let app = TestApp::start_with(monday(), change).await;
        import(&app.app, ROSTER).await;
        Self(app)
    }

    /// Asks for a code with these lines of `X-Forwarded-For`.
    async fn ask(&self, phone: &str, forwarded: &[&str]) -> Answer {
        let request = self.0.http.post(self.0.url("/v1/login/codes")).json(&json!({ "phone": phone }));
        answer(forwarded.iter().fold(request, |request, line| request.header("x-forwarded-for", *line))).await
    }

    async fn enter(&self, login_id: &Value, phone: &str, code: &str) -> Answer {
        let told = json!({ "login_id": login_id, "phone": phone, "code": code });
        answer(self.0.http.post(self.0.url("/v1/login")).json(&told)).await
    }

    fn minutes(&self, minutes: i64) {
        self.0.clock.advance(TimeDelta::minutes(minutes));
    }

    async fn number(&self, select: &str) -> i64 {
        let read = self.0.app.store.read();
        let row = read.query_one_raw(Statement::from_string(read.get_database_backend(), select)).await;
        row.unwrap().unwrap().try_get_by_index(0).unwrap()
    }
}

fn wrong(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

/// Five wrong tries burnt the newest code of a number, whoever made them: with that, one who knew a number kept its
/// owner out for ever.
#[tokio::test(flavor = "multi_thread")]
async fn an_outsider_cannot_burn_the_owner_s_code() {
    let door = Door::with(|_| {}).await;
    let own = door.ask(PHONE, &[]).await.ok()["login_id"].clone();
    let code = code_of(&door.0, PHONE).await;
    // by invented names, by the code of another number, and by one the outsider asked for
    for _ in 0..20 {
        assert_eq!(door.enter(&json!(Uuid::new_v4()), PHONE, &wrong(&code)).await.refused(), "code_wrong");
    }
    let of_other = door.ask(OTHER, &[]).await.ok()["login_id"].clone();
    for _ in 0..6 {
        assert_eq!(door.enter(&of_other, PHONE, &code).await.refused(), "code_wrong", "bound to its number");
    }
    assert_eq!(door.enter(&own, OTHER, &code).await.refused(), "code_wrong");
    door.minutes(2);
    let outsider = door.ask(PHONE, &[]).await.ok()["login_id"].clone();
    for _ in 0..6 {
        assert_eq!(door.enter(&outsider, PHONE, "000000").await.refused(), "code_wrong");
    }
    assert_eq!(door.enter(&outsider, PHONE, &code).await.refused(), "code_wrong", "an older code under a newer name");
    door.enter(&own, PHONE, &code).await.ok();
    assert_eq!(door.enter(&own, PHONE, &code).await.refused(), "code_wrong", "once");
    for rubbish in [json!(null), json!(""), json!("x"), json!(7), json!([own]), json!("' OR 1=1 --")] {
        assert_eq!(door.enter(&rubbish, PHONE, &code).await.status, 422, "{rubbish}");
    }
    door.0.stop().await;
}

/// However many come at once, five are compared.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tries_at_once_are_five_at_most() {
    let door = Door::with(|_| {}).await;
    let login_id = door.ask(PHONE, &[]).await.ok()["login_id"].clone();
    let code = code_of(&door.0, PHONE).await;
    let guess = wrong(&code);
    let tries = (0..60).map(|_| door.enter(&login_id, PHONE, &guess));
    for answer in futures_util::future::join_all(tries).await {
        assert_eq!(answer.refused(), "code_wrong");
    }
    assert_eq!(door.number("SELECT CAST(max(tries) AS BIGINT) FROM login_codes").await, 5);
    assert_eq!(door.enter(&login_id, PHONE, &code).await.refused(), "code_wrong", "burnt");
    door.0.stop().await;
}

/// One network leaves something of a number's share to others: the owner at home still gets a code.
#[tokio::test(flavor = "multi_thread")]
async fn one_network_cannot_use_up_another_s_number() {
    let door = Door::behind_a_proxy(|_| {}).await;
    for _ in 0..4 {
        door.ask(PHONE, &["203.0.113.9"]).await.ok();
        door.minutes(2);
    }
    assert_eq!(door.ask(PHONE, &["203.0.113.9"]).await.refused(), "code_too_many");
    door.ask(PHONE, &["198.51.100.7"]).await.ok();
    door.minutes(2);
    assert_eq!(door.ask(PHONE, &["198.51.100.7"]).await.refused(), "code_too_many", "five an hour over all");
    door.0.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_is_not_who_it_says_in_a_header() {
    let phones = || (0..).map(|n| format!("199{n:08}"));
    // straight: the header is nothing
    let door = Door::with(|config| config.codes_per_address_and_day = 3).await;
    for (n, phone) in (0..3).zip(phones()) {
        door.ask(&phone, &[&format!("10.0.0.{n}")]).await.ok();
    }
    for (header, phone) in
        ["10.9.9.9", "127.0.0.1", "::1", "", "unknown", "10.0.0.1, 10.0.0.2"].iter().zip(phones().skip(10))
    {
        assert_eq!(door.ask(&phone, &[header]).await.refused(), "code_too_many", "{header}");
    }
    door.0.stop().await;
    // behind our proxy: its own word, the last of the last line, and nothing before it
    let door = Door::behind_a_proxy(|config| config.codes_per_address_and_day = 3).await;
    for (_, phone) in (0..3).zip(phones()) {
        door.ask(&phone, &["203.0.113.9"]).await.ok();
    }
    let spoofs: &[&[&str]] = &[
        &["203.0.113.9"],
        &["1.2.3.4, 203.0.113.9"],
        &["1.2.3.4", "203.0.113.9"],
        &["203.0.113.9:4711"],
        &["1.2.3.4, 203.0.113.9:4711"],
        &["1.2.3.4, 203.0.113.9, 127.0.0.1"],
        &["::ffff:203.0.113.9"],
        &["1.2.3.4,\t203.0.113.9 "],
    ];
    for (lines, phone) in spoofs.iter().zip(phones().skip(10)) {
        assert_eq!(door.ask(&phone, lines).await.refused(), "code_too_many", "{lines:?}");
    }
    // a word that no proxy of ours writes ends the chain: what stands before it is not believed
    for phone in phones().skip(20).take(3) {
        door.ask(&phone, &["1.2.3.4, rubbish"]).await.ok();
    }
    let other = phones().nth(30).unwrap();
    assert_eq!(door.ask(&other, &["5.6.7.8, more rubbish"]).await.refused(), "code_too_many");
    println!("{} spoofed headers did not help", spoofs.len() + 7);
    door.0.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_one_number_however_it_is_written() {
    let door = Door::with(|config| config.codes_per_address_and_day = 1000).await;
    let full: String = PHONE.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect();
    let forms = [
        format!("+86{PHONE}"),
        format!("+86 {PHONE}"),
        format!("0086{PHONE}"),
        format!("0086-{PHONE}"),
        format!("＋８６{full}"),
        full.clone(),
        "195 0000 0007".to_owned(),
        "195-0000-0007".to_owned(),
        "195\u{2011}0000\u{2013}0007".to_owned(),
        "\u{202d}19500000007\u{202c}".to_owned(),
        "1\u{200b}9500000007".to_owned(),
        "\u{feff}19500000007".to_owned(),
        "195\u{3000}0000\u{3000}0007".to_owned(),
        "  19500000007\t".to_owned(),
    ];
    door.ask(PHONE, &[]).await.ok();
    for form in &forms {
        assert_eq!(rules::phone(form).as_deref(), Some(PHONE), "{form:?}");
        assert_eq!(door.ask(form, &[]).await.refused(), "code_too_soon", "{form:?}");
    }
    // other digits, letters that look like digits, more than a number: none at all
    for none in [
        "١٩٥٠٠٠٠٠٠٠٧",
        "l9500000007",
        "1950000000O",
        "+8619500000007x",
        "19500000007,19500000008",
        "19500000007\u{0}",
        "+86+8619500000007",
        "",
        "https://x",
        "１９５００００００⑦",
    ] {
        assert!([400, 422].contains(&door.ask(none, &[]).await.status), "{none:?}");
    }
    assert_eq!(door.number("SELECT count(*) FROM login_codes").await, 1);
    println!("{} ways to write one number share its count", forms.len());
    door.0.stop().await;
}

/// What an attack by SMS costs is bounded, and its end does not say which numbers are known.
#[tokio::test(flavor = "multi_thread")]
async fn the_county_s_budget_ends_it_for_all_alike() {
    let door = Door::with(|config| config.codes_per_day = 2).await;
    // unknown numbers cost nothing
    for n in 0..5 {
        door.ask(&format!("1998888000{n}"), &[]).await.ok();
    }
    for phone in [PHONE, OTHER] {
        door.ask(phone, &[]).await.ok();
        code_of(&door.0, phone).await;
    }
    let known = door.ask("19500000010", &[]).await;
    let unknown = door.ask(NOBODY, &[]).await;
    assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
    assert_eq!((known.status, known.refused().as_str()), (503, "sms_budget_spent"));
    let sent = std::fs::read_to_string(door.0.folder.path().join("sms.txt")).unwrap();
    assert_eq!(sent.lines().count(), 2);
    door.0.clock.advance(TimeDelta::hours(25));
    door.ask("19500000010", &[]).await.ok();
    code_of(&door.0, "19500000010").await;
    // many at once do not slip through between the question and the sending
    let phones: Vec<String> = (11..31).map(|n| format!("195000000{n}")).collect();
    futures_util::future::join_all(phones.iter().map(|phone| door.ask(phone, &[]))).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(door.number("SELECT count(*) FROM login_codes WHERE is_sent AND sent_at > '2026-11-03'").await, 2);
    door.0.stop().await;
}
