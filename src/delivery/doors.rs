//! The doors of those whom no message reached, for who goes round: of a notice that nobody is asked to confirm, of the call to a
//! meeting, of a vote; by group and household, on the phone and on paper.
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    board::{self, ReachRow},
    electors, invited,
};
use crate::{
    actor::Actor,
    app::App,
    bodies,
    error::{Code, Result},
    events::Kind,
    ids::{MeetingId, NoticeId, PersonId, VoteId},
    meetings::{self, MeetingView},
    notices::{self, DoorView, DoorsQuery, Scope},
    page::{Cursor, Page, PageQuery},
    people::{self, Resident},
    votes::{self, VoteView},
};

/// People on a sheet of paper.
const ON_PAPER: usize = 5000;

/// What people are called to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// To a meeting; of one that was called off, not to come.
    Meeting,
    /// To a vote that takes ballots.
    Vote,
}

impl Call {
    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Meeting => "meeting",
            Self::Vote => "vote",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Meeting, Self::Vote].into_iter().find(|one| one.as_str() == word)
    }
}

/// The same with what it is.
#[derive(Clone, Debug)]
pub enum Called {
    /// A meeting.
    Meeting(Box<MeetingView>),
    /// A vote.
    Vote(Box<VoteView>),
}

impl Called {
    pub(super) async fn find(db: &impl ConnectionTrait, (call, id): (Call, Uuid)) -> Result<Self> {
        Ok(match call {
            Call::Meeting => Self::Meeting(Box::new(meetings::queries::meeting(db, MeetingId(id)).await?)),
            Call::Vote => Self::Vote(Box::new(votes::queries::vote(db, VoteId(id)).await?)),
        })
    }

    pub(super) fn id(&self) -> Uuid {
        match self {
            Self::Meeting(meeting) => meeting.id.0,
            Self::Vote(vote) => vote.id.0,
        }
    }

    /// What is told at its doors now.
    ///
    /// # Errors
    /// `wrong_state` when nothing is, because it is over; `vote_restored` while it rests: nobody is sent to cast in it.
    pub(super) fn kind(&self) -> Result<Kind> {
        match self {
            Self::Meeting(meeting) if meeting.state == meetings::queries::CALLED => Ok(Kind::MeetingCalled),
            Self::Meeting(meeting) if meeting.state == meetings::queries::CANCELLED => Ok(Kind::MeetingCancelled),
            Self::Vote(vote) if vote.restored_at.is_some() => Err(Code::VoteRestored.into()),
            Self::Vote(vote) if vote.takes_ballots() => Ok(Kind::VoteOpened),
            _ => Err(Code::WrongState.into()),
        }
    }

    /// Its village.
    pub(super) fn area(&self) -> &str {
        match self {
            Self::Meeting(meeting) => &meeting.area_code,
            Self::Vote(vote) => &vote.area_code,
        }
    }

    /// What it is called.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Meeting(meeting) => &meeting.title,
            Self::Vote(vote) => &vote.question,
        }
    }

    /// Does the actor hold the meeting, or run the vote?
    #[must_use]
    pub fn is_held_by(&self, actor: &Actor) -> bool {
        match self {
            Self::Meeting(meeting) => bodies::members::holds(actor, meeting.body_id),
            Self::Vote(vote) => votes::office::may_run(actor, vote),
        }
    }

    /// Does the actor go round for it now?
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn is_told_by(&self, db: &impl ConnectionTrait, actor: &Actor) -> Result<bool> {
        if actor.seats.is_empty() || self.kind().is_err() {
            return Ok(false);
        }
        match self.scope(db, actor).await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Code::NotAllowed => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whose doors the actor knows: who holds it all of them; where a village is called, or a group of it, who goes round there
    /// those of the own groups; of a vote not whom it recalls, nor who stands.
    pub(super) async fn scope(&self, db: &impl ConnectionTrait, actor: &Actor) -> Result<Scope> {
        let is_of_village = match self {
            Self::Meeting(meeting) => meeting.audience.is_assembly(),
            Self::Vote(vote) if votes::office::is_about(actor, vote) => false,
            Self::Vote(vote) => !votes::queries::is_inside(&vote.preset),
        };
        if self.is_held_by(actor) {
            return Ok(Scope::Everybody);
        }
        if is_of_village { notices::scope(db, actor, self.area()).await } else { Err(Code::NotAllowed.into()) }
    }

    /// Is this one of those who are called? In an open vote nobody who has cast.
    pub(super) async fn concerns(
        &self,
        db: &impl ConnectionTrait,
        (person, now): (&Resident, DateTime<Utc>),
    ) -> Result<bool> {
        match self {
            Self::Meeting(meeting) => invited::is_called(db, meeting, (person, now)).await,
            Self::Vote(vote) => Ok(votes::queries::to_tell(db, vote.id).await?.contains(&person.id)),
        }
    }
}

/// What is called to, and the people whom that concerns, told or not, by group and household.
#[derive(Clone, Debug)]
pub struct Round {
    /// What.
    pub called: Called,
    /// As far as who asks goes round.
    pub rows: Vec<ReachRow>,
}

/// Which doors.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RoundQuery {
    /// Only those of this villagers' group.
    pub group: Option<i32>,
    /// The `next_cursor` of the page before; absent for the first.
    pub cursor: Option<String>,
    /// Rows wanted, 1 to 100; 20 when absent.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u64>,
}

/// Those who are called, as far as the actor goes round; of a secret vote alone those of whom it can be known without what they
/// did ([`electors::electors_of`]).
///
/// # Errors
/// `not_found`; `not_allowed`; `wrong_state` when it is over; `vote_restored` while it rests.
pub async fn round(app: &App, actor: &Actor, (which, group): ((Call, Uuid), Option<i32>)) -> Result<Round> {
    let db = app.store.read();
    let called = Called::find(db, which).await?;
    let scope = called.scope(db, actor).await?;
    require(&scope, group)?;
    called.kind()?;
    let mut rows = match &called {
        Called::Meeting(meeting) => invited::rows(db, meeting, app.now()).await?,
        Called::Vote(vote) => electors::rows(app, vote).await?,
    };
    goes_to(&mut rows, actor, &scope);
    Ok(Round { called, rows })
}

/// A page of the doors that are left.
///
/// # Errors
/// As [`round`]; `invalid_cursor`.
pub async fn list(app: &App, actor: &Actor, (which, wanted): ((Call, Uuid), RoundQuery)) -> Result<Page<DoorView>> {
    let page = PageQuery { cursor: wanted.cursor, limit: wanted.limit };
    let round = round(app, actor, (which, wanted.group)).await?;
    cut(app.store.read(), round.rows, (wanted.group, &page)).await
}

/// A page of the doors that are left of a notice: of one that must be read those who have not confirmed, of another those whom
/// nothing reached and nobody told.
///
/// # Errors
/// `not_found`, also of a village that it does not concern; `not_allowed`; `wrong_state` when it was taken down;
/// `invalid_cursor`.
pub async fn of_notice(app: &App, actor: &Actor, (id, wanted): (NoticeId, DoorsQuery)) -> Result<Page<DoorView>> {
    let db = app.store.read();
    let notice = notices::reached::hanging(db, id).await?.ok_or(Code::NotFound)?;
    if notice.must_read {
        return notices::queries::doors(db, actor, (id, wanted)).await;
    }
    let (_, rows) = concerned(db, actor, (id, wanted.area.as_deref(), wanted.group)).await?;
    let page = PageQuery { cursor: wanted.cursor, limit: wanted.limit };
    cut(db, rows, (wanted.group, &page)).await
}

/// The village, and whom a notice that nobody is asked to confirm concerns there, as far as the actor goes round, told or not.
///
/// # Errors
/// As [`of_notice`].
pub async fn concerned(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (id, area, group): (NoticeId, Option<&str>, Option<i32>),
) -> Result<(String, Vec<ReachRow>)> {
    let notice = notices::reached::hanging(db, id).await?.ok_or(Code::NotFound)?;
    let village = notices::village_of(actor, &notice.area, area)?;
    let scope = notices::scope(db, actor, &village).await?;
    require(&scope, group)?;
    if notice.is_withdrawn {
        return Err(Code::WrongState.into());
    }
    let mut rows = board::people_of(db, actor, (id, Some(&village))).await?;
    goes_to(&mut rows, actor, &scope);
    Ok((village, rows))
}

/// All doors that are left, for a sheet of paper, 5,000 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn on_paper(
    db: &impl ConnectionTrait,
    (mut rows, group): (Vec<ReachRow>, Option<i32>),
) -> Result<Vec<DoorView>> {
    rows.retain(|row| is_left(row, group));
    rows.truncate(ON_PAPER);
    views(db, rows).await
}

/// Is this door still to be visited?
#[must_use]
pub fn is_left(row: &ReachRow, group: Option<i32>) -> bool {
    row.way.is_none() && group.is_none_or(|group| row.group_number == group)
}

fn require(scope: &Scope, group: Option<i32>) -> Result<()> {
    if group.is_none_or(|group| scope.has(group)) { Ok(()) } else { Err(Code::NotAllowed.into()) }
}

/// Who goes round knows of it.
fn goes_to(rows: &mut Vec<ReachRow>, actor: &Actor, scope: &Scope) {
    rows.retain(|row| scope.has(row.group_number) && row.person_id != actor.person);
}

async fn cut(
    db: &impl ConnectionTrait,
    rows: Vec<ReachRow>,
    (group, page): (Option<i32>, &PageQuery),
) -> Result<Page<DoorView>> {
    let limit = page.limit()?;
    let from = match page.after()? {
        None => 0,
        // behind who stood last on the page before; where they stand here no more, where they stood
        Some(after) => {
            let place = usize::try_from(after.at.timestamp_millis()).map_err(|_| Code::InvalidCursor)?;
            rows.iter().position(|row| row.person_id.0 == after.id).map_or(place, |at| at + 1)
        }
    };
    let wanted = usize::try_from(limit + 1).unwrap_or(usize::MAX);
    let left = rows.into_iter().enumerate().skip(from).filter(|(_, row)| is_left(row, group));
    let left: Vec<(usize, ReachRow)> = left.take(wanted).collect();
    // the place in the list is not a time, and is written into a cursor where others have theirs
    let place = |(at, row): &(usize, ReachRow)| Cursor {
        at: DateTime::<Utc>::from_timestamp_millis(i64::try_from(*at).unwrap_or_default()).unwrap_or_default(),
        id: row.person_id.0,
    };
    let page = Page::cut(left, limit, place, |(_, row)| row);
    Ok(Page { items: views(db, page.items).await?, next_cursor: page.next_cursor })
}

async fn views(db: &impl ConnectionTrait, rows: Vec<ReachRow>) -> Result<Vec<DoorView>> {
    let ids: Vec<PersonId> = rows.iter().map(|row| row.person_id).collect();
    let phones = people::queries::with_phone(db, &ids).await?;
    let view = |row: ReachRow| DoorView {
        has_phone: phones.contains(&row.person_id),
        person_id: row.person_id,
        name: row.name,
        household_number: row.household_number,
        group_number: row.group_number,
        confirmed_by_name: None,
    };
    Ok(rows.into_iter().map(view).collect())
}
