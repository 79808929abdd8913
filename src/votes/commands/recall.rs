//! A recall: that it was asked for as the law has it, in its days, and not again for the same; in words beside the article.
use chrono::{DateTime, Datelike, Utc};

use super::{OpenVote, about::About};
use crate::{
    bodies::{self, SeatView},
    clock,
    error::{Checks, Code, Error, Result},
    ids::PersonId,
    store::Tx,
    text,
    votes::{
        queries::{self, is_recall},
        rules::{
            Preset, RecallPetition, Signers,
            recall::{Timing, is_too_soon, timing},
        },
    },
};

/// A recall names its petition, and nothing else does.
pub(super) fn check(checks: &mut Checks, input: &OpenVote, now: DateTime<Utc>) {
    let is_recall = is_recall(&input.preset);
    let Some(asked) = &input.recall else {
        checks.require(!is_recall, "recall.member_id", "required");
        return;
    };
    checks.require(is_recall, "recall.member_id", "not_of_a_recall");
    checks.day("recall.received_on", asked.received_on);
    checks.require(asked.received_on <= clock::local_date(now), "recall.received_on", "out_of_range");
    checks.text("recall.cause", &asked.cause, 2..=200);
    checks.text("recall.defence", &asked.defence, 2..=200);
    if let Some(differs) = &asked.differs {
        checks.text("recall.differs", differs, 2..=200);
    }
}

/// The rule of the vote: who asked, when, what for and what the member says to it stand where everybody reads the article
/// before voting, in the manifest and beside the result. Any other vote keeps its rule.
///
/// # Errors
/// `invalid_fields` for somebody who is no member of the committee, for a petition that too few signed or whose days are over,
/// for one that comes again within a year and does not say what is new in it, and of whoever it is about; `wrong_state` while
/// another recall of the same member is under way.
pub(super) async fn petitioned(
    tx: &Tx,
    preset: Preset,
    (input, about, by): (&OpenVote, &About, PersonId),
    electors: usize,
) -> Result<Preset> {
    let Some(asked) = &input.recall else { return Ok(preset) };
    if asked.member_id == by {
        return Err(Error::field("recall.member_id", "not_yourself"));
    }
    if queries::is_recall_under_way(tx, &about.area, asked.member_id).await? {
        return Err(Code::WrongState.into());
    }
    let seats = queries::committee(tx, &about.area, tx.now()).await?;
    let member = seats.into_iter().find(|seat| seat.person_id == asked.member_id);
    let member = member.ok_or_else(|| Error::field("recall.member_id", "not_a_member"))?;
    let all = match asked.signed_by {
        Signers::Electors => electors,
        Signers::Representatives => bodies::representatives(tx, &about.area, clock::local_date(tx.now())).await?.len(),
    };
    let all = all as u64;
    let timing = timing(tx.calendar(), asked.received_on, input.closes_at);
    let failed_on = queries::failed_recall(tx, &about.area, asked.member_id).await?;
    let is_again = failed_on.is_some_and(|day| is_too_soon(day, asked.received_on));
    let mut checks = Checks::default();
    checks.require(u64::from(asked.signatures) <= all, "recall.signatures", "out_of_range");
    checks.require(asked.signed_by.is_enough(asked.signatures, all), "recall.signatures", "too_few_signatures");
    checks.require(timing != Timing::TooLate, "closes_at", "recall_days_over");
    checks.require(!is_again || asked.differs.is_some(), "recall.differs", "same_cause_too_soon");
    checks.done()?;
    let law = words(&preset.law, (asked, &member), all) + &remarks(asked, timing, is_again);
    Ok(Preset { law, ..preset })
}

fn words(law: &str, (asked, member): (&RecallPetition, &SeatView), all: u64) -> String {
    let signers = match asked.signed_by {
        Signers::Electors => "recall-signers-electors",
        Signers::Representatives => "recall-signers-representatives",
    };
    let numbers = [("signed", asked.signatures.to_string().into()), ("all", all.to_string().into())];
    let day = asked.received_on;
    let blanks = [
        ("law", law.into()),
        ("role", member.role_name.as_str().into()),
        ("member", member.name.as_str().into()),
        ("year", day.year().to_string().into()),
        ("month", day.month().to_string().into()),
        ("day", day.day().to_string().into()),
        ("signers", text::say_with(signers, &numbers).into()),
        ("cause", asked.cause.trim().into()),
        ("defence", asked.defence.trim().into()),
    ];
    text::say_with("vote-of-recall", &blanks)
}

fn remarks(asked: &RecallPetition, timing: Timing, is_again: bool) -> String {
    let mut said = String::new();
    if timing == Timing::ByTheTown {
        said.push_str(&text::say("vote-of-recall-late"));
    }
    if let Some(differs) = asked.differs.as_deref().filter(|_| is_again) {
        said.push_str(&text::say_with("vote-of-recall-again", &[("differs", differs.trim().into())]));
    }
    said
}
