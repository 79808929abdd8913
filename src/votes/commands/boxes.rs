//! 点票: what is in each box is written down by two people, each without seeing the other's figures; when they agree and every
//! sheet is accounted for, the paper is signed and the vote goes on.
use std::collections::BTreeMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Secrecy, Tally, close};
use crate::{
    actor::Actor,
    board::lsb1,
    bodies,
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{MediaId, PersonId, VoteId},
    media, meetings,
    store::Tx,
    votes::{
        office,
        queries::{
            self,
            paper::{self, CAST, Counted, ISSUED, PaperView},
        },
        rows::{envelope, paper_count, paper_sheet, roll_entry, vote},
        rules::{
            paper::{MAX_BOXES, Reconciled, SheetFigures, reconcile},
            turnout::FEW,
        },
    },
};

/// What the photo of a tally sheet is attached to: `vote/box/person`.
pub const MEDIA_KIND: &str = "tally_sheet";

/// What somebody counted in a box.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CountBox {
    /// Which box, from 1.
    #[serde(rename = "box")]
    #[schema(minimum = 1, maximum = 20)]
    pub box_number: i32,
    /// What is in it.
    pub figures: SheetFigures,
    /// A photo of the tally sheet, uploaded before; one of the two who count shows it, and its digest is on the board.
    #[serde(default)]
    pub photo_id: Option<MediaId>,
}

/// The paper of a vote is signed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignPaper {
    /// There are more ballots in the boxes than were handed out: the whole vote is void, and this is meant.
    #[serde(default)]
    pub is_void: bool,
    /// How that came about, where it is void; published. 2 to 200 characters.
    #[serde(default)]
    #[schema(min_length = 2, max_length = 200)]
    pub reason: Option<String>,
}

/// May the actor count: who runs the vote, and who supervises the village or its office; nobody who is voted on?
#[must_use]
pub(in crate::votes) fn may_count(actor: &Actor, vote: &vote::Model) -> bool {
    let is_apart = || office::stands_in(actor, vote);
    !office::is_voted_on(vote, actor.person) && (is_apart() || office::runs(actor, vote))
}

/// Did somebody of the supervision committee or the office above count each box with the others? Whoever runs a vote does not
/// count it alone, nor with another seat.
async fn is_counted_apart(tx: &Tx, vote: &vote::Model, boxes: &[Counted]) -> Result<bool> {
    for one in boxes {
        let mut is_apart = false;
        for (person, _) in &one.by {
            let seats = bodies::seats_of(tx, *person, tx.now()).await?;
            is_apart = is_apart || office::is_apart(&seats, vote);
        }
        if !is_apart {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Writes down what is in a box; again, in place of what the same person wrote before.
///
/// # Errors
/// `not_found`; `vote_restored`; `not_allowed`, also for who was replaced at that box; `wrong_state` unless the paper waits to be counted;
/// `invalid_fields`; `media_not_usable`.
pub async fn count_box(tx: &Tx, actor: &Actor, (id, input): (VoteId, CountBox)) -> Result<PaperView> {
    let vote = queries::going(tx, id).await?;
    if !may_count(actor, &vote) || paper::is_replaced(tx, (id, input.box_number), actor.person).await? {
        return Err(Code::NotAllowed.into());
    }
    if vote.state != queries::COUNTING_PAPER {
        return Err(Code::WrongState.into());
    }
    let mut checks = Checks::default();
    checks.require((1..=MAX_BOXES).contains(&input.box_number), "box", "out_of_range");
    let fits = input.figures.fit(queries::question_of(&vote)?.as_ref());
    let others = paper::others(tx, (id, input.box_number)).await?;
    // more than any village hands out is a slip of the pen
    let most = 2 * u64::from(vote.roll_frozen.max(vote.on_roll).unsigned_abs());
    checks.require(fits && others.saturating_add(input.figures.total()) <= most, "figures", "out_of_range");
    checks.done()?;
    let key = (id, input.box_number, actor.person);
    let figures = serde_json::to_string(&input.figures.normal()).map_err(Error::broken)?;
    let before = paper_count::Entity::find_by_id(key).one(tx).await?;
    let is_same = |row: &paper_count::Model| row.figures == figures && row.photo_id == input.photo_id;
    if before.as_ref().is_some_and(is_same) {
        // sent again because the answer was lost
        return paper::paper(tx, actor, id).await;
    }
    let subject = format!("{id}/{}/{}", input.box_number, actor.person);
    let to = media::Subject { kind: MEDIA_KIND, id: &subject, area: &vote.area_code };
    media::attach_photos(tx, actor.person, ("photo_id", input.photo_id.as_slice()), to).await?;
    paper_count::Entity::delete_by_id(key).exec(tx).await?;
    // the photo that is there stays, until there is another, or other figures than it shows
    let shown = before.filter(|before| before.figures == figures).and_then(|before| before.photo_id);
    let row = paper_count::ActiveModel {
        vote_id: Set(id),
        box_number: Set(input.box_number),
        counted_by: Set(actor.person),
        figures: Set(figures),
        photo_id: Set(input.photo_id.or(shown)),
        counted_at: Set(tx.now()),
    };
    paper_count::Entity::insert(row).exec_without_returning(tx).await?;
    paper::paper(tx, actor, id).await
}

/// Signs the paper: all who counted a box, two at least, counted it alike, one of them of the supervision committee or the office
/// above, and every sheet is accounted for. The vote goes on as after any end. Recorded: `vote.paper_signed`, and what closing
/// records.
///
/// # Errors
/// `not_found`; `not_allowed` without the right to open votes, and for who stands in for the office before its days are over;
/// `vote_restored`; `wrong_state` unless the paper waits to be counted;
/// `paper_not_counted` while those of a box do not agree, the office alone counted it, or no photo is there; `paper_few_in_box` for one of several boxes
/// of a vote that is not open with too few in it; `paper_not_reconciled` when fewer are in the boxes than were handed out, or more and
/// that is not meant; what [`may_void`] refuses.
pub async fn sign_paper(tx: &Tx, actor: &Actor, (id, input): (VoteId, SignPaper)) -> Result<()> {
    let before = queries::going(tx, id).await?;
    if before.paper_signed_by == Some(actor.person) {
        // sent again because the answer was lost
        return Ok(());
    }
    let allowed = if input.is_void { office::require_either(actor, &before) } else { office::require(actor, &before) };
    if !office::sees_it_through(tx, actor, &before) {
        allowed?;
    }
    if before.state != queries::COUNTING_PAPER {
        return Err(Code::WrongState.into());
    }
    let (boxes, sheets) = (paper::boxes(tx, id).await?, paper::sheets(tx, id).await?);
    let is_counted = boxes.iter().all(|one| one.agreed.is_some() && one.photo_sha256.is_some());
    if boxes.is_empty() || !is_counted || !is_counted_apart(tx, &before, &boxes).await? {
        return Err(Code::PaperNotCounted.into());
    }
    if before.secrecy != Secrecy::Open.as_str() && has_few(&boxes) {
        return Err(Code::PaperFewInBox.into());
    }
    let counted = paper::agreed(&boxes);
    let reason = match reconcile(&sheets, counted) {
        Reconciled::Exact if !input.is_void => None,
        Reconciled::Over(_) if input.is_void => Some(may_void(tx, actor, (&before, &boxes), &input).await?),
        _ => return Err(Code::PaperNotReconciled.into()),
    };
    all_are_cast(tx, &before, actor.person).await?;
    vote::Entity::update_many()
        .col_expr(vote::Column::PaperVoidReason, Expr::value(reason))
        .col_expr(vote::Column::PaperSignedAt, Expr::value(tx.now()))
        .col_expr(vote::Column::PaperSignedBy, Expr::value(actor.person))
        .filter(vote::Column::Id.eq(id))
        .exec(tx)
        .await?;
    let happening = Happening::new(Kind::PaperSigned, id).at(&before.area_code).by(actor.person);
    events::record(tx, happening.with(json!({ "issued": sheets.issued, "counted": counted }))).await?;
    close::go_on(tx, &queries::row(tx, id).await?).await
}

/// Of several boxes, does one hold so few that their number would tell who they are? What is in it is counted with another.
fn has_few(boxes: &[Counted]) -> bool {
    let in_each = || boxes.iter().filter_map(|one| one.agreed.as_ref()).map(SheetFigures::total).filter(|n| *n > 0);
    in_each().count() > 1 && in_each().any(|n| n < FEW)
}

/// Why a vote is void, from somebody who had no hand in the numbers that make it so.
///
/// # Errors
/// `not_allowed` without the right to bend a path, but for who sees a late counting through; `second_person_needed` for who counted
/// a box or wrote down the end of a sheet; `invalid_fields` without a reason.
async fn may_void(
    tx: &Tx,
    actor: &Actor,
    (vote, boxes): (&vote::Model, &[Counted]),
    input: &SignPaper,
) -> Result<String> {
    if !office::sees_it_through(tx, actor, vote) {
        office::require_bend(actor, vote)?;
    }
    let ended = paper_sheet::Entity::find()
        .filter(paper_sheet::Column::VoteId.eq(vote.id))
        .filter(paper_sheet::Column::EndedBy.eq(actor.person));
    if paper::has_counted(boxes, actor.person) || ended.one(tx).await?.is_some() {
        return Err(Code::SecondPersonNeeded.into());
    }
    let reason = input.reason.as_deref().unwrap_or_default();
    let mut checks = Checks::default();
    checks.text("reason", reason, 2..=200);
    checks.done()?;
    Ok(reason.trim().to_owned())
}

/// What is in the boxes was cast: its electors took part, and were at the meeting.
async fn all_are_cast(tx: &Tx, vote: &vote::Model, by: PersonId) -> Result<()> {
    let entries = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(vote.id))
        .filter(roll_entry::Column::Channel.eq(queries::PAPER_ISSUED))
        .all(tx)
        .await?;
    roll_entry::Entity::update_many()
        .col_expr(roll_entry::Column::Channel, Expr::value(queries::PAPER))
        .col_expr(roll_entry::Column::IsTold, Expr::value(true))
        .filter(roll_entry::Column::VoteId.eq(vote.id))
        .filter(roll_entry::Column::Channel.eq(queries::PAPER_ISSUED))
        .exec(tx)
        .await?;
    paper_sheet::Entity::update_many()
        .col_expr(paper_sheet::Column::State, Expr::value(CAST))
        .filter(paper_sheet::Column::VoteId.eq(vote.id))
        .filter(paper_sheet::Column::State.eq(ISSUED))
        .exec(tx)
        .await?;
    if let Some(meeting) = vote.meeting_id {
        let people: Vec<PersonId> = entries.into_iter().map(|entry| entry.person_id).collect();
        meetings::commands::attend_on_paper(tx, meeting, &people, by).await?;
    }
    Ok(())
}

/// Adds what was in the boxes; says what stood on those ballots, as it is published of a secret vote.
///
/// # Errors
/// When the database cannot be read.
pub(in crate::votes) async fn add(
    tx: &Tx,
    vote: &vote::Model,
    (tally, by_phone): (&mut Tally, u64),
) -> Result<Vec<Value>> {
    if vote.paper_signed_at.is_none() {
        return Ok(Vec::new());
    }
    let question = queries::question_of(vote)?;
    let is_secret = vote.secrecy == Secrecy::Secret.as_str();
    let mut plaintexts = Vec::new();
    for one in paper::boxes(tx, vote.id).await? {
        for (marks, ballots) in one.agreed.unwrap_or_default().marks(question.as_ref()) {
            tally.add(marks.as_deref(), ballots);
            // those of an open vote are told by box
            let told = if is_secret { ballots } else { 0 };
            plaintexts.extend((0..told).map(|_| json!(marks)));
        }
    }
    tally.count.issued = Some(by_phone + paper::sheets(tx, vote.id).await?.out());
    Ok(plaintexts)
}

/// The boxes and the sheets, as leaves of the board; none before the paper is signed.
///
/// # Errors
/// When the database cannot be read.
pub(in crate::votes) async fn leaves(tx: &Tx, vote: &vote::Model) -> Result<Vec<Value>> {
    if vote.paper_signed_at.is_none() {
        return Ok(Vec::new());
    }
    let (poll, question) = (vote.id.to_string(), queries::question_of(vote)?);
    let is_secret = vote.secrecy == Secrecy::Secret.as_str();
    let mut leaves = Vec::new();
    for one in paper::boxes(tx, vote.id).await? {
        let (name, sheet, in_it) =
            (one.number.to_string(), one.photo_sha256.unwrap_or_default(), one.agreed.unwrap_or_default());
        let about = (name.as_str(), sheet.as_str());
        leaves.push(match &question {
            _ if is_secret => lsb1::paper_secret_entry(&poll, about, in_it.total()),
            Some(question) if question.max_choices > 1 => {
                lsb1::paper_choice_entry(&poll, about, (&in_it.votes, [in_it.abstain, in_it.invalid]))
            }
            Some(question) => {
                let number = |option: &String| (option.clone(), in_it.votes_for(option));
                let votes: BTreeMap<String, u64> = question.options.iter().map(number).collect();
                lsb1::paper_choice_entry(&poll, about, (&votes, [in_it.abstain, in_it.invalid]))
            }
            None => {
                let (yes, no) = (in_it.votes_for("for"), in_it.votes_for("against"));
                lsb1::paper_entry(&poll, about, [yes, no, in_it.abstain, in_it.invalid])
            }
        });
    }
    let sheets = paper::sheets(tx, vote.id).await?;
    leaves.push(lsb1::sheets_entry(&poll, [sheets.issued, sheets.returned, sheets.spoilt, sheets.lost]));
    Ok(leaves)
}

/// From now on only how many were in each box is kept: which few on paper chose what is nobody's business once they are
/// counted with the others, nor when nothing is counted.
///
/// # Errors
/// When the database refuses.
pub(in crate::votes) async fn forget(tx: &Tx, vote: &vote::Model) -> Result<()> {
    let rows = paper_count::Entity::find().filter(paper_count::Column::VoteId.eq(vote.id)).all(tx).await?;
    if rows.is_empty() {
        return Ok(());
    }
    for row in rows {
        let figures: SheetFigures = serde_json::from_str(&row.figures).map_err(Error::broken)?;
        let kept = serde_json::to_string(&figures.only_total()).map_err(Error::broken)?;
        paper_count::Entity::update_many()
            .col_expr(paper_count::Column::Figures, Expr::value(kept))
            .filter(paper_count::Column::VoteId.eq(row.vote_id))
            .filter(paper_count::Column::BoxNumber.eq(row.box_number))
            .filter(paper_count::Column::CountedBy.eq(row.counted_by))
            .exec(tx)
            .await?;
    }
    // they leave the files, too
    vote::Entity::update_many()
        .col_expr(vote::Column::LinksLeft, Expr::value(true))
        .filter(vote::Column::Id.eq(vote.id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Nothing is in any box: that is signed by itself, also where no sheet was handed out. The vote as it is then.
///
/// # Errors
/// When the database refuses.
pub(super) async fn none(tx: &Tx, vote: vote::Model) -> Result<vote::Model> {
    vote::Entity::update_many()
        .col_expr(vote::Column::PaperSignedAt, Expr::value(tx.now()))
        .filter(vote::Column::Id.eq(vote.id))
        .exec(tx)
        .await?;
    queries::row(tx, vote.id).await
}

/// Digests of the ballots by phone of those who voted on paper after all; their rows are not taken out here.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn overridden(tx: &Tx, id: VoteId) -> Result<Vec<String>> {
    let on_paper = roll_entry::Entity::find()
        .select_only()
        .column(roll_entry::Column::Number)
        .filter(roll_entry::Column::VoteId.eq(id))
        .filter(roll_entry::Column::Channel.eq(queries::PAPER));
    let hashes = envelope::Entity::find()
        .select_only()
        .column(envelope::Column::BallotHash)
        .filter(envelope::Column::VoteId.eq(id))
        .filter(envelope::Column::ElectorNumber.in_subquery(on_paper.into_query()));
    Ok(hashes.into_tuple().all(tx).await?)
}
