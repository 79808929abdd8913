//! What is told of an event: to whom, how near it is to them, and by which ladder.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set, TryInsertResult, sea_query::Expr};

use super::{
    audience::Audience,
    rows::{announcement, reminder, step},
    rules::ladder::{Ladder, Level, Topic, Urgency},
};
use crate::{
    bodies::{self, BodyKind},
    broker::Bell,
    error::Result,
    events::{self, Event, Happening, Kind},
    ids::{AnnouncementId, BodyId, MatterId, MeetingId, NoticeId, ObjectionId, PersonId, StreamId, SuggestionId},
    matters, meetings, notices,
    quiet::{Class, Hours},
    store::Tx,
    streams::{
        StreamKind,
        queries::{find, newest_place},
    },
    suggestions, votes,
};

/// A step that has not gone through its audience yet.
pub(super) const WAITING: &str = "waiting";
/// A step that has.
pub(super) const DONE: &str = "done";
/// A step that is not taken any more.
pub(super) const VOID: &str = "void";
/// A vote is told of once more so long before it closes.
const CLOSING_SOON: TimeDelta = TimeDelta::hours(24);
/// So far the clocks of two servers may be apart.
pub(super) const CLOCKS_APART: TimeDelta = TimeDelta::seconds(2);

/// What people are told, and how.
#[derive(Clone, Debug)]
pub struct Told {
    /// To whom.
    pub audience: Audience,
    /// How near it is to them.
    pub level: Level,
    /// How it presses.
    pub urgency: Urgency,
    /// What they chose to hear of.
    pub topic: Topic,
    /// By which steps.
    pub ladder: Ladder,
    /// Of one thread only the newest state is told.
    pub thread: String,
    /// Where it stands in the app, when it stands in one place.
    pub place: Option<(StreamId, i64)>,
}

/// Writes down what is told of an event, with the steps of its ladder. Once more changes nothing.
///
/// # Errors
/// When the database refuses.
pub async fn announce(tx: &Tx, event: &Event, told: Told) -> Result<Option<AnnouncementId>> {
    let id = AnnouncementId::new();
    let (audience, audience_id) = told.audience.words();
    let row = announcement::ActiveModel {
        id: Set(id),
        event_number: Set(event.number),
        kind: Set(event.kind.as_str().to_owned()),
        subject_id: Set(event.subject.clone()),
        area_code: Set(event.area.clone()),
        audience: Set(audience.to_owned()),
        audience_id: Set(audience_id),
        level: Set(told.level.as_str().to_owned()),
        urgency: Set(told.urgency.as_str().to_owned()),
        topic: Set(told.topic.as_str().to_owned()),
        thread: Set(told.thread),
        stream_id: Set(told.place.map(|(stream, _)| stream)),
        seq: Set(told.place.map_or(0, |(_, seq)| seq)),
        created_at: Set(event.at),
        ended_at: Set(None),
    };
    let once = announcement::Column::EventNumber;
    let made = announcement::Entity::insert(row).on_conflict_do_nothing_on([once]).exec_without_returning(tx).await?;
    if !matches!(made, TryInsertResult::Inserted(1)) {
        return Ok(None);
    }
    let steps = told.ladder.dues(event.at, Hours::DEFAULT).into_iter().zip(1..).map(|((channel, due_at), number)| {
        step::ActiveModel {
            announcement_id: Set(id),
            step: Set(number),
            channel: Set(channel.as_str().to_owned()),
            state: Set(WAITING.to_owned()),
            due_at: Set(due_at),
            position: Set(None),
            looked_at: Set(0),
            planned: Set(0),
            done_at: Set(None),
        }
    });
    step::Entity::insert_many(steps).exec_without_returning(tx).await?;
    tx.ring(Bell::Deliveries);
    Ok(Some(id))
}

/// Nobody is told any more of what was said about this before.
async fn end(tx: &Tx, event: &Event) -> Result<()> {
    announcement::Entity::update_many()
        .col_expr(announcement::Column::EndedAt, Expr::value(tx.now()))
        .filter(announcement::Column::SubjectId.eq(&event.subject))
        .filter(announcement::Column::EventNumber.lt(event.number))
        .filter(announcement::Column::EndedAt.is_null())
        // for whom somebody cast, or took a sheet, is told that, also when it is over
        .filter(announcement::Column::Kind.is_not_in([Kind::VoteCastFor.as_str(), Kind::SheetIssued.as_str()]))
        .exec(tx)
        .await?;
    Ok(())
}

/// What follows from an event for those whom it concerns.
pub(super) async fn follow(tx: &Tx, event: &Event) -> Result<()> {
    use Kind::{MeetingCancelled, MeetingHeld, NoticeConcluded, NoticeRevised, NoticeWithdrawn, TaskDone, VoteClosed};
    if [NoticeWithdrawn, NoticeRevised, NoticeConcluded, VoteClosed, MeetingCancelled, MeetingHeld, TaskDone]
        .contains(&event.kind)
    {
        end(tx, event).await?;
    }
    if let Some(told) = told(tx, event).await? {
        announce(tx, event, told).await?;
    }
    Ok(())
}

async fn told(tx: &Tx, event: &Event) -> Result<Option<Told>> {
    match event.kind {
        Kind::NoticePublished | Kind::NoticeRevised => notice(tx, event).await,
        Kind::VoteOpened => {
            Ok(Some(personal((Audience::Electors(event.subject_id()?), Topic::Votes, Ladder::Village), &event.subject)))
        }
        Kind::VoteClosingSoon => Ok(Some(personal(
            (Audience::Electors(event.subject_id()?), Topic::Votes, Ladder::Reminder),
            &event.subject,
        ))),
        Kind::VoteCastFor | Kind::SheetIssued => {
            let Some(person) = event.get::<PersonId>("person") else { return Ok(None) };
            let thread = format!("{}/{}", event.subject, event.data["number"]);
            let told = personal((Audience::Person(person), Topic::Votes, Ladder::Personal), &thread);
            let card = find(tx, StreamKind::Mailbox, &person.to_string()).await?;
            Ok(Some(Told { place: place(tx, event, card).await?, ..told }))
        }
        // who was told to come must be told not to
        Kind::MeetingCalled | Kind::MeetingCancelled => meeting(tx, event).await,
        // by a way that is not the convener's
        Kind::MeetingHeld => {
            let id: MeetingId = event.subject_id()?;
            let is_any = !meetings::queries::signed_for(tx, id).await?.is_empty();
            let told = personal((Audience::SignedFor(id), Topic::Meetings, Ladder::Personal), &event.subject);
            Ok(is_any.then_some(told))
        }
        Kind::TaskGiven | Kind::TaskDelayed => task(tx, event).await,
        Kind::ObjectionAnswered | Kind::ObjectionRaised | Kind::ObjectionWithdrawn => objection(tx, event).await,
        Kind::SuggestionSubmitted
        | Kind::SuggestionAnswered
        | Kind::SuggestionEscalated
        | Kind::SuggestionMadeOrdinary
        | Kind::SuggestionHidden
        | Kind::SuggestionShown
        | Kind::SuggestionHidingUpheld => voice(tx, event).await,
        Kind::SuggestionPressing => pressing(tx, event).await,
        Kind::StageEntered | Kind::StageSkipped | Kind::MatterEnded | Kind::MatterClosed => {
            let matter: MatterId = event.subject_id()?;
            let stream = find(tx, StreamKind::Discussion, &event.subject).await?;
            let told = moved((Audience::Matter(matter), Topic::Followed), &event.subject);
            Ok(Some(Told { place: place(tx, event, stream).await?, ..told }))
        }
        Kind::EvidenceAttached => alternative(tx, event).await,
        _ => Ok(None),
    }
}

/// Something that one must do.
fn personal((audience, topic, ladder): (Audience, Topic, Ladder), thread: &str) -> Told {
    let urgency = if ladder == Ladder::Personal { Urgency::Normal } else { Urgency::Important };
    Told { audience, level: Level::Act, urgency, topic, ladder, thread: thread.to_owned(), place: None }
}

/// One's own thing moved.
fn moved((audience, topic): (Audience, Topic), thread: &str) -> Told {
    let (level, urgency, ladder) = (Level::Moved, Urgency::Normal, Ladder::Personal);
    Told { audience, level, urgency, topic, ladder, thread: thread.to_owned(), place: None }
}

/// The newest place of a stream: what was shown of the event stands there or before. Where nothing was shown since it
/// happened, because that is tried again, it will stand at the next one; who has read what is before it has not read it.
async fn place(tx: &Tx, event: &Event, stream: Option<StreamId>) -> Result<Option<(StreamId, i64)>> {
    let Some(stream) = stream else { return Ok(None) };
    let newest = newest_place(tx, stream).await?.filter(|(seq, _)| *seq > 0);
    let is_shown = |at: DateTime<Utc>| at >= event.at - CLOCKS_APART;
    Ok(newest.map(|(seq, at)| (stream, if is_shown(at) { seq } else { seq + 1 })))
}

/// The author of a voice hears what becomes of it; and, where somebody else took it down, that there is one in the own name.
async fn voice(tx: &Tx, event: &Event) -> Result<Option<Told>> {
    let is_known = match event.kind {
        Kind::SuggestionSubmitted => event.data["taken_down"] != true,
        // held as it was left: that is on the page on which it was left
        Kind::SuggestionHidden => event.data["held"] == true,
        // the words were there all along; a card says that the photos are
        Kind::SuggestionShown => event.data["media"] == true && event.data["decided"] != true,
        _ => false,
    };
    if is_known {
        return Ok(None);
    }
    let Some((author, stream)) = suggestions::author_of(tx, event.subject_id::<SuggestionId>()?).await? else {
        return Ok(None);
    };
    let own = (Audience::Person(author), Topic::Own);
    let told = match event.kind {
        // told by a way that is not the clerk's
        Kind::SuggestionSubmitted => personal((own.0, own.1, Ladder::Personal), &event.subject),
        // who sees it, and what was answered, are two things
        Kind::SuggestionHidden | Kind::SuggestionShown | Kind::SuggestionHidingUpheld => {
            moved(own, &format!("{}/hiding", event.subject))
        }
        _ => moved(own, &event.subject),
    };
    Ok(Some(Told { place: place(tx, event, Some(stream)).await?, ..told }))
}

/// Who is to take a voice that presses must do so now. What is about somebody is in no office.
async fn pressing(tx: &Tx, event: &Event) -> Result<Option<Told>> {
    let office = match event.get::<BodyId>("body") {
        Some(body) => find(tx, StreamKind::Office, &body.to_string()).await?,
        None => None,
    };
    Ok(Some(Told {
        audience: Audience::Takers(event.subject_id()?),
        level: Level::Act,
        urgency: Urgency::Emergency,
        topic: Topic::Tasks,
        ladder: Ladder::Pressing,
        thread: format!("{}/pressing", event.subject),
        place: place(tx, event, office).await?,
    }))
}

/// A task's owner must do it; that it was put off is news to who did not put it off.
async fn task(tx: &Tx, event: &Event) -> Result<Option<Told>> {
    let Some(owner) = event.get::<PersonId>("owner") else { return Ok(None) };
    let told = match event.kind {
        Kind::TaskDelayed if event.actor == Some(owner) => return Ok(None),
        Kind::TaskDelayed => moved((Audience::Person(owner), Topic::Tasks), &event.subject),
        _ => personal((Audience::Person(owner), Topic::Tasks, Ladder::Personal), &event.subject),
    };
    let card = find(tx, StreamKind::Mailbox, &owner.to_string()).await?;
    Ok(Some(Told { place: place(tx, event, card).await?, ..told }))
}

/// Who objected hears of the answer; and, where somebody else wrote it down, or withdrew it, that there is
/// an objection in the own name, or is none any more.
async fn objection(tx: &Tx, event: &Event) -> Result<Option<Told>> {
    let raised = notices::queries::raised_by(tx, event.subject_id::<ObjectionId>()?).await?;
    let Some((objector, _)) = raised else { return Ok(None) };
    let told = match event.kind {
        Kind::ObjectionRaised | Kind::ObjectionWithdrawn if event.actor == Some(objector) => return Ok(None),
        Kind::ObjectionRaised | Kind::ObjectionWithdrawn => {
            personal((Audience::Person(objector), Topic::Own, Ladder::Personal), &event.subject)
        }
        _ => moved((Audience::Person(objector), Topic::Own), &event.subject),
    };
    let card = find(tx, StreamKind::Mailbox, &objector.to_string()).await?;
    Ok(Some(Told { place: place(tx, event, card).await?, ..told }))
}

/// Who put another way of doing it beside a plan hears that it was answered.
async fn alternative(tx: &Tx, event: &Event) -> Result<Option<Told>> {
    let Some((seq, author)) = matters::queries::answered(tx, event).await? else { return Ok(None) };
    let told = moved((Audience::Person(author), Topic::Own), &format!("{}/{seq}", event.subject));
    let card = find(tx, StreamKind::Mailbox, &author.to_string()).await?;
    Ok(Some(Told { place: place(tx, event, card).await?, ..told }))
}

async fn notice(tx: &Tx, event: &Event) -> Result<Option<Told>> {
    let id: NoticeId = event.subject_id()?;
    let Some(notice) = notices::reached::hanging(tx, id).await?.filter(|notice| notice.hangs) else { return Ok(None) };
    let (level, urgency, ladder) = match (notice.class, notice.must_read) {
        (Class::Emergency, _) => (Level::Act, Urgency::Emergency, Ladder::Emergency),
        (_, true) => (Level::Act, Urgency::Important, Ladder::Village),
        (Class::Important, false) => (Level::News, Urgency::Important, Ladder::News),
        (Class::Normal, false) => (Level::News, Urgency::Normal, Ladder::News),
    };
    let channel = find(tx, StreamKind::Channel, &notice.area).await?;
    let thread = event.get::<MatterId>("matter").map_or_else(|| id.to_string(), |matter| matter.to_string());
    Ok(Some(Told {
        audience: Audience::Residents(notice.area),
        level,
        urgency,
        topic: Topic::of(notice.category),
        ladder,
        thread,
        place: place(tx, event, channel).await?,
    }))
}

async fn meeting(tx: &Tx, event: &Event) -> Result<Option<Told>> {
    let meeting = meetings::queries::meeting(tx, event.subject_id()?).await?;
    // the members of a collective are nearly the whole village, and read it where the village does
    let is_of_collective = bodies::get(tx, meeting.body_id).await?.kind == BodyKind::Collective;
    // where its card stands
    let card = match meeting.audience {
        meetings::Audience::Members if !is_of_collective => {
            find(tx, StreamKind::Office, &meeting.body_id.to_string()).await?
        }
        // in the mailbox of each
        meetings::Audience::Group => None,
        _ => find(tx, StreamKind::Channel, &meeting.area_code).await?,
    };
    let audience = match (meeting.audience, meeting.listed) {
        (meetings::Audience::Villagers, _) => Audience::Residents(meeting.area_code),
        // whoever calls them: the committee calls the villagers' representatives
        (meetings::Audience::Group, _) | (_, Some(_)) => Audience::Invited(meeting.id),
        (_, None) => Audience::Members(meeting.body_id),
    };
    let told = personal((audience, Topic::Meetings, Ladder::Meeting), &event.subject);
    Ok(Some(Told { place: place(tx, event, card).await?, ..told }))
}

/// Reminds of what closes within a day, once. Records `vote.closing_soon`.
///
/// # Errors
/// When the database refuses.
pub async fn due(tx: &Tx) -> Result<u64> {
    let mut closing = votes::queries::closing_until(tx, tx.now() + CLOSING_SOON).await?;
    if closing.is_empty() {
        return Ok(0);
    }
    let kind = Kind::VoteClosingSoon.as_str();
    // each is among them for a day: nearly always all of them are told of
    let told: Vec<String> = reminder::Entity::find()
        .select_only()
        .column(reminder::Column::SubjectId)
        .filter(reminder::Column::Kind.eq(kind))
        .filter(reminder::Column::SubjectId.is_in(closing.iter().map(|(vote, _)| vote.to_string())))
        .into_tuple()
        .all(tx)
        .await?;
    closing.retain(|(vote, _)| !told.contains(&vote.to_string()));
    let count = closing.len() as u64;
    for (vote, area) in closing {
        let row =
            reminder::ActiveModel { kind: Set(kind.to_owned()), subject_id: Set(vote.to_string()), at: Set(tx.now()) };
        reminder::Entity::insert(row).exec_without_returning(tx).await?;
        events::record(tx, Happening::new(Kind::VoteClosingSoon, vote).at(area)).await?;
    }
    Ok(count)
}
