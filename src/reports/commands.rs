//! Reporting a message, deciding about it, and the end of its evidence.
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    queries::{self, ReportView},
    rows::report,
    rules,
};
use crate::{
    actor::Actor,
    areas,
    bodies::{self, BodyKind, Right},
    chains,
    error::{Checks, Code, Result},
    ids::{MediaId, PersonId, ReportId, StreamId},
    media, seals,
    store::Tx,
    streams::{
        self,
        commands::{Card, MEDIA_KIND as MESSAGES, remove_reported},
    },
    text,
};

/// What photos and clips of reported messages are attached to, until it is decided.
pub const MEDIA_KIND: &str = "reported";

/// Why a message is held for unfit.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportMessage {
    /// For who decides; 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
}

/// What becomes of a reported message.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideReport {
    /// Take the message away? It stays otherwise.
    pub remove: bool,
    /// Told to who reported; of a message that is taken away everybody reads it. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
}

/// What the reporter is told: that it was taken down; once more is the same report.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Reported {
    /// The report.
    pub id: ReportId,
}

/// Reports a message or a list of somebody else. Once more is the same report. The office sees a line about it.
///
/// # Errors
/// `not_found` for what the actor cannot read or is not reported; `wrong_state` for what was taken back; `invalid_fields`.
pub async fn report(tx: &Tx, actor: &Actor, (stream, seq, input): (StreamId, i64, ReportMessage)) -> Result<Reported> {
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, rules::REASON);
    checks.done()?;
    let said = streams::queries::message(tx, actor, (stream, seq)).await?;
    let is_theirs = said.sender.is_some_and(|sender| sender != actor.person);
    if !is_theirs || !rules::may_be_reported(&said.kind) {
        return Err(Code::NotFound.into());
    }
    let known = report::Entity::find()
        .filter(report::Column::StreamId.eq(stream))
        .filter(report::Column::Seq.eq(seq))
        .filter(report::Column::ReporterId.eq(actor.person));
    if let Some(known) = known.one(tx).await? {
        return Ok(Reported { id: known.id });
    }
    if said.is_gone {
        return Err(Code::WrongState.into());
    }
    let area = said.area.ok_or(Code::NotFound)?;
    let id = ReportId::new();
    // whose words they are, that account's closing destroys them
    let (key, key_id) = seals::commands::make(tx, said.sender.unwrap_or(actor.person)).await?;
    let mut words = vec![said.text];
    words.extend(chains::queries::words(tx, (stream, seq)).await?);
    // from now on they are the report's: taking the message back does not take them
    media::commands::hand_over(tx, &said.media, MESSAGES, (MEDIA_KIND, &subject(stream, seq))).await?;
    let row = report::ActiveModel {
        id: Set(id),
        stream_id: Set(stream),
        seq: Set(seq),
        reporter_id: Set(actor.person),
        area_code: Set(area.clone()),
        reason: Set(input.reason.trim().to_owned()),
        key_id: Set(key_id),
        evidence: Set(key.seal_text(&place(id), &words.join("\n"))?),
        state: Set(rules::OPEN.to_owned()),
        decided_by: Set(None),
        decision_reason: Set(None),
        decided_at: Set(None),
        created_at: Set(tx.now()),
    };
    row.insert(tx).await?;
    tell_office(tx, &area, &said.title).await?;
    Ok(Reported { id })
}

/// What is reported, as the subject of its photos and clips.
pub(super) fn subject(stream: StreamId, seq: i64) -> String {
    format!("{stream}/{seq}")
}

/// The evidence cannot be moved to another report.
pub(super) fn place(id: ReportId) -> String {
    format!("report {id}")
}

async fn tell_office(tx: &Tx, area: &str, title: &str) -> Result<()> {
    let kind = match area.len() {
        areas::VILLAGE_CODE.. => BodyKind::VillageCommittee,
        areas::TOWN_CODE.. => BodyKind::TownOffice,
        _ => BodyKind::CountyOffice,
    };
    let Some(body) = bodies::queries::of_kind(tx, kind, area).await? else { return Ok(()) };
    let office = streams::commands::office(tx, body).await?;
    let card = Card::worded(("report", "report-made"), &[("title", title.into())], "/desk/reports".to_owned());
    streams::commands::post_card(tx, office, card).await?;
    Ok(())
}

/// Decides about a report, and with it about every open report of the same message. The reporters are told.
///
/// # Errors
/// `not_found` without the right in the area; `not_allowed` about the own message; `wrong_state` when it is decided;
/// `invalid_fields`.
pub async fn decide(tx: &Tx, actor: &Actor, (id, input): (ReportId, DecideReport)) -> Result<ReportView> {
    let row = report::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    if !bodies::may(actor, Right::Moderate, &row.area_code) {
        return Err(Code::NotFound.into());
    }
    if streams::queries::sender(tx, (row.stream_id, row.seq)).await? == Some(actor.person) {
        return Err(Code::NotAllowed.into());
    }
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, rules::REASON);
    checks.done()?;
    if row.state != rules::OPEN {
        return Err(Code::WrongState.into());
    }
    let reason = input.reason.trim();
    if input.remove {
        remove_reported(tx, actor.person, (row.stream_id, row.seq, reason)).await?;
        chains::commands::blank(tx, (row.stream_id, row.seq)).await?;
    }
    end_media(tx, (row.stream_id, row.seq)).await?;
    let state = if input.remove { rules::REMOVED } else { rules::KEPT_MESSAGE };
    let decided = report::Entity::update_many()
        .col_expr(report::Column::State, Expr::value(state))
        .col_expr(report::Column::DecidedBy, Expr::value(actor.person))
        .col_expr(report::Column::DecisionReason, Expr::value(reason))
        .col_expr(report::Column::DecidedAt, Expr::value(tx.now()))
        .filter(report::Column::StreamId.eq(row.stream_id))
        .filter(report::Column::Seq.eq(row.seq))
        .filter(report::Column::State.eq(rules::OPEN))
        .exec_with_returning(tx)
        .await?;
    for one in &decided {
        tell_reporter(tx, one.reporter_id, (state, reason)).await?;
    }
    let decided = report::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    queries::view(tx, tx.keys(), decided).await
}

/// What hangs on the message goes with it, or is the conversation's again.
async fn end_media(tx: &Tx, (stream, seq): (StreamId, i64)) -> Result<()> {
    let attached = media::queries::attached(tx, MEDIA_KIND, vec![subject(stream, seq)]).await?;
    let ids: Vec<MediaId> = attached.into_values().flatten().map(|one| one.id).collect();
    if streams::queries::stands(tx, (stream, seq)).await? {
        media::commands::hand_over(tx, &ids, MEDIA_KIND, (MESSAGES, &stream.to_string())).await
    } else {
        media::commands::erase(tx, MEDIA_KIND, &ids).await
    }
}

async fn tell_reporter(tx: &Tx, person: PersonId, (state, reason): (&str, &str)) -> Result<()> {
    let mailbox = streams::commands::mailbox(tx, person).await?;
    let title = text::say(if state == rules::REMOVED { "report-removed" } else { "report-kept" });
    let text = text::say_with("report-why", &[("reason", reason.to_owned().into())]);
    let card = Card { code: "report_decided", title, text, link: "/".to_owned() };
    streams::commands::post_card(tx, mailbox, card).await?;
    Ok(())
}

/// Destroys the keys of evidence that is no longer needed.
///
/// # Errors
/// When the database refuses.
pub async fn due(tx: &Tx) -> Result<u64> {
    let old = report::Entity::update_many()
        .col_expr(report::Column::Evidence, Expr::value(""))
        .filter(report::Column::DecidedAt.lt(tx.now() - rules::KEPT))
        .filter(report::Column::Evidence.ne(""))
        .exec_with_returning(tx)
        .await?;
    let keys: Vec<_> = old.iter().map(|row| row.key_id).collect();
    seals::commands::destroy(tx, &keys).await
}
