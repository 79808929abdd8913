//! Rows of voices, their answers, who opened them, and what became of them.

mod behind;

pub(crate) use self::behind::{cosign, cosign_sheet, threshold};

/// One voice.
pub mod suggestion {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{
        ids::{BodyId, DataKeyId, MatterId, PersonId, StreamId, SuggestionId},
        suggestions::{
            promises::Urgency,
            rules::{Category, Deadline, HidingState, ReplyWish, SuggestionKind, SuggestionState, Visibility},
        },
    };

    /// One voice. Text, place and author are written once; answers move the rest.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "suggestions")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: SuggestionId,
        pub number: String,
        pub area_code: String,
        pub author_id: PersonId,
        pub kind: SuggestionKind,
        pub visibility: Visibility,
        pub text: String,
        pub place: String,
        pub state: SuggestionState,
        pub body_id: BodyId,
        pub stream_id: StreamId,
        pub assignee_id: Option<PersonId>,
        pub matter_id: Option<MatterId>,
        pub accept_due_at: DateTime<Utc>,
        pub answer_due_at: DateTime<Utc>,
        pub calendar_version: String,
        pub accepted_at: Option<DateTime<Utc>>,
        pub answered_at: Option<DateTime<Utc>>,
        pub rated_at: Option<DateTime<Utc>>,
        pub rating: Option<i32>,
        pub overdue: Option<Deadline>,
        pub created_at: DateTime<Utc>,
        pub updated_at: DateTime<Utc>,
        /// Seals its words and those of its answers; none where everybody in the village may read them.
        pub key_id: Option<DataKeyId>,
        /// How often it went up: 0 where it was left, 1 one office higher, and so on.
        pub level: i32,
        /// "Not solved" since it came to the body responsible.
        pub unsolved: i32,
        /// When the body responsible is reminded of the next deadline.
        pub warn_at: Option<DateTime<Utc>>,
        /// When the office above the one that was told of the delay is told, too.
        pub supervise_at: Option<DateTime<Utc>>,
        /// How many say that it is theirs, too.
        pub cosigns: i32,
        /// The body that is asked to take it, and has not said yes or no.
        pub offered_to: Option<BodyId>,
        /// How often it was passed on, from the usual body to another: where it is above 0, it is theirs to whom it was given.
        pub handed: i32,
        /// The clerk who took it down for its author, and for which office.
        pub taken_by: Option<PersonId>,
        pub taken_body_id: Option<BodyId>,
        /// Whom it is about, of those who sit over the village, and the bodies in which they sat then (ids with a space
        /// between): it is kept from both.
        pub about_person_id: Option<PersonId>,
        pub about_bodies: String,
        pub category: Category,
        pub urgency: Urgency,
        /// The office above that is asked for more days, and has not said yes or no.
        pub asks_office: Option<BodyId>,
        /// When more days were asked for since it was opened; they are not asked for twice.
        pub days_asked_at: Option<DateTime<Utc>>,
        /// The body that was responsible when a deadline passed last, whoever has it since.
        pub late_body_id: Option<BodyId>,
        /// Of a public voice: only its author and those who handle it see it, or its photos and its clip.
        pub hiding: Option<HidingState>,
        /// The office whose word its author waits for.
        pub hiding_office: Option<BodyId>,
        /// Where it is hidden: its photos and its clip alone, while everybody reads its words.
        pub hides_only_media: bool,
        pub reply_wish: ReplyWish,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    #[allow(missing_docs)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// An answer to a voice; a reopened one gets another.
pub(crate) mod answer {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;
    use uuid::Uuid;

    use crate::{
        ids::{BodyId, PersonId, SuggestionId},
        suggestions::rules::AnswerOutcome,
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "suggestion_answers")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub suggestion_id: SuggestionId,
        pub body_id: BodyId,
        pub person_id: PersonId,
        pub text: String,
        pub created_at: DateTime<Utc>,
        pub outcome: AnswerOutcome,
        /// What its author thinks of this answer, and said with it, sealed like the voice's words.
        pub rating: Option<i32>,
        pub rating_text: Option<String>,
        pub rated_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// That a body wanted to pass it on, and what came of it.
pub(crate) mod referral {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{
        ids::{BodyId, PersonId, ReferralId, SuggestionId},
        suggestions::referrals::ReferralState,
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "suggestion_referrals")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: ReferralId,
        pub suggestion_id: SuggestionId,
        pub from_body_id: BodyId,
        pub to_body_id: BodyId,
        /// Sealed like the voice's words.
        pub reason: String,
        pub state: ReferralState,
        pub offered_by: PersonId,
        pub offered_at: DateTime<Utc>,
        pub decided_by: Option<PersonId>,
        pub decided_at: Option<DateTime<Utc>>,
        /// Why it was not taken; sealed, too.
        pub answer: Option<String>,
        /// Who should take it, as the one that did not says.
        pub next_body_id: Option<BodyId>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Why a public voice is hidden, and what its author says to it.
pub(crate) mod hiding {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;
    use uuid::Uuid;

    use crate::ids::{BodyId, PersonId, SuggestionId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "suggestion_hidings")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub suggestion_id: SuggestionId,
        pub body_id: BodyId,
        pub reason: String,
        /// Nobody, when words of the list hold it.
        pub hidden_by: Option<PersonId>,
        pub hidden_at: DateTime<Utc>,
        pub appeal: Option<String>,
        pub appealed_at: Option<DateTime<Utc>>,
        pub office_id: Option<BodyId>,
        pub answer: Option<String>,
        pub decided_by: Option<PersonId>,
        /// When it was shown again.
        pub ended_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// An area in which photos and clips of public voices are looked at first.
pub(crate) mod media_review {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::PersonId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "media_reviews")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub area_code: String,
        pub set_by: PersonId,
        pub set_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Who answers what is about something, in an area and below it.
pub(crate) mod route {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{
        ids::{BodyId, PersonId},
        suggestions::rules::Category,
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "suggestion_routes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub area_code: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub category: Category,
        pub body_id: BodyId,
        pub set_by: PersonId,
        pub set_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// That the body responsible asked the office above for more days, and what came of it.
pub(crate) mod extension {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{
        ids::{BodyId, ExtensionId, PersonId, SuggestionId},
        suggestions::extensions::ExtensionState,
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "suggestion_extensions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: ExtensionId,
        pub suggestion_id: SuggestionId,
        pub body_id: BodyId,
        pub office_id: BodyId,
        /// Sealed like the voice's words.
        pub reason: String,
        pub state: ExtensionState,
        pub asked_by: PersonId,
        pub asked_at: DateTime<Utc>,
        pub decided_by: Option<PersonId>,
        pub decided_at: Option<DateTime<Utc>>,
        /// What the office said; sealed, too.
        pub answer: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// That the body responsible asked another for its part, and what came of it.
pub(crate) mod assist {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{
        ids::{AssistId, BodyId, PersonId, SuggestionId},
        suggestions::assists::AssistState,
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "suggestion_assists")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: AssistId,
        pub suggestion_id: SuggestionId,
        pub body_id: BodyId,
        /// Sealed like the voice's words.
        pub task: String,
        pub state: AssistState,
        pub asked_by: PersonId,
        pub asked_at: DateTime<Utc>,
        /// What it did; sealed, too.
        pub answer: Option<String>,
        pub given_by: Option<PersonId>,
        pub given_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Who opened a voice that is not public, on which day, how often.
pub(crate) mod reading {
    use chrono::{DateTime, NaiveDate, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{PersonId, SuggestionId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "suggestion_readings")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub suggestion_id: SuggestionId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub day: NaiveDate,
        pub body_name: String,
        pub first_at: DateTime<Utc>,
        pub times: i32,
        /// Of somebody who does not handle it and opened it nevertheless.
        pub reason: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// That its author took a voice back.
pub(crate) mod withdrawal {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::SuggestionId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "suggestion_withdrawals")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub suggestion_id: SuggestionId,
        /// Sealed like the voice's words.
        pub reason: Option<String>,
        pub withdrawn_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// That a body made a voice ordinary which was called urgent.
pub(crate) mod downgrade {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{BodyId, PersonId, SuggestionId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "suggestion_downgrades")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub suggestion_id: SuggestionId,
        pub body_id: BodyId,
        pub person_id: PersonId,
        /// Sealed like the voice's words.
        pub reason: String,
        pub made_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
