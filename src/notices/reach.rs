//! How far a must-read notice has come among the people of a village, by way and by group.
use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    audience::{asked_there, by_group, confirmations_of, scope, unreached, village_of},
    confirmations::ConfirmVia,
    rows::{audience, confirmation, notice},
    villages,
};
use crate::{
    actor::Actor,
    error::{Code, Result},
    ids::NoticeId,
};

/// How far a must-read notice has come in a village.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConfirmedView {
    /// The notice.
    pub notice_id: NoticeId,
    /// Its present version.
    pub version: i32,
    /// Code of the village.
    pub area_code: String,
    /// How many of its people are asked, frozen at publication.
    pub asked: u64,
    /// How many of them confirmed on their own phone.
    pub by_self: u64,
    /// For how many somebody of the household did, or somebody with a written mandate.
    pub by_proxy: u64,
    /// For how many it was written down at the door.
    pub at_door: u64,
    /// By villagers' group, as far as the asker sees them.
    pub groups: Vec<GroupReach>,
}

/// How far it has come in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupReach {
    /// Number of the group; 0 where there is none.
    pub group_number: i32,
    /// Who is asked there.
    pub asked: u64,
    /// How many of them have not been reached.
    pub unreached: u64,
}

/// Which village.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VillageQuery {
    /// Code of the village, of a notice of its town or county; the one at whose doors the asker works when absent.
    pub area: Option<String>,
}

/// How far the notice has come in a village, for its office and its grid workers.
///
/// # Errors
/// `not_found`, also of a village that it does not ask; `wrong_state` when nobody is asked; `not_allowed`.
pub async fn reach(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (id, village): (NoticeId, Option<&str>),
) -> Result<ConfirmedView> {
    let row = notice::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    let area = village_of(actor, &row.area_code, village)?;
    let scope = scope(db, actor, &area).await?;
    if !row.must_read {
        return Err(Code::WrongState.into());
    }
    let there = asked_there(&row, &area).select_only().column(audience::Column::PersonId).into_query();
    let counted: Vec<(String, i64)> = confirmations_of(&row)
        .select_only()
        .column(confirmation::Column::Via)
        .column_as(confirmation::Column::PersonId.count(), "confirmed")
        .filter(confirmation::Column::PersonId.in_subquery(there))
        .group_by(confirmation::Column::Via)
        .into_tuple()
        .all(db)
        .await?;
    let by_via: HashMap<String, u64> = counted.into_iter().map(|(via, count)| (via, count.unsigned_abs())).collect();
    let by = |via: ConfirmVia| by_via.get(via.as_str()).copied().unwrap_or_default();
    let open: HashMap<i32, u64> = by_group(db, unreached(&row, &area)).await?.into_iter().collect();
    let groups = by_group(db, asked_there(&row, &area)).await?.into_iter().filter(|(group, _)| scope.has(*group));
    let groups = groups.map(|(group_number, asked)| GroupReach {
        group_number,
        asked,
        unreached: open.get(&group_number).copied().unwrap_or_default(),
    });
    Ok(ConfirmedView {
        notice_id: id,
        version: row.version,
        asked: villages::asked_in(db, &row, &area).await?,
        by_self: by(ConfirmVia::Own),
        by_proxy: by(ConfirmVia::Household) + by(ConfirmVia::Mandate),
        at_door: by(ConfirmVia::Door),
        groups: groups.collect(),
        area_code: area,
    })
}
