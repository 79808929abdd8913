//! Against whom a meeting is counted: the list is made when it is called, and what changes on it later is written down.
use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{CHUNK, called, seat_in, tell};
use crate::{
    actor::Actor,
    bodies, clock,
    error::{Checks, Code, Result},
    events::Kind,
    ids::{BodyId, MeetingId, PersonId},
    meetings::{
        queries::{self, MeetingView},
        rows::{change, listed},
        rules::Audience,
    },
    store::Tx,
};

/// Changes of one list at most.
const MAX_CHANGES: u64 = 200;

/// Somebody came to the body, or left it, after its meeting was called.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeList {
    /// Who.
    pub person_id: PersonId,
    /// Came, or left?
    pub is_entered: bool,
    /// Why; public, so without a name that is not. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
}

/// Who counts now when it is asked how many of how many came: a body's members, of a collective those who are of age when it
/// begins, or the representatives; nobody for the villagers' own meeting or a group's, which its vote counts.
pub(super) async fn entitled(
    tx: &Tx,
    (body, area): (BodyId, &str),
    (audience, starts_at): (Audience, DateTime<Utc>),
) -> Result<Option<HashSet<PersonId>>> {
    Ok(match audience {
        Audience::Members => Some(bodies::members::voting(tx, body, (tx.now(), clock::local_date(starts_at))).await?),
        Audience::Representatives => Some(bodies::representatives(tx, area, clock::local_date(tx.now())).await?),
        Audience::Villagers | Audience::Group => None,
    })
}

/// Keeps the list with which a meeting is called.
pub(super) async fn keep(tx: &Tx, id: MeetingId, people: HashSet<PersonId>) -> Result<()> {
    let people: Vec<PersonId> = people.into_iter().collect();
    for some in people.chunks(CHUNK) {
        let rows = some.iter().map(|person| listed::ActiveModel { meeting_id: Set(id), person_id: Set(*person) });
        listed::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Writes down that somebody came to the body or left it since the meeting was called; only what is so, and only until it
/// begins, so that nobody makes a meeting full by its list. Records `meeting.list_changed`; never whom: the log is for ever.
///
/// # Errors
/// `not_found`; `not_allowed` without the right in that body; `wrong_state` when it has begun, was held or called off, has
/// no list, or after 200 changes; `invalid_fields` for somebody who is on the list already or does not belong there, and for
/// one who is to be struck and still does.
pub async fn change_list(tx: &Tx, actor: &Actor, (id, input): (MeetingId, ChangeList)) -> Result<MeetingView> {
    let meeting = called(tx, id).await?;
    seat_in(actor, meeting.body_id, &meeting.area_code)?;
    let Some(on_list) = queries::lists::entitled(tx, &meeting).await? else { return Err(Code::WrongState.into()) };
    let so_far = change::Entity::find().filter(change::Column::MeetingId.eq(id)).count(tx).await?;
    if tx.now() >= meeting.starts_at || so_far >= MAX_CHANGES {
        return Err(Code::WrongState.into());
    }
    let audience = queries::audience(&meeting)?;
    let called = (audience, meeting.starts_at);
    let now = entitled(tx, (meeting.body_id, &meeting.area_code), called).await?.unwrap_or_default();
    let (is_listed, belongs) = (on_list.contains(&input.person_id), now.contains(&input.person_id));
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=200);
    if input.is_entered {
        checks.require(!is_listed, "person_id", "duplicate");
        checks.require(belongs, "person_id", "not_a_member");
    } else {
        checks.require(is_listed, "person_id", "unknown");
        checks.require(!belongs, "person_id", "still_a_member");
    }
    checks.done()?;
    let row = change::ActiveModel {
        meeting_id: Set(id),
        number: Set(i32::try_from(so_far).unwrap_or(i32::MAX).saturating_add(1)),
        person_id: Set(input.person_id),
        is_entered: Set(input.is_entered),
        reason: Set(input.reason.trim().to_owned()),
        actor_id: Set(actor.person),
        at: Set(tx.now()),
    };
    change::Entity::insert(row).exec_without_returning(tx).await?;
    let data = json!({ "matter": meeting.matter_id, "body": meeting.body_id, "number": so_far + 1 });
    tell(tx, actor, Kind::MeetingListChanged, &meeting, data).await?;
    queries::view(tx, meeting).await
}
