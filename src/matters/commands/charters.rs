//! What a village's own rules allow: by which path small things may go; written down with where and when it was adopted.
use chrono::NaiveDate;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::RaiseMatter;
use crate::{
    actor::Actor,
    areas,
    bodies::{self, Right},
    clock,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::CharterId,
    matters::{
        queries::{CharterView, charter_view},
        rows::charter,
        rules::TemplateKey,
    },
    store::Tx,
};

/// What a village's assembly adopted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdoptCharter {
    /// Code of the village.
    pub area_code: String,
    /// The path that it allows; only one that needs to be allowed.
    pub template: TemplateKey,
    /// When it was adopted; not in the future.
    pub adopted_on: NaiveDate,
    /// Which rules, adopted by whom; public. 4 to 200 characters.
    #[schema(min_length = 4, max_length = 200)]
    pub source: String,
}

/// Writes down what a village's own rules allow. Recorded: `charter.adopted`.
///
/// # Errors
/// `not_allowed` without the seat of a committee's chair there; `not_found` for an area that is not a village;
/// `invalid_fields`.
pub async fn adopt_charter(tx: &Tx, actor: &Actor, input: AdoptCharter) -> Result<CharterView> {
    let seat = bodies::require(actor, Right::BendPath, &input.area_code)?;
    if !areas::get(tx, &input.area_code).await?.level.is_village() {
        return Err(Code::NotFound.into());
    }
    let mut checks = Checks::default();
    checks.text("source", &input.source, 4..=200);
    checks.require(input.template.needs_charter(), "template", "unknown");
    checks.require(input.adopted_on <= clock::local_date(tx.now()), "adopted_on", "out_of_range");
    checks.done()?;
    let row = charter::ActiveModel {
        id: Set(CharterId::new()),
        area_code: Set(input.area_code),
        template_key: Set(input.template.as_str().to_owned()),
        adopted_on: Set(input.adopted_on),
        source: Set(input.source.trim().to_owned()),
        body_id: Set(seat.body_id),
        recorded_by: Set(actor.person),
        recorded_at: Set(tx.now()),
        ended_at: Set(None),
    };
    let row = row.insert(tx).await?;
    tell(tx, actor, (Kind::CharterAdopted, &row)).await?;
    charter_view(tx, row).await
}

/// Ends it: new matters do not take that path any more; those under way keep theirs. Recorded: `charter.ended`.
///
/// # Errors
/// `not_found`; `not_allowed`; `wrong_state` when it has ended.
pub async fn end_charter(tx: &Tx, actor: &Actor, id: CharterId) -> Result<CharterView> {
    let row = charter::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    bodies::require(actor, Right::BendPath, &row.area_code)?;
    let ended = charter::Entity::update_many()
        .col_expr(charter::Column::EndedAt, Expr::value(tx.now()))
        .filter(charter::Column::Id.eq(id))
        .filter(charter::Column::EndedAt.is_null())
        .exec_with_returning(tx)
        .await?;
    let row = ended.into_iter().next().ok_or(Code::WrongState)?;
    tell(tx, actor, (Kind::CharterEnded, &row)).await?;
    charter_view(tx, row).await
}

async fn tell(tx: &Tx, actor: &Actor, (kind, row): (Kind, &charter::Model)) -> Result<()> {
    let happening = Happening::new(kind, row.id)
        .at(&row.area_code)
        .by(actor.person)
        .with(json!({ "template": row.template_key, "body": row.body_id }));
    events::record(tx, happening).await?;
    Ok(())
}

/// The charter by which a matter goes a path that needs one. What the law reserves to the assembly goes no short way.
pub(super) async fn allowing(tx: &Tx, input: &RaiseMatter) -> Result<Option<CharterId>> {
    if !input.template.needs_charter() {
        return Ok(None);
    }
    if input.reserved_item.is_some() {
        return Err(Code::TemplateNotAllowed.into());
    }
    let found = charter::Entity::find()
        .filter(charter::Column::AreaCode.eq(&input.area_code))
        .filter(charter::Column::TemplateKey.eq(input.template.as_str()))
        .filter(charter::Column::EndedAt.is_null())
        .order_by_desc(charter::Column::RecordedAt)
        .one(tx)
        .await?;
    found.map(|row| Some(row.id)).ok_or_else(|| Code::TemplateNotAllowed.into())
}
