//! Rows of lists, and of what people added to them.

/// A list; its place is that of the entry that started it.
pub(super) mod chain {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{PersonId, StreamId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "chains")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub stream_id: StreamId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i64,
        pub started_by: PersonId,
        pub title: String,
        pub example: String,
        pub max_rows: i32,
        pub last_row: i32,
        pub closes_at: Option<DateTime<Utc>>,
        pub closed_at: Option<DateTime<Utc>>,
        pub slot: String,
        /// Names of the fields, as a JSON list.
        pub fields: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody's row; one that was taken away keeps its number.
pub(super) mod chain_row {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{HouseholdId, PersonId, StreamId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "chain_rows")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub stream_id: StreamId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        pub row_no: i32,
        pub text: String,
        pub quantity: i32,
        pub removed_at: Option<DateTime<Utc>>,
        pub created_at: DateTime<Utc>,
        /// Whose row it is where a household has one.
        pub household_id: Option<HouseholdId>,
        /// What stands in the fields, as a JSON list.
        pub cells: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
