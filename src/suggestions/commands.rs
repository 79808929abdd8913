//! What is done with a voice: accepted, given to somebody, answered, rated, joined to a matter; and what is late.
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Suggestion, answers, escalation, pressing,
    promises::{self, Promise},
    queries::{self, SuggestionSummary, SuggestionView},
    rows::{answer as answer_row, suggestion},
    rules::{self, Deadline, Step, SuggestionState, Visibility},
    words,
};
pub use super::{
    answers::{AnswerSuggestion, SpeakAnswer, answer, speak_answer},
    clocks::due,
    leaving::{Left, SubmitSuggestion, submit},
};
use crate::{
    actor::Actor,
    bodies,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{MatterId, PersonId, SuggestionId},
    store::Tx,
    streams,
};

/// What media are attached to, in rows of media.
pub const SUBJECT_KIND: &str = "suggestion";
pub(super) const MAX_TEXT: usize = 2000;
const MAX_RATING_TEXT: usize = 500;

/// Who is to take care of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignSuggestion {
    /// Somebody with a seat in the body responsible.
    pub person_id: PersonId,
}

/// What the author thinks of the answer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateSuggestion {
    /// 1 (not solved) to 5; 1 and 2 open it again. Of what was rated as solved only these, within 30 days.
    #[schema(minimum = 1, maximum = 5)]
    pub rating: i32,
    /// Up to 500 characters.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub text: String,
    /// The answer that it is about: refused where there is a newer one. Absent: the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_id: Option<Uuid>,
}

/// Takes care of a voice. Records `suggestion.accepted`.
///
/// # Errors
/// `not_found` for whoever may not see it; `not_allowed`; `wrong_state` unless submitted; `changed`.
pub async fn accept(tx: &Tx, actor: &Actor, id: SuggestionId) -> Result<SuggestionSummary> {
    let row = checked(tx, actor, id, Step::Accept).await?;
    let accepted = suggestion::ActiveModel {
        state: Set(SuggestionState::Accepted),
        accepted_at: Set(Some(tx.now())),
        // that the answer is late stays so, and is told once
        overdue: Set(row.overdue.filter(|passed| *passed == Deadline::Answer)),
        warn_at: Set(promised(&row).answer.reminder(tx, (row.answer_due_at, rules::WARN_ANSWER_WORKING_DAYS))),
        ..Default::default()
    };
    let row = moved(tx, &row, accepted).await?;
    record(tx, Kind::SuggestionAccepted, &row, Some(actor), json!({ "body": row.body_id })).await?;
    join_public_thread(tx, &row, actor.person).await?;
    queries::summary(tx, row).await
}

/// Gives an accepted voice to somebody of the body responsible; once more gives it to another. Records
/// `suggestion.assigned`.
///
/// # Errors
/// As [`accept`], `wrong_state` unless accepted; `invalid_fields` when the person has no seat there, for whom it is about, and
/// for the author, where who handles it knows whose it is.
pub async fn assign(
    tx: &Tx,
    actor: &Actor,
    (id, input): (SuggestionId, AssignSuggestion),
) -> Result<SuggestionSummary> {
    let row = checked(tx, actor, id, Step::Assign).await?;
    let seats = bodies::queries::seats_of(tx, input.person_id, tx.now()).await?;
    let is_member = seats.iter().any(|seat| seat.body_id == row.body_id);
    let is_own = input.person_id == row.author_id;
    // of a masked voice a refusal would say whose it is; who is given the own does not answer it by that
    let is_told = is_own && row.visibility != Visibility::Public;
    let may_have = is_member && !is_told && !rules::concerns(&row, input.person_id, &seats);
    let mut checks = Checks::default();
    checks.require(may_have, "person_id", "not_a_member");
    checks.done()?;
    let assigned = suggestion::ActiveModel { assignee_id: Set(Some(input.person_id)), ..Default::default() };
    let is_again = row.assignee_id.is_some();
    let others = |one: &PersonId| *one != input.person_id && *one != row.author_id;
    if let Some(before) = row.assignee_id.filter(others) {
        // no longer in the thread; with a right of the own, opening the voice brings one back
        streams::commands::join(tx, row.stream_id, before, "former").await?;
    }
    let row = moved(tx, &row, assigned).await?;
    record(tx, Kind::SuggestionAssigned, &row, Some(actor), json!({ "person": input.person_id, "again": is_again }))
        .await?;
    if !is_own {
        join_public_thread(tx, &row, input.person_id).await?;
    }
    queries::summary(tx, row).await
}

/// Rates the answer. "Not solved" opens the voice again, with new days to answer it; said twice, it takes it to the office
/// above. What was rated as solved is so opened for 30 days. The rating stands with the newest answer, and stays there when another
/// follows. Records `suggestion.rated` and then `suggestion.escalated`.
///
/// # Errors
/// `not_found`; `not_allowed` for others than the author; `wrong_state` unless answered, and for who was content and is still, or
/// says otherwise too late; `changed` for an answer that is not the newest; `invalid_fields`.
pub async fn rate(tx: &Tx, actor: &Actor, (id, input): (SuggestionId, RateSuggestion)) -> Result<SuggestionView> {
    check_rating(&input)?;
    let row = checked(tx, actor, id, Step::Rate).await?;
    let was_solved = row.state == SuggestionState::Rated;
    if was_solved && (!rules::reopens(input.rating) || rules::is_settled(&row, tx.now())) {
        return Err(Code::WrongState.into());
    }
    let now = rated(tx, actor, (row, input), false).await?;
    queries::view(tx, tx.keys(), (actor, tx.now()), now).await
}

/// Writes down what somebody for whom a voice was taken down says of the answer when called back: it counts as the author's own
/// rating, and opens it again as that does. Records `suggestion.rated` and then `suggestion.escalated`.
///
/// # Errors
/// `not_found`; `not_allowed` for others than who answers it; `second_person_needed` for who took it down or answered it last;
/// `wrong_state` unless it was taken down and is answered; `changed` for an answer that is not the newest; `invalid_fields`.
pub async fn call_back(
    tx: &Tx,
    actor: &Actor,
    (id, input): (SuggestionId, RateSuggestion),
) -> Result<SuggestionSummary> {
    check_rating(&input)?;
    let row = checked(tx, actor, id, Step::CallBack).await?;
    let has_answered = answers::newest(tx, id).await?.is_some_and(|newest| newest.person_id == actor.person);
    if has_answered || row.taken_by == Some(actor.person) {
        return Err(Code::SecondPersonNeeded.into());
    }
    let now = rated(tx, actor, (row, input), true).await?;
    queries::summary(tx, now).await
}

fn check_rating(input: &RateSuggestion) -> Result<()> {
    let mut checks = Checks::default();
    checks.require((1..=5).contains(&input.rating), "rating", "out_of_range");
    checks.text("text", &input.text, 0..=MAX_RATING_TEXT);
    checks.done()
}

async fn rated(
    tx: &Tx,
    actor: &Actor,
    (row, input): (Suggestion, RateSuggestion),
    is_call: bool,
) -> Result<Suggestion> {
    let reopened = rules::reopens(input.rating);
    let newest = answers::newest(tx, row.id).await?.ok_or(Code::WrongState)?;
    if input.answer_id.is_some_and(|meant| meant != newest.id) {
        return Err(Code::Changed.into());
    }
    let said = words::with_rating(tx, row.author_id, &row, input.text.trim()).await?;
    let mut rated = suggestion::ActiveModel {
        state: Set(SuggestionState::Rated),
        rated_at: Set(Some(tx.now())),
        rating: Set(Some(input.rating)),
        ..Default::default()
    };
    let of_answer = answer_row::ActiveModel {
        id: Set(newest.id),
        rating: Set(Some(input.rating)),
        rating_text: Set(said),
        rated_at: Set(Some(tx.now())),
        ..Default::default()
    };
    of_answer.update(tx).await?;
    let above = if reopened { escalation::after(tx, &row).await? } else { None };
    if reopened {
        escalation::open_again(tx, &row, above, &mut rated);
    }
    let now = moved(tx, &row, rated).await?;
    let mut data = json!({ "rating": input.rating, "rated_answer": newest.id, "reopened": reopened,
        "escalated": above.is_some() });
    if is_call {
        data["called_back"] = true.into();
    }
    record(tx, Kind::SuggestionRated, &now, Some(actor), data).await?;
    if above.is_some() {
        escalation::hand_over(tx, &row, &now).await?;
        pressing::press(tx, &now).await?;
    }
    Ok(now)
}

/// Lets a voice join a matter; it stays whole and its author follows the matter. Called by `matters`, which sees to it that
/// both are in the same area. Records `suggestion.joined`.
///
/// # Errors
/// `not_found`; `not_allowed` for others than its handlers and, when it is public, those who raise matters there;
/// `wrong_state` when it has joined one already, and when it is about somebody.
pub async fn join_matter(tx: &Tx, actor: &Actor, id: SuggestionId, matter: MatterId) -> Result<SuggestionSummary> {
    checked(tx, actor, id, Step::Join).await?;
    let joined =
        suggestion::ActiveModel { matter_id: Set(Some(matter)), updated_at: Set(tx.now()), ..Default::default() };
    let rows = suggestion::Entity::update_many()
        .set(joined)
        .filter(suggestion::Column::Id.eq(id))
        .filter(suggestion::Column::MatterId.is_null())
        .exec_with_returning(tx)
        .await?;
    let row = rows.into_iter().next().ok_or(Code::WrongState)?;
    record(tx, Kind::SuggestionJoined, &row, Some(actor), json!({ "matter": matter })).await?;
    queries::summary(tx, row).await
}

/// The voices of a matter that is taken back go on with another. Called by `matters`, which tells their authors.
///
/// # Errors
/// When the database refuses.
pub async fn carry_over(tx: &Tx, (from, into): (MatterId, MatterId)) -> Result<()> {
    let carried =
        suggestion::ActiveModel { matter_id: Set(Some(into)), updated_at: Set(tx.now()), ..Default::default() };
    suggestion::Entity::update_many().set(carried).filter(suggestion::Column::MatterId.eq(from)).exec(tx).await?;
    Ok(())
}

/// What was promised for a voice.
pub(super) fn promised(row: &Suggestion) -> Promise {
    promises::promise(row.kind, row.category, row.urgency)
}

/// The row, if the actor may take this step now.
pub(super) async fn checked(tx: &Tx, actor: &Actor, id: SuggestionId, step: Step) -> Result<Suggestion> {
    let row = queries::row(tx, id).await?.ok_or(Code::NotFound)?;
    rules::check(step, &row, rules::standing(actor, &row))?;
    Ok(row)
}

/// Changes the row, unless somebody changed its state meanwhile.
pub(super) async fn moved(tx: &Tx, before: &Suggestion, mut change: suggestion::ActiveModel) -> Result<Suggestion> {
    change.updated_at = Set(tx.now());
    let rows = suggestion::Entity::update_many()
        .set(change)
        .filter(suggestion::Column::Id.eq(before.id))
        .filter(suggestion::Column::State.eq(before.state))
        .exec_with_returning(tx)
        .await?;
    rows.into_iter().next().ok_or_else(|| Code::Changed.into())
}

/// Who handles a public voice may write in its thread. Into another's thread one gets by opening the voice, which is
/// recorded (see `readings`).
pub(super) async fn join_public_thread(tx: &Tx, row: &Suggestion, person: PersonId) -> Result<()> {
    match row.visibility {
        Visibility::Public => {
            let role = if row.assignee_id == Some(person) { "given" } else { "handler" };
            streams::commands::join(tx, row.stream_id, person, role).await
        }
        Visibility::Handlers | Visibility::Town => Ok(()),
    }
}

/// Records what happened to the voice: ids and codes only.
pub(super) async fn record(
    tx: &Tx,
    kind: Kind,
    row: &Suggestion,
    actor: Option<&Actor>,
    data: serde_json::Value,
) -> Result<()> {
    let happening = Happening::new(kind, row.id).at(&row.area_code).with(data);
    let happening = match actor {
        Some(actor) => happening.by(actor.person),
        None => happening,
    };
    events::record(tx, happening).await?;
    Ok(())
}
