//! The last steps of a ladder are people's: a script for the loudspeaker, a list for the door, handed to the office.
use super::{audience::Audience, invited, rows::announcement, rules::ladder::Channel};
use crate::{
    areas::VILLAGE_CODE,
    bodies::{self, BodyKind},
    error::{Error, Result},
    events::Kind,
    ids::{NoticeId, VoteId},
    meetings, notices,
    store::Tx,
    streams::commands::{Card, office, post_card},
    votes::{
        self,
        queries::{is_inside, is_selection},
    },
};

/// Code and sentences of the card that leads to what is to be read out.
const SCRIPT: (&str, &str) = ("loudspeaker_script", "delivery-loudspeaker-script");

/// Shows the office of the village's committee what is to be done now; of a notice of the town or the county the office of
/// each village below, because it is there that somebody reads out and goes round.
pub(super) async fn to_office(tx: &Tx, told: &announcement::Model, channel: Channel) -> Result<()> {
    if let Audience::Electors(vote) = Audience::parse(&told.audience, &told.audience_id)? {
        return electors_to_office(tx, vote, channel).await;
    }
    if matches!(Kind::parse(&told.kind), Some(Kind::MeetingCalled | Kind::MeetingCancelled)) {
        return called_to_office(tx, told).await;
    }
    let Some(area) = told.area_code.as_deref() else { return Ok(()) };
    let Some((title, notice)) = subject(tx, told, channel).await? else { return Ok(()) };
    let is_above = area.len() < VILLAGE_CODE;
    let offices = if is_above {
        bodies::queries::of_kind_below(tx, BodyKind::VillageCommittee, area).await?
    } else {
        let own = bodies::committee(tx, area).await?;
        own.into_iter().map(|body| (area.to_owned(), body)).collect()
    };
    let named = match channel {
        Channel::Door => ("door_list", "delivery-door-list"),
        _ => SCRIPT,
    };
    let blanks = [("title", title.into())];
    for (village, body) in offices {
        let of_village = if is_above { format!("?area={village}") } else { String::new() };
        let page = if channel == Channel::Door { format!("reach{of_village}#unreached") } else { "script".to_owned() };
        let card = Card::worded(named, &blanks, format!("/desk/notices/{notice}/{page}"));
        let stream = office(tx, body).await?;
        post_card(tx, stream, card).await?;
    }
    Ok(())
}

/// Of a vote who runs it reads out what is said of it aloud, and then goes to whom no message told.
async fn electors_to_office(tx: &Tx, id: VoteId, channel: Channel) -> Result<()> {
    let vote = votes::queries::vote(tx, id).await?;
    let (named, link) = match channel {
        // where who runs it and who goes round write down whom they told
        Channel::Door => (("vote_doors", "delivery-vote-doors"), format!("/votes/{id}/doors")),
        // what a body, a villagers' group or some households decide by themselves is not for the whole village to hear
        _ if is_inside(&vote.preset) || is_selection(&vote.preset) || vote.group_number.is_some() => return Ok(()),
        _ => (SCRIPT, format!("/desk/aloud/vote/{id}")),
    };
    let blanks = [("title", vote.question.as_str().into())];
    let card = Card::worded(named, &blanks, link);
    let stream = office(tx, vote.body_id).await?;
    post_card(tx, stream, card).await?;
    Ok(())
}

/// Of a meeting who holds it goes to whom no message told, where there is anybody and it has not begun.
async fn called_to_office(tx: &Tx, told: &announcement::Model) -> Result<()> {
    let meeting = meetings::queries::meeting(tx, told.subject_id.parse().map_err(Error::broken)?).await?;
    if meeting.starts_at.to_utc() <= tx.now() {
        return Ok(());
    }
    let called = invited::rows(tx, &meeting, tx.now()).await?;
    if called.iter().all(|row| row.way.is_some()) {
        return Ok(());
    }
    let blanks = [("title", meeting.title.as_str().into())];
    let card =
        Card::worded(("meeting_doors", "delivery-meeting-doors"), &blanks, format!("/meetings/{}/doors", meeting.id));
    post_card(tx, office(tx, meeting.body_id).await?, card).await?;
    Ok(())
}

/// Shows the office what waits for a second person, before the village is woken.
pub(super) async fn to_be_released(tx: &Tx, told: &announcement::Model) -> Result<()> {
    let (Some(area), Ok(id)) = (told.area_code.as_deref(), told.subject_id.parse::<NoticeId>()) else { return Ok(()) };
    let Some(body) = bodies::committee(tx, area).await? else { return Ok(()) };
    let Some(notice) = notices::reached::hanging(tx, id).await? else { return Ok(()) };
    let blanks = [("title", notice.title.into())];
    let card =
        Card::worded(("loudspeaker_waits", "delivery-loudspeaker-waits"), &blanks, format!("/desk/notices/{id}/reach"));
    post_card(tx, office(tx, body).await?, card).await?;
    Ok(())
}

/// Is it a notice, or a change of one?
pub(super) fn is_notice(told: &announcement::Model) -> bool {
    matches!(Kind::parse(&told.kind), Some(Kind::NoticePublished | Kind::NoticeRevised))
}

/// The heading of the notice that it is about, and which it is.
async fn subject(tx: &Tx, told: &announcement::Model, channel: Channel) -> Result<Option<(String, NoticeId)>> {
    if !is_notice(told) {
        return Ok(None);
    }
    let Ok(id) = told.subject_id.parse::<NoticeId>() else { return Ok(None) };
    let Some(notice) = notices::reached::hanging(tx, id).await? else { return Ok(None) };
    if channel == Channel::Door && notice.has_doors {
        // one list for the door is enough
        return Ok(None);
    }
    Ok(Some((notice.title, id)))
}
