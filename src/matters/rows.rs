//! Rows of matters: the matter, its stages one after another, what was put before each, its plan,
//! templates, and what a village's assembly allowed.

/// One matter.
pub(crate) mod matter {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, CharterId, MatterId, PersonId, SeatId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "matters")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: MatterId,
        pub number: String,
        pub area_code: String,
        pub title: String,
        pub summary: String,
        pub template_key: String,
        pub template_version: i32,
        pub state: String,
        pub stage: String,
        pub stage_due_at: Option<DateTime<Utc>>,
        pub stage_overdue_at: Option<DateTime<Utc>>,
        pub body_id: BodyId,
        pub proposer_id: PersonId,
        pub rev: i32,
        pub created_at: DateTime<Utc>,
        pub updated_at: DateTime<Utc>,
        pub ended_at: Option<DateTime<Utc>>,
        pub reserved_item: Option<String>,
        pub charter_id: Option<CharterId>,
        pub responsible_seat_id: Option<SeatId>,
        pub budget_fen: Option<i64>,
        pub budget_source: Option<String>,
        pub merged_into_id: Option<MatterId>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A step that the supervision committee held up; of each stay once.
pub(crate) mod halt {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, MatterId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "halts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub matter_id: MatterId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub ordinal: i32,
        pub body_id: BodyId,
        pub actor_id: PersonId,
        pub reason: String,
        pub halted_at: DateTime<Utc>,
        pub until_at: DateTime<Utc>,
        pub over_at: Option<DateTime<Utc>>,
        pub lifted_reason: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A body that was invited by name to deliberate a matter; in each stay once.
pub(crate) mod invitation {
    use chrono::{DateTime, NaiveDate, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, MatterId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "invitations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub matter_id: MatterId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub ordinal: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub body_id: BodyId,
        pub invited_by: PersonId,
        pub invited_at: DateTime<Utc>,
        pub due_on: NaiveDate,
        pub declined_at: Option<DateTime<Utc>>,
        pub declined_by: Option<PersonId>,
        pub reason: Option<String>,
        /// For which day who sits there was let in; none: nobody is any more.
        pub seated_on: Option<NaiveDate>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One version of what is to be done.
pub(crate) mod plan {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, MatterId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "plans")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub matter_id: MatterId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i32,
        pub text: String,
        pub reason: Option<String>,
        pub body_id: BodyId,
        pub actor_id: PersonId,
        pub written_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What a village's own rules allow beyond the six stages.
pub(crate) mod charter {
    use chrono::{DateTime, NaiveDate, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, CharterId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "charters")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: CharterId,
        pub area_code: String,
        pub template_key: String,
        pub adopted_on: NaiveDate,
        pub source: String,
        pub body_id: BodyId,
        pub recorded_by: PersonId,
        pub recorded_at: DateTime<Utc>,
        pub ended_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// That the assembly let its representatives decide one of the items that the law reserves to it.
pub(crate) mod authorisation {
    use chrono::{DateTime, NaiveDate, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{AuthorisationId, BodyId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "authorisations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: AuthorisationId,
        pub area_code: String,
        pub reserved_item: String,
        pub adopted_on: NaiveDate,
        pub until_on: NaiveDate,
        pub source: String,
        pub body_id: BodyId,
        pub recorded_by: PersonId,
        pub recorded_at: DateTime<Utc>,
        pub ended_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One stay of a matter in a stage; a stage that was entered again has a second one.
pub(crate) mod stage_record {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, MatterId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "stage_records")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub matter_id: MatterId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub ordinal: i32,
        pub stage: String,
        pub entered_at: DateTime<Utc>,
        pub due_at: Option<DateTime<Utc>>,
        pub calendar_version: String,
        pub left_at: Option<DateTime<Utc>>,
        pub outcome: Option<String>,
        pub actor_id: Option<PersonId>,
        pub body_id: Option<BodyId>,
        pub reason: Option<String>,
        pub authority: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One piece of evidence; `subject_id` names the form, meeting, notice, vote or task that it is.
pub(crate) mod evidence {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, MatterId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "evidences")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub matter_id: MatterId,
        pub stage: String,
        pub kind: String,
        pub subject_id: Option<String>,
        pub outcome: Option<String>,
        pub note: Option<String>,
        pub actor_id: Option<PersonId>,
        pub body_id: Option<BodyId>,
        pub at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One version of a template.
pub(crate) mod template {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "templates")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i32,
        pub definition: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
