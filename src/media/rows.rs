//! Rows of photos and voice clips, and of what is on its way; their bytes are in files.

/// One photo or voice clip.
pub mod media {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{DataKeyId, MediaId, PersonId};

    /// One photo or voice clip; unattached as long as `subject_id` is empty.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "media")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: MediaId,
        pub owner_id: PersonId,
        pub kind: String,
        pub mime: String,
        pub bytes: i64,
        pub sha256: String,
        pub width: Option<i32>,
        pub height: Option<i32>,
        pub duration_ms: Option<i32>,
        pub subject_kind: Option<String>,
        pub subject_id: Option<String>,
        pub area_code: Option<String>,
        pub created_at: DateTime<Utc>,
        /// Seals its files; none for those kept before files were sealed.
        pub key_id: Option<DataKeyId>,
        /// How loud a clip is, from its beginning to its end: one digit each.
        pub levels: Option<String>,
        /// How the copy is played that was made for phones that do not play the clip itself.
        pub played_mime: Option<String>,
        /// How often a program was tried on it.
        pub work_tries: i32,
        /// When it is tried next, if at all.
        pub work_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    #[allow(missing_docs)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A file on its way, that can be gone on with.
pub mod upload {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{MediaId, PersonId, UploadId};

    /// One file on its way; how much of it is here is the length of its file.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "uploads")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: UploadId,
        pub owner_id: PersonId,
        /// How long it is to become.
        pub length: i64,
        pub created_at: DateTime<Utc>,
        pub expires_at: DateTime<Utc>,
        /// What it became.
        pub media_id: Option<MediaId>,
        /// Why it was refused.
        pub refusal: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    #[allow(missing_docs)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
