//! Rows of the tree.

/// One area.
pub(crate) mod area {
    use chrono::NaiveDate;
    use sea_orm::entity::prelude::*;

    use crate::areas::rules::Level;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "areas")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub code: String,
        pub parent_code: Option<String>,
        pub name: String,
        pub level: Level,
        pub valid_from: NaiveDate,
        pub valid_to: Option<NaiveDate>,
        pub successor_code: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
