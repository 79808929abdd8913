//! Files made to hurt: each is refused with a reason or kept as a picture or clip and nothing else, and the disk is bounded.
use std::{
    path::Path,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{resident_mib, said, status};
use crate::support::{Answer, Somebody, TestApp, Village, answer};

const PNG: &[u8] = include_bytes!("../../data/media/clear.png");
const JPG: &[u8] = include_bytes!("../../data/media/gps-sideways.jpg");
const WEBP: &[u8] = include_bytes!("../../data/media/lamp.webp");
const CLIPS: &[(&str, &[u8])] = &[
    ("wav", include_bytes!("../../data/media/lamp.wav")),
    ("m4a", include_bytes!("../../data/media/lamp.m4a")),
    ("mp3", include_bytes!("../../data/media/lamp.mp3")),
    ("amr", include_bytes!("../../data/media/lamp.amr")),
    ("ogg", include_bytes!("../../data/media/lamp.ogg")),
    ("webm", include_bytes!("../../data/media/lamp-chrome.webm")),
    ("aac", include_bytes!("../../data/media/lamp.aac")),
];
const PAYLOAD: &[u8] = b"<script>alert('CANARY')</script><?php system($_GET['c']); ?>";

fn pdf() -> Vec<u8> {
    b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj".to_vec()
}

fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(8 + content.len() as u32).to_be_bytes()[..], name, content].concat()
}

fn nested(name: &[u8; 4], depth: usize) -> Vec<u8> {
    (0..depth).fold(Vec::new(), |inner, _| boxed(name, &inner))
}

fn wav(format: u16, channels: u16, rate: u32, told: u32, data: &[u8]) -> Vec<u8> {
    let mut fmt = Vec::new();
    fmt.extend(format.to_le_bytes());
    fmt.extend(channels.to_le_bytes());
    fmt.extend(rate.to_le_bytes());
    fmt.extend((rate.wrapping_mul(2)).to_le_bytes());
    fmt.extend(2u16.to_le_bytes());
    fmt.extend(16u16.to_le_bytes());
    [b"RIFF", &told.to_le_bytes()[..], b"WAVEfmt ", &16u32.to_le_bytes(), &fmt, b"data", &told.to_le_bytes(), data]
        .concat()
}

/// A name, the bytes, and whether it may be kept.
fn list() -> Vec<(String, Vec<u8>, bool)> {
    let mut list: Vec<(String, Vec<u8>, bool)> = Vec::new();
    let no: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("one byte", vec![0]),
        ("SVG", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec()),
        ("SVG bomb", b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><svg>&b;</svg>".to_vec()),
        ("HTML", b"<!doctype html><script>alert(1)</script>".to_vec()),
        ("HTML behind GIF's name", [b"GIF89a/*", PAYLOAD, b"*/=1"].concat()),
        ("GIF", b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;".to_vec()),
        ("BMP", [b"BM", &[0; 100][..]].concat()),
        ("TIFF", b"II*\0\x08\0\0\0".to_vec()),
        ("ICO", b"\0\0\x01\0\x01\0".to_vec()),
        ("AVIF", b"\x00\x00\x00\x20ftypavif\x00\x00\x00\x00avifmif1miaf".to_vec()),
        ("HEIC", b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic".to_vec()),
        ("PDF", pdf()),
        ("ZIP", b"PK\x03\x04".repeat(50)),
        ("program", b"\x7fELF\x02\x01\x01".repeat(20)),
        ("Windows program", b"MZ\x90\x00".repeat(20)),
        ("shell", b"#!/bin/sh\nrm -rf /\n".to_vec()),
        ("PHP", PAYLOAD.to_vec()),
        ("gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".to_vec()),
        ("JPEG's first bytes", b"\xff\xd8\xff\xe0".to_vec()),
        ("JPEG 65,535 a side", [&JPG[..2], b"\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xd9"].concat()),
        ("JPEG with a segment of no length", [&JPG[..2], b"\xff\xe1\x00\x00\xff\xd9"].concat()),
        ("JPEG of markers", [&JPG[..2], &b"\xff\xd8".repeat(50_000)[..]].concat()),
        ("PNG's first bytes", PNG[..8].to_vec()),
        ("WebP that promises 4 GiB", [&WEBP[..12], b"VP8X\xff\xff\xff\xff"].concat()),
        ("WebP of 16,384 a side", b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x3f\0\xff\x3f\0".to_vec()),
        ("AMR without a frame", b"#!AMR\n".to_vec()),
        ("AMR of nonsense", [&b"#!AMR\n"[..], &[0xff; 1000]].concat()),
        ("AMR of an hour", [&b"#!AMR\n"[..], &[0x7c; 180_000]].concat()),
        ("WAV of no channels", wav(1, 0, 8000, 100, &[0; 100])),
        ("WAV at no rate", wav(1, 1, 0, 100, &[0; 100])),
        ("WAV of an hour", wav(1, 1, 1, 7200, &[0; 7200])),
        ("WAV without samples", wav(1, 1, 8000, 0, &[])),
        ("MP4 of a box in a box, 10,000 deep", [boxed(b"ftyp", b"M4A \0\0\0\0"), nested(b"moov", 10_000)].concat()),
        ("MP4 of boxes of no length", [boxed(b"ftyp", b"M4A \0\0\0\0"), b"\0\0\0\x01moov\0\0\0\0\0\0\0\0".repeat(1000)].concat()),
        ("MP4 of 200,000 empty boxes", [boxed(b"ftyp", b"M4A \0\0\0\0"), b"\0\0\0\x08free".repeat(200_000)].concat()),
        ("MP4 with a box of 2^64", [boxed(b"ftyp", b"M4A \0\0\0\0"), b"\0\0\0\x01moov\xff\xff\xff\xff\xff\xff\xff\xff".to_vec()].concat()),
        ("moving pictures", include_bytes!("../../data/media/video.mp4").to_vec()),
        ("moving pictures, WebM", include_bytes!("../../data/media/video.webm").to_vec()),
        ("WebM of elements without an end", [&CLIPS[5].1[..4], &b"\x1a\x45\xdf\xa3\xff".repeat(20_000)[..]].concat()),
        ("Ogg of pages without end", b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff".repeat(5000)),
        ("3 MiB of a clip", [CLIPS[0].1, &vec![0; 3 << 20][..]].concat()),
        ("11 MiB of a photo", [JPG, &vec![0; 11 << 20][..]].concat()),
    ];
    list.extend(no.into_iter().map(|(name, bytes)| (name.to_owned(), bytes, false)));
    // two things at once, cut short, or bent: kept as a picture or clip, or refused
    for (name, photo) in [("png", PNG), ("jpg", JPG), ("webp", WEBP)].into_iter().chain(CLIPS.iter().copied()) {
        list.push((format!("{name} and HTML behind it"), [photo, PAYLOAD].concat(), true));
        list.push((format!("{name} and a ZIP behind it"), [photo, b"PK\x03\x04PK\x05\x06", PAYLOAD].concat(), true));
        list.push((format!("{name} within a PDF"), [&pdf()[..], photo].concat(), false));
        list.push((format!("HTML before {name}"), [PAYLOAD, photo].concat(), false));
        for part in [photo.len() / 10, photo.len() / 2, photo.len() - 1] {
            list.push((format!("{name} cut at {part}"), photo[..part].to_vec(), true));
        }
        for step in [7, 97] {
            let mut bent = photo.to_vec();
            bent.iter_mut().skip(16).step_by(step).for_each(|byte| *byte ^= 0x55);
            list.push((format!("{name} with each {step}th byte bent"), bent, true));
        }
    }
    let comment = [&JPG[..2], b"\xff\xfe", &(PAYLOAD.len() as u16 + 2).to_be_bytes()[..], PAYLOAD, &JPG[2..]].concat();
    list.push(("jpg with HTML in its comment".to_owned(), comment, true));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/media/hostile");
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.extension().is_some_and(|kind| kind == "png") {
            let name = entry.file_name().unwrap().to_string_lossy().into_owned();
            let may = !name.starts_with("two-billion") && !name.starts_with("claims");
            list.push((name, std::fs::read(&entry).unwrap(), may));
        }
    }
    list
}

async fn is_harmless(who: &Somebody, name: &str, kept: &Answer) -> Result<(), String> {
    let path = kept.body["url"].as_str().unwrap();
    let response = who.request(Method::GET, path).send().await.unwrap();
    let header =
        |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let (kind, sniff, policy) =
        (header("content-type"), header("x-content-type-options"), header("content-security-policy"));
    if sniff != "nosniff"
        || !policy.contains("default-src 'self'")
        || !(kind == "image/jpeg" || kind.starts_with("audio/"))
    {
        return Err(format!("{name}: sent as {kind}, {sniff}, {policy}"));
    }
    let bytes = response.bytes().await.unwrap();
    let holds_payload = bytes.windows(6).any(|six| six == b"CANARY");
    if kind == "image/jpeg" && holds_payload {
        Err(format!("{name}: a picture still holds its payload"))
    } else {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_hostile_file_is_refused_or_made_harmless() {
    let (app, village) = Village::start().await;
    let (list, before) = (list(), resident_mib(std::process::id()));
    let (mut wrong, mut kept, mut of_today, mut peak) = (Vec::new(), 0, 0, before);
    for (name, bytes, may_be_kept) in &list {
        // a day's share is thirty
        if kept == of_today + 20 {
            (of_today, _) = (kept, app.clock.advance(chrono::TimeDelta::hours(49)));
        }
        let began = Instant::now();
        let answer = village.clerk.upload(bytes.clone()).await;
        if began.elapsed() > Duration::from_secs(2) {
            println!("{name}: {:?}", began.elapsed());
        }
        peak = peak.max(resident_mib(std::process::id()));
        match answer.status {
            201 if *may_be_kept => {
                kept += 1;
                wrong.extend(is_harmless(&village.clerk, name, &answer).await.err());
            }
            413 | 415 | 422 => {}
            _ => wrong.push(format!("{name}: {} {}", answer.status, answer.body)),
        }
    }
    println!(
        "{} hostile files: {kept} kept harmless, {} refused; {before} MiB before, {peak} at most",
        list.len(),
        list.len() - kept
    );
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), list.len(), wrong.join("\n"));
    let incoming = std::fs::read_dir(app.app.config.media_dir().join("incoming")).unwrap().count();
    assert_eq!(incoming, 0, "nothing is left on its way");
    app.stop().await;
}

/// Sent by hand: what is promised, and how it is called.
async fn by_hand(app: &TestApp, who: &Somebody, (headers, body): (&str, &[u8])) -> (u16, usize) {
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let head = format!("POST /v1/media HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n{headers}\r\n", who.token());
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut sent = 0;
    for part in body.chunks(64 * 1024) {
        match tokio::time::timeout(Duration::from_secs(3), stream.write_all(part)).await {
            Ok(Ok(())) => sent += part.len(),
            _ => break,
        }
    }
    (status(&said(&mut stream, Duration::from_secs(2)).await), sent)
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_that_are_none_are_refused_and_names_mean_nothing() {
    let (app, village) = Village::start().await;
    let who = &village.clerk;
    let form = "Content-Type: multipart/form-data; boundary=x\r\n";
    let part = |disposition: &str| format!("--x\r\nContent-Disposition: {disposition}\r\n\r\n");
    let huge = vec![b'x'; 40 << 20];
    let chunked: Vec<u8> = huge.chunks(1 << 20).flat_map(|part| [b"100000\r\n", part, b"\r\n"].concat()).collect();
    let file = part("form-data; name=\"file\"; filename=\"a\"");
    let cases: Vec<(&str, String, Vec<u8>, &[u16])> = vec![
        ("10 GB promised", format!("{form}Content-Length: 10737418240\r\n"), Vec::new(), &[413]),
        (
            "10 GB promised and expected",
            format!("{form}Content-Length: 10737418240\r\nExpect: 100-continue\r\n"),
            Vec::new(),
            &[413],
        ),
        (
            "40 MB in chunks",
            format!("{form}Transfer-Encoding: chunked\r\n"),
            [format!("{:x}\r\n{file}\r\n", file.len()).as_bytes(), &chunked].concat(),
            &[413, 0],
        ),
        ("no form", "Content-Type: image/png\r\nContent-Length: 3\r\n".to_owned(), b"abc".to_vec(), &[415]),
        (
            "no boundary",
            "Content-Type: multipart/form-data\r\nContent-Length: 3\r\n".to_owned(),
            b"abc".to_vec(),
            &[400, 415],
        ),
        (
            "a boundary of 1 KB",
            format!("Content-Type: multipart/form-data; boundary={}\r\nContent-Length: 3\r\n", "x".repeat(1000)),
            b"abc".to_vec(),
            &[400, 415, 422],
        ),
        ("no file in it", format!("{form}Content-Length: 5\r\n"), b"--x--".to_vec(), &[400, 422]),
        (
            "another field",
            format!("{form}Content-Length: 60\r\n"),
            part("form-data; name=\"evil\"").into_bytes(),
            &[400, 422, 408, 0],
        ),
        (
            "headers of a part without end",
            format!("{form}Transfer-Encoding: chunked\r\n"),
            [b"100000\r\n--x\r\n", &vec![b'a'; 0x100000 - 5][..], b"\r\n"].concat(),
            &[400, 413, 422, 408, 0],
        ),
    ];
    for (name, headers, body, expected) in cases {
        let (status, sent) = by_hand(&app, who, (&headers, &body)).await;
        assert!(expected.contains(&status), "{name}: {status} after {sent} bytes");
        who.get("/v1/me").await.ok();
    }
    // a name is never a path, and never comes back
    for name in [
        "../../../etc/passwd",
        "a.php",
        "a\"b\r\nX-Evil: 1",
        "\u{202e}gpj.exe",
        "",
        &"x".repeat(5000),
        "con",
        "..",
        "%00.png",
        "名字.jpg",
    ] {
        let named = reqwest::multipart::Part::bytes(PNG).file_name(name.to_owned()).mime_str("text/html").unwrap();
        let form = reqwest::multipart::Form::new().part("file", named);
        let kept = answer(who.request(Method::POST, "/v1/media").multipart(form)).await;
        let is_plain = kept.status == 201 && kept.body["mime"] == "image/jpeg";
        assert!(is_plain || kept.status == 400, "{name:?}: {} {}", kept.status, kept.body);
    }
    assert!(!app.folder.path().join("etc").exists());
    app.stop().await;
}

/// Attached media stay for good: without a bound on them one person filled the disk, five files a second.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_a_share_of_the_disk_and_of_the_lines() {
    let (app, village) = Village::start().await;
    let (greedy, other) = (village.villager(&app, "00007").await, village.villager(&app, "00010").await);
    let mut kept = 0;
    for _ in 0..12 {
        let mut photos = Vec::new();
        for _ in 0..9 {
            let sent = greedy.upload(PNG.to_vec()).await;
            if sent.status == 201 {
                photos.push(sent.body["id"].clone());
            } else {
                assert_eq!(sent.refused(), "too_many_requests");
            }
        }
        kept += photos.len();
        let voice = json!({ "kind": "help", "visibility": "public", "text": "看照片", "place": "", "media": photos });
        greedy.post("/v1/suggestions", voice).await.ok();
    }
    assert_eq!(kept, 100);
    other.upload(PNG.to_vec()).await.ok();
    // four at once and no more, however slowly they come
    let mut slow = Vec::new();
    for _ in 0..6 {
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        let head = format!(
            "POST /v1/media HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: multipart/form-data; boundary=x\r\n\
             Content-Length: 100000\r\n\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc",
            other.token()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        slow.push(stream);
    }
    let mut answers = Vec::new();
    for stream in &mut slow {
        answers.push(status(&said(stream, Duration::from_millis(400)).await));
    }
    assert_eq!(answers, [0, 0, 0, 0, 429, 429]);
    drop(slow);
    tokio::time::sleep(Duration::from_millis(300)).await;
    other.upload(PNG.to_vec()).await.ok();
    app.stop().await;
}
