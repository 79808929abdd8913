//! Writes about accounts: seen, bound, unbound, consents, windows, switched off.
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Set, sea_query::Expr};
use serde_json::json;

use super::{
    rows::{account, consent, log_in},
    rules,
};
use crate::{
    actor::Actor,
    areas,
    error::{Code, Result},
    events::{self, Happening, Kind},
    gateways::wechat::{WechatApp, inbound::Said},
    ids::{PersonId, WechatAccountId},
    keys::Keys,
    store::Tx,
};

/// What openids are sealed for.
const SEALED_FOR: &str = "openid";
const FORGET_BATCH: u64 = 200;
const MOST_CONSENTS: i32 = 1000;

/// How an openid is found.
pub(super) fn digest(keys: &Keys, app: WechatApp, openid: &str) -> String {
    keys.lookup("openid", &format!("{} {openid}", app.as_str()))
}

/// The openid of an account.
///
/// # Errors
/// When the key is gone.
pub(super) fn openid(keys: &Keys, row: &account::Model) -> Result<String> {
    keys.unseal(SEALED_FOR, &row.openid_sealed)
}

/// The account of this openid; made when it is new, and belonging to nobody then.
///
/// # Errors
/// When the database refuses.
pub async fn seen(tx: &Tx, app: WechatApp, openid: &str) -> Result<account::Model> {
    let openid_hmac = digest(tx.keys(), app, openid);
    let known = account::Entity::find()
        .filter(account::Column::App.eq(app.as_str()))
        .filter(account::Column::OpenidHmac.eq(&openid_hmac))
        .one(tx)
        .await?;
    if let Some(known) = known {
        return Ok(known);
    }
    let row = account::ActiveModel {
        id: Set(WechatAccountId::new()),
        app: Set(app.as_str().to_owned()),
        openid_hmac: Set(openid_hmac),
        openid_sealed: Set(tx.keys().seal(SEALED_FOR, openid)?),
        person_id: Set(None),
        area_code: Set(None),
        is_following: Set(false),
        off_why: Set(None),
        window_ends_at: Set(None),
        window_left: Set(0),
        bound_at: Set(None),
        created_at: Set(tx.now()),
    };
    Ok(row.insert(tx).await?)
}

/// Gives an account to a person who has just proved the phone. Whoever had it before has it no more. Records
/// `wechat.bound`.
///
/// # Errors
/// `not_found` when there is no such account.
pub async fn bind(tx: &Tx, id: WechatAccountId, person: PersonId) -> Result<()> {
    let before = account::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    if before.person_id == Some(person) {
        return Ok(());
    }
    if let Some(other) = before.person_id {
        unbound(tx, id, other, "given_away").await?;
    }
    account::Entity::update_many()
        .col_expr(account::Column::PersonId, Expr::value(person))
        .col_expr(account::Column::BoundAt, Expr::value(tx.now()))
        .filter(account::Column::Id.eq(id))
        .exec(tx)
        .await?;
    let data = json!({ "app": before.app });
    events::record(tx, Happening::new(Kind::WechatBound, id).by(person).with(data)).await?;
    Ok(())
}

/// Takes an account from the person who asks. Records `wechat.unbound`.
///
/// # Errors
/// `not_found` unless it is the actor's.
pub async fn unbind(tx: &Tx, actor: &Actor, id: WechatAccountId) -> Result<()> {
    let freed = account::Entity::update_many()
        .col_expr(account::Column::PersonId, Expr::value(None::<PersonId>))
        .filter(account::Column::Id.eq(id))
        .filter(account::Column::PersonId.eq(actor.person))
        .exec(tx)
        .await?;
    if freed.rows_affected != 1 {
        return Err(Code::NotFound.into());
    }
    unbound(tx, id, actor.person, "asked").await
}

async fn unbound(tx: &Tx, id: WechatAccountId, person: PersonId, why: &str) -> Result<()> {
    let data = json!({ "why": why });
    events::record(tx, Happening::new(Kind::WechatUnbound, id).by(person).with(data)).await?;
    Ok(())
}

/// The person's account was closed: what is left of an account of WeChat says nothing. Whoever writes again is new.
///
/// # Errors
/// When the database refuses.
pub async fn forget(tx: &Tx, person: PersonId) -> Result<()> {
    for row in account::Entity::find().filter(account::Column::PersonId.eq(person)).all(tx).await? {
        let nobody = account::ActiveModel {
            id: Set(row.id),
            openid_hmac: Set(format!("forgotten {}", row.id)),
            openid_sealed: Set(String::new()),
            person_id: Set(None),
            is_following: Set(false),
            off_why: Set(Some("forgotten".to_owned())),
            window_left: Set(0),
            ..Default::default()
        };
        nobody.update(tx).await?;
    }
    Ok(())
}

/// What a message or an event means for the account: follows, village, window, consents. What somebody *said* is for the
/// inbox.
///
/// # Errors
/// When the database refuses.
pub async fn note(tx: &Tx, row: &account::Model, said: &Said) -> Result<()> {
    let mut change = account::ActiveModel { id: Set(row.id), ..Default::default() };
    let (window, scene) = match said {
        Said::Text { .. } | Said::Photo { .. } | Said::Voice { .. } | Said::Place { .. } => (Some(rules::SAID), None),
        Said::Click { .. } => (Some(rules::TOUCHED), None),
        Said::Scan { scene } => (Some(rules::TOUCHED), Some(scene.as_str())),
        Said::Subscribe { scene } => (Some(rules::TOUCHED), scene.as_deref()),
        Said::Unsubscribe => {
            change.is_following = Set(false);
            change.off_why = Set(Some("not_following".to_owned()));
            change.window_left = Set(0);
            change.update(tx).await?;
            return Ok(());
        }
        Said::Consent { templates } => return consents(tx, row.id, templates).await,
        Said::Result { .. } | Said::Other { .. } => return Ok(()),
    };
    // whoever writes, follows and wants to hear
    change.is_following = Set(true);
    change.off_why = Set(None);
    if let Some((messages, time)) = window {
        // a short window never shuts a long one
        let until = tx.now() + time;
        let is_open = row.window_ends_at.is_some_and(|known| known > until) && row.window_left > 0;
        if !is_open {
            change.window_ends_at = Set(Some(until));
            change.window_left = Set(messages);
        }
    }
    if let Some(village) = scene.and_then(rules::village_of)
        && areas::queries::find(tx, village).await?.is_some()
    {
        change.area_code = Set(Some(village.to_owned()));
    }
    change.update(tx).await?;
    Ok(())
}

/// One consent is one more send; taking it back leaves none.
async fn consents(tx: &Tx, id: WechatAccountId, templates: &[(String, bool)]) -> Result<()> {
    for (template, given) in templates.iter().take(10) {
        let known = consent::Entity::find_by_id((id, template.clone())).one(tx).await?;
        let remaining = known.as_ref().map_or(0, |row| row.remaining);
        let row = consent::ActiveModel {
            account_id: Set(id),
            template: Set(template.clone()),
            remaining: Set(if *given { std::cmp::Ord::min(remaining.saturating_add(1), MOST_CONSENTS) } else { 0 }),
            is_long_term: Set(*given && known.as_ref().is_some_and(|row| row.is_long_term)),
        };
        if known.is_some() {
            row.update(tx).await?
        } else {
            row.insert(tx).await?
        };
    }
    Ok(())
}

/// Nothing is sent there any more.
///
/// # Errors
/// When the database refuses.
pub(super) async fn switch_off(tx: &Tx, id: WechatAccountId, why: &str) -> Result<()> {
    account::Entity::update_many()
        .col_expr(account::Column::OffWhy, Expr::value(why))
        .filter(account::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Takes one message from the open window. `false`: it is shut, or has none left.
pub(super) async fn take_window(tx: &Tx, id: WechatAccountId) -> Result<bool> {
    let taken = account::Entity::update_many()
        .col_expr(account::Column::WindowLeft, Expr::col(account::Column::WindowLeft).sub(1))
        .filter(account::Column::Id.eq(id))
        .filter(account::Column::WindowLeft.gt(0))
        .filter(account::Column::WindowEndsAt.gt(tx.now()))
        .exec(tx)
        .await?;
    Ok(taken.rows_affected == 1)
}

/// Takes one consent. `false`: none is left. A long-term consent is not used up.
pub(super) async fn take_consent(tx: &Tx, id: WechatAccountId, template: &str) -> Result<bool> {
    let taken = consent::Entity::update_many()
        .col_expr(consent::Column::Remaining, Expr::col(consent::Column::Remaining).sub(1))
        .filter(consent::Column::AccountId.eq(id))
        .filter(consent::Column::Template.eq(template))
        .filter(consent::Column::Remaining.gt(0))
        .exec(tx)
        .await?;
    Ok(taken.rows_affected == 1)
}

/// WeChat knows better how much is left: nothing, or one more because nothing went out.
pub(super) async fn settle_ledger(tx: &Tx, id: WechatAccountId, template: Option<&str>, is_spent: bool) -> Result<()> {
    match template {
        None => {
            let left = Expr::col(account::Column::WindowLeft);
            account::Entity::update_many()
                .col_expr(account::Column::WindowLeft, if is_spent { Expr::value(0) } else { left.add(1) })
                .filter(account::Column::Id.eq(id))
                .exec(tx)
                .await?;
        }
        Some(template) => {
            let remaining = Expr::col(consent::Column::Remaining);
            consent::Entity::update_many()
                .col_expr(consent::Column::Remaining, if is_spent { Expr::value(0) } else { remaining.add(1) })
                .filter(consent::Column::AccountId.eq(id))
                .filter(consent::Column::Template.eq(template))
                .exec(tx)
                .await?;
        }
    }
    Ok(())
}

/// Forgets who was on the way and did not come back, or did not prove the phone.
///
/// # Errors
/// When the database fails.
pub async fn due(tx: &Tx) -> Result<u64> {
    let old = log_in::Entity::find()
        .filter(log_in::Column::CreatedAt.lt(tx.now() - rules::LOG_IN * 2))
        .limit(FORGET_BATCH)
        .all(tx)
        .await?;
    if old.is_empty() {
        return Ok(0);
    }
    let ids = old.into_iter().map(|row| row.id);
    let gone = log_in::Entity::delete_many().filter(log_in::Column::Id.is_in(ids)).exec(tx).await?;
    Ok(gone.rows_affected)
}
