//! Styles and scripts, inside the binary, under addresses that change with their content.
use axum::{
    Router,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;

use crate::{
    app::{App, Path, routing::get},
    error::{Code, Result},
    hex::hex,
};

#[derive(RustEmbed)]
#[folder = "web/assets"]
struct Assets;

/// For what has an address that changes with its content.
pub(super) const FOREVER: &str = "public, max-age=31536000, immutable";

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/assets/{digest}/{*name}", get(asset))
        .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
}

/// Where the browser finds this file.
#[must_use]
pub fn url(name: &str) -> String {
    format!("/assets/{}/{name}", digest(name).unwrap_or_default())
}

/// What is in this file.
pub(super) fn text(name: &str) -> String {
    Assets::get(name).map(|file| String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_default()
}

fn digest(name: &str) -> Option<String> {
    let file = Assets::get(name)?;
    Some(hex(&file.metadata.sha256_hash()[..8]))
}

/// The address names the content, so it never changes; an old address gets the present file, not to be kept.
async fn asset(Path((asked, name)): Path<(String, String)>) -> Result<Response> {
    let file = Assets::get(&name).ok_or(Code::NotFound)?;
    let is_present = digest(&name).is_some_and(|digest| digest == asked);
    let keep = if is_present { FOREVER } else { "no-cache" };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime(&name)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    Ok((headers, file.data).into_response())
}

fn mime(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}
