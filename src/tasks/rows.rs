//! Rows of tasks, of their delays and of their money.

/// One task.
pub(crate) mod task {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, MatterId, NoticeId, PersonId, TaskId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tasks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: TaskId,
        pub area_code: String,
        pub matter_id: Option<MatterId>,
        pub title: String,
        pub body_id: BodyId,
        pub owner_id: PersonId,
        pub state: String,
        pub due_at: DateTime<Utc>,
        pub calendar_version: String,
        pub proof: Option<String>,
        pub done_at: Option<DateTime<Utc>>,
        pub overdue_at: Option<DateTime<Utc>>,
        pub created_by: PersonId,
        pub created_at: DateTime<Utc>,
        /// The doors to be visited are those of this notice.
        pub notice_id: Option<NoticeId>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// That a task was put off.
pub(crate) mod delay {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, PersonId, TaskId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "task_delays")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub task_id: TaskId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        pub due_before: DateTime<Utc>,
        pub due_at: DateTime<Utc>,
        pub reason: String,
        pub body_id: BodyId,
        pub actor_id: PersonId,
        pub at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What was set aside or spent for a task; one that reverses another has its amount below zero.
pub(crate) mod money_line {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{MoneyLineId, PersonId, TaskId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "money_lines")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: MoneyLineId,
        pub task_id: TaskId,
        pub kind: String,
        pub fen: i64,
        pub label: String,
        pub reverses: Option<MoneyLineId>,
        pub actor_id: PersonId,
        pub at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
