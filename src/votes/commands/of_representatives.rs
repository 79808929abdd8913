//! A vote of the representatives' meeting: whether those who meet are composed as the law has it, in words beside the article.
use chrono::NaiveDate;

use crate::{
    bodies,
    error::Result,
    ids::PersonId,
    people::women::women_among,
    store::Tx,
    text,
    votes::{
        roll::Elector,
        rules::{Preset, Unit, composition},
    },
};

/// The rule of the vote: how many of its roll are representatives, and women among them, and whether that is as many as it
/// should be (组织法, article 29). A vote is not refused by it: it is the village's to choose others, and everybody's to read
/// it before voting.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn composed(
    tx: &Tx,
    preset: Preset,
    (area, day): (&str, NaiveDate),
    electors: &[Elector],
) -> Result<Preset> {
    if preset.unit != Unit::Representative {
        return Ok(preset);
    }
    let seated = bodies::representatives(tx, area, day).await?;
    let chosen = electors.iter().map(|elector| elector.person).filter(|person| seated.contains(person));
    let chosen: Vec<PersonId> = chosen.collect();
    let women = women_among(tx, &chosen).await?;
    let (all, representatives) = (electors.len() as u64, chosen.len() as u64);
    let verdict = |holds: bool| text::say(if holds { "vote-comparison-holds" } else { "vote-comparison-fails" });
    let blanks = [
        ("law", preset.law.as_str().into()),
        ("all", all.to_string().into()),
        ("chosen", representatives.to_string().into()),
        ("chosen-verdict", verdict(composition::are_representatives_enough(representatives, all)).into()),
        ("women", women.to_string().into()),
        ("women-verdict", verdict(composition::are_women_enough(women, all)).into()),
    ];
    let law = text::say_with("vote-of-representatives", &blanks);
    Ok(Preset { law, ..preset })
}
