//! Whom the call to a meeting has reached, by name and household, and whom not: for who holds the meeting.
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::{
    board::{self, ReachRow},
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
        self, Audience,
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
    let called = match (meeting.audience, invited(db, id).await?) {
        (_, Some(listed)) => counted(db, meeting.body_id, &listed).await?,
        (Audience::Villagers, None) => people::residents(db, &meeting.area_code).await?,
        // called before meetings had lists
        (_, None) => {
            let members = bodies::members::entitled(db, meeting.body_id, app.now()).await?;
            counted(db, meeting.body_id, &members.into_iter().collect::<Vec<_>>()).await?
        }
    };
    let kind = if meeting.state == CANCELLED { Kind::MeetingCancelled } else { Kind::MeetingCalled };
    let told = announcement::Entity::find()
        .filter(announcement::Column::SubjectId.eq(id.to_string()))
        .filter(announcement::Column::Kind.eq(kind.as_str()))
        .one(db)
        .await?;
    board::named(db, called, told.as_ref()).await
}

/// Those of these people who have not left, or whom the body counts though they are on no roster.
async fn counted(db: &impl ConnectionTrait, body: BodyId, ids: &[PersonId]) -> Result<Vec<Resident>> {
    let off_roster = bodies::members::off_roster(db, body).await?;
    let found = people::queries::on_rolls(db, ids).await?;
    Ok(found.into_values().filter(|one| one.left_on.is_none() || off_roster.contains(&one.id)).collect())
}
