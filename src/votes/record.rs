//! The whole record of a matter, from the first voice to the evaluation: one page, readable by everybody, checkable.
//!
//! It stands here because votes are the top subject: everything that a record holds is below.
use chrono::{DateTime, FixedOffset};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::queries::{self, ResultView, VoteView};
use crate::{
    actor::covers,
    app::App,
    error::Result,
    events::{self, Head, Kind, TimelineItem},
    forms::{self, FormView, Purpose, Tally},
    ids::MatterId,
    matters::{self, MatterView, PlanView, Stage, StageView},
    meetings::{self, MeetingView},
    notices::{self, NoticeDetail},
    tasks::{self, TaskView},
    text,
};

/// Everything that led from the first voice to the evaluation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MatterRecord {
    /// The matter, with the voices that led to it.
    pub matter: MatterView,
    /// What is to be done, as it was resolved on last; the versions before are told at the matter's plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanView>,
    /// Every stay in a stage, oldest first, with what was put before it.
    pub stages: Vec<StageRecord>,
    /// What was set aside for it, in fen.
    pub budget_fen: i64,
    /// What was spent for it, in fen.
    pub spent_fen: i64,
    /// What happened, oldest first, with places in the chain.
    pub timeline: Vec<TimelineView>,
    /// The newest signed head of the chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Head>,
}

/// One stay in a stage, with the content of its evidence.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StageRecord {
    /// The stay.
    #[serde(flatten)]
    pub stay: StageView,
    /// Surveys, visits and ratings.
    pub forms: Vec<FormRecord>,
    /// Meetings with their minutes.
    pub meetings: Vec<MeetingView>,
    /// Notices with versions, digests, objections and answers.
    pub notices: Vec<NoticeDetail>,
    /// Votes with every number.
    pub votes: Vec<VoteRecord>,
    /// Tasks with their proof.
    pub tasks: Vec<TaskView>,
}

/// A form with its results.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FormRecord {
    /// The form; for visits its number of answers is the number of visits.
    pub form: FormView,
    /// The answers, counted; not for visits, which are few and told in confidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<Tally>,
}

/// A vote with its result.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct VoteRecord {
    /// The vote.
    pub vote: VoteView,
    /// Its result, once it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultView>,
}

/// One line of the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimelineView {
    /// Place in the chain, once it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
    /// What kind of thing.
    pub kind: String,
    /// What happened, in Chinese.
    pub text: String,
    /// When.
    pub at: DateTime<FixedOffset>,
}

/// The record of a matter.
///
/// # Errors
/// `not_found`.
pub async fn matter_record(app: &App, id: MatterId) -> Result<MatterRecord> {
    let (store, db) = (&app.store, app.store.read());
    let matter = matters::queries::shown(app, id).await?;
    let plan = if matter.plan_version > 0 { Some(matters::queries::plan(db, (id, None)).await?) } else { None };
    let stays = matters::queries::stays(db, id).await?;
    let mut record = Filing::new(matter.head.area_code.clone(), stays);
    let mut subjects: Vec<String> = vec![id.to_string()];
    subjects.extend(matter.voices.items.iter().filter_map(|voice| voice.id).map(|voice| voice.to_string()));
    file_forms(app, id, &mut record).await?;
    file_meetings(db, id, &mut record).await?;
    file_notices(db, id, &mut record).await?;
    file_votes(db, id, &mut record).await?;
    file_tasks(db, id, &mut record).await?;
    subjects.append(&mut record.subjects);
    // asked for by kind: how hundreds of voices were handled must not crowd out what was decided
    let kinds: Vec<Kind> = Kind::ALL.iter().copied().filter(|kind| sentence_key(*kind).is_some()).collect();
    let timeline = events::timeline(store, &kinds, subjects).await?.into_iter().filter_map(line).collect();
    let money = || record.stages.iter().flat_map(|stage| &stage.tasks).filter_map(|task| task.money.as_ref());
    let (budget_fen, spent_fen) = (money().map(|one| one.budget_fen).sum(), money().map(|one| one.spent_fen).sum());
    let head = events::head(store).await?;
    Ok(MatterRecord { matter, plan, budget_fen, spent_fen, timeline, head, stages: record.stages })
}

/// Stays being filled with what was put before them.
struct Filing {
    area: String,
    stages: Vec<StageRecord>,
    subjects: Vec<String>,
}

impl Filing {
    fn new(area: String, stays: Vec<StageView>) -> Self {
        let empty = |stay| StageRecord {
            stay,
            forms: Vec::new(),
            meetings: Vec::new(),
            notices: Vec::new(),
            votes: Vec::new(),
            tasks: Vec::new(),
        };
        Self { area, stages: stays.into_iter().map(empty).collect(), subjects: Vec::new() }
    }

    /// The stay whose evidence it is; what is none (yet) is filed where it began.
    fn place(&mut self, subject: String, began: DateTime<FixedOffset>) -> Option<&mut StageRecord> {
        let is_evidence = |stage: &StageRecord| {
            stage.stay.evidence.iter().any(|piece| piece.subject_id.as_deref() == Some(subject.as_str()))
        };
        let had_begun = |stage: &StageRecord| stage.stay.entered_at.is_some_and(|entered| entered <= began);
        let at =
            self.stages.iter().rposition(is_evidence).or_else(|| self.stages.iter().rposition(had_begun)).unwrap_or(0);
        self.subjects.push(subject);
        self.stages.get_mut(at)
    }
}

async fn file_forms(app: &App, id: MatterId, record: &mut Filing) -> Result<()> {
    for form in forms::queries::forms_of(app.store.read(), (&id.to_string(), &record.area)).await? {
        if !covers(&record.area, &form.area_code) {
            continue;
        }
        let results =
            if form.purpose == Purpose::Visit { None } else { Some(forms::queries::results(app, form.id).await?) };
        if let Some(stage) = record.place(form.id.to_string(), form.opens_at) {
            stage.forms.push(FormRecord { form, results });
        }
    }
    Ok(())
}

async fn file_meetings(db: &impl ConnectionTrait, id: MatterId, record: &mut Filing) -> Result<()> {
    for meeting in meetings::queries::meetings_of(db, (id, &record.area)).await? {
        if !covers(&record.area, &meeting.area_code) {
            continue;
        }
        if let Some(stage) = record.place(meeting.id.to_string(), meeting.called_at) {
            stage.meetings.push(meeting);
        }
    }
    Ok(())
}

async fn file_notices(db: &impl ConnectionTrait, id: MatterId, record: &mut Filing) -> Result<()> {
    for notice in notices::queries::notices_of(db, (id, &record.area)).await? {
        if !covers(&record.area, &notice.area_code) {
            continue;
        }
        let detail = notices::queries::detail(db, notice.id).await?;
        record.subjects.extend(detail.objection_list.iter().map(|objection| objection.id.to_string()));
        if let Some(stage) = record.place(notice.id.to_string(), notice.published_at) {
            stage.notices.push(detail);
        }
    }
    Ok(())
}

async fn file_votes(db: &impl ConnectionTrait, id: MatterId, record: &mut Filing) -> Result<()> {
    for vote in queries::votes_of(db, id).await? {
        let result = if queries::is_decided(&vote.state) { Some(queries::result_of(db, vote.id).await?) } else { None };
        if let Some(stage) = record.place(vote.id.to_string(), vote.opens_at) {
            stage.votes.push(VoteRecord { vote, result });
        }
    }
    Ok(())
}

async fn file_tasks(db: &impl ConnectionTrait, id: MatterId, record: &mut Filing) -> Result<()> {
    for task in tasks::queries::tasks_of(db, (id, &record.area)).await? {
        if !covers(&record.area, &task.area_code) {
            continue;
        }
        if let Some(stage) = record.place(task.id.to_string(), task.created_at) {
            stage.tasks.push(task);
        }
    }
    Ok(())
}

/// Who did it is told beside the stage, with the body; here it is left out, because some did it as residents.
fn line(item: TimelineItem) -> Option<TimelineView> {
    let key = sentence_key(item.kind)?;
    let stage = item.data.get("stage").and_then(|stage| stage.as_str()).and_then(Stage::parse);
    let stage = stage.map(|stage| text::word("stage", stage.as_str())).unwrap_or_default();
    Some(TimelineView {
        number: item.number,
        kind: item.kind.as_str().to_owned(),
        text: text::say_with(key, &[("stage", stage.into())]),
        at: item.at,
    })
}

/// What belongs to the story of a matter; how a voice was handled does not.
fn sentence_key(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::SuggestionSubmitted => Some("record-suggestion-submitted"),
        Kind::SuggestionJoined => Some("record-suggestion-joined"),
        Kind::MatterRaised => Some("record-matter-raised"),
        Kind::EvidenceAttached => Some("record-evidence-attached"),
        Kind::StageEntered => Some("record-stage-entered"),
        Kind::StageSkipped => Some("record-stage-skipped"),
        Kind::StageOverdue => Some("record-stage-overdue"),
        Kind::PlanWritten => Some("record-plan-written"),
        Kind::MatterHalted => Some("record-matter-halted"),
        Kind::MatterHaltEnded => Some("record-halt-ended"),
        Kind::BodyInvited => Some("record-body-invited"),
        Kind::InvitationDeclined => Some("record-invitation-declined"),
        Kind::SampleDrawn => Some("record-sample-drawn"),
        Kind::MatterEnded => Some("record-matter-ended"),
        Kind::MatterMerged => Some("record-matter-merged"),
        Kind::MatterClosed => Some("record-matter-closed"),
        Kind::FormOpened => Some("record-form-opened"),
        Kind::FormClosed => Some("record-form-closed"),
        Kind::MeetingCalled => Some("record-meeting-called"),
        Kind::MeetingHeld => Some("record-meeting-held"),
        Kind::MeetingListChanged => Some("record-meeting-list-changed"),
        Kind::NoticePublished => Some("record-notice-published"),
        Kind::NoticeRevised => Some("record-notice-revised"),
        Kind::NoticeWithdrawn => Some("record-notice-withdrawn"),
        Kind::NoticeConcluded => Some("record-notice-concluded"),
        Kind::ObjectionRaised => Some("record-objection-raised"),
        Kind::ObjectionAnswered => Some("record-objection-answered"),
        Kind::ObjectionWithdrawn => Some("record-objection-withdrawn"),
        Kind::VoteOpened => Some("record-vote-opened"),
        Kind::VoteClosed => Some("record-vote-closed"),
        Kind::VoteSettled => Some("record-vote-settled"),
        Kind::VoteBoxClosed => Some("record-vote-box-closed"),
        Kind::TaskGiven => Some("record-task-given"),
        Kind::TaskDone => Some("record-task-done"),
        Kind::TaskOverdue => Some("record-task-overdue"),
        Kind::TaskDelayed => Some("record-task-delayed"),
        Kind::TaskMoneyNoted => Some("record-task-money"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_timeline_has_its_sentence() {
        for kind in Kind::ALL {
            if let Some(key) = sentence_key(*kind) {
                assert!(text::knows(key), "{key}");
            }
        }
    }
}
