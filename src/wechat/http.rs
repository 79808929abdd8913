//! WeChat over the API: log-in of the Mini Program, what pages need for WeChat's own functions, one's accounts.
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::{
    commands,
    mini::{self, MiniChoice, MiniConsents, MiniLogIn},
    queries::{self, AccountView},
};
use crate::{
    actor::Actor,
    app::{App, IdempotencyKey, Input, Path, Query, routes},
    error::{Checks, Code, Problem, Result},
    ids::WechatAccountId,
    people::{self, Tokens},
};

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(wechat_mini_log_in))
        .routes(routes!(wechat_mini_choose))
        .routes(routes!(wechat_mini_consent))
        .routes(routes!(get_wechat_js_config))
        .routes(routes!(list_wechat_accounts))
        .routes(routes!(unbind_wechat_account))
}

/// Sign in from the Mini Program.
#[utoipa::path(post, path = "/v1/wechat/mini/log-in", tag = "wechat", operation_id = "wechat_mini_log_in",
    request_body = MiniLogIn,
    responses((status = 200, body = Tokens, description = "Signed in"), Problem))]
async fn wechat_mini_log_in(State(app): State<App>, Input(told): Input<MiniLogIn>) -> Result<Json<Tokens>> {
    let open = mini::log_in(&app, told).await?;
    people::hand_out(&app, open)
}

/// Say who it is, where several people share the number.
#[utoipa::path(post, path = "/v1/wechat/mini/choice", tag = "wechat", operation_id = "wechat_mini_choose",
    request_body = MiniChoice,
    responses((status = 200, body = Tokens, description = "Signed in"), Problem))]
async fn wechat_mini_choose(State(app): State<App>, Input(told): Input<MiniChoice>) -> Result<Json<Tokens>> {
    let open = mini::choose(&app, told).await?;
    people::hand_out(&app, open)
}

/// Note the consents that somebody gave in the Mini Program; each is one message.
#[utoipa::path(post, path = "/v1/wechat/mini/consents", tag = "wechat", operation_id = "wechat_mini_consent",
    request_body = MiniConsents,
    responses((status = 204, description = "Noted"), Problem))]
async fn wechat_mini_consent(
    State(app): State<App>,
    actor: Actor,
    Input(told): Input<MiniConsents>,
) -> Result<StatusCode> {
    mini::consent(&app, &actor, told).await.map(|()| StatusCode::NO_CONTENT)
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct JsPage {
    /// Its whole address, without `#…`; on our own host.
    url: String,
}

/// What `wx.config` needs.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct JsConfig {
    /// The official account.
    app_id: String,
    /// When it was signed.
    timestamp: i64,
    /// Random.
    nonce_str: String,
    /// Over all of it and the page.
    signature: String,
    /// Templates to ask consent for (`wx-open-subscribe`).
    templates: Vec<String>,
}

/// What a page of ours needs to use WeChat's own functions.
#[utoipa::path(get, path = "/v1/wechat/js-config", tag = "wechat", operation_id = "get_wechat_js_config",
    params(JsPage),
    responses((status = 200, body = JsConfig, description = "For `wx.config`"), Problem))]
async fn get_wechat_js_config(State(app): State<App>, Query(page): Query<JsPage>) -> Result<Json<JsConfig>> {
    let official = mini::official(&app)?;
    let mut checks = Checks::default();
    checks.require(is_ours(&app.config.public_url, &page.url), "url", "not_a_url");
    checks.done()?;
    let nonce_str = app.keys.fresh_letters(16)?;
    let page = page.url.split('#').next().unwrap_or_default();
    let told = official.js_config(&nonce_str, page).await.map_err(|failure| {
        tracing::error!(%failure, "JS-SDK ticket");
        Code::Busy.after_secs(5)
    })?;
    let templates = app.gateways.wechat.to_consent(crate::gateways::wechat::WechatApp::Official);
    Ok(Json(JsConfig {
        app_id: official.appid().to_owned(),
        timestamp: told["timestamp"].as_i64().unwrap_or_default(),
        nonce_str,
        signature: told["signature"].as_str().unwrap_or_default().to_owned(),
        templates: templates.map(|template| template.id.clone()).collect(),
    }))
}

/// Scheme, host and port of `public_url`, and nothing that only begins like it.
fn is_ours(public_url: &str, url: &str) -> bool {
    let base = public_url.trim_end_matches('/');
    let rest = url.strip_prefix(base).filter(|_| !base.is_empty() && url.len() <= 2000);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

/// One's accounts of WeChat.
#[utoipa::path(get, path = "/v1/wechat/accounts", tag = "wechat", operation_id = "list_wechat_accounts",
    responses((status = 200, body = Vec<AccountView>, description = "Newest first"), Problem))]
async fn list_wechat_accounts(State(app): State<App>, actor: Actor) -> Result<Json<Vec<AccountView>>> {
    queries::of_person(app.store.read(), actor.person).await.map(Json)
}

/// Unbind an account: it signs nobody in any more and gets nothing.
#[utoipa::path(delete, path = "/v1/wechat/accounts/{id}", tag = "wechat", operation_id = "unbind_wechat_account",
    params(("id" = WechatAccountId, Path)),
    responses((status = 204, description = "Unbound"), Problem))]
async fn unbind_wechat_account(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<WechatAccountId>,
) -> Result<StatusCode> {
    app.once(actor, key, "unbind_wechat_account", id, |tx, actor, id| Box::pin(commands::unbind(tx, actor, id)))
        .await
        .map(|()| StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn only_pages_of_our_own_are_signed() {
        let base = "https://cun.example";
        for good in ["https://cun.example/", "https://cun.example/speak?from=timeline", "https://cun.example"] {
            assert!(is_ours(base, good), "{good}");
        }
        for bad in [
            "https://cun.example.evil/",
            "https://cun.example@evil/",
            "http://cun.example/",
            "https://cun.example:8443/",
            "",
        ] {
            assert!(!is_ours(base, bad), "{bad}");
        }
        assert!(!is_ours("", "https://anything/"), "without public_url nothing is known to be ours");
    }
}
