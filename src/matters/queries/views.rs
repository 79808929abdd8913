//! Matters as everybody may see them: the six stages with their evidence, what is missing, whose voices led to it.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Standing,
    charters::{CharterView, charter},
    facts,
    halts::{HaltView, halts, is_halted},
    invitations::{InvitationView, invitations},
    last_stay,
    particulars::{Budget, Responsible, photos, responsible},
    plans::plan_row,
    standing,
    stays::{ActorView, Names, StageView, stage, stays_of},
};
use crate::{
    app::App,
    areas, clock,
    error::Result,
    ids::{BodyId, MatterId, SeatId, StreamId, SuggestionId},
    matters::{
        rows::matter,
        rules::{ReservedItem, Stage, State, gate},
    },
    media::MediaView,
    page::{Cursor, Page, PageQuery},
    store::Tx,
    streams::{self, StreamKind},
    suggestions::{self, SuggestionSummary, Visibility},
    text,
};

/// Which matters.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MattersQuery {
    /// Code of an area; everything below it counts.
    pub area: Option<String>,
    /// Only those in this stage.
    pub stage: Option<Stage>,
    /// Only those under way, or ended so.
    pub state: Option<State>,
    /// The `next_cursor` of the page before; absent for the first.
    pub cursor: Option<String>,
    /// Rows wanted, 1 to 100; 20 when absent.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u64>,
}

/// A matter on a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MatterSummary {
    /// Its id.
    pub id: MatterId,
    /// Its number, as people write it.
    pub number: String,
    /// Where.
    pub area_code: String,
    /// Name of that area.
    pub area_name: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub summary: String,
    /// Under way, or how it ended.
    pub state: State,
    /// The same in Chinese.
    pub state_name: String,
    /// Its stage; the last one when it has ended.
    pub stage: Stage,
    /// The same in Chinese.
    pub stage_name: String,
    /// Until when the stage should be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage_due_at: Option<DateTime<FixedOffset>>,
    /// Is it late?
    pub is_overdue: bool,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responsible: Option<Responsible>,
    /// What it may cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// When it was raised.
    pub created_at: DateTime<FixedOffset>,
    /// When it last moved.
    pub updated_at: DateTime<FixedOffset>,
}

/// A matter.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MatterView {
    /// What lists show.
    #[serde(flatten)]
    pub head: MatterSummary,
    /// Name of the path, in Chinese.
    pub template_name: String,
    /// Version of the path.
    pub template_version: i32,
    /// What in the village's own rules allows its path, where that is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charter: Option<CharterView>,
    /// Which of the items it is that the law reserves to the villagers' assembly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserved: Option<Reserved>,
    /// Is it held up by the supervision committee now?
    pub is_halted: bool,
    /// Every time that it was, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub halts: Vec<HaltView>,
    /// The newest version of what is to be done, see its `plan`; 0 when nothing was written.
    pub plan_version: i32,
    /// Photos of the place or of papers; the files are for the people of the village.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub photos: Vec<MediaView>,
    /// The body that proposed it.
    pub body_id: BodyId,
    /// Who proposed it, for whom.
    pub proposer: ActorView,
    /// Grows with every move; hand it back with a move.
    pub rev: i32,
    /// The voices that led to it.
    pub voices: Voices,
    /// The stages of its path, in order.
    pub stages: Vec<StageView>,
    /// The bodies that were invited by name to deliberate it, and what became of it, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub invitations: Vec<InvitationView>,
    /// Where it is discussed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discussion: Option<StreamId>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<FixedOffset>>,
    /// The matter in which it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<MergedInto>,
}

/// The matter in which another goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MergedInto {
    /// Its id.
    pub id: MatterId,
    /// Its number.
    pub number: String,
    /// Its title.
    pub title: String,
}

async fn merged_into(db: &impl ConnectionTrait, matter: &matter::Model) -> Result<Option<MergedInto>> {
    let Some(id) = matter.merged_into_id else { return Ok(None) };
    let other = super::row(db, id).await?;
    Ok(Some(MergedInto { id, number: other.number, title: other.title }))
}

/// An item that the law reserves to the villagers' assembly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reserved {
    /// Which.
    pub item: ReservedItem,
    /// The law's words.
    pub name: String,
    /// Who must decide, by which article.
    pub decided_by: String,
}

impl Reserved {
    /// The item in words.
    #[must_use]
    pub fn of(item: ReservedItem) -> Self {
        let by = if item.is_the_collectives() { "reserved-decided-by-collective" } else { "reserved-decided-by" };
        let name = text::word("reserved", item.as_str());
        Self { item, name, decided_by: text::say(by) }
    }
}

/// The voices that joined a matter.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Voices {
    /// How many.
    pub count: u64,
    /// The first 500 of them, oldest first.
    pub items: Vec<Voice>,
}

/// One voice; of one that is not public, nothing but that it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Voice {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<SuggestionId>,
    /// May everybody read it?
    pub is_public: bool,
    /// Its words, or that it is not public.
    pub text: String,
    /// Photos and clip of a public one; the files are for the people of the village.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub media: Vec<MediaView>,
    /// Whose, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_name: Option<String>,
    /// When it was left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<FixedOffset>>,
}

/// A matter as everybody may see it.
///
/// # Errors
/// `not_found`.
pub async fn view(tx: &Tx, id: MatterId) -> Result<MatterView> {
    whole(tx, (None, tx.now()), &standing(tx, id).await?).await
}

/// The same for whoever looks: what was counted for another is not counted again.
///
/// # Errors
/// `not_found`.
pub async fn shown(app: &App, id: MatterId) -> Result<MatterView> {
    shown_of(app, &standing(app.store.read(), id).await?).await
}

/// The same of one whose standing is known.
///
/// # Errors
/// When the database cannot be read.
pub async fn shown_of(app: &App, standing: &Standing) -> Result<MatterView> {
    whole(app.store.read(), (Some(app), app.now()), standing).await
}

async fn whole(
    db: &impl ConnectionTrait,
    (counted, now): (Option<&App>, DateTime<Utc>),
    standing: &Standing,
) -> Result<MatterView> {
    let (matter, id) = (&standing.matter, standing.matter.id);
    let stays = stays_of(db, id).await?;
    let names = Names::on(db, standing, &stays).await?;
    let missing = match standing.rule() {
        Ok(rule) if standing.position().state == State::Open => {
            gate::missing(rule, &facts(db, counted, standing).await?)
        }
        _ => Vec::new(),
    };
    let discussion = streams::queries::find(db, StreamKind::Discussion, &id.to_string()).await?;
    let stages = standing.template.stages.iter().map(|rule| stage(rule, standing, &stays, &names, &missing)).collect();
    Ok(MatterView {
        head: head_of(db, matter.clone()).await?,
        template_name: standing.template.name(),
        template_version: matter.template_version,
        charter: charter(db, matter.charter_id).await?,
        reserved: matter.reserved_item.as_deref().and_then(ReservedItem::parse).map(Reserved::of),
        is_halted: standing.halted,
        halts: halts(db, id, &stays).await?,
        plan_version: plan_row(db, id).await?.map_or(0, |plan| plan.version),
        photos: photos(db, id).await?,
        body_id: matter.body_id,
        proposer: names.actor(matter.proposer_id, Some(matter.body_id)),
        rev: matter.rev,
        voices: voices(db, id).await?,
        stages,
        invitations: invitations(db, (id, discussion, now), &stays).await?,
        discussion,
        ended_at: matter.ended_at.map(clock::local),
        merged_into: merged_into(db, matter).await?,
    })
}

/// What is told to others of a matter that moved: no more of it is read.
#[derive(Clone, Debug)]
pub struct MatterNews {
    /// What lists show.
    pub head: MatterSummary,
    /// When it ended.
    pub ended_at: Option<DateTime<FixedOffset>>,
    /// Does the supervision committee hold up its present stage?
    pub is_halted: bool,
}

/// What is told of a matter now.
///
/// # Errors
/// `not_found`.
pub async fn news(db: &impl ConnectionTrait, id: MatterId) -> Result<MatterNews> {
    let row = super::row(db, id).await?;
    let (ended_at, is_halted) = (row.ended_at.map(clock::local), is_halted(db, &last_stay(db, id).await?).await?);
    Ok(MatterNews { head: head_of(db, row).await?, ended_at, is_halted })
}

/// What lists show of a matter.
///
/// # Errors
/// `not_found`.
pub async fn head(db: &impl ConnectionTrait, id: MatterId) -> Result<MatterSummary> {
    head_of(db, super::row(db, id).await?).await
}

async fn head_of(db: &impl ConnectionTrait, row: matter::Model) -> Result<MatterSummary> {
    let areas = areas::names(db, vec![row.area_code.clone()]).await?;
    let seats = responsible(db, std::slice::from_ref(&row)).await?;
    Ok(summary(row, &areas, &seats))
}

/// Matters, the newest first.
///
/// # Errors
/// `invalid_cursor`; when the database cannot be read.
pub async fn list(db: &impl ConnectionTrait, query: MattersQuery) -> Result<Page<MatterSummary>> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let limit = page.limit()?;
    let mut found = matter::Entity::find();
    if let Some(area) = query.area {
        // codes below an area begin with its code; a range needs no pattern, so nothing in it is special
        found = found.filter(matter::Column::AreaCode.between(area.clone(), format!("{area}{}", char::MAX)));
    }
    if let Some(stage) = query.stage {
        found = found.filter(matter::Column::Stage.eq(stage.as_str()));
    }
    if let Some(state) = query.state {
        found = found.filter(matter::Column::State.eq(state.as_str()));
    }
    if let Some(Cursor { at, id }) = page.after()? {
        let same = matter::Column::CreatedAt.eq(at).and(matter::Column::Id.lt(MatterId(id)));
        found = found.filter(matter::Column::CreatedAt.lt(at).or(same));
    }
    let rows = found
        .order_by_desc(matter::Column::CreatedAt)
        .order_by_desc(matter::Column::Id)
        .limit(limit + 1)
        .all(db)
        .await?;
    let areas = areas::names(db, rows.iter().map(|row| row.area_code.clone()).collect()).await?;
    let seats = responsible(db, &rows).await?;
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id.0 }, |row| summary(row, &areas, &seats)))
}

/// The voices that joined a matter: what is public word by word, of the others only that they are there.
///
/// # Errors
/// When the database cannot be read.
pub async fn voices(db: &impl ConnectionTrait, id: MatterId) -> Result<Voices> {
    let (count, rows) = suggestions::queries::joined_to(db, id).await?;
    Ok(Voices { count, items: rows.into_iter().map(voice).collect() })
}

/// Of a voice that is not public not even its day is told: in a small village a day may name a person.
fn voice(row: SuggestionSummary) -> Voice {
    if row.visibility != Visibility::Public || row.is_hidden {
        let text = text::say("voice-not-public");
        return Voice { id: None, is_public: false, text, media: Vec::new(), author_name: None, at: None };
    }
    Voice {
        id: Some(row.id),
        is_public: true,
        text: row.text.filter(|text| !text.is_empty()).unwrap_or_else(|| text::say("suggestion-spoken")),
        media: row.media,
        author_name: row.author_name,
        at: Some(row.created_at),
    }
}

fn summary(row: matter::Model, areas: &HashMap<String, String>, seats: &HashMap<SeatId, Responsible>) -> MatterSummary {
    let state = State::parse(&row.state).unwrap_or(State::Closed);
    let stage = Stage::parse(&row.stage).unwrap_or(Stage::Evaluate);
    MatterSummary {
        id: row.id,
        responsible: row.responsible_seat_id.and_then(|seat| seats.get(&seat).cloned()),
        budget: Budget::of(&row),
        number: row.number,
        area_name: areas.get(&row.area_code).cloned().unwrap_or_default(),
        area_code: row.area_code,
        title: row.title,
        summary: row.summary,
        state,
        state_name: text::word("matter-state", state.as_str()),
        stage,
        stage_name: text::word("stage", stage.as_str()),
        stage_due_at: row.stage_due_at.filter(|_| state == State::Open).map(clock::local),
        is_overdue: state == State::Open && row.stage_overdue_at.is_some(),
        created_at: clock::local(row.created_at),
        updated_at: clock::local(row.updated_at),
    }
}
