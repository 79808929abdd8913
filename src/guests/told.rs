//! What a guest, or a handler for somebody, says; and what is given back.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::suggestions::{Category, ReplyWish, SuggestionKind, Urgency};

/// A field that came later is left out when it says nothing: a repetition across an upgrade is the same request.
fn is_usual<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Wants a code to leave a voice.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskGuestCode {
    /// The village: twelve digits.
    pub area_code: String,
    /// A mobile number of the mainland.
    pub phone: String,
}

/// Leaves a voice.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaveGuestVoice {
    /// The village: twelve digits.
    pub area_code: String,
    /// The number that the code was sent to.
    pub phone: String,
    /// Six digits.
    pub code: String,
    /// What the guest calls themselves; may be empty.
    #[serde(default)]
    #[schema(max_length = 30)]
    pub name: String,
    /// What is wanted.
    pub kind: SuggestionKind,
    /// What it is about.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub category: Category,
    /// Urgent: accepted within 2 hours and answered within 24, on holidays too.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub urgency: Urgency,
    /// 1 to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    pub text: String,
    /// Where, in words.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub place: String,
}

/// A handler writes it down for somebody who is there.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordGuestVoice {
    /// The village: twelve digits.
    pub area_code: String,
    /// What the guest calls themselves; may be empty.
    #[serde(default)]
    #[schema(max_length = 30)]
    pub name: String,
    /// What is wanted.
    pub kind: SuggestionKind,
    /// What it is about.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub category: Category,
    /// Urgent: accepted within 2 hours and answered within 24, on holidays too.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub urgency: Urgency,
    /// 1 to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    pub text: String,
    /// Where, in words.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub place: String,
}

/// A handler takes it down for somebody on the roster.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeDownVoice {
    /// What is wanted.
    pub kind: SuggestionKind,
    /// What it is about.
    #[serde(default)]
    pub category: Category,
    /// Urgent: accepted within 2 hours and answered within 24.
    #[serde(default)]
    pub urgency: Urgency,
    /// How the person wants to be answered.
    #[serde(default)]
    pub reply_wish: ReplyWish,
    /// 1 to 2,000 characters: as it was told. Those who handle it see it, nobody else.
    #[schema(min_length = 1, max_length = 2000)]
    pub text: String,
    /// Where, in words.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub place: String,
}

/// What the guest keeps.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct GuestVoice {
    /// The number people read out.
    pub number: String,
    /// Opens the voice; shown once.
    pub claim_code: String,
}
