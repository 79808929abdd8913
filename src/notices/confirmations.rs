//! Confirmations: who has read which version of a must-read notice; only their number is ever told.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, Set, TryInsertResult,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    queries,
    rows::{confirmation, notice},
};
use crate::{
    actor::Actor,
    clock,
    error::{Code, Error, Result},
    ids::NoticeId,
    store::Tx,
};

/// Somebody has read a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfirmationView {
    /// The notice.
    pub notice_id: NoticeId,
    /// The version that hung when it was confirmed.
    pub version: i32,
    /// When it was confirmed first.
    pub confirmed_at: DateTime<FixedOffset>,
}

/// Confirms that the actor has read the present version. Again, also after the notice came down, is the first answer.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not live in the area; `wrong_state` when it no longer hangs or asks nobody.
pub async fn confirm(tx: &Tx, actor: &Actor, id: NoticeId) -> Result<ConfirmationView> {
    let notice = notice::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    if !actor.lives_in(&notice.area_code) {
        return Err(Code::NotAllowed.into());
    }
    let is_asked = notice.must_read && notice.state == queries::PUBLISHED;
    let now = tx.now();
    let row = confirmation::ActiveModel {
        notice_id: Set(id),
        version: Set(notice.version),
        person_id: Set(actor.person),
        at: Set(now),
    };
    let columns = [confirmation::Column::NoticeId, confirmation::Column::Version, confirmation::Column::PersonId];
    let insert = confirmation::Entity::insert(row).on_conflict_do_nothing_on(columns);
    if is_asked && matches!(insert.exec_without_returning(tx).await?, TryInsertResult::Inserted(1)) {
        return Ok(view(id, notice.version, now));
    }
    let known = confirmation::Entity::find_by_id((id, notice.version, actor.person)).one(tx).await?;
    match known {
        Some(known) => Ok(view(id, known.version, known.at)),
        None if is_asked => Err(Error::broken("a confirmation that is neither new nor known")),
        None => Err(Code::WrongState.into()),
    }
}

fn view(notice_id: NoticeId, version: i32, at: DateTime<chrono::Utc>) -> ConfirmationView {
    ConfirmationView { notice_id, version, confirmed_at: clock::local(at) }
}

/// Has the actor confirmed this version?
///
/// # Errors
/// When the database cannot be read.
pub async fn has_confirmed(db: &impl ConnectionTrait, actor: &Actor, id: NoticeId, version: i32) -> Result<bool> {
    let own = confirmation::Entity::find_by_id((id, version, actor.person));
    Ok(own.count(db).await? > 0)
}

/// How many confirmed, by notice and version.
pub(super) async fn counts(
    db: &impl ConnectionTrait,
    notices: &[notice::Model],
) -> Result<HashMap<(NoticeId, i32), u64>> {
    let asked: Vec<NoticeId> = notices.iter().filter(|row| row.must_read).map(|row| row.id).collect();
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(NoticeId, i32, i64)> = confirmation::Entity::find()
        .select_only()
        .column(confirmation::Column::NoticeId)
        .column(confirmation::Column::Version)
        .column_as(confirmation::Column::PersonId.count(), "confirmed")
        .filter(confirmation::Column::NoticeId.is_in(asked))
        .group_by(confirmation::Column::NoticeId)
        .group_by(confirmation::Column::Version)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(id, version, n)| ((id, version), n.unsigned_abs())).collect())
}
