//! Rows of suspensions.

/// One suspension; it runs from its start to its end, unless it was lifted.
pub(crate) mod suspension {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, PersonId, SuspensionId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "suspensions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: SuspensionId,
        pub person_id: PersonId,
        pub area_code: String,
        pub body_id: BodyId,
        pub reason: String,
        pub imposed_by: PersonId,
        pub starts_at: DateTime<Utc>,
        pub ends_at: DateTime<Utc>,
        pub lifted_at: Option<DateTime<Utc>>,
        pub lifted_by: Option<PersonId>,
        pub lift_reason: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
