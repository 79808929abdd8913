//! Rows of joint meetings.

/// How often another leads.
pub(super) mod rotation {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{
        ids::{BodyId, PersonId},
        joint::rules::Rotation,
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "joint_rotations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub body_id: BodyId,
        pub rotation: Rotation,
        pub changed_by: PersonId,
        pub changed_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// From when on somebody leads; months and quarters that have gone by since are counted until their turn is written down, too.
pub(super) mod turn {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "joint_turns")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub body_id: BodyId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        pub person_id: PersonId,
        pub began_at: DateTime<Utc>,
        /// Why the one before passed it on; none where it came in order.
        pub reason: Option<String>,
        pub passed_by: Option<PersonId>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A matter on the agenda.
pub(super) mod item {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, JointItemId, MatterId, MeetingId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "joint_items")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: JointItemId,
        pub body_id: BodyId,
        pub matter_id: MatterId,
        /// Codes of the villages that it concerns, a line each.
        pub villages: String,
        pub note: String,
        pub proposed_by: PersonId,
        pub proposed_at: DateTime<Utc>,
        /// The meeting at which it was on the agenda.
        pub meeting_id: Option<MeetingId>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// The task that a resolution became in a village.
pub(super) mod village_task {
    use sea_orm::entity::prelude::*;

    use crate::ids::{MeetingId, TaskId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "joint_tasks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub meeting_id: MeetingId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub area_code: String,
        pub task_id: TaskId,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
