//! Who is signed in: one's own, and those for whom somebody else did it, on paper or by proxy.
use std::collections::HashSet;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{MeetingView, audience};
use crate::{
    error::Result,
    ids::{MeetingId, PersonId},
    meetings::{
        rows::{attendance, meeting},
        rules::Via,
    },
};

/// Those of a meeting whose hands are counted, in the order of their ids; nobody of the villagers' own meeting or a group's,
/// which decide by their vote.
///
/// # Errors
/// When the database cannot be read.
pub async fn signed_for(db: &impl ConnectionTrait, id: MeetingId) -> Result<Vec<PersonId>> {
    let Some(row) = meeting::Entity::find_by_id(id).one(db).await? else { return Ok(Vec::new()) };
    if audience(&row)?.is_assembly() {
        return Ok(Vec::new());
    }
    let signed: Vec<(PersonId, PersonId)> = attendance::Entity::find()
        .select_only()
        .columns([attendance::Column::PersonId, attendance::Column::RecordedBy])
        .filter(attendance::Column::MeetingId.eq(id))
        .filter(attendance::Column::Via.is_in([Via::Paper.as_str(), Via::Proxy.as_str()]))
        .order_by_asc(attendance::Column::PersonId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(signed.into_iter().filter(|(person, by)| person != by).map(|(person, _)| person).collect())
}

/// To which of these meetings this person is signed in.
///
/// # Errors
/// When the database cannot be read.
pub async fn signed_in_to(
    db: &impl ConnectionTrait,
    person: PersonId,
    of: &[MeetingView],
) -> Result<HashSet<MeetingId>> {
    let own = attendance::Entity::find()
        .select_only()
        .column(attendance::Column::MeetingId)
        .filter(attendance::Column::MeetingId.is_in(of.iter().map(|one| one.id)))
        .filter(attendance::Column::PersonId.eq(person));
    Ok(own.into_tuple().all(db).await?.into_iter().collect())
}
