//! 签名册: who signed on paper that a public voice is theirs, too, as the body that answers it writes it down.
//!
//! Everybody on a sheet is told, who had said so before as well: whoever is written down by mistake hears of it, and so does
//! whoever is written down only to learn whether they stand behind it. Photos of a sheet show the names of all who signed: only
//! who answers the voice opens them, and its author reads who did.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, FixedOffset};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Suggestion,
    commands::{checked, record},
    cosigns::counted,
    queries::{self, SuggestionSummary},
    readings,
    rows::{cosign, cosign_sheet},
    rules::{self, Step},
};
use crate::{
    actor::Actor,
    app::App,
    clock,
    error::{Checks, Code, Error, Result},
    events::{Event, Kind},
    ids::{CosignSheetId, MediaId, PersonId, SuggestionId},
    media::{self, COSIGN_SHEET, MediaView, Subject},
    people,
    store::Tx,
    streams::commands::{Card, Reader, post_to_each},
};

/// Names that are written down at once.
const ON_A_SHEET: usize = 100;
/// Photos of one sheet.
const MAX_PHOTOS: usize = 9;
/// Sheets that are shown, the newest first.
const SHOWN: u64 = 50;

/// Who signed on paper.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteDownCosigns {
    /// Their numbers on the village's roster, one to a hundred.
    #[schema(min_items = 1, max_items = 100)]
    pub roster_numbers: Vec<String>,
    /// Which sheet it is: of which day, where it is kept.
    #[schema(min_length = 1, max_length = 200)]
    pub source: String,
    /// Up to nine own photos of it. Only whoever answers the voice opens them, and its author reads who did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 9)]
    pub photos: Vec<MediaId>,
}

/// A sheet that was written down.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CosignSheetView {
    /// Which one it is.
    pub source: String,
    /// Who wrote it down.
    pub recorded_by: String,
    /// When.
    pub recorded_at: DateTime<FixedOffset>,
    /// Photos of it; for whoever answers the voice alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<MediaView>,
}

/// Writes down who signed. Each counts once, and takes it back as if it had been said by phone. Records
/// `suggestion.cosigned`.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not answer the voice, and for its author; `wrong_state` for what is not public, or
/// over; `invalid_fields` for a number that nobody has on the village's roster, or that stands there twice, and for what is no
/// photo; `media_not_usable`.
pub async fn write_down(
    tx: &Tx,
    actor: &Actor,
    (id, input): (SuggestionId, WriteDownCosigns),
) -> Result<SuggestionSummary> {
    let row = checked(tx, actor, id, Step::WriteDown).await?;
    let signers = signers(tx, &row, &input).await?;
    let sheet = CosignSheetId::new();
    let new = cosign_sheet::ActiveModel {
        id: Set(sheet),
        suggestion_id: Set(id),
        source: Set(input.source.trim().to_owned()),
        recorded_by: Set(actor.person),
        recorded_at: Set(tx.now()),
    };
    new.insert(tx).await?;
    let to = Subject { kind: COSIGN_SHEET, id: &sheet.to_string(), area: &row.area_code };
    media::attach_photos(tx, actor.person, ("photos", &input.photos), to).await?;
    let fresh = sign(tx, (id, signers), sheet).await?;
    let row = counted(tx, id, fresh).await?;
    record(tx, Kind::SuggestionCosigned, &row, Some(actor), json!({ "is_on": true, "sheet": sheet })).await?;
    queries::summary(tx, row).await
}

async fn signers(tx: &Tx, row: &Suggestion, input: &WriteDownCosigns) -> Result<HashSet<PersonId>> {
    let mut checks = Checks::default();
    checks.text("source", &input.source, 1..=200);
    let is_sheet = (1..=ON_A_SHEET).contains(&input.roster_numbers.len());
    checks.require(is_sheet, "roster_numbers", "out_of_range");
    checks.require(input.photos.len() <= MAX_PHOTOS, "photos", "out_of_range");
    let mut signers = HashSet::new();
    for (at, number) in input.roster_numbers.iter().enumerate().take(ON_A_SHEET) {
        let field = format!("roster_numbers[{at}]");
        match people::queries::by_number(tx, &row.area_code, number.trim()).await? {
            Some(one) if !signers.insert(one.id) => checks.wrong(field, "duplicate"),
            Some(_) => {}
            None => checks.wrong(field, "not_on_roster"),
        }
    }
    checks.done()?;
    Ok(signers)
}

/// How many more stand behind it: nobody twice who did already.
async fn sign(tx: &Tx, (id, signers): (SuggestionId, HashSet<PersonId>), sheet: CosignSheetId) -> Result<i32> {
    let of_these = Condition::all()
        .add(cosign::Column::SuggestionId.eq(id))
        .add(cosign::Column::PersonId.is_in(signers.iter().copied()));
    let known = cosign::Entity::find().select_only().column(cosign::Column::PersonId).filter(of_these.clone());
    let known: HashSet<PersonId> = known.into_tuple().all(tx).await?.into_iter().collect();
    let again = cosign::Entity::update_many().col_expr(cosign::Column::SheetId, Expr::value(sheet));
    again.filter(of_these).exec(tx).await?;
    let fresh: Vec<cosign::ActiveModel> = signers
        .difference(&known)
        .map(|person| cosign::ActiveModel {
            suggestion_id: Set(id),
            person_id: Set(*person),
            created_at: Set(tx.now()),
            sheet_id: Set(Some(sheet)),
        })
        .collect();
    let more = i32::try_from(fresh.len()).map_err(Error::broken)?;
    if more > 0 {
        cosign::Entity::insert_many(fresh).exec_without_returning(tx).await?;
    }
    Ok(more)
}

/// Everybody on the sheet hears that they stand there.
pub(super) async fn tell(tx: &Tx, event: &Event) -> Result<()> {
    let sheet = event.get::<CosignSheetId>("sheet").filter(|_| event.kind == Kind::SuggestionCosigned);
    let Some(sheet) = sheet else { return Ok(()) };
    let Some(row) = queries::row(tx, event.subject_id()?).await? else { return Ok(()) };
    let Some(kept) = cosign_sheet::Entity::find_by_id(sheet).one(tx).await? else { return Ok(()) };
    let blanks = [("number", row.number.as_str().into()), ("source", kept.source.into())];
    let said = ("cosign_written_down", "cosign-written-down");
    let card = Card::worded(said, &blanks, format!("/suggestions/{}", row.id));
    let signed =
        cosign::Entity::find().select_only().column(cosign::Column::PersonId).filter(cosign::Column::SheetId.eq(sheet));
    let signed: Vec<PersonId> = signed.into_tuple().all(tx).await?;
    post_to_each(tx, signed.into_iter().map(Reader::Person).collect(), (sheet.0, card)).await
}

/// The sheets of a voice, the newest first, with their photos for who may see them.
pub(super) async fn sheets(
    db: &impl ConnectionTrait,
    (id, with_photos): (SuggestionId, bool),
) -> Result<Vec<CosignSheetView>> {
    let rows = cosign_sheet::Entity::find()
        .filter(cosign_sheet::Column::SuggestionId.eq(id))
        .order_by_desc(cosign_sheet::Column::RecordedAt)
        .order_by_desc(cosign_sheet::Column::Id)
        .limit(SHOWN)
        .all(db)
        .await?;
    let names = people::names(db, rows.iter().map(|row| row.recorded_by).collect()).await?;
    let mut photos = if with_photos {
        media::queries::attached(db, COSIGN_SHEET, rows.iter().map(|row| row.id.to_string()).collect()).await?
    } else {
        HashMap::new()
    };
    let view = |row: cosign_sheet::Model| CosignSheetView {
        recorded_by: names.get(&row.recorded_by).cloned().unwrap_or_default(),
        recorded_at: clock::local(row.recorded_at),
        source: row.source,
        photos: photos.remove(&row.id.to_string()).unwrap_or_default(),
    };
    Ok(rows.into_iter().map(view).collect())
}

/// The sheets of a voice with their photos, for who may write one down; none for anybody else.
///
/// # Errors
/// When the database cannot be read.
pub async fn kept(db: &impl ConnectionTrait, actor: &Actor, id: SuggestionId) -> Result<Vec<CosignSheetView>> {
    match queries::row(db, id).await?.filter(|row| keeps(actor, row)) {
        Some(_) => sheets(db, (id, true)).await,
        None => Ok(Vec::new()),
    }
}

/// Does the actor keep the sheets: answer the voice, and not one's own?
pub(super) fn keeps(actor: &Actor, row: &Suggestion) -> bool {
    let standing = rules::standing(actor, row);
    standing.is_responsible && !standing.is_author
}

/// Lets the actor see the photos of a sheet, and writes it down first.
///
/// # Errors
/// `not_found` for who does not keep the sheet.
pub(super) async fn let_in(app: &App, actor: &Actor, sheet: &str) -> Result<()> {
    let id: CosignSheetId = sheet.parse().map_err(Error::broken)?;
    let db = app.store.read();
    let kept = cosign_sheet::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    let row = queries::row(db, kept.suggestion_id).await?.filter(|row| keeps(actor, row)).ok_or(Code::NotFound)?;
    readings::note(app, actor, &row).await
}

/// The photos of every sheet of the voices behind which this person stands by one are unreadable from now on: the paper lies
/// where its source says.
pub(super) async fn erase_photos(tx: &Tx, person: PersonId) -> Result<()> {
    let signed = cosign::Entity::find()
        .select_only()
        .column(cosign::Column::SuggestionId)
        .filter(cosign::Column::PersonId.eq(person))
        .filter(cosign::Column::SheetId.is_not_null());
    let voices: Vec<SuggestionId> = signed.into_tuple().all(tx).await?;
    for some in voices.chunks(500) {
        let sheets =
            cosign_sheet::Entity::find().filter(cosign_sheet::Column::SuggestionId.is_in(some.iter().copied()));
        let sheets = sheets.all(tx).await?.into_iter().map(|sheet| sheet.id.to_string()).collect();
        let photos = media::queries::attached(tx, COSIGN_SHEET, sheets).await?;
        let photos: Vec<MediaId> = photos.into_values().flatten().map(|photo| photo.id).collect();
        media::commands::discard(tx, COSIGN_SHEET, &photos).await?;
    }
    Ok(())
}
