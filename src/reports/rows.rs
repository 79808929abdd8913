//! Rows of reports.

/// One report of one person.
pub(crate) mod report {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{DataKeyId, PersonId, ReportId, StreamId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "reports")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: ReportId,
        pub stream_id: StreamId,
        pub seq: i64,
        pub reporter_id: PersonId,
        pub area_code: String,
        pub reason: String,
        /// Seals the evidence.
        pub key_id: DataKeyId,
        pub evidence: String,
        pub state: String,
        pub decided_by: Option<PersonId>,
        pub decision_reason: Option<String>,
        pub decided_at: Option<DateTime<Utc>>,
        pub created_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
