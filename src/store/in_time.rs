//! A database of which no answer is waited for without end.
//!
//! # Why
//! A network that swallows an answer tells nobody, and a limit that the server keeps does not help: what it says of it is
//! swallowed, too. Whatever reads again and again, the loops of a worker above all, would wait for ever. It is a statement
//! that is given up and never what it is part of: a message that is being sent is sent to its end.
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};

/// Connections; an error that says `busy` when one of them does not answer.
#[derive(Clone)]
pub struct InTime {
    pub(super) database: DatabaseConnection,
    within: Duration,
}

impl InTime {
    pub(super) fn new(database: DatabaseConnection, within: Duration) -> Self {
        Self { database, within }
    }

    async fn wait<T>(&self, answer: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        let silent = |_| Err(DbErr::Conn(RuntimeErr::Internal("the database does not answer".to_owned())));
        tokio::time::timeout(self.within, answer).await.unwrap_or_else(silent)
    }
}

#[async_trait]
impl ConnectionTrait for InTime {
    fn get_database_backend(&self) -> DbBackend {
        self.database.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.wait(self.database.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.wait(self.database.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.wait(self.database.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.wait(self.database.query_all_raw(statement)).await
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::Database;

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
}
