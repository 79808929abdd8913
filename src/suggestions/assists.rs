//! 协办: the body responsible asks others for their part of one voice; it stays the only owner, and it alone answers the author.
use chrono::{DateTime, FixedOffset};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DeriveActiveEnum, EntityTrait, EnumIter, ExprTrait,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Suggestion, asked,
    commands::{checked, record},
    queries::{self, SuggestionSummary},
    referrals,
    rows::{assist, suggestion},
    rules::{self, Step, SuggestionKind},
    words,
};
use crate::{
    actor::Actor,
    bodies, clock,
    error::{Checks, Code, Result},
    events::Kind,
    ids::{AssistId, BodyId, SuggestionId},
    keys::Keys,
    store::Tx,
};

const WORDS: std::ops::RangeInclusive<usize> = 2..=500;
/// Times that others are asked about one voice.
const MOST: u64 = 12;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum AssistState {
    /// The other has not said anything yet.
    Asked,
    /// The other has said what it did.
    Given,
    /// The voice was answered, went to the one asked, or was erased before.
    Ended,
}

/// Whose part it is, and what is asked of them.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskAssist {
    /// A body of the voice's area or above it.
    pub body_id: BodyId,
    /// 2 to 500 characters: everything that the other needs to know, because it does not read the voice. The author reads
    /// it, too.
    #[schema(min_length = 2, max_length = 500)]
    pub task: String,
}

/// What was done about it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveAssist {
    /// 2 to 500 characters; the author reads it, too.
    #[schema(min_length = 2, max_length = 500)]
    pub text: String,
}

/// What another body was asked for, for the author and those who handle the voice.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AssistView {
    /// Its id.
    pub id: AssistId,
    /// The body that was asked.
    pub body_name: String,
    /// For what.
    pub task: String,
    /// What came of it.
    pub state: AssistState,
    /// What it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// When it was asked.
    pub asked_at: DateTime<FixedOffset>,
    /// When it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_at: Option<DateTime<FixedOffset>>,
}

/// What is asked of one's own body: not the voice's words, and not whose it is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AssistRequest {
    /// Its id.
    pub id: AssistId,
    /// The voice's number.
    pub number: String,
    /// What is wanted.
    pub kind: SuggestionKind,
    /// Code of the village.
    pub area_code: String,
    /// The body responsible, which answers the author.
    pub owner_body_name: String,
    /// The own body that is asked.
    pub body_name: String,
    /// For what.
    pub task: String,
    /// The voice is to be answered before this moment.
    pub answer_due_at: DateTime<FixedOffset>,
    /// When it was asked.
    pub asked_at: DateTime<FixedOffset>,
}

/// Asks another body for its part; several may be asked at the same time, each for one thing at a time. Records
/// `suggestion.assist_asked`.
///
/// # Errors
/// `not_found`; `not_allowed` for others than the body responsible; `wrong_state` when it is answered, or others were asked
/// too often; `invalid_fields` for a body that cannot be asked or has not done the last thing yet.
pub async fn ask(tx: &Tx, actor: &Actor, (id, input): (SuggestionId, AskAssist)) -> Result<SuggestionSummary> {
    let row = checked(tx, actor, id, Step::Involve).await?;
    let mut checks = Checks::default();
    checks.text("task", input.task.trim(), WORDS);
    let others = referrals::targets(tx, &row, tx.now()).await?;
    let can = input.body_id != row.body_id && others.iter().any(|body| body.id == input.body_id);
    checks.require(can, "body_id", "cannot_take_it");
    let of_voice = || assist::Entity::find().filter(assist::Column::SuggestionId.eq(id));
    let open = of_voice()
        .filter(assist::Column::BodyId.eq(input.body_id))
        .filter(assist::Column::State.eq(AssistState::Asked))
        .count(tx)
        .await?;
    checks.require(open == 0, "body_id", "already_asked");
    checks.done()?;
    if of_voice().count(tx).await? >= MOST {
        return Err(Code::WrongState.into());
    }
    let kept = assist::ActiveModel {
        id: Set(AssistId::new()),
        suggestion_id: Set(id),
        body_id: Set(input.body_id),
        task: Set(words::seal(tx, &row, "assist", input.task.trim()).await?),
        state: Set(AssistState::Asked),
        asked_by: Set(actor.person),
        asked_at: Set(tx.now()),
        ..Default::default()
    };
    let kept = kept.insert(tx).await?;
    let data = json!({ "assist": kept.id, "to": kept.body_id });
    record(tx, Kind::SuggestionAssistAsked, &row, Some(actor), data).await?;
    queries::summary(tx, row).await
}

/// Says what the own body did about it. Records `suggestion.assist_given`.
///
/// # Errors
/// `not_found` for who does not sit in the body that is asked, and for whom the voice is about; `not_allowed` for who does
/// not speak for it; `wrong_state` when it is over; `invalid_fields`.
pub async fn give(tx: &Tx, actor: &Actor, (id, input): (AssistId, GiveAssist)) -> Result<()> {
    let asked = assist::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let row = queries::row(tx, asked.suggestion_id).await?.ok_or(Code::NotFound)?;
    rules::speaking_seat(actor, &row, asked.body_id)?;
    let mut checks = Checks::default();
    checks.text("text", input.text.trim(), WORDS);
    checks.done()?;
    if asked.state != AssistState::Asked {
        return Err(Code::WrongState.into());
    }
    let given = assist::ActiveModel {
        id: Set(id),
        state: Set(AssistState::Given),
        answer: Set(Some(words::seal(tx, &row, "assist answer", input.text.trim()).await?)),
        given_by: Set(Some(actor.person)),
        given_at: Set(Some(tx.now())),
        ..Default::default()
    };
    given.update(tx).await?;
    let data = json!({ "assist": id, "to": asked.body_id });
    record(tx, Kind::SuggestionAssistGiven, &row, Some(actor), data).await
}

/// The voice was answered, or erased: whoever was asked and has not said anything need not. Records `suggestion.assist_ended`
/// for each.
pub(super) async fn end_open(tx: &Tx, actor: Option<&Actor>, row: &Suggestion) -> Result<()> {
    end(tx, actor, (row, Condition::all())).await
}

/// The voice is theirs now who were asked for a part of it: nobody is asked by themselves. Records `suggestion.assist_ended`.
pub(super) async fn end_of_owner(tx: &Tx, actor: &Actor, row: &Suggestion) -> Result<()> {
    end(tx, Some(actor), (row, Condition::all().add(assist::Column::BodyId.eq(row.body_id)))).await
}

async fn end(tx: &Tx, actor: Option<&Actor>, (row, which): (&Suggestion, Condition)) -> Result<()> {
    let ended = assist::Entity::update_many()
        .col_expr(assist::Column::State, Expr::value("ended"))
        .filter(assist::Column::SuggestionId.eq(row.id))
        .filter(assist::Column::State.eq(AssistState::Asked))
        .filter(which)
        .exec_with_returning(tx)
        .await?;
    for one in ended {
        let data = json!({ "assist": one.id, "to": one.body_id });
        record(tx, Kind::SuggestionAssistEnded, row, actor, data).await?;
    }
    Ok(())
}

/// Bodies that were asked for their part of a voice and have not said anything yet.
pub(super) async fn silent(db: &impl ConnectionTrait, id: SuggestionId) -> Result<Vec<BodyId>> {
    let asked = assist::Entity::find()
        .select_only()
        .column(assist::Column::BodyId)
        .filter(assist::Column::SuggestionId.eq(id))
        .filter(assist::Column::State.eq(AssistState::Asked));
    Ok(asked.into_tuple().all(db).await?)
}

/// What others were asked for about a voice, oldest first.
pub(super) async fn of_voice(db: &impl ConnectionTrait, keys: &Keys, of: &Suggestion) -> Result<Vec<AssistView>> {
    let rows = assist::Entity::find()
        .filter(assist::Column::SuggestionId.eq(of.id))
        .order_by_asc(assist::Column::AskedAt)
        .order_by_asc(assist::Column::Id)
        .all(db)
        .await?;
    let names = bodies::queries::names(db, rows.iter().map(|row| row.body_id).collect()).await?;
    let opened = words::keys_of(db, keys, &[of]).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        let answer = row.answer.as_deref().map(|kept| words::said(&opened, of, ("assist answer", kept)));
        views.push(AssistView {
            id: row.id,
            body_name: names.get(&row.body_id).cloned().unwrap_or_default(),
            task: words::said(&opened, of, ("assist", &row.task))?,
            state: row.state,
            answer: answer.transpose()?,
            asked_at: clock::local(row.asked_at),
            given_at: row.given_at.map(clock::local),
        });
    }
    Ok(views)
}

/// What is asked of bodies for which the actor speaks, with the voice, the oldest first, 100 at most. Never about the actor's
/// own voice, nor about one that is about the actor.
pub(super) async fn waiting(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<(assist::Model, Suggestion)>> {
    let mine = asked::spoken_for(actor);
    if mine.is_empty() {
        return Ok(Vec::new());
    }
    let of_assist = Expr::col((assist::Entity, assist::Column::SuggestionId));
    let voice = suggestion::Entity::find()
        .select_only()
        .column(suggestion::Column::Id)
        .filter(Expr::col((suggestion::Entity, suggestion::Column::Id)).eq(of_assist))
        .filter(asked::of_others(actor));
    let open = assist::Entity::find()
        .filter(assist::Column::BodyId.is_in(mine))
        .filter(assist::Column::State.eq(AssistState::Asked))
        .filter(Expr::exists(voice.into_query()))
        .order_by_asc(assist::Column::AskedAt)
        .order_by_asc(assist::Column::Id)
        .limit(asked::SHOWN)
        .all(db)
        .await?;
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let voices = suggestion::Entity::find()
        .filter(suggestion::Column::Id.is_in(open.iter().map(|row| row.suggestion_id)))
        .all(db)
        .await?;
    let of = |row: assist::Model| {
        let voice = voices.iter().find(|voice| voice.id == row.suggestion_id);
        voice.map(|voice| (row, voice.clone()))
    };
    Ok(open.into_iter().filter_map(of).collect())
}

/// What is asked of bodies for which the actor speaks, the oldest first, 100 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn requests(db: &impl ConnectionTrait, keys: &Keys, actor: &Actor) -> Result<Vec<AssistRequest>> {
    let asked = waiting(db, actor).await?;
    let named = asked.iter().flat_map(|(row, voice)| [row.body_id, voice.body_id]);
    let names = bodies::queries::names(db, named.collect()).await?;
    let voices: Vec<&Suggestion> = asked.iter().map(|(_, voice)| voice).collect();
    let opened = words::keys_of(db, keys, &voices).await?;
    let mut requests = Vec::with_capacity(asked.len());
    for (row, voice) in &asked {
        requests.push(AssistRequest {
            id: row.id,
            number: voice.number.clone(),
            kind: voice.kind,
            area_code: voice.area_code.clone(),
            owner_body_name: names.get(&voice.body_id).cloned().unwrap_or_default(),
            body_name: names.get(&row.body_id).cloned().unwrap_or_default(),
            task: words::said(&opened, voice, ("assist", &row.task))?,
            answer_due_at: clock::local(voice.answer_due_at),
            asked_at: clock::local(row.asked_at),
        });
    }
    Ok(requests)
}

/// What was said about these voices is blanked: it was kept before voices were sealed.
pub(super) async fn blank(tx: &Tx, voices: &[SuggestionId]) -> Result<()> {
    assist::Entity::update_many()
        .col_expr(assist::Column::Task, Expr::value(""))
        .col_expr(assist::Column::Answer, Expr::value(None::<String>))
        .filter(assist::Column::SuggestionId.is_in(voices.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}
