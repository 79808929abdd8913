//! A vote of a collective: which item of article 26 it decides, and that this item is for those who vote.
use super::OpenVote;
use crate::{
    error::Checks,
    text,
    votes::{
        queries::has_items,
        rules::{self, CollectiveItem, Preset},
    },
};

/// The assembly of the members and that of their representatives name the item, and nothing else does. After a tie the item of
/// the vote before goes on.
pub(super) fn check(checks: &mut Checks, input: &OpenVote) {
    let (has_items, is_first) = (has_items(&input.preset), input.parent_vote_id.is_none());
    let Some(item) = &input.collective_item else {
        checks.require(!has_items || !is_first, "collective_item.number", "required");
        return;
    };
    checks.require(has_items, "collective_item.number", "not_of_an_assembly");
    checks.require(is_first, "collective_item.number", "only_the_tied");
    checks.require(item.is_known(), "collective_item.number", "unknown");
    checks.text("collective_item.discussed", &item.discussed, 2..=60);
    let unit = rules::preset(&input.preset).map(|preset| preset.unit).filter(|_| has_items && item.is_known());
    checks.require(unit.is_none_or(|unit| item.is_theirs(unit)), "collective_item.number", "reserved_to_members");
}

/// The rule of the vote. The item and where it was discussed stand where everybody reads the article before voting, in the
/// manifest and beside the result.
pub(super) fn applied(preset: Preset, item: Option<&CollectiveItem>) -> Preset {
    let Some(item) = item else { return preset };
    let blanks = [
        ("law", preset.law.as_str().into()),
        ("item", text::say(&format!("collective-item-{}", item.number)).into()),
        ("discussed", item.discussed.trim().into()),
    ];
    let law = text::say_with("vote-of-item", &blanks);
    Preset { law, ..preset }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::votes::rules::collective::ITEMS;

    #[test]
    fn every_item_has_its_words() {
        for number in 1..=ITEMS {
            assert!(text::knows(&format!("collective-item-{number}")), "{number}");
        }
    }
}
