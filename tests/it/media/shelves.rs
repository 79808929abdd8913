//! A folder and a bucket keep the same promises: one test over both; and what a bucket alone can do wrong is said in time.
use std::{path::Path, time::Duration};

use chrono::TimeDelta;
use liusheng::{clock::Clock, config::Config, ids::MediaId, media, shelf::Shelf};
use reqwest::Method;
use serde_json::json;

use super::{CLIP, GPS, PNG, part, uploads};
use crate::support::{
    Chaos, Harm, OwnBucket, Process, Somebody, TestApp, Village, answer, count, free_port, monday, moto, run,
};

async fn names(shelf: &Shelf, folder: Option<&str>) -> Vec<String> {
    let mut names: Vec<_> = shelf.list(folder).await.unwrap().into_iter().map(|lying| lying.name).collect();
    names.sort_unstable();
    names
}

fn file(folder: &Path, bytes: &[u8]) -> std::path::PathBuf {
    let path = folder.join(uuid::Uuid::now_v7().to_string());
    std::fs::write(&path, bytes).unwrap();
    path
}

/// What both promise.
async fn keeps_its_promises(shelf: &Shelf) {
    let here = tempfile::tempdir().unwrap();
    let (one, other) = (media::files::name(MediaId::new()), media::files::name(MediaId::new()));
    assert_eq!(shelf.read(&one).await.unwrap(), None, "nothing is there yet");
    assert!(names(shelf, None).await.is_empty());
    shelf.remove(&one).await.unwrap();
    assert!(!shelf.copy_out(&one, &here.path().join("none")).await.unwrap());
    // taken in, read, listed by its folder, copied out
    let large = vec![7; 5 * 1024 * 1024];
    shelf.take(&file(here.path(), &large), &one).await.unwrap();
    let source = file(here.path(), b"other");
    shelf.copy_in(&source, &other).await.unwrap();
    assert_eq!(std::fs::read(&source).unwrap(), b"other", "a copy leaves what it was made of");
    assert!(shelf.read(&one).await.unwrap().is_some_and(|bytes| bytes == large));
    assert_eq!(shelf.read(&other).await.unwrap().unwrap(), b"other");
    // a part is what is there of it, and says how long the whole is
    let whole = large.len() as u64;
    for ((from, most), wanted) in [((0, 3), vec![7; 3]), ((whole - 2, 10), vec![7; 2])] {
        let part = shelf.part(&one, (from, most)).await.unwrap().unwrap();
        assert_eq!((part.bytes, part.length), (wanted, whole));
    }
    assert_eq!(shelf.part(&other, (2, 2)).await.unwrap().unwrap().bytes, b"he");
    assert_eq!(shelf.part(&media::files::name(MediaId::new()), (0, 3)).await.unwrap(), None);
    let mut all = vec![one.clone(), other.clone()];
    all.sort_unstable();
    assert_eq!(names(shelf, None).await, all);
    if one[..2] != other[..2] {
        assert_eq!(names(shelf, Some(&one[..2])).await, [one.clone()]);
    }
    assert!(names(shelf, Some("zz")).await.is_empty());
    let copy = here.path().join("deep/er/copy");
    assert!(shelf.copy_out(&one, &copy).await.unwrap());
    assert!(std::fs::read(&copy).unwrap() == large);
    let since = Clock::system().now() - shelf.list(None).await.unwrap()[0].changed;
    assert!(since.abs() < TimeDelta::minutes(5), "{since}");
    // a restore puts other bytes there; nothing is there as well as something
    shelf.copy_in(&copy, &other).await.unwrap();
    assert!(shelf.read(&other).await.unwrap().is_some_and(|bytes| bytes == large));
    shelf.take(&file(here.path(), b""), &other).await.unwrap();
    assert_eq!(shelf.read(&other).await.unwrap(), Some(Vec::new()));
    for name in all {
        shelf.remove(&name).await.unwrap();
        assert_eq!(shelf.read(&name).await.unwrap(), None);
    }
    assert!(names(shelf, None).await.is_empty());
    assert_eq!(shelf.trouble(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_and_a_bucket_keep_the_same_promises() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::defaults().unwrap();
    config.data_dir = folder.path().to_owned();
    keeps_its_promises(&Shelf::open(&config).unwrap()).await;
    let Some(bucket) = OwnBucket::start("the promises of a bucket").await else { return };
    OwnBucket::set(&mut config, bucket.address);
    let shelf = Shelf::open(&config).unwrap();
    keeps_its_promises(&shelf).await;
    // a list that comes in pages
    let small = file(folder.path(), b"x");
    let all = (0..1_005).map(|number| format!("aa/{number}"));
    let putting = futures_util::StreamExt::for_each_concurrent(futures_util::stream::iter(all), 16, |name| {
        let (shelf, small) = (&shelf, &small);
        async move { shelf.copy_in(small, &name).await.unwrap() }
    });
    putting.await;
    assert_eq!(names(&shelf, Some("aa")).await.len(), 1_005);
    assert!(names(&shelf, Some("a")).await.is_empty(), "a folder is not the beginning of a name");
}

/// From the phone to the sweep: what people see is the same, wherever it lies.
async fn lives(app: TestApp) {
    let village = Village::found(&app).await;
    let (who, shelf) = (&village.clerk, &app.app.shelf);
    let photo = who.upload(GPS.to_vec()).await.ok();
    let path = uploads::begun(who, CLIP.len()).await;
    let half = CLIP.len() / 2;
    assert_eq!(uploads::send(who, &path, 0, &CLIP[..half]).await, (204, Some(half), None));
    assert_eq!(names(shelf, None).await.len(), 2, "the photo and its small picture; parts lie on this machine");
    assert_eq!(uploads::send(who, &path, half, &CLIP[half..]).await, (204, Some(CLIP.len()), None));
    let clip = who.get(&path).await.ok()["media"].clone();
    assert_eq!(names(shelf, None).await.len(), 3);
    let incoming = app.app.config.media_dir().join("incoming");
    let on_way = walk(&incoming);
    assert!(on_way.is_empty(), "{on_way:?}");
    for name in names(shelf, None).await {
        let kept = shelf.read(&name).await.unwrap().unwrap();
        assert!(!kept.windows(32).any(|some| CLIP.windows(32).step_by(97).any(|other| some == other)), "sealed");
        assert!(!kept.windows(4).any(|four| four == b"JFIF" || four == b"ftyp"), "sealed");
    }
    let (photo_url, clip_url) = (photo["url"].as_str().unwrap(), clip["url"].as_str().unwrap());
    assert_eq!(who.download(clip_url).await, (200, CLIP.to_vec()));
    assert_eq!(who.download(&format!("{photo_url}?size=thumb")).await.0, 200);
    let length = CLIP.len();
    let range = part(who, clip_url, &[("range", "bytes=10-19")]).await;
    assert_eq!(range, (206, format!("bytes 10-19/{length}"), CLIP[10..20].to_vec()));
    assert_eq!(part(who, clip_url, &[("range", "bytes=-5")]).await.2, CLIP[length - 5..]);
    let beyond = part(who, clip_url, &[("range", &format!("bytes={length}-"))]).await;
    assert_eq!((beyond.0, beyond.1), (416, format!("bytes */{length}")));
    // what is private stays so
    let villager = village.villager(&app, "00007").await;
    assert_eq!(villager.download(clip_url).await.0, 404);
    assert_eq!(app.http.get(app.url(clip_url)).send().await.unwrap().status(), 401);
    // what is refused leaves nothing; what is of use stays; what nobody wants goes with its files
    assert_eq!(who.upload(b"<svg/>".to_vec()).await.refused(), "media_unsupported");
    let voice = json!({ "kind": "help", "visibility": "handlers", "text": "看", "media": [photo["id"]] });
    who.post("/v1/suggestions", voice).await.ok();
    let stray = media::files::name(MediaId::new());
    shelf.copy_in(&file(app.folder.path(), b"sealed noise"), &stray).await.unwrap();
    app.pass(TimeDelta::days(3)).await;
    media::files::sweep(&app.app).await.unwrap();
    assert_eq!(names(shelf, None).await.len(), 3, "the photo, its small picture, and what a crash left");
    app.pass(TimeDelta::days(90)).await;
    let folder = u8::from_str_radix(&stray[..2], 16).unwrap();
    assert_eq!(media::strays::sweep_folder(&app.app, folder).await.unwrap(), 1);
    let left = names(shelf, None).await;
    assert!(left.len() == 2 && !left.contains(&stray), "{left:?}");
    let clerk = Somebody::signed_in(&app, who.person).await;
    assert_eq!(clerk.download(photo_url).await.0, 200);
    app.stop().await;
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_and_clips_live_in_a_folder() {
    lives(TestApp::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_and_clips_live_in_a_bucket() {
    let Some(bucket) = OwnBucket::start("photos and clips in a bucket").await else { return };
    lives(TestApp::start_with(monday(), |config| OwnBucket::set(config, bucket.address)).await).await;
}

/// Status, when to come again, and the code.
async fn tried(request: reqwest::RequestBuilder) -> (u16, Option<String>, String) {
    let response = request.send().await.unwrap();
    let wait = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    let body: serde_json::Value = response.json().await.unwrap_or_default();
    (status, wait, body["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_away_is_told_in_time_and_nothing_is_lost() {
    let Some(bucket) = OwnBucket::start("a bucket that is away").await else { return };
    let net = Chaos::before(bucket.address).await;
    let app = TestApp::start_with(monday(), |config| OwnBucket::set(config, net.address)).await;
    let village = Village::found(&app).await;
    let who = &village.clerk;
    let photo = who.upload(PNG.to_vec()).await.ok();
    let url = photo["url"].as_str().unwrap();
    let path = uploads::begun(who, CLIP.len()).await;
    let away = (503, Some("10".to_owned()), "media_unavailable".to_owned());
    for harm in [Harm::Reset, Harm::Silence] {
        net.set(harm);
        let began = std::time::Instant::now();
        let (sent, read) = tokio::join!(tried(who.uploading(None, GPS.to_vec())), tried(who.request(Method::GET, url)));
        assert_eq!((&sent, &read), (&away, &away), "{harm:?}");
        assert!(began.elapsed() < Duration::from_secs(28), "{harm:?}: {:?}", began.elapsed());
    }
    // the last part came; that it could not be put away does not lose it
    let ready = app.get("/readyz").await.body;
    assert_eq!((&ready["status"], &ready["parts"]["media"]["ok"]), (&json!("degraded"), &json!(false)));
    net.set(Harm::Reset);
    assert_eq!(uploads::send(who, &path, 0, CLIP).await, (503, None, Some("media_unavailable".to_owned())));
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM media").await, 1, "no row without its file");
    net.set(Harm::None);
    // for a moment it is not even tried
    let mut last = uploads::send(who, &path, CLIP.len(), b"").await;
    for _ in 0..100 {
        if last.0 != 503 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        last = uploads::send(who, &path, CLIP.len(), b"").await;
    }
    assert_eq!(last, (204, Some(CLIP.len()), None));
    let clip = who.get(&path).await.ok()["media"]["url"].as_str().unwrap().to_owned();
    assert_eq!(who.download(&clip).await, (200, CLIP.to_vec()));
    assert_eq!(who.download(url).await.0, 200);
    assert_eq!(app.get("/readyz").await.body["parts"]["media"]["ok"], true, "found again by itself");
    let on_way = walk(&app.app.config.media_dir());
    assert!(on_way.is_empty(), "{on_way:?}");
    // taken away on the other side: ours to look into, not the phone's
    let name = media::files::name(clip.rsplit('/').next().unwrap().parse().unwrap());
    app.app.shelf.remove(&name).await.unwrap();
    assert_eq!(answer(who.request(Method::GET, &clip)).await.refused(), "internal");
    app.stop().await;
}

/// The backup is as whole as any other, and goes into whichever shelf there is then.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_moves_photos_between_bucket_and_folder() {
    let Some(bucket) = OwnBucket::start("a backup of what lies in a bucket").await else { return };
    let app = TestApp::start_with(monday(), |config| OwnBucket::set(config, bucket.address)).await;
    let village = Village::found(&app).await;
    let clip = village.clerk.upload(CLIP.to_vec()).await.ok();
    let photo = village.clerk.upload(PNG.to_vec()).await.ok();
    let voice = json!({ "kind": "help", "visibility": "handlers", "text": "看", "media": [photo["id"], clip["id"]] });
    village.clerk.post("/v1/suggestions", voice).await.ok();
    let shelf = app.app.shelf.clone();
    let kept = names(&shelf, None).await;
    assert_eq!(kept.len(), 3);
    let house = app.close().await;
    let settings = OwnBucket::settings_at(bucket.address);
    let settings: Vec<_> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let works = |folder: &Path, arguments: &[&str], settings: &[(&str, &str)]| {
        let output = run(folder, arguments, settings);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {said}");
        assert!(!said.contains(moto::SECRET) && !said.contains("X-Amz"), "{said}");
    };
    let backup = house.path().join("backup");
    works(house.path(), &["backup", backup.to_str().unwrap(), "--with-keys"], &settings);
    // out of the bucket into a folder
    let elsewhere = tempfile::tempdir().unwrap();
    works(elsewhere.path(), &["restore", backup.to_str().unwrap()], &[]);
    for name in &kept {
        let there = std::fs::read(elsewhere.path().join("media").join(name)).unwrap();
        assert_eq!(Some(there), shelf.read(name).await.unwrap(), "{name}");
        shelf.remove(name).await.unwrap();
    }
    // and back from the folder into the bucket
    let again = elsewhere.path().join("backup");
    works(elsewhere.path(), &["backup", again.to_str().unwrap(), "--with-keys"], &[]);
    let third = tempfile::tempdir().unwrap();
    works(third.path(), &["restore", again.to_str().unwrap()], &settings);
    assert_eq!(names(&shelf, None).await, kept);
    assert!(walk(&third.path().join("media")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_key_nor_signature_is_in_a_log_and_doctor_says_what_ails() {
    let Some(bucket) = OwnBucket::start("logs of a bucket").await else { return };
    let app = TestApp::start_at(Clock::system().now()).await;
    let village = Village::found(&app).await;
    let house = app.close().await;
    let net = Chaos::before(bucket.address).await;
    let mut settings = OwnBucket::settings_at(net.address).to_vec();
    settings.push(("LIUSHENG_LOG_LEVEL", "debug".to_owned()));
    let given: Vec<_> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let well = run(house.path(), &["doctor"], &given);
    let mut said = String::from_utf8_lossy(&well.stdout).into_owned();
    assert!(said.contains("[ok] media: 附件存储桶"), "{said}");
    let log = house.path().join("log");
    let mut server = Process::serve(house.path(), free_port(), &given, &log).await;
    let who = village.clerk.at(server.address);
    let url = who.upload(PNG.to_vec()).await.ok()["url"].as_str().unwrap().to_owned();
    net.set(Harm::Reset);
    assert_eq!(tried(who.request(Method::GET, &url)).await.2, "media_unavailable");
    net.set(Harm::None);
    assert_eq!(who.download(&url).await.0, 200);
    server.kill();
    // a bucket that is not there
    let mut other = given.clone();
    other[0].1 = "s3://another-bucket";
    let mut server = Process::serve(house.path(), free_port(), &other, &log).await;
    let who = village.clerk.at(server.address);
    assert_eq!(tried(who.uploading(None, PNG.to_vec())).await.2, "media_unavailable");
    assert_eq!(tried(who.request(Method::GET, &url)).await.2, "media_unavailable", "not a file that is missing");
    server.kill();
    let ill = run(house.path(), &["doctor"], &other);
    said += &String::from_utf8_lossy(&ill.stdout);
    said += &String::from_utf8_lossy(&ill.stderr);
    assert!(!ill.status.success() && said.contains("[FAULT] media") && said.contains("404 NoSuchBucket"), "{said}");
    said += &server.said();
    assert!(said.contains("404 NoSuchBucket"));
    for secret in [moto::SECRET, moto::KEY_ID, "X-Amz-Signature", "x-amz-signature"] {
        assert!(!said.contains(secret), "{secret}");
    }
}
