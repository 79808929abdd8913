//! Writes about accounts: seen, bound, unbound, consents, windows, switched off.
use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::Expr};
use serde_json::json;

use super::{
    queries, reports,
    rows::{account, consent, log_in},
    rules,
    send::SEALED_FOR,
};
use crate::{
    actor::Actor,
    areas,
    error::{Code, Result},
    events::{self, Happening, Kind},
    gateways::wechat::{Wechat, WechatApp, inbound::Said},
    ids::{PersonId, WechatAccountId},
    keys::Keys,
    people,
    store::Tx,
};

const FORGET_BATCH: u64 = 200;
const MOST_CONSENTS: i32 = 1000;

/// How an openid is found.
pub(super) fn digest(keys: &Keys, app: WechatApp, openid: &str) -> String {
    keys.lookup("openid", &format!("{} {openid}", app.as_str()))
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
        return queries::standing(tx, known).await;
    }
    let row = account::ActiveModel {
        id: Set(WechatAccountId::new()),
        app: Set(app.as_str().to_owned()),
        openid_hmac: Set(openid_hmac),
        openid_sealed: Set(tx.keys().seal(SEALED_FOR, openid)?),
        person_id: Set(None),
        phone_hmac: Set(None),
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
    let phone = people::queries::phone_digest(tx, person).await?;
    if (before.person_id, &before.phone_hmac) == (Some(person), &phone) {
        return Ok(());
    }
    if let Some(other) = before.person_id.filter(|other| *other != person) {
        unbound(tx, id, other, "given_away").await?;
    }
    account::Entity::update_many()
        .col_expr(account::Column::PersonId, Expr::value(person))
        .col_expr(account::Column::PhoneHmac, Expr::value(phone))
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
    if free(tx, (id, actor.person), "asked").await? { Ok(()) } else { Err(Code::NotFound.into()) }
}

/// Unbinds what was bound to the person until then.
pub(super) async fn let_go(tx: &Tx, person: PersonId, until: DateTime<Utc>) -> Result<()> {
    let bound = account::Entity::find()
        .filter(account::Column::PersonId.eq(person))
        .filter(account::Column::BoundAt.lte(until));
    for row in bound.all(tx).await? {
        free(tx, (row.id, person), "everywhere").await?;
    }
    Ok(())
}

/// Was it this person's?
async fn free(tx: &Tx, (id, person): (WechatAccountId, PersonId), why: &str) -> Result<bool> {
    let freed = account::Entity::update_many()
        .col_expr(account::Column::PersonId, Expr::value(None::<PersonId>))
        .filter(account::Column::Id.eq(id))
        .filter(account::Column::PersonId.eq(person))
        .exec(tx)
        .await?;
    if freed.rows_affected == 1 {
        unbound(tx, id, person, why).await?;
    }
    Ok(freed.rows_affected == 1)
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
            phone_hmac: Set(None),
            is_following: Set(false),
            off_why: Set(Some("forgotten".to_owned())),
            window_left: Set(0),
            ..Default::default()
        };
        nobody.update(tx).await?;
    }
    Ok(())
}

/// The account of this openid, if it was ever seen.
///
/// # Errors
/// When the database cannot be read.
pub async fn known(tx: &Tx, app: WechatApp, openid: &str) -> Result<Option<account::Model>> {
    let known = account::Entity::find()
        .filter(account::Column::App.eq(app.as_str()))
        .filter(account::Column::OpenidHmac.eq(digest(tx.keys(), app, openid)))
        .one(tx)
        .await?;
    match known {
        Some(known) => queries::standing(tx, known).await.map(Some),
        None => Ok(None),
    }
}

/// What a message or an event means for the account: follows, village, window, consents. What somebody *said* is for the
/// inbox.
///
/// # Errors
/// When the database refuses.
pub async fn note(tx: &Tx, wechat: &Wechat, (row, said): (&account::Model, &Said)) -> Result<()> {
    let mut change = account::ActiveModel { id: Set(row.id), ..Default::default() };
    let (window, scene) = match said {
        Said::Text { .. } | Said::Photo { .. } | Said::Voice { .. } | Said::Film | Said::Place { .. } => {
            (Some(rules::SAID), None)
        }
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
        Said::Consent { templates, is_change } => return consents(tx, wechat, (row, templates), *is_change).await,
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

/// One consent is one more send, or all of them where it holds for ever; taking it back leaves none. Who says no when
/// asked keeps what was given before. Templates that the settings do not name are passed over.
async fn consents(
    tx: &Tx,
    wechat: &Wechat,
    (row, templates): (&account::Model, &[(String, bool)]),
    is_change: bool,
) -> Result<()> {
    let app = WechatApp::parse(&row.app).unwrap_or(WechatApp::Official);
    for (id, given) in templates.iter().take(10) {
        let Some(template) = wechat.to_consent(app).find(|template| template.id == *id) else { continue };
        let known = consent::Entity::find_by_id((row.id, id.clone())).one(tx).await?;
        let before = known.as_ref().map_or(0, |known| known.remaining);
        let remaining = match (given, template.is_long_term) {
            (true, true) => 1,
            (true, false) => std::cmp::Ord::min(before.saturating_add(1), MOST_CONSENTS),
            (false, _) if is_change || template.is_long_term => 0,
            (false, _) => before,
        };
        put_consent(
            tx,
            known.is_some(),
            consent::Model {
                account_id: row.id,
                template: id.clone(),
                remaining,
                is_long_term: template.is_long_term && remaining > 0,
                refused_at: (!given).then(|| tx.now()),
                given_at: if *given { Some(tx.now()) } else { known.as_ref().and_then(|known| known.given_at) },
            },
        )
        .await?;
    }
    Ok(())
}

/// Consents that a Mini Program says were given, where WeChat does not tell us itself: at most one is believed until a
/// send has proven it.
///
/// # Errors
/// When the database refuses.
pub(super) async fn claimed(tx: &Tx, wechat: &Wechat, (row, templates): (&account::Model, &[String])) -> Result<()> {
    for id in templates.iter().take(3) {
        let Some(template) = wechat.to_consent(WechatApp::Mini).find(|template| template.id == *id) else { continue };
        let known = consent::Entity::find_by_id((row.id, id.clone())).one(tx).await?;
        let remaining = known.as_ref().map_or(0, |known| known.remaining).max(1);
        let is_long_term = template.is_long_term;
        let one = consent::Model {
            account_id: row.id,
            template: id.clone(),
            remaining,
            is_long_term,
            refused_at: None,
            given_at: Some(tx.now()),
        };
        put_consent(tx, known.is_some(), one).await?;
    }
    Ok(())
}

async fn put_consent(tx: &Tx, is_known: bool, one: consent::Model) -> Result<()> {
    let row = consent::ActiveModel {
        account_id: Set(one.account_id),
        template: Set(one.template),
        remaining: Set(one.remaining),
        is_long_term: Set(one.is_long_term),
        refused_at: Set(one.refused_at),
        given_at: Set(one.given_at),
    };
    if is_known {
        row.update(tx).await?
    } else {
        row.insert(tx).await?
    };
    Ok(())
}

/// Nothing is sent there any more.
///
/// # Errors
/// When the database refuses.
pub async fn switch_off(tx: &Tx, id: WechatAccountId, why: &str) -> Result<()> {
    account::Entity::update_many()
        .col_expr(account::Column::OffWhy, Expr::value(why))
        .filter(account::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Forgets who was on the way and did not come back, or did not prove the phone; and sends and reports that are over.
///
/// # Errors
/// When the database fails.
pub async fn due(tx: &Tx) -> Result<u64> {
    let old = log_in::Entity::find()
        .filter(log_in::Column::CreatedAt.lt(tx.now() - rules::LOG_IN * 2))
        .limit(FORGET_BATCH)
        .all(tx)
        .await?;
    let ids: Vec<_> = old.into_iter().map(|row| row.id).collect();
    let mut gone = reports::due(tx).await?;
    if !ids.is_empty() {
        gone += log_in::Entity::delete_many().filter(log_in::Column::Id.is_in(ids)).exec(tx).await?.rows_affected;
    }
    Ok(gone)
}
