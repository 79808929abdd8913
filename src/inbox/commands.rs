//! Writes of the inbox: stored once, done once, forgotten after a day.
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Set, TryInsertResult,
    UpdateMany, sea_query::Expr,
};
use uuid::Uuid;

use super::{rows::letter, rules};
use crate::{
    app::App,
    delivery,
    error::{Code, Error, Result},
    gateways::wechat::{
        Wechat, WechatApp,
        inbound::{Inbound, Said},
    },
    ids::{PersonId, SuggestionId},
    store::Tx,
    wechat,
};

/// What was said is sealed for.
const SEALED_FOR: &str = "wechat inbox";
const FORGET_BATCH: u64 = 200;

/// Stores a message and what it means for its account, in one unit. Gives its id when something follows from it; nothing
/// when it was here before.
///
/// # Errors
/// When the database fails.
pub async fn store(app: &App, of: WechatApp, message: Inbound) -> Result<Option<Uuid>> {
    let gateways = app.gateways.clone();
    app.store.write(move |tx| Box::pin(async move { stored(tx, &gateways.wechat, (of, message)).await })).await
}

async fn stored(tx: &Tx, wechat: &Wechat, (of, message): (WechatApp, Inbound)) -> Result<Option<Uuid>> {
    if let Said::Result { msgid, status } = &message.said {
        // it is settled here and waits in no queue: twice is once
        reported(tx, (of, &message.from), (msgid, status)).await?;
        return Ok(None);
    }
    let account = wechat::seen(tx, of, &message.from).await?;
    let follows = rules::follows(&message.said);
    let id = Uuid::now_v7();
    let told = serde_json::to_string(&message.said).map_err(Error::broken)?;
    let row = letter::ActiveModel {
        id: Set(id),
        key: Set(format!("{} {}", of.as_str(), message.key)),
        account_id: Set(account.id),
        person_id: Set(account.person_id),
        said_sealed: Set(if follows { tx.keys().seal(SEALED_FOR, &told)? } else { String::new() }),
        state: Set(if follows { rules::WAITING } else { rules::DONE }.to_owned()),
        tries: Set(0),
        tries_before: Set(0),
        due_at: Set(tx.now()),
        suggestion_id: Set(None),
        why: Set(None),
        created_at: Set(tx.now()),
    };
    // the key decides among many at once
    let insert = letter::Entity::insert(row).on_conflict_do_nothing_on([letter::Column::Key]);
    if !matches!(insert.exec_without_returning(tx).await?, TryInsertResult::Inserted(1)) {
        return Ok(None);
    }
    wechat::commands::note(tx, wechat, (&account, &message.said)).await?;
    Ok(follows.then_some(id))
}

/// What WeChat says of a send of ours. One that is nobody's here changes nothing.
async fn reported(tx: &Tx, (of, openid): (WechatApp, &str), (msgid, status): (&str, &str)) -> Result<()> {
    let report = rules::report(status);
    metrics::counter!("wechat_receipts_total", "result" => report.as_str()).increment(1);
    match wechat::commands::known(tx, of, openid).await? {
        Some(account) => delivery::receipts::by_wechat(tx, account.id, (msgid, report)).await,
        None => Ok(()),
    }
}

/// What was said in a stored message.
pub(super) fn said(app: &App, row: &letter::Model) -> Result<Said> {
    serde_json::from_str(&app.keys.unseal(SEALED_FOR, &row.said_sealed)?).map_err(Error::broken)
}

/// Takes a message for as long as a worker may need, unless another has it. A crash uses up a try, so that a message which
/// kills its workers comes to an end.
pub(super) async fn claim(tx: &Tx, id: Uuid) -> Result<Option<letter::Model>> {
    let tried = Expr::col(letter::Column::Tries).sub(Expr::col(letter::Column::TriesBefore));
    let given_up = letter::Entity::update_many()
        .col_expr(letter::Column::State, Expr::value(rules::DEAD))
        .col_expr(letter::Column::DueAt, Expr::value(tx.now()))
        .col_expr(letter::Column::Why, Expr::value("broken"))
        .filter(letter::Column::Id.eq(id))
        .filter(letter::Column::State.eq(rules::WAITING))
        .filter(letter::Column::DueAt.lte(tx.now()))
        .filter(tried.gte(rules::MAX_TRIES))
        .exec(tx)
        .await?;
    if given_up.rows_affected > 0 {
        return Ok(None);
    }
    let claimed = letter::Entity::update_many()
        .col_expr(letter::Column::Tries, Expr::col(letter::Column::Tries).add(1))
        .col_expr(letter::Column::DueAt, Expr::value(tx.now() + rules::LEASE))
        .filter(letter::Column::Id.eq(id))
        .filter(letter::Column::State.eq(rules::WAITING))
        .filter(letter::Column::DueAt.lte(tx.now()))
        .exec_with_returning(tx)
        .await?;
    Ok(claimed.into_iter().next())
}

/// It is done, within the unit that did it: the words are not kept twice. `false`: it was done before.
pub(super) async fn done(tx: &Tx, id: Uuid, became: SuggestionId) -> Result<bool> {
    Ok(ending(id, Some(became), None).exec(tx).await?.rows_affected == 1)
}

/// Nothing becomes of it, and why; unless the lease ran out and another has it.
pub(super) async fn ended(tx: &Tx, row: &letter::Model, why: &str) -> Result<()> {
    ending(row.id, None, Some(why)).filter(letter::Column::Tries.eq(row.tries)).exec(tx).await?;
    Ok(())
}

/// Is it still to be done by this claim?
pub(super) async fn is_held(db: &impl ConnectionTrait, row: &letter::Model) -> Result<bool> {
    let held = letter::Entity::find_by_id(row.id)
        .filter(letter::Column::State.eq(rules::WAITING))
        .filter(letter::Column::Tries.eq(row.tries));
    Ok(held.one(db).await?.is_some())
}

fn ending(id: Uuid, became: Option<SuggestionId>, why: Option<&str>) -> UpdateMany<letter::Entity> {
    letter::Entity::update_many()
        .col_expr(letter::Column::State, Expr::value(rules::DONE))
        .col_expr(letter::Column::SaidSealed, Expr::value(""))
        .col_expr(letter::Column::SuggestionId, Expr::value(became))
        .col_expr(letter::Column::Why, Expr::value(why.map(str::to_owned)))
        .filter(letter::Column::Id.eq(id))
        .filter(letter::Column::State.eq(rules::WAITING))
}

/// Another try later; or none, until somebody asks for one: the words are kept for that.
pub(super) async fn put_back(tx: &Tx, row: &letter::Model, why: &str) -> Result<()> {
    let tried = row.tries - row.tries_before;
    let is_dead = tried >= rules::MAX_TRIES;
    let (state, due_at) =
        if is_dead { (rules::DEAD, tx.now()) } else { (rules::WAITING, tx.now() + rules::wait(tried)) };
    letter::Entity::update_many()
        .col_expr(letter::Column::State, Expr::value(state))
        .col_expr(letter::Column::DueAt, Expr::value(due_at))
        .col_expr(letter::Column::Why, Expr::value(why))
        .filter(letter::Column::Id.eq(row.id))
        .filter(letter::Column::Tries.eq(row.tries))
        .filter(letter::Column::State.eq(rules::WAITING))
        .exec(tx)
        .await?;
    Ok(())
}

/// Takes messages that were given up once more, with all their tries; `only` that one. Says how many.
///
/// # Errors
/// `not_found` when that one is not given up.
pub async fn redrive(app: &App, only: Option<Uuid>) -> Result<u64> {
    let waits = app.store.write(move |tx| {
        Box::pin(async move {
            let waits = letter::Entity::update_many()
                .col_expr(letter::Column::State, Expr::value(rules::WAITING))
                // the token of whoever still holds an old claim is never given out again
                .col_expr(letter::Column::TriesBefore, Expr::col(letter::Column::Tries))
                .col_expr(letter::Column::DueAt, Expr::value(tx.now()))
                .filter(letter::Column::State.eq(rules::DEAD))
                .filter(Condition::all().add_option(only.map(|id| letter::Column::Id.eq(id))))
                .exec(tx)
                .await?;
            Ok(waits.rows_affected)
        })
    });
    let waits = waits.await?;
    if only.is_some() && waits == 0 { Err(Code::NotFound.into()) } else { Ok(waits) }
}

/// The person's account was closed: what has not become a voice never does.
///
/// # Errors
/// When the database refuses.
pub async fn forget(tx: &Tx, person: PersonId) -> Result<()> {
    letter::Entity::update_many()
        .col_expr(letter::Column::State, Expr::value(rules::DONE))
        .col_expr(letter::Column::SaidSealed, Expr::value(""))
        .col_expr(letter::Column::Why, Expr::value("forgotten"))
        .col_expr(letter::Column::PersonId, Expr::value(None::<PersonId>))
        .filter(letter::Column::PersonId.eq(person))
        .exec(tx)
        .await?;
    Ok(())
}

/// Forgets messages that WeChat will not send again; those that became a voice are kept as long as words may follow, those
/// that were given up as long as somebody may ask for them.
///
/// # Errors
/// When the database fails.
pub async fn due(tx: &Tx) -> Result<u64> {
    let nothing =
        letter::Column::CreatedAt.lt(tx.now() - rules::REMEMBERED).and(letter::Column::SuggestionId.is_null());
    let old = letter::Column::CreatedAt.lt(tx.now() - rules::SAME_THREAD - rules::REMEMBERED);
    let done = letter::Column::State.eq(rules::DONE).and(nothing.or(old));
    let given_up =
        letter::Column::State.eq(rules::DEAD).and(letter::Column::DueAt.lt(tx.now() - rules::KEPT_FOR_REDRIVE));
    let gone = letter::Entity::find().filter(done.or(given_up)).limit(FORGET_BATCH).all(tx).await?;
    if gone.is_empty() {
        return Ok(0);
    }
    let ids = gone.into_iter().map(|row| row.id);
    Ok(letter::Entity::delete_many().filter(letter::Column::Id.is_in(ids)).exec(tx).await?.rows_affected)
}
