//! What the answers of both SMS providers mean for us, and what their receipts say.
use serde_json::Value;

use super::super::Outcome;

const HOUR: u32 = 3600;

fn sent(id: &str) -> Outcome {
    Outcome::Sent { status: 0, id: id.to_owned() }
}

fn again(secs: u32) -> Outcome {
    Outcome::TryAgain { status: 0, after_secs: Some(secs) }
}

fn broken(why: &'static str) -> Outcome {
    Outcome::Broken { status: 0, why, after_secs: HOUR }
}

fn held(why: &'static str) -> Outcome {
    Outcome::Held { status: 0, why }
}

/// Alibaba Cloud's `Code`.
#[must_use]
pub fn aliyun_outcome(code: &str, id: &str) -> Outcome {
    match code {
        "OK" => sent(id),
        "isv.BUSINESS_LIMIT_CONTROL" | "isv.DAY_LIMIT_CONTROL" | "isv.MONTH_LIMIT_CONTROL" => again(HOUR),
        "isp.SYSTEM_ERROR" | "isp.GATEWAY_ERROR" | "ServiceUnavailable" | "InternalError" => again(60),
        code if code.starts_with("Throttling") => again(60),
        "isv.MOBILE_NUMBER_ILLEGAL" | "isv.INVALID_PARAMETERS.PhoneNumbers" => {
            Outcome::AddressOff { status: 0, why: "bad_address" }
        }
        "isv.MOBILE_IN_BLACK" | "isv.BLACK_NUMBER" => Outcome::AddressOff { status: 0, why: "refuses" },
        "isv.SMS_SIGNATURE_ILLEGAL" | "isv.SMS_TEMPLATE_ILLEGAL" | "isv.SMS_SIGNATURE_SCENE_ILLEGAL" => {
            broken("template")
        }
        "isv.BLACK_KEY_CONTROL_LIMIT" | "isv.SMS_CONTENT_ILLEGAL" => held("sensitive"),
        "isv.TEMPLATE_MISSING_PARAMETERS"
        | "isv.TEMPLATE_PARAMS_ILLEGAL"
        | "isv.PARAM_NOT_SUPPORT_URL"
        | "isv.PARAM_LENGTH_LIMIT"
        | "isv.INVALID_JSON_PARAM" => held("field"),
        "isv.OUT_OF_SERVICE" | "isv.AMOUNT_NOT_ENOUGH" | "isv.ACCOUNT_NOT_EXISTS" | "isv.ACCOUNT_ABNORMAL" => {
            broken("account")
        }
        "SignatureDoesNotMatch" | "SignatureNonceUsed" | "Forbidden.RAM" | "isp.RAM_PERMISSION_DENY" => {
            broken("account")
        }
        code if code.starts_with("InvalidAccessKeyId") || code.starts_with("InvalidTimeStamp") => broken("account"),
        // an answer without a code may mean anything
        "" => Outcome::Unknown,
        _ => held("bug"),
    }
}

/// Tencent Cloud's `Code`, of the one number or of the whole request.
#[must_use]
pub fn tencent_outcome(code: &str, id: &str) -> Outcome {
    match code {
        "Ok" => sent(id),
        "LimitExceeded.PhoneNumberThirtySecondLimit" => again(30),
        code if code.starts_with("LimitExceeded") => again(HOUR),
        code if code.starts_with("InternalError") || code.starts_with("RequestLimitExceeded") => again(60),
        "InvalidParameterValue.IncorrectPhoneNumber" | "UnsupportedOperation.UnsupportedRegion" => {
            Outcome::AddressOff { status: 0, why: "bad_address" }
        }
        "FailedOperation.PhoneNumberInBlacklist" => Outcome::AddressOff { status: 0, why: "refuses" },
        "FailedOperation.SignatureIncorrectOrUnapproved"
        | "FailedOperation.TemplateIncorrectOrUnapproved"
        | "FailedOperation.MissingSignature"
        | "FailedOperation.TemplateUnapprovedOrNotExist" => broken("template"),
        "FailedOperation.ContainSensitiveWord" => held("sensitive"),
        "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"
        | "InvalidParameterValue.TemplateParameterLengthLimit"
        | "InvalidParameterValue.ContentLengthLimit"
        | "FailedOperation.MarketingSendTimeConstraint" => held("field"),
        "FailedOperation.InsufficientBalanceInSmsPackage" => broken("account"),
        code if code.starts_with("AuthFailure") || code.starts_with("UnauthorizedOperation") => broken("account"),
        "" => Outcome::Unknown,
        _ => held("bug"),
    }
}

/// What became of a message: ours by the id that it was sent with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The delivery's id; empty for codes and fixed notices.
    pub id: String,
    /// On the phone?
    pub is_there: bool,
}

/// Reads the receipts that either provider pushes: a JSON list. `None` for anything else.
#[must_use]
pub fn receipts(body: &[u8]) -> Option<Vec<Receipt>> {
    let told: Value = serde_json::from_slice(body).ok()?;
    let read = |one: &Value| {
        // Alibaba: success, out_id; Tencent: report_status, ext
        let is_there = one["success"].as_bool().unwrap_or_else(|| one["report_status"] == "SUCCESS");
        let id = if one["out_id"].is_null() { &one["ext"] } else { &one["out_id"] };
        Receipt { id: id.as_str().unwrap_or_default().chars().take(100).collect(), is_there }
    };
    told.as_array()
        .filter(|list| list.iter().all(Value::is_object))
        .map(|list| list.iter().take(1000).map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_both_providers_has_its_decision() {
        for (code, wanted) in [
            ("OK", "sent"),
            ("isv.BUSINESS_LIMIT_CONTROL", "try_again"),
            ("isp.SYSTEM_ERROR", "try_again"),
            ("Throttling.User", "try_again"),
            ("isv.MOBILE_NUMBER_ILLEGAL", "address_off"),
            ("isv.SMS_SIGNATURE_ILLEGAL", "broken"),
            ("isv.SMS_TEMPLATE_ILLEGAL", "broken"),
            ("isv.TEMPLATE_MISSING_PARAMETERS", "held"),
            ("isv.PARAM_NOT_SUPPORT_URL", "held"),
            ("isv.PARAM_LENGTH_LIMIT", "held"),
            ("isv.INVALID_JSON_PARAM", "held"),
            ("isv.BLACK_KEY_CONTROL_LIMIT", "held"),
            ("isv.OUT_OF_SERVICE", "broken"),
            ("isv.AMOUNT_NOT_ENOUGH", "broken"),
            ("SignatureDoesNotMatch", "broken"),
            ("InvalidAccessKeyId.NotFound", "broken"),
            ("", "unknown"),
            ("isv.SOMETHING_NEW", "held"),
        ] {
            assert_eq!(aliyun_outcome(code, "1").word(), wanted, "{code}");
        }
        for (code, wanted) in [
            ("Ok", "sent"),
            ("LimitExceeded.PhoneNumberThirtySecondLimit", "try_again"),
            ("LimitExceeded.PhoneNumberOneHourLimit", "try_again"),
            ("LimitExceeded.PhoneNumberDailyLimit", "try_again"),
            ("LimitExceeded.PhoneNumberSameContentDailyLimit", "try_again"),
            ("InternalError.Timeout", "try_again"),
            ("FailedOperation.SignatureIncorrectOrUnapproved", "broken"),
            ("FailedOperation.TemplateIncorrectOrUnapproved", "broken"),
            ("FailedOperation.InsufficientBalanceInSmsPackage", "broken"),
            ("FailedOperation.PhoneNumberInBlacklist", "address_off"),
            ("FailedOperation.ContainSensitiveWord", "held"),
            ("AuthFailure.SignatureFailure", "broken"),
            ("", "unknown"),
            ("Something.New", "held"),
        ] {
            assert_eq!(tencent_outcome(code, "1").word(), wanted, "{code}");
        }
    }

    #[test]
    fn receipts_of_both_are_read() {
        let aliyun = br#"[{"phone_number":"13900001234","success":true,"biz_id":"b1","out_id":"d1"}]"#;
        let tencent = br#"[{"mobile":"13900001234","report_status":"FAIL","sid":"s1","ext":"d2"}]"#;
        let read = |id: &str, is_there| Receipt { id: id.into(), is_there };
        assert_eq!(receipts(aliyun), Some(vec![read("d1", true)]));
        assert_eq!(receipts(tencent), Some(vec![read("d2", false)]));
        for bad in ["", "{}", "[1]", "x"] {
            assert_eq!(receipts(bad.as_bytes()), None, "{bad}");
        }
    }
}
