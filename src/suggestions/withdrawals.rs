//! 撤回: its author needs nobody to deal with a voice any more; it stays as it is, and is not waited for.
//!
//! # Why
//! Only what is still the author's own can be taken back: who said "me too" waits for the answer as well, and a matter that took
//! a voice up goes on for everybody.
use chrono::{DateTime, FixedOffset};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Suggestion, assists,
    commands::{checked, moved, record},
    extensions,
    queries::{self, SuggestionView},
    referrals,
    rows::{suggestion, withdrawal},
    rules::{Step, SuggestionState},
    words,
};
use crate::{
    actor::Actor,
    clock,
    error::{Checks, Result},
    events::Kind,
    ids::SuggestionId,
    keys::Keys,
    store::Tx,
};

const REASON: std::ops::RangeInclusive<usize> = 0..=500;

/// Why it is not needed any more.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawSuggestion {
    /// Up to 500 characters, or nothing; those who handle it read it.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub reason: String,
}

/// That its author took a voice back.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct WithdrawalView {
    /// Why, if that was said; for the author and those who handle it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub withdrawn_at: DateTime<FixedOffset>,
}

/// Takes a voice back: its clocks end, and so does what others are asked about it. Records `suggestion.withdrawn`.
///
/// # Errors
/// `not_found`; `not_allowed` for others than the author; `wrong_state` when it is answered; `not_yours_alone` when others stand
/// behind it, or it joined a matter; `invalid_fields`.
pub async fn withdraw(
    tx: &Tx,
    actor: &Actor,
    (id, input): (SuggestionId, WithdrawSuggestion),
) -> Result<SuggestionView> {
    let reason = input.reason.trim().replace("\r\n", "\n");
    let mut checks = Checks::default();
    checks.text("reason", &reason, REASON);
    checks.done()?;
    let row = checked(tx, actor, id, Step::Withdraw).await?;
    let withdrawn = suggestion::ActiveModel {
        state: Set(SuggestionState::Withdrawn),
        warn_at: Set(None),
        supervise_at: Set(None),
        ..Default::default()
    };
    let row = moved(tx, &row, withdrawn).await?;
    let row = referrals::end_offer(tx, None, row).await?;
    let row = extensions::end_open(tx, row).await?;
    assists::end_open(tx, None, &row).await?;
    let said = if reason.is_empty() { None } else { Some(words::seal(tx, &row, "withdrawal", &reason).await?) };
    let kept = withdrawal::ActiveModel { suggestion_id: Set(id), reason: Set(said), withdrawn_at: Set(tx.now()) };
    kept.insert(tx).await?;
    record(tx, Kind::SuggestionWithdrawn, &row, Some(actor), json!({ "body": row.body_id })).await?;
    queries::view(tx, tx.keys(), (actor, tx.now()), row).await
}

/// That a voice was taken back, if it was; why, for who is near to it.
pub(super) async fn of_voice(
    db: &impl ConnectionTrait,
    keys: &Keys,
    (of, is_near): (&Suggestion, bool),
) -> Result<Option<WithdrawalView>> {
    if of.state != SuggestionState::Withdrawn {
        return Ok(None);
    }
    let Some(row) = withdrawal::Entity::find_by_id(of.id).one(db).await? else { return Ok(None) };
    let opened = words::keys_of(db, keys, &[of]).await?;
    let said = row.reason.filter(|_| is_near).map(|kept| words::said(&opened, of, ("withdrawal", &kept)));
    Ok(Some(WithdrawalView { reason: said.transpose()?, withdrawn_at: clock::local(row.withdrawn_at) }))
}

/// What was said when these voices were taken back is blanked: they were left before voices were sealed.
pub(super) async fn blank(tx: &Tx, voices: &[SuggestionId]) -> Result<()> {
    withdrawal::Entity::update_many()
        .col_expr(withdrawal::Column::Reason, Expr::value(None::<String>))
        .filter(withdrawal::Column::SuggestionId.is_in(voices.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}
