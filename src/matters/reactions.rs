//! What follows: evidence is attached when it comes about, a period that is over moves the matter on, and everybody
//! concerned is told of every step.
use std::collections::BTreeSet;

use uuid::Uuid;

use crate::{
    bodies,
    error::{Code, Error, Result},
    events::{Event, Kind, Reaction},
    ids::{BodyId, MatterId, PersonId},
    matters::{
        commands::{self, Piece},
        queries::{self, Standing},
        rules::Stage,
    },
    store::Tx,
    streams::{
        StreamKind,
        commands::{Card, Reader, channel, mailbox, office, post_card, post_to_each},
        queries::find,
    },
    suggestions, tasks, text,
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "matters.attach_evidence", run: |tx, event| Box::pin(attach_evidence(tx, event)) },
    Reaction { name: "matters.tell", run: |tx, event| Box::pin(tell_step(tx, event)) },
    Reaction { name: "matters.tell_merged", run: |tx, event| Box::pin(tell_merged(tx, event)) },
    Reaction { name: "matters.tell_author", run: |tx, event| Box::pin(tell_author(tx, event)) },
    Reaction { name: "matters.tell_office", run: |tx, event| Box::pin(tell_office(tx, event)) },
    Reaction { name: "matters.seat_guests", run: |tx, event| Box::pin(seat_guests(tx, event)) },
];

/// A form, meeting, notice or task about a matter becomes evidence of the stage in which it ended.
async fn attach_evidence(tx: &Tx, event: &Event) -> Result<()> {
    let kind = match event.kind {
        Kind::FormClosed => match event.get::<String>("purpose").as_deref() {
            Some("survey") => "survey",
            Some("visit") => "visit",
            Some("rating") => "rating",
            _ => return Ok(()),
        },
        Kind::MeetingHeld => "meeting",
        Kind::NoticeConcluded => "notice",
        Kind::TaskDone => "task",
        _ => return Ok(()),
    };
    let about = if event.kind == Kind::FormClosed { "subject" } else { "matter" };
    let Some(id) = event.get::<MatterId>(about) else { return Ok(()) };
    let Some(standing) = known(tx, id).await? else { return Ok(()) };
    if !event.area.as_deref().is_some_and(|area| standing.covers(area)) {
        return Ok(());
    }
    let piece = Piece { kind, subject: Some(event.subject.clone()), ..Piece::default() };
    commands::attach(tx, &standing, event.at, piece).await?;
    if event.kind == Kind::NoticeConcluded {
        commands::advance_by_date(tx, &standing).await?;
    }
    Ok(())
}

/// `None` when it is not a matter: forms and tasks are about other things, too.
async fn known(tx: &Tx, id: MatterId) -> Result<Option<Standing>> {
    match queries::standing(tx, id).await {
        Ok(standing) => Ok(Some(standing)),
        Err(Error::Refused(refusal)) if refusal.code == Code::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A card for each step, to the village, to the discussion, and to each author whose voice joined.
async fn tell_step(tx: &Tx, event: &Event) -> Result<()> {
    let Some((code, title, body)) = step_card(event) else { return Ok(()) };
    let standing = queries::standing(tx, event.subject_id()?).await?;
    let matter = &standing.matter;
    let stage_name = |field: &str| {
        let stage = event.get::<String>(field).and_then(|name| Stage::parse(&name));
        stage.and_then(|stage| standing.template.stage(stage)).map(|rule| text::say(&rule.name)).unwrap_or_default()
    };
    let proposer = bodies::queries::name(tx, matter.body_id).await?;
    let blanks = [
        ("title", matter.title.as_str().into()),
        ("number", matter.number.as_str().into()),
        ("stage", stage_name("stage").into()),
        ("from", stage_name("from").into()),
        ("body", proposer.into()),
        ("version", event.data["version"].as_i64().unwrap_or_default().to_string().into()),
    ];
    let card = Card {
        code,
        title: text::say_with(title, &blanks),
        text: text::say_with(body, &blanks),
        link: format!("/matters/{}", matter.id),
    };
    if matches!(event.kind, Kind::MatterHalted | Kind::MatterHaltEnded) {
        tell_workers(tx, &standing, &card).await?;
    }
    tell(tx, matter.id, &matter.area_code, card).await
}

/// Who is at work on a matter hears that it is held up, and that it goes on.
async fn tell_workers(tx: &Tx, standing: &Standing, card: &Card) -> Result<()> {
    let matter = &standing.matter;
    let tasks = tasks::queries::tasks_of(tx, (matter.id, &matter.area_code)).await?;
    let open = tasks.into_iter().filter(|task| task.done_at.is_none() && standing.covers(&task.area_code));
    let owners: BTreeSet<PersonId> = open.map(|task| task.owner_id).collect();
    for owner in owners {
        let own = mailbox(tx, owner).await?;
        post_card(tx, own, card.clone()).await?;
    }
    Ok(())
}

/// Code of the card, key of its title, key of its text.
fn step_card(event: &Event) -> Option<(&'static str, &'static str, &'static str)> {
    let field = |name: &str| event.get::<String>(name).unwrap_or_default();
    match event.kind {
        Kind::MatterRaised => Some(("matter_raised", "card-matter-raised", "card-matter-raised-text")),
        Kind::MatterClosed => Some(("matter_closed", "card-matter-closed", "card-matter-closed-text")),
        Kind::MatterEnded if field("state") == "withdrawn" => {
            Some(("matter_withdrawn", "card-matter-withdrawn", "card-matter-withdrawn-text"))
        }
        Kind::PlanWritten => Some(("plan_written", "card-plan-written", "card-plan-written-text")),
        Kind::MatterHalted => Some(("matter_halted", "card-matter-halted", "card-matter-halted-text")),
        Kind::MatterHaltEnded => Some(("halt_ended", "card-halt-ended", "card-halt-ended-text")),
        Kind::MatterEnded => Some(("matter_not_passed", "card-matter-not-passed", "card-matter-not-passed-text")),
        Kind::StageEntered => match field("why").as_str() {
            // the raising itself is told
            "raised" => None,
            "by_date" => Some(("stage_entered", "card-stage-entered", "card-stage-by-date-text")),
            "skipped" => Some(("stage_entered", "card-stage-entered", "card-stage-skipped-text")),
            "returned" => Some(("stage_entered", "card-stage-entered", "card-stage-returned-text")),
            "passed" => Some(("stage_entered", "card-stage-entered", "card-stage-passed-text")),
            _ => Some(("stage_entered", "card-stage-entered", "card-stage-entered-text")),
        },
        _ => None,
    }
}

/// Shows a card to all who follow a matter: its village, its discussion, the authors of its voices in their threads.
///
/// # Errors
/// When the database fails.
pub async fn tell(tx: &Tx, matter: MatterId, area: &str, card: Card) -> Result<()> {
    tell_followers(tx, matter, card.clone()).await?;
    let village = channel(tx, area).await?;
    post_card(tx, village, card).await?;
    Ok(())
}

/// The same without its village, where that is not asked.
///
/// # Errors
/// When the database fails.
pub async fn tell_followers(tx: &Tx, matter: MatterId, card: Card) -> Result<()> {
    if let Some(discussion) = find(tx, StreamKind::Discussion, &matter.to_string()).await? {
        post_card(tx, discussion, card.clone()).await?;
    }
    let threads = suggestions::queries::author_threads(tx, matter).await?.into_iter();
    post_to_each(tx, threads.map(|(_, thread)| Reader::Stream(thread)).collect(), (Uuid::now_v7(), card)).await
}

/// Whoever's voice goes on in another matter hears so, and so does everybody who talks about that one.
async fn tell_merged(tx: &Tx, event: &Event) -> Result<()> {
    let into = event.get::<MatterId>("into").filter(|_| event.kind == Kind::MatterMerged);
    let Some(into) = into else { return Ok(()) };
    let (old, new) = (queries::row(tx, event.subject_id()?).await?, queries::row(tx, into).await?);
    let blanks = [
        ("title", old.title.into()),
        ("number", old.number.into()),
        ("other", new.title.into()),
        ("other-number", new.number.into()),
    ];
    let card = Card {
        code: "matter_merged",
        title: text::say_with("card-matter-merged", &blanks),
        text: text::say_with("card-matter-merged-text", &blanks),
        link: format!("/matters/{into}"),
    };
    tell_followers(tx, into, card).await
}

/// Whoever put another way of doing it beside the plan hears what became of it.
async fn tell_author(tx: &Tx, event: &Event) -> Result<()> {
    let Some((seq, author)) = queries::answered(tx, event).await? else { return Ok(()) };
    let matter = queries::row(tx, event.subject_id()?).await?;
    let outcome = text::word("evidence-outcome", &event.get::<String>("outcome").unwrap_or_default());
    let blanks = [("title", matter.title.into()), ("number", matter.number.into()), ("outcome", outcome.into())];
    let link = format!("/matters/{}/arguments#said-{seq}", matter.id);
    let card = Card::worded(("alternative_answered", "card-alternative-answered"), &blanks, link);
    let own = mailbox(tx, author).await?;
    post_card(tx, own, card).await?;
    Ok(())
}

/// Who was invited to deliberate reads so in the body's own conversation and in the own mailbox; that one declined, the body
/// reads that proposed the matter.
async fn tell_body(tx: &Tx, event: &Event) -> Result<()> {
    let Some(body) = event.get::<BodyId>("body") else { return Ok(()) };
    let matter = queries::row(tx, event.subject_id()?).await?;
    let until = event.get::<String>("until").unwrap_or_default();
    let blanks = [
        ("title", matter.title.as_str().into()),
        ("number", matter.number.as_str().into()),
        ("body", bodies::queries::name(tx, body).await?.into()),
        ("until", until.into()),
    ];
    let link = format!("/matters/{}#invitations", matter.id);
    if event.kind == Kind::InvitationDeclined {
        let card = Card::worded(("invitation_declined", "card-invitation-declined"), &blanks, link);
        let own = office(tx, matter.body_id).await?;
        return post_card(tx, own, card).await.map(drop);
    }
    let card = Card::worded(("body_invited", "card-body-invited"), &blanks, link);
    let own = match find(tx, StreamKind::Forum, &body.to_string()).await? {
        Some(forum) => forum,
        None => office(tx, body).await?,
    };
    post_card(tx, own, card.clone()).await?;
    let seats = bodies::queries::members_of(tx, body, tx.now()).await?;
    let readers = seats.into_iter().map(|seat| Reader::Person(seat.person_id)).collect();
    post_to_each(tx, readers, (Uuid::now_v7(), card)).await
}

/// Who sits in a body has changed: so has who speaks for it where it is invited.
async fn seat_guests(tx: &Tx, event: &Event) -> Result<()> {
    match (event.kind, event.get::<BodyId>("body")) {
        (Kind::SeatTaken | Kind::SeatEnded | Kind::TermEnded, Some(body)) => commands::seated_anew(tx, body).await,
        _ => Ok(()),
    }
}

/// A late stage is put before the body that proposed the matter.
async fn tell_office(tx: &Tx, event: &Event) -> Result<()> {
    match event.kind {
        Kind::BodyInvited | Kind::InvitationDeclined => return tell_body(tx, event).await,
        Kind::StageOverdue => {}
        _ => return Ok(()),
    }
    let standing = queries::standing(tx, event.subject_id()?).await?;
    let matter = &standing.matter;
    let late = event.get::<String>("stage").and_then(|name| Stage::parse(&name));
    let stage =
        late.and_then(|stage| standing.template.stage(stage)).map(|rule| text::say(&rule.name)).unwrap_or_default();
    let blanks =
        [("title", matter.title.as_str().into()), ("number", matter.number.as_str().into()), ("stage", stage.into())];
    let card = Card::worded(("stage_overdue", "card-stage-overdue"), &blanks, format!("/matters/{}", matter.id));
    let own = office(tx, matter.body_id).await?;
    post_card(tx, own, card).await?;
    Ok(())
}
