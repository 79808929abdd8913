//! Two SMS providers at one address; each checks its signature, computed here once more.
use axum::{
    Json, Router,
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, Method},
    response::{IntoResponse, Response},
    routing::post,
};
use ring::{digest, hmac};
use serde_json::{Value, json};

use crate::{
    Shared,
    world::{SECRET, SMS_ID, Sent},
};

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/", post(take)).route("/loudspeaker", post(loudspeaker))
}

async fn take(
    State(world): State<Shared>,
    method: Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let body = String::from_utf8_lossy(&body).into_owned();
    if headers.contains_key("x-tc-action") {
        Json(json!({ "Response": tencent(&world, &headers, &body) })).into_response()
    } else {
        Json(aliyun(&world, (&method, &headers), (&query.unwrap_or_default(), &body))).into_response()
    }
}

/// A signed script for a village, kept as it came.
async fn loudspeaker(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let told = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let sent = Sent { path: "/loudspeaker".to_owned(), to: head(&headers, "webhook-id"), body: told, id: 0 };
    world.lock().sent.push(sent);
    if headers.contains_key("webhook-signature") {
        "ok".into_response()
    } else {
        axum::http::StatusCode::FORBIDDEN.into_response()
    }
}

fn head(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn part<'a>(authorization: &'a str, name: &str) -> &'a str {
    let rest = authorization.split(&format!("{name}=")).nth(1).unwrap_or_default();
    rest.split(',').next().unwrap_or_default().trim()
}

fn aliyun(world: &Shared, (method, headers): (&Method, &HeaderMap), (query, body): (&str, &str)) -> Value {
    let no = |code: &str| json!({ "Code": code, "Message": "fake", "RequestId": "r" });
    let authorization = head(headers, "authorization");
    if part(&authorization, "Credential") != SMS_ID {
        return no("InvalidAccessKeyId.NotFound");
    }
    let signed = part(&authorization, "SignedHeaders");
    let lines: String = signed.split(';').map(|name| format!("{name}:{}\n", head(headers, name))).collect();
    let mut pairs: Vec<_> = query.split('&').collect();
    pairs.sort_unstable();
    if head(headers, "x-acs-content-sha256") != sha256(body) || head(headers, "x-acs-signature-nonce").is_empty() {
        return no("SignatureDoesNotMatch");
    }
    let canonical = format!("{method}\n/\n{}\n{lines}\n{signed}\n{}", pairs.join("&"), sha256(body));
    let wanted = hex(&mac(SECRET.as_bytes(), &format!("ACS3-HMAC-SHA256\n{}", sha256(&canonical))));
    if part(&authorization, "Signature") != wanted {
        return no("SignatureDoesNotMatch");
    }
    let told: Value = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), json!(decoded(value))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let action = head(headers, "x-acs-action");
    let to = told["PhoneNumbers"].as_str().or_else(|| told["CalledNumber"].as_str()).unwrap_or_default().to_owned();
    if action == "QuerySmsSign" {
        return json!({ "Code": "OK", "SignStatus": 1 });
    }
    if !is_mobile(&to) {
        return no("isv.MOBILE_NUMBER_ILLEGAL");
    }
    let named = if action == "SendSms" { "TemplateParam" } else { "TtsParam" };
    let parameters: Value = serde_json::from_str(told[named].as_str().unwrap_or_default()).unwrap_or(Value::Null);
    let Some(parameters) = parameters.as_object() else { return no("isv.INVALID_JSON_PARAM") };
    if parameters.values().any(|value| value.as_str().is_none_or(|text| text.contains("://"))) {
        return no("isv.PARAM_NOT_SUPPORT_URL");
    }
    world.lock().sent.push(Sent { path: format!("aliyun {action}"), to, body: told, id: 0 });
    let id = world.number().to_string();
    json!({ "Code": "OK", "Message": "OK", "BizId": id, "CallId": id, "RequestId": "r" })
}

fn is_mobile(text: &str) -> bool {
    text.len() == 11 && text.starts_with('1') && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let pair = text.get(at + 1..at + 3).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (bytes[at], pair) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn tencent(world: &Shared, headers: &HeaderMap, body: &str) -> Value {
    let no = |code: &str| json!({ "Error": { "Code": code, "Message": "fake" }, "RequestId": "r" });
    let authorization = head(headers, "authorization");
    let credential = part(&authorization, "Credential");
    let mut scope = credential.split('/');
    if scope.next() != Some(SMS_ID) {
        return no("AuthFailure.SecretIdNotFound");
    }
    let (date, service) = (scope.next().unwrap_or_default(), scope.next().unwrap_or_default());
    let canonical = format!(
        "POST\n/\n\ncontent-type:{}\nhost:{}\n\ncontent-type;host\n{}",
        head(headers, "content-type"),
        head(headers, "host"),
        sha256(body)
    );
    let at = head(headers, "x-tc-timestamp");
    let day = at
        .parse()
        .ok()
        .and_then(|secs| chrono::DateTime::from_timestamp(secs, 0))
        .map(|at| at.format("%Y-%m-%d").to_string());
    let to_sign = format!("TC3-HMAC-SHA256\n{at}\n{date}/{service}/tc3_request\n{}", sha256(&canonical));
    let key = mac(&mac(&mac(format!("TC3{SECRET}").as_bytes(), date), service), "tc3_request");
    if part(&authorization, "Signature") != hex(&mac(&key, &to_sign)) || day.as_deref() != Some(date) {
        return no("AuthFailure.SignatureFailure");
    }
    let Ok(told) = serde_json::from_str::<Value>(body) else { return no("InvalidParameter") };
    let action = head(headers, "x-tc-action");
    if action == "SendStatusStatistics" {
        return json!({ "SendStatusStatistics": {}, "RequestId": "r" });
    }
    let to =
        told["PhoneNumberSet"][0].as_str().or_else(|| told["CalledNumber"].as_str()).unwrap_or_default().to_owned();
    let is_good = to.strip_prefix("+86").is_some_and(is_mobile);
    let id = world.number().to_string();
    if is_good {
        world.lock().sent.push(Sent { path: format!("tencent {action}"), to: to.clone(), body: told, id: 0 });
    }
    let code = if is_good { "Ok" } else { "InvalidParameterValue.IncorrectPhoneNumber" };
    if action == "SendCodeVoice" {
        return if is_good { json!({ "SendStatus": { "CallId": id }, "RequestId": "r" }) } else { no(code) };
    }
    let one = json!({ "SerialNo": id, "PhoneNumber": to, "Fee": 1, "Code": code, "Message": code, "IsoCode": "CN" });
    json!({ "SendStatusSet": [one], "RequestId": "r" })
}
