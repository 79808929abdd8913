//! 附议够不够: how many stand behind a public voice, beside how many the law asks for before a meeting must be called.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::OnConflict};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Suggestion, Visibility,
    cosign_sheets::{CosignSheetView, keeps, sheets},
    queries,
    readings::{self, Opening},
    rows::{cosign, threshold},
    rules::{
        self, Sight,
        thresholds::{Of, THRESHOLDS, Threshold},
    },
};
use crate::{
    actor::Actor,
    app::App,
    areas, bodies, clock,
    error::{Code, Result},
    events::{self, Event, Happening, Kind},
    ids::{PersonId, SuggestionId},
    people,
    store::Tx,
    streams::commands::{Card, office, post_card},
    text,
};

/// While fewer stand behind a voice, its author among them, how many of them are what is told to the author alone: of one or
/// two it says who the masked author is, or is not.
const FEW: usize = 5;
/// More are not counted: no village has as many.
const MOST: u64 = 20_000;

/// How many stand behind a public voice.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SupportView {
    /// Villagers of eighteen years and more, the author among them; not told while fewer than five stand behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub villagers: Option<u64>,
    /// How many the village has.
    pub of_villagers: u64,
    /// Representatives of the villagers among them; not told while fewer than five stand behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub representatives: Option<u64>,
    /// How many there are.
    pub of_representatives: u64,
    /// What the law asks for.
    pub thresholds: Vec<ThresholdView>,
    /// Sheets of signatures that were written down, the newest first; told while fewer than five stand behind it to whoever
    /// answers it alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sheets: Vec<CosignSheetView>,
}

/// A number that the law asks for, and how far it is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ThresholdView {
    /// Stable name.
    pub code: String,
    /// What follows, in Chinese.
    pub name: String,
    /// The article.
    pub law: String,
    /// How many are needed.
    pub need: u64,
    /// How many there are; not told while fewer than five stand behind the voice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub have: Option<u64>,
    /// Are there enough now, as far as it is told?
    pub is_reached: bool,
    /// When there were enough for the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached_at: Option<DateTime<FixedOffset>>,
}

/// How many stand behind a public voice of a village, for whoever sees it.
///
/// # Errors
/// `not_found` for what is not public, not of a village, or not for the actor.
pub async fn support(app: &App, actor: &Actor, id: SuggestionId) -> Result<SupportView> {
    let db = app.store.read();
    let row = queries::row(db, id).await?.filter(|row| row.visibility == Visibility::Public).ok_or(Code::NotFound)?;
    readings::let_in(app, actor, &row, Opening::Attachment).await?;
    let counts = Counts::of(db, (&row, true), app.now()).await?.ok_or(Code::NotFound)?;
    let is_own = rules::sight(row.visibility, rules::standing(actor, &row)) == Sight::Own;
    let is_told = is_own || !counts.are_few;
    let is_kept = keeps(actor, &row);
    let known = threshold::Entity::find().filter(threshold::Column::SuggestionId.eq(id)).all(db).await?;
    let known: HashMap<String, _> = known.into_iter().map(|one| (one.code, one.reached_at)).collect();
    let view = |one: &Threshold| {
        let (have, of) = counts.beside(one.of);
        ThresholdView {
            code: one.code.to_owned(),
            name: text::word("threshold", one.code),
            law: text::word("threshold-law", one.code),
            need: one.need(of),
            have: is_told.then_some(have),
            is_reached: is_told && one.is_reached(have, of),
            reached_at: known.get(one.code).filter(|_| is_told).copied().map(clock::local),
        }
    };
    Ok(SupportView {
        thresholds: THRESHOLDS.iter().map(view).collect(),
        villagers: is_told.then_some(counts.villagers),
        of_villagers: counts.of_villagers,
        representatives: is_told.then_some(counts.representatives),
        of_representatives: counts.of_representatives,
        sheets: if is_told || is_kept { sheets(db, (id, is_kept)).await? } else { Vec::new() },
    })
}

struct Counts {
    villagers: u64,
    of_villagers: u64,
    representatives: u64,
    of_representatives: u64,
    /// Fewer than five stand behind it.
    are_few: bool,
}

impl Counts {
    /// `None` where there is no village whose meeting could be called. Of few the author counts only where `with_author`.
    async fn of(
        db: &impl ConnectionTrait,
        (row, with_author): (&Suggestion, bool),
        now: DateTime<Utc>,
    ) -> Result<Option<Self>> {
        if !areas::get(db, &row.area_code).await?.level.is_village() {
            return Ok(None);
        }
        let day = clock::local_date(now);
        let cosigners = cosign::Entity::find()
            .select_only()
            .column(cosign::Column::PersonId)
            .filter(cosign::Column::SuggestionId.eq(row.id))
            .limit(MOST);
        let mut behind: Vec<PersonId> = cosigners.into_tuple().all(db).await?;
        // on paper the author may have signed, too, and counts as whoever signs: a number that did not rise with that sheet
        // would say whose the voice is
        let are_few = behind.len() + 1 < FEW;
        if with_author || !are_few {
            behind.push(row.author_id);
        }
        let residents = people::queries::on_rolls(db, &behind).await?;
        let counts = |one: &people::Resident| {
            one.left_on.is_none() && one.area == row.area_code && people::rules::is_adult(one.birth_date, day)
        };
        let seated = bodies::representatives(db, &row.area_code, day).await?;
        Ok(Some(Self {
            villagers: behind.iter().filter_map(|one| residents.get(one)).filter(|one| counts(one)).count() as u64,
            of_villagers: people::queries::adults(db, &row.area_code, day).await?,
            representatives: behind.iter().filter(|one| seated.contains(*one)).count() as u64,
            of_representatives: seated.len() as u64,
            are_few,
        }))
    }

    /// How many of how many.
    fn beside(&self, of: Of) -> (u64, u64) {
        match of {
            Of::Villagers => (self.villagers, self.of_villagers),
            Of::Representatives => (self.representatives, self.of_representatives),
        }
    }
}

/// When one more stands behind a voice, it is weighed: what is reached for the first time is written down, and the committee
/// hears that it must call the meeting; of few the author is not counted, or the card would say who that is. Records `suggestion.threshold_reached`.
///
/// # Errors
/// When the database fails.
pub(super) async fn weigh(tx: &Tx, event: &Event) -> Result<()> {
    if event.kind != Kind::SuggestionCosigned || event.data["is_on"] != true {
        return Ok(());
    }
    let row = queries::row(tx, event.subject_id()?).await?;
    let Some(row) = row.filter(|row| row.visibility == Visibility::Public) else { return Ok(()) };
    let Some(counts) = Counts::of(tx, (&row, false), tx.now()).await? else { return Ok(()) };
    for one in THRESHOLDS {
        let (have, of) = counts.beside(one.of);
        if one.is_reached(have, of) && is_first(tx, row.id, one).await? {
            tell(tx, &row, (one, have, of)).await?;
        }
    }
    Ok(())
}

async fn is_first(tx: &Tx, id: SuggestionId, one: &Threshold) -> Result<bool> {
    let reached =
        threshold::ActiveModel { suggestion_id: Set(id), code: Set(one.code.to_owned()), reached_at: Set(tx.now()) };
    let known = OnConflict::columns([threshold::Column::SuggestionId, threshold::Column::Code]).do_nothing().to_owned();
    Ok(threshold::Entity::insert(reached).on_conflict(known).exec_without_returning(tx).await? > 0)
}

async fn tell(tx: &Tx, row: &Suggestion, (one, have, of): (&Threshold, u64, u64)) -> Result<()> {
    let happening =
        Happening::new(Kind::SuggestionThreshold, row.id).at(&row.area_code).with(json!({ "threshold": one.code }));
    events::record(tx, happening).await?;
    let Some(committee) = bodies::committee(tx, &row.area_code).await? else { return Ok(()) };
    let blanks = [
        ("number", row.number.as_str().into()),
        ("have", have.to_string().into()),
        ("of", of.to_string().into()),
        ("law", text::word("threshold-law", one.code).into()),
    ];
    let card = Card {
        code: "threshold_reached",
        title: text::word("threshold", one.code),
        text: text::say_with("threshold-card-text", &blanks),
        link: format!("/desk/suggestions/{}", row.id),
    };
    let desk = office(tx, committee).await?;
    post_card(tx, desk, card).await?;
    Ok(())
}
