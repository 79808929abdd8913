//! Reads of voices: one with everything that the asker may see, lists without the words of what is not public.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use sea_orm::{ConnectionTrait, EntityTrait};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Suggestion,
    assists::{self, AssistView},
    commands::SUBJECT_KIND,
    cosigns,
    downgrades::{self, MadeOrdinaryView},
    escalation,
    extensions::{self, ExtensionView},
    hidings::{self, HidingView},
    offers::{self, ReferralView},
    promises::Urgency,
    readings::{self, Opening},
    rows::suggestion,
    rules::{self, Category, Deadline, ReplyWish, Sight, Step, SuggestionKind, SuggestionState, Visibility},
    withdrawals::{self, WithdrawalView},
    words,
};
use crate::{
    actor::Actor,
    app::App,
    bodies, clock,
    error::{Code, Result},
    ids::{BodyId, MatterId, PersonId, StreamId, SuggestionId},
    keys::Keys,
    media::{self, MediaView},
    people, streams,
};

mod answers;
mod consults;
mod joined;
mod lists;
mod register;

pub use self::{
    answers::SuggestionAnswerView,
    consults::{Consultation, consulted},
    joined::{author_threads, count_joined, joined_to},
    lists::{DESK_TODO, Scope, SuggestionsQuery, assignees, desk_alike, desk_to_call, desk_todo, desk_unseen, list},
    register::VoicesQuery,
};
pub(super) use self::{
    answers::answers,
    lists::{public_of, require_desk},
    register::register,
};

/// A voice in a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SuggestionSummary {
    /// Its id.
    pub id: SuggestionId,
    /// The number people read out.
    pub number: String,
    /// What is wanted.
    pub kind: SuggestionKind,
    /// What it is about.
    pub category: Category,
    /// How it presses.
    pub urgency: Urgency,
    /// Who sees it besides the author.
    pub visibility: Visibility,
    /// How far it has come.
    pub state: SuggestionState,
    /// Code of the author's village.
    pub area_code: String,
    /// The body responsible.
    pub body_id: BodyId,
    /// Its name.
    pub body_name: String,
    /// The words; in a list of others' voices only when public.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Where; as `text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Photos and clip; as `text`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub media: Vec<MediaView>,
    /// Whose it is: masked when public, in full for the author, for a handler who opened it, and for who is to call or meet them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_name: Option<String>,
    /// Somebody was given it.
    pub is_assigned: bool,
    /// The matter it has joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matter_id: Option<MatterId>,
    /// The author's rating of the last answer, 1 to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<i32>,
    /// To be accepted before this moment.
    pub accept_due_at: DateTime<FixedOffset>,
    /// To be answered before this moment.
    pub answer_due_at: DateTime<FixedOffset>,
    /// When the body responsible took care of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<DateTime<FixedOffset>>,
    /// When it was answered last, unless it was opened again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answered_at: Option<DateTime<FixedOffset>>,
    /// The deadline that has passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overdue: Option<Deadline>,
    /// How many more say that it is theirs, too.
    pub cosigns: i32,
    /// Of a public voice: only its author and those who handle it see it, for now.
    pub is_hidden: bool,
    /// Of a public voice: only they see its photos and hear its clip, for now.
    #[serde(default)]
    pub is_media_hidden: bool,
    /// How often it went to the office above because it was not solved.
    pub level: i32,
    /// When it was left.
    pub created_at: DateTime<FixedOffset>,
}

/// A voice with everything that the asker may see.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SuggestionView {
    /// As in a list, with the words.
    #[serde(flatten)]
    pub summary: SuggestionSummary,
    /// Answers, oldest first.
    pub answers: Vec<SuggestionAnswerView>,
    /// What the author said with the last rating.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating_text: Option<String>,
    /// Who was given it; for handlers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee_name: Option<String>,
    /// Who opened it, newest day first; for the author. For handlers: when it was opened by the code of what was taken down.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub readings: Vec<SuggestionReadingView>,
    /// The thread, for those who are in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_id: Option<StreamId>,
    /// What the asker may do now.
    pub can: Vec<Step>,
    /// How its author wants to be answered, if not here; for the author and those who handle it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reply_wish: Option<ReplyWish>,
    /// Whether the asker has said that it is theirs, too.
    pub has_cosigned: bool,
    /// Requests for more days, oldest first; for the author and those who handle it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub extensions: Vec<ExtensionView>,
    /// What other bodies were asked for, oldest first; for the author and those who handle it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub assists: Vec<AssistView>,
    /// Why it is hidden, while it is; for the author and those who handle it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hiding: Option<HidingView>,
    /// The clerk who took it down for its author; for the author and those who handle it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_down: Option<TakenDownView>,
    /// That it was made ordinary, and why; for the author and whoever answers it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub made_ordinary: Option<MadeOrdinaryView>,
    /// That its author took it back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub withdrawn: Option<WithdrawalView>,
    /// How it went from body to body, oldest first; for the author and those who handle it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub referrals: Vec<ReferralView>,
    /// Who gets it when the author says "not solved" once more; for the author, and not before it comes to that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_body_name: Option<String>,
}

/// That a clerk took a voice down for its author.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TakenDownView {
    /// The clerk.
    pub person_name: String,
    /// For which office.
    pub body_name: String,
}

/// That a handler opened it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SuggestionReadingView {
    /// Who; empty when it was opened by its code.
    pub person_name: String,
    /// In which body's seat; or that it was opened by its code.
    pub body_name: String,
    /// On which day.
    pub day: NaiveDate,
    /// When first that day.
    pub first_at: DateTime<FixedOffset>,
    /// How often that day.
    pub times: i32,
    /// Why, when it was somebody of the county who does not handle it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The row of this id.
///
/// # Errors
/// When the database cannot be read.
pub async fn row(db: &impl ConnectionTrait, id: SuggestionId) -> Result<Option<Suggestion>> {
    Ok(suggestion::Entity::find_by_id(id).one(db).await?)
}

/// A voice as the actor may see it; a handler's opening of one that is not public is written down first.
///
/// # Errors
/// `not_found` for whoever may not see it.
pub async fn open(app: &App, actor: &Actor, id: SuggestionId) -> Result<SuggestionView> {
    let found = row(app.store.read(), id).await?.ok_or(Code::NotFound)?;
    readings::let_in(app, actor, &found, Opening::Voice).await?;
    // read again: what was written down is in the thread's memberships
    let found = row(app.store.read(), id).await?.ok_or(Code::NotFound)?;
    view(app.store.read(), &app.keys, (actor, app.now()), found).await
}

/// What its author sees of a voice, who need not be let in.
///
/// # Errors
/// `not_found`, also for everybody else.
pub(super) async fn own(app: &App, author: &Actor, id: SuggestionId) -> Result<SuggestionView> {
    let found = row(app.store.read(), id).await?.filter(|row| row.author_id == author.person).ok_or(Code::NotFound)?;
    view(app.store.read(), &app.keys, (author, app.now()), found).await
}

/// Everything the actor may see of a voice. The caller has let the actor in.
pub(super) async fn view(
    db: &impl ConnectionTrait,
    keys: &Keys,
    (actor, now): (&Actor, DateTime<Utc>),
    row: Suggestion,
) -> Result<SuggestionView> {
    let row = words::open(db, keys, vec![row]).await?.pop().ok_or(Code::NotFound)?;
    let standing = rules::standing(actor, &row);
    let sight = rules::sight(row.visibility, standing);
    let shown = if rules::sees_media(&row, standing) { Shown::All } else { Shown::WithoutMedia };
    let is_named = sight != Sight::Public || rules::learns_name(&row, standing);
    let answers = answers(db, keys, &row).await?;
    let readings = match sight {
        Sight::Own => readings::of_voice(db, &row).await?,
        Sight::Logged => readings::by_code(db, &row).await?,
        Sight::Hidden | Sight::Public => Vec::new(),
    };
    let of_thread = streams::queries::readable(db, actor, row.stream_id).await;
    let assignee = row.assignee_id.filter(|_| standing.is_handler);
    let names = people::queries::names(db, [Some(row.author_id), assignee].into_iter().flatten().collect()).await?;
    let in_full = |id: PersonId| names.get(&id).cloned().unwrap_or_default();
    let author_name = in_full(row.author_id);
    let is_answered = matches!(row.state, SuggestionState::Answered | SuggestionState::Rated);
    let is_asked = sight == Sight::Own && is_answered && rules::goes_up(row.unsolved + 1);
    let above = if is_asked { escalation::next(db, &row, now).await? } else { None };
    // neighbours read what is public, and not how it was worked on; bodies below not how the office above works on it
    let is_near = sight == Sight::Own || standing.is_responsible;
    let referrals = if is_near { offers::of_voice(db, keys, &row).await? } else { Vec::new() };
    let extensions = if is_near { extensions::of_voice(db, keys, &row).await? } else { Vec::new() };
    let assists = if is_near { assists::of_voice(db, keys, &row).await? } else { Vec::new() };
    let mut can = rules::steps(&row, standing);
    if rules::is_settled(&row, now) {
        can.retain(|step| *step != Step::Rate);
    }
    if can.contains(&Step::Hide) && hidings::settled(db, row.id).await?.is_some() {
        can.retain(|step| *step != Step::Hide);
    }
    let is_told = is_near || standing.is_handler;
    let taken_down = if is_told { taken_down(db, &row).await? } else { None };
    let mut above = bodies::queries::names(db, above.into_iter().collect()).await?;
    let rated = answers.iter().rev().find(|answer| answer.rating.is_some());
    let view = SuggestionView {
        has_cosigned: cosigns::has_cosigned(db, actor.person, row.id).await?,
        next_body_name: above.drain().next().map(|(_, name)| name),
        rating_text: rated.and_then(|answer| answer.rating_text.clone()),
        answers,
        assignee_name: assignee.map(in_full),
        readings,
        referrals,
        taken_down,
        made_ordinary: if is_near { downgrades::of_voice(db, keys, &row).await? } else { None },
        withdrawn: withdrawals::of_voice(db, keys, (&row, is_told)).await?,
        extensions,
        assists,
        hiding: if shown == Shown::All { hidings::of_voice(db, &row).await? } else { None },
        stream_id: of_thread.is_ok().then_some(row.stream_id),
        reply_wish: Some(row.reply_wish).filter(|wish| *wish != ReplyWish::Here && is_told),
        can,
        summary: summaries(db, vec![row], shown).await?.pop().ok_or(Code::NotFound)?,
    };
    let author_name = if is_named { author_name } else { people::mask_name(&author_name) };
    Ok(SuggestionView { summary: SuggestionSummary { author_name: Some(author_name), ..view.summary }, ..view })
}

async fn taken_down(db: &impl ConnectionTrait, row: &Suggestion) -> Result<Option<TakenDownView>> {
    let Some((person, body)) = row.taken_by.zip(row.taken_body_id) else { return Ok(None) };
    let person_name = people::queries::name(db, person).await?;
    let body_name = bodies::queries::name(db, body).await?;
    Ok(Some(TakenDownView { person_name, body_name }))
}

/// What of a voice gets into a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Everything: one's own, or one that was opened.
    All,
    /// The same of a voice whose photos and clip are hidden.
    WithoutMedia,
    /// Words, media and the masked name of what is public; number, kind, state and dates of the rest.
    PublicOnly,
}

/// A voice as others see it in a list.
pub(super) async fn summary(db: &impl ConnectionTrait, row: Suggestion) -> Result<SuggestionSummary> {
    summaries(db, vec![row], Shown::PublicOnly).await?.pop().ok_or_else(|| Code::NotFound.into())
}

pub(super) async fn summaries(
    db: &impl ConnectionTrait,
    rows: Vec<Suggestion>,
    shown: Shown,
) -> Result<Vec<SuggestionSummary>> {
    let is_public = |row: &Suggestion| row.visibility == Visibility::Public && !rules::is_hidden(row);
    let is_shown = |row: &Suggestion| shown != Shown::PublicOnly || is_public(row);
    let has_media = |row: &Suggestion| match shown {
        Shown::All => true,
        Shown::WithoutMedia => false,
        Shown::PublicOnly => !rules::is_media_hidden(row),
    };
    let open: Vec<&Suggestion> = rows.iter().filter(|row| is_shown(row)).collect();
    let names = match shown {
        Shown::All | Shown::WithoutMedia => HashMap::new(),
        Shown::PublicOnly => people::queries::names(db, open.iter().map(|row| row.author_id).collect()).await?,
    };
    let with_media = open.iter().filter(|row| has_media(row)).map(|row| row.id.to_string()).collect();
    let mut media = media::queries::attached(db, SUBJECT_KIND, with_media).await?;
    let bodies = bodies::queries::names(db, rows.iter().map(|row| row.body_id).collect()).await?;
    let show = |row: Suggestion| {
        let is_shown = is_shown(&row);
        let (is_hidden, is_media_hidden) = (rules::is_hidden(&row), rules::is_media_hidden(&row));
        SuggestionSummary {
            id: row.id,
            number: row.number,
            kind: row.kind,
            category: row.category,
            urgency: row.urgency,
            visibility: row.visibility,
            state: row.state,
            area_code: row.area_code,
            body_id: row.body_id,
            body_name: bodies.get(&row.body_id).cloned().unwrap_or_default(),
            text: is_shown.then_some(row.text),
            place: is_shown.then_some(row.place),
            media: media.remove(&row.id.to_string()).unwrap_or_default(),
            author_name: names.get(&row.author_id).filter(|_| is_shown).map(|name| people::mask_name(name)),
            is_assigned: row.assignee_id.is_some(),
            matter_id: row.matter_id,
            rating: row.rating,
            accept_due_at: clock::local(row.accept_due_at),
            answer_due_at: clock::local(row.answer_due_at),
            accepted_at: row.accepted_at.map(clock::local),
            answered_at: row.answered_at.map(clock::local),
            overdue: row.overdue,
            cosigns: row.cosigns,
            is_hidden,
            is_media_hidden,
            level: row.level,
            created_at: clock::local(row.created_at),
        }
    };
    Ok(rows.into_iter().map(show).collect())
}

/// The voice to which a photo or clip is attached.
pub(super) async fn of_media(db: &impl ConnectionTrait, subject_id: &str) -> Result<Option<Suggestion>> {
    let Ok(id) = subject_id.parse::<Uuid>() else { return Ok(None) };
    row(db, SuggestionId(id)).await
}
