//! Rows of votes: the vote, its frozen roll, who casts for whom, the envelopes, the public keys of those who open sealed ones.

mod paper;

pub(crate) use self::paper::{paper_count, paper_replacement, paper_sheet};

/// One vote.
pub(crate) mod vote {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, MatterId, MeetingId, PersonId, VoteId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "votes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: VoteId,
        /// `None`: a vote of a body's agenda, about no matter.
        pub matter_id: Option<MatterId>,
        pub meeting_id: Option<MeetingId>,
        pub area_code: String,
        pub body_id: BodyId,
        /// The villagers' group that decides by itself; `None`: the whole village, or a body.
        pub group_number: Option<i32>,
        pub question: String,
        pub preset: String,
        pub rule: String,
        pub secrecy: String,
        pub is_binding: bool,
        pub state: String,
        pub on_roll: i32,
        pub opens_at: DateTime<Utc>,
        pub closes_at: DateTime<Utc>,
        pub closed_at: Option<DateTime<Utc>>,
        pub result: Option<String>,
        pub created_by: PersonId,
        pub created_at: DateTime<Utc>,
        pub allows_revote: bool,
        pub has_board: bool,
        pub links_left: bool,
        /// Proxies are named and checked before this moment; `None`: there are none.
        pub proxies_until: Option<DateTime<Utc>>,
        /// Up to when those for whom somebody cast a secret ballot were told.
        pub told_until: Option<DateTime<Utc>>,
        /// Up to which evening the fingerprint of its board was told.
        pub shown_until: Option<DateTime<Utc>>,
        /// What may be chosen, as JSON; `None`: for, against, abstain.
        pub options: Option<String>,
        pub max_choices: i32,
        pub seats: i32,
        /// The vote whose tie this one decides.
        pub parent_vote_id: Option<VoteId>,
        /// How many were on the roll when it was frozen; `on_roll` follows its amendments.
        pub roll_frozen: i32,
        /// Merkle root over those.
        pub roll_root: Option<String>,
        /// Since when the roll hangs before the opening; `None`: it does not.
        pub roll_posted_at: Option<DateTime<Utc>>,
        /// For so many days after the count its result may be challenged.
        pub challenge_days: i32,
        /// Until when it may.
        pub challenge_until: Option<DateTime<Utc>>,
        /// Does the result stand? `None`: there is none yet, or it was settled before there was this column.
        pub settlement: Option<String>,
        pub settled_at: Option<DateTime<Utc>>,
        /// The words of the resolution, or why the result does not stand.
        pub resolution: Option<String>,
        /// Are sheets of paper handed out, too?
        pub has_paper: bool,
        /// When what was in the boxes was signed.
        pub paper_signed_at: Option<DateTime<Utc>>,
        pub paper_signed_by: Option<PersonId>,
        /// Why there were more ballots in the boxes than sheets; the vote is void by it.
        pub paper_void_reason: Option<String>,
        /// Whom of the village committee it recalls.
        pub recalled_id: Option<PersonId>,
        /// Numbers of the boxes that are carried to those who cannot come, with commas between.
        pub mobile_boxes: Option<String>,
        /// The households that choose a representative together, with commas between; `None`: a group, the whole village, a body.
        pub household_ids: Option<String>,
        /// The candidates, where they are known as persons, with commas between.
        pub candidate_ids: Option<String>,
        /// Since when it rests, because it came out of a backup while it ran; `None`: it does not.
        pub restored_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One elector; `channel` says whether and how the ballot came in, never what is on it.
pub(crate) mod roll_entry {
    use sea_orm::entity::prelude::*;

    use crate::ids::{HouseholdId, PersonId, VoteId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "roll_entries")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vote_id: VoteId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        pub person_id: PersonId,
        pub household_id: HouseholdId,
        pub channel: String,
        pub tag: Option<String>,
        /// Who cast for this elector; `None`: the elector.
        pub cast_by: Option<PersonId>,
        /// Those whom a ballot cast by another concerns were told.
        pub is_told: bool,
        /// Of a vote that is over: on PostgreSQL it lies apart from those that run.
        pub is_over: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody who belonged to a household on the day of its roll.
pub(crate) mod roll_member {
    use sea_orm::entity::prelude::*;

    use crate::ids::{PersonId, VoteId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "roll_members")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vote_id: VoteId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        /// The household's number on the roll.
        pub number: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody says that one is missing on a roll, or should not be on it.
pub(crate) mod roll_objection {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{PersonId, RollObjectionId, VoteId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "roll_objections")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: RollObjectionId,
        pub vote_id: VoteId,
        pub kind: String,
        /// Whom it is about, as was written; the number on the roster beside it, where it was given.
        pub name: String,
        pub roster_number: Option<String>,
        /// The same, where the roster knows such a person.
        pub person_id: Option<PersonId>,
        pub reason: String,
        pub raised_by: PersonId,
        pub raised_at: DateTime<Utc>,
        pub due_at: DateTime<Utc>,
        pub state: String,
        /// What the first of two people decided.
        pub upholds: Option<bool>,
        pub decision: Option<String>,
        pub decided_by: Option<PersonId>,
        pub decided_at: Option<DateTime<Utc>>,
        pub confirmed_by: Option<PersonId>,
        pub confirmed_at: Option<DateTime<Utc>>,
        /// Its day has passed, and those who stand in for the office were told.
        pub is_passed_on: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One change of a frozen roll, as it stands on the board.
pub(crate) mod roll_amendment {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{RollObjectionId, VoteId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "roll_amendments")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vote_id: VoteId,
        /// Its place among those of the vote, from 1.
        #[sea_orm(primary_key, auto_increment = false)]
        pub place: i32,
        pub op: String,
        pub number: i32,
        pub decision: String,
        pub objection_id: RollObjectionId,
        pub made_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody says that a result is wrong.
pub(crate) mod challenge {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{ChallengeId, PersonId, VoteId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "vote_challenges")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: ChallengeId,
        pub vote_id: VoteId,
        pub raised_by: PersonId,
        pub raised_at: DateTime<Utc>,
        pub due_at: DateTime<Utc>,
        pub reason: String,
        pub state: String,
        pub answer: Option<String>,
        pub answered_by: Option<PersonId>,
        pub answered_at: Option<DateTime<Utc>>,
        /// Its day has passed, and those who stand in for the office were told.
        pub is_passed_on: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody who may cast for an elector: a proxy of a person, or the alternate of a household's representative.
pub(crate) mod roll_agent {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{MediaId, PersonId, VoteId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "roll_agents")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vote_id: VoteId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        pub kind: String,
        pub rank: i32,
        pub relation: Option<String>,
        pub state: String,
        pub proof_media_id: Option<MediaId>,
        pub recorded_by: PersonId,
        pub recorded_at: DateTime<Utc>,
        pub checked_by: Option<PersonId>,
        pub checked_at: Option<DateTime<Utc>>,
        pub ended_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody who casts for a household in the votes to come: rank 0 its representative, 1 and 2 the alternates.
pub(crate) mod household_agent {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{HouseholdAgentId, HouseholdId, PersonId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "household_agents")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: HouseholdAgentId,
        pub household_id: HouseholdId,
        pub person_id: PersonId,
        pub rank: i32,
        pub since: DateTime<Utc>,
        pub until: Option<DateTime<Utc>>,
        pub recorded_by: PersonId,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// One ballot, as it came in; a time-ordered id would say who voted when, so `cast_id` is the client's.
pub(crate) mod envelope {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::VoteId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "envelopes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vote_id: VoteId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub cast_id: Uuid,
        pub elector_number: i32,
        pub rev: i32,
        pub choice: Option<String>,
        pub sealed: Option<String>,
        pub ballot_hash: String,
        pub cast_at: DateTime<Utc>,
        pub sealed_by: Option<String>,
        /// Of a vote that is over: on PostgreSQL it lies apart from those that run.
        pub is_over: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// The public key of one of the three who open the sealed ballots of a vote; the private one is nowhere here.
pub(crate) mod trustee_key {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{PersonId, VoteId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "trustee_keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vote_id: VoteId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub trustee: String,
        pub public_key: String,
        pub made_by: PersonId,
        pub made_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
