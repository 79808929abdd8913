//! Rows of who stands behind a voice.

/// Somebody says that it is theirs, too.
pub(crate) mod cosign {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{CosignSheetId, PersonId, SuggestionId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "suggestion_cosigns")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub suggestion_id: SuggestionId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: PersonId,
        pub created_at: DateTime<Utc>,
        pub sheet_id: Option<CosignSheetId>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A sheet on which people signed that it is theirs, too.
pub(crate) mod cosign_sheet {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{CosignSheetId, PersonId, SuggestionId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "cosign_sheets")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: CosignSheetId,
        pub suggestion_id: SuggestionId,
        pub source: String,
        pub recorded_by: PersonId,
        pub recorded_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// When as many stood behind a voice as the law asks for, for the first time.
pub(crate) mod threshold {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::SuggestionId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "thresholds")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub suggestion_id: SuggestionId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub code: String,
        pub reached_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
