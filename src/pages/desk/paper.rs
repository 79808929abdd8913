//! Paper on the desk: sheets handed out and given back, ballots and tally sheets to print, what two people counted.
use std::collections::BTreeMap;

use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

use super::frame::{Clerk, Desk, Draft};
use crate::{
    app::{App, Path, Query},
    error::{Checks, Code, Result},
    ids::{PersonId, VoteId},
    pages::{
        fields::{Fields, Form, Sent, with_files},
        layout::{Page, render, render_as, see},
        words::Words,
    },
    text,
    votes::{
        VoteView,
        commands::{
            boxes::{CountBox, SignPaper, count_box, sign_paper},
            paper::{EndSheet, IssueSheet, end_sheet, issue_sheet},
            replace::{self, ReplaceCounter},
        },
        office::{is_about, is_left_lying, may_bend, may_run, stands_in},
        queries::{
            self,
            paper::{PaperView, is_counting, paper},
            replaced::ReplacementView,
        },
        rules::paper::SheetFigures,
    },
};

/// Ballots printed in one go at most.
const MAX_PRINTED: i32 = 200;
/// Ballots alike on one line of the tally at most.
const MAX_ALIKE: u64 = 100_000;

#[derive(Template)]
#[template(path = "desk/paper.html")]
struct PaperPage {
    page: Page,
    desk: Desk,
    vote: VoteView,
    paper: PaperView,
    /// What may be marked: key and text.
    marks: Vec<(String, String)>,
    can_issue: bool,
    /// Those who say what is lost or void, or see a late counting through, need not hand out sheets.
    can_end: bool,
    /// The one who looks, who confirms nothing of the own.
    own: PersonId,
    draft: Draft,
}

impl PaperPage {
    /// What stands together on a ballot, in words.
    fn said(&self, keys: &str) -> String {
        let text = |key: &str| {
            let found = self.marks.iter().find(|(own, _)| own == key);
            found.map(|(_, text)| text.clone()).unwrap_or_default()
        };
        keys.split(',').map(text).collect::<Vec<_>>().join("、")
    }

    /// Whose count it is, where the name is known.
    fn counter(&self, one: &ReplacementView) -> String {
        let counters = self.paper.boxes.iter().flat_map(|one| &one.counters);
        counters
            .filter(|who| Some(who.person_id) == one.counter_id)
            .map(|who| who.name.clone())
            .next()
            .unwrap_or_default()
    }

    fn is_own(&self, one: &ReplacementView) -> bool {
        one.proposed_by == Some(self.own)
    }

    fn form_path(&self, form: &str) -> String {
        format!("/desk/votes/{}/paper/{form}", self.vote.id)
    }
}

fn marks(vote: &VoteView) -> Vec<(String, String)> {
    if vote.options.is_empty() {
        return ["for", "against"].map(|mark| (mark.to_owned(), text::word("choice", mark))).into();
    }
    vote.options.iter().map(|option| (option.key.clone(), option.text.clone())).collect()
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Path(id): Path<VoteId>) -> Result<Response> {
    shown(&app, &clerk, id, Draft::default()).await
}

async fn shown(app: &App, clerk: &Clerk, id: VoteId, draft: Draft) -> Result<Response> {
    let db = app.store.read();
    let vote = queries::vote(db, id).await?;
    clerk.sits_over(&vote.area_code)?;
    let can_issue = may_run(&clerk.actor, &vote);
    let bends = is_counting(&vote.state) && may_bend(&clerk.actor, &vote);
    let closed_at = vote.closed_at.map(|at| at.to_utc());
    let is_late = is_left_lying(&app.calendar, (&vote.state, closed_at), app.now());
    let sees_through = is_late && stands_in(&clerk.actor, &vote) && !is_about(&clerk.actor, &vote);
    let shown = PaperPage {
        page: clerk.page(text::say("desk-paper")).at(format!("/desk/votes/{id}/paper")),
        desk: clerk.desk(),
        paper: paper(db, &clerk.actor, id).await?,
        marks: marks(&vote),
        can_issue,
        can_end: can_issue || bends || sees_through,
        own: clerk.actor.person,
        vote,
        draft,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

#[derive(Template)]
#[template(path = "desk/paper_print.html")]
struct PrintPage {
    page: Page,
    desk: Desk,
    vote: VoteView,
    marks: Vec<(String, String)>,
    from: i32,
    serials: Vec<i32>,
}

/// Which ballots to print.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Printed {
    from: Option<i32>,
    count: Option<i32>,
}

/// Ballots with their stubs, and a tally sheet.
pub(super) async fn print(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<VoteId>,
    Query(asked): Query<Printed>,
) -> Result<Response> {
    let db = app.store.read();
    let vote = queries::vote(db, id).await?;
    clerk.sits_over(&vote.area_code)?;
    let known = paper(db, &clerk.actor, id).await?;
    let next = known.log.first().map_or(1, |sheet| sheet.serial.saturating_add(1));
    let from = asked.from.unwrap_or(next).clamp(1, 1_000_000);
    let count = asked.count.unwrap_or(10).clamp(1, MAX_PRINTED);
    let page = clerk.page(text::say("desk-paper-print")).at(format!("/desk/votes/{id}/paper/print"));
    let serials = (from..from + count).collect();
    Ok(render(&PrintPage { page, desk: clerk.desk(), marks: marks(&vote), vote, from, serials }))
}

/// A sheet is handed out or ends, or the paper is signed.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path((id, form)): Path<(VoteId, String)>,
    fields: Fields,
) -> Result<Response> {
    let vote = queries::vote(app.store.read(), id).await?;
    clerk.sits_over(&vote.area_code)?;
    let done = match form.as_str() {
        "issue" => issue(&app, &clerk, id, &fields).await,
        "end" => end(&app, &clerk, id, &fields).await,
        "sign" => sign(&app, &clerk, id, &fields).await,
        "replace" => replace(&app, &clerk, id, (false, &fields)).await,
        "replaced" => replace(&app, &clerk, id, (true, &fields)).await,
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see(&format!("/desk/votes/{id}/paper"))),
        // who only looks is told so, whatever else there is to say
        Err(error) if error.code() == Code::NotAllowed => Err(error),
        Err(error) => shown(&app, &clerk, id, Draft::refused(&form, fields, error)?).await,
    }
}

async fn issue(app: &App, clerk: &Clerk, id: VoteId, fields: &Fields) -> Result<()> {
    let input = IssueSheet {
        number: fields.required("number")?,
        to_proxy: fields.text("to_proxy") == "yes",
        mobile_box: fields.optional("mobile_box")?,
    };
    let issued = app.once(clerk.actor.clone(), fields.key(), "issue_sheet", (id, input), |tx, actor, input| {
        Box::pin(issue_sheet(tx, actor, input))
    });
    issued.await.map(drop)
}

async fn end(app: &App, clerk: &Clerk, id: VoteId, fields: &Fields) -> Result<()> {
    let (serial, input) = (fields.required::<i32>("serial")?, EndSheet { outcome: fields.choice("outcome")? });
    let (actor, about) = (clerk.actor.clone(), (id, serial, input));
    let done = app.store.write(move |tx| Box::pin(async move { end_sheet(tx, &actor, about).await }));
    done.await.map(drop)
}

async fn sign(app: &App, clerk: &Clerk, id: VoteId, fields: &Fields) -> Result<()> {
    let input =
        SignPaper { is_void: fields.text("is_void") == "yes", reason: fields.given("reason").map(str::to_owned) };
    let actor = clerk.actor.clone();
    app.store.write(move |tx| Box::pin(async move { sign_paper(tx, &actor, (id, input)).await })).await
}

/// Somebody's count of a box is to be set aside, or is.
async fn replace(app: &App, clerk: &Clerk, id: VoteId, (confirms, fields): (bool, &Fields)) -> Result<()> {
    let input = ReplaceCounter {
        box_number: fields.required("box")?,
        counter_id: fields.required::<PersonId>("counter_id")?,
        reason: fields.text("reason").to_owned(),
    };
    let actor = clerk.actor.clone();
    let done = app.store.write(move |tx| {
        Box::pin(async move {
            match confirms {
                true => replace::confirm(tx, &actor, (id, input)).await,
                false => replace::propose(tx, &actor, (id, input)).await,
            }
        })
    });
    done.await.map(drop)
}

/// What somebody counted in a box, with the photo of the tally sheet.
pub(super) async fn count(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<VoteId>,
    form: Form,
) -> Result<Response> {
    let vote = queries::vote(app.store.read(), id).await?;
    clerk.sits_over(&vote.area_code)?;
    let mut sent = with_files(&app, &clerk.actor, form).await?;
    match counted(&app, &clerk, &vote, &mut sent).await {
        Ok(()) => Ok(see(&format!("/desk/votes/{id}/paper"))),
        Err(error) if error.code() == Code::NotAllowed => Err(error),
        Err(error) => shown(&app, &clerk, id, Draft::refused("count", sent.fields, error)?).await,
    }
}

/// A line for each ballot with the numbers that are marked on it, as they were called: `1 3`; several alike as `1 3 x4`.
fn by_line(vote: &VoteView, text: &str) -> Result<BTreeMap<String, u64>> {
    let (mut votes, mut checks) = (BTreeMap::new(), Checks::default());
    for (line, at) in text.lines().map(str::trim).zip(1..).filter(|(line, _)| !line.is_empty()) {
        let (marks, times) = match line.rsplit_once(['x', 'X', '×']) {
            Some((marks, times)) => (marks, times.trim().parse::<u64>().unwrap_or(0)),
            None => (line, 1),
        };
        let told: Vec<&str> = marks.split([' ', ',', '，', '、']).filter(|mark| !mark.is_empty()).collect();
        let keys = vote.options.iter().map(|option| option.key.as_str());
        let marked: Vec<&str> = keys.filter(|key| told.contains(key)).collect();
        let most = usize::try_from(vote.max_choices).unwrap_or(0);
        let is_read =
            marked.len() == told.len() && (1..=most).contains(&marked.len()) && (1..=MAX_ALIKE).contains(&times);
        checks.require(is_read, &format!("ballots, line {at}"), "invalid");
        if is_read {
            // never more than may be alike in a line: the sum cannot run over
            *votes.entry(marked.join(",")).or_default() += times;
        }
    }
    checks.done()?;
    Ok(votes)
}

async fn counted(app: &App, clerk: &Clerk, vote: &VoteView, sent: &mut Sent) -> Result<()> {
    sent.whole()?;
    let number = |name: &str| Ok::<u64, crate::error::Error>(sent.fields.optional(name)?.unwrap_or(0));
    let mut votes = BTreeMap::new();
    if vote.max_choices > 1 {
        votes = by_line(vote, sent.fields.text("ballots"))?;
    } else {
        for (mark, _) in marks(vote) {
            let ballots = number(&format!("votes.{mark}"))?;
            votes.insert(mark, ballots);
        }
    }
    let figures = SheetFigures { votes, abstain: number("abstain")?, invalid: number("invalid")? };
    let photo_id = sent.media().first().copied();
    let input = CountBox { box_number: sent.fields.required("box")?, figures, photo_id };
    let done = app.once(clerk.actor.clone(), sent.fields.key(), "count_box", (vote.id, input), |tx, actor, input| {
        Box::pin(count_box(tx, actor, input))
    });
    done.await.map(drop)
}
