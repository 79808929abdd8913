//! Reads of paper: the log of sheets, what was counted in each box, whether it all adds up.
use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{
        Secrecy,
        commands::boxes::may_count,
        office::stands_in,
        rows::{paper_count, paper_sheet, roll_entry},
        rules::{
            mobile,
            paper::{Reconciled, SheetFigures, Sheets, reconcile},
        },
    },
    COUNTING_PAPER, is_decided,
    replaced::{self, ReplacementView},
    row,
};
use crate::{
    actor::Actor,
    clock,
    error::{Code, Error, Result},
    ids::{MediaId, PersonId, VoteId},
    media::{self, Media},
    people, text,
};

/// A sheet in somebody's hands, or in a box.
pub(in crate::votes) const ISSUED: &str = "issued";
/// One that was in a box when the paper was signed.
pub(in crate::votes) const CAST: &str = "cast";
/// One that was given back unused.
pub(in crate::votes) const RETURNED: &str = "returned";
/// One that was given back spoilt.
pub(in crate::votes) const SPOILT: &str = "spoilt";
/// One that was never seen again.
pub(in crate::votes) const LOST: &str = "lost";

/// The paper of a vote, for who counts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaperView {
    /// The vote.
    pub vote_id: VoteId,
    /// What became of the sheets.
    pub sheets: Sheets,
    /// Sheets that must be in the boxes.
    pub out: u64,
    /// The log, newest first.
    pub log: Vec<SheetView>,
    /// The boxes that somebody counted.
    pub boxes: Vec<BoxView>,
    /// Ballots in the boxes on which two agree.
    pub counted: u64,
    /// `exact`, `over`, `short`: do the boxes and the sheets agree?
    pub balance: String,
    /// The same in Chinese.
    pub balance_text: String,
    /// When the paper was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<DateTime<FixedOffset>>,
    /// Who was replaced at the counting, or is to be.
    pub replacements: Vec<ReplacementView>,
    /// Numbers of the boxes that are carried to those who cannot come.
    pub mobile_boxes: Vec<i32>,
}

/// A sheet that was handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SheetView {
    /// Its number, from 1; on its stub, never on the ballot.
    pub serial: i32,
    /// The elector's number on the roll.
    pub number: i32,
    /// The elector.
    pub name: String,
    /// The proxy who took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_by: Option<String>,
    /// issued, cast, returned, spoilt, lost.
    pub state: String,
    /// The same in Chinese.
    pub state_name: String,
    /// Does it take the place of a ballot by phone?
    pub overrides: bool,
    /// The carried box into which it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile_box: Option<i32>,
    /// When it was handed out.
    pub issued_at: DateTime<FixedOffset>,
    /// By whom: when somebody says that another took it, this one is asked.
    pub issued_by: String,
}

/// What was counted in a box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BoxView {
    /// Its number.
    pub number: i32,
    /// How many wrote down what is in it.
    pub counts: usize,
    /// What the asker wrote down. Nobody sees another's figures before two agree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own: Option<SheetFigures>,
    /// What two wrote down alike; of a secret vote nobody sees it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreed: Option<SheetFigures>,
    /// How many ballots that are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ballots: Option<u64>,
    /// Of a box that is carried: how many sheets went with it and did not come back. More ballots than these came from elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carried: Option<u64>,
    /// Is there a photo of its tally sheet?
    pub has_photo: bool,
    /// Who wrote something down, and counts.
    pub counters: Vec<CounterView>,
}

/// Somebody who counted a box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CounterView {
    /// Who.
    pub person_id: PersonId,
    /// The name.
    pub name: String,
}

/// A box, for the count.
#[derive(Clone, Debug)]
pub(in crate::votes) struct Counted {
    pub(in crate::votes) number: i32,
    pub(in crate::votes) by: Vec<(PersonId, SheetFigures)>,
    /// Who counted it and was replaced.
    set_aside: Vec<PersonId>,
    pub(in crate::votes) agreed: Option<SheetFigures>,
    pub(in crate::votes) photo: Option<MediaId>,
    pub(in crate::votes) photo_sha256: Option<String>,
}

/// Ballots in the boxes on which those who counted them agree.
pub(in crate::votes) fn agreed(boxes: &[Counted]) -> u64 {
    boxes.iter().filter_map(|one| one.agreed.as_ref()).map(SheetFigures::total).sum()
}

/// Did this person count one of them, whether it counts or not?
pub(in crate::votes) fn has_counted(boxes: &[Counted], person: PersonId) -> bool {
    boxes.iter().any(|one| one.set_aside.contains(&person) || one.by.iter().any(|(by, _)| *by == person))
}

/// Has somebody written down what is in a box?
///
/// # Errors
/// When the database cannot be read.
pub async fn is_begun(db: &impl ConnectionTrait, id: VoteId) -> Result<bool> {
    let count = paper_count::Entity::find().filter(paper_count::Column::VoteId.eq(id));
    Ok(count.one(db).await?.is_some())
}

/// Was this person replaced at this box?
pub(in crate::votes) async fn is_replaced(
    db: &impl ConnectionTrait,
    (id, number): (VoteId, i32),
    person: PersonId,
) -> Result<bool> {
    Ok(replaced::gone(db, id).await?.contains(&(number, person)))
}

/// Ballots in all boxes but this one, of each the most that somebody wrote down.
pub(in crate::votes) async fn others(db: &impl ConnectionTrait, (id, number): (VoteId, i32)) -> Result<u64> {
    let boxes = boxes(db, id).await?;
    let most = |one: &Counted| one.by.iter().map(|(_, figures)| figures.total()).max().unwrap_or(0);
    Ok(boxes.iter().filter(|one| one.number != number).map(most).sum())
}

/// The boxes, by number; of each what all who counted it, two at least, wrote down alike, and the photo of one of them.
pub(in crate::votes) async fn boxes(db: &impl ConnectionTrait, id: VoteId) -> Result<Vec<Counted>> {
    let gone = replaced::gone(db, id).await?;
    let rows = paper_count::Entity::find()
        .filter(paper_count::Column::VoteId.eq(id))
        .order_by_asc(paper_count::Column::BoxNumber)
        .order_by_asc(paper_count::Column::CountedAt)
        .all(db)
        .await?;
    let mut by_box: BTreeMap<i32, Vec<(paper_count::Model, SheetFigures)>> = BTreeMap::new();
    for row in rows {
        let figures = serde_json::from_str(&row.figures).map_err(Error::broken)?;
        by_box.entry(row.box_number).or_default().push((row, figures));
    }
    let mut boxes = Vec::new();
    for (number, rows) in by_box {
        let counts = |(row, _): &(paper_count::Model, SheetFigures)| !gone.contains(&(number, row.counted_by));
        let (rows, set_aside): (Vec<_>, Vec<_>) = rows.into_iter().partition(counts);
        let first = rows.first().filter(|_| rows.len() >= 2).map(|(_, figures)| figures);
        let agreed = first.filter(|first| rows.iter().all(|(_, other)| other == *first)).cloned();
        let photo = rows.iter().find_map(|(row, figures)| row.photo_id.filter(|_| agreed.as_ref() == Some(figures)));
        let photo_sha256 = match photo {
            Some(photo) => media::queries::row(db, photo).await?.map(|row| row.sha256),
            None => None,
        };
        let by = rows.into_iter().map(|(row, figures)| (row.counted_by, figures)).collect();
        let set_aside = set_aside.into_iter().map(|(row, _)| row.counted_by).collect();
        boxes.push(Counted { number, by, set_aside, agreed, photo, photo_sha256 });
    }
    Ok(boxes)
}

/// What became of the sheets.
pub(in crate::votes) async fn sheets(db: &impl ConnectionTrait, id: VoteId) -> Result<Sheets> {
    let rows: Vec<(String, i64)> = paper_sheet::Entity::find()
        .select_only()
        .column(paper_sheet::Column::State)
        .column_as(paper_sheet::Column::Serial.count(), "sheets")
        .filter(paper_sheet::Column::VoteId.eq(id))
        .group_by(paper_sheet::Column::State)
        .into_tuple()
        .all(db)
        .await?;
    let of = |state: &str| rows.iter().find(|(own, _)| own == state).map_or(0, |(_, n)| n.unsigned_abs());
    let issued = rows.iter().map(|(_, n)| n.unsigned_abs()).sum();
    Ok(Sheets { issued, returned: of(RETURNED), spoilt: of(SPOILT), lost: of(LOST) })
}

/// The paper of a vote.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not count; `no_paper`.
pub async fn paper(db: &impl ConnectionTrait, actor: &Actor, id: VoteId) -> Result<PaperView> {
    let vote = row(db, id).await?;
    if !may_count(actor, &vote) && !stands_in(actor, &vote) {
        return Err(Code::NotAllowed.into());
    }
    if !vote.has_paper {
        return Err(Code::NoPaper.into());
    }
    let sheets = sheets(db, id).await?;
    let boxes = boxes(db, id).await?;
    let counted = agreed(&boxes);
    let (balance, n) = match reconcile(&sheets, counted) {
        Reconciled::Exact => ("exact", 0),
        Reconciled::Over(more) => ("over", more),
        Reconciled::Short(less) => ("short", less),
    };
    let log = paper_sheet::Entity::find().filter(paper_sheet::Column::VoteId.eq(id));
    let log = log.order_by_desc(paper_sheet::Column::Serial).all(db).await?;
    let is_secret = vote.secrecy == Secrecy::Secret.as_str();
    let names = people::names(db, boxes.iter().flat_map(|one| one.by.iter().map(|(who, _)| *who)).collect()).await?;
    let mobile_boxes = mobile::numbers(vote.mobile_boxes.as_deref());
    let carried = |number: i32| mobile_boxes.contains(&number).then(|| went_with(&log, number));
    let counter =
        |person_id: PersonId| CounterView { name: names.get(&person_id).cloned().unwrap_or_default(), person_id };
    let show = |one: Counted| {
        let is_over = one.agreed.is_some() && is_secret;
        let own = one.by.iter().find(|(person, _)| *person == actor.person && !is_over);
        BoxView {
            number: one.number,
            counts: one.by.len(),
            own: own.map(|(_, figures)| figures.clone()),
            counters: one.by.iter().map(|(person_id, _)| counter(*person_id)).collect(),
            ballots: one.agreed.as_ref().map(SheetFigures::total),
            agreed: one.agreed.filter(|_| !is_secret),
            has_photo: one.photo.is_some(),
            carried: carried(one.number),
        }
    };
    let boxes = boxes.into_iter().map(show).collect();
    Ok(PaperView {
        vote_id: id,
        sheets,
        out: sheets.out(),
        log: sheet_views(db, log).await?,
        boxes,
        counted,
        balance: balance.to_owned(),
        balance_text: text::say_with(&format!("paper-balance-{balance}"), &[("n", n.to_string().into())]),
        signed_at: vote.paper_signed_at.map(clock::local),
        replacements: replaced::all(db, id).await?,
        mobile_boxes,
    })
}

/// Sheets that went with a carried box and did not come back unused or spoilt.
fn went_with(log: &[paper_sheet::Model], number: i32) -> u64 {
    let is_out =
        |row: &&paper_sheet::Model| row.mobile_box == Some(number) && matches!(row.state.as_str(), ISSUED | CAST);
    log.iter().filter(is_out).count() as u64
}

pub(in crate::votes) async fn sheet_view(db: &impl ConnectionTrait, row: paper_sheet::Model) -> Result<SheetView> {
    sheet_views(db, vec![row]).await?.pop().ok_or_else(|| Code::NotFound.into())
}

async fn sheet_views(db: &impl ConnectionTrait, rows: Vec<paper_sheet::Model>) -> Result<Vec<SheetView>> {
    let Some(vote) = rows.first().map(|row| row.vote_id) else { return Ok(Vec::new()) };
    let mut electors: BTreeMap<i32, PersonId> = BTreeMap::new();
    let numbers: Vec<i32> = rows.iter().map(|row| row.number).collect();
    for some in numbers.chunks(500) {
        let entries = roll_entry::Entity::find()
            .filter(roll_entry::Column::VoteId.eq(vote))
            .filter(roll_entry::Column::Number.is_in(some.iter().copied()));
        electors.extend(entries.all(db).await?.into_iter().map(|entry| (entry.number, entry.person_id)));
    }
    let others = rows.iter().flat_map(|row| row.taken_by.into_iter().chain([row.issued_by]));
    let ids = electors.values().copied().chain(others).collect();
    let names = people::names(db, ids).await?;
    let name = |person: &PersonId| names.get(person).cloned().unwrap_or_default();
    let show = |row: paper_sheet::Model| SheetView {
        serial: row.serial,
        number: row.number,
        name: electors.get(&row.number).map(name).unwrap_or_default(),
        taken_by: row.taken_by.as_ref().map(name),
        state_name: text::word("paper-sheet", &row.state),
        state: row.state,
        overrides: row.channel_before != super::NOT_CAST,
        mobile_box: row.mobile_box,
        issued_at: clock::local(row.issued_at),
        issued_by: name(&row.issued_by),
    };
    Ok(rows.into_iter().map(show).collect())
}

/// The photo of a box's tally sheet: for who counts; of an open vote whose paper is in its result for those who see its
/// area. The figures of a few on paper in a secret vote are for nobody else, and for nobody at all once they are signed.
///
/// # Errors
/// `not_found`, also for everybody else.
pub async fn photo(db: &impl ConnectionTrait, actor: &Actor, (id, number): (VoteId, i32)) -> Result<Media> {
    let vote = row(db, id).await?;
    let is_told = vote.secrecy != Secrecy::Secret.as_str() && vote.paper_signed_at.is_some();
    let is_public = is_told && is_decided(&vote.state) && actor.sees(&vote.area_code);
    if !is_public && !may_count(actor, &vote) {
        return Err(Code::NotFound.into());
    }
    // of a secret vote it would keep what is kept nowhere else
    if !is_told && vote.paper_signed_at.is_some() {
        return Err(Code::NotFound.into());
    }
    let found = boxes(db, id).await?.into_iter().find(|one| one.number == number);
    let photo = found.and_then(|one| one.photo).ok_or(Code::NotFound)?;
    media::queries::row(db, photo).await?.ok_or_else(|| Code::NotFound.into())
}

/// Does the paper wait to be counted?
#[must_use]
pub fn is_counting(state: &str) -> bool {
    state == COUNTING_PAPER
}
