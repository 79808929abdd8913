//! 登记: the number under which a body is registered or filed, the form of a council, and its start-up grant, which it has once.
use chrono::NaiveDate;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    queries::{self, Body},
    rows::body,
    rules::{BodyForm, BodyKind},
    services,
};
use crate::{
    actor::Actor,
    clock,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::BodyId,
    rights::{Right, require},
    store::Tx,
};

/// 1 to 3 万元, in fen.
const GRANT: std::ops::RangeInclusive<i64> = 1_000_000..=3_000_000;
/// Things that a council has done before it is given one (正常开展活动).
const AT_WORK: u64 = 3;

/// A start-up grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// How much, in fen; 10,000 to 30,000 yuan.
    #[schema(minimum = 1_000_000, maximum = 3_000_000)]
    pub fen: i64,
    /// The day on which it was paid.
    pub on: NaiveDate,
}

impl Grant {
    /// That of a body.
    pub(super) fn of(row: &body::Model) -> Option<Self> {
        Some(Self { fen: row.grant_fen?, on: row.granted_on? })
    }
}

/// Under which number a body is registered, and what it was given. What is not named stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRegistration {
    /// The number, as it is written; 1 to 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 60)]
    pub registration: Option<String>,
    /// The start-up grant; of a council, once, when three things that it did are written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// Its form; of a council.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<BodyForm>,
}

/// Writes all of it down, for who manages bodies there. Records `body.registered` when something is other than before.
///
/// # Errors
/// `not_found`; `not_allowed`; `invalid_fields`; `wrong_state` for a second grant.
pub async fn set_registration(tx: &Tx, actor: &Actor, (id, input): (BodyId, SetRegistration)) -> Result<Body> {
    let body = queries::get(tx, id).await?;
    body.areas.iter().try_for_each(|area| require(actor, Right::ManageBodies, area).map(drop))?;
    let mut checks = Checks::default();
    if let Some(number) = &input.registration {
        checks.text("registration", number, 1..=60);
    }
    let grant = input.grant.filter(|grant| body.grant != Some(*grant));
    if let Some(grant) = grant {
        checks.require(body.kind == BodyKind::Council, "grant", "role_unfit");
        checks.require(GRANT.contains(&grant.fen), "grant.fen", "out_of_range");
        checks.day("grant.on", grant.on);
        checks.require(grant.on <= clock::local_date(tx.now()), "grant.on", "out_of_range");
        let is_at_work = body.kind != BodyKind::Council || services::standing(tx, id).await? >= AT_WORK;
        checks.require(is_at_work, "grant", "not_at_work");
    }
    let form = input.form.filter(|form| body.form != Some(*form));
    checks.require(form.is_none_or(|form| form.fits(body.kind, body.areas.len())), "form", "form_unfit");
    checks.done()?;
    let number =
        input.registration.map(|number| number.trim().to_owned()).filter(|new| body.registration.as_ref() != Some(new));
    let mut changed = Vec::new();
    if let Some(number) = number {
        let row = body::ActiveModel { id: Set(id), registration: Set(Some(number)), ..Default::default() };
        row.update(tx).await?;
        changed.push("registration");
    }
    if let Some(form) = form {
        body::ActiveModel { id: Set(id), form: Set(Some(form)), ..Default::default() }.update(tx).await?;
        changed.push("form");
    }
    if let Some(grant) = grant {
        let first = body::Entity::update_many()
            .col_expr(body::Column::GrantFen, Expr::value(grant.fen))
            .col_expr(body::Column::GrantedOn, Expr::value(grant.on))
            .filter(body::Column::Id.eq(id))
            .filter(body::Column::GrantedOn.is_null())
            .exec(tx)
            .await?;
        if first.rows_affected != 1 {
            return Err(Code::WrongState.into());
        }
        changed.push("grant");
    }
    if !changed.is_empty() {
        record(tx, actor, (&body, &changed)).await?;
    }
    queries::get(tx, id).await
}

/// What of a body is other than before is on record, with who changed it.
pub(super) async fn record(tx: &Tx, actor: &Actor, (body, changed): (&Body, &[&str])) -> Result<()> {
    let happening = Happening::new(Kind::BodyRegistered, body.id).by(actor.person).with(json!({ "fields": changed }));
    events::record(tx, Happening { area: body.areas.first().cloned(), ..happening }).await?;
    Ok(())
}
