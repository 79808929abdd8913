//! A vote on the desk: how many have taken part while it is open, the keys of a secret one, every number at the end.
use askama::Template;
use axum::{extract::State, response::Response};
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    agenda::coming_for,
    aloud::Aloud,
    frame::{Clerk, Desk, Draft, live, moment_of, picked},
    proxies,
};
use crate::{
    aloud::About,
    app::{App, Path},
    board::{self, HeadView, sealing::Trustee},
    error::{Code, Result},
    ids::{ChallengeId, VoteId},
    meetings::MeetingView,
    pages::{
        fields::{Fields, Wrong},
        layout::{Page, render_as, see},
        words::Words,
    },
    votes::{
        OpenVote, ResultView, Secrecy, VoteView,
        commands::{
            self, AnnulVote, ConfirmRestored,
            challenges::{AnswerChallenge, answer_challenge},
        },
        office::{is_about, may_bend, may_overturn, may_run, stands_above, stands_in},
        queries::{
            self,
            challenges::{self, ChallengeView},
            proxies::ProxiesView,
        },
        rules::Relation,
        sealed::{self, HandedKey, MakeKey, OpenBox, TrusteeView},
    },
};

#[derive(Template)]
#[template(path = "desk/vote.html")]
struct VotePage {
    page: Page,
    desk: Desk,
    vote: VoteView,
    result: Option<ResultView>,
    head: Option<HeadView>,
    keys: Vec<TrusteeView>,
    /// Those whose key the clerk may make.
    mine: Vec<Trustee>,
    can_open: bool,
    can_annul: bool,
    /// Is nothing said on its board since a backup was loaded, and may the clerk say that it is the one that was published last?
    is_halted: bool,
    can_confirm: bool,
    /// May the clerk ask once more, after a tie?
    can_reopen: bool,
    /// To which the second vote may belong.
    coming: Vec<MeetingView>,
    closes_at: String,
    proxies: ProxiesView,
    /// May the clerk write down and check proxies now?
    can_proxy: bool,
    relations: [Relation; 7],
    /// Those for whom somebody cast, and whom no phone tells so.
    unreachable: Vec<(i32, String)>,
    aloud: Aloud,
    challenges: Vec<ChallengeView>,
    /// May the clerk answer a challenge, and say that it is right?
    can_answer: bool,
    can_overturn: bool,
    /// May the clerk answer where the office let the day pass?
    stands_in: bool,
    now: DateTime<Utc>,
    wrong: Wrong,
    draft: Draft,
}

impl VotePage {
    fn again_path(&self) -> String {
        format!("/desk/votes/{}/again", self.vote.id)
    }

    fn is_late(&self, challenge: &ChallengeView) -> bool {
        self.stands_in && challenge.due_at <= self.now
    }

    fn may_answer(&self, challenge: &ChallengeView) -> bool {
        challenge.waits() && (self.can_overturn || self.may_reject(challenge))
    }

    fn may_reject(&self, challenge: &ChallengeView) -> bool {
        self.can_answer || self.is_late(challenge)
    }

    fn restored_path(&self) -> String {
        format!("/desk/votes/{}/restored", self.vote.id)
    }

    fn annul_path(&self) -> String {
        format!("/desk/votes/{}/annul", self.vote.id)
    }
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Path(id): Path<VoteId>) -> Result<Response> {
    shown(&app, &clerk, id, (Wrong::default(), Draft::default())).await
}

pub(super) async fn shown(app: &App, clerk: &Clerk, id: VoteId, (wrong, draft): (Wrong, Draft)) -> Result<Response> {
    let db = app.store.read();
    let vote = queries::vote(db, id).await?;
    clerk.sits_over(&vote.area_code)?;
    let result = match queries::is_decided(&vote.state) {
        true => Some(queries::result_for(db, Some(&clerk.actor), id).await?),
        false => None,
    };
    let head = if vote.has_board { Some(board::queries::newest(db, id).await?) } else { None };
    let keys = if vote.secrecy == "secret" { sealed::trustees(db, id).await? } else { Vec::new() };
    let is_own = is_about(&clerk.actor, &vote);
    let (can_open, mine) = if is_own { (false, Vec::new()) } else { held(clerk, &vote.area_code, &keys) };
    let page = clerk.page(vote.question.clone()).at(format!("/desk/votes/{id}"));
    let mut page = live(app, clerk, (page, &draft)).await?;
    if vote.state != "open" {
        // a key that is shown and not yet written down must not go away by itself
        page.live = None;
    }
    let can_annul = !is_own && may_annul(app, clerk, &vote).await?;
    let proxies = queries::proxies::proxies(db, &clerk.actor, id).await?;
    let opens_votes = may_run(&clerk.actor, &vote);
    let can_proxy = opens_votes && queries::runs(&vote.state) && proxies.until.is_some_and(|until| app.now() < until);
    let overturns = !is_own && may_overturn(&clerk.actor, &vote);
    // whoever is apart from the office sees, too, for whom it cast and who is not told
    let unreachable =
        if opens_votes || overturns { queries::unreachable(db, &app.keys, id).await? } else { Vec::new() };
    let is_provisional = result.as_ref().is_some_and(ResultView::is_provisional);
    let can_reopen = opens_votes && may_ask_again(app, &vote, result.as_ref()).await?;
    let coming = if can_reopen { coming_for(app, &vote).await? } else { Vec::new() };
    let (can_answer, can_overturn) = (opens_votes && is_provisional, is_provisional && overturns);
    let stands_in = is_provisional && !is_own && stands_in(&clerk.actor, &vote);
    let status = if draft.is_blank() { wrong.status() } else { draft.status() };
    let shown = VotePage {
        page,
        desk: clerk.desk(),
        is_halted: head.is_some() && board::halts::halted_of(db, &[id]).await?.contains_key(&id),
        can_confirm: overturns && queries::waits_for_comparison(db, id, app.now()).await?,
        aloud: Aloud::of(app, clerk, (About::Vote, id.0), &vote.area_code).await?,
        vote,
        result,
        head,
        keys,
        mine,
        can_open,
        can_annul,
        can_reopen,
        coming,
        closes_at: picked(app.now() + TimeDelta::hours(1)),
        proxies,
        can_proxy,
        relations: Relation::ALL,
        unreachable,
        challenges: challenges::of(app, id).await?,
        can_answer,
        can_overturn,
        stands_in,
        now: app.now(),
        wrong,
        draft,
    };
    Ok(render_as(status, &shown))
}

/// May those who tied be asked about again? Once, where that decides it.
async fn may_ask_again(app: &App, vote: &VoteView, told: Option<&ResultView>) -> Result<bool> {
    let is_tied = |told: &ResultView| told.outcome == "tie" && !told.is_provisional() && !told.is_overturned();
    Ok(told.is_some_and(is_tied) && !queries::is_tie_followed(app.store.read(), (vote.id, vote.is_binding)).await?)
}

/// Once somebody has counted what is in a box the office above alone annuls.
async fn may_annul(app: &App, clerk: &Clerk, vote: &VoteView) -> Result<bool> {
    let is_restored = vote.restored_at.is_some();
    let is_counted = vote.has_paper && (is_restored || queries::paper::is_begun(app.store.read(), vote.id).await?);
    let may = match is_counted {
        true => stands_above(&clerk.actor, vote),
        false => may_bend(&clerk.actor, vote),
    };
    Ok(may && commands::is_annullable(&vote.state))
}

/// Whether the clerk holds keys there, and those of them that are not made yet.
fn held(clerk: &Clerk, area: &str, keys: &[TrusteeView]) -> (bool, Vec<Trustee>) {
    let own = || Trustee::ALL.into_iter().filter(|one| sealed::holds(&clerk.actor, *one, area));
    let is_made = |who: &Trustee| keys.iter().any(|key| key.trustee == *who && key.public_key.is_some());
    (own().next().is_some(), own().filter(|one| !is_made(one)).collect())
}

/// A trustee's public key, or two private ones; or the vote is annulled.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path((id, form)): Path<(VoteId, String)>,
    fields: Fields,
) -> Result<Response> {
    let vote = queries::vote(app.store.read(), id).await?;
    clerk.sits_over(&vote.area_code)?;
    let done = match form.as_str() {
        "key" => key(&app, &clerk, id, &fields).await,
        "opening" => open(&app, &clerk, id, &fields).await,
        "annul" => annul(&app, &clerk, id, &fields).await,
        "restored" => confirm(&app, &clerk, id, &fields).await,
        "again" => again(&app, &clerk, id, &fields).await,
        "answer" => answer(&app, &clerk, id, &fields).await,
        "check" => proxies::decide(&app, &clerk, id, (true, &fields)).await,
        "revoke" => proxies::decide(&app, &clerk, id, (false, &fields)).await,
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see(&format!("/desk/votes/{id}"))),
        Err(error) if ["annul", "restored", "again", "answer", "check", "revoke"].contains(&form.as_str()) => {
            shown(&app, &clerk, id, (Wrong::default(), Draft::refused(&form, fields, error)?)).await
        }
        Err(error) => shown(&app, &clerk, id, (Wrong::from(error)?, Draft::default())).await,
    }
}

/// Once more among the tied, in the same way.
async fn again(app: &App, clerk: &Clerk, id: VoteId, fields: &Fields) -> Result<()> {
    let before = queries::vote(app.store.read(), id).await?;
    let input = OpenVote {
        matter_id: before.matter_id,
        question: before.question,
        options: Vec::new(),
        max_choices: None,
        seats: None,
        parent_vote_id: Some(id),
        group_number: before.group_number,
        households: Vec::new(),
        preset: before.preset,
        secrecy: match before.secrecy.as_str() {
            "secret" => Secrecy::Secret,
            "paper" => Secrecy::Paper,
            _ => Secrecy::Open,
        },
        allows_revote: before.allows_revote,
        has_paper: before.has_paper,
        challenge_days: Some(before.challenge_days),
        roll_days: None,
        closes_at: moment_of(fields, "closes_at")?,
        // the one before may be held by now
        meeting_id: fields.optional("meeting_id")?,
        by_charter: None,
        collective_item: None,
        recall: None,
        mobile: None,
    };
    let open = app.once(clerk.actor.clone(), fields.key(), "open_vote", input, |tx, actor, input| {
        Box::pin(commands::open_vote(tx, actor, input))
    });
    open.await.map(drop)
}

async fn answer(app: &App, clerk: &Clerk, id: VoteId, fields: &Fields) -> Result<()> {
    let challenge = fields.required::<ChallengeId>("challenge_id")?;
    let input = AnswerChallenge { upholds: fields.text("upholds") == "yes", answer: fields.text("answer").to_owned() };
    let (actor, about) = (clerk.actor.clone(), (id, challenge, input));
    let done = app.store.write(move |tx| Box::pin(async move { answer_challenge(tx, &actor, about).await }));
    done.await.map(drop)
}

async fn annul(app: &App, clerk: &Clerk, id: VoteId, fields: &Fields) -> Result<()> {
    let input = AnnulVote { reason: fields.text("reason").to_owned(), authority: fields.text("authority").to_owned() };
    let actor = clerk.actor.clone();
    let done = app.store.write(move |tx| Box::pin(async move { commands::annul(tx, &actor, (id, input)).await }));
    done.await.map(drop)
}

async fn confirm(app: &App, clerk: &Clerk, id: VoteId, fields: &Fields) -> Result<()> {
    let input = ConfirmRestored { fingerprint: fields.text("fingerprint").to_owned() };
    let confirm = app.once(clerk.actor.clone(), fields.key(), "confirm_restored", (id, input), |tx, actor, input| {
        Box::pin(commands::confirm_restored(tx, actor, input))
    });
    confirm.await.map(drop)
}

async fn key(app: &App, clerk: &Clerk, id: VoteId, fields: &Fields) -> Result<()> {
    let input = MakeKey { trustee: fields.choice("trustee")?, public_key: fields.text("public_key").to_owned() };
    let actor = clerk.actor.clone();
    let made = app.store.write(move |tx| Box::pin(async move { sealed::make_key(tx, &actor, (id, input)).await }));
    made.await.map(drop)
}

async fn open(app: &App, clerk: &Clerk, id: VoteId, fields: &Fields) -> Result<()> {
    let handed = |trustee: Trustee| {
        let private_key = fields.given(trustee.as_str())?.to_owned();
        Some(HandedKey { trustee, private_key })
    };
    let keys = Trustee::ALL.into_iter().filter_map(handed).collect();
    sealed::open_box(app, &clerk.actor, (id, OpenBox { keys })).await
}
