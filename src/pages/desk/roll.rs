//! The roll of a vote on the desk: the sheet that hangs at the office, objections, and what two people decide about them.
use askama::Template;
use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};

use super::frame::{Clerk, Desk, Draft};
use crate::{
    app::{App, Path},
    board::{self, HeadView},
    error::{Checks, Code, Result},
    ids::{RollObjectionId, VoteId},
    pages::{
        fields::Fields,
        layout::{Page, render_as, see},
        words::Words,
    },
    text,
    votes::{
        RaiseRollObjection, VoteView,
        commands::{
            ConfirmRollObjection, DecideRollObjection, confirm_roll_objection, decide_roll_objection, proxies::Called,
            raise_roll_objection,
        },
        office::{is_late_strike, may_run, stands_in},
        queries::{
            self,
            roll_list::{RollEntryView, RollObjectionView, RollView, objections, roll, sheet},
        },
    },
};

#[derive(Template)]
#[template(path = "desk/roll.html")]
struct RollPage {
    page: Page,
    desk: Desk,
    vote: VoteView,
    roll: RollView,
    /// Where the board stands, for the sheet of paper that hangs.
    head: Option<HeadView>,
    objections: Vec<RollObjectionView>,
    entries: Vec<RollEntryView>,
    /// May the clerk object and decide?
    runs: bool,
    /// May the clerk decide what the office let lie?
    stands_in: bool,
    now: DateTime<Utc>,
    draft: Draft,
}

impl RollPage {
    fn may_decide(&self, objection: &RollObjectionView) -> bool {
        let is_theirs = objection.due_at <= self.now || self.needs_one_apart(objection);
        objection.waits() && (self.runs || (self.stands_in && is_theirs))
    }

    /// Must one of the two who decide it be apart from the office?
    fn needs_one_apart(&self, objection: &RollObjectionView) -> bool {
        let vote = (self.vote.state.as_str(), self.vote.closes_at.to_utc());
        objection.waits() && is_late_strike((objection.kind.as_str(), objection.upholds), vote, self.now)
    }

    fn object_path(&self) -> String {
        format!("/desk/votes/{}/roll/object", self.vote.id)
    }
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Path(id): Path<VoteId>) -> Result<Response> {
    shown(&app, &clerk, id, Draft::default()).await
}

async fn shown(app: &App, clerk: &Clerk, id: VoteId, draft: Draft) -> Result<Response> {
    let db = app.store.read();
    let vote = queries::vote(db, id).await?;
    clerk.sits_over(&vote.area_code)?;
    let shown = RollPage {
        page: clerk.page(text::say("page-roll")).at(format!("/desk/votes/{id}/roll")),
        desk: clerk.desk(),
        roll: roll(app, id).await?,
        head: if vote.has_board { Some(board::queries::newest(db, id).await?) } else { None },
        objections: objections(db, &clerk.actor, id).await?,
        entries: sheet(db, &clerk.actor, id).await?,
        runs: may_run(&clerk.actor, &vote) && queries::runs(&vote.state),
        stands_in: stands_in(&clerk.actor, &vote) && queries::runs(&vote.state),
        now: app.now(),
        vote,
        draft,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// An objection, a decision, a confirmation.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path((id, form)): Path<(VoteId, String)>,
    fields: Fields,
) -> Result<Response> {
    let vote = queries::vote(app.store.read(), id).await?;
    clerk.sits_over(&vote.area_code)?;
    let done = match form.as_str() {
        "object" => object(&app, &clerk, id, &fields).await,
        "decide" => decide(&app, &clerk, id, &fields).await,
        "confirm" => confirm(&app, &clerk, id, &fields).await,
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see(&format!("/desk/votes/{id}/roll"))),
        Err(error) => shown(&app, &clerk, id, Draft::refused(&form, fields, error)?).await,
    }
}

async fn object(app: &App, clerk: &Clerk, id: VoteId, fields: &Fields) -> Result<()> {
    let about = Called {
        name: fields.text("about.name").to_owned(),
        roster_number: fields.given("about_roster_number").map(str::to_owned),
    };
    let reason = fields.text("reason").to_owned();
    let input = RaiseRollObjection { kind: fields.choice("kind")?, about: Some(about), reason };
    let raised =
        app.once(clerk.actor.clone(), fields.key(), "raise_roll_objection", (id, input), |tx, actor, input| {
            Box::pin(raise_roll_objection(tx, actor, input))
        });
    raised.await.map(drop)
}

async fn decide(app: &App, clerk: &Clerk, id: VoteId, fields: &Fields) -> Result<()> {
    let objection = fields.required::<RollObjectionId>("objection_id")?;
    let mut checks = Checks::default();
    checks.require(fields.given("upholds").is_some(), "upholds", "required");
    checks.done()?;
    let input =
        DecideRollObjection { upholds: fields.text("upholds") == "yes", reason: fields.text("reason").to_owned() };
    let (actor, about) = (clerk.actor.clone(), (id, objection, input));
    let done = app.store.write(move |tx| Box::pin(async move { decide_roll_objection(tx, &actor, about).await }));
    done.await.map(drop)
}

async fn confirm(app: &App, clerk: &Clerk, id: VoteId, fields: &Fields) -> Result<()> {
    let objection = fields.required::<RollObjectionId>("objection_id")?;
    let input =
        ConfirmRollObjection { upholds: fields.text("upholds") == "yes", reason: fields.text("reason").to_owned() };
    let (actor, about) = (clerk.actor.clone(), (id, objection, input));
    let done = app.store.write(move |tx| Box::pin(async move { confirm_roll_objection(tx, &actor, about).await }));
    done.await.map(drop)
}
