//! 授权: that the villagers' assembly let its representatives decide one of the items that the law reserves to it.
use chrono::{Months, NaiveDate};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    actor::Actor,
    areas,
    bodies::{self, Right},
    clock,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{AuthorisationId, MatterId},
    matters::{
        queries::{self, AuthorisationView, authorisation_view},
        rows::authorisation,
        rules::ReservedItem,
    },
    store::Tx,
};

/// No longer than the representatives' own term (浙江实施办法, articles 16 and 20).
const MOST_MONTHS: Months = Months::new(60);

/// What the villagers' assembly let its representatives decide.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordAuthorisation {
    /// Code of the village.
    pub area_code: String,
    /// Which of the ten items.
    pub reserved_item: ReservedItem,
    /// When the assembly said so; not in the future.
    pub adopted_on: NaiveDate,
    /// The last day on which it holds; five years after it was given at most.
    pub until_on: NaiveDate,
    /// At which assembly, by which written vote or in which charter; public. 4 to 200 characters.
    #[schema(min_length = 4, max_length = 200)]
    pub source: String,
}

/// Writes it down. Recorded: `authorisation.recorded`.
///
/// # Errors
/// `not_allowed` without the seat of a committee's chair there; `not_found` for an area that is not a village;
/// `invalid_fields`.
pub async fn record_authorisation(tx: &Tx, actor: &Actor, input: RecordAuthorisation) -> Result<AuthorisationView> {
    let seat = bodies::require(actor, Right::BendPath, &input.area_code)?;
    if !areas::get(tx, &input.area_code).await?.level.is_village() {
        return Err(Code::NotFound.into());
    }
    let mut checks = Checks::default();
    checks.text("source", &input.source, 4..=200);
    checks.day("adopted_on", input.adopted_on);
    checks.require(input.adopted_on <= clock::local_date(tx.now()), "adopted_on", "out_of_range");
    let last = input.adopted_on.checked_add_months(MOST_MONTHS);
    let in_time = input.until_on >= input.adopted_on && last.is_some_and(|last| input.until_on <= last);
    checks.require(in_time, "until_on", "out_of_range");
    checks.done()?;
    let row = authorisation::ActiveModel {
        id: Set(AuthorisationId::new()),
        area_code: Set(input.area_code),
        reserved_item: Set(input.reserved_item.as_str().to_owned()),
        adopted_on: Set(input.adopted_on),
        until_on: Set(input.until_on),
        source: Set(input.source.trim().to_owned()),
        body_id: Set(seat.body_id),
        recorded_by: Set(actor.person),
        recorded_at: Set(tx.now()),
        ended_at: Set(None),
    };
    let row = row.insert(tx).await?;
    tell(tx, actor, (Kind::AuthorisationRecorded, &row)).await?;
    authorisation_view(tx, row).await
}

/// Ends it: votes that are open go on, no new one is opened by it. Recorded: `authorisation.ended`.
///
/// # Errors
/// `not_found`; `not_allowed`; `wrong_state` when it has ended.
pub async fn end_authorisation(tx: &Tx, actor: &Actor, id: AuthorisationId) -> Result<AuthorisationView> {
    let row = authorisation::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    bodies::require(actor, Right::BendPath, &row.area_code)?;
    let ended = authorisation::Entity::update_many()
        .col_expr(authorisation::Column::EndedAt, Expr::value(tx.now()))
        .filter(authorisation::Column::Id.eq(id))
        .filter(authorisation::Column::EndedAt.is_null())
        .exec_with_returning(tx)
        .await?;
    let row = ended.into_iter().next().ok_or(Code::WrongState)?;
    tell(tx, actor, (Kind::AuthorisationEnded, &row)).await?;
    authorisation_view(tx, row).await
}

async fn tell(tx: &Tx, actor: &Actor, (kind, row): (Kind, &authorisation::Model)) -> Result<()> {
    let happening = Happening::new(kind, row.id)
        .at(&row.area_code)
        .by(actor.person)
        .with(json!({ "item": row.reserved_item, "until": row.until_on, "body": row.body_id }));
    events::record(tx, happening).await?;
    Ok(())
}

/// Asked before a villagers' group decides a matter: does the law reserve it to the assembly of the whole village?
///
/// # Errors
/// `not_found`.
pub async fn is_reserved(tx: &Tx, id: MatterId) -> Result<bool> {
    Ok(queries::row(tx, id).await?.reserved_item.is_some())
}

/// Asked before the representatives decide a matter: what the law reserves to the assembly they decide only where it let them.
///
/// # Errors
/// `not_found`; `authorisation_needed`.
pub async fn require_authorised(tx: &Tx, id: MatterId) -> Result<()> {
    let matter = queries::row(tx, id).await?;
    let Some(item) = matter.reserved_item else { return Ok(()) };
    let today = clock::local_date(tx.now());
    let standing = authorisation::Entity::find()
        .filter(authorisation::Column::AreaCode.eq(&matter.area_code))
        .filter(authorisation::Column::ReservedItem.eq(item))
        .filter(authorisation::Column::EndedAt.is_null())
        .filter(authorisation::Column::AdoptedOn.lte(today))
        .filter(authorisation::Column::UntilOn.gte(today))
        .one(tx)
        .await?;
    if standing.is_some() { Ok(()) } else { Err(Code::AuthorisationNeeded.into()) }
}
