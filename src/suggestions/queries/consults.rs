//! Public questions to which certain people gave an answer: what was asked of a legal officer is for everybody to look up.
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::{
    super::{
        rows::{answer, suggestion},
        rules::SuggestionKind,
    },
    Shown, SuggestionAnswerView, SuggestionSummary, answers, public_of, summaries,
};
use crate::{error::Result, ids::PersonId, keys::Keys};

/// Questions on one list.
const SHOWN_QUESTIONS: u64 = 10;

/// A question with its answers.
#[derive(Clone, Debug)]
pub struct Consultation {
    /// What was asked.
    pub question: SuggestionSummary,
    /// What was answered, oldest first.
    pub answers: Vec<SuggestionAnswerView>,
}

/// The newest public questions of an area to which one of these people gave an answer, ten at most. The caller knows who sees
/// what is public there.
///
/// # Errors
/// When the database cannot be read.
pub async fn consulted(
    db: &impl ConnectionTrait,
    keys: &Keys,
    (area, people): (&str, Vec<PersonId>),
) -> Result<Vec<Consultation>> {
    let answered = answer::Entity::find()
        .select_only()
        .column(answer::Column::SuggestionId)
        .filter(answer::Column::PersonId.is_in(people))
        .into_query();
    let rows = suggestion::Entity::find()
        .filter(public_of(area))
        .filter(suggestion::Column::Kind.eq(SuggestionKind::Consult))
        .filter(suggestion::Column::Id.in_subquery(answered))
        .order_by_desc(suggestion::Column::CreatedAt)
        .limit(SHOWN_QUESTIONS)
        .all(db)
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    let questions = summaries(db, rows.clone(), Shown::PublicOnly).await?;
    for (row, question) in rows.iter().zip(questions) {
        found.push(Consultation { question, answers: answers(db, keys, row).await? });
    }
    Ok(found)
}
