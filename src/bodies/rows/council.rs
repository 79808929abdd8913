//! Rows of what councils say of themselves: their charters, and what they did for people.

/// One thing that a council did.
pub(crate) mod service_record {
    use chrono::{DateTime, NaiveDate, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{
        bodies::rules::CouncilFunction,
        ids::{BodyId, PersonId, ServiceRecordId},
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "service_records")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: ServiceRecordId,
        pub body_id: BodyId,
        pub done_on: NaiveDate,
        pub function: CouncilFunction,
        pub service_group: Option<String>,
        pub text: String,
        /// For how many, as whoever wrote it down counted them.
        pub people: i32,
        pub recorded_by: PersonId,
        pub recorded_at: DateTime<Utc>,
        pub withdrawn_by: Option<PersonId>,
        pub withdrawn_at: Option<DateTime<Utc>>,
        /// Why it was withdrawn.
        pub reason: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One version of a charter.
pub(crate) mod body_charter {
    use chrono::{DateTime, NaiveDate, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "body_charters")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub body_id: BodyId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i32,
        pub text: String,
        pub adopted_on: NaiveDate,
        /// Which meeting adopted it.
        pub source: String,
        pub recorded_by: PersonId,
        pub recorded_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
