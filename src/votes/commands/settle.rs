//! 定论: a result that nobody challenges any more stands; its resolution is worded, published, and the matter moves.
use chrono::Datelike;
use fluent_bundle::FluentValue;
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, sea_query::Expr,
};
use serde_json::json;

use super::challenges::{lapse, pass_on};
use crate::{
    app::App,
    board::{self, lsb1},
    error::Result,
    events::{self, Happening, Kind},
    ids::{PersonId, VoteId},
    keys::sha256_hex,
    people,
    store::Tx,
    text,
    votes::{
        queries::{self, ResultView, challenges},
        rows::{challenge, vote},
        rules::roll::lapsed_when_due,
    },
};

const DUE_AT_ONCE: u64 = 100;

/// Lets the results stand whose days are over and whose challenges are all answered, or lapsed. One that cannot holds up no
/// other. Recorded: `vote.challenge_passed_on`, `vote.challenge_answered`, `vote.settled`.
///
/// # Errors
/// When the database fails.
pub(super) async fn due(app: &App) -> Result<()> {
    let ready = vote::Entity::find()
        .select_only()
        .column(vote::Column::Id)
        .filter(vote::Column::Settlement.eq(queries::PROVISIONAL))
        .filter(vote::Column::ChallengeUntil.lte(app.now()))
        .filter(Expr::exists(somebody_waits(app).into_query()).not())
        .order_by_asc(vote::Column::ChallengeUntil)
        .limit(DUE_AT_ONCE);
    let ready: Vec<VoteId> = ready.into_tuple().all(app.store.read()).await?;
    pass_on(app).await?;
    for id in ready {
        if let Err(error) = app.store.write(move |tx| Box::pin(settle(tx, id))).await {
            tracing::error!(vote = %id, %error, "a result to settle");
        }
    }
    Ok(())
}

/// Of the votes looked at: challenges that wait and have not lapsed.
fn somebody_waits(app: &App) -> Select<challenge::Entity> {
    challenge::Entity::find()
        .select_only()
        .column(challenge::Column::Id)
        .filter(Expr::col((challenge::Entity, challenge::Column::VoteId)).equals((vote::Entity, vote::Column::Id)))
        .filter(challenge::Column::State.eq(challenges::OPEN))
        .filter(challenge::Column::DueAt.gt(lapsed_when_due(&app.calendar, app.now())))
}

async fn settle(tx: &Tx, id: VoteId) -> Result<()> {
    let vote = queries::row(tx, id).await?;
    let is_over = vote.challenge_until.is_some_and(|until| until <= tx.now());
    if vote.settlement.as_deref() != Some(queries::PROVISIONAL) || !is_over {
        return Ok(());
    }
    lapse(tx, &vote).await?;
    if challenges::waiting(tx, id).await? > 0 {
        return Ok(());
    }
    stands(tx, id).await?;
    record(tx, &vote, (queries::FINAL, None)).await
}

/// The result stands, with its resolution.
///
/// # Errors
/// When the database refuses.
pub(super) async fn stands(tx: &Tx, id: VoteId) -> Result<()> {
    let result = queries::result_of(tx, id).await?;
    let vote = queries::vote(tx, id).await?;
    let answered = challenges::in_state(tx, id, challenges::REJECTED).await?;
    let lapsed = challenges::in_state(tx, id, challenges::LAPSED).await?;
    let words = resolution(&vote.area_name, &result, [answered, lapsed]);
    end(tx, &queries::row(tx, id).await?, (queries::FINAL, words)).await
}

/// A challenge was right: the result does not stand, and the matter may be voted on again.
///
/// # Errors
/// When the database refuses.
pub(super) async fn overturn(tx: &Tx, vote: &vote::Model, (reason, by): (&str, PersonId)) -> Result<()> {
    let name = people::name(tx, by).await?;
    let blanks = [("question", vote.question.as_str().into()), ("reason", reason.into()), ("by", name.into())];
    end(tx, vote, (queries::OVERTURNED, text::say_with("resolution-overturned", &blanks))).await?;
    record(tx, vote, (queries::OVERTURNED, Some(by))).await
}

async fn end(tx: &Tx, vote: &vote::Model, (settlement, words): (&str, String)) -> Result<()> {
    let digest = sha256_hex(words.as_bytes());
    vote::Entity::update_many()
        .col_expr(vote::Column::Settlement, Expr::value(settlement))
        .col_expr(vote::Column::SettledAt, Expr::value(tx.now()))
        .col_expr(vote::Column::Resolution, Expr::value(words))
        .filter(vote::Column::Id.eq(vote.id))
        .exec(tx)
        .await?;
    // a result that stood at once says so by itself; on a board whose key is lost nothing more is said
    let is_told = vote.has_board && vote.challenge_until.is_some();
    if is_told && board::queries::is_signable(tx, vote.id).await? {
        let (poll, at) = (vote.id.to_string(), lsb1::moment(tx.now()));
        board::commands::append(tx, vote.id, vec![lsb1::settled_entry(&poll, (settlement, &digest), &at)]).await?;
    }
    Ok(())
}

async fn record(tx: &Tx, vote: &vote::Model, (settlement, by): (&str, Option<PersonId>)) -> Result<()> {
    let mut happening = Happening::new(Kind::VoteSettled, vote.id)
        .at(&vote.area_code)
        .with(json!({ "matter": vote.matter_id, "settlement": settlement }));
    if let Some(by) = by {
        happening = happening.by(by);
    }
    events::record(tx, happening).await?;
    Ok(())
}

/// The words of a resolution: who decided what, when, with which numbers, by which article.
fn resolution(area: &str, result: &ResultView, [answered, lapsed]: [u64; 2]) -> String {
    let number = |n: u64| FluentValue::from(n.to_string());
    let count = &result.count;
    let date = result.closed_at.map(|at| (at.year().to_string(), at.month().to_string(), at.day().to_string()));
    let (year, month, day) = date.unwrap_or_default();
    let names: Vec<&str> = result
        .choice
        .iter()
        .flat_map(|choice| &choice.options)
        .filter(|option| option.is_elected)
        .map(|option| option.text.as_str())
        .collect();
    let blanks = [
        ("area", area.into()),
        ("preset", result.preset_name.as_str().into()),
        ("year", year.into()),
        ("month", month.into()),
        ("day", day.into()),
        ("question", result.question.as_str().into()),
        ("electors", number(count.on_roll)),
        ("present", number(count.present)),
        ("yes", number(count.yes)),
        ("no", number(count.no)),
        ("abstain", number(count.abstain)),
        ("invalid", number(count.invalid)),
        ("names", names.join("、").into()),
        ("outcome", result.outcome_text.as_str().into()),
        ("law", result.law.as_str().into()),
        ("challenges", number(answered + lapsed)),
        ("lapsed", number(lapsed)),
    ];
    let say = |key: &str| text::say_with(key, &blanks);
    let counted = match (&result.choice, names.is_empty()) {
        (None, _) => "resolution-motion",
        (Some(_), true) => "resolution-nobody",
        (Some(_), false) => "resolution-choice",
    };
    let mut words = say(counted) + &say("resolution-outcome");
    if !result.is_binding {
        words.push_str(&say("resolution-consultative"));
    }
    if lapsed > 0 {
        words.push_str(&say("resolution-challenges-lapsed"));
    } else if answered > 0 {
        words.push_str(&say("resolution-challenges"));
    }
    words
}
