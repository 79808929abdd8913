//! Rows of held messages and of conversations that are reviewed.

/// One message that waits, or waited.
pub(crate) mod held {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{DataKeyId, HeldId, PersonId, StreamId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "held_entries")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: HeldId,
        pub stream_id: StreamId,
        pub author_id: PersonId,
        pub client_id: Uuid,
        pub area_code: String,
        /// review, or the kind of word.
        pub reason: String,
        /// Seals the body and the appeal.
        pub key_id: DataKeyId,
        /// The message as it will be sent; empty when it was, or when its time is over.
        pub body: String,
        pub state: String,
        pub decided_by: Option<PersonId>,
        pub decision_reason: Option<String>,
        pub decided_at: Option<DateTime<Utc>>,
        pub appeal: Option<String>,
        pub appealed_at: Option<DateTime<Utc>>,
        pub appeal_decided_by: Option<PersonId>,
        pub appeal_reason: Option<String>,
        pub appeal_decided_at: Option<DateTime<Utc>>,
        pub sent_seq: Option<i64>,
        pub created_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A conversation in which everything is looked at first.
pub(crate) mod reviewed {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{PersonId, StreamId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "reviewed_streams")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub stream_id: StreamId,
        pub set_by: PersonId,
        pub since: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
