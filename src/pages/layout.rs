//! The frame of every page: who looks, what stands at its head, how it stays fresh.
use std::fmt::Display;

use askama::Template;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde_json::json;

use crate::{
    actor::Actor,
    app::{App, cookie},
    error::{Error, Result},
    people::Visitor,
    streams::Stream,
    text,
    wechat::{self, rules::Moment},
};

/// Of a page that asks for consents: WeChat's own script draws the tag. No other page lets a script of others in, and no page
/// on which somebody fills in a ballot asks.
const CSP_ASKING: &str = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; \
    script-src 'self' https://res.wx.qq.com; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; \
    form-action 'self'";

/// In the address of a page that says that what was sent from it is kept.
const SAVED: &str = "saved=1";

/// What the frame `web/templates/base.html` needs; every page's template has it as the field `page`.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// In the bar and in the browser's title.
    pub title: String,
    /// Where the way back leads; no way back when empty.
    pub back: String,
    /// Larger letters.
    pub elder: bool,
    /// Somebody is signed in.
    pub signed_in: bool,
    /// Path of this page, for coming back to it.
    pub path: String,
    /// Whether the page looks after itself.
    pub live: Option<Live>,
    /// Inside WeChat: templates to ask consent for, separated by commas; nothing is asked when empty.
    pub asks: String,
    /// What was sent from here is kept: the page would look as before.
    pub is_saved: bool,
}

/// How a page is kept fresh; see the head of `web/assets/live.js`.
#[derive(Clone, Debug)]
pub struct Live {
    /// Only this channel concerns the page; any when empty.
    pub channel: String,
    /// Offsets known when the page was made, as JSON.
    pub heads: String,
    /// Channels whose news the page shows and the phone has not said to have received, as JSON.
    pub news: String,
}

impl Live {
    /// Fresh after any publication. `heads` are stream and newest place.
    pub fn any(heads: impl Iterator<Item = (impl Display, i64)>) -> Self {
        let heads: serde_json::Map<_, _> = heads.map(|(id, seq)| (format!("s:{id}"), json!(seq))).collect();
        Self { channel: String::new(), heads: serde_json::Value::Object(heads).to_string(), news: "[]".to_owned() }
    }

    /// Has the phone say that it received what is new in these streams.
    #[must_use]
    pub fn receiving(mut self, streams: impl Iterator<Item = impl Display>) -> Self {
        self.news = streams.map(|id| json!(format!("s:{id}"))).collect::<serde_json::Value>().to_string();
        self
    }

    /// Fresh after any publication that follows.
    #[must_use]
    pub fn always() -> Self {
        Self::any(std::iter::empty::<(String, i64)>())
    }

    /// Fresh after publications in one stream.
    #[must_use]
    pub fn one(stream: &Stream) -> Self {
        let id = stream.id.to_string();
        Self { channel: format!("s:{id}"), ..Self::any(std::iter::once((id, stream.last_seq))) }
    }

    /// Not on a page that answers a form: it cannot be asked for again.
    #[must_use]
    pub fn unless(self, answers_form: bool) -> Option<Self> {
        (!answers_form).then_some(self)
    }
}

impl Page {
    /// With another title than the one found by key.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// At another path than the request's: where a form was posted to, nothing can be read.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// With a way back.
    #[must_use]
    pub fn back(mut self, path: impl Into<String>) -> Self {
        self.back = path.into();
        self
    }

    /// Kept fresh, for who is signed in.
    #[must_use]
    pub fn live(mut self, live: impl Into<Option<Live>>) -> Self {
        self.live = live.into().filter(|_| self.signed_in);
        self
    }

    /// This page's path, fit to stand in a query.
    #[must_use]
    pub fn then(&self) -> String {
        encode(&self.path)
    }
}

/// Who looks at a page, signed in or not, and how.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Who, if signed in.
    pub actor: Option<Actor>,
    /// In WeChat's own browser.
    is_inside: bool,
    elder: bool,
    path: String,
    is_saved: bool,
}

impl Viewer {
    /// A page whose title has this key.
    #[must_use]
    pub fn page(&self, title: &str) -> Page {
        Page {
            title: text::say(title),
            back: "/".to_owned(),
            elder: self.elder,
            signed_in: self.actor.is_some(),
            path: self.path.clone(),
            live: None,
            asks: String::new(),
            is_saved: self.is_saved,
        }
    }
}

impl Viewer {
    /// The page, asking inside WeChat for the consents that make sense at this moment. Whatever keeps us from asking keeps
    /// nobody from reading.
    pub async fn asked(&self, app: &App, page: Page, moment: Moment) -> Page {
        let Some(actor) = self.actor.as_ref().filter(|_| self.is_inside) else { return page };
        let asks = wechat::queries::to_ask(app.store.read(), &app.gateways.wechat, (actor.person, moment), app.now());
        match asks.await {
            Ok(asks) => Page { asks: asks.join(","), ..page },
            Err(error) => {
                tracing::warn!(%error, "consents are not asked for");
                page
            }
        }
    }
}

impl FromRequestParts<App> for Viewer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let Visitor(actor) = Visitor::from_request_parts(parts, app).await?;
        let (elder, path) = (cookie(&parts.headers, "elder") == Some("1"), parts.uri.path().to_owned());
        let is_saved = parts.uri.query().is_some_and(|query| query.split('&').any(|one| one == SAVED));
        Ok(Self { actor, is_inside: is_inside(&parts.headers), elder, path, is_saved })
    }
}

/// Somebody signed in who looks at a page; others are led to the log-in and back.
pub struct Resident {
    /// Who.
    pub actor: Actor,
    /// The same, for pages that need nobody signed in.
    pub viewer: Viewer,
}

impl Resident {
    /// A page whose title has this key.
    #[must_use]
    pub fn page(&self, title: &str) -> Page {
        self.viewer.page(title)
    }
}

impl FromRequestParts<App> for Resident {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> std::result::Result<Self, Response> {
        let viewer = Viewer::from_request_parts(parts, app).await.map_err(IntoResponse::into_response)?;
        match viewer.actor.clone() {
            Some(actor) => Ok(Self { actor, viewer }),
            None => Err(see(&format!("/login?then={}", encode(&viewer.path)))),
        }
    }
}

/// Does the request come from WeChat's own browser?
#[must_use]
pub fn is_inside(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    agent.is_some_and(|agent| agent.contains("MicroMessenger"))
}

/// The page, as an answer.
pub fn render(template: &impl Template) -> Response {
    render_as(StatusCode::OK, template)
}

/// The page, with a status.
pub fn render_as(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(page) => (status, Html(page)).into_response(),
        Err(error) => Error::broken(error).into_response(),
    }
}

/// The answer that shows a page which may ask for consents.
#[must_use]
pub fn asking(mut response: Response, page: &Page) -> Response {
    if !page.asks.is_empty() {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP_ASKING));
    }
    response
}

/// After a form was taken that changes nothing that catches the eye: look at this page, which says that it is kept.
#[must_use]
pub fn see_saved(path: &str) -> Response {
    let and = if path.contains('?') { '&' } else { '?' };
    see(&format!("{path}{and}{SAVED}"))
}

/// After a form was taken: look at this page.
#[must_use]
pub fn see(path: &str) -> Response {
    Redirect::to(path).into_response()
}

/// Where a form is posted to, nothing can be read: one path up there can.
pub async fn up(uri: Uri) -> Response {
    see(uri.path().rsplit_once('/').map(|(above, _)| above).filter(|above| !above.is_empty()).unwrap_or("/"))
}

/// A path of ours, or the home page: nobody is led elsewhere by a link that only looks like ours.
#[must_use]
pub fn local(path: &str) -> &str {
    let bytes = path.as_bytes();
    let is_ours = bytes.first() == Some(&b'/') && !matches!(bytes.get(1), Some(b'/' | b'\\'));
    if is_ours && bytes.iter().all(|byte| (b'!'..=b'~').contains(byte)) { path } else { "/" }
}

/// Fit to stand in a query.
#[must_use]
pub fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_site() {
        for bad in
            ["", "https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nb", "/一"]
        {
            assert_eq!(local(bad), "/", "{bad}");
        }
        for good in ["/", "/matters/1", "/votes/1?x=1"] {
            assert_eq!(local(good), good);
        }
    }

    #[test]
    fn a_path_survives_a_query() {
        assert_eq!(encode("/matters/0197-a"), "/matters/0197-a");
        assert_eq!(encode("/a?b=c&d"), "/a%3Fb%3Dc%26d");
    }
}
