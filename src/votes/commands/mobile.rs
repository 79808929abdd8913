//! 流动票箱: which boxes are carried, who goes with them and by whose permission, in words beside the article.
use super::OpenVote;
use crate::{
    error::Checks,
    text,
    votes::rules::{Preset, mobile::MobileBox},
};

/// Each box is one of its own, and enough go with it.
pub(super) fn check(checks: &mut Checks, input: &OpenVote) {
    let Some(mobile) = &input.mobile else { return };
    checks.require(input.has_paper, "has_paper", "required");
    checks.text("mobile.approved", &mobile.approved, 2..=60);
    checks.require(!mobile.boxes.is_empty(), "mobile.boxes", "required");
    for (at, one) in mobile.boxes.iter().enumerate() {
        let field = |name: &str| format!("mobile.boxes[{at}].{name}");
        checks.require(one.is_known(), &field("box"), "out_of_range");
        let is_other = !mobile.boxes.iter().take(at).any(|before| before.number == one.number);
        checks.require(is_other, &field("box"), "duplicate");
        checks.require(one.is_watched(), &field("watchers"), "too_few_watchers");
        for (place, name) in one.watchers.iter().enumerate() {
            checks.text(&field(&format!("watchers[{place}]")), name, 2..=20);
        }
    }
}

/// The rule of the vote: which boxes are carried, and by whom, is read before voting and stands in the manifest.
pub(super) fn applied(preset: Preset, input: &OpenVote) -> Preset {
    let Some(mobile) = &input.mobile else { return preset };
    let said: Vec<String> = mobile.boxes.iter().map(said).collect();
    let blanks = [
        ("law", preset.law.as_str().into()),
        ("approved", mobile.approved.trim().into()),
        ("boxes", said.join("、").into()),
    ];
    let law = text::say_with("vote-of-mobile-boxes", &blanks);
    Preset { law, ..preset }
}

fn said(one: &MobileBox) -> String {
    let names: Vec<&str> = one.watchers.iter().map(|name| name.trim()).collect();
    text::say_with("mobile-box", &[("n", one.number.to_string().into()), ("watchers", names.join("、").into())])
}
