//! A unit of work: the transaction it writes in, the time, and the bells that ring when it is committed.
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use crate::{broker::Bell, calendar::Calendar, clock::Clock, keys::Keys};

/// Passed to every command; queries run on it like on a connection.
pub struct Tx {
    pub(super) database: DatabaseTransaction,
    clock: Clock,
    calendar: Calendar,
    keys: Arc<Keys>,
    bells: Mutex<Vec<Bell>>,
}

impl Tx {
    pub(super) fn new(database: DatabaseTransaction, clock: Clock, calendar: Calendar, keys: Arc<Keys>) -> Self {
        Self { database, clock, calendar, keys, bells: Mutex::default() }
    }

    /// The present; read it after the rows it decides about are locked.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Working days.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// What seals and looks up.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Rings once the unit is committed, and never if it is not.
    pub fn ring(&self, bell: Bell) {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner).push(bell);
    }

    /// The transaction itself, for steps of the schema inside it.
    pub(crate) fn transaction(&self) -> &DatabaseTransaction {
        &self.database
    }

    pub(super) fn finish(self) -> (DatabaseTransaction, Vec<Bell>) {
        (self.database, self.bells.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.database.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.database.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.database.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.database.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.database.query_all_raw(statement).await
    }
}
