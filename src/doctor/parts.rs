//! The looks, one for each part outside the program.
use std::{net::IpAddr, path::Path, time::Duration};

use chrono::{Datelike, TimeDelta};

use super::{Finding, State};
use crate::{
    aloud, broker,
    calendar::Calendar,
    clock::{self, Clock},
    config::{Config, SmsProvider},
    error::{Error, Result},
    events,
    gateways::{Gateways, wechat::WechatApp},
    keys::{KEY_FILE, Keys, install_tls},
    media::conversion,
    seals,
    shelf::Shelf,
    store::{self, catalog},
};

/// Below this writes are about to fail.
const FULL_MIB: u64 = 64;
const TIGHT_MIB: u64 = 1024;
const PATIENCE: Duration = Duration::from_secs(5);
/// A large file is read from end to end.
const LOOK: Duration = Duration::from_secs(120);

/// Looks at everything.
pub async fn examine(config: &Config, clock: &Clock) -> Vec<Finding> {
    let mut found = vec![folder(&config.data_dir)];
    found.push(media(config).await);
    found.push(keys(&config.data_dir));
    found.extend(database(config, clock).await);
    found.extend(time(config, clock));
    found.push(redis(&config.redis_url).await);
    found.extend(providers(config, clock).await);
    found.extend(speech(config).await);
    found.extend(ffmpeg(config).await);
    found.push(public_url(&config.public_url).await);
    found
}

fn folder(path: &Path) -> Finding {
    let shown = ("folder", path.display().to_string());
    if let Err(error) = try_writing(path) {
        return Finding::new("data_dir", State::Fault, "folder_unwritable", &[shown, ("error", error.to_string())]);
    }
    let free = rustix::fs::statvfs(path).map_or(u64::MAX, |about| about.f_bavail.saturating_mul(about.f_frsize) >> 20);
    let (state, code) = match free {
        0..FULL_MIB => (State::Fault, "folder_full"),
        FULL_MIB..TIGHT_MIB => (State::Warning, "folder_tight"),
        _ => (State::Ok, "folder_well"),
    };
    Finding::new("data_dir", state, code, &[shown, ("free", free.to_string())])
}

async fn media(config: &Config) -> Finding {
    let path = config.media_dir();
    let shown = ("folder", path.display().to_string());
    // made at the first start
    let nearest = path.ancestors().find(|folder| folder.exists()).unwrap_or(&path);
    if let Err(error) = try_writing(nearest) {
        return Finding::new("media", State::Fault, "media_unwritable", &[shown, ("error", error.to_string())]);
    }
    let shelf = match Shelf::open(config) {
        Ok(Shelf::Folder(_)) => return Finding::new("media", State::Ok, "media_well", &[shown]),
        Ok(shelf) => shelf,
        Err(error) => return Finding::new("media", State::Fault, "providers_bad", &[("error", error.to_string())]),
    };
    let shown = ("bucket", config.media_url.clone());
    let sample = config.data_dir.join(format!(".liusheng-doctor-{}", uuid::Uuid::now_v7()));
    let tried = try_bucket(&shelf, &sample).await;
    drop(std::fs::remove_file(sample));
    match tried {
        Ok(false) if is_overheard(&config.media_s3_endpoint) => {
            Finding::new("media", State::Warning, "bucket_plain", &[shown])
        }
        Ok(false) => Finding::new("media", State::Ok, "bucket_well", &[shown]),
        Ok(true) => Finding::new("media", State::Fault, "bucket_public", &[shown]),
        Err(error) => {
            let said = shelf.trouble().unwrap_or_else(|| error.to_string());
            Finding::new("media", State::Fault, "bucket_bad", &[shown, ("error", said)])
        }
    }
}

/// Without TLS, and beyond this machine: what is asked, and the signatures, can be read on the way.
fn is_overheard(endpoint: &str) -> bool {
    let is_here = |url: &reqwest::Url| {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    reqwest::Url::parse(endpoint).is_ok_and(|url| url.scheme() == "http" && !is_here(&url))
}

/// Puts a file there, lists it, reads it and takes it away. Says whether strangers could read it meanwhile.
async fn try_bucket(shelf: &Shelf, sample: &Path) -> Result<bool> {
    let name = format!("doctor/{}", uuid::Uuid::now_v7());
    std::fs::write(sample, name.as_bytes())?;
    shelf.copy_in(sample, &name).await?;
    let is_public = shelf.is_public(&name).await?;
    let is_listed = shelf.list(Some("doctor")).await?.iter().any(|lying| lying.name == name);
    let read = shelf.read(&name).await?;
    shelf.remove(&name).await?;
    if !is_listed || read.is_none_or(|bytes| bytes != name.as_bytes()) || shelf.read(&name).await?.is_some() {
        return Err(Error::broken("it does not keep, list, give or take away what it should"));
    }
    Ok(is_public)
}

/// Writes a file with something in it, as a full disk may still make empty ones, and takes it away.
fn try_writing(folder: &Path) -> std::io::Result<()> {
    let file = folder.join(".liusheng-doctor");
    let written = std::fs::write(&file, [7; 8192]);
    std::fs::remove_file(&file).or_else(|error| if written.is_err() { Ok(()) } else { Err(error) })?;
    written
}

fn keys(data_dir: &Path) -> Finding {
    let file = data_dir.join(KEY_FILE);
    if !file.exists() {
        return Finding::new("keys", State::Warning, "keys_missing", &[("file", file.display().to_string())]);
    }
    match Keys::load_or_make(data_dir) {
        Ok(_) => Finding::new("keys", State::Ok, "keys_well", &[]),
        Err(error) => Finding::new("keys", State::Fault, "keys_bad", &[("error", error.to_string())]),
    }
}

async fn database(config: &Config, clock: &Clock) -> Vec<Finding> {
    if !store::exists(&config.database()) {
        return vec![Finding::new("database", State::Warning, "database_missing", &[])];
    }
    let looked = tokio::time::timeout(LOOK, look(config, clock)).await;
    match looked.unwrap_or_else(|_| Err(Error::broken("no answer in time"))) {
        Ok(found) if found.is_empty() => vec![Finding::new("database", State::Ok, "database_well", &[])],
        Ok(found) => found,
        Err(error) => {
            let said = ("error", error.to_string());
            vec![Finding::new("database", State::Fault, "database_unreachable", &[said])]
        }
    }
}

async fn look(config: &Config, clock: &Clock) -> Result<Vec<Finding>> {
    let doubts = store::doubts(&config.database()).await?.into_iter();
    let mut found: Vec<_> =
        doubts.map(|doubt| Finding::new("database", State::Fault, "database_unsafe", &[("doubt", doubt)])).collect();
    let damage = store::damage(&config.database()).await?;
    found.extend(damage.map(|said| Finding::new("database", State::Fault, "database_damaged", &[("error", said)])));
    let db = store::snapshot(&config.database()).await?;
    let (applied, known) = (catalog::steps(&db).await?, migrations::names());
    if !known.starts_with(&applied) {
        found.push(Finding::new("database", State::Fault, "schema_ahead", &[]));
        return Ok(found);
    }
    if applied.len() < known.len() {
        let count = ("count", (known.len() - applied.len()).to_string());
        found.push(Finding::new("database", State::Fault, "schema_behind", &[count]));
        return Ok(found);
    }
    let standing = events::standing(&db).await?;
    if config.data_dir.join(KEY_FILE).exists() {
        let missing = match Keys::load_or_make(&config.data_dir) {
            Ok(keys) => seals::prints::missing(&db, &keys).await?,
            // said elsewhere
            Err(_) => Vec::new(),
        };
        if !missing.is_empty() {
            found.push(Finding::new("keys", State::Fault, "keys_other", &[("ids", missing.join(", "))]));
        }
    } else if standing.last_at.is_some() {
        found.push(Finding::new("keys", State::Fault, "keys_gone", &[]));
    }
    let ahead = standing.last_at.map_or(0, |at| (at - clock.now()).num_seconds());
    if ahead > 60 {
        found.push(Finding::new("clock", State::Fault, "events_ahead", &[("secs", ahead.to_string())]));
    }
    if standing.waiting > 1000 {
        let count = ("count", standing.waiting.to_string());
        found.push(Finding::new("relay", State::Warning, "relay_behind", &[count]));
    }
    Ok(found)
}

fn time(config: &Config, clock: &Clock) -> Vec<Finding> {
    let now = clock.now();
    let shown = ("time", clock::local(now).format("%Y-%m-%d %H:%M:%S").to_string());
    let is_plausible = (2026..2100).contains(&now.year());
    let (state, code) = if is_plausible { (State::Ok, "clock_well") } else { (State::Fault, "clock_wrong") };
    let mut found = vec![Finding::new("clock", state, code, &[shown])];
    let file = (!config.calendar_file.is_empty()).then(|| Path::new(&config.calendar_file));
    let soon = clock::local_date(now + TimeDelta::days(30));
    match Calendar::load(file) {
        Ok(calendar) if calendar.covers(soon) => {}
        Ok(_) => {
            let year = ("year", soon.year().to_string());
            found.push(Finding::new("calendar", State::Warning, "calendar_short", &[year]));
        }
        Err(error) => found.push(Finding::new("calendar", State::Fault, "calendar_bad", &[("error", error)])),
    }
    found
}

async fn redis(url: &str) -> Finding {
    if url.is_empty() {
        return Finding::new("redis", State::Ok, "redis_unused", &[]);
    }
    let asked = tokio::time::timeout(PATIENCE, info(url)).await;
    let Ok(Some(info)) = asked else {
        return Finding::new("redis", State::Fault, "redis_unreachable", &[]);
    };
    let value = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_default().trim().to_owned()
    };
    let (version, policy) = (value("redis_version"), value("maxmemory_policy"));
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let is_old = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < (7, 0);
    if is_old {
        Finding::new("redis", State::Fault, "redis_old", &[("version", version)])
    } else if policy != "noeviction" {
        Finding::new("redis", State::Warning, "redis_evicts", &[("policy", policy)])
    } else {
        Finding::new("redis", State::Ok, "redis_well", &[("version", version)])
    }
}

async fn info(url: &str) -> Option<String> {
    let node = broker::nodes(url).swap_remove(0);
    let mut connection = redis::Client::open(node).ok()?.get_multiplexed_async_connection().await.ok()?;
    redis::cmd("INFO").query_async(&mut connection).await.ok()
}

/// Asks the providers whether they know us, without sending anything.
async fn providers(config: &Config, clock: &Clock) -> Vec<Finding> {
    install_tls();
    let gateways = match Gateways::open(config, clock, false) {
        Ok(gateways) => gateways,
        Err(error) => {
            return vec![Finding::new("settings", State::Fault, "providers_bad", &[("error", error.to_string())])];
        }
    };
    let mut found = vec![sms(config, &gateways).await];
    let accounts = [("wechat", &gateways.wechat.official), ("wechat_mini", &gateways.wechat.mini)];
    for (part, account) in accounts.into_iter().filter_map(|(part, account)| Some((part, account.as_ref()?))) {
        let asked = tokio::time::timeout(PATIENCE, account.check()).await;
        found.push(match asked {
            Ok(Ok(())) => Finding::new(part, State::Ok, "wechat_well", &[]),
            Ok(Err(failure)) if failure.code() != 0 => {
                Finding::new(part, State::Fault, "wechat_refused", &[("code", failure.code().to_string())])
            }
            _ => Finding::new(part, State::Fault, "wechat_unreachable", &[]),
        });
    }
    for (app, part, code) in [
        (WechatApp::Official, "wechat", "wechat_no_callback"),
        (WechatApp::Mini, "wechat_mini", "wechat_mini_no_callback"),
    ] {
        if gateways.wechat.account(app).is_some() && gateways.wechat.callback(app).is_none() {
            found.push(Finding::new(part, State::Warning, code, &[]));
        }
    }
    found
}

async fn sms(config: &Config, gateways: &Gateways) -> Finding {
    match config.sms_provider {
        SmsProvider::None => return Finding::new("sms", State::Warning, "sms_none", &[]),
        SmsProvider::File => return Finding::new("sms", State::Warning, "sms_file", &[]),
        SmsProvider::Aliyun | SmsProvider::Tencent => {}
    }
    match tokio::time::timeout(PATIENCE, gateways.sms.check()).await {
        Ok(Ok(())) => Finding::new("sms", State::Ok, "sms_well", &[]),
        Ok(Err("refused")) => Finding::new("sms", State::Fault, "sms_refused", &[]),
        _ => Finding::new("sms", State::Fault, "sms_unreachable", &[]),
    }
}

/// Has the speech command say one sentence, where there is a command.
async fn speech(config: &Config) -> Option<Finding> {
    if config.speech_command.trim().is_empty() {
        return None;
    }
    Some(match aloud::check_command(config).await {
        Ok(()) => Finding::new("speech", State::Ok, "speech_well", &[]),
        Err(error) => Finding::new("speech", State::Fault, "speech_bad", &[("error", error.to_string())]),
    })
}

/// Has ffmpeg make a clip, where it is set.
async fn ffmpeg(config: &Config) -> Option<Finding> {
    if config.ffmpeg.is_empty() {
        return None;
    }
    Some(match conversion::check_program(config).await {
        Ok(()) => Finding::new("ffmpeg", State::Ok, "ffmpeg_well", &[]),
        Err(error) => Finding::new("ffmpeg", State::Fault, "ffmpeg_bad", &[("error", error.to_string())]),
    })
}

async fn public_url(url: &str) -> Finding {
    let part = "public_url";
    if url.is_empty() {
        return Finding::new(part, State::Warning, "public_url_none", &[]);
    }
    if !url.starts_with("https://") {
        return Finding::new(part, State::Warning, "public_url_plain", &[]);
    }
    install_tls();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build();
    let live = format!("{}/livez", url.trim_end_matches('/'));
    let is_there = match http {
        Ok(http) => http.get(live).send().await.is_ok_and(|answer| answer.status().is_success()),
        Err(_) => false,
    };
    let (state, code) =
        if is_there { (State::Ok, "public_url_well") } else { (State::Fault, "public_url_unreachable") };
    Finding::new(part, state, code, &[("url", url.to_owned())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_beyond_this_machine_wants_tls() {
        for endpoint in ["http://s3.example.cn", "http://10.0.0.5:9000", "http://[2001:db8::1]:9000"] {
            assert!(is_overheard(endpoint), "{endpoint}");
        }
        for endpoint in ["https://s3.example.cn", "http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]/"] {
            assert!(!is_overheard(endpoint), "{endpoint}");
        }
    }
}
