//! What somebody wants to be told, and how: topics, ways, and matters that are followed.
use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{Expr, OnConflict},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    queries,
    rows::{choice, delivery, disturbance, follow, topic_choice},
    rules::ladder::{Mode, Topic},
};
use crate::{
    actor::Actor,
    error::{Checks, Result},
    events::{Event, Kind},
    ids::{CosignSheetId, MatterId, PersonId, SuggestionId},
    matters,
    store::Tx,
    suggestions,
};

/// Matters listed at most.
const MAX_FOLLOWED: u64 = 200;
/// Followers written at once.
const FOLLOWERS: usize = 1000;

/// How somebody wants to hear of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicChoice {
    /// Of what.
    pub topic: Topic,
    /// How.
    pub mode: Mode,
}

/// What somebody wants to be told, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TellingChoices {
    /// By WeChat.
    pub by_wechat: bool,
    /// By SMS, of what must be done.
    pub by_sms: bool,
    /// By SMS of what need not be told either: the consent `sms_notices`, given and withdrawn among the consents.
    pub sms_news: bool,
    /// Every topic.
    pub topics: Vec<TopicChoice>,
    /// Those that were chosen by themselves; the others are as they come, or as the topic above them.
    pub own: Vec<Topic>,
    /// Matters that are followed, newest first, 200 at most.
    pub following: Vec<MatterId>,
}

/// A change of what somebody wants to be told; topics that are left out stay as they are.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChooseTelling {
    /// By WeChat?
    pub by_wechat: bool,
    /// By SMS, of what must be done?
    pub by_sms: bool,
    /// Topics that change; each once.
    #[schema(max_items = 16)]
    pub topics: Vec<TopicChoice>,
    /// Categories of notices that follow the topic of all notices again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 16)]
    pub inherit: Vec<Topic>,
}

/// What this person chose.
///
/// # Errors
/// When the database cannot be read.
pub async fn choices(db: &impl ConnectionTrait, person: PersonId) -> Result<TellingChoices> {
    let row = choice::Entity::find_by_id(person).one(db).await?;
    let topics = topic_choice::Entity::find().filter(topic_choice::Column::PersonId.eq(person)).all(db).await?;
    let chosen: HashMap<Topic, Mode> =
        topics.into_iter().filter_map(|row| Some((Topic::parse(&row.topic)?, Mode::parse(&row.mode)?))).collect();
    let following = follow::Entity::find()
        .select_only()
        .column(follow::Column::MatterId)
        .filter(follow::Column::PersonId.eq(person))
        .order_by_desc(follow::Column::CreatedAt)
        .limit(MAX_FOLLOWED);
    Ok(TellingChoices {
        by_wechat: row.as_ref().is_none_or(|row| row.by_wechat),
        by_sms: row.as_ref().is_none_or(|row| row.by_sms),
        sms_news: row.as_ref().is_some_and(|row| row.sms_news),
        topics: Topic::ALL
            .iter()
            .map(|topic| TopicChoice {
                topic: *topic,
                mode: chosen.get(topic).or(chosen.get(&topic.above())).copied().unwrap_or(Mode::AtOnce),
            })
            .collect(),
        own: chosen.keys().copied().collect(),
        following: following.into_tuple().all(db).await?,
    })
}

/// Changes what the actor wants to be told. The row is its own record.
///
/// # Errors
/// `invalid_fields` for a topic twice.
pub async fn choose(tx: &Tx, actor: &Actor, input: ChooseTelling) -> Result<TellingChoices> {
    let mut checks = Checks::default();
    let twice =
        (1..input.topics.len()).any(|at| input.topics[..at].iter().any(|one| one.topic == input.topics[at].topic));
    let both = input.topics.iter().any(|one| input.inherit.contains(&one.topic));
    checks.require(!twice && !both, "topics", "duplicate");
    checks.require(input.inherit.iter().all(|topic| topic.above() != *topic), "inherit", "unknown");
    checks.done()?;
    let ways =
        choice::ActiveModel { by_wechat: Set(input.by_wechat), by_sms: Set(input.by_sms), ..fresh(tx, actor.person) };
    let again = OnConflict::column(choice::Column::PersonId)
        .update_columns([choice::Column::ByWechat, choice::Column::BySms, choice::Column::ChangedAt])
        .to_owned();
    choice::Entity::insert(ways).on_conflict(again).exec_without_returning(tx).await?;
    if !input.topics.is_empty() {
        let rows = input.topics.into_iter().map(|one| topic_choice::ActiveModel {
            person_id: Set(actor.person),
            topic: Set(one.topic.as_str().to_owned()),
            mode: Set(one.mode.as_str().to_owned()),
        });
        let again = OnConflict::columns([topic_choice::Column::PersonId, topic_choice::Column::Topic])
            .update_column(topic_choice::Column::Mode)
            .to_owned();
        topic_choice::Entity::insert_many(rows).on_conflict(again).exec_without_returning(tx).await?;
    }
    if !input.inherit.is_empty() {
        topic_choice::Entity::delete_many()
            .filter(topic_choice::Column::PersonId.eq(actor.person))
            .filter(topic_choice::Column::Topic.is_in(input.inherit.iter().map(|topic| topic.as_str())))
            .exec(tx)
            .await?;
    }
    choices(tx, actor.person).await
}

fn fresh(tx: &Tx, person: PersonId) -> choice::ActiveModel {
    choice::ActiveModel {
        person_id: Set(person),
        by_wechat: Set(true),
        by_sms: Set(true),
        sms_news: Set(false),
        changed_at: Set(tx.now()),
    }
}

/// The consent to be told by SMS of what need not be told was given or withdrawn; `privacy` keeps the record of it.
///
/// # Errors
/// When the database refuses.
pub async fn allow_sms_news(tx: &Tx, person: PersonId, is_given: bool) -> Result<()> {
    let row = choice::ActiveModel { sms_news: Set(is_given), ..fresh(tx, person) };
    let again = OnConflict::column(choice::Column::PersonId)
        .update_columns([choice::Column::SmsNews, choice::Column::ChangedAt])
        .to_owned();
    choice::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    Ok(())
}

/// Follows a matter: its steps are told as those of the own voices are. Once more changes nothing.
///
/// # Errors
/// `not_found` when there is no such matter.
pub async fn follow(tx: &Tx, actor: &Actor, matter: MatterId) -> Result<()> {
    matters::queries::area_of(tx, matter).await?;
    let row = follow::ActiveModel { person_id: Set(actor.person), matter_id: Set(matter), created_at: Set(tx.now()) };
    let once = [follow::Column::PersonId, follow::Column::MatterId];
    follow::Entity::insert(row).on_conflict_do_nothing_on(once).exec_without_returning(tx).await?;
    Ok(())
}

/// Who stands behind a voice follows the matter that it joins, and so does who says later that it is theirs, too; each may leave it.
///
/// # Errors
/// When the database fails.
pub(super) async fn follow_behind(tx: &Tx, event: &Event) -> Result<()> {
    let is_new = event.kind == Kind::SuggestionCosigned && event.data["is_on"] == true;
    if !is_new && event.kind != Kind::SuggestionJoined {
        return Ok(());
    }
    let sheet = event.get::<CosignSheetId>("sheet");
    let behind = suggestions::behind(tx, (event.subject_id::<SuggestionId>()?, sheet)).await?;
    let Some((matter, mut people)) = behind else { return Ok(()) };
    if is_new && sheet.is_none() {
        people.retain(|person| Some(*person) == event.actor);
    }
    let once = [follow::Column::PersonId, follow::Column::MatterId];
    for some in people.chunks(FOLLOWERS) {
        let rows = some.iter().map(|person| follow::ActiveModel {
            person_id: Set(*person),
            matter_id: Set(matter),
            created_at: Set(tx.now()),
        });
        follow::Entity::insert_many(rows).on_conflict_do_nothing_on(once).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Who followed a matter that goes on in another follows that one from now on.
///
/// # Errors
/// When the database fails.
pub(super) async fn follow_on(tx: &Tx, event: &Event) -> Result<()> {
    let into = event.get::<MatterId>("into").filter(|_| event.kind == Kind::MatterMerged);
    let Some(into) = into else { return Ok(()) };
    let before = follow::Column::MatterId.eq(event.subject_id::<MatterId>()?);
    let rows = follow::Entity::find().filter(before).all(tx).await?;
    let once = [follow::Column::PersonId, follow::Column::MatterId];
    for some in rows.chunks(FOLLOWERS) {
        let on = some.iter().map(|row| follow::ActiveModel {
            person_id: Set(row.person_id),
            matter_id: Set(into),
            created_at: Set(row.created_at),
        });
        follow::Entity::insert_many(on).on_conflict_do_nothing_on(once).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Does not follow a matter any more. Once more changes nothing.
///
/// # Errors
/// `not_found` when there is no such matter.
pub async fn unfollow(tx: &Tx, actor: &Actor, matter: MatterId) -> Result<()> {
    matters::queries::area_of(tx, matter).await?;
    follow::Entity::delete_by_id((actor.person, matter)).exec(tx).await?;
    Ok(())
}

/// Does this person follow the matter?
///
/// # Errors
/// When the database cannot be read.
pub async fn follows(db: &impl ConnectionTrait, person: PersonId, matter: MatterId) -> Result<bool> {
    Ok(follow::Entity::find_by_id((person, matter)).one(db).await?.is_some())
}

/// The account is closed: nothing is sent any more, and nothing is kept of what was chosen.
///
/// # Errors
/// When the database refuses.
pub async fn forget(tx: &Tx, person: PersonId) -> Result<()> {
    choice::Entity::delete_by_id(person).exec(tx).await?;
    topic_choice::Entity::delete_many().filter(topic_choice::Column::PersonId.eq(person)).exec(tx).await?;
    follow::Entity::delete_many().filter(follow::Column::PersonId.eq(person)).exec(tx).await?;
    disturbance::Entity::delete_many().filter(disturbance::Column::PersonId.eq(person)).exec(tx).await?;
    delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::value(queries::CANCELLED))
        .col_expr(delivery::Column::Reason, Expr::value("closed"))
        .filter(delivery::Column::TargetId.eq(person.to_string()))
        .filter(delivery::Column::State.eq(queries::QUEUED))
        .exec(tx)
        .await?;
    Ok(())
}
