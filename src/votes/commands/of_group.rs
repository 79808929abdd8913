//! A vote of one villagers' group: which group it is, and that its rule says so wherever it is read.
use super::OpenVote;
use crate::{
    error::{Checks, Result},
    people::village_groups,
    store::Tx,
    text,
    votes::{
        queries::{is_of_group, is_selection},
        rules::Preset,
    },
};

/// The assembly of a group names its group, and nothing else does but who chooses representatives (see `selection`).
pub(super) fn check(checks: &mut Checks, input: &OpenVote) {
    let (is_of_group, is_selection) = (is_of_group(&input.preset), is_selection(&input.preset));
    checks.require(!is_of_group || input.group_number.is_some(), "group_number", "required");
    checks.require(is_of_group || is_selection || input.group_number.is_none(), "group_number", "not_of_a_group");
}

/// The rule under the name of the group that decides by it: on every page, in the manifest, in the words of the resolution.
///
/// # Errors
/// `invalid_fields` for a group that the roster of the village does not know.
pub(super) async fn named(tx: &Tx, preset: Preset, (area, group): (&str, Option<i32>)) -> Result<Preset> {
    let Some(group) = group else { return Ok(preset) };
    let mut checks = Checks::default();
    checks.require(village_groups::numbers(tx, area).await?.contains(&group), "group_number", "unknown");
    checks.done()?;
    let blanks = [("n", group.to_string().into()), ("preset", preset.zh.as_str().into())];
    let zh = text::say_with("vote-of-group", &blanks);
    Ok(Preset { zh, ..preset })
}
