//! Rows of legal officers' work.

/// Where and when a legal officer is there.
pub(super) mod desk {
    use sea_orm::entity::prelude::*;

    use crate::ids::SeatId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "legal_desks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub seat_id: SeatId,
        pub place: String,
        pub hours: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A village that a legal officer serves.
pub(super) mod village {
    use sea_orm::entity::prelude::*;

    use crate::ids::SeatId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "legal_villages")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub seat_id: SeatId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub area_code: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A contract that somebody wants looked at, and what came of it.
pub(super) mod contract {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{
        ids::{BodyId, ContractReviewId, MatterId, PersonId},
        legal::rules::ContractOutcome,
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "contract_reviews")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: ContractReviewId,
        pub area_code: String,
        pub body_id: BodyId,
        pub matter_id: Option<MatterId>,
        pub title: String,
        pub text: String,
        pub asked_by: PersonId,
        pub asked_at: DateTime<Utc>,
        pub due_at: DateTime<Utc>,
        pub calendar_version: String,
        pub outcome: Option<ContractOutcome>,
        pub opinion: Option<String>,
        pub reviewed_by: Option<PersonId>,
        pub reviewer_body_id: Option<BodyId>,
        pub reviewed_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
