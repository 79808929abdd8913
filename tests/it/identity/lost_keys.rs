//! The key file is lost for good: what it sealed is unreadable, everything else goes on, and nothing answers with a fault.
use chrono::TimeDelta;
use serde_json::json;

use crate::support::{Somebody, TestApp, Village, monday, run};

const CLIP: &[u8] = include_bytes!("../../data/media/lamp.amr");
const PNG: &[u8] = include_bytes!("../../data/media/clear.png");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_keys_a_county_goes_on_and_can_be_backed_up() {
    let (app, village) = Village::start().await;
    let author = village.villager(&app, "00007").await;
    let (photo, clip) = (author.upload(PNG.to_vec()).await.ok(), author.upload(CLIP.to_vec()).await.ok());
    let voice = json!({ "kind": "complaint", "visibility": "handlers", "text": "私下说的话", "place": "渠边",
        "media": [photo["id"], clip["id"]] });
    let voice = author.post("/v1/suggestions", voice).await.ok();
    let public = json!({ "kind": "suggestion", "visibility": "public", "text": "公开说的话", "place": "桥头" });
    author.post("/v1/suggestions", public).await.ok();
    let (author, clerk) = (author.person, village.clerk.person);
    let house = app.close().await;
    std::fs::remove_file(house.path().join("keys.json")).unwrap();
    let taken = run(house.path(), &["migrate", "--new-keys"], &[]);
    assert_eq!(taken.status.code(), Some(0), "{}", String::from_utf8_lossy(&taken.stderr));

    let app = TestApp::start_in(house, monday() + TimeDelta::hours(1)).await;
    let (author, clerk) = (Somebody::signed_in(&app, author).await, Somebody::signed_in(&app, clerk).await);
    let own = format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
    for who in [&author, &clerk] {
        for path in ["/v1/sync", "/v1/suggestions?scope=mine", own.as_str(), "/", "/suggestions", "/v1/me/export"] {
            let (status, _) = who.download(path).await;
            assert!([200, 410].contains(&status), "{path}: {status}");
        }
        let (status, _) = who.download(&format!("{own}?")).await;
        assert!(status < 500, "{status}");
    }
    for media in [&photo, &clip] {
        assert_eq!(author.download(media["url"].as_str().unwrap()).await.0, 410);
    }
    let public = author.get("/v1/suggestions?scope=mine").await.ok().to_string();
    assert!(public.contains("公开说的话") && !public.contains("私下说的话"), "{public}");
    // what is said from now on is sealed by the new key
    let again = json!({ "kind": "complaint", "visibility": "handlers", "text": "新的私下话", "place": "渠边" });
    let again = author.post("/v1/suggestions", again).await.ok();
    let again = author.get(&format!("/v1/suggestions/{}", again["id"].as_str().unwrap())).await.ok();
    assert_eq!(again["text"], "新的私下话");
    let folder = tempfile::tempdir().unwrap();
    let copied = run(app.folder.path(), &["backup", folder.path().join("copy").to_str().unwrap()], &[]);
    assert_eq!(copied.status.code(), Some(1), "what does not open is named");
    assert!(folder.path().join("copy/manifest.json").exists(), "yet it is a backup");
    let said = String::from_utf8_lossy(&copied.stdout).into_owned() + &String::from_utf8_lossy(&copied.stderr);
    for media in [&photo, &clip] {
        assert!(said.contains(media["id"].as_str().unwrap()), "{said}");
    }
}
