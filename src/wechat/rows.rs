//! Rows of accounts, consents, sends, receipts and log-ins.

/// One openid of one of our accounts.
pub(crate) mod account {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::{PersonId, WechatAccountId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "wechat_accounts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: WechatAccountId,
        pub app: String,
        pub openid_hmac: String,
        pub openid_sealed: String,
        pub person_id: Option<PersonId>,
        /// Of the phone by which it was bound.
        pub phone_hmac: Option<String>,
        /// The village whose code was scanned last.
        pub area_code: Option<String>,
        pub is_following: bool,
        /// Why nothing is sent there.
        pub off_why: Option<String>,
        /// Until when the conversation's window is open, and how many messages it still takes.
        pub window_ends_at: Option<DateTime<Utc>>,
        pub window_left: i32,
        pub bound_at: Option<DateTime<Utc>>,
        pub created_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    #[allow(missing_docs)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What somebody may still be sent by a template.
pub(crate) mod consent {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::WechatAccountId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "wechat_consents")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: WechatAccountId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub template: String,
        pub remaining: i32,
        pub is_long_term: bool,
        /// When somebody last said no: for a while nobody asks again.
        pub refused_at: Option<DateTime<Utc>>,
        /// When somebody last said yes: what WeChat says of an earlier send does not undo it.
        pub given_at: Option<DateTime<Utc>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// What the newest try of a letter took from the ledger, and what WeChat reported of it.
pub(crate) mod send {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::WechatAccountId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "wechat_sends")]
    pub struct Model {
        /// The letter's.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Which try: whoever was frozen past its lease settles nothing of another's.
        pub tries: i32,
        pub account_id: WechatAccountId,
        pub way: String,
        pub template: Option<String>,
        /// It took one of the consents that are counted down.
        pub is_counted: bool,
        pub state: String,
        /// What WeChat calls the message.
        pub msgid: Option<String>,
        /// What WeChat said of it later.
        pub reported: Option<String>,
        pub taken_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A report that came before its send was written down, or that belongs to none of ours.
pub(crate) mod receipt {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::WechatAccountId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "wechat_receipts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: WechatAccountId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub msgid: String,
        pub reported: String,
        pub at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// Somebody on the way to WeChat and back.
pub(crate) mod log_in {
    use chrono::{DateTime, Utc};
    use sea_orm::entity::prelude::*;

    use crate::ids::WechatAccountId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "wechat_log_ins")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub secret_hmac: String,
        pub browser_hmac: String,
        pub return_to: String,
        /// How often this browser was sent round within the last minute.
        pub turns: i32,
        /// Who came back.
        pub account_id: Option<WechatAccountId>,
        /// The number that WeChat vouched for, in a Mini Program.
        pub phone_hmac: Option<String>,
        pub returned_at: Option<DateTime<Utc>>,
        pub created_at: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
