//! Who took part by which channel, after the end; never of a few.
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{
        rows::roll_entry,
        rules::turnout::{FEW, told},
    },
    ONLINE, PROXY, TOOK_PART, is_decided, is_of_households,
    replaced::{self, ReplacementView},
    row,
};
use crate::{
    error::{Code, Result},
    ids::VoteId,
    text,
};

/// How many took part, and by which channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TurnoutView {
    /// The vote.
    pub vote_id: VoteId,
    /// All who took part.
    pub present: u64,
    /// By channel.
    pub channels: Vec<ChannelTurnout>,
    /// Who was replaced while the paper was counted: which box, and why.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub replacements: Vec<ReplacementView>,
}

/// One channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelTurnout {
    /// phone, household, proxy, paper.
    pub channel: String,
    /// The same in Chinese.
    pub name: String,
    /// How many; absent when they are fewer than ten, or would tell of fewer than ten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present: Option<u64>,
    /// The number, or that it is not told, in Chinese.
    pub text: String,
}

/// Turnout by channel of a vote that has its result.
///
/// # Errors
/// `not_found`; `wrong_state` before there is a result.
pub async fn turnout(db: &impl ConnectionTrait, id: VoteId) -> Result<TurnoutView> {
    let vote = row(db, id).await?;
    if !is_decided(&vote.state) {
        return Err(Code::WrongState.into());
    }
    let counted: Vec<(String, i64)> = roll_entry::Entity::find()
        .select_only()
        .column(roll_entry::Column::Channel)
        .column_as(roll_entry::Column::Number.count(), "electors")
        .filter(roll_entry::Column::VoteId.eq(id))
        .filter(roll_entry::Column::Channel.is_in(TOOK_PART))
        .group_by(roll_entry::Column::Channel)
        .into_tuple()
        .all(db)
        .await?;
    let by_phone = if is_of_households(&vote.preset) { "household" } else { "phone" };
    let name = |channel: &str| match channel {
        ONLINE => by_phone,
        PROXY => "proxy",
        _ => "paper",
    };
    let known = |wanted: &str| {
        let own = counted.iter().filter(|(channel, _)| name(channel) == wanted);
        own.map(|(_, electors)| electors.unsigned_abs()).sum::<u64>()
    };
    let names = ["phone", "household", "proxy", "paper"];
    let groups = names.map(known);
    let show = |(channel, present): (&str, Option<u64>)| ChannelTurnout {
        channel: channel.to_owned(),
        name: text::word("turnout", channel),
        text: match present {
            Some(n) => n.to_string(),
            None => text::say_with("turnout-few", &[("n", FEW.to_string().into())]),
        },
        present,
    };
    let channels = names.into_iter().zip(told(&groups)).map(show).collect();
    let replacements = replaced::told(db, id).await?;
    Ok(TurnoutView { vote_id: id, present: groups.iter().sum(), channels, replacements })
}
