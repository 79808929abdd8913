//! Rows of paper: sheets by the number on their stub, what was counted in each box, who counts in somebody's place.

/// One sheet of paper, by the number on its stub; the ballot itself has none.
pub(crate) mod paper_sheet {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{PersonId, VoteId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "paper_sheets")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vote_id: VoteId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub serial: i32,
        /// The elector's number on the roll.
        pub number: i32,
        /// As the elector stood, and stands again when the sheet is given back.
        pub channel_before: String,
        pub before_cast_by: Option<PersonId>,
        /// The proxy who took it; `None`: the elector.
        pub taken_by: Option<PersonId>,
        pub issued_by: PersonId,
        pub issued_at: DateTime<Utc>,
        pub state: String,
        pub ended_by: Option<PersonId>,
        pub ended_at: Option<DateTime<Utc>>,
        /// The carried box into which it goes; `None`: a box that stands.
        pub mobile_box: Option<i32>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What somebody counted in a box of paper, as JSON.
pub(crate) mod paper_count {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{MediaId, PersonId, VoteId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "paper_counts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vote_id: VoteId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub box_number: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub counted_by: PersonId,
        pub figures: String,
        pub photo_id: Option<MediaId>,
        pub counted_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody who counted a box, or was to, is replaced: proposed by one person, confirmed by another. The figures stay and count
/// no more.
pub(crate) mod paper_replacement {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{PersonId, VoteId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "paper_replacements")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vote_id: VoteId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub box_number: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub counter_id: PersonId,
        pub reason: String,
        pub proposed_by: PersonId,
        pub proposed_at: DateTime<Utc>,
        pub confirmed_by: Option<PersonId>,
        pub confirmed_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
