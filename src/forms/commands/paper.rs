//! A sheet of paper that was typed in and is not counted yet: typed in again, by whom, and what that does.
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use crate::{
    actor::Actor,
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    forms::{
        queries::{self, MyAnswer},
        rows::{answer, form},
        rules::{self, Replies},
    },
    store::Tx,
};

/// An answer to a form that this person answered already. Only what does not count yet changes: the person's own answer takes
/// the place of the paper, the first who typed it in corrects it, a second one who reads the same makes it count.
///
/// # Errors
/// `already_answered` when there is one that counts; `invalid_fields` when the second one reads something else.
pub(super) async fn again(
    tx: &Tx,
    actor: &Actor,
    (form, replies): (&form::Model, &Replies),
    new: answer::Model,
) -> Result<MyAnswer> {
    let waiting = answer::Entity::find()
        .filter(answer::Column::FormId.eq(form.id))
        .filter(answer::Column::PersonId.eq(new.person_id))
        .filter(answer::Column::IsCounted.eq(false))
        .one(tx)
        .await?
        .ok_or(Code::AlreadyAnswered)?;
    let is_second = new.is_on_paper && waiting.recorded_by != actor.person;
    if is_second {
        let first: Replies = serde_json::from_str(&waiting.data).map_err(Error::broken)?;
        let mut checks = Checks::default();
        checks.require(rules::agree(&queries::questions(form)?, &first, replies), "answers", "differs");
        checks.done()?;
    }
    let mut update = answer::Entity::update_many();
    if is_second {
        update = update
            .col_expr(answer::Column::IsCounted, Expr::value(true))
            .col_expr(answer::Column::CheckedBy, Expr::value(actor.person));
    } else {
        update = update
            .col_expr(answer::Column::Data, Expr::value(new.data.clone()))
            .col_expr(answer::Column::RecordedBy, Expr::value(actor.person))
            .col_expr(answer::Column::IsOnPaper, Expr::value(new.is_on_paper))
            .col_expr(answer::Column::IsCounted, Expr::value(new.is_counted))
            .col_expr(answer::Column::CreatedAt, Expr::value(tx.now()));
    }
    let kept = update
        .filter(answer::Column::Id.eq(waiting.id))
        .filter(answer::Column::IsCounted.eq(false))
        .exec_with_returning(tx)
        .await?;
    let row = kept.into_iter().next().ok_or(Code::AlreadyAnswered)?;
    if is_second {
        let checked = Happening::new(Kind::AnswerChecked, form.id)
            .at(&form.area_code)
            .by(actor.person)
            .with(json!({ "person": row.person_id, "first": row.recorded_by }));
        events::record(tx, checked).await?;
    }
    queries::my_view(row)
}
