//! How every step makes a table and an index.
use sea_orm_migration::prelude::*;

/// Makes a table.
pub(crate) async fn create(
    manager: &SchemaManager<'_>,
    name: &'static str,
    fill: impl FnOnce(&mut TableCreateStatement),
) -> Result<(), DbErr> {
    let mut table = Table::create();
    table.table(name);
    fill(&mut table);
    manager.create_table(table).await
}

/// Makes an index named after its columns.
pub(crate) async fn index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    let mut index = Index::create();
    index.name(format!("ix_{table}_{}", columns.join("_"))).table(table);
    for column in columns {
        index.col(*column);
    }
    manager.create_index(index).await
}
