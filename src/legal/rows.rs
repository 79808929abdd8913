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

/// A mediation; its words are sealed by a key of its own.
pub(super) mod mediation {
    use chrono::{DateTime, NaiveDate, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{
        ids::{DataKeyId, MediationId, PersonId},
        legal::rules::MediationState,
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "mediations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: MediationId,
        pub key_id: DataKeyId,
        pub area_code: String,
        pub officer_id: PersonId,
        pub about: String,
        pub state: MediationState,
        pub opened_at: DateTime<Utc>,
        pub ended_at: Option<DateTime<Utc>>,
        pub outcome: Option<String>,
        pub agreement: Option<String>,
        pub follow_up_on: Option<NaiveDate>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody between whom a mediation is held; the name is sealed by its key.
pub(super) mod party {
    use sea_orm::entity::prelude::*;

    use crate::ids::{MediationId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "mediation_parties")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub mediation_id: MediationId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        pub person_id: Option<PersonId>,
        pub name: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What was found when an agreement was looked at again; sealed by its key.
pub(super) mod follow_up {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::MediationId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "mediation_follow_ups")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub mediation_id: MediationId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        pub text: String,
        pub at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What an officer's time of a day went into, in one village.
pub(super) mod hours {
    use chrono::{DateTime, NaiveDate, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{ids::PersonId, legal::rules::LegalWork};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "legal_hours")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub area_code: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub day: NaiveDate,
        #[sea_orm(primary_key, auto_increment = false)]
        pub work: LegalWork,
        pub minutes: i32,
        pub note: String,
        pub written_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
