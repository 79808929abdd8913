//! Every refusal: a stable code, a status, a Chinese sentence; sent as `application/problem+json` (RFC 9457).
use axum::http::StatusCode;
use sea_orm::{DbErr, RuntimeErr, SqlxError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::text;

mod problem;

pub use problem::Problem;

/// What anything in the product returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Declares the one table of codes: variant, text of the code, status.
macro_rules! codes {
    ($($name:ident $code:literal $status:literal,)+) => {
        /// Why something was refused. Clients may rely on [`Code::as_str`]; sentences may change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[allow(missing_docs)] $name),+ }

        impl Code {
            /// All codes, in the order of `api-spec/errors.md`.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The stable code that goes over the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// The HTTP status that goes with it.
            #[must_use]
            pub fn status(self) -> StatusCode {
                let number: u16 = match self { $(Self::$name => $status),+ };
                StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    };
}

codes! {
    // the request itself
    InvalidRequest "invalid_request" 400,
    InvalidFields "invalid_fields" 422,
    InvalidCursor "invalid_cursor" 400,
    UnsupportedType "unsupported_type" 415,
    TooLarge "too_large" 413,
    NotFound "not_found" 404,
    MethodNotAllowed "method_not_allowed" 405,
    TimedOut "timed_out" 408,
    TooManyRequests "too_many_requests" 429,
    IdempotencyMismatch "idempotency_mismatch" 422,
    // who asks
    NotSignedIn "not_signed_in" 401,
    SessionEnded "session_ended" 401,
    RefreshReused "refresh_reused" 401,
    CsrfFailed "csrf_failed" 403,
    NotAllowed "not_allowed" 403,
    CodeWrong "code_wrong" 401,
    CodeTooSoon "code_too_soon" 429,
    CodeTooMany "code_too_many" 429,
    PersonChoiceNeeded "person_choice_needed" 409,
    SmsUnavailable "sms_unavailable" 503,
    SmsBudgetSpent "sms_budget_spent" 503,
    ClaimCodeWrong "claim_code_wrong" 401,
    SmsSignInNeeded "sms_sign_in_needed" 403,
    SecondPersonNeeded "second_person_needed" 403,
    SeatHeld "seat_held" 409,
    WechatNotBound "wechat_not_bound" 409,
    WechatNotSetUp "wechat_not_set_up" 409,
    SpeakingSuspended "speaking_suspended" 403,
    // roster
    RosterInvalid "roster_invalid" 422,
    RosterManyLeave "roster_many_leave" 409,
    // bodies
    SeatsExclude "seats_exclude" 409,
    // media
    MediaUnsupported "media_unsupported" 415,
    MediaTooLarge "media_too_large" 413,
    MediaUnreadable "media_unreadable" 422,
    MediaNotUsable "media_not_usable" 422,
    Erased "erased" 410,
    RangeNotSatisfiable "range_not_satisfiable" 416,
    UploadOffset "upload_offset" 409,
    UploadBusy "upload_busy" 423,
    UploadVersion "upload_version" 412,
    MediaUnavailable "media_unavailable" 503,
    // state
    WrongState "wrong_state" 409,
    NotYoursAlone "not_yours_alone" 409,
    Changed "changed" 409,
    EvidenceMissing "evidence_missing" 409,
    AuthorityNeeded "authority_needed" 403,
    TemplateNotAllowed "template_not_allowed" 409,
    AuthorisationNeeded "authorisation_needed" 409,
    Halted "halted" 409,
    DoorCodeExpired "door_code_expired" 409,
    ObjectionsOpen "objections_open" 409,
    MandateNeeded "mandate_needed" 403,
    NoBodyResponsible "no_body_responsible" 409,
    TooEarly "too_early" 409,
    PeriodOver "period_over" 409,
    TooManyObjections "too_many_objections" 409,
    AlreadyAnswered "already_answered" 409,
    // messages
    RecallTooLate "recall_too_late" 409,
    GroupFull "group_full" 409,
    ChainFull "chain_full" 409,
    // votes
    VoteNotOpen "vote_not_open" 409,
    VoteClosed "vote_closed" 409,
    VoteRestored "vote_restored" 409,
    NotOnRoll "not_on_roll" 403,
    AlreadyCast "already_cast" 409,
    CastIdConflict "cast_id_conflict" 409,
    PhoneUnproven "phone_unproven" 403,
    BallotKind "ballot_kind" 422,
    TrusteeKeyWrong "trustee_key_wrong" 422,
    RuleNotVotable "rule_not_votable" 422,
    PaperRequired "paper_required" 422,
    RollObjectionTooLate "roll_objection_too_late" 409,
    PaperIssued "paper_issued" 409,
    NoPaper "no_paper" 409,
    PaperNotCounted "paper_not_counted" 409,
    PaperFewInBox "paper_few_in_box" 409,
    PaperNotReconciled "paper_not_reconciled" 409,
    ChallengeTooLate "challenge_too_late" 409,
    ChallengeOpen "challenge_open" 409,
    ProxyTooLate "proxy_too_late" 409,
    ProxyLimit "proxy_limit" 409,
    ProxyNotAllowed "proxy_not_allowed" 403,
    ProxyPassedOn "proxy_passed_on" 409,
    // us
    Busy "busy" 503,
    ShuttingDown "shutting_down" 503,
    StorageFull "storage_full" 507,
    Internal "internal" 500,
}

/// A refusal that the caller can act on.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Why.
    pub code: Code,
    /// Which fields are wrong, if fields are.
    pub fields: Vec<FieldError>,
    /// Seconds after which trying again makes sense.
    pub retry_after_secs: Option<u64>,
    /// What a client needs to go on (e.g. the people to choose from); never personal data of others.
    pub more: Option<serde_json::Value>,
}

/// One wrong field.
#[derive(Debug, Clone, Serialize, ToSchema, PartialEq, Eq)]
pub struct FieldError {
    /// Path of the field, e.g. `questions[2].title`, or `line 7, column phone` in a file.
    pub field: String,
    /// Key of the sentence: stable.
    pub code: String,
    /// The sentence, in Chinese.
    pub message: String,
}

/// What can go wrong: refused with a reason, or broken on our side.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller can do something about it.
    #[error("refused: {}", .0.code.as_str())]
    Refused(Box<Refusal>),
    /// The database said no.
    #[error("database: {0}")]
    Database(#[from] DbErr),
    /// Files, sockets, the disk.
    #[error("input or output: {0}")]
    Io(#[from] std::io::Error),
    /// Anything else that is our fault. The text goes to the log, never to the caller, and holds no personal data.
    #[error("broken: {0}")]
    Broken(String),
}

impl Error {
    /// The code that the caller is told.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => refusal.code,
            Self::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => Code::StorageFull,
            Self::Database(error) => database_code(error),
            Self::Io(_) | Self::Broken(_) => Code::Internal,
        }
    }

    /// Marks something that cannot be, with a text for the log.
    pub fn broken(what: impl std::fmt::Display) -> Self {
        Self::Broken(what.to_string())
    }

    /// One field is wrong; `code` as in [`Checks::wrong`].
    pub fn field(field: impl Into<String>, code: &str) -> Self {
        let mut checks = Checks::default();
        checks.wrong(field, code);
        checks.refusal(Code::InvalidFields)
    }
}

/// Away, overloaded or full: come again. Everything else is a mistake of ours. The codes are SQLite's numbers and
/// PostgreSQL's five characters.
fn database_code(error: &DbErr) -> Code {
    let cause = match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => return Code::Busy,
        DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => cause,
        _ => return Code::Internal,
    };
    match &**cause {
        SqlxError::Io(_) | SqlxError::Tls(_) | SqlxError::Protocol(_) => Code::Busy,
        SqlxError::PoolTimedOut | SqlxError::PoolClosed | SqlxError::WorkerCrashed => Code::Busy,
        SqlxError::Database(said) => match said.code().as_deref() {
            Some("13" | "53100") => Code::StorageFull,
            // locked by another process
            Some("5" | "261" | "517") => Code::Busy,
            // a character that a database cannot keep
            Some("22021" | "22P05") => Code::InvalidRequest,
            // frozen too long in a transaction; waited too long for a lock; took too long; a unit of its group failed
            Some("25P03" | "55P03" | "57014" | "25P02") => Code::Busy,
            // connection lost; going down or coming up; too many connections; undone for the sake of another
            Some(code) if ["08", "57P", "53", "40"].iter().any(|class| code.len() == 5 && code.starts_with(class)) => {
                Code::Busy
            }
            _ => Code::Internal,
        },
        _ => Code::Internal,
    }
}

impl Code {
    /// A refusal that says when to come back.
    #[must_use]
    pub fn after_secs(self, secs: u64) -> Error {
        Error::Refused(Box::new(Refusal { code: self, fields: Vec::new(), retry_after_secs: Some(secs), more: None }))
    }

    /// A refusal that carries what the client needs to go on.
    #[must_use]
    pub fn with(self, more: serde_json::Value) -> Error {
        Error::Refused(Box::new(Refusal { code: self, fields: Vec::new(), retry_after_secs: None, more: Some(more) }))
    }

    /// The Chinese sentence for people.
    #[must_use]
    pub fn sentence(self) -> String {
        text::word("error", self.as_str())
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::Refused(Box::new(Refusal { code, fields: Vec::new(), retry_after_secs: None, more: None }))
    }
}

/// Collects wrong fields, so that a form is told everything at once.
#[derive(Debug, Default)]
pub struct Checks(Vec<FieldError>);

impl Checks {
    /// Notes a wrong field; `code` is a key in `web/text/zh-CN/fields.ftl` with the prefix `field-`.
    pub fn wrong(&mut self, field: impl Into<String>, code: &str) {
        let message = text::word("field", code);
        self.0.push(FieldError { field: field.into(), code: code.to_owned(), message });
    }

    /// Notes a wrong field unless the condition holds.
    pub fn require(&mut self, holds: bool, field: &str, code: &str) {
        if !holds {
            self.wrong(field, code);
        }
    }

    /// Checks that a text, trimmed, has a length within bounds (in characters) and no control characters but line breaks.
    pub fn text(&mut self, field: &str, value: &str, bounds: std::ops::RangeInclusive<usize>) {
        let length = value.trim().chars().count();
        if !value.chars().any(is_visible) && *bounds.start() > 0 {
            self.wrong(field, "required");
        } else if length < *bounds.start() {
            self.wrong(field, "too_short");
        } else if length > *bounds.end() {
            self.wrong(field, "too_long");
        } else if value.chars().any(|c| (c.is_control() && c != '\n' && c != '\r' && c != '\t') || is_bidi_override(c))
            || is_stacked(value)
        {
            self.wrong(field, "bad_characters");
        }
    }

    /// Checks that a day lies within a life of this system: years beyond four digits would not even sort as text.
    pub fn day(&mut self, field: &str, day: chrono::NaiveDate) {
        self.require((1900..=2200).contains(&chrono::Datelike::year(&day)), field, "out_of_range");
    }

    /// Refuses with `invalid_fields` if anything was noted.
    ///
    /// # Errors
    /// `invalid_fields` with every field noted.
    pub fn done(self) -> Result<()> {
        self.done_as(Code::InvalidFields)
    }

    /// The same with another code.
    ///
    /// # Errors
    /// `code` with every field noted.
    pub fn done_as(self, code: Code) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(self.refusal(code)) }
    }

    fn refusal(self, code: Code) -> Error {
        Error::Refused(Box::new(Refusal { code, fields: self.0, retry_after_secs: None, more: None }))
    }

    /// How many fields were noted so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Does this leave ink? A title of marks that nobody sees is no title.
fn is_visible(c: char) -> bool {
    let is_mark = matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202F}' | '\u{2060}'..='\u{206F}' | '\u{00AD}'
        | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180E}' | '\u{3164}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{2800}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0000}'..='\u{E0FFF}');
    !c.is_whitespace() && !c.is_control() && !is_mark && !is_combining(c)
}

fn is_combining(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

/// Accents heaped on one letter cover the lines above and below; no language puts more than a few.
fn is_stacked(text: &str) -> bool {
    const MOST: usize = 6;
    let mut run = 0;
    text.chars().any(|c| {
        run = if is_combining(c) { run + 1 } else { 0 };
        run > MOST
    })
}

/// Characters that turn the direction of text and so can make one name look like another.
fn is_bidi_override(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\0')
}
