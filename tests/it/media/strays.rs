//! Files that no row names go after a month; where it may be the database that is wrong, they stay.
use std::path::PathBuf;

use chrono::TimeDelta;
use liusheng::{
    events::{self, Happening, Kind},
    ids::MediaId,
    media,
};
use serde_json::json;

use super::{PNG, files};
use crate::support::{Somebody, TestApp, Village};

/// A file as a crash leaves it: under a name that no row has.
fn stray(app: &TestApp, ending: &str) -> PathBuf {
    let path = app.app.config.media_dir().join(media::files::name(MediaId::new())).with_extension(ending);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, b"sealed noise").unwrap();
    path
}

async fn sweep(app: &TestApp) -> u64 {
    let mut gone = 0;
    for folder in 0..=u8::MAX {
        gone += media::strays::sweep_folder(&app.app, folder).await.unwrap();
    }
    gone
}

async fn shown(app: &TestApp, village: &Village) -> String {
    let clerk = Somebody::signed_in(app, village.clerk.person).await;
    let photo = clerk.upload(PNG.to_vec()).await.ok();
    let voice = json!({ "kind": "help", "visibility": "handlers", "text": "看", "media": [photo["id"]] });
    clerk.post("/v1/suggestions", voice).await.ok();
    photo["url"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_a_row_goes_after_a_month_and_nothing_else_does() {
    let (app, village) = Village::start().await;
    let photo = shown(&app, &village).await;
    let kept = files(&app);
    let (one, other) = (stray(&app, ""), stray(&app, "thumb"));
    let strange = one.with_file_name("notes.txt");
    std::fs::write(&strange, b"of the operator").unwrap();
    assert_eq!(sweep(&app).await, 0, "its row may still come");
    // the clock of the test stands weeks before that of the disk
    app.pass(TimeDelta::days(90)).await;
    assert_eq!(sweep(&app).await, 2);
    assert!(!one.exists() && !other.exists() && strange.exists());
    assert_eq!(files(&app), kept + 1, "what has a row, and what is none of ours");
    let clerk = Somebody::signed_in(&app, village.clerk.person).await;
    for url in [photo.clone(), format!("{photo}?size=thumb")] {
        assert_eq!(clerk.download(&url).await.0, 200);
    }
    // so many at once are nobody's crash
    for _ in 0..12 * 256 {
        stray(&app, "");
    }
    let before = files(&app);
    app.pass(TimeDelta::days(90)).await;
    assert!(sweep(&app).await < 12 * 256);
    assert!(files(&app) > before / 3);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_younger_than_the_files_takes_none_away() {
    let (app, village) = Village::start().await;
    let old = stray(&app, "");
    app.pass(TimeDelta::days(90)).await;
    assert_eq!(sweep(&app).await, 0, "it knows nothing");
    shown(&app, &village).await;
    app.pass(TimeDelta::days(90)).await;
    assert_eq!(sweep(&app).await, 0);
    assert!(old.exists());
    app.stop().await;
}

/// What a restored database does not know may stand in a newer backup, which may still be found.
#[tokio::test(flavor = "multi_thread")]
async fn for_a_month_after_a_restore_nothing_goes() {
    let (app, village) = Village::start().await;
    shown(&app, &village).await;
    let old = stray(&app, "");
    app.pass(TimeDelta::days(90)).await;
    let restored = app
        .app
        .store
        .write(|tx| Box::pin(async move { events::record(tx, Happening::new(Kind::Restored, "log")).await.map(drop) }));
    restored.await.unwrap();
    for days in [0, 29] {
        app.pass(TimeDelta::days(days)).await;
        assert_eq!(sweep(&app).await, 0, "{days}");
        assert!(old.exists());
    }
    app.pass(TimeDelta::days(2)).await;
    assert_eq!(sweep(&app).await, 1);
    assert!(!old.exists());
    app.stop().await;
}
