//! `/votes`: what waits for one's vote; a question, a choice, the choice once more, the receipt; every number afterwards.
use askama::Template;
use axum::{Router, extract::State, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    fields::{Fields, Wrong},
    layout::{Live, Page, Resident, Viewer, asking, render, render_as, see, up},
    untold::AtDoors,
    words::Words,
};
use crate::{
    aloud::{self, ClipView},
    app::{
        App, Path, Query,
        routing::{get, post},
    },
    delivery::doors::Called,
    error::{Checks, Code, Result},
    ids::VoteId,
    page::PageQuery,
    text,
    votes::{
        CastBallot, Choice, OpenVoteView, ProxyView, ResultView, VoteView,
        commands::BallotReceipt,
        queries::{
            self, BallotView, MyVote,
            challenges::{self, ChallengeView},
            roll_list::may_see,
            turnout::{TurnoutView, turnout},
        },
        rules::Preset,
        sealed::{self, CastEnvelope},
    },
    wechat::rules::Moment,
};

const CHOICES: [Choice; 3] = [Choice::For, Choice::Against, Choice::Abstain];

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/votes", get(list))
        .route("/votes/{id}", get(show))
        .route("/votes/{id}/confirm", post(confirm).merge(get(up)))
        .route("/votes/{id}/ballots", post(take).merge(get(up)))
        .route("/votes/{id}/envelopes", post(take_sealed).merge(get(up)))
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
    /// The rule by which it was opened.
    preset: Preset,
    mine: Option<MyVote>,
    /// For whom one casts here, if for somebody else.
    other: Option<ProxyView>,
    /// The receipt of the ballot that the viewer cast for that one.
    proxied: Option<BallotReceipt>,
    /// Somebody else was named in the address for whom one may not cast, or no longer: then there is no form at all, or the
    /// ballot would be the own.
    is_lost: bool,
    choices: [Choice; 3],
    /// Who goes round because of it, and who was told so.
    doors: AtDoors,
    clip: Option<ClipView>,
    wrong: Wrong,
}

impl VotePage {
    fn receipt(&self) -> Option<&BallotReceipt> {
        match self.other {
            Some(_) => self.proxied.as_ref(),
            None => self.mine.as_ref()?.receipt.as_ref(),
        }
    }

    fn may_vote(&self) -> bool {
        let again = self.vote.allows_revote;
        let may = match &self.other {
            Some(other) => other.state == "checked" && (!other.has_cast || again),
            None => {
                self.mine.as_ref().is_some_and(|mine| mine.is_on_roll && !mine.has_sheet && (!mine.has_cast || again))
            }
        };
        self.vote.takes_ballots() && may && !self.is_lost && !self.is_on_paper()
    }

    /// Those for whom one may cast, on the own page.
    fn others(&self) -> impl Iterator<Item = &ProxyView> {
        let own = self.mine.as_ref().filter(|_| self.other.is_none() && self.vote.takes_ballots());
        own.into_iter().flat_map(|mine| &mine.casts_for).filter(|one| one.state == "checked")
    }

    fn has_cast(&self) -> bool {
        self.other.is_none() && self.mine.as_ref().is_some_and(|mine| mine.has_cast)
    }

    fn has_sheet(&self) -> bool {
        self.other.is_none() && self.mine.as_ref().is_some_and(|mine| mine.has_sheet)
    }

    fn has_proxies(&self) -> bool {
        self.preset.proxy.is_some()
    }

    fn is_secret(&self) -> bool {
        self.vote.secrecy == "secret"
    }

    /// Does the law keep it there?
    fn is_kept_on_paper(&self) -> bool {
        self.preset.paper_required
    }

    /// In a booth, on sheets alone?
    fn is_on_paper(&self) -> bool {
        self.vote.secrecy == "paper"
    }

    fn is_stranger(&self) -> bool {
        self.mine.as_ref().is_some_and(|mine| !mine.is_on_roll && mine.household.is_none())
    }
}

#[derive(Template)]
#[template(path = "vote_confirm.html")]
struct ConfirmPage {
    page: Page,
    vote: VoteView,
    /// As they stand on the ballot.
    marks: Vec<String>,
    /// The same in Chinese.
    said: String,
    other: Option<ProxyView>,
    /// Made here, once a ballot: tapping twice, or sending again after the network failed, is the same ballot.
    cast_id: Uuid,
}

/// For whom: the number of an elector who named the viewer.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    r#for: Option<i32>,
}

async fn show(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<VoteId>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    shown(&app, &viewer, id, (asked.r#for, Wrong::default())).await
}

fn among(mine: &MyVote, number: Option<i32>) -> Option<ProxyView> {
    mine.casts_for.iter().find(|one| Some(one.number) == number).cloned()
}

async fn shown(app: &App, viewer: &Viewer, id: VoteId, (number, wrong): (Option<i32>, Wrong)) -> Result<Response> {
    let vote = queries::vote(app.store.read(), id).await?;
    let mine = match &viewer.actor {
        Some(actor) => Some(queries::my_vote(app, actor, id).await?),
        None => None,
    };
    let page = viewer.page("page-vote").titled(vote.label.clone()).back("/votes").at(format!("/votes/{id}"));
    let page = page.live(Live::always().unless(wrong.is_any()));
    let preset = queries::rule(app.store.read(), id).await?;
    let other = mine.as_ref().and_then(|mine| among(mine, number));
    let is_lost = number.is_some() && other.is_none();
    let proxied = match (&viewer.actor, &other) {
        (Some(actor), Some(one)) => queries::receipt_for(app, actor, (id, one.number)).await?,
        _ => None,
    };
    let clip = aloud::queries::of_vote(app.store.read(), id).await?;
    let called = Called::Vote(Box::new(vote.clone()));
    let doors = AtDoors::of(app.store.read(), viewer.actor.as_ref(), &called).await?;
    let mut shown =
        VotePage { page, preset, mine, other, proxied, is_lost, choices: CHOICES, doors, clip, vote, wrong };
    if !shown.may_vote() {
        // no script of others beside a ballot
        shown.page = viewer.asked(app, shown.page, Moment::Vote).await;
    }
    Ok(asking(render_as(shown.wrong.status(), &shown), &shown.page))
}

/// The choice is never part of an address: it comes and goes in forms.
async fn confirm(State(app): State<App>, who: Resident, Path(id): Path<VoteId>, form: Fields) -> Result<Response> {
    let vote = queries::vote(app.store.read(), id).await?;
    let marks = match marked(&vote, &form) {
        Ok(marks) => marks,
        Err(error) => return shown(&app, &who.viewer, id, (form.optional("elector")?, Wrong::from(error)?)).await,
    };
    let said = said(&vote, &marks);
    let elector = form.optional("elector")?;
    let other = among(&queries::my_vote(&app, &who.actor, id).await?, elector);
    if elector.is_some() && other.is_none() {
        let wrong = Wrong::from(Code::ProxyNotAllowed.into())?;
        return shown(&app, &who.viewer, id, (elector, wrong)).await;
    }
    let page = who.page("page-vote-confirm").back(format!("/votes/{id}")).at(format!("/votes/{id}"));
    Ok(render(&ConfirmPage { page, vote, marks, said, other, cast_id: Uuid::new_v4() }))
}

/// The marks of a form, fit for the vote.
fn marked(vote: &VoteView, form: &Fields) -> Result<Vec<String>> {
    if vote.options.is_empty() {
        return Ok(vec![form.choice::<Choice>("choice")?.as_str().to_owned()]);
    }
    let marks: Vec<String> = form.all("choice").filter(|mark| !mark.is_empty()).map(str::to_owned).collect();
    let mut checks = Checks::default();
    let most = usize::try_from(vote.max_choices).unwrap_or(0);
    checks.require(marks.len() <= most, "choice", "too_many_choices");
    let is_option = |mark: &String| vote.options.iter().any(|option| option.key == *mark);
    checks.require(marks.iter().all(is_option), "choice", "unknown");
    checks.done()?;
    Ok(marks)
}

fn said(vote: &VoteView, marks: &[String]) -> String {
    let chosen = vote.options.iter().filter(|option| marks.contains(&option.key));
    match marks {
        [one] if vote.options.is_empty() => text::word("choice", one),
        [] => text::say("choice-abstain"),
        _ => chosen.map(|option| option.text.as_str()).collect::<Vec<_>>().join("、"),
    }
}

/// The envelope that the phone made; the choice never came here.
async fn take_sealed(State(app): State<App>, who: Resident, Path(id): Path<VoteId>, form: Fields) -> Result<Response> {
    let elector = form.optional("elector")?;
    let ballot = CastEnvelope { cast_id: form.required("cast_id")?, sealed: form.text("sealed").to_owned(), elector };
    taken(&app, &who, (id, elector), sealed::cast_envelope(&app, &who.actor, id, ballot).await).await
}

async fn take(State(app): State<App>, who: Resident, Path(id): Path<VoteId>, form: Fields) -> Result<Response> {
    let elector = form.optional("elector")?;
    let vote = queries::vote(app.store.read(), id).await?;
    let cast_id = form.required("cast_id")?;
    let ballot = match vote.options.is_empty() {
        true => CastBallot { cast_id, choice: Some(form.choice("choice")?), choices: None, elector },
        false => {
            let choices = form.all("choice").filter(|mark| !mark.is_empty()).map(str::to_owned).collect();
            CastBallot { cast_id, choice: None, choices: Some(choices), elector }
        }
    };
    taken(&app, &who, (id, elector), sealed::cast_in_clear(&app, &who.actor, id, ballot).await).await
}

async fn taken(
    app: &App,
    who: &Resident,
    (id, elector): (VoteId, Option<i32>),
    cast: Result<BallotReceipt>,
) -> Result<Response> {
    let back = match elector {
        Some(number) => format!("/votes/{id}?for={number}"),
        None => format!("/votes/{id}"),
    };
    match cast {
        Ok(_) => Ok(see(&back)),
        // beside the receipt of the ballot that was taken: nobody believes that another choice took its place
        Err(error) => shown(app, &who.viewer, id, (elector, Wrong::from(error)?)).await,
    }
}

#[derive(Template)]
#[template(path = "vote_result.html")]
struct ResultPage {
    page: Page,
    vote: VoteView,
    result: ResultView,
    ballots: Vec<BallotView>,
    /// The viewer's number among them, and where the list shows it.
    own: Option<(i32, String)>,
    next: Option<String>,
    turnout: TurnoutView,
    challenges: Vec<ChallengeView>,
    may_challenge: bool,
    typed: Fields,
    wrong: Wrong,
}

impl ResultPage {
    fn is_own(&self, ballot: &BallotView) -> bool {
        self.own.as_ref().is_some_and(|(number, _)| *number == ballot.number)
    }
}

async fn result(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<VoteId>,
    Query(query): Query<PageQuery>,
) -> Result<Response> {
    shown_result(&app, &viewer, (id, query), (Fields::default(), Wrong::default())).await
}

/// The result, with the form of a challenge as it was refused.
pub(super) async fn shown_result(
    app: &App,
    viewer: &Viewer,
    (id, query): (VoteId, PageQuery),
    (typed, wrong): (Fields, Wrong),
) -> Result<Response> {
    let db = app.store.read();
    let vote = queries::vote(db, id).await?;
    if !queries::is_decided(&vote.state) {
        return Ok(see(&format!("/votes/{id}")));
    }
    let result = queries::result_for(db, viewer.actor.as_ref(), id).await?;
    let sees = match &viewer.actor {
        Some(actor) => may_see(db, actor, id).await?.then_some(actor),
        None => None,
    };
    let (ballots, next) = match sees {
        Some(actor) => {
            let query = PageQuery { limit: query.limit.or(Some(100)), ..query };
            let found = queries::ballots(db, actor, id, &query).await?;
            (found.items, found.next_cursor)
        }
        None => (Vec::new(), None),
    };
    let own = match sees {
        Some(actor) => queries::my_vote(app, actor, id).await?.number.map(|n| (n, queries::ballots_from(id, n))),
        None => None,
    };
    let back = vote.matter_id.map_or_else(|| "/votes".to_owned(), |matter| format!("/matters/{matter}"));
    let page = viewer.page("page-vote-result").back(back).at(format!("/votes/{id}/result"));
    let in_time = result.is_provisional() && result.challenge_until.is_some_and(|until| app.now() < until);
    let may_challenge = match &viewer.actor {
        Some(actor) if in_time => challenges::may_challenge(db, id, actor.person).await?,
        _ => false,
    };
    let (turnout, challenges) = (turnout(db, id).await?, challenges::of(app, id).await?);
    let status = wrong.status();
    let shown = ResultPage { page, vote, result, ballots, own, next, turnout, challenges, may_challenge, typed, wrong };
    Ok(render_as(status, &shown))
}
