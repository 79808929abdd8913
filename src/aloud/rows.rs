//! Rows of what is said aloud.

/// One thing, the clip that says its present version, and when the speech command is tried next.
pub(crate) mod clip {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::{
        aloud::rules::About,
        ids::{MediaId, PersonId},
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "aloud_clips")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub about: About,
        #[sea_orm(primary_key, auto_increment = false)]
        pub subject_id: Uuid,
        pub area_code: String,
        /// Of the thing: the one that the clip says.
        pub version: i32,
        pub media_id: Option<MediaId>,
        /// Who spoke it; none of a machine.
        pub spoken_by: Option<PersonId>,
        pub made_at: Option<DateTime<Utc>>,
        /// How often the command was tried for this version.
        pub tries: i32,
        /// When it is tried next, if at all.
        pub try_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
