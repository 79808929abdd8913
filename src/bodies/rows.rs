//! Rows of bodies and of who sits in them.

mod council;

pub(crate) use self::council::{body_charter, recommendation, service_record};

/// One body.
pub(crate) mod body {
    use chrono::{DateTime, NaiveDate, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{
        bodies::rules::{BodyForm, BodyKind},
        ids::BodyId,
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "bodies")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: BodyId,
        pub kind: BodyKind,
        pub name: String,
        pub founded_on: NaiveDate,
        pub created_at: DateTime<Utc>,
        pub registration: Option<String>,
        pub grant_fen: Option<i64>,
        pub granted_on: Option<NaiveDate>,
        pub form: Option<BodyForm>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// An area that a body covers.
pub(crate) mod body_area {
    use sea_orm::entity::prelude::*;

    use crate::ids::BodyId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "body_areas")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub body_id: BodyId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub area_code: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One term of a body.
pub(crate) mod term {
    use chrono::NaiveDate;
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, TermId, VoteId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "terms")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: TermId,
        pub body_id: BodyId,
        pub number: i32,
        pub starts_on: NaiveDate,
        pub ends_on: NaiveDate,
        pub follows_term_id: Option<TermId>,
        /// Its last day before it was ended early.
        pub was_until: Option<NaiveDate>,
        pub ended_by_vote: Option<VoteId>,
        pub end_reason: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A result that stands and by which a body was elected.
pub(crate) mod elected {
    use chrono::NaiveDate;
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, VoteId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "body_elections")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vote_id: VoteId,
        pub body_id: BodyId,
        pub stood_on: NaiveDate,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One person's seat.
pub(crate) mod seat {
    use chrono::NaiveDate;
    use sea_orm::entity::prelude::*;

    use crate::{
        bodies::rules::{Role, SeatKind, SeatRoute, SeatState},
        ids::{BodyId, PersonId, SeatId, TermId},
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "seats")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: SeatId,
        pub body_id: BodyId,
        pub term_id: Option<TermId>,
        pub person_id: PersonId,
        pub role: Role,
        pub kind: Option<SeatKind>,
        pub route: Option<SeatRoute>,
        pub state: SeatState,
        pub starts_on: NaiveDate,
        pub ends_on: Option<NaiveDate>,
        pub recommended_by: Option<String>,
        pub nominated_on: Option<NaiveDate>,
        pub checked_on: Option<NaiveDate>,
        pub publicised_on: Option<NaiveDate>,
        /// Why it is not who the rule names.
        pub reason: Option<String>,
        pub service_group: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "super::body::Entity", from = "Column::BodyId", to = "super::body::Column::Id")]
        Body,
        #[sea_orm(belongs_to = "super::term::Entity", from = "Column::TermId", to = "super::term::Column::Id")]
        Term,
    }

    impl Related<super::body::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Body.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// The calendar of the election that follows a term; without days where another term was open already.
pub(crate) mod election {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, PersonId, TermId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "elections")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub term_id: TermId,
        pub body_id: BodyId,
        pub drafted_at: DateTime<Utc>,
        pub calendar_version: String,
        pub version: i32,
        pub changed_by: Option<PersonId>,
        pub changed_at: Option<DateTime<Utc>>,
        pub reason: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Until when a step of it is done.
pub(crate) mod election_day {
    use chrono::{DateTime, NaiveDate, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{
        bodies::rules::ElectionStep,
        ids::{PersonId, TermId},
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "election_days")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub term_id: TermId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub step: ElectionStep,
        pub day: NaiveDate,
        pub done_by: Option<PersonId>,
        pub done_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What one body lets another do in its name.
pub(crate) mod mandate {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, MandateId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "mandates")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: MandateId,
        pub from_body_id: BodyId,
        pub to_body_id: BodyId,
        pub scope: String,
        pub subject_id: Option<String>,
        pub source: String,
        pub starts_at: DateTime<Utc>,
        pub ends_at: Option<DateTime<Utc>>,
        pub recorded_by: PersonId,
        /// When it was ended before its time.
        pub ended_at: Option<DateTime<Utc>>,
        pub ended_by: Option<PersonId>,
        pub end_reason: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A seat that is on duty until some time.
pub(crate) mod duty {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::SeatId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "duties")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub seat_id: SeatId,
        pub since: DateTime<Utc>,
        pub until: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Where somebody listens in person.
pub(crate) mod room {
    use sea_orm::entity::prelude::*;

    use crate::ids::BodyId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "rooms")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub body_id: BodyId,
        pub place: String,
        pub hours: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A seat that is there on a day of the week.
pub(crate) mod room_duty {
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, SeatId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "room_duties")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub body_id: BodyId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub weekday: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seat_id: SeatId,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A villagers' group that a grid worker looks after.
pub(crate) mod seat_group {
    use sea_orm::entity::prelude::*;

    use crate::ids::SeatId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "seat_groups")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub seat_id: SeatId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub group_number: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// That somebody came onto the register of a collective, or left it.
pub(crate) mod member_change {
    use chrono::{DateTime, NaiveDate, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "member_changes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub body_id: BodyId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        pub person_id: PersonId,
        pub is_entered: bool,
        pub reason: String,
        pub since: NaiveDate,
        pub actor_id: PersonId,
        pub at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody who belongs to a body without a seat in it: a party member of the branch, a member of the council.
pub(crate) mod body_member {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, HouseholdId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "body_members")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub body_id: BodyId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        pub recorded_by: PersonId,
        pub recorded_at: DateTime<Utc>,
        /// Counts though on no roster: who keeps the register said so.
        pub is_off_roster: bool,
        /// The household of the collective, where it is not that of a roster.
        pub household_id: Option<HouseholdId>,
        /// A number of the register's own, of who is on no roster of its villages.
        pub register_number: Option<String>,
        /// Keyed digest of the identity number by which this person was entered.
        pub number_hmac: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
