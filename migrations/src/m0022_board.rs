//! The public board of votes: leaves, signed heads, keys of those who open sealed ballots together.
use sea_orm_migration::{prelude::*, schema::*};

use crate::schema::create;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, "boards", |table| {
            table
                .col(uuid("vote_id").primary_key())
                .col(text("manifest"))
                .col(string("manifest_hash"))
                .col(string("key_id"))
                .col(big_integer("size"))
                .col(text("peaks"))
                .col(text_null("result"))
                .col(text_null("result_signature"))
                .col(text_null("plaintexts"))
                .foreign_key(ForeignKey::create().from("boards", "vote_id").to("votes", "id"));
        })
        .await?;
        create(manager, "board_entries", |table| {
            table
                .col(uuid("vote_id"))
                .col(big_integer("place"))
                .col(text("leaf"))
                .col(string("leaf_hash"))
                .col(string_null("ballot_hash"))
                .primary_key(Index::create().col("vote_id").col("place"))
                .foreign_key(ForeignKey::create().from("board_entries", "vote_id").to("boards", "vote_id"))
                .index(
                    Index::create()
                        .unique()
                        .name("uq_board_entries_vote_id_ballot_hash")
                        .col("vote_id")
                        .col("ballot_hash"),
                );
        })
        .await?;
        create(manager, "board_heads", |table| {
            table
                .col(uuid("vote_id"))
                .col(big_integer("size"))
                .col(string("root"))
                .col(string("signed_at"))
                .col(string("signature"))
                .primary_key(Index::create().col("vote_id").col("size"))
                .foreign_key(ForeignKey::create().from("board_heads", "vote_id").to("boards", "vote_id"));
        })
        .await?;
        create(manager, "board_pending", |table| {
            table
                .col(uuid("vote_id"))
                .col(string("ballot_hash"))
                .primary_key(Index::create().col("vote_id").col("ballot_hash"))
                .foreign_key(ForeignKey::create().from("board_pending", "vote_id").to("boards", "vote_id"));
        })
        .await?;
        create(manager, "board_envelopes", |table| {
            table
                .col(uuid("vote_id"))
                .col(integer("place"))
                .col(string("ballot_hash"))
                .col(uuid("cast_id"))
                .col(string("accepted"))
                .col(text("sealed"))
                .primary_key(Index::create().col("vote_id").col("place"))
                .foreign_key(ForeignKey::create().from("board_envelopes", "vote_id").to("boards", "vote_id"));
        })
        .await?;
        create(manager, "trustee_keys", |table| {
            table
                .col(uuid("vote_id"))
                .col(string("trustee"))
                .col(string("public_key"))
                .col(uuid("made_by"))
                .col(timestamp_with_time_zone("made_at"))
                .primary_key(Index::create().col("vote_id").col("trustee"))
                .foreign_key(ForeignKey::create().from("trustee_keys", "vote_id").to("votes", "id"))
                .foreign_key(ForeignKey::create().from("trustee_keys", "made_by").to("people", "id"));
        })
        .await?;
        for name in ["allows_revote", "has_board", "links_left"] {
            let column = ColumnDef::new(name).boolean().not_null().default(false).to_owned();
            manager.alter_table(Table::alter().table("votes").add_column(column).to_owned()).await?;
        }
        let tag = ColumnDef::new("tag").string().null().to_owned();
        manager.alter_table(Table::alter().table("roll_entries").add_column(tag).to_owned()).await?;
        let by = ColumnDef::new("sealed_by").string().null().to_owned();
        manager.alter_table(Table::alter().table("envelopes").add_column(by).to_owned()).await
    }
}
