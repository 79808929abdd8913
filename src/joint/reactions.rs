//! What follows from joint meetings: after one the next member leads and the agenda is empty; the members read it in their forum.
use super::{agenda, turns};
use crate::{
    areas,
    bodies::{self, BodyKind, queries::Body},
    error::Result,
    events::{Event, Kind, Reaction},
    ids::{BodyId, MeetingId},
    meetings,
    store::Tx,
    streams::commands::{Card, forum, post_card},
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "joint.go_on", run: |tx, event| Box::pin(go_on(tx, event)) },
    Reaction { name: "joint.tell", run: |tx, event| Box::pin(tell(tx, event)) },
];

async fn go_on(tx: &Tx, event: &Event) -> Result<()> {
    if event.kind != Kind::MeetingHeld {
        return Ok(());
    }
    let id = event.subject_id::<MeetingId>()?;
    let Some(body) = joint(tx, event.get("body")).await? else { return Ok(()) };
    agenda::settle(tx, body.id, (id, event.at)).await?;
    turns::after_meeting(tx, &body).await?;
    let title = meetings::queries::meeting(tx, id).await?.title;
    say(tx, &body, (("joint_minutes", "joint-card-minutes"), &title, format!("/meetings/{id}"))).await
}

async fn tell(tx: &Tx, event: &Event) -> Result<()> {
    let said = match event.kind {
        Kind::JointChairChanged => ("joint_chair", "joint-card-chair"),
        Kind::JointItemProposed => ("joint_item", "joint-card-item"),
        Kind::JointItemWithdrawn => ("joint_item", "joint-card-withdrawn"),
        Kind::JointTasksGiven => ("joint_tasks", "joint-card-tasks"),
        _ => return Ok(()),
    };
    let Some(body) = joint(tx, Some(event.subject_id()?)).await? else { return Ok(()) };
    let link = format!("/desk/joint/{}", body.id);
    say(tx, &body, (said, "", link)).await
}

async fn joint(tx: &Tx, id: Option<BodyId>) -> Result<Option<Body>> {
    let Some(id) = id else { return Ok(None) };
    let body = bodies::get(tx, id).await?;
    Ok((body.kind == BodyKind::JointMeeting).then_some(body))
}

async fn say(tx: &Tx, body: &Body, (said, title, link): ((&'static str, &str), &str, String)) -> Result<()> {
    let own = forum(tx, (body.id, &body.name), areas::common(&body.areas)).await?;
    let blanks = [("body", body.name.as_str().into()), ("title", title.into())];
    post_card(tx, own, Card::worded(said, &blanks, link)).await?;
    Ok(())
}
