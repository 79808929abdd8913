//! The three ways in which an account may speak to somebody: in the conversation, by a consent, by a template.
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    super::{Letter, Outcome},
    Account, WechatApp,
    account::Call,
    decide::{Action, Failure, decide},
    fields::{cut, fit},
    templates::Template,
};
use crate::clock;

/// Bytes of a text in a conversation.
const MAX_TEXT: usize = 2048;
const HOUR: u32 = 3600;

/// By which interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A customer-service message (客服消息): for 48 hours after somebody said something, five of them.
    Conversation,
    /// A subscription notification (订阅通知): each consent is one of them.
    Subscription,
    /// A template message (模板消息): for certified service accounts.
    Template,
}

impl Way {
    /// Stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Subscription => "subscription",
            Self::Template => "template",
        }
    }
}

impl Account {
    /// Says something in the conversation.
    pub(super) async fn say(&self, openid: &str, letter: &Letter) -> Outcome {
        let mut text = letter.text.clone();
        if !letter.link.is_empty() {
            text = format!("{text}\n{}", letter.link);
        }
        while text.len() > MAX_TEXT {
            text = cut(&text, text.chars().count() - (text.len() - MAX_TEXT).div_ceil(4));
        }
        let body = json!({ "touser": openid, "msgtype": "text", "text": { "content": text } });
        let _turn = self.lane(openid).await;
        let told = self.ask(Call::post("/cgi-bin/message/custom/send", &body)).await;
        self.outcome(told, false)
    }

    /// Fills in a template and sends it.
    pub(super) async fn fill(&self, openid: &str, template: &Template, letter: &Letter) -> Outcome {
        let path = match (template.way, template.app) {
            (Way::Template, _) => "/cgi-bin/message/template/send",
            (_, WechatApp::Official) => "/cgi-bin/message/subscribe/bizsend",
            (_, WechatApp::Mini) => "/cgi-bin/message/subscribe/send",
        };
        let is_named = template.way == Way::Template;
        let mut body = body(openid, template, letter);
        let _turn = self.lane(openid).await;
        let mut told = self.ask(Call::post(path, &body)).await;
        let again = match told.as_ref().map_err(decide) {
            Err(Action::WithoutPage) => {
                for name in ["page", "url", "miniprogram_state"] {
                    body.as_object_mut().map(|fields| fields.remove(name));
                }
                true
            }
            Err(Action::Shorter) => {
                let field = told.as_ref().err().map(refused_field).unwrap_or_default();
                body["data"] = data(template, letter, |key| field.is_empty() || key == field);
                true
            }
            // WeChat knows it by its name: a second one is the first
            Err(Action::Unknown) => is_named,
            _ => false,
        };
        if again {
            told = self.ask(Call::post(path, &body)).await;
        }
        self.outcome(told, is_named)
    }

    fn outcome(&self, told: Result<Value, Failure>, is_named: bool) -> Outcome {
        match told {
            Ok(told) => {
                let id = &told["msgid"];
                let id = id.as_str().map(str::to_owned).or_else(|| id.as_u64().map(|id| id.to_string()));
                Outcome::Sent { status: 0, id: id.unwrap_or_default() }
            }
            Err(failure) => outcome(&failure, is_named, self.clock().now()),
        }
    }
}

fn refused_field(failure: &Failure) -> String {
    match failure {
        Failure::Said { field, .. } => field.clone(),
        Failure::NotReached | Failure::Lost => String::new(),
    }
}

/// What the decision about an answer means for a send. `is_named`: a repeat is known by its name and harms nobody.
fn outcome(failure: &Failure, is_named: bool, now: DateTime<Utc>) -> Outcome {
    let (status, action) = (failure.code(), decide(failure));
    let why = action.why();
    match action {
        Action::Done => Outcome::Sent { status, id: String::new() },
        Action::Retry | Action::NewToken => Outcome::TryAgain { status, after_secs: Some(60) },
        Action::Later(secs) => Outcome::TryAgain { status, after_secs: Some(secs) },
        Action::Unknown if is_named => Outcome::TryAgain { status, after_secs: Some(60) },
        Action::Unknown => Outcome::Unknown,
        Action::PauseUntilMidnight => Outcome::Broken { status, why, after_secs: until_midnight(now) },
        Action::StopChannel | Action::StopInterface | Action::StopTemplate => {
            Outcome::Broken { status, why, after_secs: HOUR }
        }
        Action::AddressOff | Action::NotFollowing | Action::Refuses => Outcome::AddressOff { status, why },
        Action::Never | Action::NoConsent | Action::WindowClosed => Outcome::Never { status, why },
        Action::Hold
        | Action::Shorter
        | Action::WithoutPage
        | Action::Bug
        | Action::Alarm
        | Action::LogInAgain
        | Action::LogInRefused => Outcome::Held { status, why },
    }
}

fn until_midnight(now: DateTime<Utc>) -> u32 {
    let left = clock::end_of_day(clock::local_date(now)) - now;
    u32::try_from((left + TimeDelta::seconds(1)).num_seconds()).unwrap_or(HOUR)
}

fn body(openid: &str, template: &Template, letter: &Letter) -> Value {
    let mut body = json!({ "touser": openid, "template_id": template.id, "data": data(template, letter, |_| false) });
    match (template.way, template.app) {
        (Way::Template, _) => {
            // at most 32 characters: an id without its dashes
            body["client_msg_id"] = letter.id.replace('-', "").chars().take(32).collect::<String>().into();
            if !letter.link.is_empty() {
                body["url"] = letter.link.clone().into();
            }
        }
        (_, WechatApp::Official) if !letter.link.is_empty() => body["page"] = letter.link.clone().into(),
        (_, WechatApp::Official) => {}
        (_, WechatApp::Mini) => {
            body["miniprogram_state"] = "formal".into();
            body["lang"] = "zh_CN".into();
        }
    }
    body
}

fn data(template: &Template, letter: &Letter, is_short: impl Fn(&str) -> bool) -> Value {
    let filled = template.fields.iter().map(|(key, part)| {
        let value = fit(key, letter.blank(part).unwrap_or_default(), is_short(key));
        (key.clone(), json!({ "value": value }))
    });
    Value::Object(filled.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: i64) -> Failure {
        Failure::Said { code, rid: String::new(), field: String::new() }
    }

    #[test]
    fn a_decision_becomes_what_the_planner_understands() {
        let now = "2026-11-02T15:00:00Z".parse().unwrap();
        let word = |failure: &Failure| outcome(failure, false, now).word();
        for (code, wanted) in [
            (-1, "try_again"),
            (40001, "try_again"),
            (43108, "try_again"),
            (45011, "try_again"),
            (45009, "broken"),
            (40013, "broken"),
            (40037, "broken"),
            (48001, "broken"),
            (40003, "address_off"),
            (43004, "address_off"),
            (48002, "address_off"),
            (43101, "never"),
            (45015, "never"),
            (45047, "never"),
            (43019, "never"),
            (45168, "held"),
            (47001, "held"),
            (47003, "held"),
            (45065, "sent"),
        ] {
            assert_eq!(word(&said(code)), wanted, "{code}");
        }
        assert_eq!(word(&Failure::Lost), "unknown", "it may have been sent");
        assert_eq!(outcome(&Failure::Lost, true, now).word(), "try_again", "a named one is not doubled");
        assert_eq!(word(&Failure::NotReached), "try_again");
        let quota = outcome(&said(45009), false, now);
        assert_eq!(quota, Outcome::Broken { status: 45009, why: "quota", after_secs: 3601 }, "23:00 in the county");
    }
}
