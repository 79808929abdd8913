//! How far a notice of a town or of the county has come, village by village: counted once for all who ask within seconds.
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::SelectStatement,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    board, found,
    queries::SENT,
    reached,
    rows::{announcement, delivery},
    rules::ladder::Channel,
};
use crate::{
    actor::{Actor, covers},
    app::App,
    areas::{self, VILLAGE_CODE},
    error::{Code, Result},
    ids::NoticeId,
    notices, people,
};

/// How far a notice has come in a village.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VillageReach {
    /// Code of the village.
    pub area_code: String,
    /// Its name.
    pub name: String,
    /// People on its roster.
    pub audience: u64,
    /// Those of them who have it, by the app or by a message.
    pub reached: u64,
    /// Those who have not.
    pub unreached: u64,
    /// How many are asked to confirm that they have read it; absent when nobody is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<u64>,
    /// How many of those confirmed, or somebody did for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<u64>,
}

/// Village by village, by code: an office sees those over which it sits.
///
/// # Errors
/// `not_found`; `not_allowed` for who sits over none of them; `wrong_state` for a village's own notice.
pub async fn by_village(app: &App, actor: &Actor, id: NoticeId) -> Result<Vec<VillageReach>> {
    let db = app.store.read();
    let notice = notices::reached::hanging(db, id).await?.ok_or(Code::NotFound)?;
    let is_above = notice.area.len() < VILLAGE_CODE;
    let sits = |area: &str| actor.seats.iter().any(|seat| seat.serves(area));
    if !is_above && sits(&notice.area) {
        return Err(Code::WrongState.into());
    }
    let below = |area: &String| covers(&notice.area, area);
    let sits_below = actor.seats.iter().any(|seat| seat.serves(&notice.area) || seat.areas.iter().any(below));
    if !is_above || !sits_below {
        return Err(Code::NotAllowed.into());
    }
    let told = board::told_of(db, id).await?;
    let counted = app.counted.by_area(id.0, || count(db, (id, &notice.area), told.as_ref())).await?;
    let own: Vec<_> = counted.iter().filter(|(area, ..)| sits(area)).cloned().collect();
    let asked = notices::queries::asked_by_village(db, id).await?;
    let mut names = areas::queries::names(db, own.iter().map(|(area, ..)| area.clone()).collect()).await?;
    let mut shown: Vec<VillageReach> = own
        .into_iter()
        .map(|(area_code, audience, reached)| VillageReach {
            name: names.remove(&area_code).unwrap_or_default(),
            asked: asked.get(&area_code).map(|(asked, _)| *asked),
            confirmed: asked.get(&area_code).map(|(_, confirmed)| *confirmed),
            area_code,
            audience: audience.unsigned_abs(),
            reached: reached.unsigned_abs(),
            unreached: audience.abs_diff(reached),
        })
        .collect();
    shown.sort_by(|one, other| one.area_code.cmp(&other.area_code));
    Ok(shown)
}

/// One question to the database for all villages: on the roster, and of those who has it.
async fn count(
    db: &impl ConnectionTrait,
    (id, area): (NoticeId, &str),
    told: Option<&announcement::Model>,
) -> Result<Vec<(String, i64, i64)>> {
    let mut ways: Vec<SelectStatement> = Vec::new();
    if let Some(told) = told {
        let by_message = delivery::Entity::find()
            .select_only()
            .column(delivery::Column::PersonId)
            .filter(delivery::Column::EventNumber.eq(told.event_number))
            .filter(delivery::Column::Channel.is_in([Channel::Wechat.as_str(), Channel::Sms.as_str()]))
            .filter(found::word(delivery::Column::State).eq(SENT))
            .filter(delivery::Column::PersonId.is_not_null());
        ways.push(by_message.into_query());
        ways.extend(reached::in_app_of_all(told, id));
    }
    people::audience::count_those(db, area, ways).await
}
