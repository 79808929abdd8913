//! `/worker.js` and `/offline`: what a phone keeps of us for when there is no network. Nothing in it is anybody's.
//!
//! # Why
//! Page and files come from the server without a cookie and under addresses that change with their content. While a version is
//! replaced another server may answer: then what came must not be kept for long, and the worker comes again later.
use std::sync::LazyLock;

use axum::{
    Router,
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{assets, speak};
use crate::{
    app::{App, Query, Seen, routing::get},
    keys::sha256_hex,
};

static KEPT: LazyLock<Kept> = LazyLock::new(Kept::present);

/// What this version has a phone keep.
struct Kept {
    page: String,
    version: String,
    script: String,
    /// Of the script.
    tag: String,
}

impl Kept {
    fn present() -> Self {
        let page = speak::offline();
        let version = short(&page);
        let files: Vec<&str> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
        let kept =
            json!({ "name": format!("liusheng-{version}"), "page": format!("/offline?v={version}"), "files": files });
        let script = format!("var KEPT = {kept};\n{}", assets::text("worker.js"));
        let tag = format!("\"{}\"", short(&script));
        Self { page, version, script, tag }
    }
}

fn short(text: &str) -> String {
    sha256_hex(text.as_bytes()).chars().take(16).collect()
}

pub(super) fn routes() -> Router<App> {
    Router::new().route("/worker.js", get(worker)).route("/offline", get(page))
}

/// Browsers ask for it with every page that is opened, so that a new version takes over at once.
async fn worker(seen: Seen) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::ETAG, KEPT.tag.as_str()),
    ];
    if seen.is(&KEPT.tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, KEPT.script.as_str()).into_response()
}

/// Which version the phone wants.
#[derive(Deserialize)]
struct Wanted {
    v: Option<String>,
}

async fn page(Query(wanted): Query<Wanted>) -> Response {
    let keep = if wanted.v.as_deref() == Some(KEPT.version.as_str()) { assets::FOREVER } else { "no-cache" };
    ([(header::CACHE_CONTROL, keep)], Html(KEPT.page.as_str())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_nobodys_and_the_same_each_time() {
        let kept = Kept::present();
        assert_eq!(kept.script, Kept::present().script);
        for nothing in [r#"name="client_id" value="""#, r#"name="writer" value="""#, r#"data-keep="""#] {
            assert!(kept.page.contains(nothing), "{nothing}: {}", kept.page);
        }
        assert!(!kept.page.contains("about_person_id") && !kept.page.contains('⟦'), "{}", kept.page);
    }

    #[test]
    fn everything_the_page_names_is_kept() {
        let kept = Kept::present();
        let named = |text: &str| text.matches("/assets/").count();
        let list = kept.script.lines().next().unwrap();
        assert!(named(list) == named(&kept.page) && named(list) > 6, "{list}");
        for file in ["liusheng.css", "keep.js", "speak.js", "upload.js"] {
            assert!(list.contains(&assets::url(file)), "{file}: {list}");
        }
    }
}
