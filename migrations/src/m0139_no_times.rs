//! In which second a sealed ballot came is kept no more once it is parted from its elector.
//!
//! # Why
//! A receipt that was asked for between the end and the result told that second again. Whoever notes when somebody casts, holds two
//! keys and reads the database in these days found by it which of the five that came onto the board together was whose; the
//! board itself tells no more than the five.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("board_times").to_owned()).await
    }
}
