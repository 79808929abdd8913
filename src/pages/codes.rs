//! Square codes that phones scan: drawn into a page, and the whole address that one holds.
use axum::http::{HeaderMap, header};
use qrcode::{QrCode, render::svg};

use crate::{
    app::App,
    error::{Error, Result},
};

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
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    format!("http://{host}{path}")
}
