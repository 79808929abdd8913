//! Rows of tasks.

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
