//! Rows of webhooks, deliveries and attempts.

/// An address that is told.
pub(crate) mod webhook {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{PersonId, WebhookId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "webhooks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: WebhookId,
        pub area_code: String,
        pub url: String,
        pub secret_sealed: String,
        pub created_by: Option<PersonId>,
        pub created_at: DateTime<Utc>,
        pub removed_at: Option<DateTime<Utc>>,
        /// It kept its last try waiting in vain, and is left alone until then.
        pub rests_until: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One event to one address. While `state` is sending, `due_at` is the end of the lease.
pub(crate) mod delivery {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{AnnouncementId, DeliveryId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "deliveries")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: DeliveryId,
        pub kind: String,
        pub channel: String,
        pub event_number: i64,
        pub target_id: String,
        pub subject_id: String,
        pub state: String,
        /// How often it was claimed: the token of a claim. Never less than it was.
        pub tries: i32,
        /// Of them so many were before it was queued anew.
        pub tries_before: i32,
        pub due_at: DateTime<Utc>,
        pub sent_at: Option<DateTime<Utc>>,
        pub created_at: DateTime<Utc>,
        /// What a person is told; webhooks are told of the event itself.
        pub announcement_id: Option<AnnouncementId>,
        /// Why it was not sent.
        pub reason: Option<String>,
        /// It waits for the evening.
        pub is_digest: bool,
        /// The one whose message tells of this one, too.
        pub carried_by: Option<DeliveryId>,
        /// Whom, where it is a person: the same as the target.
        pub person_id: Option<PersonId>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}

    impl Model {
        /// How often it was tried since it was queued, or queued anew.
        pub(crate) fn tried(&self) -> i32 {
            self.tries - self.tries_before
        }
    }
}

/// One try.
pub(crate) mod attempt {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;
    use uuid::Uuid;

    use crate::ids::DeliveryId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "attempts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub delivery_id: DeliveryId,
        pub outcome: String,
        pub status: i32,
        pub at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Something that people are told, and how near it is.
pub(crate) mod announcement {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{AnnouncementId, StreamId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "announcements")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: AnnouncementId,
        pub event_number: i64,
        pub kind: String,
        pub subject_id: String,
        pub area_code: Option<String>,
        pub audience: String,
        pub audience_id: String,
        pub level: String,
        pub urgency: String,
        pub topic: String,
        /// What belongs together: of one thread only the newest state is told.
        pub thread: String,
        /// Where it stands in the app, when it stands in one place.
        pub stream_id: Option<StreamId>,
        pub seq: i64,
        pub created_at: DateTime<Utc>,
        /// Nobody is told of it any more.
        pub ended_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One step of the ladder of an announcement, and how far through the audience it has come.
pub(crate) mod step {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{AnnouncementId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "ladder_steps")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub announcement_id: AnnouncementId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub step: i32,
        pub channel: String,
        pub state: String,
        pub due_at: DateTime<Utc>,
        pub position: Option<PersonId>,
        pub looked_at: i64,
        pub planned: i64,
        pub done_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// By which ways somebody wants to be told.
pub(crate) mod choice {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::PersonId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "telling_choices")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        pub by_wechat: bool,
        pub by_sms: bool,
        /// The consent to be told by SMS of what one need not be told; `privacy` keeps the record of it.
        pub sms_news: bool,
        pub changed_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// How somebody wants to hear of a topic.
pub(crate) mod topic_choice {
    use sea_orm::entity::prelude::*;

    use crate::ids::PersonId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "topic_choices")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub topic: String,
        pub mode: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody was told at the door.
pub(crate) mod door_mark {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;
    use uuid::Uuid;

    use crate::ids::PersonId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "door_marks")]
    pub struct Model {
        /// What was told: the kind of the event of which the messages tell.
        #[sea_orm(primary_key, auto_increment = false)]
        pub kind: String,
        /// Of which meeting or vote.
        #[sea_orm(primary_key, auto_increment = false)]
        pub about: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        pub at: DateTime<Utc>,
        pub by_id: PersonId,
        pub way: String,
        pub note: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody follows a matter.
pub(crate) mod follow {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{MatterId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "follows")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub matter_id: MatterId,
        pub created_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One of the three places for what disturbed somebody within a week; what is older counts no more.
pub(crate) mod disturbance {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{DeliveryId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "disturbances")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub place: i32,
        pub at: DateTime<Utc>,
        /// `None`: of before this was kept.
        pub delivery_id: Option<DeliveryId>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Which delivery tells a number of an event: one for all who have it.
pub(crate) mod told_number {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::DeliveryId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "told_numbers")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub event_number: i64,
        /// The keyed digest by which numbers are found.
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: String,
        pub delivery_id: DeliveryId,
        pub at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A provider does not send this kind, or nothing at all: it is left alone until then, and then one try decides.
pub(crate) mod stopped {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "stopped_sends")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub channel: String,
        /// The kind of event whose template it is; nothing: the whole channel.
        #[sea_orm(primary_key, auto_increment = false)]
        pub kind: String,
        pub until: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Something was said before a date, and is not said again.
pub(crate) mod reminder {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "reminders")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub kind: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub subject_id: String,
        pub at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
