//! Rows of boards: the board, its leaves and heads, what waits, the sealed ballots without their electors.

/// One board; `peaks` is the right edge of the tree, in hex.
pub(super) mod board {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::VoteId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "boards")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vote_id: VoteId,
        pub manifest: String,
        pub manifest_hash: String,
        pub key_id: String,
        pub size: i64,
        pub peaks: String,
        pub result: Option<String>,
        pub result_signature: Option<String>,
        pub plaintexts: Option<String>,
        /// Since when nothing more is said on it: it came out of a backup, and more may have been signed since that was made.
        pub halted_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One leaf, as it was hashed.
pub(super) mod entry {
    use sea_orm::entity::prelude::*;

    use crate::ids::VoteId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "board_entries")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vote_id: VoteId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub place: i64,
        pub leaf: String,
        pub leaf_hash: String,
        pub ballot_hash: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One signed head; the moment stands as it was signed.
pub(super) mod head {
    use sea_orm::entity::prelude::*;

    use crate::ids::VoteId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "board_heads")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vote_id: VoteId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub size: i64,
        pub root: String,
        pub signed_at: String,
        pub signature: String,
        /// The board has its result: on PostgreSQL it lies apart from those of boards that grow.
        pub is_over: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A ballot's digest that a receipt has promised and that is not on the board yet; until when it may wait for others.
pub(super) mod pending {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::VoteId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "board_pending")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vote_id: VoteId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub ballot_hash: String,
        pub due_at: DateTime<Utc>,
        /// How many it adds to the electors whose ballots wait here: none when its own cast before.
        pub electors: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A sealed ballot after the end, in an order that says nothing of who cast it or when.
pub(super) mod envelope {
    use sea_orm::entity::prelude::*;

    use crate::ids::VoteId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "board_envelopes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vote_id: VoteId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub place: i32,
        pub ballot_hash: String,
        pub cast_id: Uuid,
        pub sealed: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
