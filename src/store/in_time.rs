//! A database of which no answer is waited for without end.
//!
//! # Why
//! A network that swallows an answer tells nobody, and a limit that the server keeps does not help: what it says of it is
//! swallowed, too. Whatever reads again and again, the loops of a worker above all, would wait for ever. It is a statement
//! that is given up and never what it is part of: a message that is being sent is sent to its end. The driver asks each
//! connection that is given back whether it lives, and waits for that answer without end: so all connections of a time in
//! which an answer was swallowed, or nobody found one for long, are given up, and others take their place.
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement,
};

/// Connections; an error that says `busy` when one of them does not answer.
#[derive(Clone)]
pub struct InTime {
    within: Duration,
    connections: Arc<Mutex<Connections>>,
    renewal: Option<Renewal>,
}

struct Connections {
    database: DatabaseConnection,
    made_at: Instant,
    answered_at: Instant,
}

/// After which time others may take their place, and how they are made.
#[derive(Clone)]
struct Renewal {
    after: Duration,
    make: Arc<dyn Fn() -> Option<DatabaseConnection> + Send + Sync>,
}

impl InTime {
    pub(super) fn new(database: DatabaseConnection, within: Duration) -> Self {
        let now = Instant::now();
        let connections = Connections { database, made_at: now, answered_at: now };
        Self { within, connections: Arc::new(Mutex::new(connections)), renewal: None }
    }

    /// The same, made anew when they are lost, but not more often than once in such a time.
    pub(super) fn renewed(
        self,
        after: Duration,
        make: impl Fn() -> Option<DatabaseConnection> + Send + Sync + 'static,
    ) -> Self {
        Self { renewal: Some(Renewal { after, make: Arc::new(make) }), ..self }
    }

    /// As they are now.
    pub(super) fn database(&self) -> DatabaseConnection {
        self.connections().database.clone()
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait<T>(&self, answer: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        let Ok(answer) = tokio::time::timeout(self.within, answer).await else {
            self.lost(None);
            return Err(DbErr::Conn(RuntimeErr::Internal("the database does not answer".to_owned())));
        };
        let since = self.connections().answered_at;
        match &answer {
            Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)) => self.lost(Some(since)),
            _ => self.connections().answered_at = Instant::now(),
        }
        answer
    }

    /// `since`: nobody was answered since then, and now nobody finds a connection. Where many ask, they only wait for others.
    fn lost(&self, since: Option<Instant>) {
        let Some(Renewal { after, make }) = &self.renewal else { return };
        let mut connections = self.connections();
        let is_long = since.is_none_or(|since| since.elapsed() >= *after) && connections.made_at.elapsed() >= *after;
        let fresh = if is_long { make() } else { None };
        if let Some(database) = fresh {
            tracing::warn!("the database does not answer; others take the place of its connections");
            let now = Instant::now();
            *connections = Connections { database, made_at: now, answered_at: now };
        }
    }
}

#[async_trait]
impl ConnectionTrait for InTime {
    fn get_database_backend(&self) -> DbBackend {
        self.connections().database.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.wait(self.database().execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.wait(self.database().execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.wait(self.database().query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.wait(self.database().query_all_raw(statement)).await
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectOptions, Database, TransactionTrait};

    use super::*;
    use crate::error::{Code, Error};

    async fn ask(database: &InTime, sql: &str) -> Result<usize, Code> {
        let rows = database.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await;
        rows.map(|rows| rows.len()).map_err(|error| Error::from(error).code())
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_to_come_again() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("slow.db").display());
        let database = InTime::new(Database::connect(url).await.unwrap(), Duration::from_millis(300));
        assert_eq!(ask(&database, "SELECT 1").await, Ok(1));
        // some seconds
        let counting = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000000) \
            SELECT count(*) FROM n";
        assert_eq!(ask(&database, counting).await, Err(Code::Busy));
    }

    #[tokio::test]
    async fn connections_of_which_none_comes_back_are_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("lost.db").display());
        let mut one = ConnectOptions::new(url);
        one.max_connections(1).acquire_timeout(Duration::from_millis(100));
        let (first, second) = (Database::connect(one.clone()).await.unwrap(), Database::connect(one).await.unwrap());
        let database =
            InTime::new(first, Duration::from_secs(5)).renewed(Duration::from_secs(1), move || Some(second.clone()));
        assert_eq!(ask(&database, "SELECT 1").await, Ok(1));
        // the only one is never given back
        let kept = database.database().begin().await.unwrap();
        let began = Instant::now();
        while ask(&database, "SELECT 1").await != Ok(1) {
            assert!(began.elapsed() < Duration::from_secs(10), "what was lost is never made anew");
        }
        assert!(began.elapsed() >= Duration::from_millis(500), "who waits for others has not lost them");
        kept.rollback().await.unwrap();
    }
}
