//! Writes that are done once however often they are sent: the key's row is written in the transaction of the effect.
use axum::{extract::FromRequestParts, http::request::Parts};
use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, Set};
use serde::{Serialize, de::DeserializeOwned};

use super::App;
use crate::{
    actor::Actor,
    error::{Code, Error, Result},
    ids::PersonId,
    keys::sha256_hex,
    store::{Store, Tx},
};

/// The operation that leaves a voice.
const VOICE: &str = "submit_suggestion";
/// For how long a key is known.
const DAYS: i64 = 1;
/// The same of a voice: `web/assets/keep.js` sends a draft for seven days.
const DAYS_OF_A_VOICE: i64 = 8;

/// The `Idempotency-Key` header: 1 to 255 printable ASCII characters, or absent.
#[derive(Clone, Debug)]
pub struct IdempotencyKey(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let text = value.to_str().map_err(|_| Code::InvalidRequest)?;
        if text.is_empty() || text.len() > 255 {
            return Err(Code::InvalidRequest.into());
        }
        Ok(Self(Some(text.to_owned())))
    }
}

mod row {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::PersonId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "idempotency_keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        pub operation: String,
        pub body_hash: String,
        pub answer: String,
        pub created_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

impl App {
    /// Runs a command in a unit of work. With a key, the same request again gives the same answer and does nothing.
    ///
    /// # Errors
    /// What the command refuses (then the key is free again); `idempotency_mismatch` for the same key with another body;
    /// `changed` when it was done before an upgrade and today's answer is another.
    pub fn once<I, T, F>(
        &self,
        actor: Actor,
        key: IdempotencyKey,
        operation: &'static str,
        input: I,
        run: F,
    ) -> BoxFuture<'_, Result<T>>
    where
        I: Serialize + Send + Sync + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
        F: for<'t> FnOnce(&'t Tx, &'t Actor, I) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        self.store.write(move |tx| Box::pin(guarded(tx, actor, key, operation, input, run)))
    }

    /// Was something done under this key already?
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn was_done(&self, person: PersonId, key: IdempotencyKey) -> Result<bool> {
        let Some(key) = key.0 else { return Ok(false) };
        Ok(row::Entity::find_by_id((person, key)).one(self.store.read()).await?.is_some())
    }
}

// compiled anew for each of some hundred commands, hence no longer than it must be
async fn guarded<I, T, F>(tx: &Tx, actor: Actor, key: IdempotencyKey, operation: &str, input: I, run: F) -> Result<T>
where
    I: Serialize + Send + Sync,
    T: Serialize + DeserializeOwned,
    F: for<'t> FnOnce(&'t Tx, &'t Actor, I) -> BoxFuture<'t, Result<T>>,
{
    // the actor lives in this frame, so a command may borrow it for as long as the transaction
    let Some(key) = key.0 else { return run(tx, &actor, input).await };
    let asked = Asked::new(tx, actor.person, key, operation, &serde_json::to_vec(&input).map_err(Error::broken)?);
    if let Some(answer) = asked.answered(tx).await? {
        // it was done, by a program that answered in other words: whoever asks looks at what became of it
        return serde_json::from_str(&answer).map_err(|_| {
            tracing::warn!(operation, "an answer of another version cannot be given again");
            Code::Changed.into()
        });
    }
    let answer = run(tx, &actor, input).await?;
    let kept = serde_json::to_string(&answer).map_err(Error::broken)?;
    asked.keep(tx, &kept).await?;
    Ok(answer)
}

/// A request with a key. Keyed and sealed: bodies and answers hold what people say, and are kept for a day.
struct Asked<'a> {
    person: PersonId,
    key: String,
    operation: &'a str,
    body_hash: String,
    purpose: String,
}

impl<'a> Asked<'a> {
    fn new(tx: &Tx, person: PersonId, key: String, operation: &'a str, body: &[u8]) -> Self {
        let body_hash = tx.keys().lookup("idempotency", &sha256_hex(body));
        let purpose = format!("answer {person} {key}");
        Self { person, key, operation, body_hash, purpose }
    }

    /// What the same request was answered before.
    async fn answered(&self, tx: &Tx) -> Result<Option<String>> {
        let Some(known) = row::Entity::find_by_id((self.person, self.key.clone())).one(tx).await? else {
            return Ok(None);
        };
        if known.operation != self.operation || known.body_hash != self.body_hash {
            return Err(Code::IdempotencyMismatch.into());
        }
        Ok(Some(tx.keys().unseal(&self.purpose, &known.answer)?))
    }

    async fn keep(self, tx: &Tx, answer: &str) -> Result<()> {
        let kept = row::ActiveModel {
            person_id: Set(self.person),
            key: Set(self.key),
            operation: Set(self.operation.to_owned()),
            body_hash: Set(self.body_hash),
            answer: Set(tx.keys().seal(&self.purpose, answer)?),
            created_at: Set(tx.now()),
        };
        row::Entity::insert(kept).exec_without_returning(tx).await?;
        Ok(())
    }
}

/// Forgets what this person's requests were answered.
///
/// # Errors
/// When the database fails.
pub async fn forget_keys_of(tx: &Tx, person: PersonId) -> Result<()> {
    row::Entity::delete_many().filter(row::Column::PersonId.eq(person)).exec(tx).await?;
    Ok(())
}

/// Keys are kept for a day; that of a voice for a day longer than a phone keeps a draft, which may have come already.
///
/// # Errors
/// When the database fails.
pub async fn forget_old_keys(store: &Store) -> Result<u64> {
    store
        .write(|tx| {
            Box::pin(async move {
                let of_age = |days| row::Column::CreatedAt.lt(tx.now() - TimeDelta::days(days));
                let is_over = of_age(DAYS)
                    .and(row::Column::Operation.ne(VOICE))
                    .or(of_age(DAYS_OF_A_VOICE).and(row::Column::Operation.eq(VOICE)));
                let gone = row::Entity::delete_many().filter(is_over).exec(tx).await?;
                Ok(gone.rows_affected)
            })
        })
        .await
}
