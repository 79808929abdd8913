//! Typed ids: time-ordered outside a ballot box, opaque strings to everybody else.
use uuid::Uuid;

/// Declares an id type over a UUID: usable as a key, in JSON, in a path and in the API description.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
            sea_orm::DeriveValueType, utoipa::ToSchema,
        )]
        #[serde(transparent)]
        #[schema(value_type = String, format = Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh, time-ordered id.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "a new id is never a default value")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// A person on a village roster.
    PersonId,
    /// A household (户).
    HouseholdId,
    /// One log-in on one device.
    SessionId,
    /// A body (组织): committee, council, office.
    BodyId,
    /// A term (届) of a body.
    TermId,
    /// A seat (席位) in a body.
    SeatId,
    /// A mandate (授权).
    MandateId,
    /// What a village's own rules allow (自治章程).
    CharterId,
    /// What the assembly let its representatives decide (村民会议授权).
    AuthorisationId,
    /// A sheet on which people signed that a voice is theirs, too (签名册).
    CosignSheetId,
    /// A report (举报) of a message.
    ReportId,
    /// A message that waits until somebody has looked at it.
    HeldId,
    /// A suspension (暂停发言).
    SuspensionId,
    /// Something that happened.
    EventId,
    /// A stream (会话).
    StreamId,
    /// A photo or voice clip.
    MediaId,
    /// A file on its way, that can be gone on with.
    UploadId,
    /// A resident's voice (留言).
    SuggestionId,
    /// A voice passed on to another body (转办).
    ReferralId,
    /// More days for a voice that is hard (延期).
    ExtensionId,
    /// Another body's part of a voice (协办).
    AssistId,
    /// A public item (事项).
    MatterId,
    /// A publication (公示).
    NoticeId,
    /// An objection (异议) to a notice.
    ObjectionId,
    /// A form (问卷).
    FormId,
    /// A meeting (会议).
    MeetingId,
    /// A task (督办).
    TaskId,
    /// What was set aside or spent for a task (收支).
    MoneyLineId,
    /// A vote (表决).
    VoteId,
    /// An objection to the roll of a vote (名册异议).
    RollObjectionId,
    /// A challenge (质疑) of a result.
    ChallengeId,
    /// Somebody named to cast for a household (户代表).
    HouseholdAgentId,
    /// Something that people are told.
    AnnouncementId,
    /// One send to one address.
    DeliveryId,
    /// An outgoing webhook's address.
    WebhookId,
    /// A key that seals one thing.
    DataKeyId,
    /// A request to bind a phone to somebody on the roster.
    ClaimId,
    /// A request to put something right that is kept about oneself.
    CorrectionId,
    /// A contract that a legal officer is to look at (合同审查).
    ContractReviewId,
    /// A mediation between people (调解).
    MediationId,
    /// A matter on the agenda of a joint meeting (联席会议议题).
    JointItemId,
    /// Somebody who is recommended for a council (会员推荐).
    RecommendationId,
    /// Something that a council did (服务记录).
    ServiceRecordId,
    /// Something for which somebody is sought (需求).
    NeedId,
    /// An account of WeChat.
    WechatAccountId,
}
