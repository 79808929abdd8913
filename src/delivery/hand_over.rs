//! The last steps of a ladder are people's: a script for the loudspeaker, a list for the door, handed to the office.
use super::{audience::Audience, rows::announcement, rules::ladder::Channel};
use crate::{
    bodies,
    error::Result,
    events::Kind,
    ids::NoticeId,
    notices,
    store::Tx,
    streams::commands::{Card, office, post_card},
    text,
};

/// Shows the office of a village's committee what is to be done now. Above a village nobody reads out or goes round.
pub(super) async fn to_office(tx: &Tx, told: &announcement::Model, channel: Channel) -> Result<()> {
    let Some(area) = told.area_code.as_deref() else { return Ok(()) };
    let Some(body) = bodies::queries::of_kind(tx, "village_committee", area).await? else { return Ok(()) };
    let Some((title, link)) = subject(tx, told, channel).await? else { return Ok(()) };
    let code = if channel == Channel::Door { "door_list" } else { "loudspeaker_script" };
    let key = code.replace('_', "-");
    let blanks = [("title", title.into())];
    let card = Card {
        code,
        title: text::say_with(&format!("delivery-{key}-title"), &blanks),
        text: text::say_with(&format!("delivery-{key}-text"), &blanks),
        link,
    };
    let stream = office(tx, body).await?;
    post_card(tx, stream, card).await?;
    Ok(())
}

/// Shows the office what waits for a second person, before the village is woken.
pub(super) async fn to_be_released(tx: &Tx, told: &announcement::Model) -> Result<()> {
    let (Some(area), Ok(id)) = (told.area_code.as_deref(), told.subject_id.parse::<NoticeId>()) else { return Ok(()) };
    let Some(body) = bodies::queries::of_kind(tx, "village_committee", area).await? else { return Ok(()) };
    let Some(notice) = notices::reached::hanging(tx, id).await? else { return Ok(()) };
    let blanks = [("title", notice.title.into())];
    let card = Card {
        code: "loudspeaker_waits",
        title: text::say_with("delivery-loudspeaker-waits-title", &blanks),
        text: text::say_with("delivery-loudspeaker-waits-text", &blanks),
        link: format!("/desk/notices/{id}/reach"),
    };
    post_card(tx, office(tx, body).await?, card).await?;
    Ok(())
}

/// Is it a notice, or a change of one?
pub(super) fn is_notice(told: &announcement::Model) -> bool {
    matches!(Kind::parse(&told.kind), Some(Kind::NoticePublished | Kind::NoticeRevised))
}

/// What it is about, and the page where it is worked on.
async fn subject(tx: &Tx, told: &announcement::Model, channel: Channel) -> Result<Option<(String, String)>> {
    let Audience::Residents(_) = Audience::parse(&told.audience, &told.audience_id)? else {
        // who has not voted is told at the door too, but the list of electors is the vote's own page
        return Ok(None);
    };
    if !is_notice(told) {
        return Ok(None);
    }
    let Ok(id) = told.subject_id.parse::<NoticeId>() else { return Ok(None) };
    let Some(notice) = notices::reached::hanging(tx, id).await? else { return Ok(None) };
    if channel == Channel::Door && notice.has_doors {
        // one list for the door is enough
        return Ok(None);
    }
    let page = if channel == Channel::Door { "reach#unreached" } else { "script" };
    Ok(Some((notice.title, format!("/desk/notices/{id}/{page}"))))
}
