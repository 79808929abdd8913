//! Which bodies were invited to deliberate, and what became of it, as everybody may see it.
use std::collections::HashSet;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    stays::{ActorView, Names},
    views::{MatterSummary, shown},
};
use crate::{
    actor::Actor,
    app::App,
    bodies::{self, SPEAKERS},
    clock,
    error::Result,
    ids::{BodyId, MatterId, PersonId, StreamId},
    matters::rows::{invitation, stage_record},
    streams, text,
};

/// A body that was invited to deliberate.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct InvitationView {
    /// The body.
    pub body_id: BodyId,
    /// Its name.
    pub body_name: String,
    /// In which stay, counted from 1: a matter may come back to be deliberated again.
    pub ordinal: i32,
    /// When it was invited.
    pub invited_at: DateTime<FixedOffset>,
    /// The last day on which it is waited for.
    pub due_on: NaiveDate,
    /// took_part (somebody who sat there said something in the discussion since), declined, silent (the day or the stage is over),
    /// invited.
    pub state: String,
    /// The same in Chinese.
    pub state_name: String,
    /// Who said no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declined_by: Option<ActorView>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Those of a matter, oldest first.
pub(super) async fn invitations(
    db: &impl ConnectionTrait,
    (id, discussion, now): (MatterId, Option<StreamId>, DateTime<Utc>),
    stays: &[stage_record::Model],
) -> Result<Vec<InvitationView>> {
    let own = invitation::Entity::find().filter(invitation::Column::MatterId.eq(id));
    let in_order = own
        .order_by_asc(invitation::Column::Ordinal)
        .order_by_asc(invitation::Column::InvitedAt)
        .order_by_asc(invitation::Column::BodyId);
    let rows = in_order.all(db).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let acted = rows.iter().map(|row| (row.declined_by.unwrap_or(row.invited_by), Some(row.body_id)));
    let names = Names::of(db, acted.collect()).await?;
    let mut shown = Vec::with_capacity(rows.len());
    for together in rows.chunk_by(|one, other| one.ordinal == other.ordinal) {
        let ordinal = together.first().map(|row| row.ordinal);
        let Some(stay) = stays.iter().find(|stay| Some(stay.ordinal) == ordinal) else { continue };
        let spoke = took_part(db, discussion, (together, stay, now)).await?;
        for row in together {
            let state = match row.declined_at {
                _ if spoke.contains(&row.body_id) => "took_part",
                Some(_) => "declined",
                None if stay.left_at.is_some() || clock::local_date(now) > row.due_on => "silent",
                None => "invited",
            };
            shown.push(view_of(row, state, &names));
        }
    }
    Ok(shown)
}

fn view_of(row: &invitation::Model, state: &str, names: &Names) -> InvitationView {
    InvitationView {
        body_id: row.body_id,
        body_name: names.actor(row.invited_by, Some(row.body_id)).body_name,
        ordinal: row.ordinal,
        invited_at: clock::local(row.invited_at),
        due_on: row.due_on,
        state: state.to_owned(),
        state_name: text::word("invitation-state", state),
        declined_by: row.declined_by.map(|person| names.actor(person, Some(row.body_id))),
        reason: row.reason.clone(),
    }
}

/// Of the bodies invited in a stay, those of which somebody said something in it since they were, who sat there then.
async fn took_part(
    db: &impl ConnectionTrait,
    discussion: Option<StreamId>,
    (rows, stay, now): (&[invitation::Model], &stage_record::Model, DateTime<Utc>),
) -> Result<HashSet<BodyId>> {
    let Some(discussion) = discussion else { return Ok(HashSet::new()) };
    let until = stay.left_at.unwrap_or(now);
    let bodies: Vec<BodyId> = rows.iter().map(|row| row.body_id).collect();
    let seats = bodies::queries::sat_in(db, &bodies, (stay.entered_at, until)).await?;
    let people: Vec<PersonId> = seats.iter().map(|(_, person)| *person).collect();
    let spoke = streams::queries::spoke(db, discussion, (&people, stay.entered_at, until)).await?;
    let answers = |row: &&invitation::Model| {
        let mut said =
            seats.iter().filter(|(body, _)| *body == row.body_id).filter_map(|(_, person)| spoke.get(person));
        said.any(|last| *last >= row.invited_at)
    };
    Ok(rows.iter().filter(answers).map(|row| row.body_id).collect())
}

/// Bodies that are invited in a stay and did not decline.
pub(in crate::matters) async fn invited(db: &impl ConnectionTrait, stay: &stage_record::Model) -> Result<Vec<BodyId>> {
    let own = invitation::Entity::find()
        .filter(invitation::Column::MatterId.eq(stay.matter_id))
        .filter(invitation::Column::Ordinal.eq(stay.ordinal))
        .filter(invitation::Column::DeclinedAt.is_null());
    Ok(own.all(db).await?.into_iter().map(|row| row.body_id).collect())
}

/// Does the actor lead this body, and say no for it?
#[must_use]
pub fn leads(actor: &Actor, body: BodyId) -> bool {
    let speaks = |role: &str| SPEAKERS.contains(&role) || role == "secretary";
    actor.seats.iter().any(|seat| seat.body_id == body && speaks(&seat.role))
}

/// Invitations to which bodies that the actor leads have said nothing yet, each with its matter.
///
/// # Errors
/// On an error of the database.
pub async fn waiting_for(app: &App, actor: &Actor) -> Result<Vec<(MatterSummary, InvitationView)>> {
    let led: Vec<BodyId> = actor.seats.iter().map(|seat| seat.body_id).filter(|body| leads(actor, *body)).collect();
    if led.is_empty() {
        return Ok(Vec::new());
    }
    let open = invitation::Entity::find()
        .filter(invitation::Column::BodyId.is_in(led.iter().copied()))
        .filter(invitation::Column::DeclinedAt.is_null())
        .filter(invitation::Column::DueOn.gte(clock::local_date(app.now())));
    let matters: HashSet<MatterId> = open.all(app.store.read()).await?.into_iter().map(|row| row.matter_id).collect();
    let mut waiting = Vec::new();
    for id in matters {
        let matter = shown(app, id).await?;
        let asked = matter.invitations.into_iter().filter(|one| one.state == "invited" && led.contains(&one.body_id));
        waiting.extend(asked.map(|one| (matter.head.clone(), one)));
    }
    Ok(waiting)
}
