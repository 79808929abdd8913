//! Rows of forms, of their answers and of the households drawn for a visit.

/// One form; `questions` is JSON.
pub(crate) mod form {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, FormId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "forms")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: FormId,
        pub subject_id: String,
        pub area_code: String,
        pub body_id: Option<BodyId>,
        pub purpose: String,
        pub title: String,
        pub questions: String,
        pub state: String,
        pub opens_at: DateTime<Utc>,
        pub closes_at: Option<DateTime<Utc>>,
        pub closed_at: Option<DateTime<Utc>>,
        pub created_by: PersonId,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One person's answer to one form; `data` is JSON.
pub(crate) mod answer {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;
    use uuid::Uuid;

    use crate::ids::{FormId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "answers")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub form_id: FormId,
        pub person_id: PersonId,
        pub recorded_by: PersonId,
        pub data: String,
        pub created_at: DateTime<Utc>,
        /// Typed in from a sheet of paper that the person filled in.
        pub is_on_paper: bool,
        /// Not before a second person has typed in the same, where that is asked for.
        pub is_counted: bool,
        /// Who that was.
        pub checked_by: Option<PersonId>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A household that was drawn for a visit.
pub(crate) mod sample {
    use sea_orm::entity::prelude::*;

    use crate::ids::{FormId, HouseholdId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "visit_samples")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub form_id: FormId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub household_id: HouseholdId,
        pub number: i32,
        pub is_objector: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
