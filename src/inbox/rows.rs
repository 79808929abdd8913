//! Rows of what was sent.

/// One message or event.
pub(crate) mod letter {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{PersonId, SuggestionId, WechatAccountId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "wechat_inbox")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The same for each of the times that WeChat sends it.
        pub key: String,
        pub account_id: WechatAccountId,
        /// Whose account it was when it came: whose voice it becomes, however late.
        pub person_id: Option<PersonId>,
        /// Blank once it is done.
        pub said_sealed: String,
        pub state: String,
        /// How often it was claimed: the token of a claim. Never less than it was.
        pub tries: i32,
        /// Of them so many were before it was asked for once more.
        pub tries_before: i32,
        /// When it is worked on; while it is, the end of the lease.
        pub due_at: DateTime<Utc>,
        /// What it became.
        pub suggestion_id: Option<SuggestionId>,
        /// How it ended.
        pub why: Option<String>,
        pub created_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    #[allow(missing_docs)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
