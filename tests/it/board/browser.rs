//! A secret vote by the pages in Chromium: keys, sealing on the phone, 系统代封, the opening, the check by the browser.
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use chrono::TimeDelta;
use serde_json::json;

use crate::support::{Village, is_chromium};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_vote_goes_by_the_pages_and_the_choice_never_leaves_the_phone() {
    if !is_chromium("a secret vote by the pages") {
        return;
    }
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let ask = json!({
        "matter_id": matter, "question": "是否同意修桥？", "preset": "village_assembly_person", "secrecy": "secret",
        "closes_at": app.app.now() + TimeDelta::days(2),
    });
    let vote = village.chair.post("/v1/votes", ask).await.ok()["id"].clone();
    let (phone, plain) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
    let lame = village.villager(&app, "00009").await;
    let who = json!({
        "vote": vote, "chair": village.chair.token(), "supervisor": village.supervisor.token(),
        "town": village.town.token(), "phone": phone.token(), "plain": plain.token(),
        "lame": lame.token(),
    });
    let folder = super::root().join("tests/browser");
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
    let mut child = Command::new("node")
        .arg("secret.mjs")
        .arg(app.url(""))
        .arg(shots)
        .arg(who.to_string())
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (say, mut lines) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        BufReader::new(stdout).lines().map_while(Result::ok).for_each(|line| drop(say.send(line)))
    });
    while let Some(line) = lines.recv().await {
        match line.strip_prefix("pass ") {
            Some(hours) => {
                app.pass(TimeDelta::hours(hours.parse().unwrap())).await;
                let fresh = json!({ "phone": phone.token(), "town": village.town.token() });
                writeln!(stdin, "{fresh}").unwrap();
            }
            None => println!("{line}"),
        }
    }
    assert!(child.wait().unwrap().success(), "the story ended early, see above");
    app.stop().await;
}
