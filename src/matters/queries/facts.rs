//! Facts about the present stage, asked of forms, meetings, notices and tasks themselves.
use std::collections::{HashMap, HashSet, hash_map::Entry};

use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::ConnectionTrait;

use super::{Standing, alternatives, plan_row};
use crate::{
    app::App,
    bodies::{self, BodyKind},
    clock,
    error::Result,
    forms::{self, FormView, Purpose},
    ids::{FormId, PersonId},
    matters::{
        rows::evidence,
        rules::{
            gate::{Facts, Held, Rating},
            template::Requirement,
        },
    },
    meetings::{self, MeetingView},
    notices, suggestions,
    tasks::{self, TaskView},
};

/// What is known about the present stage of a matter: only what its requirements ask for, only what came about since it
/// was entered, and only within its area. Where one only looks, what was `counted` for another is taken; whoever decides counts now.
///
/// # Errors
/// `wrong_state` when its path does not have the stage; when the database cannot be read.
pub async fn facts(db: &impl ConnectionTrait, counted: Option<&App>, standing: &Standing) -> Result<Facts> {
    let mut facts = Facts::default();
    // what was said and resolved before counts for the plan of before
    let planned_at = plan_row(db, standing.matter.id).await?.map(|plan| plan.written_at);
    for requirement in &standing.rule()?.evidence {
        match requirement {
            Requirement::Origin { .. } => {
                facts.voices = suggestions::queries::count_joined(db, standing.matter.id).await?;
                // only a seat raises a matter, in the name of its body
                facts.proposed_by_body = true;
            }
            Requirement::Need { .. } => need(db, standing, &mut facts).await?,
            Requirement::Visits { .. } => visits(db, standing, &mut facts).await?,
            Requirement::Meeting { .. } => facts.meetings = held_meetings(db, (standing, planned_at)).await?,
            Requirement::Alternatives => {
                let said = alternatives(db, standing.matter.id).await?;
                facts.alternatives_open = said.iter().filter(|(seq, _)| !standing.is_answered(*seq)).count() as u64;
            }
            Requirement::Notice { min } => notices_hung(db, (standing, *min), &mut facts).await?,
            Requirement::Opinion { body_kind } => {
                facts.opinion = opinion(db, (standing, planned_at), body_kind.as_deref()).await?;
            }
            Requirement::Legality => {
                facts.is_reserved = standing.matter.reserved_item.is_some();
                let newest = on_plan(standing, planned_at, "legality").next_back();
                facts.legality = newest.map(|row| row.outcome.as_deref() == Some("lawful"));
            }
            Requirement::Vote => {
                facts.vote_passed =
                    standing.since_entered("vote_result").any(|row| row.outcome.as_deref() == Some("passed"));
            }
            Requirement::Tasks { .. } => tasks_given(db, standing, &mut facts).await?,
            Requirement::Rating { min_mean_hundredths, .. } => {
                facts.rating = rating(db, counted, (standing, *min_mean_hundredths)).await?;
            }
            Requirement::Report => facts.report = standing.since_entered("report").next().is_some(),
        }
    }
    Ok(facts)
}

/// Evidence of a kind that was given in this stay, and since the present plan was written.
fn on_plan<'a>(
    standing: &'a Standing,
    planned_at: Option<DateTime<Utc>>,
    kind: &'static str,
) -> impl DoubleEndedIterator<Item = &'a evidence::Model> {
    standing.since_entered(kind).filter(move |row| planned_at.is_none_or(|at| row.at >= at))
}

/// Does the newest opinion agree, if only a kind of body is asked, that one's?
async fn opinion(
    db: &impl ConnectionTrait,
    (standing, planned_at): (&Standing, Option<DateTime<Utc>>),
    kind: Option<&str>,
) -> Result<Option<bool>> {
    let said: Vec<_> = on_plan(standing, planned_at, "opinion").collect();
    for row in said.into_iter().rev() {
        let is_asked = match (kind, row.body_id) {
            (None, _) => true,
            (Some(kind), Some(body)) => {
                let body = bodies::get(db, body).await?;
                body.kind.as_str() == kind && body.areas.contains(&standing.matter.area_code)
            }
            (Some(_), None) => false,
        };
        if is_asked {
            return Ok(Some(row.outcome.as_deref() == Some("agree")));
        }
    }
    Ok(None)
}

async fn need(db: &impl ConnectionTrait, standing: &Standing, facts: &mut Facts) -> Result<()> {
    let surveys = closed(db, standing, Purpose::Survey).await?;
    facts.survey_answers = surveys.iter().map(|form| form.answers).max().unwrap_or(0);
    facts.visits = homes(db, sheets(db, standing).await?).await?;
    Ok(())
}

async fn visits(db: &impl ConnectionTrait, standing: &Standing, facts: &mut Facts) -> Result<()> {
    let sheets = sheets(db, standing).await?;
    let visited: HashSet<PersonId> = forms::queries::people_answered(db, sheets.clone()).await?.into_iter().collect();
    let objectors = notices::queries::objectors_of(db, standing.matter.id, &standing.matter.area_code).await?;
    facts.visits = homes(db, sheets).await?;
    facts.objectors = objectors.len() as u64;
    facts.objectors_visited = objectors.iter().filter(|person| visited.contains(person)).count() as u64;
    Ok(())
}

/// Closed sheets of visits.
async fn sheets(db: &impl ConnectionTrait, standing: &Standing) -> Result<Vec<FormId>> {
    Ok(closed(db, standing, Purpose::Visit).await?.iter().map(|form| form.id).collect())
}

/// Households visited; of those that were drawn, where some were.
async fn homes(db: &impl ConnectionTrait, sheets: Vec<FormId>) -> Result<u64> {
    Ok(forms::queries::homes_visited(db, sheets).await?.len() as u64)
}

/// Forms of this purpose that were closed in this stage, oldest first.
async fn closed(db: &impl ConnectionTrait, standing: &Standing, purpose: Purpose) -> Result<Vec<FormView>> {
    let mut forms = forms::queries::forms_of(db, (&standing.matter.id.to_string(), &standing.matter.area_code)).await?;
    forms.retain(|form| form.purpose == purpose && standing.covers(&form.area_code) && since(standing, form.closed_at));
    Ok(forms)
}

async fn held_meetings(
    db: &impl ConnectionTrait,
    (standing, planned_at): (&Standing, Option<DateTime<Utc>>),
) -> Result<Vec<Held>> {
    let mut held = meetings::queries::meetings_of(db, (standing.matter.id, &standing.matter.area_code)).await?;
    // where a body meets by itself, not where it calls the villagers
    held.retain(|meeting| {
        meeting.minutes.is_some()
            && meeting.audience == meetings::Audience::Members
            && standing.covers(&meeting.area_code)
            && since(standing, meeting.held_at)
    });
    let mut kinds = HashMap::new();
    // one body meets several times; seldom two about one matter
    for meeting in &held {
        if let Entry::Vacant(new) = kinds.entry(meeting.body_id) {
            let body = bodies::get(db, meeting.body_id).await?;
            // the village's own, not one of the town's that covers it
            let is_own = body.areas.contains(&standing.matter.area_code);
            new.insert(is_own.then_some(body.kind));
        }
    }
    let own = held.iter().filter_map(|meeting| Some((meeting, (*kinds.get(&meeting.body_id)?)?)));
    let fact = |(meeting, kind): (&MeetingView, BodyKind)| Held {
        body_kind: kind.as_str().to_owned(),
        needed: meeting.quorum.map(|quorum| quorum.needed),
        present: meeting.quorum.map_or(0, |quorum| quorum.present),
        is_resolved: meeting.resolutions.iter().any(|one| one.is_carried),
        // nobody can tell which version lay before them of one that was written while they met
        is_outdated: planned_at.is_some_and(|at| at > meeting.starts_at),
    };
    Ok(own.map(fact).collect())
}

async fn notices_hung(db: &impl ConnectionTrait, (standing, min): (&Standing, u64), facts: &mut Facts) -> Result<()> {
    let mut hung = notices::queries::notices_of(db, (standing.matter.id, &standing.matter.area_code)).await?;
    hung.retain(|notice| standing.covers(&notice.area_code) && since(standing, Some(notice.published_at)));
    let concluded = hung.iter().filter(|notice| notice.state == notices::queries::CONCLUDED);
    facts.notices_concluded = if min > 1 {
        // one that tells what came of it hangs after everything was done; the others together count as the one before
        let tasks = own_tasks(db, standing).await?;
        let is_done = tasks.iter().all(|task| task.done_at.is_some());
        let done = tasks.iter().filter_map(|task| task.done_at).max().filter(|_| is_done);
        let (after, before): (Vec<_>, Vec<_>) =
            concluded.partition(|notice| done.is_some_and(|done| notice.published_at >= done));
        u64::from(!after.is_empty()) + u64::from(!before.is_empty())
    } else {
        concluded.count() as u64
    };
    // those to a notice that was taken down wait for an answer, too
    facts.objections_open = hung.iter().map(|notice| notice.open_objections).sum();
    Ok(())
}

async fn tasks_given(db: &impl ConnectionTrait, standing: &Standing, facts: &mut Facts) -> Result<()> {
    let tasks = own_tasks(db, standing).await?;
    facts.tasks_open = tasks.iter().filter(|task| task.state == tasks::queries::OPEN).count() as u64;
    facts.tasks = facts.tasks_open + tasks.iter().filter(|task| since(standing, task.done_at)).count() as u64;
    Ok(())
}

/// The newest rating that was closed in this stage, whether something was put right after it, and whether one before it was
/// too low and nothing was put right since.
async fn rating(
    db: &impl ConnectionTrait,
    counted: Option<&App>,
    (standing, min_mean): (&Standing, u64),
) -> Result<Option<Rating>> {
    let mut forms = closed(db, standing, Purpose::Rating).await?;
    forms.sort_by_key(|form| form.closed_at);
    let tasks = own_tasks(db, standing).await?;
    let mut newest: Option<Rating> = None;
    for form in forms {
        let tally = match counted {
            Some(app) => forms::queries::results(app, form.id).await?,
            None => forms::queries::tally(db, form.id).await?,
        };
        // ids are in order of time: what was given before the rating was opened is what was rated
        let later = |task: &TaskView| {
            task.done_at.is_some() && Some(task.created_at) >= form.closed_at && task.id.0 > form.id.0
        };
        let is_low = |one: Rating| one.mean_hundredths.is_some_and(|mean| mean < min_mean) && !one.rectified;
        newest = Some(Rating {
            answers: tally.answers,
            mean_hundredths: tally.mean_hundredths.map(i64::unsigned_abs),
            rectified: tasks.iter().any(later),
            was_low: newest.is_some_and(|before| before.was_low || is_low(before)),
        });
    }
    Ok(newest)
}

async fn own_tasks(db: &impl ConnectionTrait, standing: &Standing) -> Result<Vec<TaskView>> {
    let mut tasks = tasks::queries::tasks_of(db, (standing.matter.id, &standing.matter.area_code)).await?;
    tasks.retain(|task| standing.covers(&task.area_code));
    Ok(tasks)
}

/// Did it happen in this stay?
fn since(standing: &Standing, at: Option<DateTime<FixedOffset>>) -> bool {
    at.is_some_and(|at| at >= clock::local(standing.stay.entered_at))
}
