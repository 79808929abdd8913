//! Rows of votes: the vote, its frozen roll, the envelopes.

/// One vote.
pub(crate) mod vote {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, MatterId, MeetingId, PersonId, VoteId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "votes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: VoteId,
        pub matter_id: MatterId,
        pub meeting_id: Option<MeetingId>,
        pub area_code: String,
        pub body_id: BodyId,
        pub question: String,
        pub preset: String,
        pub rule: String,
        pub secrecy: String,
        pub is_binding: bool,
        pub state: String,
        pub on_roll: i32,
        pub opens_at: DateTime<Utc>,
        pub closes_at: DateTime<Utc>,
        pub closed_at: Option<DateTime<Utc>>,
        pub result: Option<String>,
        pub created_by: PersonId,
        pub created_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One elector; `channel` says whether and how the ballot came in, never what is on it.
pub(crate) mod roll_entry {
    use sea_orm::entity::prelude::*;

    use crate::ids::{HouseholdId, PersonId, VoteId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "roll_entries")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vote_id: VoteId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        pub person_id: PersonId,
        pub household_id: HouseholdId,
        pub channel: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One ballot, as it came in; a time-ordered id would say who voted when, so `cast_id` is the client's.
pub(crate) mod envelope {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::VoteId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "envelopes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vote_id: VoteId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub cast_id: Uuid,
        pub elector_number: i32,
        pub rev: i32,
        pub choice: Option<String>,
        pub sealed: Option<String>,
        pub ballot_hash: String,
        pub cast_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
