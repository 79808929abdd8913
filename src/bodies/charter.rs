//! 章程: what a council has given itself as its rules, version by version, for everybody to read.
use chrono::{DateTime, FixedOffset, NaiveDate};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{queries, registration, rows::body_charter, services::keeps};
use crate::{
    actor::Actor,
    clock,
    error::{Checks, Code, Result},
    ids::BodyId,
    people,
    store::Tx,
};

/// Versions of one charter at most.
const MAX_VERSIONS: i32 = 50;

/// The charter as the council has adopted it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteBodyCharter {
    /// The version that the writer saw, 0 for none; refused with `changed` if there is a newer one.
    pub version: i32,
    /// 10 to 5,000 characters.
    #[schema(min_length = 10, max_length = 5000)]
    pub text: String,
    /// When it was adopted; today at the latest.
    pub adopted_on: NaiveDate,
    /// By whom: which meeting. 2 to 100 characters.
    #[schema(min_length = 2, max_length = 100)]
    pub source: String,
}

/// Which version.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BodyCharterQuery {
    /// The newest when absent.
    pub version: Option<i32>,
}

/// One version of a charter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BodyCharter {
    /// The council.
    pub body_id: BodyId,
    /// Which one, from 1.
    pub version: i32,
    /// How many there are.
    pub versions: i32,
    /// What it says.
    pub text: String,
    /// When it was adopted.
    pub adopted_on: NaiveDate,
    /// By whom.
    pub source: String,
    /// Who wrote it down.
    pub recorded_by_name: String,
    /// When.
    pub recorded_at: DateTime<FixedOffset>,
}

/// Writes down the next version of a council's charter; those before stay; the same once more is the same version. Records
/// `body.registered`.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not lead the council; `invalid_fields`; `changed`; `wrong_state` after 50 versions.
pub async fn write(tx: &Tx, actor: &Actor, (id, input): (BodyId, WriteBodyCharter)) -> Result<BodyCharter> {
    let body = queries::get(tx, id).await?;
    if !keeps(actor, id) {
        return Err(Code::NotAllowed.into());
    }
    let newest = newest(tx, id).await?;
    let version = newest.as_ref().map_or(0, |row| row.version);
    // browsers end lines otherwise than the API
    let text = input.text.trim().replace("\r\n", "\n");
    let is_repeated = newest.as_ref().is_some_and(|row| {
        let is_as_typed = row.text == text && row.source == input.source.trim() && row.adopted_on == input.adopted_on;
        row.version - 1 == input.version && row.recorded_by == actor.person && is_as_typed
    });
    if is_repeated {
        return read(tx, (id, None)).await;
    }
    let mut checks = Checks::default();
    checks.text("text", &text, 10..=5000);
    checks.text("source", &input.source, 2..=100);
    checks.day("adopted_on", input.adopted_on);
    checks.require(input.adopted_on <= clock::local_date(tx.now()), "adopted_on", "out_of_range");
    let is_same = newest.as_ref().is_some_and(|row| row.version == input.version && row.text == text);
    checks.require(!is_same, "text", "duplicate");
    checks.done()?;
    if version >= MAX_VERSIONS {
        return Err(Code::WrongState.into());
    }
    if input.version != version {
        return Err(Code::Changed.into());
    }
    let row = body_charter::ActiveModel {
        body_id: Set(id),
        version: Set(version + 1),
        text: Set(text),
        adopted_on: Set(input.adopted_on),
        source: Set(input.source.trim().to_owned()),
        recorded_by: Set(actor.person),
        recorded_at: Set(tx.now()),
    };
    body_charter::Entity::insert(row).exec_without_returning(tx).await?;
    registration::record(tx, actor, (&body, &["charter"])).await?;
    read(tx, (id, None)).await
}

/// One version of a council's charter.
///
/// # Errors
/// `not_found` when the body, its charter or this version is not there.
pub async fn read(db: &impl ConnectionTrait, (id, version): (BodyId, Option<i32>)) -> Result<BodyCharter> {
    let newest = newest(db, id).await?.ok_or(Code::NotFound)?;
    let versions = newest.version;
    let shown = match version {
        Some(version) if version != versions => {
            body_charter::Entity::find_by_id((id, version)).one(db).await?.ok_or(Code::NotFound)?
        }
        _ => newest,
    };
    Ok(BodyCharter {
        body_id: id,
        version: shown.version,
        versions,
        text: shown.text,
        adopted_on: shown.adopted_on,
        source: shown.source,
        recorded_by_name: people::name(db, shown.recorded_by).await?,
        recorded_at: clock::local(shown.recorded_at),
    })
}

/// How many versions there are; 0 for none.
///
/// # Errors
/// When the database cannot be read.
pub async fn versions(db: &impl ConnectionTrait, id: BodyId) -> Result<i32> {
    Ok(newest(db, id).await?.map_or(0, |row| row.version))
}

async fn newest(db: &impl ConnectionTrait, id: BodyId) -> Result<Option<body_charter::Model>> {
    let own = body_charter::Entity::find().filter(body_charter::Column::BodyId.eq(id));
    Ok(own.order_by_desc(body_charter::Column::Version).one(db).await?)
}
