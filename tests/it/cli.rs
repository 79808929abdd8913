//! The command line from outside: exit codes, one clear line, nothing half done.
use std::{os::unix::fs::PermissionsExt, process::Output};

use crate::support::{FFMPEG, House, Process, Raw, count, free_port, is_ffmpeg, run};

const ROSTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/roster_small.csv");

fn house() -> House {
    House::new()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn exits(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "stdout: {}\nstderr: {}", out(output), err(output));
}

/// What stops a start with one line that names the setting.
#[track_caller]
fn stops_the_start(settings: &[(&str, &str)], named: &str) {
    let house = House::of_sqlite();
    for arguments in [&["serve"][..], &["migrate"], &["verify", "--log"]] {
        let output = run(house.path(), arguments, settings);
        exits(&output, 2);
        assert_eq!(err(&output).trim_end().lines().count(), 1, "one line: {}", err(&output));
        assert!(err(&output).contains(named), "{named} is named: {}", err(&output));
        assert_eq!(out(&output), "");
    }
    assert_eq!(std::fs::read_dir(house.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn unknown_settings_and_impossible_values_stop_the_start() {
    stops_the_start(&[("LIUSHENG_LISTTEN", "127.0.0.1:1")], "listten");
    stops_the_start(&[("LIUSHENG_LISTEN", "somewhere")], "listen");
    stops_the_start(&[("LIUSHENG_REDIS_URL", "http://127.0.0.1")], "redis_url");
    stops_the_start(&[("LIUSHENG_DATABASE_URL", "mysql://127.0.0.1/x")], "database_url");
    stops_the_start(&[("LIUSHENG_DATABASE_READERS", "0")], "database_readers");
    stops_the_start(&[("LIUSHENG_DATABASE_READERS", "65")], "database_readers");
    stops_the_start(&[("LIUSHENG_MEDIA_URL", "ftp://x")], "media_url");
    stops_the_start(&[("LIUSHENG_MEDIA_URL", "s3://photos")], "media_s3_endpoint");
    let keyed = ["https://key:secret@s3.example.cn", "https://:secret@s3.example.cn"];
    for wrong in ["s3.example.cn", "https://", "ftp://s3.example.cn"].into_iter().chain(keyed) {
        let given = [("LIUSHENG_MEDIA_URL", "s3://photos"), ("LIUSHENG_MEDIA_S3_ENDPOINT", wrong)];
        stops_the_start(&given, "media_s3_endpoint");
    }
    let endpoint = ("LIUSHENG_MEDIA_S3_ENDPOINT", "https://s3.example.cn");
    for wrong in ["s3://", "s3://a b/", "s3://photos/../x", "s3://photos//x"] {
        stops_the_start(&[("LIUSHENG_MEDIA_URL", wrong), endpoint], "media_url");
    }
    let region = ("LIUSHENG_MEDIA_S3_REGION", "cn-north-1");
    let key = ("LIUSHENG_MEDIA_S3_KEY_ID", "id");
    stops_the_start(&[("LIUSHENG_MEDIA_URL", "s3://photos"), endpoint, region, key], "media_s3_key_secret");
    stops_the_start(&[("LIUSHENG_SMS_PROVIDER", "pigeon")], "sms_provider");
    stops_the_start(&[("LIUSHENG_WRITES_PER_SECOND", "0")], "writes_per_second");
    stops_the_start(&[("LIUSHENG_WRITES_PER_SECOND", "-1")], "writes_per_second");
    stops_the_start(&[("LIUSHENG_DRAIN_TIMEOUT_SECS", "soon")], "drain_timeout_secs");
    stops_the_start(&[("LIUSHENG_REDIS_URL_FILE", "/nowhere/secret")], "redis_url");
}

#[test]
fn a_settings_file_is_held_to_the_same() {
    let house = house();
    let file = house.path().join("liusheng.toml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, "session_days = 30\nsession_weeks = 4\n").unwrap();
    let output = run(house.path(), &["migrate"], &[("LIUSHENG_CONFIG", path)]);
    exits(&output, 2);
    assert!(err(&output).contains("session_weeks"), "{}", err(&output));
    std::fs::write(&file, "session_days = 30\n").unwrap();
    exits(&run(house.path(), &["migrate"], &[("LIUSHENG_CONFIG", path)]), 0);
    let missing = run(house.path(), &["migrate"], &[("LIUSHENG_CONFIG", "/nowhere/liusheng.toml")]);
    exits(&missing, 2);
}

#[test]
fn help_is_plain_and_wrong_usage_is_two() {
    let house = House::of_sqlite();
    let help = run(house.path(), &["--help"], &[]);
    exits(&help, 0);
    for word in
        ["serve", "demo", "migrate", "import", "verify", "redrive", "backup", "restore", "doctor", "openapi", "--role"]
    {
        assert!(out(&help).contains(word), "{word}: {}", out(&help));
    }
    exits(&run(house.path(), &["import", "--help"], &[]), 0);
    exits(&run(house.path(), &["--version"], &[]), 0);
    for wrong in [
        &["fly"][..],
        &["serve", "--role", "king"],
        &["import"],
        &["import", "roster"],
        &["verify"],
        &["migrate", "twice"],
    ] {
        let output = run(house.path(), wrong, &[]);
        exits(&output, 2);
        assert!(!err(&output).is_empty());
    }
    assert_eq!(std::fs::read_dir(house.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn migrating_twice_changes_nothing_and_keys_stay_private() {
    let house = house();
    exits(&run(house.path(), &["migrate"], &[]), 0);
    let keys = house.path().join("keys.json");
    let before = std::fs::read(&keys).unwrap();
    exits(&run(house.path(), &["migrate"], &[]), 0);
    assert_eq!(std::fs::read(&keys).unwrap(), before, "keys are made once");
    assert_eq!(std::fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o600);

    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = run(house.path(), &["migrate"], &[]);
    exits(&open, 1);
    assert!(err(&open).contains("keys.json") && err(&open).contains("chmod 600"), "{}", err(&open));
}

#[test]
fn a_broken_database_and_a_taken_port_are_refused_with_a_reason() {
    let house = house();
    std::fs::write(house.path().join("liusheng.db"), b"this is not a database, however long it may go on".repeat(100))
        .unwrap();
    let broken = run(house.path(), &["migrate"], &[("LIUSHENG_DATABASE_URL", "")]);
    exits(&broken, 1);
    assert!(!err(&broken).contains("panicked"), "{}", err(&broken));

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let house = House::new();
    let refused = run(house.path(), &["serve"], &[("LIUSHENG_LISTEN", &address)]);
    exits(&refused, 1);
    assert!(!err(&refused).contains("panicked"), "{}", err(&refused));
}

#[test]
fn a_roster_is_imported_whole_and_again_without_a_change() {
    let house = house();
    let first = run(house.path(), &["import", "roster", ROSTER], &[]);
    exits(&first, 0);
    assert!(out(&first).contains("59 rows: 59 added"), "{}", out(&first));
    let again = run(house.path(), &["import", "roster", ROSTER], &[]);
    exits(&again, 0);
    assert!(out(&again).contains("59 rows: 0 added, 0 changed, 0 left"), "{}", out(&again));
    let nowhere = run(house.path(), &["import", "roster", "/nowhere/roster.csv"], &[]);
    exits(&nowhere, 1);
    assert!(!err(&nowhere).contains("panicked"), "{}", err(&nowhere));
}

#[tokio::test]
async fn a_broken_roster_names_its_lines_and_imports_nobody() {
    let house = house();
    let mut lines: Vec<String> = std::fs::read_to_string(ROSTER).unwrap().lines().map(str::to_owned).collect();
    lines[3] = lines[3].replace(",男,", ",人,");
    lines[6] = lines[6].replace("3305", "3306");
    lines[9] = lines[9].replace(",19500000009,", ",12,");
    let file = house.path().join("broken.csv");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let output = run(house.path(), &["import", "roster", file.to_str().unwrap()], &[]);
    exits(&output, 1);
    for place in ["line 4, column sex", "line 7, ", "line 10, column phone", "roster_invalid"] {
        assert!(err(&output).contains(place), "{place}: {}", err(&output));
    }
    for private in ["19500000009", "33059919", "费文斌"] {
        assert!(!err(&output).contains(private), "{}", err(&output));
    }
    assert_eq!(count(house.path(), "SELECT count(*) FROM people").await, 0);
    assert_eq!(count(house.path(), "SELECT count(*) FROM households").await, 0);
}

#[test]
fn looking_into_nothing_makes_nothing() {
    let house = House::of_sqlite();
    for arguments in [&["verify", "--log"][..], &["redrive"]] {
        let output = run(house.path(), arguments, &[]);
        exits(&output, 1);
        assert!(err(&output).contains("没有数据库"), "{}", err(&output));
    }
    assert_eq!(std::fs::read_dir(house.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn another_key_file_is_refused_until_it_is_taken_for_good() {
    let house = house();
    exits(&run(house.path(), &["import", "roster", ROSTER], &[]), 0);
    let (keys, safe) = (house.path().join("keys.json"), house.path().join("safe.json"));
    std::fs::rename(&keys, &safe).unwrap();
    let gone = run(house.path(), &["doctor"], &[]);
    exits(&gone, 1);
    assert!(out(&gone).contains("keys.json 却不见了"), "{}", out(&gone));
    let refused = run(house.path(), &["verify", "--log"], &[]);
    exits(&refused, 1);
    assert!(err(&refused).contains("请放回原来的 keys.json"), "{}", err(&refused));
    assert!(!keys.exists(), "no new file stands where the right one belongs");
    // one that works is no better when it is another's
    let other = House::of_sqlite();
    exits(&run(other.path(), &["migrate"], &[]), 0);
    std::fs::copy(other.path().join("keys.json"), &keys).unwrap();
    exits(&run(house.path(), &["verify", "--log"], &[]), 1);
    let ill = run(house.path(), &["doctor"], &[]);
    assert!(out(&ill).contains("不是这个数据库一直在用的密钥"), "{}", out(&ill));
    // found again
    std::fs::copy(&safe, &keys).unwrap();
    exits(&run(house.path(), &["verify", "--log"], &[]), 0);
    // lost for good
    std::fs::remove_file(&keys).unwrap();
    exits(&run(house.path(), &["migrate", "--new-keys"], &[]), 0);
    exits(&run(house.path(), &["doctor"], &[]), 0);
    std::fs::copy(&safe, &keys).unwrap();
    exits(&run(house.path(), &["migrate"], &[]), 1);
}

#[test]
fn what_is_made_is_for_nobody_else() {
    let house = House::of_sqlite();
    exits(&run(house.path(), &["migrate"], &[]), 0);
    for file in std::fs::read_dir(house.path()).unwrap().map(Result::unwrap) {
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{} {mode:o}", file.path().display());
    }
}

#[test]
fn a_wrong_setting_is_named_without_its_secret() {
    let house = house();
    for (key, value) in [("LIUSHENG_DATABASE_URL", "hunter2pass"), ("LIUSHENG_REDIS_URL", "hunter2pass")] {
        let output = run(house.path(), &["migrate"], &[(key, value)]);
        exits(&output, 2);
        assert!(!err(&output).contains("hunter2"), "{}", err(&output));
    }
    let file = house.path().join("settings.toml");
    std::fs::write(&file, "database_url = \"postgres://u:hunter2pass@h/d\n").unwrap();
    let output = run(house.path(), &["migrate"], &[("LIUSHENG_CONFIG", file.to_str().unwrap())]);
    exits(&output, 2);
    assert!(!err(&output).contains("hunter2"), "{}", err(&output));
    for wrong in ["abc", "10.0.0.0/99", "127.0.0.1,proxy"] {
        stops_the_start(&[("LIUSHENG_TRUSTED_PROXIES", wrong)], "trusted_proxies");
    }
}

#[tokio::test]
async fn verifying_the_log_is_zero_or_names_the_first_bad_entry() {
    let house = house();
    exits(&run(house.path(), &["import", "roster", ROSTER], &[]), 0);
    exits(&run(house.path(), &["verify", "--log"], &[]), 0);
    // a server gives the events their numbers, and signs at its end
    let log = house.path().join("server.log");
    let server = Process::serve(house.path(), free_port(), &[], &log).await;
    for _ in 0..600 {
        if count(house.path(), "SELECT count(*) FROM events WHERE number IS NULL").await == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(server.terminate().code(), Some(0));
    let whole = run(house.path(), &["verify", "--log"], &[]);
    exits(&whole, 0);
    assert!(out(&whole).contains("signed checkpoints verify"), "{}", out(&whole));

    let database = Raw::open(house.path()).await;
    database.execute("UPDATE events SET kind = 'body.founded' WHERE number = 1").await;
    database.close().await;
    let edited = run(house.path(), &["verify", "--log"], &[]);
    exits(&edited, 1);
    assert!(out(&edited).contains("event 1 "), "{}", out(&edited));
}

#[test]
fn the_description_is_printed_and_nothing_else() {
    let house = house();
    let printed = run(house.path(), &["openapi"], &[]);
    exits(&printed, 0);
    assert_eq!(out(&printed), liusheng::server::openapi().unwrap());
}

#[test]
fn the_doctor_names_each_fault_in_two_languages() {
    let house = house();
    exits(&run(house.path(), &["migrate"], &[]), 0);
    let well = run(house.path(), &["doctor"], &[]);
    exits(&well, 0);
    assert!(out(&well).contains("[ok] database: 数据库正常"), "{}", out(&well));
    let faults = |settings: &[(&str, &str)], part: &str, code: &str| {
        let ill = run(house.path(), &["doctor", "--json"], settings);
        exits(&ill, 1);
        let found: Vec<serde_json::Value> = serde_json::from_slice(&ill.stdout).unwrap();
        let fault = found.iter().find(|one| one["state"] == "fault").unwrap();
        assert_eq!((fault["part"].as_str(), fault["code"].as_str()), (Some(part), Some(code)), "{found:?}");
        assert!(fault["english"].as_str().unwrap().len() > 10 && !fault["chinese"].as_str().unwrap().contains('⟦'));
    };
    faults(&[("LIUSHENG_REDIS_URL", "redis://127.0.0.1:1")], "redis", "redis_unreachable");
    faults(&[("LIUSHENG_SPEECH_COMMAND", "/bin/cat")], "speech", "speech_bad");
    let clip = concat!("/bin/cat ", env!("CARGO_MANIFEST_DIR"), "/tests/data/media/lamp.ogg");
    let speaks = run(house.path(), &["doctor"], &[("LIUSHENG_SPEECH_COMMAND", clip)]);
    assert!(out(&speaks).contains("[ok] speech:"), "{}", out(&speaks));
    exits(&run(house.path(), &["doctor"], &[("LIUSHENG_SPEECH_COMMAND", "say it")]), 2);
    faults(&[("LIUSHENG_FFMPEG", "/bin/cat")], "ffmpeg", "ffmpeg_bad");
    exits(&run(house.path(), &["doctor"], &[("LIUSHENG_FFMPEG", "ffmpeg")]), 2);
    if is_ffmpeg("doctor tries it") {
        let makes = run(house.path(), &["doctor"], &[("LIUSHENG_FFMPEG", FFMPEG)]);
        assert!(out(&makes).contains("[ok] ffmpeg:"), "{}", out(&makes));
    }
    faults(&[("LIUSHENG_PUBLIC_URL", "https://127.0.0.1:1")], "public_url", "public_url_unreachable");
    let keys = house.path().join("keys.json");
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o644)).unwrap();
    faults(&[], "keys", "keys_bad");
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o600)).unwrap();
    if !house.is_sqlite() {
        faults(&[("LIUSHENG_DATABASE_URL", "postgres://me@127.0.0.1:1/nothing")], "database", "database_unreachable");
        return;
    }
    let file = house.path().join("liusheng.db");
    std::fs::write(&file, b"this is not a database, however long it may go on".repeat(100)).unwrap();
    for beside in ["liusheng.db-wal", "liusheng.db-shm"] {
        std::fs::remove_file(house.path().join(beside)).ok();
    }
    faults(&[], "database", "database_unreachable");
}
