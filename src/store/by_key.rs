//! Many keys looked up in one statement, each by itself.
//!
//! # Why
//! Of two lists (`a IN (…) AND b IN (…)`) a database tries every pair, and a table whose statistics are from before the rush
//! it would rather go through from end to end: both grow with what is there. A lookup that stands in the list of columns is
//! done once for each key, by its index.
use sea_orm::sea_query::{Expr, IntoValueTuple, Query, SelectStatement};

/// The first column of a key, `key_column(1)`, and those that follow.
#[must_use]
pub fn key_column(nth: u8) -> Expr {
    Expr::col(("asked", format!("column{nth}")))
}

/// For each key its columns (`column1`, …) and what `find` says for it, as `found`, which is `NULL` where it finds nothing. It
/// finds one row at most, by [`key_column`], and says one thing of it. There must be a key.
#[must_use]
pub fn by_key<K: IntoValueTuple>(keys: Vec<K>, columns: u8, find: SelectStatement) -> SelectStatement {
    let mut select = Query::select();
    for nth in 1..=columns {
        select.expr_as(key_column(nth), format!("column{nth}"));
    }
    select.expr_as(Expr::SubQuery(None, Box::new(find.into())), "found").from_values(keys, "asked").to_owned()
}
