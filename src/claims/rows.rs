//! Rows of claims and of tries at one.

/// One claim.
pub(super) mod claim {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{
        claims::rules::{ClaimHow, ClaimState},
        ids::{ClaimId, PersonId},
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "phone_claims")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: ClaimId,
        pub area_code: String,
        pub person_id: PersonId,
        pub how: ClaimHow,
        pub phone_sealed: Option<String>,
        pub phone_hmac: String,
        pub old_phone_sealed: Option<String>,
        pub state: ClaimState,
        pub asked_by: Option<PersonId>,
        pub asked_at: DateTime<Utc>,
        pub due_at: DateTime<Utc>,
        pub decided_by: Option<PersonId>,
        pub decided_at: Option<DateTime<Utc>>,
        pub reason: Option<String>,
        pub told_at: Option<DateTime<Utc>>,
        /// Not tried before.
        pub tell_again_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One try, right or wrong.
pub(super) mod claim_try {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "claim_tries")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub phone_hmac: String,
        pub address_hmac: String,
        pub at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
