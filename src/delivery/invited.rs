//! Whom the call to a meeting has reached, by name and household, and whom not: for who holds the meeting.
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::{
    board::{self, ReachRow},
    marks,
    rows::announcement,
};
use crate::{
    actor::Actor,
    app::App,
    bodies,
    error::{Code, Result},
    events::Kind,
    ids::{BodyId, MeetingId, PersonId},
    meetings::{
        self, Audience, MeetingView,
        queries::{CANCELLED, invited},
    },
    people::{self, Resident},
};

/// Everybody who is called to a meeting, by group and household; of one that was called off, whom that has reached. Whoever
/// came on the list later stands there, too: the letters may have gone out before.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not hold the meeting.
pub async fn invited_of(app: &App, actor: &Actor, id: MeetingId) -> Result<Vec<ReachRow>> {
    let db = app.store.read();
    let meeting = meetings::queries::meeting(db, id).await?;
    if !bodies::members::holds(actor, meeting.body_id) {
        return Err(Code::NotAllowed.into());
    }
    rows(db, &meeting, app.now()).await
}

/// The same for whoever may see them.
pub(super) async fn rows(
    db: &impl ConnectionTrait,
    meeting: &MeetingView,
    now: DateTime<Utc>,
) -> Result<Vec<ReachRow>> {
    let called = match listed(db, meeting, now).await? {
        Some(listed) => counted(db, meeting.body_id, &listed).await?,
        None => people::residents(db, &meeting.area_code).await?,
    };
    let kind = if meeting.state == CANCELLED { Kind::MeetingCancelled } else { Kind::MeetingCalled };
    let told = announcement::Entity::find()
        .filter(announcement::Column::SubjectId.eq(meeting.id.to_string()))
        .filter(announcement::Column::Kind.eq(kind.as_str()))
        .one(db)
        .await?;
    let mut rows = board::named(db, called, told.as_ref()).await?;
    marks::at_door(db, marks::told(db, (kind, meeting.id.0)).await?, &mut rows).await?;
    Ok(rows)
}

/// Is this one of those who are called?
pub(super) async fn is_called(
    db: &impl ConnectionTrait,
    meeting: &MeetingView,
    (person, now): (&Resident, DateTime<Utc>),
) -> Result<bool> {
    Ok(match listed(db, meeting, now).await? {
        Some(listed) => listed.contains(&person.id),
        None => person.area == meeting.area_code && person.left_on.is_none(),
    })
}

/// Who is called by name; `None`: the whole village.
async fn listed(db: &impl ConnectionTrait, meeting: &MeetingView, now: DateTime<Utc>) -> Result<Option<Vec<PersonId>>> {
    match (meeting.audience, invited(db, meeting.id).await?) {
        (_, Some(listed)) => Ok(Some(listed)),
        (Audience::Villagers, None) => Ok(None),
        // called before meetings had lists
        (_, None) => {
            let members = bodies::members::entitled(db, meeting.body_id, now).await?;
            Ok(Some(members.into_iter().collect()))
        }
    }
}

/// Those of these people who have not left, or whom the body counts though they are on no roster.
async fn counted(db: &impl ConnectionTrait, body: BodyId, ids: &[PersonId]) -> Result<Vec<Resident>> {
    let off_roster = bodies::members::off_roster(db, body).await?;
    let found = people::queries::on_rolls(db, ids).await?;
    Ok(found.into_values().filter(|one| one.left_on.is_none() || off_roster.contains(&one.id)).collect())
}
