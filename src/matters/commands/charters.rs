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
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::CharterId,
    matters::{
        queries::{self, CharterView, charter_view},
        rows::{charter, template},
        rules::{
            Template, TemplateKey,
            own::{self, OwnPath},
            template::OWN,
        },
    },
    store::Tx,
    text,
};

/// What a village's assembly adopted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdoptCharter {
    /// Code of the village.
    pub area_code: String,
    /// The path that it allows; only one that needs to be allowed.
    pub template: TemplateKey,
    /// The stages of an `own` path; for no other. What the law asks of every path stays, whatever a charter says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<OwnPath>,
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
    checks.day("adopted_on", input.adopted_on);
    checks.require(input.adopted_on <= clock::local_date(tx.now()), "adopted_on", "out_of_range");
    let wants_path = input.template == TemplateKey::Own;
    checks.require(input.path.is_some() || !wants_path, "path", "required");
    checks.require(input.path.is_none() || wants_path, "path", "unknown");
    if let Some(path) = &input.path {
        own::check(&mut checks, path);
        let is_free = !is_named(tx, (&input.area_code, path.name.trim())).await?;
        checks.require(is_free, "path.name", "duplicate");
    }
    checks.done()?;
    let id = CharterId::new();
    let key = match &input.path {
        Some(path) => keep_path(tx, own::template(&id.to_string(), path)).await?,
        None => input.template.as_str().to_owned(),
    };
    let row = charter::ActiveModel {
        id: Set(id),
        area_code: Set(input.area_code),
        template_key: Set(key),
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

/// Does a path already go by this name in the village, its own or one that is built in? Two of one name nobody tells apart.
async fn is_named(tx: &Tx, (area, name): (&str, &str)) -> Result<bool> {
    let named = |key: &TemplateKey| text::word("template", key.as_str());
    if TemplateKey::ALL.iter().any(|key| named(key) == name) {
        return Ok(true);
    }
    let own = queries::charters(tx, area).await?;
    Ok(own.iter().any(|one| one.ended_at.is_none() && one.template_name == name))
}

/// The path as a template; a matter keeps it, whatever comes of the charter.
async fn keep_path(tx: &Tx, path: Template) -> Result<String> {
    let row = template::ActiveModel {
        key: Set(path.key.clone()),
        version: Set(path.version),
        definition: Set(serde_json::to_string(&path).map_err(Error::broken)?),
    };
    template::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(path.key)
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

/// The path that a matter takes, and the charter by which it may, where one is needed.
pub(super) struct Allowed {
    /// The path.
    pub(super) template: Template,
    /// By what.
    pub(super) charter: Option<CharterId>,
}

/// By which path a matter may go. What the law reserves to the assembly goes none on which it is not voted.
pub(super) async fn allowing(tx: &Tx, input: &RaiseMatter) -> Result<Allowed> {
    let key = input.template;
    let mut checks = Checks::default();
    checks.require(input.charter_id.is_none() || key.needs_charter(), "charter_id", "unknown");
    checks.done()?;
    if !key.needs_charter() {
        let template = queries::template(tx, key.as_str(), key.version()).await?;
        return Ok(Allowed { template, charter: None });
    }
    let mut found = charter::Entity::find()
        .filter(charter::Column::AreaCode.eq(&input.area_code))
        .filter(charter::Column::EndedAt.is_null())
        .order_by_desc(charter::Column::RecordedAt);
    found = match key {
        TemplateKey::Own => found.filter(charter::Column::TemplateKey.starts_with(OWN)),
        _ => found.filter(charter::Column::TemplateKey.eq(key.as_str())),
    };
    if let Some(id) = input.charter_id {
        found = found.filter(charter::Column::Id.eq(id));
    }
    let charter = found.one(tx).await?.ok_or(Code::TemplateNotAllowed)?;
    let template = queries::template(tx, &charter.template_key, key.version()).await?;
    if input.reserved_item.is_some() && !own::is_for_reserved(&template) {
        return Err(Code::TemplateNotAllowed.into());
    }
    Ok(Allowed { template, charter: Some(charter.id) })
}
