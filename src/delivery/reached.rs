//! Who need not be told any more: who has it in the app, or has done what it asks for; and whether it still stands.
use std::collections::HashSet;

use sea_orm::{ConnectionTrait, sea_query::SelectStatement};

use super::{announce::CLOCKS_APART, marks, rows::announcement, rules::ladder::Level};
use crate::{
    error::{Error, Result},
    events::Kind,
    ids::{MeetingId, NoticeId, PersonId, VoteId},
    meetings, notices,
    people::audience::Among,
    streams, suggestions, votes,
};

/// Those of these people who have it without us: what asks for an act until it was read, anything else once a device has
/// received it.
pub(super) async fn in_app(
    db: &impl ConnectionTrait,
    told: &announcement::Model,
    among: &Among,
) -> Result<HashSet<PersonId>> {
    let mut reached = match told.stream_id {
        Some(stream) if told.level == Level::Act.as_str() => {
            streams::queries::read_by(db, (stream, told.seq), among).await?
        }
        Some(stream) => streams::queries::received_by(db, (stream, told.seq), among).await?,
        None => HashSet::new(),
    };
    match Kind::parse(&told.kind) {
        Some(Kind::NoticePublished | Kind::NoticeRevised) => {
            let id: NoticeId = told.subject_id.parse().map_err(Error::broken)?;
            reached.extend(notices::reached::confirmed_by(db, id, among).await?);
        }
        Some(Kind::VoteOpened | Kind::VoteClosingSoon) => {
            let id: VoteId = told.subject_id.parse().map_err(Error::broken)?;
            reached.extend(votes::queries::need_not_cast(db, id, among).await?);
        }
        Some(kind @ (Kind::MeetingCalled | Kind::MeetingCancelled)) => {
            // who has no seat has the card in the own mailbox
            let id: MeetingId = told.subject_id.parse().map_err(Error::broken)?;
            reached.extend(marks::told_among(db, (kind, id.0), among).await?);
            reached.extend(streams::queries::read_card(db, (id.0, told.created_at - CLOCKS_APART), among).await?);
        }
        _ => {}
    }
    Ok(reached)
}

/// Whether something is told now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Stands,
    /// The vote that it asks for rests.
    Waits,
    Over,
    /// It cannot be read: one of them holds up no other.
    Unreadable,
}

/// Who of these need not be told, where it still stands, and whether it does.
pub(super) async fn seen(
    db: &impl ConnectionTrait,
    told: &announcement::Model,
    among: &Among,
) -> (HashSet<PersonId>, Standing) {
    let looked = async {
        // of what is not told any more nobody need be looked up
        Ok::<_, Error>(match stands(db, told).await? {
            Some(true) => (in_app(db, told, among).await?, Standing::Stands),
            Some(false) => (HashSet::new(), Standing::Over),
            None => (HashSet::new(), Standing::Waits),
        })
    };
    looked.await.unwrap_or_else(|error| {
        tracing::error!(%error, announcement = %told.id, "what is told cannot be read");
        (HashSet::new(), Standing::Unreadable)
    })
}

/// Selects of the ids of everybody who has a notice by the rule of [`in_app`], for who counts them over many villages.
pub(super) fn in_app_of_all(told: &announcement::Model, id: NoticeId) -> Vec<SelectStatement> {
    let seen = told.stream_id.map(|stream| {
        if told.level == Level::Act.as_str() {
            streams::queries::readers(stream, told.seq)
        } else {
            streams::queries::receivers(stream, told.seq)
        }
    });
    seen.into_iter().chain([notices::reached::confirmers(id)]).collect()
}

/// May it still be told? Asked of the thing itself: the event that ends it may not have been followed yet. `None`: not now, because
/// the vote that it asks for rests.
pub(super) async fn stands(db: &impl ConnectionTrait, told: &announcement::Model) -> Result<Option<bool>> {
    if told.ended_at.is_some() {
        return Ok(Some(false));
    }
    let stands = match Kind::parse(&told.kind) {
        Some(Kind::NoticePublished | Kind::NoticeRevised) => {
            let notice = notices::reached::hanging(db, told.subject_id.parse().map_err(Error::broken)?).await?;
            notice.is_some_and(|notice| notice.hangs)
        }
        Some(Kind::VoteOpened | Kind::VoteClosingSoon) => {
            return votes::queries::is_asked(db, told.subject_id.parse().map_err(Error::broken)?).await;
        }
        Some(Kind::MeetingCalled) => {
            let meeting = meetings::queries::meeting(db, told.subject_id.parse().map_err(Error::broken)?).await?;
            meeting.state == meetings::queries::CALLED
        }
        // whoever withdrew it knows of it; where that was somebody else, that is told
        Some(Kind::ObjectionRaised) => {
            notices::queries::objection_stands(db, told.subject_id.parse().map_err(Error::broken)?).await?
        }
        Some(Kind::SuggestionPressing) => {
            suggestions::is_pressing(db, told.subject_id.parse().map_err(Error::broken)?).await?
        }
        // who sees a voice has changed once more, and that is told
        Some(Kind::SuggestionHidden | Kind::SuggestionHidingUpheld) => {
            suggestions::is_hidden(db, told.subject_id.parse().map_err(Error::broken)?).await?
        }
        Some(Kind::SuggestionShown) => {
            !suggestions::is_hidden(db, told.subject_id.parse().map_err(Error::broken)?).await?
        }
        _ => true,
    };
    Ok(Some(stands))
}
