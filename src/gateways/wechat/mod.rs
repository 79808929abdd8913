//! 微信: official account and Mini Program, as far as they speak to WeChat's servers.
//!
//! Always true: a token is asked for once however many wait for it, dropped only when it is still the one that failed, and
//! used for one more try; sends to one openid follow one another; what comes back is decided by [`decide::decide`] alone;
//! tokens, secrets, openids and words are in no log and no error.
pub mod account;
pub mod crypto;
pub mod decide;
pub mod fields;
pub mod inbound;
pub mod log_in;
pub mod messages;
pub mod templates;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::{account::Account, decide::Failure};
use self::{
    crypto::CallbackKey,
    messages::Way,
    templates::{Template, Templates},
};
use super::{Letter, NOT_SET_UP, Outcome, calls::Caller};
use crate::{
    clock::Clock,
    config::{Config, WechatCallbackMode},
    error::{Error, Result},
};

/// Which of the two accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WechatApp {
    /// The official account (服务号, 公众号).
    Official,
    /// The Mini Program (小程序).
    Mini,
}

impl WechatApp {
    /// Stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Official => "official",
            Self::Mini => "mini",
        }
    }

    /// The account of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Official, Self::Mini].into_iter().find(|known| known.as_str() == text)
    }
}

/// How calls from WeChat are checked and read.
#[derive(Clone)]
pub struct Callback {
    /// What signatures are made with.
    pub token: String,
    /// What they are sealed with; none in plain mode.
    pub key: Option<CallbackKey>,
    /// What is set up at WeChat: nothing else is taken.
    pub mode: WechatCallbackMode,
}

/// Both accounts, as far as they are set up.
pub struct Wechat {
    /// The official account.
    pub official: Option<Account>,
    /// The Mini Program.
    pub mini: Option<Account>,
    callback: Option<Callback>,
    mini_callback: Option<Callback>,
    templates: Templates,
    open_base: String,
}

/// Name of the setting of the key, token, key and account of a callback.
type CallbackSettings<'a> = (&'a str, &'a str, &'a str, &'a str);

/// A callback; none without a token.
fn callback((setting, token, key, appid): CallbackSettings<'_>, mode: WechatCallbackMode) -> Result<Option<Callback>> {
    if token.is_empty() {
        return Ok(None);
    }
    let key = CallbackKey::read(key, appid);
    if key.is_none() && mode != WechatCallbackMode::Plain {
        let line = format!("settings: {setting}: must be the 43 characters of the EncodingAESKey");
        return Err(Error::broken(line));
    }
    Ok(Some(Callback { token: token.to_owned(), key, mode }))
}

impl Wechat {
    /// What the settings name.
    ///
    /// # Errors
    /// When TLS cannot be set up, or a setting cannot be read.
    pub fn open(config: &Config, clock: &Clock) -> Result<Self> {
        let caller = Caller::new()?;
        let account = |app, appid: &str, secret: &str| {
            let named = (app, appid.to_owned(), secret.to_owned());
            (!appid.is_empty()).then(|| Account::new(named, &config.wechat_api_base, caller.clone(), clock.clone()))
        };
        let mode = config.wechat_callback_mode;
        let official: CallbackSettings<'_> =
            ("wechat_aes_key", &config.wechat_token, &config.wechat_aes_key, &config.wechat_appid);
        let mini: CallbackSettings<'_> =
            ("wechat_mini_aes_key", &config.wechat_mini_token, &config.wechat_mini_aes_key, &config.wechat_mini_appid);
        Ok(Self {
            official: account(WechatApp::Official, &config.wechat_appid, &config.wechat_secret),
            mini: account(WechatApp::Mini, &config.wechat_mini_appid, &config.wechat_mini_secret),
            callback: callback(official, mode)?,
            mini_callback: callback(mini, mode)?,
            templates: Templates::read(&config.wechat_templates).map_err(Error::broken)?,
            open_base: config.wechat_open_base.clone(),
        })
    }

    /// The account, if it is set up.
    #[must_use]
    pub fn account(&self, app: WechatApp) -> Option<&Account> {
        match app {
            WechatApp::Official => self.official.as_ref(),
            WechatApp::Mini => self.mini.as_ref(),
        }
    }

    /// The template of an account for what is to be told, if the operator has named one.
    #[must_use]
    pub fn template(&self, app: WechatApp, name: &str) -> Option<&Template> {
        self.templates.find(app, name)
    }

    /// All templates for which somebody's consent is one send, of an account: for asking.
    pub fn to_consent(&self, app: WechatApp) -> impl Iterator<Item = &Template> {
        self.templates.all(app).filter(|template| template.way == Way::Subscription)
    }

    /// How calls about an account are checked, if they are set up.
    #[must_use]
    pub fn callback(&self, app: WechatApp) -> Option<&Callback> {
        match app {
            WechatApp::Official => self.callback.as_ref(),
            WechatApp::Mini => self.mini_callback.as_ref(),
        }
    }

    /// Sends a letter to somebody in one of the three ways.
    pub(super) async fn send(&self, (app, way): (WechatApp, Way), openid: &str, letter: &Letter) -> Outcome {
        let Some(account) = self.account(app) else { return NOT_SET_UP };
        match (way, self.template(app, &letter.template)) {
            (Way::Conversation, _) => account.say(openid, letter).await,
            (way, Some(template)) if template.way == way => account.fill(openid, template, letter).await,
            _ => Outcome::Never { status: 0, why: "no_template" },
        }
    }
}
