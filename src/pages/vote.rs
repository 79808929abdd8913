//! `/votes`: what waits for one's vote; a question, a choice, the choice once more, the receipt; every number afterwards.
use askama::Template;
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use uuid::Uuid;

use super::{
    fields::{Fields, Wrong},
    layout::{Live, Page, Resident, Viewer, render, render_as, see, up},
    words::Words,
};
use crate::{
    app::{App, Path, Query},
    error::{Code, Result},
    ids::VoteId,
    page::PageQuery,
    votes::{
        CastBallot, Choice, OpenVoteView, ResultView, VoteView,
        commands::{BallotReceipt, cast},
        queries::{self, BallotView, MyVote},
        rules::{self, Preset},
    },
};

const CHOICES: [Choice; 3] = [Choice::For, Choice::Against, Choice::Abstain];

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/votes", get(list))
        .route("/votes/{id}", get(show))
        .route("/votes/{id}/confirm", post(confirm).get(up))
        .route("/votes/{id}/ballots", post(take).get(up))
        .route("/votes/{id}/result", get(result))
}

#[derive(Template)]
#[template(path = "votes.html")]
struct VotesPage {
    page: Page,
    open: Vec<OpenVoteView>,
    closed: Vec<ResultView>,
}

async fn list(State(app): State<App>, who: Resident) -> Result<Response> {
    let open = queries::open_votes_for(app.store.read(), who.actor.person).await?;
    let closed = queries::results_in(app.store.read(), &who.actor.area).await?;
    Ok(render(&VotesPage { page: who.page("page-votes"), open, closed }))
}

#[derive(Template)]
#[template(path = "vote.html")]
struct VotePage {
    page: Page,
    vote: VoteView,
    preset: Option<&'static Preset>,
    mine: Option<MyVote>,
    choices: [Choice; 3],
    wrong: Wrong,
}

impl VotePage {
    fn receipt(&self) -> Option<&BallotReceipt> {
        self.mine.as_ref()?.receipt.as_ref()
    }

    fn may_vote(&self) -> bool {
        self.vote.state == "open" && self.mine.as_ref().is_some_and(|mine| mine.is_on_roll && !mine.has_cast)
    }

    fn is_stranger(&self) -> bool {
        self.mine.as_ref().is_some_and(|mine| !mine.is_on_roll)
    }
}

#[derive(Template)]
#[template(path = "vote_confirm.html")]
struct ConfirmPage {
    page: Page,
    vote: VoteView,
    choice: Choice,
    /// Made here, once a ballot: tapping twice, or sending again after the network failed, is the same ballot.
    cast_id: Uuid,
}

async fn show(State(app): State<App>, viewer: Viewer, Path(id): Path<VoteId>) -> Result<Response> {
    shown(&app, &viewer, id, Wrong::default()).await
}

async fn shown(app: &App, viewer: &Viewer, id: VoteId, wrong: Wrong) -> Result<Response> {
    let vote = queries::vote(app.store.read(), id).await?;
    let mine = match &viewer.actor {
        Some(actor) => Some(queries::my_vote(app, actor, id).await?),
        None => None,
    };
    let page = viewer.page("page-vote").titled(vote.label.clone()).back("/votes").at(format!("/votes/{id}"));
    let page = page.live(Live::always().unless(wrong.is_any()));
    let preset = rules::preset(&vote.preset);
    Ok(render_as(wrong.status(), &VotePage { page, preset, mine, choices: CHOICES, vote, wrong }))
}

/// The choice is never part of an address: it comes and goes in forms.
async fn confirm(State(app): State<App>, who: Resident, Path(id): Path<VoteId>, form: Fields) -> Result<Response> {
    let choice = match form.choice::<Choice>("choice") {
        Ok(choice) => choice,
        Err(error) => return shown(&app, &who.viewer, id, Wrong::from(error)?).await,
    };
    let vote = queries::vote(app.store.read(), id).await?;
    let page = who.page("page-vote-confirm").back(format!("/votes/{id}")).at(format!("/votes/{id}"));
    Ok(render(&ConfirmPage { page, vote, choice, cast_id: Uuid::new_v4() }))
}

async fn take(State(app): State<App>, who: Resident, Path(id): Path<VoteId>, form: Fields) -> Result<Response> {
    let ballot = CastBallot { cast_id: form.required("cast_id")?, choice: form.choice("choice")? };
    let person = who.actor.person;
    match app.store.write(move |tx| Box::pin(cast(tx, person, id, ballot))).await {
        Ok(_) => Ok(see(&format!("/votes/{id}"))),
        // the receipt of the ballot that was taken says more than a refusal
        Err(error) if error.code() == Code::AlreadyCast => Ok(see(&format!("/votes/{id}"))),
        Err(error) => shown(&app, &who.viewer, id, Wrong::from(error)?).await,
    }
}

#[derive(Template)]
#[template(path = "vote_result.html")]
struct ResultPage {
    page: Page,
    vote: VoteView,
    result: ResultView,
    ballots: Vec<BallotView>,
    next: Option<String>,
}

async fn result(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<VoteId>,
    Query(query): Query<PageQuery>,
) -> Result<Response> {
    let db = app.store.read();
    let vote = queries::vote(db, id).await?;
    if vote.state == "open" {
        return Ok(see(&format!("/votes/{id}")));
    }
    let result = queries::result_of(db, id).await?;
    let sees = viewer.actor.as_ref().filter(|actor| actor.sees(&vote.area_code));
    let (ballots, next) = match sees {
        Some(actor) => {
            let query = PageQuery { limit: query.limit.or(Some(100)), ..query };
            let found = queries::ballots(db, actor, id, &query).await?;
            (found.items, found.next_cursor)
        }
        None => (Vec::new(), None),
    };
    let page =
        viewer.page("page-vote-result").back(format!("/matters/{}", vote.matter_id)).at(format!("/votes/{id}/result"));
    Ok(render(&ResultPage { page, vote, result, ballots, next }))
}
