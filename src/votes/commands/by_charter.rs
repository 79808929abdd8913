//! A vote of a body by what its own charter says: which shares, and in words beside the article.
use super::OpenVote;
use crate::{
    error::Checks,
    text,
    votes::{
        queries::has_charter,
        rules::{Basis, CharterRule, Preset, Share},
    },
};

/// In a village the law says how many; a charter speaks of its own body alone.
pub(super) fn check(checks: &mut Checks, input: &OpenVote) {
    let Some(rule) = &input.by_charter else { return };
    checks.require(has_charter(&input.preset), "by_charter", "by_law");
    checks.text("by_charter.article", &rule.article, 2..=60);
    checks.require(rule.is_quorum_sound(), "by_charter.quorum", "out_of_range");
    checks.require(rule.is_passing_sound(), "by_charter.passing", "out_of_range");
}

/// The rule of the vote. Its shares stand in words where everybody reads the article before voting.
pub(super) fn applied(preset: &Preset, rule: Option<&CharterRule>) -> Preset {
    let Some(rule) = rule else { return preset.clone() };
    let (article, passing) = (rule.article.trim(), said(rule.passing));
    let law = match rule.quorum.map(said) {
        Some(quorum) => text::say_with(
            "vote-by-charter",
            &[("article", article.into()), ("quorum", quorum.into()), ("passing", passing.into())],
        ),
        None => text::say_with("vote-by-charter-any", &[("article", article.into()), ("passing", passing.into())]),
    };
    rule.applied(preset, law)
}

/// A share in words, as in 超过名册人数的 1/2.
pub(in crate::votes) fn said(share: Share) -> String {
    let key = match (share.basis, share.strict) {
        (Basis::OnRoll, true) => "vote-share-all-more",
        (Basis::OnRoll, false) => "vote-share-all-least",
        (Basis::Present, true) => "vote-share-present-more",
        (Basis::Present, false) => "vote-share-present-least",
    };
    text::say_with(key, &[("part", format!("{}/{}", share.num, share.den).into())])
}
