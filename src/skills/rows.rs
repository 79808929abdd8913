//! Rows of what people can do, of what each may be found for, and of needs.

/// What one person can do.
pub(super) mod entry {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::PersonId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "skill_entries")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        /// Home village when it was written.
        pub area_code: String,
        /// A line each.
        pub tags: String,
        pub availability: String,
        pub place: String,
        pub changed_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// That somebody may be found for a use. Taken back: no row.
pub(super) mod consent {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{ids::PersonId, skills::rules::SkillUse};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "skill_consents")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub purpose: SkillUse,
        pub given_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Something for which somebody is sought.
pub(super) mod need {
    use chrono::{DateTime, NaiveDate, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{
        ids::{BodyId, NeedId, PersonId},
        skills::rules::NeedState,
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "needs")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: NeedId,
        pub area_code: String,
        pub body_id: BodyId,
        pub title: String,
        pub text: String,
        /// A line each.
        pub tags: String,
        pub contact: String,
        pub until_on: NaiveDate,
        pub state: NeedState,
        pub posted_by: PersonId,
        pub posted_at: DateTime<Utc>,
        /// Of an open one: whom the body replaced, and who does not take it again.
        pub taken_by: Option<PersonId>,
        pub taker_contact: Option<String>,
        pub taken_at: Option<DateTime<Utc>>,
        pub outcome: Option<String>,
        pub ended_by: Option<PersonId>,
        pub ended_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
