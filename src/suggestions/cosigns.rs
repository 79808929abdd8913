//! 我也是: who says of a public voice that it is theirs, too, and is told what becomes of it.
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Suggestion,
    commands::{checked, record},
    queries::{self, SuggestionSummary},
    rows::{cosign, suggestion},
    rules::Step,
};
use crate::{
    actor::Actor,
    error::{Code, Result},
    events::Kind,
    ids::{CosignSheetId, MatterId, PersonId, SuggestionId},
    store::Tx,
};

/// Of those who said so, this many are told by a card, the first first: one unit writes them all, and others wait for it.
const TOLD: u64 = 50;

/// Whether one stands behind a voice.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cosign {
    /// Is it one's own, too?
    pub is_on: bool,
}

/// Says that a public voice of the own village is one's own, too, or no longer; once, however often it is said. Records
/// `suggestion.cosigned`.
///
/// # Errors
/// `not_found` for whoever may not see it; `not_allowed` for its author, for what is not public and for who does not live
/// there; `wrong_state` when it is over. Whoever said so may take it back at any time.
pub async fn cosign(tx: &Tx, actor: &Actor, (id, input): (SuggestionId, Cosign)) -> Result<SuggestionSummary> {
    let row = if !input.is_on && has_cosigned(tx, actor.person, id).await? {
        queries::row(tx, id).await?.ok_or(Code::NotFound)?
    } else {
        checked(tx, actor, id, Step::Cosign).await?
    };
    let change = if input.is_on { add(tx, actor.person, id).await? } else { remove(tx, actor.person, id).await? };
    if change == 0 {
        return queries::summary(tx, row).await;
    }
    let row = counted(tx, id, change).await?;
    record(tx, Kind::SuggestionCosigned, &row, Some(actor), json!({ "is_on": input.is_on })).await?;
    queries::summary(tx, row).await
}

/// The voice with so many more behind it.
pub(super) async fn counted(tx: &Tx, id: SuggestionId, change: i32) -> Result<Suggestion> {
    let counted = suggestion::Entity::update_many()
        .col_expr(suggestion::Column::Cosigns, Expr::col(suggestion::Column::Cosigns).add(change))
        .filter(suggestion::Column::Id.eq(id))
        .exec_with_returning(tx)
        .await?;
    counted.into_iter().next().ok_or_else(|| Code::NotFound.into())
}

async fn add(tx: &Tx, person: PersonId, id: SuggestionId) -> Result<i32> {
    if has_cosigned(tx, person, id).await? {
        return Ok(0);
    }
    let row = cosign::ActiveModel {
        suggestion_id: Set(id),
        person_id: Set(person),
        created_at: Set(tx.now()),
        sheet_id: Set(None),
    };
    row.insert(tx).await?;
    Ok(1)
}

async fn remove(tx: &Tx, person: PersonId, id: SuggestionId) -> Result<i32> {
    let gone = cosign::Entity::delete_by_id((id, person)).exec(tx).await?;
    Ok(-i32::from(gone.rows_affected > 0))
}

/// Does this person stand behind it?
pub(super) async fn has_cosigned(db: &impl ConnectionTrait, person: PersonId, id: SuggestionId) -> Result<bool> {
    Ok(cosign::Entity::find_by_id((id, person)).one(db).await?.is_some())
}

/// Those who are told of what becomes of it.
pub(super) async fn told(db: &impl ConnectionTrait, id: SuggestionId) -> Result<Vec<PersonId>> {
    let rows = cosign::Entity::find()
        .select_only()
        .column(cosign::Column::PersonId)
        .filter(cosign::Column::SuggestionId.eq(id))
        .order_by_asc(cosign::Column::CreatedAt)
        .limit(TOLD);
    Ok(rows.into_tuple().all(db).await?)
}

/// The matter that a voice has joined, and who stands behind the voice: all of them, or those alone who signed this sheet.
///
/// # Errors
/// When the database cannot be read.
pub async fn behind(
    db: &impl ConnectionTrait,
    (id, sheet): (SuggestionId, Option<CosignSheetId>),
) -> Result<Option<(MatterId, Vec<PersonId>)>> {
    let joined = suggestion::Entity::find_by_id(id).one(db).await?.and_then(|row| row.matter_id);
    let Some(matter) = joined else { return Ok(None) };
    let mut people = cosign::Entity::find()
        .select_only()
        .column(cosign::Column::PersonId)
        .filter(cosign::Column::SuggestionId.eq(id));
    if let Some(sheet) = sheet {
        people = people.filter(cosign::Column::SheetId.eq(sheet));
    }
    Ok(Some((matter, people.into_tuple().all(db).await?)))
}

/// Nobody stands behind anything whose account is closed.
pub(super) async fn leave_all(tx: &Tx, person: PersonId) -> Result<()> {
    let rows = cosign::Entity::find().filter(cosign::Column::PersonId.eq(person)).all(tx).await?;
    for row in rows {
        let change = remove(tx, person, row.suggestion_id).await?;
        suggestion::Entity::update_many()
            .col_expr(suggestion::Column::Cosigns, Expr::col(suggestion::Column::Cosigns).add(change))
            .filter(suggestion::Column::Id.eq(row.suggestion_id))
            .exec(tx)
            .await?;
    }
    Ok(())
}
