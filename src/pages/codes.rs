//! Square codes that phones scan: drawn into a page, and the whole address that one holds.
use axum::http::{HeaderMap, header};
use qrcode::{QrCode, render::svg};

use crate::{
    app::App,
    error::{Error, Result},
};

/// The longest name of a host, with a port.
const LONGEST_HOST: usize = 260;

/// As SVG inside the page, without the head of a file of its own.
pub(super) fn drawn(words: &str, size: u32) -> Result<String> {
    let code = QrCode::new(words.as_bytes()).map_err(Error::broken)?;
    let drawn = code.render::<svg::Color<'_>>().min_dimensions(size, size).build();
    Ok(drawn.find("<svg").and_then(|at| drawn.get(at..)).unwrap_or_default().to_owned())
}

/// A page's whole address. Without an address of the service, phones reach it where this browser did.
pub(super) fn whole(app: &App, headers: &HeaderMap, path: &str) -> String {
    let base = app.config.public_url.trim_end_matches('/');
    if !base.is_empty() {
        return format!("{base}{path}");
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).filter(|host| is_host(host));
    host.map_or_else(|| path.to_owned(), |host| format!("http://{host}{path}"))
}

/// A name or an address, with a port or without: whatever else somebody writes there fits into no code.
fn is_host(host: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
    (1..=LONGEST_HOST).contains(&host.len()) && host.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_host_is_left_out() {
        for host in ["liusheng.example", "127.0.0.1:8080", "[::1]:8080", "village_1.local"] {
            assert!(is_host(host), "{host}");
        }
        for other in ["", "a/b", "a b", "\"><svg", &"a".repeat(3000)] {
            assert!(!is_host(other), "{other}");
        }
        assert!(drawn(&format!("http://{}/notices/1", "a".repeat(LONGEST_HOST)), 260).is_ok());
    }
}
