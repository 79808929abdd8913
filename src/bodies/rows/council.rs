//! Rows of what councils say of themselves: their charters, what they did for people, who is recommended for them.

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

/// Somebody who is recommended for a council.
pub(crate) mod recommendation {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{
        bodies::rules::{RecommendationState, SeatRoute},
        ids::{BodyId, PersonId, RecommendationId},
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "recommendations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: RecommendationId,
        pub body_id: BodyId,
        /// As it was typed, of who recommended somebody else.
        pub name: String,
        /// Who recommended oneself, or is the only one of this name on the rosters there.
        pub person_id: Option<PersonId>,
        pub route: SeatRoute,
        pub reason: String,
        pub recommended_by: PersonId,
        pub recommended_at: DateTime<Utc>,
        pub state: RecommendationState,
        pub decided_by: Option<PersonId>,
        pub decided_at: Option<DateTime<Utc>>,
        pub note: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
