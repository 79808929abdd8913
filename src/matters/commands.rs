//! What is done to a matter: raised, joined, given evidence and opinions; moves are in `commands/moves.rs`.
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set, sea_query::OnConflict};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    queries::{self, MatterView},
    rows::{matter, template},
    rules::{ReservedItem, Stage, State, Template, TemplateKey, template::BUILT_IN},
};
use crate::{
    actor::{Actor, HeldSeat, covers},
    areas, bodies,
    bodies::Right,
    clock,
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{CharterId, MatterId, SuggestionId},
    notices::rules::short_name,
    store::{Store, Tx},
    streams::{self, StreamKind, commands::NewStream},
    suggestions, text,
};

mod authorisations;
mod charters;
mod evidence;
mod halts;
mod invitations;
mod merging;
mod moves;
mod particulars;
mod plans;
mod reserved;
mod samples;

use self::charters::Allowed;
pub(super) use self::invitations::seated_anew;
pub use self::{
    authorisations::{RecordAuthorisation, end_authorisation, is_reserved, record_authorisation, require_authorised},
    charters::{AdoptCharter, adopt_charter, end_charter},
    evidence::{
        AnswerAlternative, GiveOpinion, NoteLegality, Piece, WriteReport, answer_alternative, attach, give_opinion,
        note_legality, write_report,
    },
    halts::{HaltMatter, LiftHalt, halt, lift_halt},
    invitations::{DeclineInvitation, InviteBodies, decline, invite, seats_due},
    moves::{
        AdvanceMatter, ReturnMatter, SkipStage, Verdict, WithdrawMatter, advance, advance_by_date, begin_vote,
        conclude_vote, due, return_to, skip, withdraw,
    },
    particulars::{DescribeMatter, describe},
    plans::{WritePlan, write_plan},
    reserved::{MarkReserved, mark_reserved},
    samples::{DrawSample, draw_sample},
};

const MAX_JOINED: usize = 50;

/// A matter to be raised.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RaiseMatter {
    /// Code of the village.
    pub area_code: String,
    /// 2 to 60 characters.
    #[schema(min_length = 2, max_length = 60)]
    pub title: String,
    /// 2 to 200 characters, fit to be read aloud.
    #[schema(min_length = 2, max_length = 200)]
    pub summary: String,
    /// Voices that join it; they stay whole. 50 at most.
    #[serde(default)]
    pub suggestion_ids: Vec<SuggestionId>,
    /// By which path it goes; the six stages when absent.
    #[serde(default)]
    pub template: TemplateKey,
    /// By which charter, for a path of the village's own; its newest one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charter_id: Option<CharterId>,
    /// Which of the ten items that the law reserves to the villagers' assembly it is, if any.
    #[serde(default)]
    pub reserved_item: Option<ReservedItem>,
}

/// A voice that joins a matter.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinSuggestion {
    /// The voice.
    pub suggestion_id: SuggestionId,
}

/// Puts the built-in templates into the database; a version that is there stays as it is.
///
/// # Errors
/// When the database refuses, or a built-in definition is not a template.
pub async fn seed_templates(store: &Store) -> Result<()> {
    let mut rows = Vec::new();
    for definition in BUILT_IN {
        let built_in = Template::parse(definition).map_err(Error::broken)?;
        rows.push(template::ActiveModel {
            key: Set(built_in.key),
            version: Set(built_in.version),
            definition: Set(definition.to_owned()),
        });
    }
    let known = OnConflict::columns([template::Column::Key, template::Column::Version]).do_nothing().to_owned();
    store
        .write(|tx| {
            Box::pin(async move {
                template::Entity::insert_many(rows).on_conflict(known).exec_without_returning(tx).await?;
                Ok(())
            })
        })
        .await
}

/// Raises a matter in the name of the actor's body; the voices named join it. Recorded: `matter.raised`,
/// `matter.stage_entered`.
///
/// # Errors
/// `not_allowed` without a seat that may raise there; `invalid_fields`; `template_not_allowed` for a path that the
/// village's own rules do not allow, or not for this; what joining a voice refuses.
pub async fn raise(tx: &Tx, actor: &Actor, input: RaiseMatter) -> Result<MatterView> {
    let seat = bodies::require(actor, Right::RaiseMatter, &input.area_code)?;
    check(&input)?;
    let Allowed { template, charter } = charters::allowing(tx, &input).await?;
    let first = template.first().ok_or_else(|| Error::broken("a template without stages"))?;
    let now = tx.now();
    let due = tx.calendar().add_working_days(now, first.due_working_days);
    let row = matter::ActiveModel {
        id: Set(MatterId::new()),
        number: Set(next_number(tx, &input.area_code).await?),
        area_code: Set(input.area_code),
        title: Set(input.title.trim().to_owned()),
        summary: Set(input.summary.trim().to_owned()),
        template_key: Set(template.key.clone()),
        template_version: Set(template.version),
        state: Set(State::Open.as_str().to_owned()),
        stage: Set(first.key.as_str().to_owned()),
        stage_due_at: Set(Some(due)),
        stage_overdue_at: Set(None),
        body_id: Set(seat.body_id),
        proposer_id: Set(actor.person),
        rev: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
        ended_at: Set(None),
        reserved_item: Set(input.reserved_item.map(|item| item.as_str().to_owned())),
        charter_id: Set(charter),
        responsible_seat_id: Set(None),
        budget_fen: Set(None),
        budget_source: Set(None),
        merged_into_id: Set(None),
    };
    let matter = row.insert(tx).await.map_err(taken)?;
    begin(tx, &matter, first.key).await?;
    for suggestion in input.suggestion_ids {
        join(tx, actor, suggestion, &matter).await?;
    }
    tell_raised(tx, actor, seat, &matter).await?;
    queries::view(tx, matter.id).await
}

fn check(input: &RaiseMatter) -> Result<()> {
    let mut checks = Checks::default();
    checks.text("title", &input.title, 2..=60);
    checks.text("summary", &input.summary, 2..=200);
    checks.require(input.suggestion_ids.len() <= MAX_JOINED, "suggestion_ids", "too_long");
    for (n, id) in input.suggestion_ids.iter().enumerate() {
        let again = input.suggestion_ids.iter().take(n).any(|earlier| earlier == id);
        checks.require(!again, &format!("suggestion_ids[{n}]"), "duplicate");
    }
    checks.done()
}

/// The first stay, and the place where all may speak about it.
async fn begin(tx: &Tx, matter: &matter::Model, first: Stage) -> Result<()> {
    moves::enter(tx, (matter.id, 1), first, (matter.created_at, matter.stage_due_at)).await?;
    let discussion = NewStream {
        kind: StreamKind::Discussion,
        subject: matter.id.to_string(),
        title: text::say_with("matter-discussion", &[("title", matter.title.clone().into())]),
        area: Some(matter.area_code.clone()),
        body: None,
    };
    streams::commands::open(tx, discussion).await?;
    Ok(())
}

async fn tell_raised(tx: &Tx, actor: &Actor, seat: &HeldSeat, matter: &matter::Model) -> Result<()> {
    let raised = Happening::new(Kind::MatterRaised, matter.id)
        .at(&matter.area_code)
        .by(actor.person)
        .with(json!({ "body": seat.body_id, "template": matter.template_key, "version": matter.template_version }));
    events::record(tx, raised).await?;
    let entered = Happening::new(Kind::StageEntered, matter.id)
        .at(&matter.area_code)
        .by(actor.person)
        .with(json!({ "stage": matter.stage, "why": "raised", "ordinal": 1 }));
    events::record(tx, entered).await?;
    Ok(())
}

/// A voice joins a matter that is under way; it stays whole, its author follows. Recorded: `suggestion.joined`.
///
/// # Errors
/// `not_found`; `not_allowed` without a seat that handles voices or raises matters there; `wrong_state` when the matter
/// has ended; what the voice itself refuses.
pub async fn join_suggestion(tx: &Tx, actor: &Actor, (id, input): (MatterId, JoinSuggestion)) -> Result<MatterView> {
    let matter = queries::row(tx, id).await?;
    bodies::require(actor, Right::RaiseMatter, &matter.area_code)
        .or_else(|_| bodies::require(actor, Right::HandleSuggestions, &matter.area_code))?;
    if matter.state != State::Open.as_str() {
        return Err(Code::WrongState.into());
    }
    join(tx, actor, input.suggestion_id, &matter).await?;
    queries::view(tx, id).await
}

/// A voice joins a matter of its own area.
async fn join(tx: &Tx, actor: &Actor, suggestion: SuggestionId, matter: &matter::Model) -> Result<()> {
    let voice = suggestions::commands::join_matter(tx, actor, suggestion, matter.id).await?;
    if covers(&matter.area_code, &voice.area_code) { Ok(()) } else { Err(Code::NotFound.into()) }
}

/// The next number of the village in this year. Matters are never deleted, so their count gives it.
async fn next_number(tx: &Tx, area: &str) -> Result<String> {
    let name = areas::get(tx, area).await?.name;
    let place = short_name(&name, &text::say("matter-place-endings")).to_owned();
    let year = clock::local_date(tx.now()).format("%Y").to_string();
    let prefix = text::say_with("matter-number-prefix", &[("place", place.into()), ("year", year.into())]);
    let past_the_prefix = format!("{prefix}{}", char::MAX);
    let so_far = matter::Entity::find()
        .filter(matter::Column::AreaCode.eq(area))
        .filter(matter::Column::Number.between(prefix.clone(), past_the_prefix))
        .count(tx)
        .await?;
    let n = (so_far + 1).to_string();
    Ok(text::say_with("matter-number", &[("prefix", prefix.into()), ("n", n.into())]))
}

/// Where several machines write, two may count the same: the unique key lets one of them through.
fn taken(error: sea_orm::DbErr) -> Error {
    match error.sql_err() {
        Some(sea_orm::SqlErr::UniqueConstraintViolation(_)) => Code::Changed.into(),
        _ => error.into(),
    }
}
