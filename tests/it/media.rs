//! Photos and clips: checked when they come, without what they tell about the sender, and sent to those who may see them.
mod clips;
mod refusing;
mod shelves;
mod strays;
mod uploads;

use chrono::TimeDelta;
use liusheng::{media, seals};
use reqwest::Method;
use serde_json::json;

use crate::support::{Somebody, TestApp, Village, answer};

const CLIP: &[u8] = include_bytes!("../data/media/lamp.m4a");
const PNG: &[u8] = include_bytes!("../data/media/clear.png");
const GPS: &[u8] = include_bytes!("../data/media/gps-sideways.jpg");

/// Files kept, thumbnails too.
fn files(app: &TestApp) -> usize {
    fn below(folder: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { below(&path) } else { 1 }).sum()
    }
    below(&app.app.config.media_dir())
}

/// Status, `Content-Range` and bytes.
async fn part(who: &Somebody, path: &str, headers: &[(&str, &str)]) -> (u16, String, Vec<u8>) {
    let mut request = who.request(Method::GET, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let range = response.headers().get("content-range").map(|value| value.to_str().unwrap().to_owned());
    (response.status().as_u16(), range.unwrap_or_default(), response.bytes().await.unwrap().to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_loses_where_and_when_it_was_taken() {
    let (app, village) = Village::start().await;
    assert!(GPS.windows(4).any(|four| four == b"Exif"));
    let photo = village.clerk.upload(GPS.to_vec()).await.ok();
    let url = photo["url"].as_str().unwrap();
    for url in [url.to_owned(), format!("{url}?size=thumb")] {
        let (status, bytes) = village.clerk.download(&url).await;
        assert_eq!(status, 200);
        for secret in [&b"Exif"[..], b"GPS", b"http://ns.adobe.com", b"ICC_PROFILE"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{url}");
        }
    }
    let kept: Vec<_> = std::fs::read_dir(app.app.config.media_dir()).unwrap().collect();
    assert!(!kept.is_empty());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_sent_twice_is_kept_once() {
    let (app, village) = Village::start().await;
    let who = &village.clerk;
    let first = answer(who.uploading(Some("k1"), PNG.to_vec())).await.ok();
    let kept = files(&app);
    assert_eq!(answer(who.uploading(Some("k1"), PNG.to_vec())).await.ok()["id"], first["id"]);
    assert_eq!(files(&app), kept, "nothing surplus stays on the disk");
    assert_eq!(answer(who.uploading(Some("k1"), CLIP.to_vec())).await.refused(), "idempotency_mismatch");
    assert_eq!(files(&app), kept);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_photos_and_clips_of_a_decent_size_are_taken() {
    let (app, village) = Village::start().await;
    let who = &village.clerk;
    for (bytes, code) in [
        (b"<svg onload=alert(1)/>".to_vec(), "media_unsupported"),
        (b"MZ\x90\0".to_vec(), "media_unsupported"),
        (Vec::new(), "media_unreadable"),
        (PNG[..PNG.len() / 2].to_vec(), "media_unreadable"),
        ([PNG, &vec![0; 10 * 1024 * 1024]].concat(), "media_too_large"),
    ] {
        let length = bytes.len();
        assert_eq!(who.upload(bytes).await.refused(), code, "{length} bytes");
    }
    assert_eq!(who.post("/v1/media", json!({})).await.refused(), "unsupported_type");
    assert_eq!(files(&app), 0, "what is refused leaves nothing behind");
    for _ in 0..30 {
        who.upload(CLIP.to_vec()).await.ok();
    }
    assert_eq!(who.upload(CLIP.to_vec()).await.refused(), "too_many_requests", "thirty a day");
    village.chair.upload(CLIP.to_vec()).await.ok();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_is_sent_in_ranges_and_byte_for_byte() {
    let (app, village) = Village::start().await;
    let who = &village.clerk;
    let clip = who.upload(CLIP.to_vec()).await.ok();
    let url = clip["url"].as_str().unwrap();
    let length = CLIP.len();
    let whole = who.request(Method::GET, url).send().await.unwrap();
    let headers = whole.headers().clone();
    assert_eq!(whole.bytes().await.unwrap(), CLIP);
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(headers["cache-control"].to_str().unwrap().contains("private"));
    let tag = headers["etag"].to_str().unwrap();
    let range = |text: &'static str| [("range", text)];
    assert_eq!(
        part(who, url, &range("bytes=10-19")).await,
        (206, format!("bytes 10-19/{length}"), CLIP[10..20].to_vec())
    );
    let tail = format!("bytes {}-{}/{length}", length - 5, length - 1);
    assert_eq!(part(who, url, &range("bytes=-5")).await, (206, tail, CLIP[length - 5..].to_vec()));
    let (status, all, _) = part(who, url, &range("bytes=99999999-")).await;
    assert_eq!((status, all), (416, format!("bytes */{length}")));
    let (status, _, bytes) = part(who, url, &[("range", "bytes=0-1"), ("if-range", "\"other\"")]).await;
    assert_eq!((status, bytes.len()), (200, length), "a range of another file would not fit");
    let (status, _, bytes) = part(who, url, &[("range", "bytes=0-1"), ("if-range", tag)]).await;
    assert_eq!((status, bytes.len()), (206, 2));
    let (status, _, bytes) = part(who, url, &[("if-none-match", tag)]).await;
    assert_eq!((status, bytes.len()), (304, 0));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_has_a_file_asks_whether_it_may_show_it() {
    let (app, village) = Village::start().await;
    let (author, neighbour) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
    let clip = author.upload(CLIP.to_vec()).await.ok();
    let voice = json!({ "kind": "help", "visibility": "handlers", "text": "", "media": [clip["id"]] });
    author.post("/v1/suggestions", voice).await.ok();
    let url = clip["url"].as_str().unwrap();
    let shown = village.clerk.request(Method::GET, url).send().await.unwrap();
    assert_eq!(shown.headers()["cache-control"], "private, no-cache");
    let tag = shown.headers()["etag"].to_str().unwrap().to_owned();
    let again = async |who: &Somebody| part(who, url, &[("if-none-match", tag.as_str())]).await.0;
    assert_eq!((again(&village.clerk).await, again(&author).await), (304, 304), "nothing is sent twice");
    assert_eq!(again(&neighbour).await, 404, "the phone was handed on");
    village.end_seat_of(&app, village.clerk.person).await;
    assert_eq!(again(&village.clerk).await, 404, "the right has ended");
    author.post("/v1/me/consents", json!({ "purpose": "voice_clips", "is_given": false })).await.ok();
    assert_eq!(again(&author).await, 410, "it is destroyed");
    app.stop().await;
}

/// A hundred seconds of sound: several of the pieces in which a file is sealed.
fn long_clip() -> Vec<u8> {
    const SAMPLES: u32 = 800_000;
    let mut clip = b"RIFF".to_vec();
    clip.extend((36 + SAMPLES).to_le_bytes());
    clip.extend(b"WAVEfmt ");
    clip.extend(16_u32.to_le_bytes());
    // plain, one channel, 8,000 samples of 8 bits a second
    clip.extend([1_u16, 1].map(u16::to_le_bytes).concat());
    clip.extend([8_000_u32, 8_000].map(u32::to_le_bytes).concat());
    clip.extend([1_u16, 8].map(u16::to_le_bytes).concat());
    clip.extend(b"data");
    clip.extend(SAMPLES.to_le_bytes());
    clip.extend((0..SAMPLES).map(|at| u8::try_from(at % 251).unwrap()));
    clip
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_clip_is_given_piece_by_piece_and_breaks_off_where_it_was_changed() {
    let (app, village) = Village::start().await;
    let who = &village.clerk;
    let long = long_clip();
    let clip = who.upload(long.clone()).await.ok();
    let url = clip["url"].as_str().unwrap();
    assert!(who.download(url).await == (200, long.clone()));
    let (piece, length) = (256 * 1024, long.len());
    for (first, last) in
        [(0, 0), (piece - 1, piece), (piece, 2 * piece - 1), (1, length - 1), (3 * piece + 5, length - 1)]
    {
        let range = format!("bytes={first}-{last}");
        let (status, told, bytes) = part(who, url, &[("range", range.as_str())]).await;
        assert_eq!((status, told), (206, format!("bytes {first}-{last}/{length}")));
        assert!(bytes == long[first..=last], "{range}");
    }
    // somebody changes it on the disk: what comes before is heard, and nothing of what was changed
    let path = app.app.config.media_dir().join(media::files::name(clip["id"].as_str().unwrap().parse().unwrap()));
    let mut sealed = std::fs::read(&path).unwrap();
    let middle = sealed.len() / 2;
    sealed[middle] ^= 1;
    std::fs::write(&path, &sealed).unwrap();
    let (status, _, bytes) = part(who, url, &[("range", "bytes=0-999")]).await;
    assert_eq!((status, bytes), (206, long[..1_000].to_vec()));
    let whole = who.request(Method::GET, url).send().await.unwrap();
    assert_eq!(whole.status(), 200);
    assert!(whole.bytes().await.is_err(), "it breaks off");
    app.stop().await;
}

/// As versions before this one sealed files: the whole at once.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_sealed_as_a_whole_is_given_as_before() {
    let (app, village) = Village::start().await;
    let (who, long) = (&village.clerk, long_clip());
    let clip = who.upload(long.clone()).await.ok();
    let (id, url) = (clip["id"].as_str().unwrap().parse().unwrap(), clip["url"].as_str().unwrap());
    let db = app.app.store.read();
    let row = media::queries::row(db, id).await.unwrap().unwrap();
    let key = seals::queries::open(db, &app.app.keys, row.key_id.unwrap()).await.unwrap().unwrap();
    let path = app.app.config.media_dir().join(media::files::name(id));
    let opened = key.open_file("file", std::fs::read(&path).unwrap()).unwrap();
    std::fs::write(&path, key.seal("file", &opened).unwrap()).unwrap();
    assert!(who.download(url).await == (200, long.clone()));
    let (status, told, bytes) = part(who, url, &[("range", "bytes=262143-262144")]).await;
    assert_eq!((status, told), (206, format!("bytes 262143-262144/{}", long.len())));
    assert!(bytes == long[262_143..=262_144]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_attached_is_the_sender_s_alone_and_goes_after_days() {
    let (app, village) = Village::start().await;
    let author = village.villager(&app, "00007").await;
    let clip = author.upload(CLIP.to_vec()).await.ok();
    let url = clip["url"].as_str().unwrap();
    for who in [&village.clerk, &village.town, &village.chair, &village.neighbour(&app).await] {
        assert_eq!(who.download(url).await.0, 404);
    }
    assert_eq!(app.get(url).await.status, 401);
    let voice = |media: &serde_json::Value| json!({ "kind": "help", "visibility": "handlers", "text": "请听", "media": [media["id"]] });
    let thief = village.villager(&app, "00010").await;
    assert_eq!(thief.post("/v1/suggestions", voice(&clip)).await.refused(), "media_not_usable");
    let other = author.upload(CLIP.to_vec()).await.ok();
    author.post("/v1/suggestions", voice(&other)).await.ok();
    assert_eq!(author.post("/v1/suggestions", voice(&other)).await.refused(), "media_not_usable", "attached once");
    let before = files(&app);
    app.clock.advance(TimeDelta::days(3));
    assert_eq!(media::files::sweep(&app.app).await.unwrap(), 1);
    assert_eq!(files(&app), before - 1);
    assert_eq!(author.download(url).await.0, 404);
    assert_eq!(author.download(other["url"].as_str().unwrap()).await.0, 200);
    app.stop().await;
}
