//! How large the database is.
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::Store;
use crate::error::Result;

impl Store {
    /// Bytes of the database, without the log that is not folded into it yet.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn bytes(&self) -> Result<u64> {
        let backend = self.read().get_database_backend();
        let select = match backend {
            DbBackend::Postgres => "SELECT pg_database_size(current_database())",
            _ => "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        };
        let row = self.read().query_one_raw(Statement::from_string(backend, select)).await?;
        let bytes: Option<i64> = row.map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(bytes.unwrap_or(0).unsigned_abs())
    }
}
