//! 合同审查: a village's body sends a contract, a legal officer answers with a written opinion.
use chrono::{DateTime, FixedOffset};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::{
    officers, photos,
    rows::contract,
    rules::{CONTRACT_WORKING_DAYS, ContractOutcome, asking},
};
use crate::{
    actor::{Actor, covers},
    bodies::{self, Right},
    clock,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, ContractReviewId, MatterId, MediaId, PersonId},
    matters,
    media::{self, Media, MediaView, Subject},
    people,
    store::Tx,
};

/// Contracts on one list at most.
const MAX_CONTRACTS: u64 = 100;
/// Contracts looked at in one go.
const DUE_AT_ONCE: u64 = 50;

/// A contract to be looked at.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskContractReview {
    /// Where.
    pub area_code: String,
    /// The body that wants to know; the asker speaks for it, or is its secretary.
    pub body_id: BodyId,
    /// The matter that the contract serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matter_id: Option<MatterId>,
    /// What it is, 2 to 100 characters.
    #[schema(min_length = 2, max_length = 100)]
    pub title: String,
    /// Its words, up to 10,000 characters; may be empty when there are photos.
    #[serde(default)]
    #[schema(max_length = 10000)]
    pub text: String,
    /// Up to nine own photos of it.
    #[serde(default)]
    #[schema(max_items = 9)]
    pub photos: Vec<MediaId>,
}

/// What a legal officer says of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveContractOpinion {
    /// May it be signed?
    pub outcome: ContractOutcome,
    /// Why, and what is to be changed; 2 to 2,000 characters.
    #[schema(min_length = 2, max_length = 2000)]
    pub text: String,
}

/// What was said of a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContractOpinionView {
    /// May it be signed?
    pub outcome: ContractOutcome,
    /// Why.
    pub text: String,
    /// Who wrote it.
    pub name: String,
    /// In which body.
    pub body_name: String,
    /// When.
    pub at: DateTime<FixedOffset>,
}

/// A contract, for the body that sent it and the legal officers of its area.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ContractReviewView {
    /// Its id.
    pub id: ContractReviewId,
    /// Where.
    pub area_code: String,
    /// The body that sent it.
    pub body_id: BodyId,
    /// Its name.
    pub body_name: String,
    /// The matter that it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matter_id: Option<MatterId>,
    /// What it is.
    pub title: String,
    /// Its words; in a list none.
    pub text: String,
    /// Photos of it; in a list none.
    pub photos: Vec<MediaView>,
    /// Who sent it, in that seat.
    pub asked_by_id: PersonId,
    /// Full name.
    pub asked_by_name: String,
    /// When.
    pub asked_at: DateTime<FixedOffset>,
    /// Until when it is answered.
    pub due_at: DateTime<FixedOffset>,
    /// What the legal officer said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opinion: Option<ContractOpinionView>,
}

/// Which contracts.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ContractsQuery {
    /// Code of an area; everything below it counts. All when absent.
    pub area: Option<String>,
}

/// What everybody reads of a contract beside its matter.
#[derive(Clone, Debug)]
pub struct OfMatter {
    /// What it is.
    pub title: String,
    /// The body that sent it.
    pub body_name: String,
    /// What was said of it, if anything yet; why is for the body.
    pub outcome: Option<ContractOutcome>,
    /// When it was said, or asked.
    pub at: DateTime<FixedOffset>,
}

/// Sends a contract to the legal officers of an area. Records `contract.review_asked`.
///
/// # Errors
/// `not_allowed` for who does not speak for the body there; `invalid_fields`, also where there is no legal officer;
/// `media_not_usable`.
pub async fn ask(tx: &Tx, actor: &Actor, input: AskContractReview) -> Result<ContractReviewView> {
    if !asking(actor, &input.area_code).any(|seat| seat.body_id == input.body_id) {
        return Err(Code::NotAllowed.into());
    }
    let mut checks = Checks::default();
    checks.text("title", &input.title, 2..=100);
    checks.text("text", &input.text, usize::from(input.photos.is_empty())..=10_000);
    if let Some(matter) = input.matter_id {
        let there = matters::queries::area_of(tx, matter).await?;
        checks.require(covers(&there, &input.area_code), "matter_id", "unknown");
    }
    let officers = officers::of_area(tx, &input.area_code, tx.now()).await?;
    checks.require(!officers.is_empty(), "area_code", "no_legal_officer");
    checks.done()?;
    let due_at = tx.calendar().add_working_days(tx.now(), CONTRACT_WORKING_DAYS);
    let row = contract::ActiveModel {
        id: Set(ContractReviewId::new()),
        area_code: Set(input.area_code),
        body_id: Set(input.body_id),
        matter_id: Set(input.matter_id),
        title: Set(input.title.trim().to_owned()),
        text: Set(input.text.trim().replace("\r\n", "\n")),
        asked_by: Set(actor.person),
        asked_at: Set(tx.now()),
        due_at: Set(due_at),
        calendar_version: Set(tx.calendar().version().to_owned()),
        late_at: Set(Some(due_at)),
        ..Default::default()
    };
    let row = row.insert(tx).await?;
    let to = Subject { kind: media::CONTRACT, id: &row.id.to_string(), area: &row.area_code };
    photos::attach(tx, actor.person, &input.photos, to).await?;
    record(tx, Kind::ContractReviewAsked, (&row, Some(actor.person))).await?;
    view(tx, row).await
}

/// Says what is to be said of a contract, once. Records `contract.reviewed`.
///
/// # Errors
/// `not_found` for who may not see it; `not_allowed` for others than a legal officer there, and for who sent it;
/// `invalid_fields`; `wrong_state` when it was answered.
pub async fn give_opinion(
    tx: &Tx,
    actor: &Actor,
    (id, input): (ContractReviewId, GiveContractOpinion),
) -> Result<ContractReviewView> {
    let row = visible(tx, actor, id).await?;
    let seat = bodies::require(actor, Right::NoteLegality, &row.area_code)?;
    if row.asked_by == actor.person {
        return Err(Code::NotAllowed.into());
    }
    let mut checks = Checks::default();
    checks.text("text", &input.text, 2..=2000);
    checks.done()?;
    let given = contract::ActiveModel {
        outcome: Set(Some(input.outcome)),
        opinion: Set(Some(input.text.trim().replace("\r\n", "\n"))),
        reviewed_by: Set(Some(actor.person)),
        reviewer_body_id: Set(Some(seat.body_id)),
        reviewed_at: Set(Some(tx.now())),
        late_at: Set(None),
        ..Default::default()
    };
    let rows = contract::Entity::update_many()
        .set(given)
        .filter(contract::Column::Id.eq(id))
        .filter(contract::Column::ReviewedAt.is_null())
        .exec_with_returning(tx)
        .await?;
    let row = rows.into_iter().next().ok_or(Code::WrongState)?;
    record(tx, Kind::ContractReviewed, (&row, Some(actor.person))).await?;
    view(tx, row).await
}

/// Says of each contract whose days are over that it is late, once. Records `contract.overdue`. Says how many.
///
/// # Errors
/// When the database refuses.
pub async fn due(tx: &Tx) -> Result<u64> {
    let late = contract::Entity::find()
        .filter(contract::Column::LateAt.lte(tx.now()))
        .order_by_asc(contract::Column::LateAt)
        .limit(DUE_AT_ONCE)
        .all(tx)
        .await?;
    for row in &late {
        let told = contract::ActiveModel { id: Set(row.id), late_at: Set(None), ..Default::default() };
        told.update(tx).await?;
        record(tx, Kind::ContractOverdue, (row, None)).await?;
    }
    Ok(late.len() as u64)
}

async fn record(tx: &Tx, kind: Kind, (row, by): (&contract::Model, Option<PersonId>)) -> Result<()> {
    let data = json!({ "body": row.body_id, "matter": row.matter_id, "outcome": row.outcome });
    let happening = Happening { actor: by, ..Happening::new(kind, row.id) };
    events::record(tx, happening.at(&row.area_code).with(data)).await?;
    Ok(())
}

/// One contract.
///
/// # Errors
/// `not_found` for who neither sits in the body that sent it nor is a legal officer there.
pub async fn read(db: &impl ConnectionTrait, actor: &Actor, id: ContractReviewId) -> Result<ContractReviewView> {
    view(db, visible(db, actor, id).await?).await
}

/// One photo of it.
///
/// # Errors
/// As [`read`].
pub async fn photo(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (id, photo): (ContractReviewId, MediaId),
) -> Result<Media> {
    visible(db, actor, id).await?;
    photos::one(db, (media::CONTRACT, id.to_string()), photo).await
}

async fn visible(db: &impl ConnectionTrait, actor: &Actor, id: ContractReviewId) -> Result<contract::Model> {
    let row = contract::Entity::find_by_id(id).one(db).await?;
    row.filter(|row| reads(actor, row)).ok_or_else(|| Code::NotFound.into())
}

fn reads(actor: &Actor, row: &contract::Model) -> bool {
    actor.sits_in(row.body_id) || bodies::may(actor, Right::NoteLegality, &row.area_code)
}

/// The contracts of the bodies in which the actor sits, and those for which the actor is a legal officer, in an area; those that
/// wait first, the newest of each first, 100 at most: an officer of a town has many that were answered.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(db: &impl ConnectionTrait, actor: &Actor, query: &ContractsQuery) -> Result<Vec<ContractReviewView>> {
    let bodies: Vec<BodyId> = actor.seats.iter().map(|seat| seat.body_id).collect();
    let own = Condition::any().add(contract::Column::BodyId.is_in(bodies));
    let here = query.area.as_deref().map(|area| contract::Column::AreaCode.starts_with(area));
    let rows = contract::Entity::find()
        .filter(or_in(own, &officers::places(db, actor).await?))
        .filter(Condition::all().add_option(here))
        .order_by_asc(contract::Column::ReviewedAt.is_not_null())
        .order_by_desc(contract::Column::AskedAt)
        .order_by_desc(contract::Column::Id)
        .limit(MAX_CONTRACTS)
        .all(db)
        .await?;
    views(db, rows).await
}

/// The contracts that wait for the actor, a legal officer; the most urgent first, 100 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn waiting(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<ContractReviewView>> {
    let places = officers::places(db, actor).await?;
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let rows = contract::Entity::find()
        .filter(or_in(Condition::any(), &places))
        .filter(contract::Column::ReviewedAt.is_null())
        .filter(contract::Column::AskedBy.ne(actor.person))
        .order_by_asc(contract::Column::DueAt)
        .limit(MAX_CONTRACTS)
        .all(db)
        .await?;
    views(db, rows).await
}

/// What lies in these areas, beside something else.
fn or_in(other: Condition, areas: &[String]) -> Condition {
    areas.iter().fold(other, |any, area| any.add(contract::Column::AreaCode.starts_with(area)))
}

/// What everybody reads of the contracts of a matter, oldest first. What was asked in other villages in its name is none of it.
///
/// # Errors
/// When the database cannot be read.
pub async fn of_matter(db: &impl ConnectionTrait, (matter, area): (MatterId, &str)) -> Result<Vec<OfMatter>> {
    let mut rows = rows_of(db, matter).await?;
    rows.retain(|row| covers(area, &row.area_code));
    let names = bodies::queries::names(db, rows.iter().map(|row| row.body_id).collect()).await?;
    let show = |row: contract::Model| OfMatter {
        body_name: names.get(&row.body_id).cloned().unwrap_or_default(),
        outcome: row.outcome,
        at: clock::local(row.reviewed_at.unwrap_or(row.asked_at)),
        title: row.title,
    };
    Ok(rows.into_iter().map(show).collect())
}

/// The contracts of a matter that the actor may read, oldest first, without their words.
///
/// # Errors
/// When the database cannot be read.
pub async fn readable_of(
    db: &impl ConnectionTrait,
    actor: &Actor,
    matter: MatterId,
) -> Result<Vec<ContractReviewView>> {
    let mut rows = rows_of(db, matter).await?;
    rows.retain(|row| reads(actor, row));
    views(db, rows).await
}

async fn rows_of(db: &impl ConnectionTrait, matter: MatterId) -> Result<Vec<contract::Model>> {
    let rows = contract::Entity::find()
        .filter(contract::Column::MatterId.eq(matter))
        .order_by_asc(contract::Column::AskedAt)
        .limit(MAX_CONTRACTS);
    Ok(rows.all(db).await?)
}

async fn view(db: &impl ConnectionTrait, row: contract::Model) -> Result<ContractReviewView> {
    let (id, text) = (row.id, row.text.clone());
    let photos = photos::of(db, (media::CONTRACT, id.to_string()), "/v1/contract-reviews").await?;
    let shown = views(db, vec![row]).await?.pop().ok_or(Code::NotFound)?;
    Ok(ContractReviewView { text, photos, ..shown })
}

/// Without words and photos.
async fn views(db: &impl ConnectionTrait, rows: Vec<contract::Model>) -> Result<Vec<ContractReviewView>> {
    let people: Vec<PersonId> = rows.iter().flat_map(|row| [Some(row.asked_by), row.reviewed_by]).flatten().collect();
    let names = people::names(db, people).await?;
    let ids = rows.iter().flat_map(|row| [Some(row.body_id), row.reviewer_body_id]).flatten().collect();
    let bodies = bodies::queries::names(db, ids).await?;
    let person = |id: Option<PersonId>| id.and_then(|id| names.get(&id).cloned()).unwrap_or_default();
    let body = |id: Option<BodyId>| id.and_then(|id| bodies.get(&id).cloned()).unwrap_or_default();
    let show = |row: contract::Model| ContractReviewView {
        opinion: row.outcome.zip(row.reviewed_at).map(|(outcome, at)| ContractOpinionView {
            outcome,
            text: row.opinion.clone().unwrap_or_default(),
            name: person(row.reviewed_by),
            body_name: body(row.reviewer_body_id),
            at: clock::local(at),
        }),
        body_name: body(Some(row.body_id)),
        asked_by_id: row.asked_by,
        asked_by_name: person(Some(row.asked_by)),
        id: row.id,
        area_code: row.area_code,
        body_id: row.body_id,
        matter_id: row.matter_id,
        title: row.title,
        text: String::new(),
        photos: Vec::new(),
        asked_at: clock::local(row.asked_at),
        due_at: clock::local(row.due_at),
    };
    Ok(rows.into_iter().map(show).collect())
}
