//! An object store that speaks S3, of the test's own: `moto_server`, which `tests/run.sh` installs.
use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use liusheng::config::Config;

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/.moto/bin/moto_server");
/// What must be in no log.
pub(crate) const KEY_ID: &str = "AKIALISTENTOEVERYONE";
pub(crate) const SECRET: &str = "wrangle-the-lamp-by-the-bridge-0042";
const NAME: &str = "liusheng-test";

/// A bucket in a process of its own; ends with this value.
pub(crate) struct OwnBucket {
    pub(crate) address: SocketAddr,
    process: Child,
}

impl OwnBucket {
    /// `None`, and a word on the terminal, where the program is not installed.
    pub(crate) async fn start(skipped: &str) -> Option<Self> {
        if !std::path::Path::new(PROGRAM).exists() {
            eprintln!("skipped, because tests/run.sh has not made tests/clients/.moto: {skipped}");
            return None;
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, super::free_port()));
        let port = address.port().to_string();
        let mut command = Command::new(PROGRAM);
        command.args(["-H", "127.0.0.1", "-p", &port]).stdout(Stdio::null()).stderr(Stdio::null());
        let own = Self { address, process: command.spawn().unwrap() };
        for _ in 0..300 {
            if TcpStream::connect(address).is_ok() {
                own.make().await;
                return Some(own);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("moto_server did not come up");
    }

    async fn make(&self) {
        // a test that starts no server of its own has nobody else to install it
        rustls::crypto::ring::default_provider().install_default().ok();
        let made = reqwest::Client::builder().build().unwrap().put(self.url("")).send().await.unwrap();
        assert_eq!(made.status(), 200);
    }

    /// Where a file lies, for whoever asks without a signature.
    pub(crate) fn url(&self, key: &str) -> String {
        format!("http://{}/{NAME}/{key}", self.address)
    }

    /// Settings for a server that keeps its media here, asked at this address.
    pub(crate) fn settings_at(address: SocketAddr) -> [(&'static str, String); 6] {
        [
            ("LIUSHENG_MEDIA_URL", format!("s3://{NAME}/county/media")),
            ("LIUSHENG_MEDIA_S3_ENDPOINT", format!("http://{address}")),
            ("LIUSHENG_MEDIA_S3_REGION", "us-east-1".to_owned()),
            ("LIUSHENG_MEDIA_S3_PATH_STYLE", "true".to_owned()),
            ("LIUSHENG_MEDIA_S3_KEY_ID", KEY_ID.to_owned()),
            ("LIUSHENG_MEDIA_S3_KEY_SECRET", SECRET.to_owned()),
        ]
    }

    /// The same for a server in this process.
    pub(crate) fn set(config: &mut Config, address: SocketAddr) {
        let [url, endpoint, region, _, key_id, secret] = Self::settings_at(address).map(|(_, value)| value);
        config.media_url = url;
        config.media_s3_endpoint = endpoint;
        config.media_s3_region = region;
        config.media_s3_path_style = true;
        config.media_s3_key_id = key_id;
        config.media_s3_key_secret = secret;
    }
}

impl Drop for OwnBucket {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
