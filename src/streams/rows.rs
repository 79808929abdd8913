//! Rows of streams, their entries, and who belongs to them.

/// A stream and its two counters.
pub mod stream {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, DataKeyId, StreamId};

    /// One stream.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "streams")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: StreamId,
        pub kind: String,
        pub subject_id: String,
        pub area_code: Option<String>,
        pub body_id: Option<BodyId>,
        pub title: String,
        pub epoch: i64,
        pub last_seq: i64,
        pub last_no: i64,
        pub last_at: DateTime<Utc>,
        pub last_preview: String,
        pub created_at: DateTime<Utc>,
        /// Seals what is said in it.
        pub key_id: Option<DataKeyId>,
        /// Where everybody was addressed last; 0: never.
        pub last_all_seq: i64,
        /// When something about it changed that lists show.
        pub changed_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    #[allow(missing_docs)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One entry: what a person sent or the system showed.
pub(crate) mod entry {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;
    use uuid::Uuid;

    use crate::ids::{BodyId, PersonId, StreamId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "entries")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub stream_id: StreamId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i64,
        pub no: i64,
        pub kind: String,
        pub sender_id: Option<PersonId>,
        pub body_id: Option<BodyId>,
        pub client_id: Uuid,
        pub reply_to: Option<i64>,
        pub body: String,
        pub created_at: DateTime<Utc>,
        /// What this entry changes.
        pub target_seq: Option<i64>,
        pub state: String,
        /// The entry that changed this one last; 0: none did.
        pub rev: i64,
        pub is_pinned: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A person's place in a stream: role and read cursor. In a channel the row is made at the first read.
pub(crate) mod membership {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{PersonId, StreamId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "memberships")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub stream_id: StreamId,
        pub role: String,
        pub read_seq: i64,
        pub read_no: i64,
        pub joined_at: DateTime<Utc>,
        pub left_at: Option<DateTime<Utc>>,
        /// Where the person was addressed last; 0: never.
        pub last_mention_seq: i64,
        pub mute: String,
        /// Since when the person keeps it on top.
        pub pinned_at: Option<DateTime<Utc>>,
        /// Some device of the person has it up to here.
        pub recv_seq: i64,
        /// The mute ends by itself.
        pub mute_until: Option<DateTime<Utc>>,
        /// When something about it changed that lists show.
        pub changed_at: DateTime<Utc>,
        /// When the mailbox was told last how far the person has read.
        pub echoed_at: Option<DateTime<Utc>>,
        /// The mailbox is still to be told.
        pub is_echo_due: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Two characters that follow one another in an entry.
pub(crate) mod gram {
    use sea_orm::entity::prelude::*;

    use crate::ids::StreamId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "grams")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub stream_id: StreamId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub gram: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// An entry whose words are still to be taken in.
pub(crate) mod gram_due {
    use sea_orm::entity::prelude::*;

    use crate::ids::StreamId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "grams_due")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub stream_id: StreamId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A card that many are still to be shown.
pub(crate) mod round {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;
    use uuid::Uuid;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "card_rounds")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// What it is about: the same in all their streams.
        pub about: Uuid,
        pub title: String,
        pub body: String,
        pub created_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Who is still to be shown it: a person in the own mailbox, or all who read a stream.
pub(crate) mod reader {
    use sea_orm::entity::prelude::*;
    use uuid::Uuid;

    use crate::ids::{PersonId, StreamId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "card_readers")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub round_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub place: i32,
        pub person_id: Option<PersonId>,
        pub stream_id: Option<StreamId>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
