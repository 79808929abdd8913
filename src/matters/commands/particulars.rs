//! 负责人、预算、附件: what is said of a matter beside its text, which itself never changes.
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::evidence::{Piece, insert};
use crate::{
    actor::Actor,
    bodies::{self, Body, Right, SeatView},
    error::{Checks, Code, Result},
    ids::{MatterId, MediaId, SeatId},
    matters::{
        queries::{self, MEDIA_KIND, MatterView, Standing},
        rows::matter,
        rules::{Stage, State},
    },
    media,
    store::Tx,
    tasks::rules::is_amount,
    text,
};

/// Photos of one matter at most.
const MAX_PHOTOS: usize = 9;

/// Who answers for a matter, what it may cost, photos. What is not named stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DescribeMatter {
    /// The seat that answers for it, in a body that covers its area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible_seat_id: Option<SeatId>,
    /// What it may cost, in fen; with `budget_source`. 1 to 100,000,000,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100_000_000_000_i64)]
    pub budget_fen: Option<i64>,
    /// Out of which money; public. 2 to 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 2, max_length = 60)]
    pub budget_source: Option<String>,
    /// One's own photos, of the place or of papers: they are added to those there are, nine in all.
    #[serde(default)]
    pub media: Vec<MediaId>,
}

/// What of it is new.
#[derive(Default)]
struct New {
    seat: Option<(Body, SeatView)>,
    budget: Option<(i64, String)>,
    photos: usize,
}

/// Says who answers for a matter, what it may cost and out of which money, and adds photos. What it may cost is part of what
/// hangs out: it changes until the council is left, as the plan does. What is the same as before is no change. Recorded:
/// `matter.evidence_attached`.
///
/// # Errors
/// `not_found`; `not_allowed` without a seat that moves matters there; `invalid_fields`; `wrong_state` when the matter has
/// ended, or is past deliberation where its budget changes; `media_not_usable`; `changed`.
pub async fn describe(tx: &Tx, actor: &Actor, (id, input): (MatterId, DescribeMatter)) -> Result<MatterView> {
    let standing = queries::standing(tx, id).await?;
    let area = standing.matter.area_code.as_str();
    let seat = bodies::require(actor, Right::MoveMatter, area)?;
    let new = told(tx, &standing, &input).await?;
    let position = standing.position();
    if position.state != State::Open || (new.budget.is_some() && position.stage > Stage::Deliberate) {
        return Err(Code::WrongState.into());
    }
    let Some(note) = note(&new) else { return queries::view(tx, id).await };
    write(tx, &standing, &new).await?;
    let subject = media::Subject { kind: MEDIA_KIND, id: &id.to_string(), area };
    media::attach_photos(tx, actor.person, ("media", &input.media), subject).await?;
    let piece = Piece {
        kind: "particulars",
        note: Some(note),
        actor: Some(actor.person),
        body: Some(seat.body_id),
        ..Piece::default()
    };
    insert(tx, &standing, position.stage, tx.now(), piece).await?;
    queries::view(tx, id).await
}

/// What of it is not so already, if all of it may be.
async fn told(tx: &Tx, standing: &Standing, input: &DescribeMatter) -> Result<New> {
    let matter = &standing.matter;
    let mut checks = Checks::default();
    let mut new = New { photos: input.media.len(), ..New::default() };
    if let Some(id) = input.responsible_seat_id.filter(|id| matter.responsible_seat_id != Some(*id)) {
        new.seat = bodies::queries::seats(tx, vec![id]).await?.pop();
        checks.require(serves(tx, new.seat.as_ref(), &matter.area_code).await?, "responsible_seat_id", "not_a_member");
    }
    let source = input.budget_source.as_deref().unwrap_or_default().trim();
    if input.budget_fen.is_some() || !source.is_empty() {
        checks.require(input.budget_fen.is_some(), "budget_fen", "required");
        checks.require(input.budget_fen.is_none_or(is_amount), "budget_fen", "out_of_range");
        checks.text("budget_source", source, 2..=60);
        let is_same = matter.budget_fen == input.budget_fen && matter.budget_source.as_deref() == Some(source);
        new.budget = input.budget_fen.filter(|_| !is_same).map(|fen| (fen, source.to_owned()));
    }
    if !input.media.is_empty() {
        let there = queries::photos(tx, matter.id).await?.len();
        checks.require(there + input.media.len() <= MAX_PHOTOS, "media", "out_of_range");
    }
    checks.done()?;
    Ok(new)
}

/// Does somebody sit there today, in a body that belongs to the area?
async fn serves(tx: &Tx, seat: Option<&(Body, SeatView)>, area: &str) -> Result<bool> {
    let Some((_, seat)) = seat else { return Ok(false) };
    let held = bodies::seats_of(tx, seat.person_id, tx.now()).await?;
    Ok(held.iter().any(|one| one.seat_id == seat.id && one.serves(area)))
}

async fn write(tx: &Tx, standing: &Standing, new: &New) -> Result<()> {
    let mut update = matter::Entity::update_many()
        .col_expr(matter::Column::Rev, Expr::col(matter::Column::Rev).add(1))
        .col_expr(matter::Column::UpdatedAt, Expr::value(tx.now()));
    if let Some((_, seat)) = &new.seat {
        update = update.col_expr(matter::Column::ResponsibleSeatId, Expr::value(seat.id));
    }
    if let Some((fen, source)) = &new.budget {
        update = update
            .col_expr(matter::Column::BudgetFen, Expr::value(*fen))
            .col_expr(matter::Column::BudgetSource, Expr::value(source.as_str()));
    }
    let written = update
        .filter(matter::Column::Id.eq(standing.matter.id))
        .filter(matter::Column::Rev.eq(standing.matter.rev))
        .exec(tx)
        .await?;
    if written.rows_affected == 1 { Ok(()) } else { Err(Code::Changed.into()) }
}

/// What was new, in words that stay in the record; nothing when nothing was. Of the seat without a name: names are looked up.
fn note(new: &New) -> Option<String> {
    let seat = new.seat.as_ref().map(|(body, seat)| {
        let blanks = [("body", body.name.as_str().into()), ("role", seat.role_name.as_str().into())];
        text::say_with("particulars-seat", &blanks)
    });
    let budget = new.budget.as_ref().map(|(fen, source)| {
        let yuan = format!("{}.{:02}", fen / 100, fen % 100);
        text::say_with("particulars-budget", &[("yuan", yuan.into()), ("source", source.as_str().into())])
    });
    let photos = (new.photos > 0).then(|| text::say_with("particulars-photos", &[("n", new.photos.into())]));
    let lines: Vec<String> = [seat, budget, photos].into_iter().flatten().collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
