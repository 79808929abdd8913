//! Uploads that go on where they broke off: part by part, over a broken network, a killed server, two senders, and bad input.
use chrono::TimeDelta;
use liusheng::{
    clock::Clock,
    media,
    server::{self, Role},
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{CLIP, GPS, PNG, files};
use crate::support::{Answer, Process, Somebody, TestApp, Village, answer, config, count, free_port, monday};

async fn begin(who: &Somebody, length: usize) -> Answer {
    answer(who.request(Method::POST, "/v1/uploads").header("upload-length", length).header("tus-resumable", "1.0.0"))
        .await
}

pub(super) async fn begun(who: &Somebody, length: usize) -> String {
    format!("/v1/uploads/{}", begin(who, length).await.ok()["id"].as_str().unwrap())
}

/// Status, where to go on, and the code of a refusal.
pub(super) async fn send(
    who: &Somebody,
    path: &str,
    offset: usize,
    part: &[u8],
) -> (u16, Option<usize>, Option<String>) {
    let request = who.request(Method::PATCH, path).header("upload-offset", offset).header("tus-resumable", "1.0.0");
    let request = request.header("content-type", "application/offset+octet-stream").body(part.to_vec());
    let answer = request.send().await.unwrap();
    let (status, offset) = (answer.status().as_u16(), answer.headers().get("upload-offset").cloned());
    let body: Value = answer.json().await.unwrap_or_default();
    let offset = offset.map(|offset| offset.to_str().unwrap().parse().unwrap());
    (status, offset, body["code"].as_str().map(str::to_owned))
}

fn refused(status: u16, code: &str) -> (u16, Option<usize>, Option<String>) {
    (status, None, Some(code.to_owned()))
}

async fn offset(who: &Somebody, path: &str) -> (u16, Option<String>) {
    let answer = who.request(Method::HEAD, path).send().await.unwrap();
    let value = answer.headers().get("upload-offset").map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), value)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_comes_in_parts_and_is_a_photo_like_any_other() {
    let (app, village) = Village::start().await;
    let who = &village.clerk;
    let answer = who.request(Method::POST, "/v1/uploads").header("upload-length", GPS.len()).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["tus-resumable"]), (201, &"1.0.0".parse().unwrap()));
    let path = answer.headers()["location"].to_str().unwrap().to_owned();
    assert!(answer.headers()["upload-expires"].to_str().unwrap().ends_with(" GMT"));
    assert_eq!(offset(who, &path).await, (200, Some("0".to_owned())));
    let mut at = 0;
    while at < GPS.len() {
        let end = (at + 100_000).min(GPS.len());
        assert_eq!(send(who, &path, at, &GPS[at..end]).await, (204, Some(end), None));
        assert_eq!(offset(who, &path).await.1, Some(end.to_string()));
        at = end;
    }
    let ended = who.get(&path).await.ok();
    let (photo, url) = (&ended["media"], ended["media"]["url"].as_str().unwrap());
    assert_eq!((&photo["kind"], &photo["width"], &photo["height"]), (&json!("photo"), &json!(1_200), &json!(1_600)));
    assert!(!who.download(url).await.1.windows(4).any(|four| four == b"Exif"), "inspected like any other");
    assert_eq!(files(&app), 2, "the photo and its small picture; nothing half");
    // who did not hear the end asks again, and is told the same
    assert_eq!(send(who, &path, GPS.len(), b"").await, (204, Some(GPS.len()), None));
    assert_eq!(who.get(&path).await.ok(), ended);
    assert_eq!(send(who, &path, 0, b"x").await, refused(409, "upload_offset"));
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM media").await, 1);
    let voice = json!({ "kind": "help", "visibility": "handlers", "text": "看", "media": [photo["id"]] });
    who.post("/v1/suggestions", voice).await.ok();
    // dropped: what it has become stays
    assert_eq!(who.request(Method::DELETE, &path).send().await.unwrap().status(), 204);
    assert_eq!(who.get(&path).await.refused(), "not_found");
    assert_eq!(who.download(url).await.0, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_the_network_broke_is_kept() {
    let (app, village) = Village::start().await;
    let who = &village.clerk;
    let path = begun(who, CLIP.len()).await;
    let half = CLIP.len() / 2;
    // a sender that promises everything and is cut off in the middle
    let request = who.request(Method::PATCH, &path).header("upload-offset", 0).build().unwrap();
    let mut head = format!("PATCH {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n", app.address, CLIP.len());
    head += "content-type: application/offset+octet-stream\r\n";
    for (name, value) in request.headers() {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    let mut socket = tokio::net::TcpStream::connect(app.address).await.unwrap();
    socket.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    socket.write_all(&CLIP[..half]).await.unwrap();
    socket.flush().await.unwrap();
    for _ in 0..200 {
        if offset(who, &path).await.1 == Some(half.to_string()) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // it still hangs there
    assert_eq!(send(who, &path, half, &CLIP[half..]).await, refused(423, "upload_busy"), "two write beside each other");
    let dropped = answer(who.request(Method::DELETE, &path)).await;
    assert_eq!((dropped.status, dropped.refused()), (423, "upload_busy".to_owned()));
    drop(socket);
    let mut last = refused(423, "upload_busy");
    for _ in 0..200 {
        last = send(who, &path, half, &CLIP[half..]).await;
        if last.0 != 423 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(last, (204, Some(CLIP.len()), None));
    let clip = who.get(&path).await.ok()["media"].clone();
    assert_eq!(who.download(clip["url"].as_str().unwrap()).await, (200, CLIP.to_vec()));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_senders_of_the_same_part_are_one() {
    let (app, village) = Village::start().await;
    let who = &village.clerk;
    let path = begun(who, PNG.len()).await;
    let half = PNG.len() / 2;
    for (at, part) in [(0, &PNG[..half]), (half, &PNG[half..])] {
        let all = futures_util::future::join_all((0..4).map(|_| send(who, &path, at, part))).await;
        let done = all.iter().filter(|one| one.0 == 204).count();
        assert!(done >= 1 && all.iter().all(|one| [204, 409, 423].contains(&one.0)), "{all:?}");
        assert_eq!(offset(who, &path).await.1, Some((at + part.len()).to_string()), "{all:?}");
    }
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM media").await, 1);
    assert_eq!(files(&app), 2);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_and_leaves_nothing() {
    let (app, village) = Village::start().await;
    let (who, other) = (&village.clerk, &village.chair);
    for (length, code) in [
        ("0", "media_unreadable"),
        ("10485761", "media_too_large"),
        ("9223372036854775807", "media_too_large"),
        ("-1", "invalid_request"),
        ("ten", "invalid_request"),
        ("99999999999999999999", "invalid_request"),
    ] {
        let request = who.request(Method::POST, "/v1/uploads").header("upload-length", length);
        assert_eq!(answer(request).await.refused(), code, "{length}");
    }
    assert_eq!(who.post("/v1/uploads", json!({})).await.refused(), "invalid_request", "no length");
    let request = who.request(Method::POST, "/v1/uploads").header("upload-length", 5).header("tus-resumable", "0.2.2");
    let old = answer(request).await;
    assert_eq!((old.status, old.refused()), (412, "upload_version".to_owned()));
    let path = begun(who, 10).await;
    assert_eq!(send(who, &path, 3, b"x").await, refused(409, "upload_offset"));
    let patch = |kind: &'static str, at: &'static str| {
        answer(who.request(Method::PATCH, &path).header("content-type", kind).header("upload-offset", at).body("x"))
    };
    assert_eq!(patch("application/json", "0").await.refused(), "unsupported_type");
    for at in ["", "-1", "x", "18446744073709551616"] {
        assert_eq!(patch("application/offset+octet-stream", at).await.refused(), "invalid_request", "{at}");
    }
    assert_eq!(send(who, &path, 0, &[b'x'; 11]).await, refused(413, "media_too_large"), "more than was announced");
    for stranger in [other, &village.town, &village.villager(&app, "00007").await] {
        assert_eq!(stranger.get(&path).await.refused(), "not_found");
        assert_eq!(send(stranger, &path, 0, b"x").await, refused(404, "not_found"));
        assert_eq!(answer(stranger.request(Method::DELETE, &path)).await.refused(), "not_found");
    }
    assert_eq!(app.get(&path).await.status, 401);
    for nothing in ["/v1/uploads/..%2f..%2fkeys.json", "/v1/uploads/rubbish", "/v1/uploads/%00"] {
        assert_eq!(who.get(nothing).await.refused(), "not_found", "{nothing}");
    }
    // hostile files are refused when they are whole, and the reason is there for who did not hear it
    for (bytes, status, code) in [
        (&b"<svg onload=alert(1)/>"[..], 415, "media_unsupported"),
        (&PNG[..PNG.len() / 2], 422, "media_unreadable"),
        (include_bytes!("../../data/media/hostile/claims-memory.png"), 413, "media_too_large"),
        (include_bytes!("../../data/media/video.webm"), 415, "media_unsupported"),
    ] {
        let path = begun(who, bytes.len()).await;
        assert_eq!(send(who, &path, 0, bytes).await, refused(status, code));
        assert_eq!(who.get(&path).await.ok()["refusal"], code);
        assert_eq!(send(who, &path, bytes.len(), b"").await, refused(status, code));
    }
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM media").await, 0);
    app.clock.advance(TimeDelta::hours(25));
    media::files::sweep(&app.app).await.unwrap();
    assert_eq!(files(&app), 0);
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM uploads").await, 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_has_room_for_so_much_and_what_nobody_goes_on_with_is_swept() {
    let (app, village) = Village::start().await;
    let who = &village.clerk;
    let first = begun(who, 10 * 1024 * 1024).await;
    assert_eq!(send(who, &first, 0, b"begun").await, (204, Some(5), None));
    for _ in 1..10 {
        begun(who, 10 * 1024 * 1024).await;
    }
    assert_eq!(begin(who, 1).await.refused(), "too_many_requests", "100 MiB are on their way");
    begun(&village.chair, 1).await;
    app.clock.advance(TimeDelta::hours(23));
    media::files::sweep(&app.app).await.unwrap();
    let who = &Somebody::signed_in(&app, who.person).await;
    assert_eq!(send(who, &first, 5, b" and gone on with").await, (204, Some(22), None));
    app.clock.advance(TimeDelta::hours(2));
    assert_eq!(who.get(&first).await.refused(), "not_found", "its day is over");
    media::files::sweep(&app.app).await.unwrap();
    assert_eq!(files(&app), 0);
    begun(who, 10 * 1024 * 1024).await;
    app.stop().await;
}

/// Whoever receives files has what is left of them on a disk of its own, and rows are a worker's, wherever it runs.
#[tokio::test(flavor = "multi_thread")]
async fn each_role_sweeps_what_is_its_own() {
    let (app, village) = Village::start().await;
    let who = &village.clerk;
    who.upload(CLIP.to_vec()).await.ok();
    let left = begun(who, 100).await;
    assert_eq!(send(who, &left, 0, b"begun").await, (204, Some(5), None));
    let house = app.close().await;
    let lies = async || {
        let parts = std::fs::read_dir(house.path().join("media/incoming/uploads")).unwrap().count();
        (parts, count(house.path(), "SELECT count(*) FROM media").await)
    };
    assert_eq!(lies().await, (1, 1));
    for (role, wanted) in [(Role::Api, (0, 1)), (Role::Worker, (0, 0))] {
        let later = Clock::standing_at(monday() + TimeDelta::days(3));
        let (app, rung) = server::open(config(&house), later, false).await.unwrap();
        let server = server::start(app, rung, role).await.unwrap();
        for _ in 0..100 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            if lies().await == wanted {
                break;
            }
        }
        server.stop().await;
        assert_eq!(lies().await, wanted, "{role:?}");
    }
}

/// What a phone was told to be there is there after `kill -9`, and the upload goes on from it.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_survives_kill_9() {
    let app = TestApp::start_at(Clock::system().now()).await;
    let village = Village::found(&app).await;
    let house = app.close().await;
    let log = house.path().join("log");
    let third = CLIP.len() / 3;
    let mut server = Process::serve(house.path(), free_port(), &[], &log).await;
    let who = village.clerk.at(server.address);
    let path = begun(&who, CLIP.len()).await;
    assert_eq!(send(&who, &path, 0, &CLIP[..third]).await, (204, Some(third), None));
    server.kill();
    server.wait();
    let mut server = Process::serve(house.path(), free_port(), &[], &log).await;
    let who = village.clerk.at(server.address);
    assert_eq!(offset(&who, &path).await, (200, Some(third.to_string())));
    assert_eq!(send(&who, &path, third, &CLIP[third..]).await, (204, Some(CLIP.len()), None));
    server.kill();
    server.wait();
    let mut server = Process::serve(house.path(), free_port(), &[], &log).await;
    let who = village.clerk.at(server.address);
    let clip = who.get(&path).await.ok()["media"].clone();
    assert_eq!(who.download(clip["url"].as_str().unwrap()).await, (200, CLIP.to_vec()));
    server.kill();
}
