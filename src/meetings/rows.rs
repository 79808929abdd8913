//! Rows of meetings, of against whom they are counted, of who was there and of what was resolved.

/// One meeting.
pub(crate) mod meeting {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, MatterId, MeetingId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "meetings")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: MeetingId,
        pub area_code: String,
        pub body_id: BodyId,
        pub matter_id: Option<MatterId>,
        pub audience: String,
        pub title: String,
        pub agenda: String,
        pub place: String,
        pub state: String,
        pub called_at: DateTime<Utc>,
        pub starts_at: DateTime<Utc>,
        pub held_at: Option<DateTime<Utc>>,
        pub minutes: Option<String>,
        pub resolution: Option<String>,
        pub cancel_reason: Option<String>,
        pub created_by: PersonId,
        /// Of how many members the meeting was, and how many of them came; known when its minutes are taken.
        pub entitled: Option<i32>,
        pub entitled_present: Option<i32>,
        pub business: Option<String>,
        /// How many were on its list when it was called; none where it has no list.
        pub listed: Option<i32>,
        /// The villagers' group that is called.
        pub group_number: Option<i32>,
        /// Who does not call it off, because a vote that belongs to it is about them; ids, with commas between.
        pub kept_from: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One person at one meeting.
pub(crate) mod attendance {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{MeetingId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "attendances")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub meeting_id: MeetingId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        pub via: String,
        pub recorded_by: PersonId,
        pub at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What a meeting resolved, one after the other.
pub(crate) mod resolution {
    use sea_orm::entity::prelude::*;

    use crate::ids::{MeetingId, TaskId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "resolutions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub meeting_id: MeetingId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        pub text: String,
        pub votes_for: Option<i32>,
        pub votes_against: Option<i32>,
        pub abstentions: Option<i32>,
        pub is_carried: bool,
        pub task_id: Option<TaskId>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody on the list with which a meeting was called.
pub(crate) mod listed {
    use sea_orm::entity::prelude::*;

    use crate::ids::{MeetingId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "meeting_lists")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub meeting_id: MeetingId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// That somebody came on it or left it later.
pub(crate) mod change {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{MeetingId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "list_changes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub meeting_id: MeetingId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        pub person_id: PersonId,
        pub is_entered: bool,
        pub reason: String,
        pub actor_id: PersonId,
        pub at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
