//! Rows of notices, their versions, counters and confirmations, and of objections.

/// One notice in its present version.
pub(crate) mod notice {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, MandateId, MatterId, NoticeId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notices")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: NoticeId,
        pub number: String,
        pub area_code: String,
        pub matter_id: Option<MatterId>,
        pub body_id: BodyId,
        pub adviser_body_id: Option<BodyId>,
        pub mandate_id: Option<MandateId>,
        pub title: String,
        pub text: String,
        pub version: i32,
        pub state: String,
        pub period_days: i32,
        pub period_from: DateTime<Utc>,
        pub period_to: DateTime<Utc>,
        pub calendar_version: String,
        pub created_by: PersonId,
        pub published_at: DateTime<Utc>,
        pub held_up_at: Option<DateTime<Utc>>,
        pub ended_at: Option<DateTime<Utc>>,
        pub end_reason: Option<String>,
        pub must_read: bool,
        /// normal, important, emergency.
        pub class: String,
        /// finance, works, land, welfare, activities, other.
        pub category: String,
        /// Until when residents are asked to confirm.
        pub confirm_by: Option<DateTime<Utc>>,
        /// How many are asked: frozen at the publication of the present version; not known before all villages are.
        pub audience_size: Option<i32>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// The last number given out in an area in a year.
pub(crate) mod counter {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notice_counters")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub area_code: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub year: i32,
        pub last: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One version, as it was published.
pub(crate) mod version {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{NoticeId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notice_versions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub notice_id: NoticeId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i32,
        pub title: String,
        pub text: String,
        pub digest: String,
        pub reason: Option<String>,
        pub published_by: PersonId,
        pub published_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One person has read one version.
pub(crate) mod confirmation {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{NoticeId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notice_confirmations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub notice_id: NoticeId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        pub at: DateTime<Utc>,
        /// self, household, mandate, door.
        pub via: String,
        /// Was on the roster when this version was published.
        pub in_audience: bool,
        /// Who wrote it down, when it was not the person.
        pub by_id: Option<PersonId>,
        /// Who acted by a written mandate.
        pub proxy_id: Option<PersonId>,
        /// How it was done at the door.
        pub way: Option<String>,
        /// What else is known of it.
        pub note: Option<String>,
        /// The person has no phone and is to be told at the door that somebody confirmed.
        pub tell_at_door: bool,
        pub told_at: Option<DateTime<Utc>>,
        pub told_by: Option<PersonId>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody who is asked to confirm a version, frozen when it was published.
pub(crate) mod audience {
    use sea_orm::entity::prelude::*;

    use crate::ids::{HouseholdId, NoticeId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notice_audience")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub notice_id: NoticeId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        /// From 1, in the order of the doors: group, household, number on the roster.
        pub place: i32,
        pub household_id: HouseholdId,
        pub household_number: String,
        pub group_number: i32,
        /// The village of the roster then.
        pub area_code: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A village whose people a version asks.
pub(crate) mod village {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::NoticeId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notice_villages")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub notice_id: NoticeId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub area_code: String,
        /// How many of its people are asked, as far as they are written down.
        pub asked: i32,
        /// How many of those confirmed.
        pub confirmed: i32,
        /// From when on its people are written down; gone when all of them are.
        pub freeze_at: Option<DateTime<Utc>>,
        /// When who has not confirmed is reminded next.
        pub remind_at: Option<DateTime<Utc>>,
        /// Steps of the ladder of reminders that were taken.
        pub reminded: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody who will be reminded, not before a time; gone when it was done.
pub(crate) mod reminder {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{NoticeId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notice_reminders")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub notice_id: NoticeId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub step: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        pub not_before: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One objection with its answer.
pub(crate) mod objection {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{NoticeId, ObjectionId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "objections")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: ObjectionId,
        pub notice_id: NoticeId,
        pub version: i32,
        pub person_id: PersonId,
        pub text: String,
        pub created_at: DateTime<Utc>,
        pub answer: Option<String>,
        pub answered_by: Option<PersonId>,
        pub answered_at: Option<DateTime<Utc>>,
        /// Who wrote it down, where that was somebody else.
        pub recorded_by: Option<PersonId>,
        /// When what was written down was withdrawn; it waits for no answer any more.
        pub withdrawn_at: Option<DateTime<Utc>>,
        /// By the person in whose name it is, or for them.
        pub withdrawn_by: Option<PersonId>,
        /// Why, where it was for them.
        pub withdrawal: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
