//! One tree of settings: defaults from `deploy/liusheng.toml`, then a file, then `LIUSHENG_*`; checked at start.
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use ipnet::IpNet;
use serde::Deserialize;

/// The documented defaults, embedded.
pub const DEFAULTS: &str = include_str!("../deploy/liusheng.toml");

/// Every setting; `deploy/liusheng.toml` says what each means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Config {
    pub listen: SocketAddr,
    pub health_listen: String,
    pub public_url: String,
    pub data_dir: PathBuf,
    pub database_url: String,
    pub database_readers: u32,
    pub redis_url: String,
    pub media_url: String,
    pub media_s3_endpoint: String,
    pub media_s3_region: String,
    pub media_s3_path_style: bool,
    pub media_s3_key_id: String,
    pub media_s3_key_secret: String,
    pub sms_provider: SmsProvider,
    pub calendar_file: String,
    pub held_words: String,
    pub trusted_proxies: Proxies,
    pub log_format: LogFormat,
    pub log_level: String,
    pub header_timeout_secs: u64,
    pub body_timeout_secs: u64,
    pub answer_timeout_secs: u64,
    pub drain_timeout_secs: u64,
    pub ping_secs: u64,
    pub max_connections: usize,
    pub connections_per_address: usize,
    pub writes_per_second: u32,
    pub writes_burst: u32,
    pub writes_per_day: u32,
    pub sends_per_second: u32,
    pub requests_per_second: u32,
    pub requests_burst: u32,
    pub codes_per_address_and_day: u64,
    pub codes_per_day: u64,
    pub session_days: i64,
    pub webhook_allow_private: bool,
    pub sms_api_base: String,
    pub sms_key_id: String,
    pub sms_key_secret: String,
    pub sms_sign_name: String,
    pub sms_app_id: String,
    pub sms_region: String,
    pub sms_templates: String,
    pub sms_voice_api_base: String,
    pub sms_voice_template: String,
    pub sms_voice_number: String,
    pub sms_receipt_key: String,
    pub wechat_api_base: String,
    pub wechat_open_base: String,
    pub wechat_appid: String,
    pub wechat_secret: String,
    pub wechat_token: String,
    pub wechat_aes_key: String,
    pub wechat_callback_mode: WechatCallbackMode,
    pub wechat_mini_appid: String,
    pub wechat_mini_secret: String,
    pub wechat_mini_token: String,
    pub wechat_mini_aes_key: String,
    pub wechat_templates: String,
    pub verification_files: String,
    pub loudspeaker_url: String,
    pub loudspeaker_secret: String,
    pub loudspeaker_volume: u8,
    pub speech_command: String,
    pub ffmpeg: String,
    /// `LIUSHENG_CONFIG`: the file these settings were read from.
    #[serde(default)]
    pub config: Option<String>,
}

/// Who sends one-time codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsProvider {
    /// Nobody: log-in by SMS is refused.
    None,
    /// A file in the data directory.
    File,
    /// Alibaba Cloud.
    Aliyun,
    /// Tencent Cloud.
    Tencent,
}

/// How WeChat calls us, as it is set up there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WechatCallbackMode {
    /// In the open, signed.
    Plain,
    /// In the open and sealed; only what is sealed is read.
    Compatible,
    /// Sealed.
    Safe,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For eyes.
    Text,
    /// For machines.
    Json,
}

/// Our own proxies. Every connection and every request asks, so they are read once.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Is this address one of them?
    #[must_use]
    pub fn contains(&self, address: &IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|own| own.contains(&address))
    }
}

impl TryFrom<String> for Proxies {
    type Error = String;

    fn try_from(list: String) -> std::result::Result<Self, String> {
        let network = |entry: &str| {
            let known: Option<IpNet> = entry.parse().ok().or_else(|| entry.parse::<IpAddr>().ok().map(IpNet::from));
            known.ok_or_else(|| format!("trusted_proxies: {entry} is no address and no network"))
        };
        if list.trim().is_empty() {
            return Ok(Self(Vec::new()));
        }
        let own: std::result::Result<Vec<IpNet>, String> = list.split(',').map(|entry| network(entry.trim())).collect();
        own.map(Self)
    }
}

impl Config {
    /// Reads defaults, the file named by `LIUSHENG_CONFIG`, and the environment.
    ///
    /// # Errors
    /// One line that names the unknown key or the impossible value.
    pub fn load() -> std::result::Result<Self, String> {
        let file = std::env::var("LIUSHENG_CONFIG").ok();
        let mut builder =
            config::Config::builder().add_source(config::File::from_str(DEFAULTS, config::FileFormat::Toml));
        if let Some(path) = &file {
            builder = builder.add_source(config::File::new(path, config::FileFormat::Toml));
        }
        for (key, path) in secrets_in_files() {
            let secret = std::fs::read_to_string(&path).map_err(|error| format!("{key}_file: {path}: {error}"))?;
            builder = builder.set_override(key, secret.trim_end().to_owned()).map_err(|error| error.to_string())?;
        }
        let environment: std::collections::HashMap<String, String> = std::env::vars()
            .filter(|(key, _)| {
                key.starts_with("LIUSHENG_") && !(key.ends_with("_FILE") && key != "LIUSHENG_CALENDAR_FILE")
            })
            .collect();
        let source = config::Environment::with_prefix("LIUSHENG")
            .prefix_separator("_")
            .try_parsing(true)
            .source(Some(environment));
        let settings: Self = builder
            .add_source(source)
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(|error| format!("settings: {}", without_values(&error.to_string())))?;
        settings.check()?;
        Ok(settings)
    }

    /// The defaults alone, for tests.
    ///
    /// # Errors
    /// When the embedded file is wrong.
    pub fn defaults() -> std::result::Result<Self, String> {
        config::Config::builder()
            .add_source(config::File::from_str(DEFAULTS, config::FileFormat::Toml))
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(|error| error.to_string())
    }

    /// Address of the database.
    #[must_use]
    pub fn database(&self) -> String {
        if !self.database_url.is_empty() {
            return self.database_url.clone();
        }
        format!("sqlite://{}", self.data_dir.join("liusheng.db").display())
    }

    /// Folder of photos and voice clips; where they are kept in a bucket, only of those on their way.
    #[must_use]
    pub fn media_dir(&self) -> PathBuf {
        self.media_url.strip_prefix("file://").map_or_else(|| self.data_dir.join("media"), PathBuf::from)
    }

    /// Name and prefix of the bucket where photos and voice clips are kept, if they are.
    #[must_use]
    pub fn media_bucket(&self) -> Option<(&str, &str)> {
        let rest = self.media_url.strip_prefix("s3://")?.trim_end_matches('/');
        Some(rest.split_once('/').unwrap_or((rest, "")))
    }

    fn check(&self) -> std::result::Result<(), String> {
        let database = self.database();
        if !["sqlite://", "postgres://", "postgresql://"].iter().any(|known| database.starts_with(known)) {
            // what stands there instead may be a password
            return Err("settings: database_url: must start with sqlite:// or postgres://".to_owned());
        }
        if !(1..=64).contains(&self.database_readers) {
            return Err("settings: database_readers: must be from 1 to 64".to_owned());
        }
        let is_redis = ["redis://", "redis+cluster://"].iter().any(|known| self.redis_url.starts_with(known));
        if !self.redis_url.is_empty() && !is_redis {
            return Err("settings: redis_url: must start with redis:// or redis+cluster://".to_owned());
        }
        self.check_media()?;
        if !self.health_listen.is_empty() && self.health_listen.parse::<SocketAddr>().is_err() {
            return Err("settings: health_listen: must be an address with a port".to_owned());
        }
        if !self.public_url.is_empty() && !self.public_url.starts_with("http") {
            return Err("settings: public_url: must start with http:// or https://".to_owned());
        }
        self.check_providers()?;
        let positive = [
            ("header_timeout_secs", self.header_timeout_secs),
            ("body_timeout_secs", self.body_timeout_secs),
            ("answer_timeout_secs", self.answer_timeout_secs),
            ("drain_timeout_secs", self.drain_timeout_secs),
            ("ping_secs", self.ping_secs),
            ("max_connections", self.max_connections as u64),
            ("connections_per_address", self.connections_per_address as u64),
            ("writes_per_second", u64::from(self.writes_per_second)),
            ("writes_burst", u64::from(self.writes_burst)),
            ("writes_per_day", u64::from(self.writes_per_day)),
            ("sends_per_second", u64::from(self.sends_per_second)),
            ("requests_per_second", u64::from(self.requests_per_second)),
            ("requests_burst", u64::from(self.requests_burst)),
            ("codes_per_address_and_day", self.codes_per_address_and_day),
            ("codes_per_day", self.codes_per_day),
            ("session_days", u64::try_from(self.session_days).unwrap_or(0)),
        ];
        match positive.iter().find(|(_, value)| *value == 0) {
            Some((key, _)) => Err(format!("settings: {key}: must be at least 1")),
            None => Ok(()),
        }
    }
}

/// Keys of settings and what they hold.
type Named<'a> = [(&'static str, &'a str)];

impl Config {
    fn check_media(&self) -> std::result::Result<(), String> {
        let Some((name, prefix)) = self.media_bucket() else {
            let is_folder = self.media_url.is_empty() || self.media_url.starts_with("file:///");
            return if is_folder {
                Ok(())
            } else {
                Err("settings: media_url: must start with file:/// or s3://".to_owned())
            };
        };
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        let is_name = is_plain(name) && (3..=63).contains(&name.len());
        let is_prefix =
            prefix.is_empty() || prefix.split('/').all(|part| is_plain(part) && !matches!(part, "" | "." | ".."));
        if !is_name || !is_prefix {
            return Err("settings: media_url: must be s3://bucket or s3://bucket/prefix".to_owned());
        }
        let endpoint = reqwest::Url::parse(&self.media_s3_endpoint).ok();
        let is_anonymous = |url: &reqwest::Url| url.username().is_empty() && url.password().is_none();
        let is_address = |url: reqwest::Url| ["https", "http"].contains(&url.scheme()) && is_anonymous(&url);
        if !endpoint.is_some_and(is_address) {
            return Err(
                "settings: media_s3_endpoint: must be an address that starts with https:// or http://".to_owned()
            );
        }
        let needed: &Named<'_> = &[
            ("media_s3_region", &self.media_s3_region),
            ("media_s3_key_id", &self.media_s3_key_id),
            ("media_s3_key_secret", &self.media_s3_key_secret),
        ];
        match needed.iter().find(|(_, value)| value.is_empty()) {
            Some((key, _)) => Err(format!("settings: {key}: is needed by what else is set")),
            None => Ok(()),
        }
    }

    /// Providers that could not work: said at the start, not at the first message.
    fn check_providers(&self) -> std::result::Result<(), String> {
        let bases: &Named<'_> = &[
            ("sms_api_base", &self.sms_api_base),
            ("sms_voice_api_base", &self.sms_voice_api_base),
            ("wechat_api_base", &self.wechat_api_base),
            ("wechat_open_base", &self.wechat_open_base),
            ("loudspeaker_url", &self.loudspeaker_url),
        ];
        if let Some((key, _)) = bases.iter().find(|(_, base)| !base.is_empty() && !base.starts_with("http")) {
            return Err(format!("settings: {key}: must start with http:// or https://"));
        }
        // arguments are none of ours, and a shell is never asked
        let is_missing = |program: &str| !program.starts_with('/') || !std::path::Path::new(program).is_file();
        if self.speech_command.split_whitespace().next().is_some_and(is_missing) {
            return Err("settings: speech_command: must begin with the whole path of a program".to_owned());
        }
        if !self.ffmpeg.is_empty() && is_missing(&self.ffmpeg) {
            return Err("settings: ffmpeg: must be the whole path of a program".to_owned());
        }
        if !(1..=100).contains(&self.loudspeaker_volume) {
            return Err("settings: loudspeaker_volume: must be from 1 to 100".to_owned());
        }
        let needed_by_sms: &Named<'_> = match self.sms_provider {
            SmsProvider::None | SmsProvider::File => &[],
            SmsProvider::Aliyun | SmsProvider::Tencent => &[
                ("sms_key_id", &self.sms_key_id),
                ("sms_key_secret", &self.sms_key_secret),
                ("sms_sign_name", &self.sms_sign_name),
                ("sms_templates", &self.sms_templates),
            ],
        };
        let needed: &Named<'_> = &[
            ("wechat_secret", if self.wechat_appid.is_empty() { "-" } else { &self.wechat_secret }),
            ("wechat_mini_secret", if self.wechat_mini_appid.is_empty() { "-" } else { &self.wechat_mini_secret }),
            ("wechat_appid", if self.wechat_token.is_empty() { "-" } else { &self.wechat_appid }),
            ("wechat_mini_appid", if self.wechat_mini_token.is_empty() { "-" } else { &self.wechat_mini_appid }),
            ("loudspeaker_secret", if self.loudspeaker_url.is_empty() { "-" } else { &self.loudspeaker_secret }),
        ];
        match needed_by_sms.iter().chain(needed).find(|(_, value)| value.is_empty()) {
            Some((key, _)) => Err(format!("settings: {key}: is needed by what else is set")),
            None => Ok(()),
        }
    }
}

/// `LIUSHENG_X_FILE=/path` gives the value of `x`.
fn secrets_in_files() -> Vec<(String, String)> {
    std::env::vars()
        .filter_map(|(key, path)| {
            let name = key.strip_prefix("LIUSHENG_")?.strip_suffix("_FILE")?;
            (name != "CALENDAR").then(|| (name.to_lowercase(), path))
        })
        .collect()
}

/// A reader of TOML repeats the line that it does not understand, and a password may stand in it.
fn without_values(complaint: &str) -> String {
    complaint
        .lines()
        .filter(|line| !line.contains(" | ") && !line.trim_end().ends_with('|'))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_defaults_are_valid() {
        let settings = Config::defaults().unwrap();
        settings.check().unwrap();
        assert_eq!(settings.database(), "sqlite://./data/liusheng.db");
    }
}
