//! Rows of consents, closings and corrections.

/// A consent given or withdrawn; the newest of a purpose holds.
pub(super) mod consent {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{ids::PersonId, privacy::rules::Purpose};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "consents")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub person_id: PersonId,
        pub purpose: Purpose,
        pub is_given: bool,
        pub version: String,
        pub channel: String,
        pub at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A wish to close the account.
pub(super) mod closing {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{ids::PersonId, privacy::rules::ClosingState};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "account_closings")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub person_id: PersonId,
        pub state: ClosingState,
        pub asked_at: DateTime<Utc>,
        pub due_at: DateTime<Utc>,
        pub ended_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A wish to have something put right.
pub(super) mod correction {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{
        ids::{CorrectionId, PersonId},
        privacy::rules::{CorrectionField, CorrectionState},
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "corrections")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: CorrectionId,
        pub person_id: PersonId,
        pub area_code: String,
        pub field: CorrectionField,
        pub wanted_sealed: String,
        pub state: CorrectionState,
        pub asked_at: DateTime<Utc>,
        pub due_at: DateTime<Utc>,
        pub decided_by: Option<PersonId>,
        pub decided_at: Option<DateTime<Utc>>,
        pub reason: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
