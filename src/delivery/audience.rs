//! Whom something concerns, a page at a time in the order of their ids.
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::rows::follow;
use crate::{
    app::App,
    bodies,
    error::{Error, Result},
    ids::{BodyId, MatterId, MeetingId, PersonId, SuggestionId, VoteId},
    meetings,
    people::audience::{Among, Neighbour, on_roster, page as residents},
    suggestions, votes,
};

/// People looked at in one go.
pub const CHUNK: u64 = 1000;

/// Whom something concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody on the rosters of an area and below.
    Residents(String),
    /// Who is on the roll of a vote and has not cast.
    Electors(VoteId),
    /// Who is on the list of a meeting, or of the villagers' group that it calls.
    Invited(MeetingId),
    /// Who belongs to a body, with a seat or without: of a meeting that was called before meetings had lists.
    Members(BodyId),
    /// One person.
    Person(PersonId),
    /// Whose voices joined a matter, and who follows it.
    Matter(MatterId),
    /// Who was signed in to a meeting by somebody else.
    SignedFor(MeetingId),
    /// Who is to take a voice.
    Takers(SuggestionId),
}

/// Some of an audience.
pub(super) struct Chunk {
    /// Those who are on a roster.
    pub(super) people: Vec<Neighbour>,
    /// Nearly everybody between the first and the last is among them.
    is_stretch: bool,
    /// How far it goes; `None`: nobody is left.
    pub(super) last: Option<PersonId>,
    /// Nobody comes after it.
    pub(super) is_end: bool,
}

impl Chunk {
    /// Its people: a stretch of the roster by its ends, some here and there by name.
    pub(super) fn among(&self, people: Vec<PersonId>) -> Among {
        match (self.is_stretch, people.first(), people.last()) {
            (true, Some(first), Some(last)) => Among::Between(*first, *last),
            _ => Among::These(people),
        }
    }
}

impl Audience {
    /// How it is kept.
    pub(super) fn words(&self) -> (&'static str, String) {
        match self {
            Self::Residents(area) => ("residents", area.clone()),
            Self::Electors(vote) => ("electors", vote.to_string()),
            Self::Invited(meeting) => ("invited", meeting.to_string()),
            Self::Members(body) => ("members", body.to_string()),
            Self::Person(person) => ("person", person.to_string()),
            Self::Matter(matter) => ("matter", matter.to_string()),
            Self::SignedFor(meeting) => ("signed_for", meeting.to_string()),
            Self::Takers(voice) => ("takers", voice.to_string()),
        }
    }

    /// As it was kept.
    pub(super) fn parse(word: &str, id: &str) -> Result<Self> {
        Ok(match word {
            "residents" => Self::Residents(id.to_owned()),
            "electors" => Self::Electors(id.parse().map_err(Error::broken)?),
            "invited" => Self::Invited(id.parse().map_err(Error::broken)?),
            "members" => Self::Members(id.parse().map_err(Error::broken)?),
            "person" => Self::Person(id.parse().map_err(Error::broken)?),
            "matter" => Self::Matter(id.parse().map_err(Error::broken)?),
            "signed_for" => Self::SignedFor(id.parse().map_err(Error::broken)?),
            "takers" => Self::Takers(id.parse().map_err(Error::broken)?),
            _ => return Err(Error::broken("an audience of an unknown kind")),
        })
    }

    /// The next of them.
    pub(super) async fn chunk(&self, app: &App, after: Option<PersonId>) -> Result<Chunk> {
        let db = app.store.read();
        let ids = match self {
            Self::Residents(area) => {
                let people = residents(db, area, (after, CHUNK)).await?;
                let last = people.last().map(|one| one.id);
                let is_end = (people.len() as u64) < CHUNK;
                return Ok(Chunk { people, is_stretch: true, last, is_end });
            }
            Self::Electors(vote) => votes::queries::not_cast(db, *vote, (after, CHUNK)).await?,
            Self::Invited(meeting) => {
                let mut ids = meetings::queries::invited(db, *meeting).await?.unwrap_or_default();
                ids.retain(|id| after.is_none_or(|after| *id > after));
                ids.truncate(usize::try_from(CHUNK).unwrap_or(usize::MAX));
                ids
            }
            Self::Members(body) => {
                let seats = bodies::queries::members_of(db, *body, app.now()).await?;
                let mut ids: Vec<PersonId> = seats.into_iter().map(|seat| seat.person_id).collect();
                ids.extend(bodies::members::ids(db, *body).await?);
                ids.retain(|id| after.is_none_or(|after| *id > after));
                ids.sort_unstable();
                ids.dedup();
                ids.truncate(usize::try_from(CHUNK).unwrap_or(usize::MAX));
                ids
            }
            Self::Person(person) => {
                Some(*person).filter(|id| after.is_none_or(|after| *id > after)).into_iter().collect()
            }
            Self::Matter(matter) => concerned(db, *matter, after).await?,
            Self::SignedFor(meeting) => {
                let mut ids = meetings::queries::signed_for(db, *meeting).await?;
                ids.retain(|id| after.is_none_or(|after| *id > after));
                ids.truncate(usize::try_from(CHUNK).unwrap_or(usize::MAX));
                ids
            }
            Self::Takers(voice) => {
                let mut ids = suggestions::takers(db, *voice, app.now()).await?;
                ids.retain(|id| after.is_none_or(|after| *id > after));
                ids
            }
        };
        let (last, is_end) = (ids.last().copied(), (ids.len() as u64) < CHUNK);
        Ok(Chunk { people: on_roster(db, ids).await?, is_stretch: false, last, is_end })
    }
}

/// Authors of joined voices and followers, merged. Each list is whole up to its last, so the first of both are.
async fn concerned(db: &impl ConnectionTrait, matter: MatterId, after: Option<PersonId>) -> Result<Vec<PersonId>> {
    let mut followers = follow::Entity::find()
        .select_only()
        .column(follow::Column::PersonId)
        .filter(follow::Column::MatterId.eq(matter))
        .order_by_asc(follow::Column::PersonId)
        .limit(CHUNK);
    if let Some(after) = after {
        followers = followers.filter(follow::Column::PersonId.gt(after));
    }
    let mut ids: Vec<PersonId> = followers.into_tuple().all(db).await?;
    ids.extend(suggestions::authors_in(db, matter, (after, CHUNK)).await?);
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(usize::try_from(CHUNK).unwrap_or(usize::MAX));
    Ok(ids)
}
