//! Rows of legal officers' work.

/// Where and when a legal officer is there.
pub(super) mod desk {
    use sea_orm::entity::prelude::*;

    use crate::ids::SeatId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "legal_desks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub seat_id: SeatId,
        pub place: String,
        pub hours: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A village that a legal officer serves.
pub(super) mod village {
    use sea_orm::entity::prelude::*;

    use crate::ids::SeatId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "legal_villages")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub seat_id: SeatId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub area_code: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
